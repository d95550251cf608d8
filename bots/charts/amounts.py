"""Amounts on axes and in small print: short, with their unit."""

from __future__ import annotations

from tools.result import Unit

__all__ = ["AXIS", "amount"]

AXIS: dict[Unit, str] = {
    "credits": "credits",
    "USD": "USD",
    "%": "percent",
    "count": "number",
    "s": "time",
    "bytes": "bytes",
    "name": "",
    "time": "",
}
_STEPS = ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def amount(value: float, unit: Unit) -> str:
    """'$1,250', '12.5 credits', '3.2 GB', '1 h 30 min', '4,200'."""
    if unit == "bytes":
        size, letter = next(((value / step, letter) for step, letter in _STEPS if abs(value) >= step), (value, ""))
        return f"{_short(size)} {letter.lower() if letter == 'k' else letter}B"
    if unit == "s":
        return _duration(value)
    if unit == "USD":
        return f"-${_short(-value)}" if value < 0 else f"${_short(value)}"
    suffix = {"credits": " credits", "%": " %"}.get(unit, "")
    return f"{_short(value)}{suffix}"


def _short(value: float) -> str:
    if abs(value) >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:,.1f}" if abs(value) >= 10 else f"{value:,.2f}"


def _duration(seconds: float) -> str:
    if abs(seconds) < 120:
        return f"{_short(seconds)} s"
    if abs(seconds) < 7_200:
        return f"{_short(seconds / 60)} min"
    return f"{_short(seconds / 3600)} h"
