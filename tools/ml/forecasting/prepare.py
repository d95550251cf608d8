"""From histories to one matrix that models can read: one unit, one regime, ordinary days, no gaps.

Units and the calendar's factors are measured on values up to a cut and applied to all, so that a backtest that starts
at the cut knows nothing of what came after. Level shifts are the exception: the past is scaled to the regime that holds
now, and a backtest does not count forecasts across a shift, which nobody could have made (`straddles`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from tools.ml.calendar import Calendar
from tools.ml.forecasting.effects import day_classes, measure, settle
from tools.ml.forecasting.regime import Shift, present_regime
from tools.ml.series import HOUR, History

__all__ = ["Prepared", "prepare"]

Floats = npt.NDArray[np.float64]

_DIGITS = 9
"""Values are rounded to so many digits of their series' unit: the same series in another unit is then the same to the
last bit, and so is its forecast."""


@dataclass(frozen=True)
class Prepared:
    """Series are aligned at their ends; NaN stands before a series begins (or before what is of use of it)."""

    values: Floats
    """(series, time), in units, adjusted, gaps filled."""
    seen: npt.NDArray[np.bool_]
    """(series, time): measured, not filled."""
    unit: Floats
    past_factor: Floats
    """(series, time): what adjusted values are multiplied by to be measured values again."""
    future_factor: Floats
    """(series, slots)."""
    shifts: list[list[Shift]]
    starts: npt.NDArray[np.int64]
    """Column of each series' first slot."""
    cut: int
    """Columns that were known."""
    end: pd.Timestamp
    """The newest local stamp of the panel."""

    def straddles(self, origin: int, places: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """(series, places): whether a level shift lies between the origin and the column of a target."""
        out = np.zeros((len(self.values), len(places)), dtype=bool)
        for row, found in enumerate(self.shifts):
            for shift in found:
                at = int(self.starts[row]) + shift.at
                out[row] |= (origin <= at) & (places >= at)
        return out


def prepare(able: list[History], slots: int, calendar: Calendar | None, held_out: int = 0) -> Prepared:
    """Lay out the panel, with the last `held_out` slots unknown to every measurement."""
    width = max(len(h.values) for h in able)
    count = len(able)
    values, seen = np.full((count, width), np.nan), np.zeros((count, width), dtype=bool)
    past, future = np.ones((count, width)), np.ones((count, slots))
    unit, shifts = np.ones(count), []
    starts = np.array([width - len(h.values) for h in able], dtype=np.int64)
    per_day = 24 if able[0].step == HOUR else 1
    for row, history in enumerate(able):
        known = max(len(history.values) - held_out, min(len(history.values), 3))
        scaled, unit[row] = _in_units(history.values, known)
        values[row, starts[row] :], found = present_regime(scaled, per_day)
        seen[row, starts[row] :] = np.isfinite(values[row, starts[row] :])
        shifts.append(found)
    if calendar is not None:
        _ordinary_days(able, values, past, future, starts, calendar, per_day, width - held_out)
    for row in range(count):
        values[row, starts[row] :] = _filled(values[row, starts[row] :], 24 if per_day == 24 else 7)
    return Prepared(values, seen, unit, past, future, shifts, starts, width - held_out, _end(able))


def _end(able: list[History]) -> pd.Timestamp:
    return max(h.first + (len(h.values) - 1) * h.step for h in able)


def _in_units(values: Floats, known: int) -> tuple[Floats, float]:
    past = np.abs(values[:known])
    past = past[np.isfinite(past) & (past > 0)]
    unit = float(np.median(past)) if len(past) else 1.0
    return np.round(values / unit, _DIGITS), unit


def _ordinary_days(
    able: list[History],
    values: Floats,
    past: Floats,
    future: Floats,
    starts: npt.NDArray[np.int64],
    calendar: Calendar,
    per_day: int,
    cut: int,
) -> None:
    """Divide the calendar's factors out of `values`; they are kept in `past` and `future`."""
    slots, effects, classes = future.shape[1], [], []
    for row, history in enumerate(able):
        local = pd.date_range(history.first, periods=len(history.values) + slots, freq=history.step)
        kind = day_classes(local, calendar)
        known = max(cut - int(starts[row]), 0)
        effects.append(measure(values[row, starts[row] : cut], local[:known], kind[:known], per_day))
        classes.append(kind)
    for row, (settled, kind) in enumerate(zip(settle(effects), classes, strict=True)):
        factors = settled.factors(kind)
        past[row, starts[row] :] = factors[:-slots]
        future[row] = factors[-slots:]
        values[row] /= past[row]


def _filled(values: Floats, season: int) -> Floats:
    """Inner and last gaps closed: by the same hour a day before or after, else by what stands nearest in time."""
    known = np.isfinite(values)
    if known.all() or not known.any():
        return values
    first = int(np.argmax(known))
    out = values.copy()
    for shift in (season, -season, 7 * season, -7 * season):
        other = _shifted(values, shift)
        hole = ~np.isfinite(out)
        hole[:first] = False
        out = np.where(hole & np.isfinite(other), other, out)
    places = np.arange(len(out))
    left = np.isfinite(out)
    out[first:] = np.interp(places[first:], places[left], out[left])
    return out


def _shifted(values: Floats, by: int) -> Floats:
    out = np.full(len(values), np.nan)
    if 0 < by < len(values):
        out[by:] = values[:-by]
    elif 0 < -by < len(values):
        out[:by] = values[-by:]
    return out
