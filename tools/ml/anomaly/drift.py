"""Growth that no single day shows: each day's total against the same weekday one, two and three weeks before.

A seasonal profile follows a slow drift and so never sees it. Four weeks of day totals do: drift is said where every
week moved the same way, the three weeks together by at least half, and by many times what the weekdays scatter.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tools.ml.anomaly.checks import Floats

__all__ = ["DAYS", "Drift", "Drifts"]

DAYS = 21
_KEPT = 28
_EACH_WEEK = 0.05
_ALTOGETHER = float(np.log(1.5))
_FEWEST_A_WEEK = 4
_SLACK = 0.05
_SURE = 7.0

Bools = npt.NDArray[np.bool_]


class Drift(NamedTuple):
    direction: int
    confidence: float
    """0.5 where the growth is seven times its standard error."""
    base: float
    """Mean day total of the week three weeks ago."""
    total: float
    """Sum over the 21 days since, those left out being taken as the mean of the others."""


class Drifts:
    def __init__(self, series: int) -> None:
        self.days: Floats = np.full((series, _KEPT), np.nan)
        self.today: Floats = np.zeros(series)
        self.slots: npt.NDArray[np.int64] = np.zeros(series, dtype=np.int64)

    def see(self, y: Floats, known: Bools, counts: Bools) -> None:
        self.today += np.where(known, y, 0.0)
        self.slots += known & counts

    def end_day(self, per_day: int) -> None:
        """A day that was excused, or mostly missing, counts as unknown."""
        total = np.where(self.slots >= 0.8 * per_day, self.today, np.nan)
        self.days = np.concatenate([self.days[:, 1:], total[:, None]], axis=1)
        self.today = np.zeros_like(self.today)
        self.slots = np.zeros_like(self.slots)

    def forget(self, series: int) -> None:
        self.days[series] = np.nan

    def found(self) -> dict[int, Drift]:
        """Rows that drift, as of the last whole day."""
        slack = _SLACK * np.nan_to_num(np.abs(self.days)).mean(axis=1, keepdims=True) + 1e-300
        logs = np.log(np.maximum(self.days, 0.0) + slack)
        steps = logs[:, 7:] - logs[:, :-7]
        weeks = steps.reshape(len(steps), 3, 7)
        counts = np.isfinite(weeks).sum(axis=2)
        means = np.nansum(weeks, axis=2) / np.maximum(counts, 1)
        total = means.sum(axis=1)
        rows = (counts >= _FEWEST_A_WEEK).all(axis=1) & (np.abs(total) >= _ALTOGETHER)
        rows &= (means * np.sign(total)[:, None] >= _EACH_WEEK).all(axis=1)
        return {row: self._judged(row, steps[row], float(total[row])) for row in np.flatnonzero(rows).tolist()}

    def _judged(self, row: int, steps: Floats, total: float) -> Drift:
        # A day total stands in two steps, and each week's mean in seven days of them.
        scatter = float(np.nanstd(steps)) / np.sqrt(2)
        surety = abs(total) / max(scatter * np.sqrt(2 / 7), 1e-9)
        first, since = self.days[row, :7], self.days[row, 7:]
        return Drift(
            direction=1 if total > 0 else -1,
            confidence=surety / (surety + _SURE),
            base=float(np.nanmean(first)),
            total=float(np.nanmean(since)) * DAYS,
        )
