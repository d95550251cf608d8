"""`score`: how odd each value is, from the values up to it alone.

One alarm for one thing. After an alarm the score stays below the threshold for twelve hours (novel shapes) or six
(plain excess) by the stamps while things stay as odd; it still ranks them. So the continuous score rises at the
onset, and an unusual afternoon does not page anybody thirty times. Only what is more than twice as novel as what began
the rest breaks it: noise that just reached an alarm must not hide an outage an hour later. Each alarm also raises what
the next novel shape must reach by a fifth, which fades over a day: what goes on being odd must become odder to be told
again.
"""

from __future__ import annotations

import io
import math
from collections import deque
from statistics import median
from zipfile import BadZipFile

import numpy as np
import pandas as pd

from tools.errors import BadArgument
from tools.ml.anomaly.checks import Floats, finite
from tools.ml.anomaly.evidence import Evidence, Gatherer
from tools.ml.anomaly.memory import Memory
from tools.ml.anomaly.stillness import Stillness

__all__ = ["State", "score", "start"]

_HOUR = 3600.0
_REST_NOVEL = (12 * _HOUR, 24, 1440)
_REST_PLAIN = (6 * _HOUR, 4, 1440)
"""Seconds of rest after an alarm, and between how many values that is at least and at most."""

_BEYOND = 2.0
"""How many times the evidence of the alarm that began a rest is enough to break it."""

_DAY = 86_400.0
_WEARIER = 0.2
"""How much more evidence the next alarm of novelty needs after each alarm; fades by the factor e in a day."""

_GAPS = 31
_NEVER = -(10**9)
_FORMAT = 3


class _Pace:
    """The usual time between values: the median of the last 31 gaps that go forward. An hour until one was seen."""

    def __init__(self, gaps: tuple[float, ...] = (), last: float = math.nan) -> None:
        self.gaps: deque[float] = deque(gaps, maxlen=_GAPS)
        self.last = last
        self.step = median(self.gaps) if self.gaps else _HOUR

    def take(self, stamp: object) -> float:
        if isinstance(stamp, pd.Timestamp):
            now = stamp.value / 1e9
            gap = now - self.last
            if gap > 0:
                self.gaps.append(gap)
                if gap != self.step or len(self.gaps) < _GAPS:
                    self.step = median(self.gaps)
            self.last = now
        return self.step


class State:
    """What `score` remembers of one stream.

    `take` returns the state to go on with; the one it was called on is spent. A value costs the same however long the
    stream is.
    """

    def __init__(self) -> None:
        self._gatherer = Gatherer()
        self._pace = _Pace()
        self._last_novel = _NEVER
        self._last_plain = _NEVER
        self._last_strength = 0.0
        self._weary = 0.0

    def take(self, stamp: pd.Timestamp, value: float) -> tuple[float, State]:
        """The score of one new value, in [0, 1].

        Raises:
            BadArgument: the value is missing or infinite.
        """
        if not math.isfinite(value):
            raise BadArgument(f"Value {value} at {stamp} cannot be scored.", hint="A gap is not a value: leave it out.")
        now = self._gatherer.memory.seen
        step = self._pace.take(stamp)
        evidence = self._gatherer.take(value, step)
        return self._calibrated(evidence, now, step), self

    def _calibrated(self, evidence: Evidence, now: int, step: float) -> float:
        """From 0.5 on at an alarm, below 0.5 elsewhere."""
        strength = 0.0
        self._weary *= math.exp(-step / _DAY)
        novel = evidence.novel / (1 + self._weary)
        if evidence.plain >= 1 and now - self._last_plain > _rest(_REST_PLAIN, step):
            strength = evidence.plain
        rested = now - self._last_novel > _rest(_REST_NOVEL, step)
        if novel >= 1 and (rested or novel >= _BEYOND * self._last_strength):
            strength = max(strength, novel)
        if strength:
            self._alarm(now, strength)
            return strength / (1 + strength)
        return 0.5 * evidence.oddness / (1 + evidence.oddness)

    def _alarm(self, now: int, strength: float) -> None:
        self._last_plain = self._last_novel = now
        self._last_strength = strength
        self._weary += _WEARIER

    def to_bytes(self) -> bytes:
        """Everything `from_bytes` needs to go on exactly as this state would."""
        gatherer = self._gatherer
        arrays = {f"memory_{name}": array for name, array in gatherer.memory.arrays().items()}
        arrays |= {f"tail_{at}": np.array(tail.queue) for at, tail in enumerate(gatherer.tails)}
        arrays |= {
            "near": np.array(gatherer.near.queue),
            "excesses": np.array(gatherer.excesses.queue),
            "gaps": np.array(self._pace.gaps),
            "breaches": np.array(gatherer.breaches.queue),
            "still": np.array([gatherer.stillness.run, gatherer.stillness.longest]),
            "running": np.array([gatherer.breach, self._last_strength, self._weary]),
            "last": np.array([self._pace.last, self._last_novel, self._last_plain]),
            "format": np.array([_FORMAT]),
        }
        target = io.BytesIO()
        np.savez_compressed(target, allow_pickle=False, **arrays)
        return target.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> State:
        """
        Raises:
            BadArgument: not what `to_bytes` of this version wrote.
        """
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as saved:
                arrays: dict[str, Floats] = dict(saved)
            return cls._restored(arrays)
        except (KeyError, ValueError, OSError, EOFError, BadZipFile) as error:
            raise BadArgument(f"This is no saved state of an anomaly score: {error}") from error

    @classmethod
    def _restored(cls, arrays: dict[str, Floats]) -> State:
        if int(arrays["format"][0]) != _FORMAT:
            raise ValueError("it is of another version")
        state = cls()
        gatherer = state._gatherer
        gatherer.memory = Memory.from_arrays(
            {name.removeprefix("memory_"): array for name, array in arrays.items() if name.startswith("memory_")}
        )
        for at, tail in enumerate(gatherer.tails):
            gatherer.tails[at] = type(tail)(tail.size, arrays[f"tail_{at}"].tolist())
        for name in ("near", "excesses", "breaches"):
            window = getattr(gatherer, name)
            setattr(gatherer, name, type(window)(window.size, arrays[name].tolist()))
        gatherer.stillness = Stillness(*arrays["still"].astype(int).tolist())
        gatherer.breach, state._last_strength, state._weary = arrays["running"].tolist()
        last, novel, plain = arrays["last"].tolist()
        state._pace = _Pace(tuple(arrays["gaps"].tolist()), last)
        state._last_novel, state._last_plain = int(novel), int(plain)
        return state


def _rest(rule: tuple[float, int, int], step: float) -> float:
    seconds, least, most = rule
    return min(max(seconds / step, least), most)


def start() -> State:
    """A state that has seen nothing."""
    return State()


def score(values: pd.Series) -> pd.Series:
    """How odd each value is, in [0, 1]; at t from the values up to t only.

    Scores from `DEFAULT` on are alarms, as a rule one in twelve hours for one thing; scores below rank the rest. The
    score does not depend on the unit: a * x + b with a > 0 has the same score.

    Args:
        values: any index; the order of rows is the order of the stream, so stamps may repeat or go back. Without
            stamps the values count as hourly.

    Raises:
        BadArgument: a value is missing or infinite.
    """
    state = start()
    scores = []
    for stamp, value in zip(values.index, finite(values).tolist(), strict=True):
        one, state = state.take(stamp, value)
        scores.append(one)
    return pd.Series(scores, index=values.index, name="score", dtype=float)
