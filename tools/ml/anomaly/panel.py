"""What one slot says about every series of a panel: residual, its sums over windows, and how rare those are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tools.ml.anomaly.checks import Floats
from tools.ml.anomaly.clock import Moment
from tools.ml.anomaly.drift import Drifts
from tools.ml.anomaly.extremes import Extremes
from tools.ml.anomaly.profile import Profile
from tools.ml.anomaly.windows import Sums, scales

__all__ = ["Panel", "Signals"]

_LOW, _HIGH = -5.0, 20.0
_UNREST_LIMIT = 16.0
_MONTH_END_UNKNOWN = 4.0
_MONTH_END_AGAIN = 2.0
_MONTH_END_LEAST = 1.2
_FIRST_DAYS = 10
_LEAST_SCALE = 0.5
_NEXT_TO_NOTHING = 0.15
_MISSING_SCALE = 0.6
_LEAST_SPREAD = 1e-9

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

    def __init__(self, series: int, per_day: int, grain: Floats | None = None) -> None:
        """`grain`: how far a slot's value may differ from another's for no reason at all, one element a series."""
        self.series, self.per_day = series, per_day
        self.grain: Floats = np.zeros(series) if grain is None else grain
        self.scales = scales(per_day)
        lengths = (*self.scales.up, *self.scales.down, *self.scales.unrest)
        self.lengths = tuple(sorted(set(lengths)))
        self.columns = np.array([self.lengths.index(length) for length in lengths])
        self.unrest_columns = np.arange(len(lengths) - len(self.scales.unrest), len(lengths))
        self.signs = np.array(
            [1.0] * len(self.scales.up) + [-1.0] * len(self.scales.down) + [0.0] * len(self.scales.unrest) + [-1.0]
        )
        """Direction of each statistic; the last one is `missing`."""
        # The least scale is a part of what a sum of independent slots would have.
        floors = _LEAST_SCALE * np.sqrt(np.array([*lengths, 1.0]))
        self.extremes = Extremes(series, floors * np.array([1.0] * len(lengths) + [_MISSING_SCALE]))
        self.missing: Floats = np.zeros(series)
        """What was expected in the slots of next to nothing that end now, in mean slots."""
        self.silent: npt.NDArray[np.int64] = np.zeros(series, dtype=np.int64)
        """How many slots those are."""
        self.profile = Profile(series, per_day)
        self.z, self.unrest = Sums(series, self.lengths), Sums(series, self.lengths)
        self.excess, self.actual = Sums(series, self.lengths), Sums(series, self.lengths)
        self.drifts = Drifts(series)
        self.before: Floats = np.zeros(series)
        self.closes: Floats = np.zeros((series, 3))
        """Of the month ends before this one: sum of values, sum of what was expected, the largest value."""
        self.closing: Floats = np.zeros((series, 3))
        """The same of the one under way."""
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
        spread = np.hypot(self.profile.spread(moment.slot, moment.off), self.grain)
        # A series that has always been 0 has no spread of its own.
        spread = np.maximum(spread, _LEAST_SPREAD * np.abs(y))
        z = np.where(known, self._excused(moment, y, experts) / spread, 0.0)
        self._push(z, y, expected, spread, known & ~active)
        self._miss(y, np.fmin(experts[1], experts[2]), z, known, active)
        statistics = self._statistics(z, active)
        self.extremes.see(statistics, ~active & (not moment.excused))
        if not moment.month_end and self.closing.any():
            largest = np.fmax(self.closes[:, 2], self.closing[:, 2])
            self.closes += self.closing
            self.closes[:, 2] = largest
            self.closing[:] = 0.0
        self.slots += there
        self.drifts.see(y, known, ~active & (not moment.excused))
        signals = Signals(known, y, expected, spread, z, self.extremes.rates(statistics))
        if moment.slot == self.per_day - 1:
            self.extremes.end_block(self.slots >= _FIRST_DAYS * self.per_day)
            self.drifts.end_day(self.per_day)
        return signals, experts

    def _excused(self, moment: Moment, y: Floats, experts: tuple[Floats, Floats, Floats]) -> Floats:
        """The residual, less what the calendar accounts for. What one of the experts expected is not odd."""
        expected, week, day = experts
        residual = _nearer(y - week, y - day)
        if moment.job:
            return np.zeros_like(residual)
        if moment.month_end:
            residual = np.where(residual > 0, np.maximum(y - self._allowed(expected), 0.0), residual)
            ordinary = residual <= 0
            total, usual, largest = self.closing.T
            seen = np.stack([total + y, usual + expected, np.fmax(largest, y)], axis=1)
            self.closing = np.where(ordinary[:, None], seen, self.closing)
        if moment.holiday:
            # Some work on a holiday, some do not: anything up to an ordinary day is fine.
            workday = self.profile.expected(moment.slot, moment.weekday, False)[2]
            most = np.fmax(np.fmax(workday, week), np.fmax(day, 0.0))
            residual = np.maximum(y - most, 0.0)
        return residual

    def _allowed(self, expected: Floats) -> Floats:
        """What an hour of a month end may take: by the month ends before, and generously in the first one."""
        total, usual, largest = self.closes.T
        known = usual > 0
        ratio = np.where(known, _MONTH_END_AGAIN * total / np.where(known, usual, 1.0), _MONTH_END_UNKNOWN)
        by_ratio = np.maximum(ratio, _MONTH_END_LEAST) * np.maximum(expected, self.profile.level)
        return np.asarray(np.maximum(by_ratio, np.where(total > _MONTH_END_LEAST * usual, largest, 0.0)))

    def _push(self, z: Floats, y: Floats, expected: Floats, spread: Floats, counts: Bools) -> None:
        clipped = np.where(counts, np.clip(z, _LOW, _HIGH), 0.0)
        self.z.push(clipped)
        # Steps from slot to slot: a day that is busy as a whole is no unrest.
        self.unrest.push(np.where(counts, np.minimum((clipped - self.before) ** 2 / 2, _UNREST_LIMIT), 0.0))
        self.before = clipped
        self.excess.push(np.where(counts, z * spread, 0.0))
        self.actual.push(np.where(counts, y, 0.0))

    def _miss(self, y: Floats, expected: Floats, z: Floats, known: Bools, active: Bools) -> None:
        """Slots with next to nothing pile up what they should have had; one with something ends them."""
        nothing = ~known | (y <= _NEXT_TO_NOTHING * expected) | (expected <= 0)
        excused = z >= 0
        more = np.where(known & ~excused, expected, 0.0) / np.maximum(self.profile.level, 1e-300)
        self.missing = np.where(nothing & ~active, self.missing + more, 0.0)
        self.silent = np.where(nothing & ~active, self.silent + 1, 0)

    def _statistics(self, z: Floats, active: Bools) -> Floats:
        statistics = np.empty((self.series, len(self.signs)))
        statistics[:, :-1] = self.z.sums[:, self.columns] * self.signs[:-1]
        statistics[:, self.unrest_columns] = self.unrest.sums[:, self.columns[self.unrest_columns]]
        statistics[:, -1] = self.missing
        # One slot alone is not clipped: the larger the spike, the surer.
        statistics[:, 0] = np.where(active, 0.0, z)
        return statistics

    def learn(
        self, moment: Moment, signals: Signals, experts: tuple[Floats, Floats, Floats], ordinary: Bools, brief: Bools
    ) -> None:
        """
        Args:
            ordinary: series whose value is as usual as not.
            brief: series in an episode so short that it might come every week.
        """
        if not moment.excused:
            self.profile.learn(moment.slot, moment.weekday, moment.off, signals.y, experts, ordinary)
            self.profile.learn_week(moment.slot, moment.weekday, signals.y, brief)

    def take_out(self, series: int, count: int) -> None:
        """The last slots of a series belong to an episode: they no longer pile up."""
        for sums in (self.z, self.unrest, self.excess, self.actual):
            sums.clear(series, count)


def _nearer(first: Floats, second: Floats) -> Floats:
    """The smaller residual of the two in size; the other one where one is unknown."""
    takes_first = ~(np.abs(second) < np.abs(first)) & np.isfinite(first)
    return np.where(takes_first, first, second)
