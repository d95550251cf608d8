"""`score`: how odd each value is, from the values up to it alone."""

from __future__ import annotations

import json
import math
from collections import deque
from typing import Any

import numpy as np
import pandas as pd

from tools.errors import BadArgument
from tools.ml.anomaly.checks import finite

__all__ = ["State", "score", "start"]

_WINDOW = 336
_LEAST = 24


class State:
    """What `score` remembers of one stream. `take` returns the state to go on with; the one it was called on is spent."""

    def __init__(self) -> None:
        self._seen: deque[float] = deque(maxlen=_WINDOW)

    def take(self, stamp: pd.Timestamp, value: float) -> tuple[float, State]:
        """The score of one new value, in [0, 1].

        Raises:
            BadArgument: the value is not finite.
        """
        if not math.isfinite(value):
            raise BadArgument(f"Value {value} at {stamp} cannot be scored.")
        past = np.asarray(self._seen)
        self._seen.append(value)
        if past.size < _LEAST:
            return 0.0, self
        middle = float(np.median(past))
        spread = float(np.median(np.abs(past - middle))) or float(np.std(past))
        distance = abs(value - middle) / spread if spread else (0.0 if value == middle else math.inf)
        return distance / (distance + 8.0) if math.isfinite(distance) else 1.0, self

    def to_bytes(self) -> bytes:
        return json.dumps(list(self._seen)).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> State:
        state = cls()
        seen: list[Any] = json.loads(data)
        state._seen.extend(float(value) for value in seen)
        return state


def start() -> State:
    """A state that has seen nothing."""
    return State()


def score(values: pd.Series) -> pd.Series:
    """How odd each value is, in [0, 1]; at t from the values up to t only.

    Args:
        values: any index; the order of rows is the order of the stream, so stamps may repeat or go back.

    Raises:
        BadArgument: a value is missing or infinite.
    """
    state = start()
    scores = []
    for stamp, value in zip(values.index, finite(values), strict=True):
        one, state = state.take(stamp, float(value))
        scores.append(one)
    return pd.Series(scores, index=values.index, name="score", dtype=float)
