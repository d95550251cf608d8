"""The reply to `list_warehouses` as a template."""

from __future__ import annotations

from typing import Any

from agent.state import CallResult

__all__ = ["LIKE", "warehouse_lines"]

_MOST = 40
_UNWATCHED = "No warehouse has a resource monitor."


def warehouse_lines(number: int, result: CallResult) -> list[str]:
    data = result.data or {}
    rows, figures = data["rows"], data["figures"]
    kinds = result.args.get("odd") or []
    if not rows:
        return [_none(kinds, result.args.get("state", "")), "", *_reading(number, result, data)]
    if kinds:
        names = ", ".join(_cite(row["figures"], "name") for row in rows)
        head = f"**{_like(kinds).capitalize()}: {names}** ([[{figures['shown']}]] in all)."
        if kinds == ["no_monitor"] and _UNWATCHED in data["notes"]:
            return [f"**{_UNWATCHED}**", "", *_reading(number, result, data)]
    elif len(rows) == 1:
        head = _one(rows[0])
    else:
        odd = f"[[{figures['odd']}]] with something odd."
        head = f"**[[{figures['shown']}]] warehouses**, [[{figures['started']}]] started, {odd}"
    if data.get("statements") is not None:
        if len(rows) != 1 and data["statements"]:
            head = f"**[[{figures['statements']}]] statements running or waiting now**, the longest first."
        return [head, "", *_statements(data["statements"]), "", *_reading(number, result, data)]
    table = ["| Warehouse | State | Size | Clusters | Auto-suspend | Running | Queued | Credits, week |"]
    table.append("|---|---|---|---:|---:|---:|---:|---:|")
    table += [_line(row) for row in rows[:_MOST]]
    more = _details(rows[0]["figures"]) if len(rows) == 1 else []
    return [head, "", *table, *more, *_odd(number, rows), "", *_reading(number, result, data)]


_KINDS = {
    "never_suspends": "that never suspend by themselves",
    "suspends_late": "that suspend late",
    "suspend_imprecise": "with an imprecise auto-suspend",
    "running_idle": "with nothing running on them although they are up",
    "queued_now": "with statements waiting in the queue now",
    "several_clusters_always": "that always keep several clusters",
    "mostly_idle": "that were idle most of the last week",
    "large_little_used": "that are large and little used",
    "no_monitor": "without a resource monitor",
    "adaptive": "that are adaptive",
    "not_visible": "that are not visible to Frostline's role",
}

LIKE = tuple(_KINDS.values())
"""'that never suspend by themselves', ...: what warehouses can be asked for."""


def _like(kinds: list[str]) -> str:
    return "warehouses " + " or ".join(_KINDS[kind] for kind in kinds)


def _none(kinds: list[str], state: str) -> str:
    if kinds:
        return f"**There are no {_like(kinds)}.**"
    return f"**No warehouse is {state}.**" if state == "running" else "No warehouse is like that."


def _statements(found: list[dict[str, Any]]) -> list[str]:
    """The statements that run or wait, by id; never their text."""
    if not found:
        return ["No statement runs or waits there now."]
    user = any("user" in row["figures"] for row in found)
    lines = ["| Statement | Warehouse | Status | Since | For |" + (" User |" if user else "")]
    lines.append("|---|---|---|---|---:|" + ("---|" if user else ""))
    for row in found:
        roles = ("query_id", "warehouse", "status", "started", "seconds", *(("user",) if user else ()))
        lines.append("| " + " | ".join(_cite(row["figures"], role) for role in roles) + " |")
    return lines


def _details(figures: dict[str, str]) -> list[str]:
    """What there is room for when a single warehouse was asked about."""
    titles = (("owner", "owner"), ("resource_monitor", "resource monitor"), ("scaling_policy", "scaling policy"))
    parts = [f"{title} [[{figures[role]}]]" for role, title in titles if role in figures]
    return ["", f"Also of [[{figures['name']}]]: " + ", ".join(parts) + "."] if parts else []


def _one(row: dict[str, Any]) -> str:
    """The headline for a single warehouse: its state and what is on it."""
    figures = row["figures"]
    if not row["visible"]:
        return f"**[[{figures['name']}]]: state not visible to Frostline's role.**"
    size = f", [[{figures['size']}]]" if "size" in figures else ""
    busy = f"running: [[{figures['running']}]], queued: [[{figures['queued']}]]"
    return f"**[[{figures['name']}]]: [[{figures['state']}]]**{size}, {busy}."


def _line(row: dict[str, Any]) -> str:
    figures = row["figures"]
    cells = [_cite(figures, "name"), _cite(figures, "state"), _cite(figures, "size"), _clusters(figures)]
    cells.append(_cite(figures, "auto_suspend") if row["auto_suspend"] else _never(row))
    cells += [_cite(figures, "running"), _cite(figures, "queued"), _cite(figures, "credits_7d", "bare")]
    return "| " + " | ".join(cells) + " |"


def _never(row: dict[str, Any]) -> str:
    return "never" if row["visible"] and row["type"] != "ADAPTIVE" else "–"


def _cite(figures: dict[str, str], role: str, form: str = "") -> str:
    return f"[[{figures[role]}{'.' + form if form else ''}]]" if role in figures else "–"


def _clusters(figures: dict[str, str]) -> str:
    if "min_clusters" not in figures or "max_clusters" not in figures:
        return "–"
    return f"[[{figures['min_clusters']}]]–[[{figures['max_clusters']}]]"


def _odd(number: int, rows: list[dict[str, Any]]) -> list[str]:
    lines = [
        f"- [[{row['figures']['name']}]]: " + " ".join(f"[[r{number}.odd.{n}.{k}]]" for k in range(len(row["odd"])))
        for n, row in enumerate(rows[:_MOST])
        if row["odd"]
    ]
    return ["", "**Odd:**", *lines] if lines else []


def _reading(number: int, result: CallResult, data: dict[str, Any]) -> list[str]:
    lines = [f"- [[r{number}.notes.{place}]]" for place in range(len(data["notes"]))]
    lines.append(f"- [[r{number}.convention]]")
    source = ", ".join(source.view for source in result.sources)
    window = f", week: [[r{number}.window]]" if result.window else ""
    lines.append(f"- Source: {source}{window}.")
    if not result.complete:
        lines.append("- The last hours of the week are not loaded yet.")
    return lines
