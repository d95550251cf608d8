"""The reply to `list_findings` as a template."""

from __future__ import annotations

from typing import Any

from agent.state import CallResult

__all__ = ["finding_lines"]

_STATES = {"open": "open", "snoozed": "snoozed", "resolved": "over", "all": "known"}


def finding_lines(number: int, result: CallResult) -> list[str]:
    """Headline, a table with the weightiest first, and how to read it."""
    data = result.data or {}
    rows, figures = data["rows"], data["figures"]
    state, scanned = _STATES[data["state"]], f"the last scan looked at the account as of [[{figures['scanned']}]]"
    if not rows:
        return [f"**Nothing is {state}**; {scanned}.", "", *_notes(number, data)]
    head = f"**[[{figures['found']}]] findings are {state}**; {scanned}."
    if len(rows) == 1:
        head = f"**[[r{number}.title.0]]**; {scanned}."
    over = any("ended" in row["figures"] for row in rows)
    table = ["| Warehouse | What | Severity | Credits a day | Since |" + (" Until |" if over else "") + " Finding |"]
    table.append("|---|---|---|---:|---|" + ("---|" if over else "") + "---|")
    table += [_line(number, place, row, over) for place, row in enumerate(rows)]
    return [head, "", *table, "", *_notes(number, data)]


def _line(number: int, place: int, row: dict[str, Any], over: bool) -> str:
    figures = row["figures"]
    name = f"[[{figures['name']}]]" if "name" in figures else "–"
    cells = [name, f"[[r{number}.what.{place}]]", f"[[{figures['severity']}]]"]
    cells.append(f"[[{figures['impact']}.bare]]" if "impact" in figures else "–")
    cells.append(f"[[{figures['started']}]]")
    if over:
        cells.append(f"[[{figures['ended']}]]" if "ended" in figures else "–")
    return "| " + " | ".join([*cells, f"[[{figures['id']}]]"]) + " |"


def _notes(number: int, data: dict[str, Any]) -> list[str]:
    cut = [f"- Shown: [[{data['figures']['shown']}]] of [[{data['figures']['found']}]]."] if data["cut"] else []
    lines = [f"- [[r{number}.notes.{place}]]" for place in range(len(data["notes"]))]
    return [*cut, *lines, f"- [[r{number}.convention]]"]
