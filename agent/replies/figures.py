"""How a fact's value is written for people: units, separators, sizes of bytes and times. Pure."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from tools.quoting import code
from tools.result import Unit

__all__ = ["show", "show_time"]

_WHOLE = 10
"""From here on counts are written without decimals."""
_BYTES = ("B", "kB", "MB", "GB", "TB", "PB")


def show(value: float | int | str | None, unit: Unit, tz: str = "UTC", *, bare: bool = False) -> str:
    """The value with its unit; `bare` leaves the unit out where a table's head says it."""
    if value is None:
        return "not known"
    if unit == "time":
        return show_time(datetime.fromisoformat(str(value)), tz)
    if unit == "name" or isinstance(value, str):
        return code(str(value))
    if unit == "bytes":
        return _bytes(float(value))
    if unit == "s":
        return _duration(float(value))
    number = _number(float(value), unit)
    if unit == "USD":
        return f"-${number[1:]}" if number.startswith("-") else f"${number}"
    if bare or unit == "count":
        return number
    return f"{number} %" if unit == "%" else f"{number} credits"


def show_time(moment: datetime, tz: str) -> str:
    return f"{moment.astimezone(ZoneInfo(tz)):%Y-%m-%d %H:%M} {tz}"


def _number(value: float, unit: Unit) -> str:
    if unit == "count":
        # What is expected of a count is a mean: 0.3 failures say something, 330.9 of them only pretend to.
        return f"{value:,.0f}" if value == int(value) or abs(value) >= _WHOLE else f"{value:,.1f}"
    if unit == "%":
        return f"{value:,.1f}"
    if value and abs(value) < 0.005:
        return f"{value:.2g}"  # a small cost is not 0.00
    return f"{value:,.2f}"


def _bytes(value: float) -> str:
    size, power = abs(value), 0
    while size >= 1000 and power < len(_BYTES) - 1:
        size, power = size / 1000, power + 1
    text = f"{size:,.0f}" if power == 0 else f"{size:,.1f}"
    return f"{'-' if value < 0 else ''}{text} {_BYTES[power]}"


def _duration(seconds: float) -> str:
    sign, left = ("-" if seconds < 0 else ""), abs(seconds)
    if left < 60:
        return f"{sign}{left:,.1f} s" if left != int(left) else f"{sign}{left:.0f} s"
    minutes, rest = divmod(round(left), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [f"{n:,} {unit}" for n, unit in ((days, "d"), (hours, "h"), (minutes, "min"), (rest, "s")) if n]
    return sign + " ".join(parts[:2])
