"""The course of an outlook as a chart: what was, what is expected, and how sure that is."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from tools.charts import Band, Chart, Point, points, spoken
from tools.forecast.study import LEVELS, Outlook
from tools.result import Unit

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["chart_of"]

_LEAST_BACK = {"hour": timedelta(days=4), "day": timedelta(days=42)}
_MOST_BACK = {"hour": timedelta(days=14), "day": timedelta(days=180)}


def chart_of(outlook: Outlook, title: str, unit: Unit, whose: str) -> Chart:
    """All forecast series together, with about twice as much of the past as of the future."""
    history = _history(outlook)
    stamps, expected, bands = _ahead(outlook)
    step = outlook.histories.step
    name = f"{title[:1].upper()}{title[1:]}" + (f" of {whose}" if whose else "")
    forecast = points((outlook.moment(stamp), value) for stamp, value in zip(stamps, expected, strict=True))
    return Chart(
        title=f"{name}, by {step}",
        unit=unit,
        timezone=outlook.histories.tz,
        history=history,
        forecast=forecast,
        bands=bands,
        source=f"{outlook.histories.view}, as of {outlook.histories.coverage.now:%Y-%m-%d %H:%M} UTC",
        alt=_alt(name, unit, outlook, history, forecast),
    )


def _history(outlook: Outlook) -> tuple[Point, ...]:
    step = outlook.histories.step
    length = 2 * (outlook.ahead.window.end - outlook.begins)
    back = min(max(length, _LEAST_BACK[step]), _MOST_BACK[step])
    frame = outlook.histories.frame
    frame = frame[frame["unique_id"].isin(outlook.ids)]
    sums = frame.groupby("ds")["y"].sum()
    return points((m, v) for m, v in ((outlook.moment(s), v) for s, v in sums.items()) if m >= outlook.begins - back)  # type: ignore[arg-type]


def _ahead(outlook: Outlook) -> tuple[list[pd.Timestamp], list[float], tuple[Band, ...]]:
    """Stamps up to the window's end with the expected sum and its intervals."""
    frame = outlook.panel.frame
    end = outlook.ahead.window.end
    stamps = [stamp for stamp in sorted(frame["ds"].unique()) if outlook.moment(pd.Timestamp(stamp)) < end]
    step = pd.Timedelta(hours=1) if outlook.histories.step == "hour" else pd.Timedelta(days=1)
    totals = [outlook.panel.total(stamp, stamp + step) for stamp in stamps]
    times = tuple(outlook.moment(stamp) for stamp in stamps)
    bands = tuple(
        Band(
            level=level,
            time=times,
            lo=tuple(total.intervals[level][0] for total in totals),
            hi=tuple(total.intervals[level][1] for total in totals),
        )
        for level in sorted(LEVELS, reverse=True)
    )
    return stamps, [total.mean for total in totals], bands if stamps else ()


def _alt(name: str, unit: Unit, outlook: Outlook, history: tuple[Point, ...], forecast: tuple[Point, ...]) -> str:
    step = outlook.histories.step
    past = f"{spoken(_mean(history), unit)} a {step} on average up to {_day(outlook.begins)}"
    if not forecast:
        return f"Line chart. {name} by {step}, {outlook.histories.tz}: {past}."
    coming = f"about {spoken(_mean(forecast), unit)} a {step} from there to {_day(outlook.ahead.window.end)}"
    return (
        f"Line chart with a forecast. {name} by {step}, {outlook.histories.tz}: {past}; then expected {coming}, "
        "inside bands of 80 and 95 percent."
    )


def _mean(values: tuple[Point, ...]) -> float:
    return float(np.mean([point.value for point in values])) if values else 0.0


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"
