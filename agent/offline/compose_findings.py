"""The reply to `list_findings` as a template."""

from __future__ import annotations

from typing import Any

from agent.state import CallResult

__all__ = ["finding_lines"]

_LEAST = {"info": "", "warning": "of severity warning or above ", "critical": "critical "}
_STATES = {"open": "open", "snoozed": "snoozed", "resolved": "over", "all": "known"}


def finding_lines(number: int, result: CallResult) -> list[str]:
    """Headline, a table with the weightiest first, and how to read it."""
    data = result.data or {}
    rows, figures = data["rows"], data["figures"]
    state, scanned = _STATES[data["state"]], f"the last scan looked at the account as of [[{figures['scanned']}]]"
    least, on = _LEAST[data["severity"]], _on(figures)
    if not rows:
        return [f"**Nothing {least}is {state}{on}**; {scanned}.", "", *_notes(number, data)]
    head = f"**[[{figures['found']}]] findings {least}are {state}{on}**; {scanned}."
    if len(rows) == 1:
        head = f"**[[r{number}.title.0]]**; {scanned}."
    over = any("ended" in row["figures"] for row in rows)
    table = ["| Warehouse | What | Severity | Credits a day | Since |" + (" Until |" if over else "") + " Finding |"]
    table.append("|---|---|---|---:|---|" + ("---|" if over else "") + "---|")
    table += [_line(number, place, row, over) for place, row in enumerate(rows)]
    return [head, "", *table, "", *_notes(number, data)]


def _on(figures: dict[str, str]) -> str:
    """Whose findings were asked for: of one warehouse nothing may be open while others have findings."""
    names = [f"[[{figures[role]}]]" for role in sorted(figures) if role.startswith("of")]
    return f" on {', '.join(names)}" if names else ""


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
    if "snoozed" in data["figures"]:
        cut.append(
            f"- Snoozed, and not among these: [[{data['figures']['snoozed']}]]. Ask: which findings are snoozed?"
        )
    lines = [f"- [[r{number}.notes.{place}]]" for place in range(len(data["notes"]))]
    return [*cut, *lines, f"- [[r{number}.convention]]"]
