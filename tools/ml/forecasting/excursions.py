"""Excursions that are over: days that were unlike the days around them, and what would have been usual on them.

A poller that runs for three days, a resize that was forgotten over a weekend, a day of silence: models that learn from
such days as if they were habits say too much (or too little) for weeks. Here they are found in what is known at an
origin, and only where they ended: an excursion that still runs may be a new level, and is left to the models. What came
two, three or four weeks before or after as well (a load every other Friday) is a habit, and stays.
"""

from __future__ import annotations

import warnings

import numpy as np
import numpy.typing as npt

__all__ = ["calmed", "expected", "ordinary"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_WEEK = 7
_AROUND = 10
"""Days to each side of a day that tell its level: most of them are ordinary if an excursion is no longer than this."""
_LONGEST = 10
_LEAST_DAYS = 28
_OVER = 2
"""Ordinary days after it that show that an excursion is over."""
_HABITS = (14, 21, 28)
"""Days after which the like of a day makes both a habit."""
_SCATTERS, _CLEAR = 4.0, float(np.log(1.5))
"""A day is unlike the others from so many scatters on, and from so large a factor on."""
_TO_SIGMA = 1.4826
_FLOOR = 0.02


def ordinary(past: Floats, seasons: tuple[int, int]) -> tuple[Floats, Bools]:
    """What models learn from and look at: days without their ended excursions; hours as they are."""
    return calmed(past) if seasons[0] == _WEEK else (past, np.zeros(past.shape, dtype=bool))


def calmed(past: Floats) -> tuple[Floats, Bools]:
    """Daily values with ended excursions replaced by what was usual, and which days those are: (series, time) both.

    `past`: ordinary days (calendar effects divided out), NaN only before a series begins. Series with negative values,
    with less than four weeks, or idle for the most part come back as they are.
    """
    usual, known = expected(past), np.isfinite(past)
    told = (known & (past >= 0) | ~known).all(axis=1) & (known.sum(axis=1) >= _LEAST_DAYS)
    able = known & (usual > 0) & told[:, None]
    share = np.divide(past, usual, out=np.ones_like(past), where=able)
    apart = np.where(able, np.log(np.maximum(share, 0) + _FLOOR) - np.log1p(_FLOOR), np.nan)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        scatter = _TO_SIGMA * np.nan_to_num(np.nanmedian(np.abs(apart), axis=1, keepdims=True))
    apart = np.nan_to_num(apart)
    far = np.where(np.abs(apart) > np.maximum(_SCATTERS * scatter, _CLEAR), apart, 0.0)
    odd = np.array([_ended(row) for row in far]).reshape(past.shape)
    return np.where(odd, usual, past), odd


def expected(past: Floats) -> Floats:
    """The level around each day times the usual share of its place in the week."""
    level = _running_median(past)
    shape = _shape(past, level)
    return np.asarray(_running_median(np.divide(past, shape, out=past.copy(), where=shape > 0)) * shape)


def _running_median(values: Floats) -> Floats:
    edge = np.full((len(values), _AROUND), np.nan)
    wide = np.concatenate([edge, values, edge], axis=1)
    windows = np.lib.stride_tricks.sliding_window_view(wide, 2 * _AROUND + 1, axis=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.asarray(np.nanmedian(windows, axis=2))


def _shape(past: Floats, level: Floats) -> Floats:
    """(series, time): median share of the level by place in the week."""
    share = np.divide(past, level, out=np.full(past.shape, np.nan), where=level > 0)
    short = -past.shape[1] % _WEEK
    weeks = np.concatenate([np.full((len(past), short), np.nan), share], axis=1).reshape(len(past), -1, _WEEK)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        usual = np.nan_to_num(np.nanmedian(weeks, axis=1))
    return np.asarray(np.tile(usual, (1, weeks.shape[1]))[:, short:])


def _ended(apart: Floats) -> Bools:
    """Days in runs that were short enough, are over and no habit. `apart`: (time,), 0 where a day is near its level."""
    far = apart != 0
    edges = np.flatnonzero(np.diff(np.concatenate([[False], far, [False]]).astype(np.int8)))
    out = np.zeros(len(far), dtype=bool)
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        over = end - start <= _LONGEST and end + _OVER <= len(far)
        out[start:end] = over and not _habit(apart, start, end)
    return out


def _habit(apart: Floats, start: int, end: int) -> bool:
    """Whether most days of a run have their like, to the same side, some weeks before or after."""
    days = np.arange(start, end)
    like = np.zeros(len(days), dtype=bool)
    for back in (*_HABITS, *(-weeks for weeks in _HABITS)):
        there = (days - back >= 0) & (days - back < len(apart))
        other = apart[np.where(there, days - back, 0)]
        like |= there & (np.sign(other) == np.sign(apart[days]))
    return 2 * int(like.sum()) > len(days)
