"""Remarks that point at the last answer: 'is that normal?', 'is that more than last month?'. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, get_args

from agent.offline.outlook import OF_FINDINGS, measured, watched
from agent.offline.slots import Slots
from agent.offline.words import patterns
from agent.state import ToolCall, ToolCalls
from tools.history.measures import WatchMetric

__all__ = ["remark_on_last"]

_POINTS = re.compile(r"\b(?:it|that|this|these|those|they)\b", re.IGNORECASE)
_NORMAL = re.compile(
    r"^\W*(?:and |but |so )*(?:is|are|was|were) (?:it|that|this|these|those|they) (?:really |all )?(?:too |so |very )?"
    r"(?:normal|usual|ordinary|typical|unusual|odd|strange|weird|high|low|much|many|a lot|ok(?:ay)?|expected)\W*$",
    re.IGNORECASE,
)
_RANKED = re.compile(r"\b(?:most|highest|biggest|largest|worst|peak|maximum|busiest)\b")


def remark_on_last(slots: Slots, last: Mapping[str, Any] | None) -> ToolCalls | None:
    """The calls that such a remark means; None where it is none, or says more than that."""
    if not last or slots.mentions or slots.filters or slots.unknown or slots.workloads:
        return None
    name, args = str(last.get("name")), dict(last.get("args") or {})
    calls: list[ToolCall] = []
    if name == "run_forecast":
        calls = _on_forecast(slots, args)
    elif name == "query_usage" and _NORMAL.match(slots.text):
        calls = [_odd_there(args)]
    elif name == "detect_anomalies" and not slots.windows and OF_FINDINGS.search(slots.rest):
        calls = [ToolCall(name=name, args=args)]  # what they cost stands in every answer about them
    return ToolCalls(calls=tuple(calls)) if calls else None


def _on_forecast(slots: Slots, args: dict[str, Any]) -> list[ToolCall]:
    again = ToolCall(name="run_forecast", args=args)
    if slots.windows:
        against = slots.compare and len(slots.windows) == 1 and _POINTS.search(slots.rest) is not None
        return [again, *measured(args, slots.windows[0])] if against else []
    ranked = slots.by in ("hour", "day") and (slots.ascending or _RANKED.search(slots.rest) is not None)
    return [again] if ranked and not patterns("outlook")["forecast"].search(slots.text) else []


def _odd_there(args: Mapping[str, Any]) -> ToolCall:
    """Whether what was just told differs from the weeks before: of the same names, figure and time."""
    metric = watched(args.get("metric"))
    wanted: dict[str, Any] = {key: args[key] for key in ("window", "filters") if args.get(key)}
    if metric in get_args(WatchMetric):
        wanted["metrics"] = [metric]
    return ToolCall(name="detect_anomalies", args=wanted)
