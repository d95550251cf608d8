"""From a turn's results to the Evidence that its reply may cite."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from agent.replies.citations import Evidence
from agent.replies.figures import show_time
from agent.replies.plan_words import plan_words
from agent.replies.practice_words import practice_texts
from agent.state import CallResult, PlanSummary
from tools.domain import Effect
from tools.quoting import clean, code
from tools.result import Window
from tools.windows.parse import describe

__all__ = ["evidence_of", "plans_in"]

COMMANDS = {
    "cmd.approve": "`frostline plans approve ID --digest D`",
    "cmd.plans": "`frostline plans list`",
    "cmd.undo": "`frostline plans undo ID`",
    "cmd.grants": "`frostline setup --print-grants`",
}
"""Commands that texts may name."""
ON_CARDS = {
    "cmd.approve": "the button Approve on its card",
    "cmd.plans": "Frostline's Home tab",
    "cmd.undo": "the button Undo on its card",
}
"""What stands in their place where plans are shown as cards."""
_LONGEST = 2000
_WORDED = ("what", "title")
"""Sentences about single rows."""


def evidence_of(
    results: Sequence[CallResult],
    *,
    tz: str,
    names: Iterable[str] = (),
    cited: Sequence[str] = (),
    named: str | None = None,
    cards: bool = False,
) -> Evidence:
    """Facts by id, texts of results as `r1.*`, stored plans as `p1.*`, `cited` names as `o1`, ..."""
    texts: dict[str, str] = COMMANDS | (ON_CARDS if cards else {})
    for number, result in enumerate(results, start=1):
        texts |= {f"r{number}.{key}": value for key, value in _result_texts(result, tz)}
    stored = [item["plan"] for r in results if r.status == "needs_approval" for item in (r.data or {})["plans"]]
    for number, (plan, raw) in enumerate(zip(plans_in(results), stored, strict=True), start=1):
        texts |= {f"p{number}.{key}": value for key, value in _plan_texts(plan, tz)}
        texts[f"p{number}.blast"] = _blast(raw["blast_radius"])
    texts |= {f"o{number}": code(name) for number, name in enumerate(cited, start=1)}
    if named is not None:
        texts["named"] = code(named, 80)
    facts = {fact.id: fact for result in results for fact in result.facts}
    known = {*names, *cited, *(fact.entity for fact in facts.values() if fact.entity)}
    return Evidence(
        facts=facts,
        texts=texts,
        names=frozenset(known),
        tz=tz,
        said=frozenset(word for word, _ in _windows_said(results)),
        windows={word: window for word, window in _windows_said(results) if window is not None},
        scope=_scope(results),
    )


def _scope(results: Sequence[CallResult]) -> str | None:
    filters = [(result.data or {}).get("filters") for result in results]
    names = [tuple(name for given in (one or {}).values() for name in given) for one in filters]
    return names[0][0] if names and len(set(names)) == 1 and len(names[0]) == 1 else None


def _windows_said(results: Iterable[CallResult]) -> Iterator[tuple[str, Window | None]]:
    for result in results:
        words = (result.args.get("window"), (result.data or {}).get("label"))
        for said in words:
            if said:
                yield re.sub(r"\b(?:past|previous)\b", "last", str(said).casefold()), result.window


def _result_texts(result: CallResult, tz: str) -> Iterator[tuple[str, str]]:
    """Sentences that our tools wrote; what they quote from the account was put into code spans there."""
    data = result.data or {}
    yield "message", clean(result.message, _LONGEST)
    if result.hint:
        yield "hint", clean(result.hint, _LONGEST)
    if result.window is not None:
        yield "window", f"{describe(result.window)} {result.window.tz}"
    for key in ("label", "convention", "title", "level"):
        if isinstance(data.get(key), str):
            yield key, clean(data[key], _LONGEST)
    if isinstance(data.get("filters"), dict):
        yield "filters", ", ".join(code(name) for names in data["filters"].values() for name in names)
    if "approve_id" in data:
        yield "approve", _how_to_approve(data)
    yield from _lists(data)
    yield from practice_texts(data)


def _lists(data: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for key in ("notes", "warnings"):
        for number, note in enumerate(data.get(key) or ()):
            yield f"{key}.{number}", clean(note, _LONGEST)
    for number, item in enumerate(data.get("models") or ()):
        yield f"model.{number}", clean(f"{item['model']}; {item['why']}", _LONGEST)
        yield f"modelled.{number}", code(item["name"])
    for number, item in enumerate(data.get("refused") or ()):
        yield f"refused.{number}", f"{code(item['name'])}: {clean(item['why'], _LONGEST)}"
    for number, row in enumerate(data.get("rows") or ()):
        yield from _row(number, row)


def _row(number: int, row: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if isinstance(row.get("words"), str):
        yield f"words.{number}", clean(row["words"], _LONGEST)
    for place, other in enumerate(row.get("related") or ()):
        yield f"words.{number}.{place}", clean(other["words"], _LONGEST)
    for place, odd in enumerate(row.get("odd") or ()):
        yield f"odd.{number}.{place}", clean(odd["text"], _LONGEST)
    for key in _WORDED:
        if isinstance(row.get(key), str):
            yield f"{key}.{number}", clean(row[key], _LONGEST)


def _how_to_approve(data: dict[str, Any]) -> str:
    command = f"frostline plans approve {data['approve_id']} --digest {data['approve_digest'][:8]}"
    return f"To approve, outside this conversation: {code(command, 200)}."


def plans_in(results: Iterable[CallResult]) -> list[PlanSummary]:
    """The plans that this turn's calls have stored, in order."""
    return [
        _summary(item["plan"], item["digest"])
        for result in results
        if result.status == "needs_approval"
        for item in (result.data or {}).get("plans", ())
    ]


