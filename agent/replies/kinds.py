"""Whether names and figures are of the kind that a sentence or a column says: users, days, dollars, all, now."""

from __future__ import annotations

import re
from collections.abc import Iterator

from agent.replies.citations import Evidence
from agent.replies.sentences import Figure, Sentence
from tools.result import Fact

__all__ = ["kinds"]

_KIND = re.compile(r"\b(user|role|database|tag|service|schema|warehouse)s?\b")
_COUNTED = re.compile(r"^(?:query )?(\w+?)(?: type)?s with a figure$")
_TIME_HEADS = re.compile(r"^(?:hour|day|week|month|quarter|year)\b")
_PEAK = re.compile(r"\b(?:highest|lowest|largest|smallest|biggest|peak|top|first|expensive) (?:hour|day|week|month)\b")
_LIVE = re.compile(r"\b(?:now|currently)\b")
_ONLY = re.compile(r"\b(?:only|alone)\b")
_ALL = re.compile(r"(?<!\bin )(?<!\bof )(?<!\bat )\ball\b(?! (?:others?|together)\b)|\beverything\b|\bevery\b")
_UNITS = (
    (re.compile(r"\b(?:usd|dollars?)\b"), ("USD",)),
    (re.compile(r"\bcredits?\b"), ("credits",)),
    (re.compile(r"\b(?:percent|percentage|share)\b"), ("%",)),
    (re.compile(r"\bbytes\b"), ("bytes",)),
    (re.compile(r"\bcount\b"), ("count",)),
)


def kinds(sentence: Sentence, evidence: Evidence) -> Iterator[str]:
    """What is called another kind of thing than it is."""
    yield from _of_names(sentence, evidence)
    if sentence.cell:
        yield from _of_columns(sentence)
        return
    facts = [fact for figure in sentence.figures for fact in figure.facts] or [fact for _, fact in sentence.names]
    live = _LIVE.search(sentence.text)
    if live and not any(fact.window is None or fact.label.endswith(" now") for fact in facts):
        yield f"no figure beside it is of now: {live[0]}"
    every = _ALL.search(sentence.text)
    if every and sentence.figures:
        yield f"no figure says it of all: {every[0]}"
    only = _ONLY.search(sentence.text)
    names = {fact.entity for _, fact in sentence.names}
    others = {f.entity for f in evidence.facts.values() if f.entity and f.label in {fact.label for fact in facts}}
    if only and sentence.figures and (not names or others - names):
        yield f"there are others: {only[0]}"


def _of_names(sentence: Sentence, evidence: Evidence) -> Iterator[str]:
    """A user is no warehouse. What the turn's names are, the count of them tells, where there is one."""
    labels = [fact.label for fact in evidence.facts.values()]
    counted = {match[1] for label in labels for match in [_COUNTED.search(label)] if match}
    for match in _KIND.finditer(sentence.text if sentence.names or sentence.cell else ""):
        known = any(re.search(rf"\b{match[1]}s?\b", label) for label in labels)
        if match[1] not in counted and (counted or match[1] != "warehouse") and not known:
            yield f"nothing here is that: {match[0]}"

    time = _PEAK.search(sentence.text)
    if time and any(not _is_time(fact) for _, fact in sentence.names):
        yield f"no name here is that: {time[0]}"


def _is_time(fact: Fact) -> bool:
    return re.match(r"\d{4}-", fact.entity or "") is not None


def _of_columns(sentence: Sentence) -> Iterator[str]:
    head = sentence.text.split(":", 1)[0]
    if _TIME_HEADS.search(head) and not all(_is_time(fact) for _, fact in sentence.names):
        yield f"no name in the column is that: {head}"
    for figure in sentence.figures:
        for words, units in _UNITS:
            said = words.search(head)
            if said and _unit(figure) not in units:
                yield f"{figure.facts[0].id} stands in a column of another unit: {said[0]}"
        if re.search(r"\bchange\b", head) and figure.operation not in ("change", "diff"):
            yield f"{figure.facts[0].id} stands in a column of changes"


def _unit(figure: Figure) -> str:
    return "%" if figure.operation in ("pct", "change") else figure.facts[0].unit
