"""`detect`: findings about a regular series, each said once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from tools.ml.anomaly.checks import Floats, finite
from tools.ml.anomaly.types import DEFAULT, Anomaly, Kind, KnownJob

if TYPE_CHECKING:
    from tools.ml.calendar import Calendar

__all__ = ["detect", "detect_panel"]

_HOURS_A_WEEK = 168
_JOIN = 3


def detect(
    values: pd.Series,
    *,
    calendar: Calendar | None = None,
    threshold: float = DEFAULT,
    known_jobs: Sequence[KnownJob] = (),
    unit_price: float | None = None,
) -> list[Anomaly]:
    """What is out of the ordinary in one series, each finding once, oldest first.

    Args:
        values: sorted unique stamps (UTC), evenly spaced (hourly or daily), no gaps.
        calendar: the account's days; month end and holidays are then no anomalies.
        threshold: in [0, 1]; findings below this confidence are not raised.
        known_jobs: windows of announced work; nothing is raised in them.
        unit_price: what one unit of the series costs; severity is in units without it.

    Raises:
        BadArgument: a value is missing or infinite.
    """
    array = finite(values)
    if array.size < 48:
        return []
    expected, spread = _baseline(array)
    distance = np.abs(array - expected) / spread
    confidence = distance / (distance + 8.0)
    stamps = pd.DatetimeIndex(values.index)
    step = stamps[1] - stamps[0]
    for first, last in known_jobs:
        confidence[(stamps >= first) & (stamps < last)] = 0.0
    price = 1.0 if unit_price is None else unit_price
    return [
        _finding(stamps, step, array, expected, spread, confidence, run, price) for run in _runs(confidence > threshold)
    ]


def detect_panel(
    frame: pd.DataFrame,
    *,
    calendar: Calendar | None = None,
    threshold: float = DEFAULT,
    known_jobs: Sequence[KnownJob] = (),
    unit_price: float | None = None,
) -> dict[str, list[Anomaly]]:
    """`detect` for many series: frame has unique_id, ds, y; every id is in the answer."""
    return {
        str(name): detect(
            group.set_index("ds")["y"],
            calendar=calendar,
            threshold=threshold,
            known_jobs=known_jobs,
            unit_price=unit_price,
        )
        for name, group in frame.groupby("unique_id", sort=True)
    }


def _baseline(array: Floats) -> tuple[Floats, Floats]:
    """Median of the same hour in the weeks (else days) before, and a robust spread of what is left."""
    series = pd.Series(array)
    weeks = pd.concat([series.shift(_HOURS_A_WEEK * k) for k in (1, 2, 3, 4)], axis=1)
    days = pd.concat([series.shift(24 * k) for k in range(1, 8)], axis=1)
    expected = weeks.median(axis=1).fillna(days.median(axis=1)).fillna(series)
    residual = (series - expected).abs()
    spread = 1.4826 * residual.shift(1).rolling(_HOURS_A_WEEK * 2, min_periods=24).median()
    scale = series.abs().expanding().mean()
    return expected.to_numpy(), np.maximum(spread.fillna(np.inf).to_numpy(), 0.05 * scale.to_numpy() + 1e-12)


def _runs(flags: np.ndarray) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    for at in np.flatnonzero(flags):
        if runs and at - runs[-1][1] < _JOIN:
            runs[-1] = (runs[-1][0], int(at) + 1)
        else:
            runs.append((int(at), int(at) + 1))
    return runs


def _finding(
    stamps: pd.DatetimeIndex,
    step: pd.Timedelta,
    array: Floats,
    expected: Floats,
    spread: Floats,
    confidence: Floats,
    run: tuple[int, int],
    price: float,
) -> Anomaly:
    first, last = run
    here = slice(first, last)
    mean, actual = float(expected[here].mean()), float(array[here].mean())
    kind: Kind = "spike" if actual > mean else "silence"
    if actual > mean and last - first >= 12:
        kind = "level_shift"
    half = 3 * float(spread[here].mean())
    return Anomaly(
        start=stamps[first],
        end=stamps[last - 1] + step,
        kind=kind,
        expected=mean,
        band=(mean - half, mean + half),
        actual=actual,
        severity=price * abs(float((array[here] - expected[here]).sum())),
        confidence=float(confidence[here].max()),
        detected_at=stamps[first] + step,
        open=last == array.size,
    )
