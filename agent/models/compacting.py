"""What of a turn goes to a model: a few facts of each result, a short memory, the names that may be meant. Pure.

Figures go as facts with their ids, at most `MOST_FACTS` a turn; a larger table stays a reference that the reply may
cite whole (agent.replies.blocks). Nothing here is text for people.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from agent.replies.figures import show
from agent.state import CallResult
from tools.quoting import clean
from tools.result import Fact
from tools.windows.parse import describe

__all__ = ["MOST_FACTS", "compact_results", "names_in", "relevant", "remembered"]

MOST_FACTS = 80
_MOST_NAMES = 40
_MOST_TEXT = 300
_MOST_PASSAGE = 1000


# --- results ------------------------------------------------------------------------------------------------------


def compact_results(results: Sequence[CallResult], tz: str) -> list[dict[str, Any]]:
    """One small JSON object a result; the latest keep the most facts."""
    share = max(MOST_FACTS // max(len(results), 1), 10)
    return [_compact(number, result, tz, share) for number, result in enumerate(results, start=1)]


def _compact(number: int, result: CallResult, tz: str, most: int) -> dict[str, Any]:
    said: dict[str, Any] = {"result": f"r{number}", "status": result.status}
    if result.error or result.status != "ok":
        said |= {"message": clean(result.message, _MOST_TEXT)}
        if result.hint:
            said["hint"] = clean(result.hint, _MOST_TEXT)
        if result.detail.get("nearest"):
            said["nearest"] = list(result.detail["nearest"])[:8]
        return said
    if result.window is not None:
        said["window"] = f"{describe(result.window)} {result.window.tz}"
    if not result.complete:
        said["complete"] = False
    facts = _ordered(result)
    said["facts"] = [_line(fact, tz) for fact in facts[:most]]
    if len(facts) > most:
        said["more_facts"] = len(facts) - most
    notes = (result.data or {}).get("notes") or ()
    if notes:
        said["notes"] = [clean(str(note), _MOST_TEXT) for note in notes[:4]]
    passages = (result.data or {}).get("passages") or ()
    if passages:
        said["passages"] = [_passage(f"r{number}.practice.{n}", item) for n, item in enumerate(passages[:5])]
    return said


def _ordered(result: CallResult) -> list[Fact]:
    """What sums the result up first, then as the tool has it: largest first."""
    figures = (result.data or {}).get("figures") or {}
    first = [figures[role] for role in figures if isinstance(figures[role], str)]
    return sorted(result.facts, key=lambda fact: first.index(fact.id) if fact.id in first else len(first))


def _line(fact: Fact, tz: str) -> list[str]:
    """[id, label, value with unit, whose]"""
    value = (
        clean(str(fact.value)) if fact.unit == "name" and fact.value is not None else show(fact.value, fact.unit, tz)
    )
    return [fact.id, clean(fact.label, 80), value.strip("`"), *([clean(fact.entity)] if fact.entity else [])]


def _passage(cited: str, item: Mapping[str, Any]) -> dict[str, Any]:
    """A page found: what it says, and as what its parts are cited whole."""
    parts = [part for part, text in (item.get("parts") or {}).items() if text]
    told = {"cite": cited, "id": (item.get("figures") or {}).get("id"), "origin": item.get("origin")}
    text = {"title": clean(str(item.get("title", "")), 200), "text": clean(str(item.get("text", "")), _MOST_PASSAGE)}
    return told | text | {"parts": ["title", *(parts or ["quote"])]}


# --- names --------------------------------------------------------------------------------------------------------


def relevant(names: Sequence[str], text: str) -> list[str]:
    """At most 40 names; those that the text seems to speak of stand first."""
    words = {word for word in re.findall(r"\w{3,}", text.casefold()) if not word.isdigit()}

    def near(name: str) -> int:
        parts = {part for part in re.split(r"[\W_]+", name.casefold()) if len(part) >= 3}
        return -len(parts & words) - 5 * (name.casefold() in text.casefold())

    return [clean(name) for name in sorted(names, key=near)[:_MOST_NAMES]]


_COLUMN_KINDS = {
    "user": "USER",
    "warehouse": "WAREHOUSE",
    "database": "DATABASE",
    "role": "ROLE",
    "query_tag": "TAG",
}


def names_in(value: Any) -> Iterator[tuple[str, str]]:
    """(kind, name) of every name in arguments or data that a key says the kind of, as the mask wants them."""
    if isinstance(value, Mapping):
        by = _COLUMN_KINDS.get(str(value.get("by")))
        for row in value.get("rows") or () if by else ():
            if isinstance(row, Mapping) and isinstance(row.get("key"), str):
                yield by or "", row["key"]
        if value.get("kind") in _COLUMN_KINDS and "nearest" in value:
            yield from _of_kind(str(value["kind"]), [value.get("name"), *value["nearest"]])
        for key, item in value.items():
            yield from _of_kind(str(key), item)
            yield from names_in(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from names_in(item)


def _of_kind(key: str, item: Any) -> Iterator[tuple[str, str]]:
    kind = _COLUMN_KINDS.get(key.removesuffix("_name"))
    for name in (item if isinstance(item, (list, tuple)) else [item]) if kind else ():
        if isinstance(name, str) and name:
            yield kind or "", name


# --- memory -------------------------------------------------------------------------------------------------------


def remembered(memory: Mapping[str, Any]) -> dict[str, Any]:
    """What a model is told of the conversation: the last turns, what was asked before them, the last call."""
    talk = list(memory.get("talk") or ())
    told: dict[str, Any] = {}
    earlier = [turn["asked"] for turn in talk if "did" not in turn]
    if earlier:
        told["asked_before"] = earlier
    recent = [{key: turn[key] for key in ("asked", "did", "said") if turn.get(key)} for turn in talk if "did" in turn]
    if recent:
        told["last_turns"] = recent
    if memory.get("last"):
        told["last_call"] = memory["last"]
    pending = memory.get("pending")
    if pending:
        told["you_asked_back_about"] = str(pending.get("question", ""))[:_MOST_TEXT]
        if pending.get("options"):
            told["options_offered"] = list(pending["options"])[:20]
    return told
