"""The reply to `query_usage` as a template."""

from __future__ import annotations

from typing import Any

from agent.state import CallResult

__all__ = ["usage_lines"]

_TIMES = ("hour", "day", "week", "month")
_HEADS = {
    "query_tag": "Query tag",
    "query_type": "Query type",
    "service_type": "Service",
    "week": "Week from",
}
_MOST_SHOWN = 62
_ALSO_OF_NONE = ("credits", "cost", "credits_compute", "credits_cloud_services")
_OF_NONE = "- Rows are warehouses only; the account's total also has services without a warehouse."


def usage_lines(number: int, result: CallResult) -> list[str]:
    data = result.data or {}
    lines = [_headline(number, data)]
    if data["by"] == "total":
        lines += _account_lines(data)
    else:
        lines += ["", *_table(data), *_below(data)]
    return [*lines, "", *_reading(number, result, data)]


# --- the first sentence -------------------------------------------------------------------------------------------


def _headline(number: int, data: dict[str, Any]) -> str:
    if data["by"] == "total":
        return _total_sentence(number, data)
    rows = [row for row in data["rows"] if row["value"] is not None]
    if not rows:
        return (
            f"**No [[r{number}.title]]** by {_head(data['by']).lower()} in [[r{number}.label]] ([[r{number}.window]])."
        )
    if data["by"] in _TIMES:
        return _peak_sentence(number, data, rows)
    first = rows[0]
    fact, total = first["fact"], data["figures"]["total"]
    share = f", [[pct({fact},{total})]] of [[{total}]]" if first["share"] is not None else ""
    return (
        f"**[[{fact}.entity]]: [[{fact}]]**{share} — [[r{number}.title]], [[r{number}.label]] ([[r{number}.window]])."
    )


def _total_sentence(number: int, data: dict[str, Any]) -> str:
    total, figures = data["figures"]["total"], data["figures"]
    whose = _whose(data)
    credits = f" ([[{figures['credits']}]] at [[{figures['price']}]] each)" if "credits" in figures else ""
    text = f"**[[{total}]]**{credits} — [[r{number}.title]]{whose}, [[r{number}.label]] ([[r{number}.window]])."
    return f"{text}{_against(data)}"


def _whose(data: dict[str, Any]) -> str:
    """The name in a filter is the entity of the total; several names are said below."""
    given = [name for names in data["filters"].values() for name in names]
    return f" of [[{data['figures']['total']}.entity]]" if len(given) == 1 else ""


def _against(data: dict[str, Any]) -> str:
    before = data["figures"].get("previous")
    if before is None:
        return ""
    total = data["figures"]["total"]
    return f" That is [[change({before},{total})]] against [[{before}]] in the window before ([[{before}.window]])."


def _peak_sentence(number: int, data: dict[str, Any], rows: list[dict[str, Any]]) -> str:
    total = data["figures"]["total"]
    peak = max(rows, key=lambda row: row["value"])
    text = f"**[[{total}]]** — [[r{number}.title]]{_whose(data)}, [[r{number}.label]] ([[r{number}.window]])"
    return f"{text}; the highest {data['by']}: [[{peak['fact']}.entity]] with [[{peak['fact']}]].{_against(data)}"


# --- the table ------------------------------------------------------------------------------------------------------


def _head(by: str) -> str:
    return _HEADS.get(by, by.capitalize())


def _table(data: dict[str, Any]) -> list[str]:
    """Markdown; a window of many hours shows its largest, and every row stands in the facts."""
    rows = data["rows"]
    if len(rows) > _MOST_SHOWN:
        rows = sorted(rows, key=lambda row: -(row["value"] or 0.0))[:10]
    if not rows:
        return []
    share = any(row["share"] is not None for row in rows) and data["by"] not in _TIMES
    before = any(row["previous_fact"] for row in rows)
    heads = [_head(data["by"]), _column(data), *(["Share"] if share else []), *(["Before", "Change"] if before else [])]
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" + "---:|" * (len(heads) - 1)]
    return lines + [_line(row, data["figures"]["total"], share, before) for row in rows]


