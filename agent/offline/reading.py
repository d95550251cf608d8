"""From the slots of a question to calls of the reading tools, or a question back. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from agent.offline.beyond import TIME_LEFT, what_is_beyond
from agent.offline.mentions import name_key
from agent.offline.slots import Slots
from agent.offline.words import is_known, patterns
from agent.state import Clarify, ToolCall, ToolCalls
from tools.windows.parse import DEFAULT_WINDOW, read_window

__all__ = [
    "asks_what_runs",
    "decide_reading",
    "filters_of",
    "follows_up",
    "is_listing",
    "said",
    "sets_apart",
    "unclear_name",
]

_FOLLOW = re.compile(
    r"^\W*(?:and|what about|how about|only|just|same|also|then|instead|now|but|again|do (?:the same|that)|"
    r"make (?:it|that)|"
    r"show (?:it|that|them)|split (?:it|that)|break (?:it|that)|group (?:it|that))\b",
    re.IGNORECASE,
)
"""Words that open a remark on the last answer."""
_SHORT = 3
_ONLY_NAMES = re.compile(r"(?:\W|\b(?:and|only|just|what about|how about|also|but|then|instead|same|for|of|on|the)\b)+")
"""What is left of 'only DEV_WH' without the name."""
_REFERS = re.compile(
    r"\b(?:of|from|on|in|for|behind) (?:it|that|this|those|these|them)\b(?! (?:week|month|day|year))", re.I
)
"""Words that point at the last answer in the middle of a question: 'which warehouses used most of it'."""
_SAID_METRIC = re.compile(r"\b(?:credits?|costs?|dollars?|money|queries)\b")
_OVERVIEW = re.compile(
    r"\bwhere (?:do|does|did|are|is|have|has)\b.*\b(?:go|going|gone|spent|spend|used)\b|\bwhere .*\bwent\b|"
    r"\b(?:driv(?:es?|ing|ers?)|makes up)\b.*\b(?:costs?|spend\w*|credits?|bill|usage|consumption)\b|"
    r"\b(?:summary|overview|recap|report|digest)\b|\bhow (?:are we doing|do we stand|does it look)\b|"
    r"\b(?:costs?|spend|credit|usage) drivers?\b|\b(?:biggest|largest|main) (?:spenders|consumers|costs?)\b|"
    r"\bwhat (?:is|are)?\b.*\b(?:costs?|costing|uses?|using|consumes?|burns?|burning)\b.*\bmost\b",
    re.IGNORECASE,
)
"""Where it all goes: the account's total and its parts."""


_EITHER = re.compile(r"\bor\b|\b(?:more|most|less|least|fewer|cheaper|pricier|busier|slower|faster|bigger|smaller)\b")
_WITH_BEFORE = re.compile(r"\bbefore\b|\bprevious\b|\bover (?:week|month)\b")


# --- warehouses ------------------------------------------------------------------------------------------

_OF_USE = re.compile(r"\bidle (?:credits|time|share|cost)|\bmost\b|\bleast\b")
_WEAK = (None, "queries", "credits", "queue_seconds", "credits_idle")
"""Metrics whose words ('running', 'use', 'queued', 'idle') also stand in questions about the state of now."""


def is_listing(slots: Slots) -> bool:
    """Whether the question is about warehouses as they stand, not about what was used."""
    if slots.windows or slots.compare or slots.top or slots.filters or "how much" in slots.rest:
        return False
    text, says = slots.rest, patterns("listing")
    if asks_what_runs(slots.text):
        return True
    if odd_kinds(slots) and re.search(r"\b(?:which|what|any|list|show|how many)\b", text) and not _OF_USE.search(text):
        return True
    speaks = bool(slots.mentions or slots.unknown or re.search(r"\b(?:warehouses?|whs?)\b", text))
    odd = says["odd"].search(text) is not None
    if slots.metric not in _WEAK or re.search(r"\bcredits?\b|\bhow many queries\b|\bby\b", text):
        return odd and speaks and slots.metric is None
    if says["list"].search(text) or (odd and (speaks or len(text.split()) <= 6)):
        return True
    if speaks and says["settings"].search(text) and slots.metric != "credits" and not _OF_USE.search(text):
        return True
    if slots.metric is None and slots.mentions and not slots.by and len(text.split()) <= 1:
        return True  # a name alone
    return bool(says["which"].search(text)) and not _OF_USE.search(text)


def odd_kinds(slots: Slots) -> list[str]:
    """The one oddity that the question is about, e.g. 'which warehouses never suspend'."""
    return [kind for kind, pattern in patterns("oddities").items() if pattern.search(slots.rest)][:1]


