"""The reply to `run_forecast` as a template."""

from __future__ import annotations

from typing import Any

from agent.state import CallResult

__all__ = ["forecast_lines"]

_HEADS = {
    "hour": "Hour",
    "day": "Day",
    "week": "Week from",
    "month": "Month",
    "query_tag": "Query tag",
    "query_type": "Query type",
    "service_type": "Service",
}
_TIMES = ("hour", "day", "week", "month")
_MOST_SHOWN = 31
_MOST_MODELS = 3


def forecast_lines(number: int, result: CallResult, *, least: bool = False) -> list[str]:
    """`least`: who is asked for is expected to use least; told where all names have a row."""
    data = result.data or {}
    if least and data["row_kind"] not in _TIMES and "rest" not in data["figures"]:
        data = {**data, "rows": data["rows"][::-1]}
    lines = [_headline(number, data, least=least), *_so_far(data)]
    lines += ["", *_table(data), *_below(data)]
    return [*lines, "", *_reading(number, result, data)]


def _headline(number: int, data: dict[str, Any], *, least: bool) -> str:
    if data["row_kind"] not in _TIMES and len(data["rows"]) > 1:
        return _first_name(number, data)
    figures = data["figures"]
    window = f"[[r{number}.label]] ([[r{number}.window]])"
    what = f"[[r{number}.title]]{_whose(data)}, {window}{_peak(data, least=least)}"
    return f"**[[{figures['total']}]] expected**{_credits(figures)} — {what}. {_between(figures)}"


def _first_name(number: int, data: dict[str, Any]) -> str:
    """Who is expected to use most, or least where that is asked for, and what all of them come to."""
    figures, first = data["figures"], data["rows"][0]["figures"]
    share = f", [[pct({first['value']},{figures['total']})]] of [[{figures['total']}]]"
    text = f"**[[{first['value']}.entity]]: [[{first['value']}]] expected**{share} — [[r{number}.title]]"
    window = f"[[r{number}.label]] ([[r{number}.window]])"
    whole = "All warehouses" if data["row_kind"] == "warehouse" and not data["filters"] else "All of them"
    besides = " Services that no warehouse runs come on top." if whole == "All warehouses" and _is_spent(data) else ""
    return (
        f"{text}, {window}. {_between(first)}\n"
        f"{whole} together: [[{figures['total']}]]{_credits(figures)}. {_between(figures)}{besides}"
    )


def _is_spent(data: dict[str, Any]) -> bool:
    return data["unit"] in ("credits", "USD")


def _credits(figures: dict[str, str]) -> str:
    return f" ([[{figures['credits']}]] at [[{figures['price']}]] each)" if "credits" in figures else ""


def _between(figures: dict[str, str]) -> str:
    return f"Likely between [[{figures['low']}]] and [[{figures['high']}]]."


_PEAKS = ("hour", "day", "month")
"""Weeks at the ends of a window are cut: the highest of them would often only be a whole one."""


def _peak(data: dict[str, Any], *, least: bool) -> str:
    rows = data["rows"]
    if data["row_kind"] not in _PEAKS or len(rows) < 2 or data["unit"] == "bytes":
        return ""
    first = (min if least else max)(rows, key=lambda row: row["value"])["figures"]["value"]
    return f"; the {'lowest' if least else 'highest'} {data['row_kind']}: [[{first}.entity]] with [[{first}]]"


def _whose(data: dict[str, Any]) -> str:
    given = [name for names in data["filters"].values() for name in names]
    return f" of [[{data['figures']['total']}.entity]]" if len(given) == 1 else ""


def _so_far(data: dict[str, Any]) -> list[str]:
    figures = data["figures"]
    if "actual" not in figures:
        return []
    return [f"Measured so far: [[{figures['actual']}]]; still to come: [[{figures['ahead']}]]."]


def _table(data: dict[str, Any]) -> list[str]:
    rows = data["rows"]
    if len(rows) < 2:
        return []
    rows = rows[:_MOST_SHOWN]
    wape = any("wape" in row["figures"] for row in rows)
    kind = data["row_kind"]
    heads = [_HEADS.get(kind, kind.capitalize()), _column(data), "Low", "High", *(["WAPE"] if wape else [])]
    lines = ["| " + " | ".join(heads) + " |", "|---|" + "---:|" * (len(heads) - 1)]
    return lines + [_line(row, wape) for row in rows]


def _column(data: dict[str, Any]) -> str:
    names = {"credits": "Credits", "USD": "USD", "count": "Count", "s": "Time", "bytes": "Bytes"}
    return names.get(data["unit"], "Expected")


def _line(row: dict[str, Any], wape: bool) -> str:
    figures = row["figures"]
    cells = [f"[[{figures['value']}.entity]]", *(f"[[{figures[role]}.bare]]" for role in ("value", "low", "high"))]
    if wape:
        cells.append(f"[[{figures['wape']}]]" if "wape" in figures else "–")
    return "| " + " | ".join(cells) + " |"


def _below(data: dict[str, Any]) -> list[str]:
    figures, lines = data["figures"], []
    if "rest" in figures:
        lines.append(f"All others of [[{figures['groups']}]] together: [[{figures['rest']}]].")
    if len(data["rows"]) > _MOST_SHOWN:
        lines.append("Shown are the first; all rows stand in the facts.")
    return ["", *lines] if lines else []


def _reading(number: int, result: CallResult, data: dict[str, Any]) -> list[str]:
    """How sure it is, by which model, what is missing, and from what."""
    figures = data["figures"]
    lines = [*_fit(figures)]
    lines += [f"- [[r{number}.notes.{place}]]" for place in range(len(data["notes"]))]
    several = len(data["models"]) > 1
    for place in range(len(data["models"][:_MOST_MODELS])):
        whose = f" ([[r{number}.modelled.{place}]])" if several else ""
        lines.append(f"- Model{whose}: [[r{number}.model.{place}]].")
    lines += [f"- Not forecast: [[r{number}.refused.{place}]]." for place in range(len(data["refused"]))]
    if len([name for names in data["filters"].values() for name in names]) > 1:
        lines.append(f"- Only: [[r{number}.filters]].")
    if data["convention"]:
        lines.append(f"- [[r{number}.convention]]")
    source = ", ".join(source.view for source in result.sources)
    lines.append(f"- Low and high are the ends of the [[r{number}.level]]. Forecast from [[{figures['from']}]] on.")
    lines.append(f"- Source: {source}, covered until [[{figures['covered_until']}]].")
    return lines


def _fit(figures: dict[str, str]) -> list[str]:
    if "wape" not in figures:
        return []
    naive = f", [[{figures['naive']}]] by the seasonal naive forecast" if "naive" in figures else ""
    line = f"- In the backtest (origins: [[{figures['folds']}]]) the error was [[{figures['wape']}]] (WAPE){naive}"
    held = [f"[[{figures[role]}]]" for role in ("coverage80", "coverage95") if role in figures]
    return [f"{line}; the intervals held {' and '.join(held)} of the values." if held else f"{line}."]