def _summary(plan: dict[str, Any], digest: str) -> PlanSummary:
    return PlanSummary(
        id=plan["id"],
        digest=digest,
        bundle=plan.get("bundle"),
        action=plan["action"],
        warehouse=plan["warehouse"],
        statement=plan["statement"],
        undo=plan.get("undo"),
        before=plan["before"],
        expected=Effect(**plan["expected"]),
        expires_at=plan["expires_at"],
    )


def _plan_texts(plan: PlanSummary, tz: str) -> Iterator[tuple[str, str]]:
    yield "id", code(plan.id)
    yield "digest", code(plan.digest[:8])
    yield "warehouse", code(plan.warehouse)
    yield "statement", code(plan.statement, 600)
    yield "undo", code(plan.undo, 600) if plan.undo else "none: it cannot be taken back"
    yield "words", plan_words(plan)
    yield "expires", show_time(datetime.fromisoformat(plan.expires_at), tz)
    yield "effect", _effect(plan.expected)


def _blast(radius: dict[str, Any]) -> str:
    """Counts as of the proposal; what is not known is said to be so."""
    parts = [f"{radius['running']} running", f"{radius['queued']} queued"]
    for field, noun in (("tasks_due_15m", "tasks due within 15 min"), ("active_users_24h", "users in 24 h")):
        value = radius.get(field)
        parts.append(f"{noun}: {'not known' if value is None else value}")
    owner = radius.get("owner")
    return ", ".join(parts) + (f", owner {code(owner)}" if owner else "")


def _effect(expected: Effect) -> str:
    low, high = expected.credits_30d_low, expected.credits_30d_high
    if low is None or high is None:
        return f"not known ({expected.method})"
    sure = "bounds" if expected.level == 100 else f"{expected.level} %"
    return f"between {_signed(low)} and {_signed(high)} credits in 30 days ({sure}: {expected.method})"


def _signed(credits: float) -> str:
    """Whole credits where there are some; a small effect keeps its places and zero has no sign."""
    return f"{credits:,.0f}" if abs(credits) >= 10 or credits == 0 else f"{credits:+,.2f}"
