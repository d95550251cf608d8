"""The reply to `detect_anomalies` as a template."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent.state import CallResult
from tools.anomalies.titles import SIZES, sizes

__all__ = ["anomaly_lines"]

_MOST_RELATED = 3
_Values = Mapping[str, Any]
"""Fact id -> its value."""


def anomaly_lines(number: int, result: CallResult) -> list[str]:
    data = result.data or {}
    lines = [_headline(number, data)]
    for place, row in enumerate(data["rows"]):
        lines += ["", *_finding(number, place, row, {fact.id: fact.value for fact in result.facts})]
    left = data["found"] - len(data["rows"])
    if left > 0:
        lines += ["", "Smaller findings are not listed; name a warehouse, a figure or fewer days to see them."]
    return [*lines, "", *_reading(number, result, data)]


def _headline(number: int, data: dict[str, Any]) -> str:
    figures = data["figures"]
    where = f"[[{figures['series']}]] series, [[r{number}.label]] ([[r{number}.window]])"
    if not data["rows"]:
        return f"**Nothing odd** in {where}."
    noun = "finding" if data["found"] == 1 else "findings"
    text = f"**[[{figures['found']}]] {noun}** in {where}."
    if "usd" in figures:
        text += f" Beyond the expected they come to [[{figures['credits']}]], which is [[{figures['usd']}]]."
    return text


def _finding(number: int, place: int, row: dict[str, Any], values: _Values) -> list[str]:
    """One paragraph a finding: who, what, instead of what, since when, what it costs, and what came with it."""
    figures = row["figures"]
    going = ", still going on" if row["open"] else ""
    what = _own_words(row, values) or _instead(f"[[r{number}.words.{place}]]: ", figures, values)
    when = f"from [[{figures['start']}]] for [[{figures['duration']}]]{going}"
    lines = [f"**[[{figures['actual']}.entity]]** — {what}, {when}."]
    if "credits" in figures:
        lines.append(f"Against the expected: [[{figures['credits']}]], [[{figures['usd']}]].")
    spoken_of = row["entity"]
    for other, related in enumerate(row["related"][:_MOST_RELATED]):
        theirs = related["figures"]
        whose = f"[[{theirs['actual']}.entity]], " if related["entity"] != spoken_of else ""
        spoken_of = related["entity"]
        plain = f"[[r{number}.words.{place}.{other}]], [[{theirs['actual']}]] instead of [[{theirs['expected']}]]"
        lines.append(f"With it: {whose}{_own_words(related, values) or plain}.")
    return lines


def _instead(what: str, figures: dict[str, str], values: _Values) -> str:
    """The range of all hours added up is wide: what lies inside it was odd by its hours, and the range says nothing."""
    actual, expected, low, high = (figures[role] for role in ("actual", "expected", "low", "high"))
    inside = float(values[low]) <= float(values[actual]) <= float(values[high])
    ordinary = "" if inside else f" (ordinary: [[{low}]] to [[{high}]])"
    return f"{what}[[{actual}]] instead of [[{expected}]]{ordinary}"


def _own_words(row: dict[str, Any], values: _Values) -> str:
    """Of a figure that 'instead of' does not suit: sizes, the pace of the same statements, the longest one."""
    metric, figures = row["metric"], row["figures"]
    actual = figures["actual"]
    if metric in SIZES:
        noun, mean = sizes(float(values[actual]))
        return f"[[{actual}]] {noun} {SIZES[metric]} than usual{mean}"
    if metric == "longest_statement":
        return f"a statement ran for [[{actual}]] (the longest in the weeks before: [[{figures['high']}]])"
    if metric == "pace" and float(values.get(figures.get("longer", ""), 0.0)) > 0:
        take = "take" if row["open"] else "took"
        return (
            f"the same statements {take} [[{figures['longer']}]] longer than usual ([[{actual}]] of their average run "
            f"time instead of [[{figures['expected']}]]; ordinary: [[{figures['low']}]] to [[{figures['high']}]])"
        )
    return ""


def _reading(number: int, result: CallResult, data: dict[str, Any]) -> list[str]:
    lines = [f"- [[r{number}.notes.{place}]]" for place in range(len(data["notes"]))]
    if len([name for names in data["filters"].values() for name in names]) > 1:
        lines.append(f"- Only: [[r{number}.filters]].")
    lines.append(f"- [[r{number}.convention]]")
    source = ", ".join(source.view for source in result.sources)
    lines.append(f"- Source: {source}, covered until [[{data['figures']['covered_until']}]].")
    return lines
