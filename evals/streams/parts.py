"""What generated streams are made of: noise of several sorts, days, spikes, and where anomalies begin."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

__all__ = [
    "DAY",
    "FORTNIGHT",
    "Floats",
    "Ints",
    "Made",
    "Random",
    "ar",
    "counted",
    "hump",
    "lasting",
    "some_onsets",
    "spikes",
    "squares",
]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Random = np.random.Generator

DAY = 288
"""Five-minute values of a day."""

FORTNIGHT = 14 * DAY


@dataclass(frozen=True)
class Made:
    values: Floats
    onsets: tuple[int, ...] = ()
    minutes: float = 5.0
    gaps: Ints | None = None
    """Steps between stamps, where they are not all one."""


def ar(random: Random, size: int, memory: float, spread: float = 1.0) -> Floats:
    """AR(1) of the given stationary spread."""
    from scipy.signal import lfilter

    shocks = random.normal(0, spread * np.sqrt(1 - memory**2), size)
    out, _ = lfilter([1.0], [1.0, -memory], shocks, zi=[memory * random.normal(0, spread)])
    return np.asarray(out)


def counted(random: Random, mean: Floats, shape: float) -> Floats:
    """Negative binomial: Poisson whose rate scatters by 1 / sqrt(shape)."""
    return random.poisson(mean * random.gamma(shape, 1 / shape, mean.size)).astype(float)


def hump(size: int, per_day: int, peak: float = 14.0, width: float = 4.0) -> Floats:
    """Between 0 and 1, once a day, highest at the hour `peak`."""
    hour = 24 * (np.arange(size) % per_day) / per_day
    apart = np.minimum((hour - peak) % 24, (peak - hour) % 24)
    return np.exp(-0.5 * (apart / width) ** 2)


def squares(size: int, low: float, high: float, first: int = 9, last: int = 18) -> Floats:
    hour = 24 * (np.arange(size) % DAY) / DAY
    return np.where((hour >= first) & (hour < last), high, low)


def spikes(random: Random, size: int, each: float, height: Floats | float, longest: int = 2) -> Floats:
    """About one spike in `each` values, exponential in height."""
    out = np.zeros(size)
    for at in np.flatnonzero(random.random(size) < 1 / each).tolist():
        out[at : at + int(random.integers(1, longest + 1))] += random.exponential(height)
    return out


def some_onsets(random: Random, size: int, count: int) -> tuple[int, ...]:
    """Anywhere after a fifth, each in a part of its own."""
    edges = np.linspace(0.2, 0.96, count + 1)
    return tuple(int(size * random.uniform(a, b - 0.1 / count)) for a, b in pairwise(edges))


def lasting(random: Random, shortest: int, longest: int) -> int:
    return int(np.exp(random.uniform(np.log(shortest), np.log(longest))))
