"""Replies of the planner as templates: headline first, then a table, then how the figures are to be read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from agent.offline.compose_anomalies import anomaly_lines
from agent.offline.compose_budget import budget_lines
from agent.offline.compose_findings import finding_lines
from agent.offline.compose_forecast import forecast_lines
from agent.offline.compose_own_cost import own_cost_lines
from agent.offline.compose_plans import card_lines, plan_lines
from agent.offline.compose_practices import practice_lines
from agent.offline.compose_usage import usage_lines
from agent.offline.compose_warehouses import warehouse_lines
from agent.state import CallResult

__all__ = ["block_lines", "write_reply"]

_WRITERS: dict[str, Callable[[int, CallResult], list[str]]] = {
    "query_usage": usage_lines,
    "list_warehouses": warehouse_lines,
    "budget": budget_lines,
    "detect_anomalies": anomaly_lines,
    "list_findings": finding_lines,
    "own_cost": own_cost_lines,
    "search_practices": practice_lines,
}
"""What words a tool's result; a tool that is not here says its own message."""


def write_reply(results: Sequence[CallResult], tz: str, *, cards: bool = False, least: bool = False) -> str:
    """One block for each call, in order.

    `cards`: stored plans are shown elsewhere, each on a card of its own. `least`: of forecasts by name the smallest is
    asked for.
    """
    blocks = ["\n".join(lines) for lines in block_lines(results, cards=cards, least=least)]
    windows = {r.window.model_dump_json() for r in results if r.window is not None}
    if len(results) == len(windows) == 2 and all(
        r.name == "query_usage" and r.status == "ok" and r.complete for r in results
    ):
        blocks.append(_between(results[0].data or {}, results[1].data or {}))
    return "\n\n".join(block for block in blocks if block)


def block_lines(results: Sequence[CallResult], *, cards: bool = False, least: bool = False) -> list[list[str]]:
    """The lines of each call's block, in order."""
    plans = 0
    blocks: list[list[str]] = []
    for number, result in enumerate(results, start=1):
        blocks.append(_lines(number, result, plans, cards, least))
        plans += len((result.data or {}).get("plans", ())) if result.status == "needs_approval" else 0
    return blocks


def _lines(number: int, result: CallResult, plans: int, cards: bool, least: bool) -> list[str]:
    if result.error or result.status in ("no_data", "not_loaded", "no_permission", "error"):
        return _absent(number, result)
    if result.status == "needs_approval":
        return card_lines(number, result, plans) if cards else plan_lines(number, result, plans)
    if result.name == "run_forecast":
        return forecast_lines(number, result, least=least)
    writer = _WRITERS.get(result.name)
    if writer is not None:
        return writer(number, result)
    return [f"[[r{number}.message]]"]


def _absent(number: int, result: CallResult) -> list[str]:
    lines = [f"[[r{number}.message]]"]
    return [*lines, f"[[r{number}.hint]]"] if result.hint else lines


def _between(first: dict[str, Any], second: dict[str, Any]) -> str:
    """Two windows of one question, side by side; windows of different length are said to be so by their dates."""
    one, two = first["figures"].get("total"), second["figures"].get("total")
    if not one or not two or first["metric"] != second["metric"]:
        return ""
    return f"From the second window to the first: [[change({two},{one})]] ([[{two}]] to [[{one}]])."
