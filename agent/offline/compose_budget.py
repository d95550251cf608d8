"""The reply to `budget` as a template."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from agent.state import CallResult

__all__ = ["budget_lines"]

_VERDICTS = {
    "over": "Over budget",
    "likely_over": "Likely over budget",
    "open": "It may go either way",
    "likely_within": "Likely within budget",
    "within": "Within budget",
    "not_known": "Not known whether it holds",
}


def budget_lines(number: int, result: CallResult) -> list[str]:
    data = result.data or {}
    begun = _has_begun(result, data)
    lines = [_headline(number, result, data), _course(data, begun=begun)]
    if data["verdict"] != "no_budget":
        lines.append(_chance(result, data, begun=begun))
    return [*lines, "", *_reading(number, result, data)]


def _headline(number: int, result: CallResult, data: dict[str, Any]) -> str:
    figures = data["figures"]
    whose = f" of [[{figures['total']}.entity]]" if _single(data) else ""
    what = f"[[r{number}.title]]{whose}, [[r{number}.label]] ([[{figures['total']}.window]])"
    if data["verdict"] == "no_budget":
        return f"**[[{figures['total']}]] expected** — {what}."
    dates = f" ([[r{number}.window]])" if result.complete else ""
    return (
        f"**{_VERDICTS[data['verdict']]}: [[{figures['total']}]] expected of [[{figures['budget']}]]** — "
        f"[[r{number}.title]]{whose}, [[r{number}.label]]{dates}."
    )


def _single(data: dict[str, Any]) -> bool:
    return len([name for names in data["filters"].values() for name in names]) == 1


def _has_begun(result: CallResult, data: dict[str, Any]) -> bool:
    """Whether a part of the term is behind us: of December nothing is measured in November."""
    begins = next(fact.value for fact in result.facts if fact.id == data["figures"]["from"])
    return datetime.fromisoformat(str(data["asked"]["start"])) < datetime.fromisoformat(str(begins))


def _course(data: dict[str, Any], *, begun: bool) -> str:
    figures = data["figures"]
    if not begun:
        between = f"Likely between [[{figures['low']}]] and [[{figures['high']}]]"
        return f"{between}; [[{figures['a_day']}]] on an average day."
    return (
        f"Likely between [[{figures['low']}]] and [[{figures['high']}]]. Measured so far: [[{figures['actual']}]]; "
        f"still to come: [[{figures['ahead']}]], which is [[{figures['a_day']}]] on an average day."
    )


def _chance(result: CallResult, data: dict[str, Any], *, begun: bool) -> str:
    figures = data["figures"]
    if data["verdict"] == "not_known":
        return (
            f"Known of it to be used so far: [[{figures['share']}]]. What was used before the view begins comes on top."
        )
    text = f"Probability of running over: [[{figures['overrun']}]]."
    if begun:
        text += f" Used so far: [[{figures['share']}]]."
    if "runs_out" not in figures:
        return f"{text} The amount lasts to the end of the term as expected."
    if _is_measured(result, data):
        return f"{text} The amount was used up on [[{figures['runs_out']}]]."
    span = ""
    days = {data["days"].get(role) for role in ("earliest", "runs_out", "latest")}
    if len(days) == 1:
        span = ""
    elif "earliest" in figures and "latest" in figures:
        span = f", between [[{figures['earliest']}]] and [[{figures['latest']}]]"
    elif "earliest" in figures:
        span = f", at the earliest [[{figures['earliest']}]]"
    return f"{text} The amount is used up on [[{figures['runs_out']}]] as expected{span}."


def _is_measured(result: CallResult, data: dict[str, Any]) -> bool:
    """Whether the day on which the amount was used up lies before the forecast begins."""
    begins = next(fact.value for fact in result.facts if fact.id == data["figures"]["from"])
    return datetime.fromisoformat(str(data["runs_out_at"])) <= datetime.fromisoformat(str(begins))


def _reading(number: int, result: CallResult, data: dict[str, Any]) -> list[str]:
    figures = data["figures"]
    lines = [f"- [[r{number}.notes.{place}]]" for place in range(len(data["notes"]))]
    if data["convention"]:
        lines.append(f"- [[r{number}.convention]]")
    source = ", ".join(source.view for source in result.sources)
    lines.append(f"- Low and high are the ends of the [[r{number}.level]]. Forecast from [[{figures['from']}]] on.")
    lines.append(f"- Source: {source}, covered until [[{figures['covered_until']}]].")
    return lines
