"""What one slot says about every series of a panel: residual, its sums over windows, and how rare those are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tools.ml.anomaly.checks import Floats
from tools.ml.anomaly.clock import Moment
from tools.ml.anomaly.extremes import Extremes
from tools.ml.anomaly.profile import Profile
from tools.ml.anomaly.windows import Sums, scales

__all__ = ["Panel", "Signals"]

_LOW, _HIGH = -5.0, 6.0
_UNREST_LIMIT = 16.0
_MONTH_END_FACTOR = 2.5
_MONTH_END_AGAIN = 1.3
_FIRST_DAYS = 4
_LEAST_SCALE = 0.5

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Signals:
    """One element, or one row, a series."""

    known: Bools
    y: Floats
    expected: Floats
    spread: Floats
    z: Floats
    """Residual in spreads, as excused by the calendar; 0 where nothing is known."""
    rates: Floats
    """Days a day that reach each statistic by chance: columns up, down, unrest."""


class Panel:
    """State of `series` series; `see` takes one slot of all, `learn` accepts it as ordinary where told so."""

    def __init__(self, series: int, per_day: int) -> None:
        self.series, self.per_day = series, per_day
        self.scales = scales(per_day)
        lengths = (*self.scales.up, *self.scales.down, *self.scales.unrest)
        self.lengths = tuple(sorted(set(lengths)))
        self.columns = np.array([self.lengths.index(length) for length in lengths])
        self.signs = np.array([1.0] * len(self.scales.up) + [-1.0] * len(self.scales.down) + [0.0] * 2)
        # The least scale is a part of what a sum of independent slots would have.
        self.extremes = Extremes(series, _LEAST_SCALE * np.sqrt(np.array(lengths, dtype=float)))
        self.profile = Profile(series, per_day)
        self.z, self.unrest = Sums(series, self.lengths), Sums(series, self.lengths)
        self.excess, self.actual = Sums(series, self.lengths), Sums(series, self.lengths)
        self.close_peak: Floats = np.zeros(series)
        self.slots: npt.NDArray[np.int64] = np.zeros(series, dtype=np.int64)

    def see(self, moment: Moment, y: Floats, active: Bools) -> tuple[Signals, tuple[Floats, Floats, Floats]]:
        """The signals of a slot, and the experts' answers that `learn` wants back.

        Args:
            y: NaN where a series has no value.
            active: series with an episode under way; their sums stand still.
        """
        experts = self.profile.expected(moment.slot, moment.weekday, moment.off)
        expected = experts[0]
        there = np.isfinite(y)
        known = there & np.isfinite(expected)
        expected = np.where(known, expected, np.where(there, y, 0.0))
        y = np.where(there, y, expected)
        spread = self.profile.spread(moment.slot, moment.off)
        z = np.where(known, self._excused(moment, y, expected) / spread, 0.0)
        self._push(z, y, expected, spread, known & ~active)
        statistics = self._statistics(z, active)
        self.extremes.see(statistics, ~active & (not moment.excused))
        self.slots += there
        signals = Signals(known, y, expected, spread, z, self.extremes.rates(statistics))
        if moment.slot == self.per_day - 1:
            self.extremes.end_block(self.slots >= _FIRST_DAYS * self.per_day)
        return signals, experts

    def _excused(self, moment: Moment, y: Floats, expected: Floats) -> Floats:
        """The residual, less what the calendar accounts for."""
        residual = y - expected
        if moment.job:
            return np.zeros_like(residual)
        if moment.month_end:
            allowed = np.maximum(
                _MONTH_END_FACTOR * np.maximum(expected, self.profile.level), _MONTH_END_AGAIN * self.close_peak
            )
            residual = np.where(residual > 0, np.maximum(y - allowed, 0.0), residual)
            np.maximum(self.close_peak, np.where(y > allowed, 0.0, y), out=self.close_peak)
        if moment.holiday:
            workday = self.profile.expected(moment.slot, moment.weekday, False)[0]
            residual = np.maximum(y - np.fmax(workday, expected), 0.0)
        return residual

    def _push(self, z: Floats, y: Floats, expected: Floats, spread: Floats, counts: Bools) -> None:
        clipped = np.where(counts, np.clip(z, _LOW, _HIGH), 0.0)
        self.z.push(clipped)
        self.unrest.push(np.where(counts, np.minimum(clipped * clipped, _UNREST_LIMIT), 0.0))
        self.excess.push(np.where(counts, z * spread, 0.0))
        self.actual.push(np.where(counts, y, 0.0))

    def _statistics(self, z: Floats, active: Bools) -> Floats:
        statistics = self.z.sums[:, self.columns] * self.signs
        statistics[:, -2:] = self.unrest.sums[:, self.columns[-2:]]
        # One slot alone is not clipped: the larger the spike, the surer.
        statistics[:, 0] = np.where(active, 0.0, z)
        return statistics

    def learn(self, moment: Moment, signals: Signals, experts: tuple[Floats, Floats, Floats], mask: Bools) -> None:
        if not moment.excused:
            self.profile.learn(moment.slot, moment.weekday, moment.off, signals.y, experts, mask)

    def take_out(self, series: int, count: int) -> None:
        """The last slots of a series belong to an episode: they no longer pile up."""
        for sums in (self.z, self.unrest, self.excess, self.actual):
            sums.clear(series, count)