def _column(data: dict[str, Any]) -> str:
    heads = {"credits": "Credits", "USD": "USD", "%": "Percent", "count": "Count", "s": "Time", "bytes": "Bytes"}
    return heads[data["unit"]]


def _line(row: dict[str, Any], total: str, share: bool, before: bool) -> str:
    fact, earlier = row["fact"], row["previous_fact"]
    cells = [f"[[{fact}.entity]]", f"[[{fact}.bare]]"]
    if share:
        cells.append(f"[[pct({fact},{total})]]" if row["share"] is not None else "–")
    if before:
        cells += [f"[[{earlier}.bare]]", f"[[change({earlier},{fact})]]"] if earlier else ["–", "–"]
    return "| " + " | ".join(cells) + " |"


def _below(data: dict[str, Any]) -> list[str]:
    figures, lines = data["figures"], []
    if "rest" in figures:
        share = f" ([[pct({figures['rest']},{figures['total']})]])" if data["total"] else ""
        count = f" of [[{figures['groups']}]]" if data["all_groups"] else ""
        lines.append(f"All others{count} together: [[{figures['rest']}]]{share}.")
    if len(data["rows"]) > _MOST_SHOWN:
        lines.append("Shown are the highest; all rows stand in the facts.")
    if data["by"] not in _TIMES and "previous" in figures:
        lines.append(f"Together [[{figures['total']}]].{_against(data)}")
        lines += _movers(data)
    return ["", *lines] if lines else []


_MOST_MOVERS = 3


def _movers(data: dict[str, Any]) -> list[str]:
    """Where most of the change is: the largest are seldom those that have moved."""
    rows = [
        row for row in data["rows"] if row["previous_fact"] and row["value"] is not None and row["previous"] is not None
    ]
    moved = sorted(rows, key=lambda row: -abs(row["value"] - row["previous"]))[:_MOST_MOVERS]
    said = [
        f"[[{row['fact']}.entity]] {'up' if row['value'] > row['previous'] else 'down'} by "
        + (
            f"[[diff({row['fact']},{row['previous_fact']})]]"
            if row["value"] > row["previous"]
            else f"[[diff({row['previous_fact']},{row['fact']})]]"
        )
        for row in moved
        if row["value"] != row["previous"]
    ]
    return [f"Largest differences: {', '.join(said)}."] if len(rows) > 1 and said else []


# --- what an account total also says ----------------------------------------------------------------------------


def _account_lines(data: dict[str, Any]) -> list[str]:
    figures, lines = data["figures"], []
    base = figures.get("credits", figures["total"])
    if "warehouses" in figures:
        lines.append(f"Warehouses: [[{figures['warehouses']}]], [[pct({figures['warehouses']},{base})]] of it.")
    if "billed" in figures:
        lines.append(
            f"Billed for these dates, by UTC day: [[{figures['billed']}]], a difference of "
            f"[[diff({base},{figures['billed']})]] ([[{figures['used_utc']}]] used on those UTC days, "
            f"cloud-services adjustment [[{figures['adjustment']}]])."
        )
    return lines


# --- how to read it -------------------------------------------------------------------------------------------------


def _reading(number: int, result: CallResult, data: dict[str, Any]) -> list[str]:
    lines = [f"- [[r{number}.notes.{place}]]" for place in range(len(data["notes"]))]
    if len([name for names in data["filters"].values() for name in names]) > 1:
        lines.append(f"- Only: [[r{number}.filters]].")
    if data["convention"]:
        lines.append(f"- [[r{number}.convention]]")
    if data["by"] == "warehouse" and data["metric"] in _ALSO_OF_NONE and not data["filters"]:
        lines.append(_OF_NONE)
    zone = "" if data["metric"] in ("credits_billed", "cost_billed") else "Days are the account's. "
    source = ", ".join(source.view for source in result.sources)
    lines.append(f"- {zone}Source: {source}, covered until [[{data['figures']['covered_until']}]].")
    return lines
