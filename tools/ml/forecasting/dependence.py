"""How errors go together, measured on backtest rows: over time within a series, and across series at one time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Dependence", "dependence"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_FAR = 4.0
_PRIOR_OVER_TIME = 0.3
_PRIOR_ACROSS = 0.1
_PRIOR_WEIGHT = 3.0
"""Prior series-folds, for panels that can tell little."""


@dataclass(frozen=True)
class Dependence:
    over_time: Floats
    across: float
    stretch: float


def dependence(errors: Floats, spread: Floats, fold: Ints) -> Dependence:
    """From errors and predicted standard deviations (series, rows) and the fold of each row; NaN where unknown."""
    z = np.clip(np.divide(errors, spread, out=np.zeros_like(errors), where=spread > 0), -_FAR, _FAR)
    known = np.isfinite(errors) & (spread > 0)
    z = np.where(known, z, 0.0)
    folds = [fold == k for k in np.unique(fold)]
    paths = [z[:, rows] for rows in folds]
    over_time = _over_time(paths, [known[:, rows] for rows in folds])
    across = _across(paths)
    return Dependence(over_time, across, _stretch(paths, over_time))


def _over_time(paths: list[Floats], known: list[npt.NDArray[np.bool_]]) -> Floats:
    longest = max((path.shape[1] for path in paths), default=1)
    reach = max(longest * 2 // 3, 1)
    products, weights = np.zeros(reach), np.zeros(reach)
    for path, seen in zip(paths, known, strict=True):
        size = 1 << (2 * path.shape[1]).bit_length()
        lags = min(reach, path.shape[1])
        products[:lags] += _autocovariance(path, size)[:lags]
        weights[:lags] += _autocovariance(seen.astype(np.float64), size)[:lags]
    mean = np.divide(products, weights, out=np.zeros(reach), where=weights > 0)
    own = mean / mean[0] if mean[0] > 0 else np.full(reach, _PRIOR_OVER_TIME)
    evidence = sum(int(seen.any(axis=1).sum()) for seen in known)
    mixed = (evidence * own + _PRIOR_WEIGHT * _PRIOR_OVER_TIME) / (evidence + _PRIOR_WEIGHT)
    mixed[0] = 1.0
    mixed = np.clip(mixed, 0.0, 1.0)
    if reach > 8:  # far lags are few: what stands for all beyond is the mean of the last quarter
        mixed[-1] = float(mixed[-(reach // 4) :].mean())
    return mixed


def _autocovariance(rows: Floats, size: int) -> Floats:
    """Sum over the rows of x_t x_(t+lag), by lag."""
    power = (np.abs(np.fft.rfft(rows, size, axis=1)) ** 2).sum(axis=0)
    return np.asarray(np.fft.irfft(power, size))


def _across(paths: list[Floats]) -> float:
    """Mean product of two series' standardised errors at one time, over the mean square."""
    pairs, squares, count = 0.0, 0.0, 0
    for path in paths:
        series = path.shape[0]
        own = float((path**2).sum())
        pairs += float((path.sum(axis=0) ** 2).sum()) - own
        squares += own * (series - 1)
        count += 1 if series > 1 else 0
    if squares <= 0:
        return _PRIOR_ACROSS
    found = pairs / squares
    mixed = (count * found + _PRIOR_WEIGHT * _PRIOR_ACROSS / 3) / (count + _PRIOR_WEIGHT / 3)
    return float(np.clip(mixed, 0.0, 0.95))


def _stretch(paths: list[Floats], over_time: Floats) -> float:
    """Scatter of whole-path sums over what the correlation says it should be."""
    observed, expected, paths_seen = 0.0, 0.0, 0
    for path in paths:
        width = path.shape[1]
        lags = np.minimum(np.arange(width), len(over_time) - 1)
        variance = width + 2 * float(((width - np.arange(1, width)) * over_time[lags[1:]]).sum())
        moving = (path != 0).any(axis=1)
        observed += float((path[moving].sum(axis=1) ** 2).sum())
        expected += variance * int(moving.sum())
        paths_seen += int(moving.sum())
    if expected <= 0:
        return 1.0
    ratio = (observed + _PRIOR_WEIGHT * expected / paths_seen) / (expected + _PRIOR_WEIGHT * expected / paths_seen)
    return float(np.clip(np.sqrt(ratio), 0.7, 2.0))
