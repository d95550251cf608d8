"""The reply to a question for advice: the nearest practices, whose they are, and where they come from."""

from __future__ import annotations

from typing import Any

from agent.state import CallResult

__all__ = ["practice_lines"]

_NEARLY = 0.7
"""A second practice is shown whole whose score is at least this share of the first one's; others are named."""
_MOST = 3


def practice_lines(number: int, result: CallResult) -> list[str]:
    """One paragraph a part: title, action, effect, caveat, source; the nearest one's check where it was asked for."""
    data = result.data or {}
    passages: list[dict[str, Any]] = (data.get("passages") or [])[:_MOST]
    least = _NEARLY * passages[0]["score"] if passages else 0.0
    shown = [n for n, passage in enumerate(passages) if n == 0 or passage["score"] >= least]
    lines: list[str] = []
    named = [n for n in range(len(passages)) if n not in shown]
    for n in shown:
        lines += [*_one(f"r{number}.practice.{n}", passages[n], check=n == 0 and bool(result.args.get("check"))), ""]
    if named:
        said = [f"[[r{number}.practice.{n}.title]] ([[{passages[n]['figures']['id']}]])" for n in named]
        lines += [f"Also near: {'; '.join(said)}.", ""]
    lines.append(f"[[r{number}.convention]]")
    lines += [f"[[r{number}.notes.{n}]]" for n in range(len(data.get("notes") or ()))]
    return lines


def _one(cited: str, passage: dict[str, Any], *, check: bool) -> list[str]:
    fact = passage["figures"]["id"]
    if passage["origin"] == "yours" and not passage["parts"]:
        head = f"**From your own pages** ([[{fact}]]): [[{cited}.title]]"
        return [head, "", f"[[{cited}.quote]]"]
    whose = "Frostline's practice" if passage["origin"] == "frostline" else "Your own practice"
    lines = [f"**[[{cited}.title]]** ({whose} [[{fact}]])", "", f"[[{cited}.action]]"]
    for part in ("effect", "caveat"):
        lines += ["", f"**{part.capitalize()}:** [[{cited}.{part}]]"]
    if check:
        lines += ["", f"**Check:** [[{cited}.check_note]]", "", f"[[{cited}.check]]"]
    return [*lines, "", f"Source: [[{cited}.source]]"]
