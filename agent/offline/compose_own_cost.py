"""The reply to `own_cost` as a template."""

from __future__ import annotations

from typing import Any

from agent.state import CallResult

__all__ = ["own_cost_lines"]


def own_cost_lines(number: int, result: CallResult) -> list[str]:
    data = result.data or {}
    figures: dict[str, str] = data["figures"]
    rows: list[dict[str, Any]] = data.get("rows") or []
    head = (
        f"**[[{figures['credits']}]]** ([[{figures['usd']}]]) — used by Frostline itself, [[r{number}.label]] "
        f"([[{figures['credits']}.window]]): compute [[{figures['credits_compute']}]], cloud services "
        f"[[{figures['credits_cloud_services']}]], in [[{figures['statements']}]] statements of its own."
    )
    return [head, *_models(figures), "", *_table(rows), *_reading(number, result, data)]


def _models(figures: dict[str, str]) -> list[str]:
    if "model_usd" not in figures:
        return []
    return [
        f"Language models today (UTC): [[{figures['model_requests']}]] requests, [[{figures['model_tokens']}]] tokens, "
        f"[[{figures['model_usd']}]]."
    ]


def _table(rows: list[dict[str, Any]]) -> list[str]:
    if len(rows) < 2:
        return []
    lines = ["| Part | Statements | Compute | Cloud services | Credits |", "|---|---:|---:|---:|---:|"]
    for row in rows:
        cells = [f"[[{row['figures'][role]}]]" for role in ("part", "statements")]
        roles = ("credits_compute", "credits_cloud_services", "credits")
        lines.append("| " + " | ".join([*cells, *(f"[[{row['figures'][role]}.bare]]" for role in roles)]) + " |")
    return [*lines, ""]


def _reading(number: int, result: CallResult, data: dict[str, Any]) -> list[str]:
    metered = [fact for role, fact in data["figures"].items() if role.startswith("metered.")]
    lines = [
        f"- [[{fact}.entity]] metered [[{fact}]] in all, whoever used it; idle time is in that." for fact in metered
    ]
    lines += [f"- [[r{number}.notes.{place}]]" for place in range(len(data.get("notes") or ()))]
    lines.append(f"- [[r{number}.convention]]")
    lines.append(f"- Source: {', '.join(source.view for source in result.sources)}.")
    if not result.complete:
        lines.append("- The newest hours are not loaded yet.")
    return lines
