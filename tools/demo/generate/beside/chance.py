"""Chance without state: a number is drawn from (seed, stream, index), so a day is the same in whatever window it falls.

splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, OOPSLA 2014) over a mixed key.
Indices are hours or days since 1970, or anything else that names a row.
"""

from __future__ import annotations

import zlib

import numpy as np
import numpy.typing as npt

__all__ = ["Floats", "Ints", "lognormal", "normal", "pick", "poisson", "uniform", "whole"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MOST = 800
"""No count of a slot is drawn above this."""


def _mixed(z: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def _bits(seed: int, stream: str, index: Ints) -> npt.NDArray[np.uint64]:
    key = np.array([(seed & 0xFFFFFFFF) << 32 | zlib.crc32(stream.encode())], dtype=np.uint64)
    return _mixed(_mixed(key) + (np.atleast_1d(index).astype(np.uint64) + np.uint64(1)) * _GOLDEN)


def uniform(seed: int, stream: str, index: Ints) -> Floats:
    """In the open interval (0, 1), one for each index."""
    found: Floats = ((_bits(seed, stream, index) >> np.uint64(11)).astype(np.float64) + 0.5) / 2.0**53
    return found


def normal(seed: int, stream: str, index: Ints) -> Floats:
    """Standard normal (Box and Muller)."""
    first, second = uniform(seed, stream, index), uniform(seed, f"{stream}'", index)
    found: Floats = np.sqrt(-2 * np.log(first)) * np.cos(2 * np.pi * second)
    return found


def lognormal(seed: int, stream: str, index: Ints, sigma: float) -> Floats:
    """Of median 1."""
    found: Floats = np.exp(sigma * normal(seed, stream, index))
    return found


def whole(seed: int, stream: str, index: Ints, below: int) -> Ints:
    """0 to `below` - 1."""
    return (uniform(seed, stream, index) * below).astype(np.int64)


def pick(seed: int, stream: str, index: Ints, weights: tuple[float, ...]) -> Ints:
    """Places in `weights`, each as often as its weight says."""
    edges = np.cumsum(weights) / np.sum(weights)
    return np.minimum(np.searchsorted(edges, uniform(seed, stream, index)), len(weights) - 1).astype(np.int64)


def poisson(seed: int, stream: str, index: Ints, mean: Floats) -> Ints:
    """Counts of these means, by inversion."""
    drawn = uniform(seed, stream, index)
    count = np.zeros(len(drawn), dtype=np.int64)
    term = np.exp(-np.minimum(np.broadcast_to(mean, drawn.shape), _MOST / 2))
    below = term.copy()
    for n in range(1, _MOST):
        open_ones = drawn > below
        if not open_ones.any():
            break
        count[open_ones] = n
        term = term * np.minimum(mean, _MOST / 2) / n
        below = below + term
    return count
