"""Statistical forecasts, for many series at once: what each simple reading of the past says.

All of them see a panel up to an origin (series, time; NaN only before a series begins) and answer for given steps.
"""

from __future__ import annotations

import warnings

import numpy as np
import numpy.typing as npt

from tools.ml.forecasting.steady import steady

__all__ = ["NAIVE", "errors_of_seasons", "members_of", "say", "usual"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_OF_HOURS = (
    "last day",
    "last week",
    "weekly profile",
    "weekly profile with trend",
    "mean day",
    "level",
    "last day with trend",
)
_OF_DAYS = ("last week", "four-week profile with trend", "level", "last week with trend", "usual week by medians")
NAIVE = 0
"""The seasonal naive forecast's place among the members, of hours and of days."""

_HOURS = 24
_WEEKS = 4
_DAMPING = 0.9
_MOST_GROWTH = 0.25
"""Per week, as a logarithm."""


def members_of(seasons: tuple[int, int]) -> tuple[str, ...]:
    """Names for people, in the order of `say`."""
    return _OF_HOURS if seasons[0] == _HOURS else _OF_DAYS


def say(past: Floats, steps: Ints, seasons: tuple[int, int]) -> Floats:
    """(members, series, steps). For days the short season is a week, the long one four."""
    short, long = seasons
    period = long if short == _HOURS else short
    width = max(past.shape[1], (_WEEKS + 1) * long)
    padded = np.concatenate([np.full((len(past), width - past.shape[1]), np.nan), past], axis=1)
    level = _level(padded, short)
    day = _or(_at(padded, steps, short, 0), level)
    week = _or(_at(padded, steps, long, 0), day)
    newest = week if period == long else day
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a series too young for a lag has only NaN there
        profile = np.nanmedian(np.stack([newest, *[_at(padded, steps, period, j) for j in range(1, _WEEKS)]]), axis=0)
        mean_day = np.nanmean(np.stack([day, *[_at(padded, steps, short, j) for j in range(1, 7)]]), axis=0)
    corrected = profile * _correction(padded, period)
    grown = corrected * np.exp(_growth(padded, steps, period))
    flat, drifting = np.broadcast_to(level, day.shape), day + _drift(padded, steps, short)
    if short != _HOURS:
        return np.stack([day, grown, flat, drifting, steady(past, steps)])
    return np.stack([day, week, corrected, grown, mean_day, flat, drifting])


def usual(past: Floats, steps: Ints, seasons: tuple[int, int]) -> Floats:
    """(series, steps): the mean of the same place in the last four weeks, as far as they are known."""
    short, long = seasons
    period = long if short == _HOURS else short
    padded = np.concatenate([np.full((len(past), (_WEEKS + 1) * period), np.nan), past], axis=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        mean = np.nanmean(np.stack([_at(padded, steps, period, j) for j in range(_WEEKS)]), axis=0)
        whole = np.nanmean(padded[:, -_WEEKS * period :], axis=1)
    return _or(mean, np.broadcast_to(whole[:, None], mean.shape))


def errors_of_seasons(past: Floats, seasons: tuple[int, int], quantiles: tuple[float, ...]) -> Floats:
    """(series, quantiles): quantiles of the seasonal differences, the width of a plain interval."""
    short, long = seasons
    season = short if past.shape[1] > 2 * short else 1
    window = past[:, -6 * long :]
    steps = window[:, season:] - window[:, :-season]
    out = np.zeros((len(past), len(quantiles)))
    for row, step in enumerate(steps):
        known = step[np.isfinite(step)]
        if not len(known):
            known = np.diff(past[row][np.isfinite(past[row])])
        if len(known):
            both = np.concatenate([known, -known])
            small = 1 + 2 / len(known)  # few differences understate the spread
            out[row] = small * np.quantile(both, quantiles)
    return out


def _at(past: Floats, steps: Ints, season: int, back: int) -> Floats:
    lag = season * ((steps + season - 1) // season + back)
    return np.asarray(past[:, past.shape[1] - 1 + steps - lag])


def _or(values: Floats, other: Floats) -> Floats:
    return np.where(np.isfinite(values), values, other)


def _level(past: Floats, short: int) -> Floats:
    """Median of the last short season that is known: (series, 1)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.asarray(np.nanmedian(past[:, -short:], axis=1)[:, None])


def _correction(past: Floats, week: int) -> Floats:
    """What the last week was, over the median of the ones before: (series, 1), within a factor of 2."""
    weeks = np.stack([past[:, past.shape[1] - (j + 1) * week : past.shape[1] - j * week] for j in range(_WEEKS)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        usual = np.nanmean(np.nanmedian(weeks, axis=0), axis=1)
        last = np.nanmean(weeks[0], axis=1)
    ratio = np.divide(last, usual, out=np.ones(len(past)), where=(usual > 0) & (last > 0))
    return np.asarray(np.clip(ratio, 0.5, 2.0)[:, None])


def _growth(past: Floats, steps: Ints, week: int) -> Floats:
    """Damped growth of the level, as a logarithm by step."""
    weeks = past.shape[1] // week
    levels = np.stack([_mean(past[:, past.shape[1] - (j + 1) * week : past.shape[1] - j * week]) for j in range(weeks)])
    levels = levels[: 2 * _WEEKS]
    good = np.isfinite(levels) & (levels > 0)
    logs = np.where(good, np.log(np.where(good, levels, 1.0)), np.nan)
    moves = logs[:-1] - logs[1:]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        slope = np.nan_to_num(np.nanmedian(moves, axis=0)) if len(moves) else np.zeros(past.shape[0])
    slope = np.where(good.sum(axis=0) >= 3, np.clip(slope, -_MOST_GROWTH, _MOST_GROWTH), 0.0)
    ahead = steps / week
    damped = _DAMPING * (1 - _DAMPING**ahead) / (1 - _DAMPING)
    return np.asarray(slope[:, None] * damped[None])


def _drift(past: Floats, steps: Ints, short: int) -> Floats:
    """Damped straight growth: by the last two short seasons, or within what there is of them."""
    last, before = _mean(past[:, -short:]), _mean(past[:, -2 * short : -short])
    slope = np.nan_to_num((last - before) / short)
    for row in np.flatnonzero(~np.isfinite(before)):
        known = past[row][np.isfinite(past[row])]
        half = len(known) // 2
        if half:
            slope[row] = float(np.median(known[-half:]) - np.median(known[:half])) / (len(known) - half)
    seasons = (steps + short - 1) // short
    damped = short * _DAMPING * (1 - _DAMPING**seasons) / (1 - _DAMPING)
    return np.asarray(slope[:, None] * damped[None])


def _mean(values: Floats) -> Floats:
    """By row; NaN where less than half is known."""
    known = np.isfinite(values)
    count = known.sum(axis=1)
    total = np.where(known, values, 0.0).sum(axis=1)
    whole = count * 2 >= values.shape[1]
    return np.asarray(np.divide(total, count, out=np.full(len(values), np.nan), where=whole & (count > 0)))