def asks_what_runs(text: str) -> bool:
    """Whether the statements that run now are asked for, which no view of the past answers."""
    return patterns("running")["statements"].search(text) is not None and not TIME_LEFT.search(text)


def _list_call(slots: Slots) -> ToolCall:
    args: dict[str, Any] = {}
    says = patterns("listing")
    names, odd = _warehouses(slots), says["odd"].search(slots.rest)
    kinds = odd_kinds(slots)
    if patterns("running")["statements"].search(slots.text):
        return ToolCall(name="list_warehouses", args={**({"names": names} if names else {}), "statements": True})
    if kinds and not names:
        return ToolCall(name="list_warehouses", args={"odd": kinds})
    if names:
        args["names"] = names
    elif odd:
        args["odd_only"] = True
    elif says["down"].search(slots.rest):
        args["state"] = "suspended"
    elif says["up"].search(slots.rest) and "auto" not in slots.rest:
        args["state"] = "running"
    return ToolCall(name="list_warehouses", args=args)


# --- usage -----------------------------------------------------------------------------------------------


def decide_reading(slots: Slots, last: Mapping[str, Any] | None, now: datetime, tz: str) -> ToolCalls | Clarify | None:
    """The calls that answer the question; None where it is no question that these tools answer."""
    unclear = unclear_name(slots) or what_is_beyond(slots, state=is_listing(slots))
    if unclear is not None:
        return unclear
    meant = _with_running(slots, now, tz)
    if isinstance(meant, Clarify):
        return meant
    slots = meant
    if is_listing(slots) and not _narrows(slots, last):
        return said(slots, (_list_call(slots),))
    if follows_up(slots, last):
        assert last is not None
        return _follow(slots, last, now, tz)
    if _is_overview(slots):
        return _overview(slots)
    args = _args(slots)
    if slots.metric is None and _CHANGED.search(slots.rest):
        args |= {"compare": True} | ({} if slots.by or args.get("filters") else {"by": "warehouse"})
    elif slots.metric is None and not _stands_alone(slots):
        return None
    return _usage(slots, args, now, tz)


_RUNNING = ("today", "this week", "this month", "this quarter", "this year")
_NAME_BOTH = "I compare a time with the one right before it. Name both times, e.g. cost in September and in November."


def _with_running(slots: Slots, now: datetime, tz: str) -> Slots | Clarify:
    """'More than last week?': it is this week that is compared with it, where no other time is said."""
    if len(slots.windows) != 1 or not _than(slots.windows[0], slots.text):
        return slots
    before = read_window(slots.windows[0], now, tz).window
    for phrase in _RUNNING:
        running = read_window(phrase, now, tz)
        if running.previous.start == before.start and running.window.start == before.end:
            return replace(slots, windows=(phrase, *slots.windows), compare=True)
    return Clarify(template=_NAME_BOTH)


def _than(phrase: str, text: str) -> bool:
    return re.search(rf"\bthan (?:(?:in|on|for|during|the) )*{re.escape(phrase)}\b", text, re.IGNORECASE) is not None


_CHANGED = re.compile(
    r"^\W*(?:so )?what(?:'s| has| have|s)? (?:been )?chang(?:ed|ing)\b|\bdid (?:anything|something) change\b"
)
"""Of credits, by warehouse, against the window before."""


def _is_overview(slots: Slots) -> bool:
    plain = not (slots.mentions or slots.filters or slots.compare or slots.include_idle or len(slots.windows) > 1)
    meant = slots.by is None or (slots.by == "user" and re.search(r"\bspenders\b", slots.rest) is not None)
    return plain and meant and slots.metric in (None, "credits", "cost") and _OVERVIEW.search(slots.rest) is not None


def _overview(slots: Slots) -> ToolCalls:
    """The total of the account, and which warehouses it goes to."""
    args: dict[str, Any] = {"metric": slots.metric or "credits"}
    if slots.windows:
        args["window"] = slots.windows[0]
    by = {**args, "by": "warehouse"} | ({"top": slots.top} if slots.top else {})
    return said(slots, (ToolCall(name="query_usage", args=args), ToolCall(name="query_usage", args=by)))


def _stands_alone(slots: Slots) -> bool:
    """Without a metric, a name with a time or a breakdown of credits is still a question."""
    named = bool(slots.mentions or slots.filters) and bool(slots.windows or slots.by)
    sorted_by = slots.by and (slots.windows or slots.top or re.search(r"\b(?:top|biggest|largest)\b", slots.rest))
    return named or bool(sorted_by) or bool(slots.compare and slots.windows)


