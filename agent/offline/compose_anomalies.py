"""The reply to `detect_anomalies` as a template."""

from __future__ import annotations

from typing import Any

from agent.state import CallResult

__all__ = ["anomaly_lines"]

_MOST_RELATED = 3


def anomaly_lines(number: int, result: CallResult) -> list[str]:
    data = result.data or {}
    lines = [_headline(number, data)]
    for place, row in enumerate(data["rows"]):
        lines += ["", *_finding(number, place, row)]
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


def _finding(number: int, place: int, row: dict[str, Any]) -> list[str]:
    """One paragraph a finding: who, what, instead of what, since when, what it costs, and what came with it."""
    figures = row["figures"]
    going = ", still going on" if row["open"] else ""
    lines = [
        f"**[[{figures['actual']}.entity]]** — [[r{number}.words.{place}]]: [[{figures['actual']}]] instead of "
        f"[[{figures['expected']}]] (ordinary: [[{figures['low']}]] to [[{figures['high']}]]), from "
        f"[[{figures['start']}]] for [[{figures['duration']}]]{going}."
    ]
    if "credits" in figures:
        lines.append(f"Against the expected: [[{figures['credits']}]], [[{figures['usd']}]].")
    spoken_of = row["entity"]
    for other, related in enumerate(row["related"][:_MOST_RELATED]):
        theirs = related["figures"]
        whose = f"[[{theirs['actual']}.entity]], " if related["entity"] != spoken_of else ""
        spoken_of = related["entity"]
        lines.append(
            f"With it: {whose}[[r{number}.words.{place}.{other}]], [[{theirs['actual']}]] instead of "
            f"[[{theirs['expected']}]]."
        )
    return lines


def _reading(number: int, result: CallResult, data: dict[str, Any]) -> list[str]:
    lines = [f"- [[r{number}.notes.{place}]]" for place in range(len(data["notes"]))]
    if len([name for names in data["filters"].values() for name in names]) > 1:
        lines.append(f"- Only: [[r{number}.filters]].")
    lines.append(f"- [[r{number}.convention]]")
    source = ", ".join(source.view for source in result.sources)
    lines.append(f"- Source: {source}, covered until [[{data['figures']['covered_until']}]].")
    return lines
