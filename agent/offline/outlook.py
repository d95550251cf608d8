"""Questions about what is to come, about budgets and about what was odd: which of the three tools, with what. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, get_args

from agent.offline.amounts import amount_in, without_amounts
from agent.offline.beyond import left_out, of_many_days, strange_breakdown, time_lost
from agent.offline.picking import MOST_NAMES
from agent.offline.reading import decide_reading, filters_of, is_listing, said, sets_apart, unclear_name
from agent.offline.slots import Slots, mended, read_slots
from agent.offline.words import patterns
from agent.state import Clarify, Names, ToolCall, ToolCalls
from tools.errors import BadArgument
from tools.history.measures import SeriesBy, SeriesMetric, WatchMetric
from tools.usage.metrics import Metric
from tools.windows.calendars import add_months, localize, quarter_start, zone
from tools.windows.future import find_futures, read_future
from tools.windows.points import WEEKDAY

__all__ = ["OF_FINDINGS", "OUTLOOK_TOOLS", "decide_outlook", "measured", "watched"]

OUTLOOK_TOOLS = ("run_forecast", "budget", "detect_anomalies")
_Topic = Literal["forecast", "budget", "anomalies"]
_TOOL: dict[_Topic, str] = {"forecast": "run_forecast", "budget": "budget", "anomalies": "detect_anomalies"}
_USED = get_args(Metric)
_METRICS, _WATCH_METRICS, _BYS = get_args(SeriesMetric), get_args(WatchMetric), get_args(SeriesBy)
_MOST_WINDOWS = 3
_BY_DAY = "next 14 days"
"""Without a time, 'which day will cost most?' is of days that have a row each."""
_FOLLOWS = re.compile(
    r"^\W*(?:and|what about|how about|only|just|same|also|then|instead|now|but|again|by|per|for|in|next|"
    r"make (?:it|that)|show (?:it|that|them|me)|tell me (?:more|about)|split|break)\b|\bas a (?:chart|graph|plot)\b",
    re.IGNORECASE,
)
_SHORT = 4
_RATIO = (
    "A rate or a share does not add up over time, so I have no forecast of it. Ask for its parts: failures, queries, "
    "credits or idle credits."
)
_SPAN = "I cannot read that time: from when to when? Say it as one, e.g. next month, or until Friday."
_TERMS = (
    "A budget is looked at for the running month, quarter or year, for the contract, or for one time to come, e.g. "
    "next month. For what is over ask for the figure itself, e.g.: cost last month."
)
_BYTES = "Storage is forecast in bytes. What a byte costs is not known to me, so this is no amount of money."
_COSTS = re.compile(r"\b(?:costs?|costing|spen[dt]|pay|paid|price|bill|dollars?|money|usd)\b|\$")
_BEHIND = "I read no time to come in that. Say which is meant, e.g. next month, tomorrow, or on Friday."
_TIME_SAID = re.compile(
    r"\d[\d.,]*[\s-]?(?:hours?|days?|weeks?|months?|quarters?|years?|h|d|w)\b|\d[-/:]\d|\b(?:19|20)\d\d\b|"
    rf"\b(?:next|coming|upcoming|following|until|till|{WEEKDAY})\b|"
    r"\b(?:christmas|xmas|thanksgiving|easter|halloween|new year\w*|holidays?)\b"
)
"""What is left of a time or a number that no reader took: without it the answer would be to another question."""
_FOR_ALL = re.compile(r"\b(?:all|every|whole|overall|everything|entire|account)\b")
_YEAR, _QUARTER = re.compile(r"\b(?:year|annual\w*|eoy|ytd)\b"), re.compile(r"\b(?:quarter\w*|eoq|q[1-4])\b")
_WATCHED = {"cost": "credits", "cost_billed": "credits", "credits_billed": "credits", "failure_rate": "failures"}
"""What is watched where another face of it is asked about."""
OF_FINDINGS = re.compile(
    r"\b(?:anomal\w*|outliers?|oddit\w*|findings?|it|they|that|these|those|them)\b.{0,12}\bcosts?\b|"
    r"\bcosts? of (?:the |these |those |all )?(?:anomal\w*|outliers?|oddit\w*|findings?|it|them)\b"
)
"""What oddities cost stands in every answer about them: no wish to hear of the cost alone."""
_ONLY_WHEN_SAID = ("queries", "credits", "cost")


def decide_outlook(
    text: str, names: Names, memory: Mapping[str, Any], now: datetime, tz: str
) -> ToolCalls | Clarify | None:
    """The calls that answer it; None where it is no such question."""
    fixed = mended(text, names.warehouses())
    futures = find_futures(fixed, now, tz)
    if any(_begins_a_span(fixed, found.start, found.end) for found in futures):
        return Clarify(template=_SPAN)
    blanked = fixed
    for found in futures:
        blanked = blanked[: found.start] + " " * (found.end - found.start) + blanked[found.end :]
    topic = _topic(fixed, names.warehouses(), has_future=bool(futures))
    slots = read_slots(_without(topic, fixed, blanked), names, now, tz)
    last = memory.get("last")
    if topic == "perhaps":
        timed = bool(slots.windows or slots.filters) or time_lost(slots) is not None
        topic = "anomalies" if timed or _names_a_figure(slots) else None
    if topic == "forecast" and (last or {}).get("name") == "budget" and _only_a_time(slots):
        topic = None
    if topic is None:
        return _follow_up(fixed, names, slots, [_bare(f.phrase, now, tz) for f in futures], last, now, tz)
    unclear = unclear_name(slots) or left_out(slots) or of_many_days(slots)
    unclear = unclear or (strange_breakdown(slots) if topic != "budget" else None)
    if unclear is not None:
        return unclear
    windows = [_bare(found.phrase, now, tz) for found in futures][:_MOST_WINDOWS]
    spoken = _spoken_of(slots, last)
    if topic == "forecast":
        return _forecast(slots, windows, last, spoken)
    if topic == "anomalies":
        return time_lost(slots) or _anomalies(slots, spoken)
    later = [window for window in windows if not _is_term(window, now, tz)]
    if slots.windows or (later and len(windows) > 1) or any(_ends_on_a_day(window, now, tz) for window in later):
        return Clarify(template=_TERMS)
    return _budget(fixed, slots, spoken, later)


_IT = re.compile(r"\b(?:it|they|them|there|those|these)\b")


def _spoken_of(slots: Slots, last: Mapping[str, Any] | None) -> dict[str, list[str]]:
    """What 'it' is in 'what will it cost next month?': the names of the last question."""
    if not last or not _IT.search(slots.rest) or _FOR_ALL.search(slots.rest):
        return {}
    args = last.get("args") or {}
    names = args.get("names")
    return {"warehouse": list(names)} if names else dict(args.get("filters") or {})


def _is_term(phrase: str, now: datetime, tz: str) -> bool:
    """Whether the time is what a budget is of: up to the end of the running month, quarter or year."""
    window = read_future(phrase, now, tz).window
    last = localize(window.end, zone(tz)).date()
    today = localize(now, zone(tz)).date()
    month = today.replace(day=1)
    ends = (add_months(month, 1), add_months(quarter_start(today), 3), add_months(month.replace(month=1), 12))
    return window.start <= now and last in ends


def _ends_on_a_day(phrase: str, now: datetime, tz: str) -> bool:
    """'by Friday': whether what was used of the month before today counts, nobody has said."""
    return read_future(phrase, now, tz).label.startswith("up to ")


def _begins_a_span(text: str, start: int, end: int) -> bool:
    """'from tomorrow to ...', which was not read as one time to come."""
    before = re.search(r"\bfrom\s*$", text[:start], re.IGNORECASE) or re.match(
        r"\s*from\b", text[start:end], re.IGNORECASE
    )
    return bool(before) and re.match(r"\s*(?:to|until|till)\b", text[end:], re.IGNORECASE) is not None


def _without(topic: str | None, text: str, blanked: str) -> str:
    """The words in which names and figures are looked for: no time to come, no amount, no 'run rate'."""
    if topic == "forecast":
        return re.sub(r"\brun[- ]rate\b", " ", blanked, flags=re.IGNORECASE)
    return without_amounts(blanked) if topic == "budget" else text


def _bare(phrase: str, now: datetime, tz: str) -> str:
    """The phrase without the preposition before it, where it can be read without."""
    bare = re.sub(r"^(?:(?:for|over|in|within|during|of|on|across|the)\s+)+", "", phrase.strip(), flags=re.IGNORECASE)
    try:
        read_future(bare, now, tz)
    except BadArgument:
        return phrase.strip()
    return bare


# --- which ------------------------------------------------------------------------------------------------------------


def _topic(text: str, warehouses: tuple[str, ...], *, has_future: bool) -> _Topic | Literal["perhaps"] | None:
    bare = text
    for name in sorted(warehouses, key=len, reverse=True):
        bare = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", "X", bare, flags=re.IGNORECASE)
    says = patterns("outlook")
    if says["not"].search(bare):
        return None
    if says["budget"].search(bare):
        return "budget"
    ahead = says["forecast"].search(bare) is not None or (has_future and says["would"].search(bare) is not None)
    if (says["anomalies"].search(bare) or says["broke"].search(bare)) and not (ahead and has_future):
        return "anomalies"
    if ahead:
        return "forecast"
    return "perhaps" if says["perhaps"].search(bare) else None


def watched(figure: str | None) -> str | None:
    """The figure in which oddities are looked for where this one is asked about."""
    return _WATCHED.get(figure or "", figure)


def _names_a_figure(slots: Slots) -> bool:
    return _figure(slots) not in (None, *_ONLY_WHEN_SAID)


def _figure(slots: Slots) -> str | None:
    """The metric, also of those that only these tools have."""
    own = next((name for name, pattern in patterns("figures").items() if pattern.search(slots.rest)), None)
    return own or slots.metric


# --- the calls --------------------------------------------------------------------------------------------------------


def _forecast(
    slots: Slots, windows: list[str], last: Mapping[str, Any] | None, spoken: dict[str, list[str]]
) -> ToolCalls | Clarify:
    metric = _figure(slots)
    if metric is not None and metric not in _METRICS:
        return Clarify(template=_RATIO)
    if not windows and _time_lost(slots):
        return Clarify(template=_BEHIND if slots.windows else _SPAN)
    before = dict((last or {}).get("args") or {}) if _leans(slots) else {}
    args: dict[str, Any] = {"metric": metric or _kept_metric(before) or "credits"}
    by = slots.by if slots.by in _BYS else before.get("by") if before.get("by") in _BYS else None
    if by is None and (slots.top or sets_apart(slots, filters_of(slots))):
        by = "warehouse"
    if by not in (None, "total"):
        args["by"] = by
    filters = filters_of(slots) or spoken or ({} if _FOR_ALL.search(slots.rest) else before.get("filters") or {})
    if filters:
        args["filters"] = filters
        if slots.by is None and args.get("by") in filters and not sets_apart(slots, filters):
            args.pop("by")
    if slots.top or (slots.ascending and args.get("by")):
        args["top"] = MOST_NAMES if slots.ascending else slots.top
    found = said(slots, tuple(_forecast_calls(args, slots, windows)))
    if args["metric"] == "storage_bytes" and _COSTS.search(slots.rest):
        return found.model_copy(update={"note": " ".join(filter(None, (found.note, _BYTES)))})
    return found


def _forecast_calls(args: dict[str, Any], slots: Slots, windows: list[str]) -> list[ToolCall]:
    """One for each time to come, and what was used in a time that it is compared with."""
    if not windows and slots.by == "day":
        windows = [_BY_DAY]
    calls = [ToolCall(name="run_forecast", args={**args, "window": window}) for window in windows]
    if calls and slots.compare and slots.windows:
        calls += measured(args, slots.windows[0])
    return calls or [ToolCall(name="run_forecast", args=args)]


def measured(args: dict[str, Any], window: str) -> list[ToolCall]:
    """'More than last month?' of what comes: what was used then stands beside the forecast."""
    kept = {key: args[key] for key in ("metric", "by", "filters") if key in args}
    return [ToolCall(name="query_usage", args={**kept, "window": window})] if args["metric"] in _USED else []


def _time_lost(slots: Slots) -> bool:
    """A time was said, and it is none to come that can be read."""
    return bool(slots.windows) or _TIME_SAID.search(without_amounts(slots.rest)) is not None


def _only_a_time(slots: Slots) -> bool:
    """'and next month?': no figure and no breakdown, so that it is about the last question's."""
    return _leans(slots) and slots.by is None and _figure(slots) is None