def _usage(slots: Slots, args: dict[str, Any], now: datetime, tz: str) -> ToolCalls:
    """One call, or one for each of two windows that are not next to each other."""
    windows = list(slots.windows[:3])
    if len(windows) == 2 and not _are_listed(slots, windows, now, tz):
        later = _adjacent(windows, now, tz)
        if later is not None:
            return said(slots, (ToolCall(name="query_usage", args={**args, "window": later, "compare": True}),))
    if len(windows) > 1:
        args = {k: v for k, v in args.items() if k != "compare"}
        return said(slots, tuple(ToolCall(name="query_usage", args={**args, "window": w}) for w in windows))
    found = said(slots, (ToolCall(name="query_usage", args=args),))
    if args.get("by") == "hour" and _OF_DAY.search(slots.rest) and _has_days(args, now, tz):
        return found.model_copy(update={"note": " ".join(filter(None, (found.note, _HOURS_OF_DATES)))})
    return found


_OF_DAY = re.compile(r"\b(?:which|what) hours?\b|\bhours? of (?:the |a |each |every )?day\b|\btime of (?:the )?day\b")
_HOURS_OF_DATES = (
    "Each hour stands with its date: I do not add up the same hour over the days, so the highest may have come "
    "only once."
)


def _has_days(args: Mapping[str, Any], now: datetime, tz: str) -> bool:
    """Whether the hours are those of several days."""
    window = read_window(args.get("window", DEFAULT_WINDOW), now, tz).window
    return (window.end - window.start).total_seconds() > 25 * 3600


def _are_listed(slots: Slots, windows: list[str], now: datetime, tz: str) -> bool:
    """'yesterday and today': both are wanted whole. A comparison would cut yesterday to the hours of today."""
    if slots.compare or not any(read_window(window, now, tz).to_date for window in windows):
        return False
    listed = rf"{re.escape(windows[0])}\s*(?:,|&|and)\s*(?:and\s+)?{re.escape(windows[1])}"
    return re.search(listed, slots.text, re.IGNORECASE) is not None


def _adjacent(windows: list[str], now: datetime, tz: str) -> str | None:
    """The later of two windows where the other is the one before it."""
    first, second = (read_window(window, now, tz) for window in windows)
    for phrase, one, other in ((windows[0], first, second), (windows[1], second, first)):
        if one.previous.start == other.window.start and other.window.start < one.window.start:
            return phrase
    return None


def _args(slots: Slots) -> dict[str, Any]:
    args: dict[str, Any] = {"metric": slots.metric or "credits"}
    by = slots.by
    if by is None and (slots.top or slots.ascending or re.search(r"\bmost\b", slots.rest)) and not slots.mentions:
        by = "warehouse"
    if by is not None:
        args["by"] = by
    if slots.windows:
        args["window"] = slots.windows[0]
    filters = filters_of(slots)
    if filters:
        args["filters"] = filters
    for name in ("top", "ascending", "compare", "include_idle"):
        if getattr(slots, name):
            args[name] = getattr(slots, name)
    if sets_apart(slots, filters) and by is None:
        args["by"] = "warehouse"
        if slots.compare and not _WITH_BEFORE.search(slots.rest):
            args.pop("compare")
    return args


def sets_apart(slots: Slots, filters: Mapping[str, list[str]]) -> bool:
    """'Compare A and B', 'which costs more, A or B?': with each other, and not what they come to together."""
    return len(filters.get("warehouse", ())) > 1 and (slots.compare or _EITHER.search(slots.rest) is not None)


def filters_of(slots: Slots) -> dict[str, list[str]]:
    filters = {str(column): list(names) for column, names in slots.filters.items()}
    names = _warehouses(slots)
    return ({"warehouse": names} if names else {}) | filters


def _warehouses(slots: Slots) -> list[str]:
    sure = [m.names[0] for m in slots.mentions if len(m.names) == 1]
    slips = [u.close[0] for u in slots.unknown if len(u.close) == 1]
    return list(dict.fromkeys([*sure, *slips, *(name for work in slots.workloads for name in work.names)]))


def said(slots: Slots, calls: tuple[ToolCall, ...]) -> ToolCalls:
    """A name that was read past a slip is said, never silently used."""
    cited: list[str] = []
    for slip in (u for u in slots.unknown if len(u.close) == 1):
        cited += [slip.written, slip.close[0]]
    for named in slots.mentions:  # a common word that was read as a name: 'credits for load'
        if len(named.names) == 1 and is_known(named.written) and name_key(named.written) != name_key(named.names[0]):
            cited += [named.written, named.names[0]]
    notes = [f"I read [[o{n}]] as [[o{n + 1}]]." for n in range(1, len(cited) + 1, 2)]
    for work in slots.workloads:
        first = len(cited) + 1
        cited += [work.written, *work.names]
        these = ", ".join(f"[[o{n}]]" for n in range(first + 1, len(cited) + 1))
        notes.append(f"I read [[o{first}]] as the work on {these}: no warehouse has that name.")
    if not cited:
        return ToolCalls(calls=calls)
    note = " ".join(notes)
    return ToolCalls(calls=calls, note=note, read_as=tuple(cited))


