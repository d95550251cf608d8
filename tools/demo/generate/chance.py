"""Chance, keyed: what is drawn is a pure function of the seed and of what it is for.

A day's statements are drawn from a generator that is keyed by (seed, habit, local day), and a time of resuming by
(seed, warehouse, moment). So neither depends on what was drawn before it, on the configuration of a warehouse, or on
how the account's time was cut into windows.
"""

from __future__ import annotations

import zlib
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

__all__ = ["fraction", "keyed", "mixed", "normal"]

_NORMAL = NormalDist()
_MASK = (1 << 64) - 1

Uints = npt.NDArray[np.uint64]


def keyed(seed: int, *key: str | int) -> np.random.Generator:
    """A generator of its own for this key."""
    return np.random.default_rng([seed, *(zlib.crc32(k.encode()) if isinstance(k, str) else k for k in key)])


def fraction(seed: int, *key: int) -> float:
    """One number in (0, 1) for this key: splitmix64, quicker than a generator."""
    state = seed & _MASK
    for part in key:
        state = (state ^ (part & _MASK)) * 0x9E3779B97F4A7C15 & _MASK
        state = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9 & _MASK
        state = (state ^ (state >> 27)) * 0x94D049BB133111EB & _MASK
        state ^= state >> 31
    return ((state >> 11) + 0.5) / (1 << 53)


def normal(seed: int, *key: int) -> float:
    """One standard normal number for this key."""
    return _NORMAL.inv_cdf(fraction(seed, *key))


def mixed(*parts: npt.NDArray[np.int64] | int) -> Uints:
    """64 bits for each row of the columns; equal rows have equal bits."""
    state: Uints = np.array(0x2545F4914F6CDD1D, dtype=np.uint64)
    for part in parts:
        state = (state ^ np.asarray(part).astype(np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
        state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        state = state ^ (state >> np.uint64(31))
    return state
