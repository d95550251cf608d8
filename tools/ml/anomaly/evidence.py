"""How much speaks for "out of the ordinary" at each value: five kinds of surprise, stillness and plain excess.

| part      | statistic                                                        | catches                              |
|-----------|------------------------------------------------------------------|--------------------------------------|
| novelty   | distance of the last 2, 7, 50 values to the nearest earlier ones | shapes that (almost) never came      |
| agitation | mean step of the last 15 values against the 300 before           | changed variance, flat lines         |
| breach    | six hours' mean distance to the nearest at the same time of day  | a day without its rise, work that    |
|           | on the last seven days                                           | goes on or starts late               |
| stillness | how often the same value has come in a row (`stillness.py`)      | silence, a sensor that hangs         |
| jump      | distance to the median of the last 50 values                     | spikes, level shifts                 |
| excess    | distance to the same time of the last seven days, in quartiles   | what is large whatever came before   |

All but stillness and excess are put on one scale by their own tails (`tails.py`). Novelty and agitation raise an
alarm by surprise: by the harmonic mean of their tail probabilities (Wilson 2019), which one small probability decides,
whatever the dependence between them, and to which two of them add up. A breach of the daily habit does so alone, from a
much smaller probability on: a day without work looks like a long night, and no part of it is novel. Jump and excess do
together: the habit of seven days exceeded sevenfold, by a jump that comes less than about once in a day and a half, to
a value that was not taken before. Rates are counted by the clock where values come faster than once an hour (jump) or
once in five minutes (the others): people bear alarms a day, not alarms a value.
"""

from __future__ import annotations

from math import log10
from statistics import median
from typing import NamedTuple

import numpy as np

from tools.ml.anomaly.checks import Floats
from tools.ml.anomaly.memory import FADES, Memory
from tools.ml.anomaly.stillness import Stillness
from tools.ml.anomaly.tails import Tail, Window

__all__ = ["Evidence", "Gatherer"]

_WEIGHTS = (*(1.0 for _ in FADES), 0.4)
"""Of each novelty and of agitation in the harmonic mean."""

_SURPRISE = 1.8
"""-log10 of the mean tail probability at which an alarm is raised."""

_BREACH = 3.5
"""The same of the breach. Streams without a daily habit have breaches of every size, and so never one this rare."""

_BREACH_SECONDS = 6 * 3600.0
_BREACH_LEAST = 3
"""Over how long the distances to the habit are averaged, and over how many values at least."""

_BREACH_DAYS = 3
"""Of a habit before a breach of it counts."""

_STILL = 2.0
"""What stillness counts for; it is said once in a run, so weariness must not swallow it."""

_DEPENDENCE = 0.5
"""Values of one minute are no independent chances of an alarm: five times the values count as sqrt(5) times."""

_JUMP = 1.6
_EXCESS = 7.0
_UNLIKE = 0.02
"""How far the nearest value ever taken must be, as a share of the excess."""

_TAILS = 6000
_HABIT = 500
_NEAR = 50
_SHORT, _LONG = 15, 300
_FEWEST = 24
_ENDLESS = 1000.0
_DAY, _HOUR, _FIVE_MINUTES = 86_400.0, 3600.0, 300.0
_ROUNDING = 1e-9


class Evidence(NamedTuple):
    """Each part is 1 where it alone would raise an alarm."""

    novel: float
    """Novelty and agitation, the breach of a habit, or stillness."""
    plain: float
    """Jump, excess and unlikeness: the least of the three."""
    oddness: float
    """Mean surprise, for ranking; not tied to an alarm."""


class Gatherer:
    """All that the evidence at the next value depends on."""

    def __init__(self) -> None:
        self.memory = Memory()
        self.tails = [Tail(_TAILS) for _ in range(len(_WEIGHTS) + 1)]
        self.near = Window(_NEAR)
        self.excesses = Window(_HABIT)
        self.breaches = Tail(_TAILS)
        self.breach = 0.0
        self.stillness = Stillness()

    def take(self, value: float, step: float) -> Evidence:
        """The evidence at a value that came `step` seconds after the one before, as a rule; then remember it."""
        memory = self.memory
        middle = self.near.quantile(0.5) if self.near.sorted else value
        lag = round(_DAY / step)
        same_time = memory.same_time_of_day(lag)
        known = memory.seen >= _BREACH_DAYS * lag
        still = self.stillness.take(bool((memory.past(1) == value).any()), memory.seen, step)
        usual = median(same_time.tolist()) if same_time.size else middle
        novelties, nearest = memory.take(value)
        past = memory.past(_SHORT + _LONG + 1)
        statistics = [*novelties, _change(np.abs(past[:-1] - past[1:])), abs(value - middle)]
        floor = _ROUNDING * (memory.most - memory.least)
        surprises = [
            tail.take(statistic if statistic > floor else 0.0)
            for tail, statistic in zip(self.tails, statistics, strict=True)
        ]
        self.near.push(value)
        excess = abs(value - usual)
        *shapes, jump = surprises
        breach = self._breached(np.abs(same_time - value), step, floor, known)
        rare = max(_joint(shapes), breach * _SURPRISE / _BREACH)
        return Evidence(
            novel=max(
                (rare - _DEPENDENCE * max(0.0, log10(_FIVE_MINUTES / step))) / _SURPRISE,
                _STILL if still else 0.0,
            ),
            plain=min(
                (jump - max(0.0, log10(_HOUR / step))) / _JUMP,
                _in_quartiles(self.excesses, excess) / _EXCESS,
                nearest / excess / _UNLIKE if excess > 0 else 0.0,
            ),
            oddness=sum(surprises) / len(surprises),
        )

    def _breached(self, distances: Floats, step: float, floor: float, known: bool) -> float:
        """The surprise of the breach; zero while there is no habit yet."""
        share = 1 / max(_BREACH_SECONDS / step, _BREACH_LEAST)
        self.breach += share * ((float(distances.min()) if distances.size else 0.0) - self.breach)
        if not known or not distances.size:
            return 0.0
        return self.breaches.take(self.breach if self.breach > floor else 0.0)


def _change(newest_first: Floats) -> float:
    """From the mean of the 300 values before to the mean of the last 15; zero while that says nothing."""
    count = newest_first.size - _SHORT
    if count < _FEWEST:
        return 0.0
    recent, before = newest_first[:_SHORT].sum(), newest_first[_SHORT:].sum()
    return abs(float(recent / _SHORT - before / count))


def _joint(surprises: list[float]) -> float:
    """-log10 of the weighted harmonic mean of probabilities that are given as -log10."""
    most = max(surprises)
    total = sum(weight * 10 ** (one - most) for weight, one in zip(_WEIGHTS, surprises, strict=True))
    return most + log10(total / sum(_WEIGHTS))


def _in_quartiles(habit: Window, distance: float) -> float:
    """`distance` over the third quartile of the habitual ones; then remember it."""
    answer = 0.0
    if len(habit.sorted) >= _FEWEST and distance > 0:
        quartile = habit.quantile(0.75)
        answer = min(distance / quartile, _ENDLESS) if quartile > 0 else _ENDLESS
    habit.push(distance)
    return answer
