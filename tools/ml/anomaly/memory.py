"""The stream's past, newest first, and how unlike anything in it the last few values are.

Novelty is a left discord: the distance of the newest stretch of values to the nearest stretch that came before (left
matrix profile; Yeh et al. 2016, Yeh et al. 2018 for streams). In a long past it is the second nearest and then the
third, because what came once in thousands of values may have been out of the ordinary then, too. A stretch fades by a
factor at each step back instead of ending, so that the squared distance at every lag follows from the one a step ago,

    d_t(lag) = fade * d_(t-1)(lag) + (x_t - x_(t-lag))^2,

one multiply and one add over the lags; three factors look at about 2, 7 and 50 values.
"""

from __future__ import annotations

import math

import numpy as np

from tools.ml.anomaly.checks import Floats

__all__ = ["FADES", "LAGS", "Memory"]

FADES = (0.5, 0.85, 0.98)
LAGS = 4000
"""How far back the nearest stretch is looked for: two weeks of five-minute values."""

RARE = 1500
"""A stretch that came once in so many values is still novel."""

DAYS = 7
DAY_LAGS = 1440
_KEPT = DAYS * DAY_LAGS + 4


class Memory:
    """The last 7 x 1,440 values and the distances at 4,000 lags. `seen` counts all values, also the forgotten."""

    def __init__(self) -> None:
        self.seen = 0
        self.least = np.inf
        self.most = -np.inf
        # Written from the back to the front: the past, newest first, is then always one slice.
        self._values: Floats = np.zeros(2 * _KEPT)
        self._front = 2 * _KEPT
        self._distances: Floats = np.zeros((len(FADES), LAGS))
        self._fades: Floats = np.array(FADES)[:, None]
        self._apart = [max(2, round(1 / (1 - fade))) for fade in FADES]
        self._scale = [1 - fade for fade in FADES]

    def past(self, count: int) -> Floats:
        """At most the last `count` values, newest first."""
        return self._values[self._front : self._front + min(count, self.seen, _KEPT)]

    def take(self, value: float) -> tuple[list[float], float]:
        """Novelty at each fade, and the distance to the nearest single value; then remember the value."""
        past = self.past(LAGS)
        novelties, nearest = [0.0] * len(FADES), 0.0
        if past.size:
            gaps = past - value
            np.abs(gaps, out=gaps)
            nearest = float(gaps.min())
            gaps *= gaps
            distances = self._distances[:, : past.size]
            distances *= self._fades
            distances += gaps
            novelties = [self._novelty(row) for row in range(len(FADES))]
        self._remember(value)
        return novelties, nearest

    def _novelty(self, row: int) -> float:
        """Over stretches that overlap neither the newest one nor a nearer one, nor begin before the stream did."""
        apart = self._apart[row]
        candidates = self._distances[row, apart - 1 : max(min(self.seen - apart, LAGS), apart - 1)]
        distance, hidden = 0.0, []
        for _ in range(1 + candidates.size // RARE if candidates.size else 0):
            at = int(candidates.argmin())
            if candidates[at] == np.inf:
                break
            distance = float(candidates[at])
            around = candidates[max(at - apart + 1, 0) : at + apart]
            hidden.append((around, around.copy()))
            around[:] = np.inf
        for around, kept in reversed(hidden):
            around[:] = kept
        return math.sqrt(distance * self._scale[row])

    def _remember(self, value: float) -> None:
        if self._front == 0:
            self._values[-_KEPT:] = self._values[:_KEPT]
            self._front = _KEPT
        self._front -= 1
        self._values[self._front] = value
        self.seen += 1
        self.least, self.most = min(self.least, value), max(self.most, value)

    def same_time_of_day(self, lag: int) -> Floats:
        """Values within two steps of one to seven days ago; empty before a day has passed or without a day."""
        if lag <= 2 or lag > DAY_LAGS or self.seen < lag:
            return self._values[:0]
        places = np.add.outer(np.arange(1, DAYS + 1) * lag, np.arange(-2, 3)).ravel() - 1
        past = self.past(_KEPT)
        return np.asarray(past[places[places < past.size]])

    def arrays(self) -> dict[str, Floats]:
        """What `from_arrays` needs."""
        return {
            "past": self.past(_KEPT).copy(),
            "distances": self._distances[:, : min(self.seen, LAGS)].copy(),
            "range": np.array([self.least, self.most, float(self.seen)]),
        }

    @classmethod
    def from_arrays(cls, arrays: dict[str, Floats]) -> Memory:
        memory = cls()
        past, distances = arrays["past"], arrays["distances"]
        memory.least, memory.most = float(arrays["range"][0]), float(arrays["range"][1])
        memory.seen = int(arrays["range"][2])
        memory._front = 2 * _KEPT - past.size
        memory._values[memory._front :] = past
        memory._distances[:, : distances.shape[1]] = distances
        return memory
