"""Level shifts: where the regime that holds now began, and what came before, made comparable.

A shift is a lasting step of the daily level: against the four weeks before it, nearly every day after it lies on one
side, by a large factor and many times the days' own scatter, and the step is there at once (growth is no shift). The
past before it keeps its shape and is scaled to the present level; where it was idle, it is left out. Days are raised by
an amount instead (a poller that runs day and night adds as much to a Sunday as to a Monday), where that tells the days
since clearly better.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

__all__ = ["Shift", "find_shift", "present_regime"]

Floats = npt.NDArray[np.float64]

_LEAST_BEFORE, _LEAST_AFTER = 7, 4
_WHOLE_DAYS = 7
"""From so many days on a level of daily values counts in full. Before that it may be an incident, and nobody can tell:
the past is scaled by as much of the ratio's logarithm as it has held of a week. Hours show more than days, and count.
"""
_LEAST_RATIO = 0.02
_LOOK_BACK = 28
_FACTOR = 1.5
_SCATTERS = 4.0
_AT_ONCE = 0.7
_APART = 0.96
_MOST_SHIFTS = 3
_BETTER = 0.8
"""Of the error of a ratio: an amount must leave no more than that."""


@dataclass(frozen=True)
class Shift:
    at: int
    """First slot of the regime that holds now."""
    ratio: float
    """Level after over level before; nan where it was idle before."""
    counted: float = 1.0
    """The share of the ratio's logarithm by which the past was scaled."""
    added: float | None = None
    """What came on top a day, where the past was raised by that instead."""


def present_regime(values: Floats, per_day: int) -> tuple[Floats, list[Shift]]:
    """The values with every earlier regime scaled to the last one (NaN where it cannot be), and the shifts found.

    Args:
        values: one series, NaN where missing; not negative anywhere, else it is returned as it is.
        per_day: slots of a day.
    """
    out = values.copy()
    shifts: list[Shift] = []
    if np.nanmin(values) < 0:
        return out, shifts
    known = len(out)
    while len(shifts) < _MOST_SHIFTS and (shift := find_shift(out[:known], per_day)) is not None:
        if per_day == 1 and (held := len(out) - shift.at) < _WHOLE_DAYS:
            shift = replace(shift, counted=held / _WHOLE_DAYS)
            known = shift.at  # what is left of the step would be found again
        elif per_day == 1:
            shift = replace(shift, added=_on_top(out, shift))
        shifts.append(shift)
        out[: shift.at] = _moved(out[: shift.at], shift)
    return out, shifts


def _moved(past: Floats, shift: Shift) -> Floats:
    """The past at the level that holds now; nan where it was idle."""
    if shift.added is not None:
        return np.maximum(past + shift.added, 0.0)
    if shift.counted == 1 or not np.isfinite(shift.ratio):
        return past * shift.ratio
    return np.asarray(past * max(shift.ratio, _LEAST_RATIO) ** shift.counted)


def _on_top(values: Floats, shift: Shift) -> float | None:
    """The amount by which each day of the usual week was raised or lowered; None where the ratio tells as much."""
    before, after = values[: shift.at][-_LOOK_BACK:], values[shift.at :]
    if len(before) < _LOOK_BACK or not np.isfinite(shift.ratio) or not np.isfinite(before).all():
        return None
    week = np.median(before.reshape(-1, 7), axis=0)
    usual = np.resize(week, len(after))
    added = float(np.nanmedian(after - usual))
    raised = np.nansum(np.abs(after - np.maximum(usual + added, 0.0)))
    scaled = np.nansum(np.abs(after - shift.ratio * usual))
    return added if raised < _BETTER * scaled else None


def find_shift(values: Floats, per_day: int) -> Shift | None:
    """The strongest shift, or None."""
    days = len(values) // per_day
    if days < _LEAST_BEFORE + _LEAST_AFTER:
        return None
    start = len(values) - days * per_day
    blocks = values[start:].reshape(days, per_day)
    seen = np.isfinite(blocks).sum(axis=1)
    daily = np.full(days, np.nan)
    np.divide(np.nansum(blocks, axis=1), seen, out=daily, where=seen > per_day / 2)
    daily = _without_week(daily)
    found = max(
        (candidate for split in range(_LEAST_BEFORE, days - _LEAST_AFTER + 1) if (candidate := _judge(daily, split))),
        default=None,
    )
    if found is None:
        return None
    _, split, ratio = found
    return Shift(_onset(values, start + split * per_day, per_day, ratio), ratio)


def _without_week(daily: Floats) -> Floats:
    """Days over the mean of their place in the week, where there are four weeks to tell it."""
    if len(daily) < _LOOK_BACK or not np.isfinite(daily).all():
        return daily
    middle = np.median(daily)
    trend = np.array([np.median(daily[max(0, k - 3) : k + 4]) for k in range(len(daily))])
    if middle <= 0 or (trend <= 0).any():
        return daily
    relative = daily / trend
    place = np.arange(len(daily)) % 7
    factor = np.array([np.median(relative[place == k]) for k in range(7)])
    return daily / np.maximum(factor, 0.05)[place] if (factor > 0.05).all() else daily


def _judge(daily: Floats, split: int) -> tuple[float, int, float] | None:
    """(strength, split, ratio) where the days before and after the split are two regimes."""
    before, after = daily[max(0, split - _LOOK_BACK) : split], daily[split:]
    before, after = before[np.isfinite(before)], after[np.isfinite(after)]
    if len(before) < _LEAST_BEFORE or len(after) < _LEAST_AFTER:
        return None
    old, new = float(np.median(before)), float(np.median(after))
    step = abs(new - old)
    low, high = min(old, new), max(old, new)
    if high <= 0 or low * _FACTOR > high:
        return None
    scatter = max(_mad(before), _mad(after), 0.02 * high)
    near = abs(float(np.median(after[:7])) - float(np.median(before[-7:])))
    apart = float(np.mean(np.sign(new - old) * (after[:, None] - before[None, :]) > 0))
    if step < _SCATTERS * scatter or near < _AT_ONCE * step or apart < _APART:
        return None
    weight = np.sqrt(len(before) * len(after) / (len(before) + len(after)))
    return step / scatter * float(weight), split, new / old if old > 0.02 * high else float("nan")


def _mad(values: Floats) -> float:
    return 1.4826 * float(np.median(np.abs(values - np.median(values))))


def _onset(values: Floats, near: int, per_day: int, ratio: float) -> int:
    """The slot within a day of `near` from which the new level fits better than the old one."""
    if per_day == 1 or near < 8 * per_day or not np.isfinite(ratio):
        return near
    past = values[near - 8 * per_day : near - per_day].reshape(7, per_day)
    known = np.isfinite(past)
    profile = np.where(known, past, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    span = np.arange(near - per_day, min(near + per_day, len(values)))
    shape = profile[(span - near) % per_day]
    old = np.nan_to_num(np.abs(values[span] - shape))
    new = np.nan_to_num(np.abs(values[span] - ratio * shape))
    cost = np.concatenate([[0.0], np.cumsum(old - new)])
    return int(span[0] + np.argmin(cost))
