"""The course of spending through a term: sums from its beginning, and when they pass an amount."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from tools.forecast.study import LEVELS, Outlook
from tools.windows.calendars import localize, midnight, zone

if TYPE_CHECKING:
    from tools.ml.forecasting import Total

__all__ = ["Course", "Step", "course_of"]


@dataclass(frozen=True)
class Step:
    """All from the beginning of the term up to `until`, which is the end of a local day."""

    until: datetime
    mean: float
    low: float
    high: float
    low95: float
    high95: float
    measured: bool


@dataclass(frozen=True)
class Course:
    steps: tuple[Step, ...]
    before: float
    """What was used of the term before the first step."""

    @property
    def last(self) -> Step:
        return self.steps[-1]

    def passes(self, amount: float, of: str = "mean") -> datetime | None:
        """The end of the first day on which the sum is above the amount; `of`: mean, low or high."""
        return next((step.until for step in self.steps if getattr(step, of) > amount), None)

    def a_day(self) -> float:
        """Mean of the days to come."""
        ahead = [step for step in self.steps if not step.measured]
        if not ahead:
            return 0.0
        known = [step for step in self.steps if step.measured]
        base = known[-1].mean if known else self.before
        return (ahead[-1].mean - base) / len(ahead)


def course_of(outlook: Outlook, before: float = 0.0) -> Course:
    """One step a local day of the outlook's window; `before` is added to each."""
    window = outlook.ahead.window
    tz = zone(outlook.histories.tz)
    steps: list[Step] = []
    day = localize(window.start, tz).date()
    while (until := midnight(day + timedelta(days=1), tz)) <= window.end:
        steps.append(_step(outlook.total(window.start, until), until, before, until <= outlook.begins))
        day += timedelta(days=1)
    return Course(tuple(steps), before)


def _step(total: Total, until: datetime, before: float, measured: bool) -> Step:
    low, high = total.intervals[LEVELS[0]]
    low95, high95 = total.intervals[LEVELS[1]]
    return Step(until, before + total.mean, before + low, before + high, before + low95, before + high95, measured)