def _leans(slots: Slots) -> bool:
    """Words that only make sense on top of the last question: 'and next month?'."""
    return bool(_FOLLOWS.match(slots.text)) and len(slots.text.split()) <= 2 * _SHORT


def _kept_metric(before: Mapping[str, Any]) -> str | None:
    metric = before.get("metric") or next(iter(before.get("metrics") or ()), None)
    return metric if metric in _METRICS else None


def _budget(text: str, slots: Slots, spoken: dict[str, list[str]], later: list[str]) -> ToolCalls:
    """`later`: the time that has not begun, where one is asked about."""
    args: dict[str, Any] = {}
    found = amount_in(text)
    if found is not None:
        args["amount"], args["unit"] = found
    if later:
        args["window"] = later[0]
    elif patterns("outlook")["contract"].search(text):
        args["period"] = "contract"
    elif _YEAR.search(text):
        args["period"] = "year"
    elif _QUARTER.search(text):
        args["period"] = "quarter"
    filters = filters_of(slots) or spoken
    if filters:
        args["filters"] = filters
    return said(slots, (ToolCall(name="budget", args=args),))


def _anomalies(slots: Slots, spoken: dict[str, list[str]]) -> ToolCalls:
    args: dict[str, Any] = {}
    figure = None if OF_FINDINGS.search(slots.rest) else _figure(slots)
    metric = watched(figure)
    if metric in _WATCH_METRICS:
        args["metrics"] = [metric]
    if slots.by in _BYS and slots.by != "total":
        args["by"] = slots.by
    filters = filters_of(slots) or spoken
    if filters:
        args["filters"] = filters
        if args.get("by") in filters:
            args.pop("by")
    if slots.top:
        args["top"] = min(slots.top, 30)
    windows = [{"window": window} for window in slots.windows[:_MOST_WINDOWS]] or [{}]
    calls = [ToolCall(name="detect_anomalies", args={**window, **args}) for window in windows]
    if patterns("outlook")["broke"].search(slots.rest):
        calls = [*_failures(windows[0], filters), *calls]
    return said(slots, tuple(calls))


