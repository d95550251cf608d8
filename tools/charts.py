"""What a chart shows, as data: history, forecast, bands and marks. `bots.charts` draws it; tools and scan make it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from pydantic import AwareDatetime

from tools.domain import Frozen
from tools.result import Unit

__all__ = ["Band", "Chart", "Mark", "Point", "points", "spoken", "thinned"]

_MOST_POINTS = 800


class Point(Frozen):
    """One value of a series; `time` is the start of its hour or day."""

    time: AwareDatetime
    value: float


class Band(Frozen):
    """Where the value lies in `level` percent of the cases, or (level None) where it is ordinary."""

    level: int | None
    time: tuple[AwareDatetime, ...]
    lo: tuple[float, ...]
    hi: tuple[float, ...]


class Mark(Frozen):
    """A stretch of time with a label: an anomaly, an incident."""

    start: AwareDatetime
    end: AwareDatetime
    label: str


class Chart(Frozen):
    """A line over time. `alt` says in words what can be seen, for people who cannot see it."""

    title: str
    unit: Unit
    timezone: str
    history: tuple[Point, ...]
    forecast: tuple[Point, ...] = ()
    bands: tuple[Band, ...] = ()
    marks: tuple[Mark, ...] = ()
    limit: float | None = None
    """A line across: a budget."""
    limit_label: str = ""
    source: str = ""
    """View and freshness, for the small print."""
    alt: str


def spoken(value: float, unit: Unit) -> str:
    """An amount in a sentence that is read aloud: '1,070 USD', '2.5 TB', '4.2 hours'."""
    if unit == "bytes":
        power = next((n for n in (12, 9, 6, 3) if abs(value) >= 10**n), 0)
        return f"{_short(value / 10**power)} {({12: 'TB', 9: 'GB', 6: 'MB', 3: 'kB', 0: 'bytes'})[power]}"
    if unit == "s":
        return f"{_short(value / 3600)} hours" if abs(value) >= 3600 else f"{_short(value)} seconds"
    return _short(value) if unit == "count" else f"{_short(value)} {unit}"


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:,.1f}"


def points(pairs: Iterable[tuple[datetime, float]]) -> tuple[Point, ...]:
    return tuple(Point(time=time, value=float(value)) for time, value in pairs)


def thinned(values: Sequence[Point], most: int = _MOST_POINTS) -> tuple[Point, ...]:
    """At most `most` points, the latest: a chart on a phone shows no more, and a conversation keeps what it holds."""
    return tuple(values[-most:])
