"""A chart as a line of text, for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from zoneinfo import ZoneInfo

from bots.charts.amounts import amount
from tools.charts import Chart, Point

__all__ = ["sparkline"]

_BLOCKS = "▁▂▃▄▅▆▇█"
_BORDER = "┊"


def sparkline(chart: Chart, width: int = 72) -> list[str]:
    """History, then (after a border) the forecast, as blocks; below it from when to when and between which values.

    Empty where there is nothing to draw.
    """
    if not chart.history and not chart.forecast:
        return []
    # Where both lines meet in one point, it is drawn once.
    meet = chart.history and chart.forecast and chart.forecast[0].time == chart.history[-1].time
    forecast = chart.forecast[1:] if meet else chart.forecast
    whole = [*chart.history, *forecast]
    top = max((point.value for point in whole), default=0.0)
    room = max(width - (1 if forecast else 0), 8)
    share = len(forecast) / len(whole)
    ahead = min(max(round(room * share), 1), room - 1) if forecast and chart.history else round(room * share)
    line = _blocks(chart.history, room - ahead, top)
    if forecast:
        line += _BORDER + _blocks(forecast, ahead, top)
    tz = ZoneInfo(chart.timezone)
    first, last = (point.time.astimezone(tz) for point in (whole[0], whole[-1]))
    parts = f"{first:%Y-%m-%d} to {last:%Y-%m-%d} {chart.timezone}, 0 to {amount(top, chart.unit)}"
    border = f"; {_BORDER} the forecast begins" if forecast and chart.history else ""
    return [line, parts + border]


def _blocks(points: Sequence[Point], width: int, top: float) -> str:
    """Means of equal stretches, so that the line has at most `width` characters."""
    if not points or width < 1:
        return ""
    columns = min(width, len(points))
    edges = [round(n * len(points) / columns) for n in range(columns + 1)]
    means = [_mean(points[a:b]) for a, b in pairwise(edges)]
    return "".join(_BLOCKS[_level(mean, top)] for mean in means)


def _mean(points: Sequence[Point]) -> float:
    return sum(point.value for point in points) / len(points)


def _level(value: float, top: float) -> int:
    if top <= 0:
        return 0
    return min(int(max(value, 0.0) / top * len(_BLOCKS)), len(_BLOCKS) - 1)
