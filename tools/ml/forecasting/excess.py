"""From medians of days to their means: what odd days add to a sum, and no median says.

A robust forecast of a warehouse is right on most days and too low by what the others cost. Over the past that excess is
the mean distance of the days from the running level around them. Where it comes back week after week (a warehouse that
is idle on most days), it is the series' own and is given back to it. Where it came from a few excursions, a quarter
cannot tell whose turn is next: the panel's sum of it is laid on all series by the variance of their usual days, as
forecasts are reconciled with a total by weighted least squares (Wickramasuriya, Athanasopoulos and Hyndman 2019, with a
diagonal matrix). That makes the total right, and moves each series by a small part of its own noise.
"""

from __future__ import annotations

import warnings

import numpy as np
import numpy.typing as npt

from tools.ml.forecasting.excursions import expected

__all__ = ["with_excess"]

Floats = npt.NDArray[np.float64]

_WEEK = 7
_WEEKS = 12
_LEAST_WEEKS = 3
_SURE = 2.0
"""Standard errors (of weekly means) from which on an excess counts as the series' own, the more the further."""
_MOST = 0.15
"""Of a series' level: what it can lay on the panel, or take from it. One wild week must not price the next month."""
_TO_SIGMA = 1.4826


def with_excess(median: Floats, past: Floats, unit: Floats) -> Floats:
    """Means (series, steps) in units of the series.

    Args:
        median: (series, steps), in units.
        past: daily values (series, time) in units, calendar effects divided out, NaN before a series begins.
        unit: (series,): what makes the series comparable; the panel's sum is a sum of the same thing.
    """
    level, excess, sure, scatter = _told(past)
    own = sure * excess
    shared = np.clip((1 - sure) * excess, -_MOST * level, _MOST * level) * unit
    weight = (scatter * unit) ** 2
    laid = np.divide(shared.sum() * weight, weight.sum() * unit, out=np.zeros_like(unit), where=weight.sum() > 0)
    size = np.abs(median).mean(axis=1, keepdims=True)
    shape = np.divide(np.abs(median), size, out=np.ones_like(median), where=size > 0)
    return np.asarray(median + (own + laid)[:, None] * shape)


def _told(past: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """(series,) each, in units a day: level, mean excess over it, how sure that is (0 to 1), scatter of usual days."""
    usual = expected(past)[:, -_WEEKS * _WEEK :]
    apart = past[:, -_WEEKS * _WEEK :] - usual
    short = -apart.shape[1] % _WEEK
    weeks = np.concatenate([np.full((len(past), short), np.nan), apart], axis=1).reshape(len(past), -1, _WEEK)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        level = np.nan_to_num(np.nanmean(np.abs(usual), axis=1))
        excess = np.nan_to_num(np.nanmean(apart, axis=1))
        scatter = np.nan_to_num(_TO_SIGMA * np.nanmedian(np.abs(apart), axis=1))
        weekly = np.where(np.isfinite(weeks).all(axis=2), np.mean(weeks, axis=2), np.nan)
        count = np.isfinite(weekly).sum(axis=1)
        error = np.nan_to_num(np.nanstd(weekly, axis=1)) / np.sqrt(np.maximum(count - 1, 1))
    ratio = np.divide(_SURE * error, np.abs(excess), out=np.ones_like(excess), where=excess != 0)
    sure = np.where(count >= _LEAST_WEEKS, np.maximum(1 - ratio**2, 0.0), 0.0)
    return level, np.where(count >= _LEAST_WEEKS, excess, 0.0), sure, scatter
