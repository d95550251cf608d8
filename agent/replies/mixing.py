"""Which figures an expression may bring together: a share of its own whole, a change over time, a sum of parts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from agent.replies.citations import Evidence
from tools.result import Fact

__all__ = ["mixed"]

_COMPUTED = re.compile(r"\[\[\s*(\w+)\(([^()\[\]]*)\)\s*\]\]")


def mixed(text: str, evidence: Evidence) -> Iterator[str]:
    """Expressions of one sentence over figures that do not go together. What cannot be evaluated is left to render."""
    for match in _COMPUTED.finditer(text):
        ids = [part.strip() for part in match[2].split(",")]
        facts = [evidence.facts[name] for name in ids if name in evidence.facts]
        rule = _RULES.get(match[1])
        if rule is None or len(facts) != len(ids) or len(facts) < (1 if match[1] == "sum" else 2):
            continue
        facts = [fact.model_copy(update={"entity": _owner(fact, evidence)}) for fact in facts]
        problem = "the same figure twice" if len(set(ids)) != len(ids) else rule(facts, text)
        if problem:
            yield f"{match[1]}({','.join(ids)}): {problem}"


def _owner(fact: Fact, evidence: Evidence) -> str | None:
    return None if fact.entity == evidence.scope else fact.entity


def _pct(facts: Sequence[Fact], text: str) -> str:
    part, whole = facts
    if not _same_window(part, whole):
        return "a share of another window"
    if whole.entity is not None and whole.entity != part.entity:
        return "a share of what is no whole of it"
    return ""


def _change(facts: Sequence[Fact], text: str) -> str:
    before, after = facts
    if before.entity != after.entity:
        return "a change from one name to another"
    if before.window is None or after.window is None:
        return ""
    if before.window == after.window:
        return "a change within one window"
    shown = re.search(rf"\[\[{before.id}\]\].*\[\[{after.id}\]\]", text, re.DOTALL)
    if before.window.start > after.window.start and not shown:
        return "a change backwards in time"
    return ""


def _side_by_side(facts: Sequence[Fact], text: str) -> str:
    one, other = facts
    comparable = one.entity == other.entity or _same_window(one, other)
    return "" if comparable else "neither the same name nor the same window"


def _sum(facts: Sequence[Fact], text: str) -> str:
    if len({fact.label for fact in facts}) > 1:
        return "different figures together"
    for number, one in enumerate(facts):
        for other in facts[number + 1 :]:
            if (one.entity is None) != (other.entity is None):
                return "a total and a part of it"
            if one.entity == other.entity and not _apart(one, other):
                return "a figure and a part of it"
            if one.entity != other.entity and not _same_window(one, other):
                return "different windows together"
    return ""


def _same_window(one: Fact, other: Fact) -> bool:
    return one.window is None or other.window is None or one.window == other.window


def _apart(one: Fact, other: Fact) -> bool:
    if one.window is None or other.window is None:
        return False
    return one.window.end <= other.window.start or other.window.end <= one.window.start


_RULES: dict[str, Callable[[Sequence[Fact], str], str]] = {
    "pct": _pct,
    "change": _change,
    "diff": _side_by_side,
    "ratio": _side_by_side,
    "sum": _sum,
}
