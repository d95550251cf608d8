"""From evidence in single slots to findings said once: when an episode starts, goes on, ends, and what it was.

At most one episode of a series is under way. It starts where the evidence that raised it began to pile up, goes on
while the residual stays on its side, and is over after a day in which it did not: what comes back within a day is the
same thing. An episode that lasts two weeks has become what is usual.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tools.ml.anomaly.checks import Floats
from tools.ml.anomaly.types import Kind

__all__ = ["UNREST", "Episode", "kind_of"]

UNREST = 0
"""The direction of an episode that is neither above nor below: changed variance or seasonality."""

_LONG_DAYS = 1.5
_SILENT_SHARE = 0.2
_RAMP = 1.6
_NET_SHARE = 0.35
_SAME_SHAPE = 0.4


@dataclass
class Episode:
    """Numbers of slots count from the first slot the panel took."""

    start: int
    last: int
    detected: int
    direction: int
    confidence: float
    length: int
    """Of the window that raised it, in slots: long windows are raised by what creeps."""
    totals: Floats = field(default_factory=lambda: np.zeros(8))
    """Over [start, last]: slots, actual, expected, half width of the band, |residual|, z, z * z, z * z a day before."""
    pending: Floats = field(default_factory=lambda: np.zeros(8))
    """The same after `last`: it counts once the episode is seen to go on."""
    early: float = 0.0
    """Mean z of the first day, in the episode's direction."""
    recent: float = 0.0
    """Mean z of the last day in which it went on."""

    base: float = float("nan")
    """What a slot of a drift is expected to have: the profile follows a drift and cannot say."""

    def add(self, parts: Floats, goes_on: bool, now: int) -> None:
        self.pending += parts
        if goes_on:
            self.totals += self.pending
            self.pending[:] = 0.0
            self.last = now

    def as_json(self) -> dict[str, Any]:
        plain = {name: value for name, value in vars(self).items() if not isinstance(value, np.ndarray)}
        return plain | {"totals": self.totals.tolist(), "pending": self.pending.tolist()}

    @classmethod
    def from_json(cls, saved: dict[str, Any]) -> Episode:
        return cls(**saved | {"totals": np.array(saved["totals"]), "pending": np.array(saved["pending"])})


def kind_of(episode: Episode, per_day: int) -> Kind:
    """What the episode has been so far; it may turn from a spike into a level shift by lasting."""
    slots, actual, expected, _, absolute, _, square, shape = episode.totals
    if np.isfinite(episode.base):
        return "drift"
    long = slots > _LONG_DAYS * per_day
    net = abs(actual - expected)
    if episode.direction == UNREST or (long and absolute > 0 and net < _NET_SHARE * absolute):
        same_shape = square > 0 and shape / square > _SAME_SHAPE
        return "seasonality_change" if same_shape else "variance_change"
    if episode.direction < 0 and actual <= _SILENT_SHARE * expected:
        return "silence"
    if long and episode.length >= 3 * per_day and episode.recent > _RAMP * max(episode.early, 0.0):
        return "drift"
    return "level_shift" if long or episode.direction < 0 else "spike"
