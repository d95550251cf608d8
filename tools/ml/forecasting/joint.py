"""Errors that go together: the spread of a sum of forecasts.

Each row's error is a standard deviation times a standardised error. Standardised errors of one series are correlated
over time (a level that is missed is missed for the whole horizon), and those of different series are correlated at the
same time. Both correlations are measured on backtest paths, pooled over the panel, since one series has too few origins
to tell. The variance of a sum follows; the sum of many rows is taken as normal, one row keeps its own band.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

__all__ = ["Joint"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Joint:
    """Parallel to the rows of a forecast frame, unless said otherwise."""

    series: Ints
    """Which series the row belongs to."""
    slot: Ints
    """Which time it is for, counted in steps from a common zero, so that rows of different series can share one."""
    spread: Floats
    """Standard deviation of the row's error, in the unit of the series."""
    bands: dict[int, tuple[Floats, Floats]]
    """level -> (low, high)."""
    over_time: Floats
    """Correlation of a series' errors by their distance in slots; the last value stands for all that are further."""
    across: float
    """Correlation of different series' errors at the same time."""
    floor: Floats
    """The least a row can be (-inf where nothing bounds it)."""
    ceiling: Floats
    stretch: float = 1.0
    """What backtests of sums say the standard deviation must be multiplied by."""

    @staticmethod
    def none() -> Joint:
        """Of a forecast without rows."""
        nothing, whole = np.zeros(0), np.zeros(0, dtype=np.int64)
        return Joint(whole, whole, nothing, {}, np.ones(1), 0.0, nothing, nothing)

    def intervals(self, rows: Ints, mean: float) -> dict[int, tuple[float, float]]:
        if len(rows) == 1:
            row = int(rows[0])
            return {level: (float(low[row]), float(high[row])) for level, (low, high) in self.bands.items()}
        deviation = self.deviation(rows)
        least, most = float(self.floor[rows].sum()), float(self.ceiling[rows].sum())
        out = {}
        for level in self.bands:
            half = NormalDist().inv_cdf(0.5 + level / 200) * deviation
            out[level] = (min(max(mean - half, least), mean), max(min(mean + half, most), mean))
        return out

    def probability_above(self, amount: float, rows: Ints, mean: float) -> float:
        if amount >= float(self.ceiling[rows].sum()):
            return 0.0
        if amount < float(self.floor[rows].sum()):
            return 1.0
        deviation = self._single(int(rows[0]), amount, mean) if len(rows) == 1 else self.deviation(rows)
        if deviation <= 0:
            return float(mean > amount)
        return 1 - NormalDist(mean, deviation).cdf(amount)

    def _single(self, row: int, amount: float, mean: float) -> float:
        """Standard deviation of the side of a row's widest band on which the amount lies."""
        level = max(self.bands)
        edge = self.bands[level][1 if amount >= mean else 0][row]
        return abs(float(edge) - mean) / NormalDist().inv_cdf(0.5 + level / 200)

    def deviation(self, rows: Ints) -> float:
        """Standard deviation of the sum over the rows."""
        series, place = np.unique(self.series[rows], return_inverse=True)
        first = int(self.slot[rows].min())
        at = self.slot[rows] - first
        grid = np.zeros((len(series), int(at.max()) + 1))
        grid[place, at] = self.spread[rows]
        return float(np.sqrt(self._variance(grid))) * self.stretch

    def _variance(self, grid: Floats) -> float:
        """Of the sum of a (series, slots) grid of standard deviations."""
        width = grid.shape[1]
        lags = np.minimum(np.arange(width), len(self.over_time) - 1)
        correlation = self.over_time[lags]
        own = sum(_quadratic(row, correlation) for row in grid)
        together = _quadratic(grid.sum(axis=0), correlation)
        return max(own + self.across * (together - own), 0.0)


def _quadratic(weights: Floats, correlation: Floats) -> float:
    """w' R w for a Toeplitz R, by the autocorrelation of w."""
    width = len(weights)
    size = 1 << (2 * width - 1).bit_length()
    power = np.abs(np.fft.rfft(weights, size)) ** 2
    overlap = np.fft.irfft(power, size)[:width]
    return float(correlation[0] * overlap[0] + 2 * (correlation[1:width] * overlap[1:]).sum())
