"""The longest of its kind: a value far above the largest of the weeks before.

Some figures have no usual level, only a usual limit: the longest statement of an hour is whatever somebody ran. What
counts is a record, and a record by a margin, since a new largest value by a little comes up every now and then.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from tools.ml.anomaly.checks import Floats
from tools.ml.anomaly.types import DEFAULT, Anomaly

__all__ = ["detect_records"]

_BEFORE = pd.Timedelta(days=35)
"""Long enough to hold what runs once a month."""
_KNOWN = pd.Timedelta(days=14)
_MONTHLY, _HABIT = pd.Timedelta(days=21), 2
_MARGIN = 1.5
"""Times the largest before, at a confidence of one half."""


def detect_records(series: pd.Series, *, least: float, threshold: float = DEFAULT) -> list[Anomaly]:
    """Values that exceed the largest of the five weeks before by a margin.

    Args:
        series: hourly, indexed by naive stamps without a gap, never negative: durations in seconds. NaN says nothing.
        least: smaller values are no record, whatever came before.
        threshold: in (0, 1); at 0.5 a record is one and a half times the largest value before.

    Returns:
        One `spike` a record, which lasts as long as its value says and can be seen when it has ended; `band` reaches
        to the largest value before. Nothing in the first two weeks. The next one is found too; the third
        is a habit, and so is what came three weeks ago or more.
    """
    if not len(series):
        return []
    y = series.to_numpy(dtype=float)
    rest = y.copy()
    stamps = pd.DatetimeIndex(series.index)
    step = pd.Timedelta(hours=1)
    found: list[Anomaly] = []
    records: list[int] = []
    for at in np.flatnonzero(np.nan_to_num(y) >= least).tolist():
        if stamps[at] - stamps[0] < _KNOWN:
            continue
        since = int(stamps.searchsorted(stamps[at] - _BEFORE))
        if _is_habit(y, [one for one in records if one >= since], at, stamps):
            continue
        before = rest[since:at]
        largest = float(np.nanmax(before, initial=0.0))
        times = y[at] / largest if largest > 0 else np.inf
        confidence = 1.0 if np.isinf(times) else times / (times + _MARGIN)
        if confidence < threshold:
            continue
        usual = _usual(before, step)
        lasts = max(pd.Timedelta(seconds=round(float(y[at]))).ceil(step), step)
        ends = stamps[at] + lasts
        found.append(
            Anomaly(
                start=stamps[at],
                end=min(ends, stamps[-1] + step),
                kind="spike",
                expected=usual,
                band=(0.0, largest),
                actual=float(y[at]),
                severity=float(y[at]) - usual,
                confidence=float(confidence),
                detected_at=min(ends, stamps[-1] + step),
                open=bool(ends > stamps[-1] + step),
            )
        )
        records.append(at)
        rest[at] = np.nan
    return found


def _is_habit(y: Floats, records: list[int], at: int, stamps: pd.DatetimeIndex) -> bool:
    """Whether records before came near it: one of three weeks ago or more, or two."""
    near = [one for one in records if y[at] < _MARGIN * y[one]]
    return len(near) >= _HABIT or any(stamps[at] - stamps[one] >= _MONTHLY for one in near)


def _usual(before: Floats, step: pd.Timedelta) -> float:
    """Median of the longest of each day."""
    per_day = int(pd.Timedelta(days=1) / step)
    days = before[len(before) % per_day :].reshape(-1, per_day)
    longest = np.nanmax(np.nan_to_num(days), axis=1)
    return float(np.median(longest)) if len(longest) else 0.0
