"""What a usual week is, told by medians: the forecast for days that scatter, with an odd one now and then.

A day's level is a median over the same weekdays of the last eight weeks and over the weekdays that do not differ from
it: eight Mondays tell a Monday badly, forty working days tell it well. Which weekdays are alike is read from the
values: another weekday counts by how likely the difference of the two medians is by chance (a Gaussian kernel on it, in
standard errors). The week is then moved by the median of the last two weeks against it, so that an excursion of less
than a week moves little, and a level that most of those days share counts in full.
"""

from __future__ import annotations

import warnings

import numpy as np
import numpy.typing as npt

__all__ = ["steady"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_WEEK = 7
_WEEKS = 8
_RECENT = 14
_ALIKE = 1.5
"""Standard errors by which two weekdays may differ and still speak for each other."""
_MEDIAN_ERROR = 1.2533
"""Standard error of a median of normal values, over that of their mean."""
_TO_SIGMA = 1.4826
_SMALL = 0.05
"""Of the week's mean: days below it are not divided by their own level."""
_LEAST, _MOST = -0.95, 5.0
"""How far a day is from its level, as a share of it, is cut here."""


def steady(past: Floats, steps: Ints) -> Floats:
    """(series, steps) from daily values (series, time; NaN only before a series begins)."""
    recent = _last(past, _WEEKS * _WEEK)
    week = _usual_week(recent.reshape(len(past), _WEEKS, _WEEK))
    moved = week + np.abs(week) * np.expm1(_move(recent[:, -_RECENT:], week))[:, None]
    return np.asarray(moved[:, (steps - 1) % _WEEK])


def _last(past: Floats, width: int) -> Floats:
    """The last `width` columns, NaN where there are not so many."""
    short = max(width - past.shape[1], 0)
    return np.concatenate([np.full((len(past), short), np.nan), past[:, -width:]], axis=1)


def _usual_week(weeks: Floats) -> Floats:
    """(series, places in the week) from (series, weeks, places)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a place that a young series has not seen is all NaN
        own = np.nanmedian(weeks, axis=1)
        spread = _TO_SIGMA * np.nanmedian(np.abs(weeks - own[:, None]), axis=1)
        spread = (spread + np.sqrt(np.nanmean(spread**2, axis=1, keepdims=True))) / 2
        whole = np.nanmedian(weeks.reshape(len(weeks), -1), axis=1, keepdims=True)
    known = np.isfinite(weeks)
    variance = (_MEDIAN_ERROR * spread) ** 2 / np.maximum(known.sum(axis=1), 1)
    apart = (own[:, :, None] - own[:, None, :]) ** 2
    width = _ALIKE**2 * (variance[:, :, None] + variance[:, None, :])
    alike = np.exp(-0.5 * np.divide(apart, width, out=np.where(apart > 0, np.inf, 0.0), where=width > 0))
    values = weeks.reshape(len(weeks), -1)
    pooled = [_weighted_median(values, np.where(known, alike[:, None, :, place], 0.0)) for place in range(_WEEK)]
    found = np.stack(pooled, axis=1)
    return np.asarray(np.where(np.isfinite(own) & np.isfinite(found), found, whole))


def _weighted_median(values: Floats, weight: Floats) -> Floats:
    """By row, between the two values where half of the weight is reached. `weight`: (series, weeks, places)."""
    order = np.argsort(values, axis=1)  # NaN comes last, with no weight
    ranked = np.take_along_axis(values, order, axis=1)
    share = np.take_along_axis(weight.reshape(values.shape), order, axis=1)
    middle = np.cumsum(share, axis=1) - share / 2
    half = share.sum(axis=1, keepdims=True) / 2
    above = np.argmax((middle >= half) & (share > 0), axis=1)[:, None]
    below = np.maximum(above - 1, 0)
    low, high = (np.take_along_axis(middle, place, axis=1) for place in (below, above))
    at = np.divide(half - low, high - low, out=np.ones_like(half), where=high > low)
    one, other = (np.take_along_axis(ranked, place, axis=1) for place in (below, above))
    return np.asarray((one + np.clip(at, 0, 1) * (other - one))[:, 0])


def _move(recent: Floats, week: Floats) -> Floats:
    """Median logarithm of the last days over the usual week: (series,)."""
    usual = np.tile(week, (1, _RECENT // _WEEK))
    size = np.maximum(np.abs(usual), _SMALL * np.abs(week).mean(axis=1, keepdims=True))
    share = np.divide(recent - usual, size, out=np.zeros_like(recent), where=size > 0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        middle = np.nanmedian(np.log1p(np.clip(share, _LEAST, _MOST)), axis=1)
    return np.asarray(np.nan_to_num(middle))
