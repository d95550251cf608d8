"""Sums over the last few slots of a panel, each kept by adding what comes and taking away what leaves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tools.ml.anomaly.checks import Floats

__all__ = ["Scales", "Sums", "scales"]


_ENOUGH = 8


@dataclass(frozen=True)
class Scales:
    """Lengths of the windows in slots, by what is looked for."""

    up: tuple[int, ...]
    down: tuple[int, ...]
    unrest: tuple[int, ...]

    @property
    def longest(self) -> int:
        return max(*self.up, *self.down, *self.unrest)


def scales(per_day: int) -> Scales:
    """One slot to a week; unrest takes a dozen values to see, so two and four weeks where a day is one."""

    def lengths(*hours: int) -> tuple[int, ...]:
        return tuple(sorted({max(1, round(hour * per_day / 24)) for hour in hours}))

    unrest = lengths(24, 72) if per_day >= _ENOUGH else (14 * per_day, 28 * per_day)
    return Scales(lengths(1, 3, 8, 24, 72, 168), lengths(24, 72, 168), unrest)


class Sums:
    """Sums of one quantity over several window lengths. A series' past may be taken out of its sums."""

    def __init__(self, series: int, lengths: tuple[int, ...]) -> None:
        self.lengths = lengths
        self.size = max(lengths)
        self.ring: Floats = np.zeros((self.size, series))
        self.sums: Floats = np.zeros((series, len(lengths)))
        self.at = 0

    def push(self, values: Floats) -> None:
        for column, length in enumerate(self.lengths):
            self.sums[:, column] += values - self.ring[(self.at - length) % self.size]
        self.ring[self.at % self.size] = values
        self.at += 1
        if self.at % self.size == 0:
            self._again(slice(None))

    def last(self, count: int, series: int) -> Floats:
        """The last `count` values of one series, oldest first."""
        rows = np.arange(self.at - min(count, self.size), self.at) % self.size
        return np.asarray(self.ring[rows, series])

    def clear(self, series: int, count: int) -> None:
        """The last `count` values of one series count as zero from now on."""
        self.ring[np.arange(self.at - min(count, self.size), self.at) % self.size, series] = 0.0
        self._again(series)

    def _again(self, series: int | slice) -> None:
        """Sum afresh: rounding does not pile up."""
        for column, length in enumerate(self.lengths):
            rows = np.arange(self.at - length, self.at) % self.size
            self.sums[series, column] = self.ring[rows][:, series].sum(axis=0)
