"""How much speaks for "out of the ordinary" at each value: four kinds of surprise and one plain excess.

| part      | statistic                                                        | catches                              |
|-----------|------------------------------------------------------------------|--------------------------------------|
| novelty   | distance of the last 2, 7, 50 values to the nearest earlier ones | shapes that never came before        |
| agitation | mean step of the last 15 values against the 300 before           | changed variance, flat lines         |
| jump      | distance to the median of the last 50 values                     | spikes, level shifts                 |
| excess    | distance to the same time of the last seven days, in quartiles   | what is large whatever came before   |

The first three are put on one scale by their own tails (`tails.py`). Novelty and agitation raise an alarm by
surprise alone. Jump and excess do together: the habit of seven days exceeded eightfold, by a jump that comes less
than about once in a day and a half, to a value not taken before. Rates are counted by the clock where values come
faster than once an hour (jump) or once in five minutes (novelty): people bear alarms a day, not alarms a value.
"""

from __future__ import annotations

from math import log10
from typing import NamedTuple

import numpy as np

from tools.ml.anomaly.checks import Floats
from tools.ml.anomaly.memory import FADES, Memory
from tools.ml.anomaly.tails import Tail, Window

__all__ = ["Evidence", "Gatherer"]

_SURPRISE = 2.15
"""-log10 of the tail probability at which novelty alone raises an alarm: about once in 140 values."""

_AGITATION_HANDICAP = 0.5
_JUMP = 1.5
_EXCESS = 8.0
_UNLIKE = 4.0
_TAILS = 6000
_HABIT = 500
_NEAR = 50
_SHORT, _LONG = 15, 300
_FEWEST = 24
_ENDLESS = 1000.0
_HOUR, _FIVE_MINUTES = 3600.0, 300.0
_ROUNDING = 1e-9


class Evidence(NamedTuple):
    """Each part is 1 where it alone would raise an alarm."""

    novel: float
    """Novelty or agitation."""
    plain: float
    """Jump, excess and unlikeness: the least of the three."""
    oddness: float
    """Mean surprise, for ranking; not tied to an alarm."""


class Gatherer:
    """All that the evidence at the next value depends on."""

    def __init__(self) -> None:
        self.memory = Memory()
        self.tails = [Tail(_TAILS) for _ in range(len(FADES) + 2)]
        self.near = Window(_NEAR)
        self.steps: Floats = np.zeros(0)
        self.excesses = Window(_HABIT)
        self.distances = Window(_HABIT)

    def take(self, value: float, step: float) -> Evidence:
        """The evidence at a value that came `step` seconds after the one before, as a rule; then remember it."""
        memory = self.memory
        middle = self.near.quantile(0.5) if self.near.sorted else value
        same_time = memory.same_time_of_day(round(86_400 / step))
        usual = float(np.median(same_time)) if same_time.size else middle
        before = float(memory.past(1)[0]) if memory.seen else value
        novelties, nearest = memory.take(value)
        floor = _ROUNDING * (memory.most - memory.least)
        statistics = [*novelties, self._agitation(abs(value - before)), abs(value - middle)]
        surprises = [
            tail.take(statistic if statistic > floor else 0.0)
            for tail, statistic in zip(self.tails, statistics, strict=True)
        ]
        self.near.push(value)
        excess = _in_quartiles(self.excesses, abs(value - usual))
        unlike = _in_quartiles(self.distances, nearest)
        jump = surprises[-1] - max(0.0, log10(_HOUR / step))
        *shapes, agitation = surprises[:-1]
        novel = max(*shapes, agitation - _AGITATION_HANDICAP) - max(0.0, log10(_FIVE_MINUTES / step))
        return Evidence(
            novel=novel / _SURPRISE,
            plain=min(jump / _JUMP, excess / _EXCESS, unlike / _UNLIKE),
            oddness=sum(surprises) / len(surprises),
        )

    def _agitation(self, step: float) -> float:
        self.steps = np.append(self.steps[-(_SHORT + _LONG - 1) :], step)
        recent, before = self.steps[-_SHORT:], self.steps[:-_SHORT]
        return abs(float(recent.mean() - before.mean())) if before.size >= _FEWEST else 0.0


def _in_quartiles(habit: Window, distance: float) -> float:
    """`distance` over the third quartile of the habitual ones; then remember it."""
    answer = 0.0
    if len(habit.sorted) >= _FEWEST and distance > 0:
        quartile = habit.quantile(0.75)
        answer = min(distance / quartile, _ENDLESS) if quartile > 0 else _ENDLESS
    habit.push(distance)
    return answer