def unclear_name(slots: Slots) -> Clarify | None:
    """A name that means several warehouses, or none that is at most a slip away."""
    alike = next((m for m in slots.mentions if len(m.names) > 1), None)
    if alike is not None:
        text = "Several warehouses could be meant by [[named]]. Which?"
        return _ask(slots, text, alike.written, alike.names)
    lost = next((u for u in slots.unknown if len(u.close) != 1), None)
    if lost is None:
        return None
    near = lost.close or lost.near
    text = "I know no warehouse, user, role, database or tag named [[named]]."
    return _ask(slots, f"{text} Do you mean:" if near else f"{text} Say which name is meant.", lost.written, near)


def _ask(slots: Slots, text: str, written: str, options: tuple[str, ...]) -> Clarify:
    pending = {"kind": "name", "options": list(options), "question": slots.text, "written": written}
    return Clarify(template=text, options=options, named=written, pending=pending)


# --- follow-ups ------------------------------------------------------------------------------------------


def follows_up(slots: Slots, last: Mapping[str, Any] | None) -> bool:
    """Whether the words only make sense on top of the last question."""
    if not last:
        return False
    refers = _refers(slots)
    if slots.is_empty:
        return refers and "most" in slots.rest
    if refers or _FOLLOW.match(slots.text) or (slots.metric is None and not _CHANGED.search(slots.rest)):
        return True
    alone = not (slots.windows or slots.by or slots.mentions or slots.filters)
    return alone and len(slots.text.split()) <= _SHORT


def _narrows(slots: Slots, last: Mapping[str, Any] | None) -> bool:
    """'only DEV_WH' after figures: those of that warehouse, not how it stands."""
    used = last is not None and last["name"] == "query_usage" and bool(slots.mentions)
    return used and _ONLY_NAMES.fullmatch(slots.rest) is not None


def _refers(slots: Slots) -> bool:
    return not slots.windows and _REFERS.search(slots.rest) is not None


def _follow(slots: Slots, last: Mapping[str, Any], now: datetime, tz: str) -> ToolCalls:
    if last["name"] == "list_warehouses" and not (slots.metric or slots.windows or slots.by):
        return said(slots, (_list_call(slots),))
    before = dict(last["args"]) if last["name"] == "query_usage" else {"metric": "credits"}
    if last["name"] == "list_warehouses" and last["args"].get("names") and not slots.mentions:
        before["filters"] = {"warehouse": list(last["args"]["names"])}
    args = _merged(before, _args(slots), slots)
    return _usage(slots, args, now, tz)


def _merged(before: dict[str, Any], new: dict[str, Any], slots: Slots) -> dict[str, Any]:
    """The last question with what the new words say; what they do not say stays."""
    args = {name: value for name, value in before.items() if value != "total"}
    if slots.windows:
        args["window"] = slots.windows[0]
        args.pop("compare", None)
    _merge_filters(args, new.get("filters", {}), slots)
    if slots.by:
        args["by"] = slots.by
        args.pop("top", None)
        if slots.by in ("week", "month") and not slots.windows and args.get("window") == DEFAULT_WINDOW:
            args.pop("window")
    if _refers(slots) and "most" in slots.rest:
        args.setdefault("by", "warehouse")
    if _refers(slots) and "metric" in before and not _SAID_METRIC.search(slots.rest):
        slots = replace(slots, metric=slots.metric if slots.metric not in ("credits", "cost", "queries") else None)
    for name in ("metric", "top", "compare", "include_idle", "ascending"):
        if getattr(slots, name):
            args[name] = getattr(slots, name)
    if slots.top:
        args.setdefault("by", "warehouse")
    if slots.compare and slots.by is None and len(slots.mentions) > 1:
        args["by"] = "warehouse"
        args["compare"] = new.get("compare")
    return {name: value for name, value in args.items() if value not in ({}, None)}


def _merge_filters(args: dict[str, Any], filters: dict[str, list[str]], slots: Slots) -> None:
    before = args.get("filters", {})
    if filters:
        args["filters"] = {**before, **filters}
        if slots.by is None and args.get("by") in filters:
            args.pop("by")  # 'by warehouse' and then 'what about ETL': the one figure
            args.pop("top", None)
    elif re.search(r"\b(?:all|every|whole|overall|everything|entire)\b", slots.rest):
        args.pop("filters", None)
    elif slots.by in before:
        args["filters"] = {column: names for column, names in before.items() if column != slots.by}
