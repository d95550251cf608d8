"""Growth of a few percent a day in a figure that is steady otherwise, such as what the same statements take.

`detect` learns what is usual as it goes and so grows with it. Here the days at the end of a window are held against
four weeks before them (a one-sided moving-sum test: Chu, Hornik and Kuan, "MOSUM tests for parameter constancy",
Biometrika 82, 1995), in logarithms, with a spread that a single wild day cannot move.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tools.ml.anomaly.checks import Floats
from tools.ml.anomaly.types import DEFAULT, Anomaly, Kind

__all__ = ["detect_creep"]

_WIDTHS = (6, 9, 12)
"""Days that are held against those before; a slower rise needs more of them."""
_BASE, _FEWEST_BEFORE = 28, 14
_FEWEST_SHARE = 0.7
_SURE = 5.0
"""Standard errors at a confidence of one half."""
_LEAST = float(np.log(1.15))
_SPREAD_FLOOR = 0.02
_GONE_DAYS, _GONE_SHARE = 3, 0.5
_ADOPT_DAYS = 28
_BAND = 3.0
_DAY = pd.Timedelta(days=1)


@dataclass
class _Rise:
    first: int
    """Day at which it began; `seen`: at whose end it was raised; `last`: the newest that belongs to it."""
    seen: int
    last: int
    confidence: float
    usual: float
    """Mean of the days before, and the spread of a day; both of logarithms."""
    spread: float
    height: float
    open: bool = True


def detect_creep(series: pd.Series, *, threshold: float = DEFAULT) -> list[Anomaly]:
    """Rises of a daily series that last.

    Args:
        series: indexed by naive days without a gap; NaN where a day says nothing. Only what is above 0 counts.
        threshold: in (0, 1); at 0.5 the rise is five times its standard error.

    Returns:
        Findings in order of time: `drift`, or `level_shift` where all of the rise came at once. Nothing later than
        `detected_at` has any part in raising one. Two weeks before a window are needed.
    """
    y = series.to_numpy(dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.where(y > 0, np.log(y), np.nan)
    return [_told(rise, y, logs, pd.DatetimeIndex(series.index)) for rise in _rises(logs, threshold)]


def _rises(logs: Floats, threshold: float) -> list[_Rise]:
    found: list[_Rise] = []
    usable = logs.copy()
    for day in range(len(logs)):
        going = found[-1] if found and found[-1].open else None
        if going is None:
            rise = _raised(usable, day, threshold)
            if rise is not None:
                found.append(rise)
        elif not _goes_on(going, logs, day) or day - going.first >= _ADOPT_DAYS:
            going.open = False
            # What was a finding is no yardstick for the next one; once it has lasted four weeks it is what is usual.
            if day - going.first < _ADOPT_DAYS:
                usable[going.first : going.last + 1] = np.nan
            else:
                usable[: going.first] = np.nan
    return found


def _raised(logs: Floats, day: int, threshold: float) -> _Rise | None:
    rises = [rise for width in _WIDTHS if (rise := _window(logs, day, width)) is not None]
    best = max(rises, key=lambda rise: rise.confidence, default=None)
    return best if best is not None and best.confidence >= threshold else None


def _window(logs: Floats, day: int, width: int) -> _Rise | None:
    """The last `width` days against the four weeks before them."""
    first = day + 1 - width
    recent, before = logs[max(first, 0) : day + 1], logs[max(first - _BASE, 0) : max(first, 0)]
    recent, before = recent[np.isfinite(recent)], before[np.isfinite(before)]
    if len(recent) < _FEWEST_SHARE * width or len(before) < _FEWEST_BEFORE:
        return None
    middle = float(np.median(before))
    robust = 1.4826 * float(np.median(np.abs(before - middle)))
    spread = max(robust, float(before.std()) / 2, _SPREAD_FLOOR)
    # One day is no rise: the highest is left out, and none may be below what is usual.
    height = float(np.sort(recent)[:-1].mean() - before.mean())
    if height < _LEAST or recent.min() <= middle:
        return None
    surety = height / (spread * float(np.sqrt(1 / len(recent) + 1 / len(before))))
    return _Rise(max(first, 0), day, day, surety / (surety + _SURE), float(before.mean()), spread, height)


def _goes_on(rise: _Rise, logs: Floats, day: int) -> bool:
    """Until the newest days have lost half of what the week before them stood above the usual."""
    lately = logs[max(day + 1 - _GONE_DAYS, rise.first) : day + 1]
    week = logs[rise.first : rise.last + 1][-7:]
    height = max(rise.height, float(np.nanmedian(week)) - rise.usual)
    least = rise.usual + _GONE_SHARE * height
    if np.isfinite(logs[day]) and logs[day] > least:
        rise.last = day
    lately = lately[np.isfinite(lately)]
    return not len(lately) or bool(np.median(lately) > least)


def _told(rise: _Rise, y: Floats, logs: Floats, days: pd.DatetimeIndex) -> Anomaly:
    inside = slice(rise.first, rise.last + 1)
    known = np.isfinite(logs[inside])
    actual, expected = float(y[inside][known].mean()), float(np.exp(rise.usual))
    half = _BAND * rise.spread
    return Anomaly(
        start=days[rise.first],
        end=days[rise.last] + _DAY,
        kind=_kind(logs, rise),
        expected=expected,
        band=(expected * float(np.exp(-half)), expected * float(np.exp(half))),
        actual=actual,
        severity=abs(actual - expected) * int(known.sum()),
        confidence=rise.confidence,
        detected_at=days[rise.seen] + _DAY,
        open=rise.open,
    )


def _kind(logs: Floats, rise: _Rise) -> Kind:
    """Whichever fits better: the level all at once from some day on, or a line that climbs from some day on."""
    above = logs[max(rise.first - max(_WIDTHS), 0) : rise.last + 1] - rise.usual
    days = np.arange(len(above), dtype=float)
    known = np.isfinite(above)
    shapes = [(days[known] - start, above[known]) for start in range(len(above) - 1)]
    steps = min(_misfit((at >= 0).astype(float), values) for at, values in shapes)
    climbs = min(_misfit(np.maximum(at + 1, 0), values) for at, values in shapes)
    return "drift" if climbs < steps else "level_shift"


def _misfit(shape: Floats, values: Floats) -> float:
    """Squares that are left of `values` after the best multiple of `shape`."""
    size = float(shape @ shape)
    times = float(shape @ values) / size if size else 0.0
    return float(np.sum((values - times * shape) ** 2))
