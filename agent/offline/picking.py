"""A part of the last answer: 'the first one by day', 'which of these is worth the most?'. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

from agent.offline.slots import Slots
from agent.state import Names, ToolCall, ToolCalls
from tools.context import FilterColumn

__all__ = ["MOST_NAMES", "speaks_of_a_place", "which_of_them", "with_place_named"]

_PLACES = {
    **{"first": 0, "1st": 0, "second": 1, "2nd": 1, "third": 2, "3rd": 2, "fourth": 3, "4th": 3, "fifth": 4, "5th": 4},
    "last": -1,
}
_BY_PLACE = re.compile(
    rf"\b(?:the )?(?P<place>{'|'.join(_PLACES)}) (?:(?:one|of (?:them|these|those)|finding|anomaly|oddity|entry|row)\b|"
    r"(?P<column>warehouse|user|role|database|service)\b(?! of))",
    re.IGNORECASE,
)
_WHICH = re.compile(r"\b(?:which|what|who) (?:one\b|of (?:these|those|them)\b)|\b(?:of (?:these|those|them))\b")
_MOST = re.compile(
    r"\b(?:most|more|biggest|largest|highest|worst|priciest|costliest|heaviest|matters?|top|worth|important|serious)\b"
)
MOST_NAMES = 50
"""The most rows that a forecast by name may have: who is least stands in the last of all."""
_QUOTES = re.compile("[`\"'\n]")


def with_place_named(text: str, memory: Mapping[str, Any], names: Names) -> str:
    """'The first one by day' -> '"LOAD_WH" by day', where the last answer listed names and this person may see them."""
    shown, said = memory.get("shown"), _BY_PLACE.search(text)
    if not shown or said is None or (said["column"] or shown["by"]).casefold() not in shown["by"]:
        return text
    listed, place = list(shown["names"]), _PLACES[said["place"].casefold()]
    name = listed[place] if place < len(listed) else None
    column = cast("FilterColumn", shown["by"])
    known = names.warehouses() if column == "warehouse" else names.column(column)
    if name not in known or _QUOTES.search(name):
        return text
    return f'{text[: said.start()]}"{name}"{text[said.end() :]}'


def speaks_of_a_place(text: str) -> bool:
    """Whether something is meant by its place alone: 'the first one'."""
    said = _BY_PLACE.search(text)
    return said is not None and not said["column"]


def which_of_them(slots: Slots, memory: Mapping[str, Any]) -> ToolCalls | None:
    """The last question again, so that who is most, or least, of its rows stands first."""
    last, shown = memory.get("last"), memory.get("shown")
    if not last or not shown or not _WHICH.search(slots.rest) or slots.windows or slots.by or slots.top:
        return None
    least = slots.ascending
    if not least and not _MOST.search(slots.rest):
        return None
    args = dict(last["args"])
    if last["name"] == "detect_anomalies" and not least:
        return ToolCalls(calls=(ToolCall(name="detect_anomalies", args={**args, "top": 1}),))
    if last["name"] == "run_forecast":
        rows = {"top": MOST_NAMES} if least else {}
        return ToolCalls(calls=(ToolCall(name="run_forecast", args={**args, **rows}),))
    if last["name"] != "query_usage":
        return None
    args = {key: value for key, value in args.items() if key not in ("top", "ascending")}
    metric = {"metric": slots.metric} if slots.metric else {}
    order = {"ascending": True} if least else {}
    return ToolCalls(calls=(ToolCall(name="query_usage", args={**args, **metric, **order}),))
