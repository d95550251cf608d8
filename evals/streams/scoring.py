"""The Numenta Anomaly Benchmark's standard score of alarms against labelled windows (Lavin and Ahmad 2015).

The first alarm in a window earns up to 1, less the later it is; a missed window costs 1; every alarm outside costs up
to .11, less just after a window. The first 15 % of a stream, at most 750 values, count for nothing. 100 is perfect, 0
is to raise no alarm at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Verdict", "standard", "verdict"]

_FALSE = 0.11
_LEARNING, _LONGEST_LEARNING = 0.15, 750
_STEEP, _FAR = 5.0, 3.0


@dataclass(frozen=True)
class Verdict:
    earned: float
    """By alarms; what is missed is not taken off."""
    windows: int
    found: int
    false: int


def verdict(alarms: Sequence[int] | npt.NDArray[np.int64], size: int, windows: Sequence[tuple[int, int]]) -> Verdict:
    """Of one stream of `size` values; alarms and windows by row, windows in order and apart."""
    counted = [int(at) for at in alarms if at >= min(int(_LEARNING * size), _LONGEST_LEARNING)]
    earned, found, false = 0.0, 0, 0
    for first, last in windows:
        inside = [at for at in counted if first <= at <= last]
        if inside:
            earned += _worth((inside[0] - last - 1) / (last - first + 1)) / _worth(-1.0)
            found += 1
    for at in counted:
        before = [window for window in windows if window[0] <= at]
        if before and at <= before[-1][1]:
            continue
        apart = (at - before[-1][1]) / (before[-1][1] - before[-1][0]) if before else np.inf
        earned += _FALSE * _worth(apart)
        false += 1
    return Verdict(earned, len(windows), found, false)


def standard(verdicts: Iterable[Verdict]) -> float | None:
    """Of several streams; None without windows."""
    every = list(verdicts)
    windows = sum(one.windows for one in every)
    if not windows:
        return None
    return 100 * sum(one.earned + one.found for one in every) / (2 * windows)


def _worth(place: float) -> float:
    """From 1 far before a window's end to -1 far behind it; `place` in widths of the window."""
    return -1.0 if place > _FAR else 2 / (1 + float(np.exp(_STEEP * place))) - 1