def _failures(window: dict[str, str], filters: dict[str, list[str]]) -> list[ToolCall]:
    """What broke has failed in the first place, odd or not."""
    by = {} if "warehouse" in filters else {"by": "warehouse"}
    args = {"metric": "failures", **by, **window, **({"filters": filters} if filters else {})}
    return [ToolCall(name="query_usage", args=args)]


# --- follow-ups -------------------------------------------------------------------------------------------------------


def _follow_up(
    text: str,
    names: Names,
    slots: Slots,
    futures: list[str],
    last: Mapping[str, Any] | None,
    now: datetime,
    tz: str,
) -> ToolCalls | Clarify | None:
    """A remark on the last answer of these tools: 'and for BI_WH?', 'by warehouse', 'as a chart', 'last week?'."""
    if not last or last.get("name") not in OUTLOOK_TOOLS or patterns("outlook")["not"].search(text):
        return None
    again = patterns("outlook")["again"].search(text) is not None
    if not again and not (_FOLLOWS.match(text) or len(text.split()) <= _SHORT):
        return None
    if is_listing(slots) and not (again or _FOLLOWS.match(text)):
        return None
    if slots.is_empty and not futures and not again and _figure(slots) is None:
        return None
    unclear = unclear_name(slots) or left_out(slots) or of_many_days(slots)
    if unclear is not None:
        return unclear
    before = dict(last["args"])
    if slots.windows and last["name"] != "detect_anomalies" and not futures:
        return _back_to_usage(slots, before, now, tz)
    args = _merged(str(last["name"]), before, text, slots, futures)
    if last["name"] == "budget" and futures:
        args = _other_term(args, futures[0], now, tz)
    return said(slots, (ToolCall(name=str(last["name"]), args=args),))


