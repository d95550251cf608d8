"""Generated streams of many kinds with labelled windows: servers, counts, prices, sensors, traffic.

What a detector of any stream meets: daily squares, quiet or busy processors, heavy-tailed counts, prices by the hour,
temperatures, loops in a road with gaps between stamps. Every stream has harmless oddities of its own kind, too. A
window is a tenth of the stream, shared by its anomalies and centred at their onsets, as the Numenta Anomaly Benchmark
labels. Everything follows from the seed; no measured series is in it, and nothing here knows how the detector works.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
import pandas as pd

from evals.streams.parts import Made
from evals.streams.servers import SERVERS
from evals.streams.world import WORLD

__all__ = ["KINDS", "Stream", "streams"]

KINDS = SERVERS | WORLD


@dataclass(frozen=True)
class Stream:
    kind: str
    group: str
    values: pd.Series
    windows: tuple[tuple[int, int], ...]
    """First and last row of each labelled window."""


def streams(seed: int, each: int) -> list[Stream]:
    """`each` streams of every kind."""
    made = []
    for kind, (group, make) in KINDS.items():
        for number in range(each):
            random = np.random.default_rng([seed, number, zlib.crc32(kind.encode())])
            made.append(_labelled(kind, group, make(random)))
    return made


def _labelled(kind: str, group: str, made: Made) -> Stream:
    size = made.values.size
    steps = np.ones(size, dtype=np.int64) if made.gaps is None else made.gaps
    minutes = (np.cumsum(steps) - steps[0]) * made.minutes
    index = pd.Timestamp("2026-01-05") + pd.to_timedelta(minutes, unit="min")
    half = int(0.05 * size / max(len(made.onsets), 1))
    windows = tuple((max(at - half, 0), min(at + half, size - 1)) for at in made.onsets)
    return Stream(kind, group, pd.Series(made.values, index=index), windows)
