"""How far a statistic goes on an ordinary day, and so how often it would go this far by chance.

The largest value of each day is kept for 28 ordinary days. A Gumbel law fitted to such block maxima by L-moments
(Hosking 1990; Coles 2001, chapter 3) extrapolates: what it says of a value is the chance of a day at least as high.
The statistic is its own yardstick, so dependence between hours needs no model.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tools.ml.anomaly.checks import Floats

__all__ = ["Extremes"]

_BLOCKS = 28
_LEAST_BLOCKS = 6
_DOUBT = 1.0
_EULER = 0.5772156649015329

Bools = npt.NDArray[np.bool_]


class Extremes:
    """Maxima of `floors.size` statistics of each of `series` series.

    Args:
        floors: the least scale of each statistic's law, in its own unit: 28 days say little about a calm series.
    """

    def __init__(self, series: int, floors: Floats) -> None:
        count = floors.size
        self.floors = floors
        self.running: Floats = np.full((series, count), -np.inf)
        self.spoilt: Bools = np.zeros(series, dtype=bool)
        self.maxima: Floats = np.full((series, count, _BLOCKS), np.inf)
        self.blocks: npt.NDArray[np.int64] = np.zeros(series, dtype=np.int64)
        self.place: Floats = np.zeros((series, count))
        self.scale: Floats = np.ones((series, count))

    def see(self, statistics: Floats, ordinary: Bools) -> None:
        """A slot's statistics; the day of a series that is not `ordinary` does not count."""
        np.maximum(self.running, statistics, out=self.running)
        self.spoilt |= ~ordinary

    def end_block(self, counts: Bools) -> None:
        """The day is over: keep its maxima for the series where it `counts`, and fit again."""
        good = counts & ~self.spoilt & np.isfinite(self.running).all(axis=1)
        at = np.flatnonzero(good)
        self.maxima[at, :, self.blocks[at] % _BLOCKS] = self.running[at]
        self.blocks[at] += 1
        self.running[:] = -np.inf
        self.spoilt[:] = False
        if at.size:
            self._fit(at)

    def _fit(self, at: npt.NDArray[np.int64]) -> None:
        count = np.minimum(self.blocks[at], _BLOCKS)[:, None].astype(float)
        ordered = np.sort(self.maxima[at], axis=2)
        rank = np.arange(_BLOCKS)[None, None, :]
        there = rank < count[:, :, None]
        values = np.where(there, ordered, 0.0)
        mean = values.sum(axis=2) / count
        weighted = (values * rank).sum(axis=2) / np.maximum(count * (count - 1), 1.0)
        second = np.maximum(2 * weighted - mean, 0.0)
        # Few days may all have been calm: the scale is taken larger by about its own standard error.
        doubt = 1 + _DOUBT / np.sqrt(count)
        self.scale[at] = np.maximum(second / np.log(2) * doubt, self.floors)
        self.place[at] = mean - _EULER * second / np.log(2)

    def rates(self, statistics: Floats) -> Floats:
        """Days with a value at least this high, in a day; 1 while too little was seen."""
        reduced = (statistics - self.place) / self.scale
        rate = -np.expm1(-np.exp(-np.clip(reduced, -30, 700)))
        # A law from few days is trusted less far out.
        rate = rate * (_BLOCKS / np.clip(self.blocks, 1, _BLOCKS))[:, None] ** 2
        return np.where((self.blocks >= _LEAST_BLOCKS)[:, None], rate, 1.0)