def _back_to_usage(slots: Slots, before: dict[str, Any], now: datetime, tz: str) -> ToolCalls | Clarify | None:
    """'and last month?' after a forecast asks for what was used."""
    kept = {key: before[key] for key in ("metric", "by", "filters") if key in before}
    return decide_reading(slots, {"name": "query_usage", "args": {"metric": "credits", **kept}}, now, tz)


def _merged(tool: str, before: dict[str, Any], text: str, slots: Slots, futures: list[str]) -> dict[str, Any]:
    """The last call with what the new words say; what they do not say stays."""
    args = {key: value for key, value in before.items() if value != "total"}
    filters = filters_of(slots)
    if filters:
        args["filters"] = {**(before.get("filters") or {}), **filters}
        if slots.by is None and args.get("by") in filters:
            args.pop("by")
    elif _FOR_ALL.search(slots.rest) or slots.by in (before.get("filters") or {}):
        args.pop("filters", None)
    if tool == "budget":
        found = amount_in(text)
        return args if found is None else {**args, "amount": found[0], "unit": found[1]}
    if slots.by in _BYS:
        args["by"] = slots.by
    if slots.top:
        args["top"] = min(slots.top, 30)
    return args | _new_figure(tool, slots) | _new_window(tool, slots, futures)


def _other_term(args: dict[str, Any], phrase: str, now: datetime, tz: str) -> dict[str, Any]:
    """'and next month?', 'and this quarter?' after a budget."""
    kept = {key: value for key, value in args.items() if key not in ("window", "period")}
    if not _is_term(phrase, now, tz):
        return {**kept, "window": phrase}
    unit = "year" if _YEAR.search(phrase) else "quarter" if _QUARTER.search(phrase) else None
    return {**kept, "period": unit} if unit else kept


def _new_figure(tool: str, slots: Slots) -> dict[str, Any]:
    figure = _figure(slots)
    if tool == "detect_anomalies" and OF_FINDINGS.search(slots.rest):
        return {}
    if tool == "detect_anomalies":
        found = watched(figure)
        return {"metrics": [found]} if found in _METRICS else {}
    return {"metric": figure} if figure in _METRICS else {}


def _new_window(tool: str, slots: Slots, futures: list[str]) -> dict[str, Any]:
    if tool == "detect_anomalies":
        return {"window": slots.windows[0]} if slots.windows else {}
    return {"window": futures[0]} if futures else {}
