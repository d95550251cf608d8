"""Intervals that hold: conformal scaling of predicted quantiles by errors out of time.

A row's score is how far the actual value lies beyond the median, in units of the distance from the median to the
predicted bound on its side. The interval is stretched by the quantile of the scores that gives the wanted coverage
(conformalised quantile regression, Romano, Patterson and Candes 2019, in its scaled form). Each series' own factor is
shrunk towards the panel's: its errors at few origins are too alike to speak alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from tools.ml.forecasting.network import QUANTILES

__all__ = ["Stretch", "band", "calibrated"]

Floats = npt.NDArray[np.float64]

_OWN = 1500.0
"""Rows of a series' own that weigh as much as the panel's view. Many, since rows of one origin err together."""
_LIMIT = 8.0
_DAYS_SHORT = 4.0
"""By so many days the finite-sample correction falls short of them: it is large for one series, nothing for a panel."""


@dataclass(frozen=True)
class Stretch:
    """level -> (series,) factor on the distance from the median."""

    factors: dict[int, Floats]


def band(quantiles: Floats, level: int) -> tuple[Floats, Floats]:
    """Bounds of a level from the predicted quantiles, by the normal scale between and beyond them."""
    place = [NormalDist().inv_cdf(q) for q in QUANTILES]
    z = NormalDist().inv_cdf(0.5 + level / 200)
    middle = quantiles[..., 2]
    inner, outer = place[3], place[4]
    share = (z - inner) / (outer - inner)

    def reach(near: Floats, far: Floats) -> Floats:
        if z <= inner:
            return np.asarray(near * z / inner)
        return np.asarray(np.maximum(near + share * (far - near), near))

    low = middle - reach(middle - quantiles[..., 1], middle - quantiles[..., 0])
    high = middle + reach(quantiles[..., 3] - middle, quantiles[..., 4] - middle)
    return low, high


def calibrated(actual: Floats, quantiles: Floats, levels: Sequence[int], days: float) -> Stretch:
    """Factors from backtest rows: actual (series, rows), NaN where unknown; quantiles (series, rows, quantiles).

    `days`: how many short seasons the rows of a series span. Errors of one day go together, so that the correction for
    few scores counts days, not rows.
    """
    factors, before = {}, np.zeros(len(actual))
    for level in sorted(levels):
        scores = _scores(actual, quantiles, level)
        found = np.clip(_factors(scores, level / 100, days), 1 / _LIMIT, _LIMIT)
        factors[level] = found
        before = np.maximum(before, found)
    return Stretch(factors)


def _scores(actual: Floats, quantiles: Floats, level: int) -> Floats:
    low, high = band(quantiles, level)
    middle = quantiles[..., 2]
    size = 1e-3 * np.nanmean(np.abs(actual), axis=1, keepdims=True) if np.isfinite(actual).any() else 0.0
    over = (actual - middle) / np.maximum(high - middle, size + 1e-12)
    under = (middle - actual) / np.maximum(middle - low, size + 1e-12)
    return np.where(actual >= middle, over, under)


def _factors(scores: Floats, share: float, days: float) -> Floats:
    known = np.isfinite(scores)
    if not known.any():
        return np.ones(len(scores))
    common = _quantile(scores[known], share)
    logs = np.zeros(len(scores))
    for row in range(len(scores)):
        own = scores[row][known[row]]
        if len(own) >= 5:
            weight = len(own) / (len(own) + _OWN)
            logs[row] = weight * np.log(max(_quantile(own, share), 0.05) / max(common, 0.05))
    relative = scores / np.exp(logs)[:, None]
    seen = max(float(known.any(axis=1).sum()) * days, 1.0)
    return np.asarray(np.exp(logs) * _quantile(relative[known], 1 - (1 - share) * seen / (seen + _DAYS_SHORT)))


def _quantile(values: Floats, share: float) -> float:
    return float(np.quantile(values, share))
