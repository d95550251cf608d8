"""Where a stamp stands in the day, the week and the calendar, for the whole of a panel at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from tools.errors import BadArgument
from tools.ml.anomaly.types import KnownJob

if TYPE_CHECKING:
    from tools.ml.calendar import Calendar

__all__ = ["Clock", "Moment", "Moments"]

_DAY = pd.Timedelta(days=1)
_FINEST = pd.Timedelta(minutes=5)

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Moment:
    """One slot of the calendar."""

    slot: int
    """Of the local day, from 0."""
    weekday: int
    """Monday is 0."""
    holiday: bool
    month_end: bool
    """The last two local days of a month and the first two, where the calendar says that the end of a month matters."""
    job: bool
    """Within announced work."""

    @property
    def off(self) -> bool:
        return self.holiday or self.weekday >= 5

    @property
    def excused(self) -> bool:
        """Nothing is learnt from such a slot."""
        return self.holiday or self.month_end or self.job


@dataclass(frozen=True)
class Moments:
    """The same with one element a stamp."""

    slot: Ints
    weekday: Ints
    holiday: Bools
    month_end: Bools
    job: Bools

    def at(self, place: int) -> Moment:
        return Moment(
            int(self.slot[place]),
            int(self.weekday[place]),
            bool(self.holiday[place]),
            bool(self.month_end[place]),
            bool(self.job[place]),
        )


class Clock:
    """
    Args:
        step: time between two values; a day is a whole number of steps.
        calendar: None reads the stamps as they are, without holidays and month ends.

    Raises:
        BadArgument: a step under five minutes, over a day, or one that does not divide the day.
    """

    def __init__(self, step: pd.Timedelta, calendar: Calendar | None, known_jobs: Sequence[KnownJob]) -> None:
        if step < _FINEST or step > _DAY or _DAY % step:
            raise BadArgument(
                f"A series with a value every {step} cannot be watched.", hint="Use hourly or daily sums."
            )
        self.step = step
        self.per_day = int(_DAY / step)
        self.calendar = calendar
        self.known_jobs = [(_naive(first), _naive(last)) for first, last in known_jobs]

    def moments(self, stamps: pd.DatetimeIndex) -> Moments:
        """Naive stamps are UTC."""
        local = self.calendar.local(stamps) if self.calendar else stamps
        nothing = np.zeros(len(stamps), dtype=bool)
        seconds = (local.hour * 3600 + local.minute * 60).to_numpy(dtype=np.int64)
        edge = self.calendar.edge_of_month(local) if self.calendar else np.zeros(len(stamps), dtype=np.int64)
        job = nothing.copy()
        for first, last in self.known_jobs:
            job |= np.asarray((stamps + self.step > first) & (stamps < last))
        return Moments(
            slot=seconds // int(self.step.total_seconds()),
            weekday=local.day_of_week.to_numpy(dtype=np.int64),
            holiday=self.calendar.is_holiday(local) if self.calendar else nothing,
            month_end=np.isin(edge, (-2, -1, 1, 2)),
            job=job,
        )


def _naive(stamp: pd.Timestamp) -> pd.Timestamp:
    stamp = pd.Timestamp(stamp)
    return stamp if stamp.tz is None else stamp.tz_convert("UTC").tz_localize(None)
