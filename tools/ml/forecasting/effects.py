"""Days that the calendar makes different: turns of the month and holidays, as factors on the whole day.

A day's factor is its level over the median of the same weekday's ordinary levels nearby. A quarter holds three month
ends and a few holidays, so a series' own factors lean on more than their own day: on what the six days about a month's
end have in common where that is clear, else on the panel's. What is not clearly different from the scatter of ordinary
days is 1. Holidays lean on weekends: whoever stays away on a Saturday stays away on a holiday, by as much as the panel
shows, or most of the way where it shows none.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from tools.ml.calendar import MONTH_EDGE_DAYS, Calendar

__all__ = ["Effects", "day_classes", "measure", "settle"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

ORDINARY, HOLIDAY = 0, 2 * MONTH_EDGE_DAYS + 1
_CLASSES = HOLIDAY + 1
_NEAR_DAYS = 35
_SHRINK = 1.0
"""How many sightings the panel's view is worth."""
_CLEAR = 2.0
_LEAST = 0.10
_LIMIT = 3.0
_AS_WEEKEND = 0.7
_RESTS = 0.3
"""From this logarithm on a series has weekends that holidays can be like."""


@dataclass(frozen=True)
class Effects:
    """Logarithms of factors by class of day, for one series, before and after `settle`."""

    size: Floats
    count: Floats
    scatter: float
    """Of ordinary days, in the same logarithms."""
    weekend: float
    """Of weekend days against weekdays."""

    def factors(self, classes: Ints) -> Floats:
        return np.asarray(np.exp(self.size[classes]))


def day_classes(local: pd.DatetimeIndex, calendar: Calendar) -> Ints:
    """0 ordinary, 1 to 6 the turn of the month (first days 1-3, last days 4-6, the last one 4), 7 holiday."""
    edge = calendar.edge_of_month(local)
    classes = np.where(edge < 0, MONTH_EDGE_DAYS - edge, edge)
    return np.where(calendar.is_holiday(local), HOLIDAY, classes).astype(np.int64)


def measure(values: Floats, local: pd.DatetimeIndex, classes: Ints, per_day: int) -> Effects:
    """The factors that one series shows by itself."""
    none = Effects(np.zeros(_CLASSES), np.zeros(_CLASSES), 0.0, 0.0)
    days = len(values) // per_day
    if days < 28 or np.nanmin(values) < 0:
        return none
    start = len(values) - days * per_day
    day_start = local[start:].normalize()
    if per_day > 1:
        start += int(np.flatnonzero(day_start != day_start[0])[0]) % per_day if len(day_start) > per_day else 0
        days = (len(values) - start) // per_day
    span = slice(start, start + days * per_day)
    blocks = values[span].reshape(days, per_day)
    seen = np.isfinite(blocks).sum(axis=1)
    level = np.full(days, np.nan)
    np.divide(np.nansum(blocks, axis=1), seen, out=level, where=seen > per_day / 2)
    kind = classes[span][::per_day]
    weekday = local[span][::per_day].day_of_week.to_numpy()
    return _measured(level, kind, weekday) if np.nansum(level) > 0 else none


def _measured(level: Floats, kind: Ints, weekday: Ints) -> Effects:
    floor = 0.02 * float(np.nanmean(level))
    logs = np.log(np.maximum(level, floor))
    position = np.arange(len(level))
    ordinary = (kind == ORDINARY) & np.isfinite(level)
    excess = np.full(len(level), np.nan)
    for day in np.flatnonzero(np.isfinite(level)):
        alike = ordinary & (weekday == weekday[day]) & (np.abs(position - day) <= _NEAR_DAYS) & (position != day)
        if alike.sum() >= 2:
            excess[day] = logs[day] - np.median(logs[alike])
    usual = excess[ordinary & np.isfinite(excess)]
    scatter = 1.4826 * float(np.median(np.abs(usual))) if len(usual) else 0.0
    size, count = np.zeros(_CLASSES), np.zeros(_CLASSES)
    for place in range(1, _CLASSES):
        found = excess[(kind == place) & np.isfinite(excess)]
        count[place] = len(found)
        size[place] = _lesser_median(found)
    rest, work = logs[ordinary & (weekday >= 5)], logs[ordinary & (weekday < 5)]
    weekend = float(np.median(rest) - np.median(work)) if len(rest) and len(work) else 0.0
    return Effects(size, count, scatter, weekend)


def _lesser_median(found: Floats) -> float:
    """The median; of an even number the one of the middle two that is nearer to none: one of two may be an incident."""
    if not len(found):
        return 0.0
    low, high = np.quantile(found, 0.5, method="lower"), np.quantile(found, 0.5, method="higher")
    return float(0.0 if low < 0 < high else min(low, high, key=abs))


def settle(panel: list[Effects]) -> list[Effects]:
    """Each series' factors, leaning as the module says; those that scatter explains are 0."""
    if not panel:
        return []
    size, count = np.stack([one.size for one in panel]), np.stack([one.count for one in panel])
    scatter = np.array([one.scatter for one in panel])[:, None]
    clear = (np.abs(size) > np.maximum(_CLEAR * scatter / np.sqrt(np.maximum(count, 1)), _LEAST)) & (count > 0)
    shown = np.where(clear, size, 0.0)
    weight = np.where(count > 0, 1.0, 0.0)
    common = (shown * weight).sum(axis=0) / np.maximum(weight.sum(axis=0), 1)
    turn, turns = _turn_of_month(size, count, scatter)
    prior = np.where(turns, turn, common)
    mixed = np.where(clear | turns, (count * size + _SHRINK * prior) / (count + _SHRINK), 0.0)
    mixed[:, HOLIDAY] = _holidays(panel, mixed[:, HOLIDAY])
    limited = np.clip(mixed, -_LIMIT, _LIMIT)
    return [Effects(row, one.count, one.scatter, one.weekend) for row, one in zip(limited, panel, strict=True)]


def _turn_of_month(size: Floats, count: Floats, scatter: Floats) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """What the days about a month's end have in common, and whether it is clear: (series, classes) both."""
    weight = count[:, 1:HOLIDAY]
    total = np.maximum(weight.sum(axis=1, keepdims=True), 1)
    mean = (weight * size[:, 1:HOLIDAY]).sum(axis=1, keepdims=True) / total
    clear = np.abs(mean) > np.maximum(_CLEAR * scatter / np.sqrt(total), _LEAST)
    inside = (np.arange(_CLASSES) > 0) & (np.arange(_CLASSES) < HOLIDAY)
    return np.asarray(np.where(inside, mean, 0.0)), np.asarray(clear & inside)


def _holidays(panel: list[Effects], mixed: Floats) -> Floats:
    """`mixed` (series,), with what leans on the weekend for series that have one."""
    weekend = np.array([one.weekend for one in panel])
    size, count = np.array([one.size[HOLIDAY] for one in panel]), np.array([one.count[HOLIDAY] for one in panel])
    rests = np.abs(weekend) > _RESTS
    shown = rests & (count > 0)
    share = float(np.clip(np.median(size[shown] / weekend[shown]), 0, 1)) if shown.any() else _AS_WEEKEND
    leaning = (count * size + _SHRINK * share * weekend) / (count + _SHRINK)
    return np.asarray(np.where(rests, leaning, mixed))
