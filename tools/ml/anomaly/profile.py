"""What a series does at this time of day and week: expected value and spread, learnt online, for a whole panel.

Two experts answer for each slot: the last five values of the same hour of the week, and the last ten of the same hour
on days of the same sort (working, or weekend and holiday). Each is a mean without the largest and the smallest, which
one odd day cannot move and which, unlike a median, is right on the average for hours that are idle more often than
not. The one that erred less lately is believed.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tools.ml.anomaly.checks import Floats

__all__ = ["Profile"]

_WEEKS, _DAYS_BACK = 5, 10
_ERROR_MEMORY = 0.02
_SLOT_MEMORY = 0.15
_WHOLE_MEMORY = 0.01
_CLIP = 4.0
_OWN = 0.7
_LEAST_SHARE = 0.02
_WEEK_MUST_GAIN = 0.95

Bools = npt.NDArray[np.bool_]


class Profile:
    """State of `series` series with `per_day` slots a day; arrays hold one row (or one plane) a series."""

    def __init__(self, series: int, per_day: int) -> None:
        self.weeks: Floats = np.full((7 * per_day, series, _WEEKS), np.nan)
        self.days: Floats = np.full((2 * per_day, series, _DAYS_BACK), np.nan)
        self.week_at: npt.NDArray[np.int64] = np.zeros((7 * per_day, series), dtype=np.int64)
        self.day_at: npt.NDArray[np.int64] = np.zeros((2 * per_day, series), dtype=np.int64)
        self.week_error: Floats = np.zeros(series)
        self.day_error: Floats = np.zeros(series)
        self.slot_square: Floats = np.full((2 * per_day, series), np.nan)
        self.square: Floats = np.zeros(series)
        self.level: Floats = np.zeros(series)
        self.learnt: npt.NDArray[np.int64] = np.zeros(series, dtype=np.int64)
        self.per_day = per_day

    def expected(self, slot: int, weekday: int, off: bool) -> tuple[Floats, Floats, Floats]:
        """Expected value (NaN where nothing is known) and the two experts' own answers."""
        week = _trimmed(self.weeks[weekday * self.per_day + slot], self.week_at[weekday * self.per_day + slot])
        row = self._row(slot, off)
        day = _trimmed(self.days[row], self.day_at[row])
        better = np.isfinite(week) & (~np.isfinite(day) | (self.week_error < _WEEK_MUST_GAIN * self.day_error))
        return np.where(better, week, day), week, day

    def spread(self, slot: int, off: bool) -> Floats:
        """Root of the mean square residual of this slot, drawn towards that of all slots; above zero."""
        own = self.slot_square[self._row(slot, off)]
        mixed = np.where(np.isfinite(own), _OWN * own + (1 - _OWN) * self.square, self.square)
        return np.maximum(np.sqrt(mixed), _LEAST_SHARE * self.level + 1e-300)

    def learn(
        self, slot: int, weekday: int, off: bool, y: Floats, experts: tuple[Floats, Floats, Floats], mask: Bools
    ) -> None:
        """Remember the values of the series in `mask` as ordinary."""
        expected, week, day = experts
        row = self._row(slot, off)
        both = mask & np.isfinite(week) & np.isfinite(day)
        self.week_error[both] += _ERROR_MEMORY * (np.abs(y - week) - self.week_error)[both]
        self.day_error[both] += _ERROR_MEMORY * (np.abs(y - day) - self.day_error)[both]
        residual = np.fmin(np.abs(y - week), np.abs(y - day))
        self._spread_learns(row, slot, off, residual, mask & np.isfinite(expected))
        self.learnt += mask
        gain = np.maximum(_WHOLE_MEMORY / 2, 1 / np.maximum(self.learnt, 1))
        self.level[mask] += (gain * (np.abs(y) - self.level))[mask]
        at = np.flatnonzero(mask)
        self._put(row, weekday * self.per_day + slot, y[at], at)

    def _spread_learns(self, row: int, slot: int, off: bool, residual: Floats, known: Bools) -> None:
        started = known & (self.square > 0)
        limit = np.where(started, _CLIP * self.spread(slot, off), np.inf)
        square = np.minimum(np.abs(residual), limit) ** 2
        own = self.slot_square[row]
        first = known & ~np.isfinite(own)
        again = known & ~first
        own[first] = np.maximum(square, self.square)[first]
        own[again] += _SLOT_MEMORY * (square - own)[again]
        gain = np.maximum(_WHOLE_MEMORY, 1 / np.maximum(self.learnt, 1))
        self.square[known] += (gain * (square - self.square))[known]

    def _put(self, row: int, week_row: int, values: Floats, at: npt.NDArray[np.int64]) -> None:
        self.weeks[week_row, at, self.week_at[week_row, at] % _WEEKS] = values
        self.week_at[week_row, at] += 1
        self.days[row, at, self.day_at[row, at] % _DAYS_BACK] = values
        self.day_at[row, at] += 1

    def learn_week(self, slot: int, weekday: int, y: Floats, mask: Bools) -> None:
        """Odd values too, so that what turns out to come every week is expected from its third time on."""
        at = np.flatnonzero(mask)
        row = weekday * self.per_day + slot
        self.weeks[row, at, self.week_at[row, at] % _WEEKS] = y[at]
        self.week_at[row, at] += 1

    def relearn(self, series: int, places: Sequence[tuple[int, int, bool]], values: Floats) -> None:
        """Begin anew for one series: these values, oldest first, are what is usual now.

        Args:
            places: slot, weekday and whether the day is off, one a value.
        """
        self.weeks[:, series] = self.days[:, series] = np.nan
        self.week_at[:, series] = self.day_at[:, series] = 0
        one = np.array([series])
        for (slot, weekday, off), value in zip(places, values.tolist(), strict=True):
            self._put(self._row(slot, off), weekday * self.per_day + slot, np.array([value]), one)
        if values.size:
            level = float(np.abs(values).mean())
            grown = max(1.0, level / max(self.level[series], 1e-300)) ** 2
            self.square[series] *= grown
            self.slot_square[:, series] *= grown
            self.level[series] = level

    def _row(self, slot: int, off: bool) -> int:
        return int(off) * self.per_day + slot


def _trimmed(ring: Floats, put: npt.NDArray[np.int64]) -> Floats:
    """Mean without the extremes of each row's values; plain mean of two; NaN of fewer."""
    count = np.minimum(put, ring.shape[1])
    there = np.isfinite(ring)
    values = np.where(there, ring, 0.0)
    total = values.sum(axis=1)
    high = np.where(there, ring, -np.inf).max(axis=1)
    low = np.where(there, ring, np.inf).min(axis=1)
    many = count >= 3
    with np.errstate(invalid="ignore"):
        inner = total - np.where(many, high + low, 0.0)
    return np.where(count >= 2, inner / np.maximum(count - np.where(many, 2, 0), 1), np.nan)
