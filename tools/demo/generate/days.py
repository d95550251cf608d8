"""Days as the account's people see them: local hours, weekends, month ends, US holidays.

Times are whole milliseconds since 1970-01-01 UTC, everywhere in the generator.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

__all__ = ["DAY_MS", "HOUR_MS", "Day", "days_between", "holidays", "local_day", "milliseconds", "moment"]

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS

Ints = npt.NDArray[np.int64]


def milliseconds(when: datetime) -> int:
    return int((when - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(milliseconds=1))


def moment(ms: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)


@dataclass(frozen=True)
class Day:
    """One local day: 23 to 25 hours."""

    ordinal: int
    """Local date, as a proleptic ordinal."""
    start: Ints
    """When each of its hours starts."""
    hour: Ints
    """The clock's hour."""
    weekday: int
    month_end: bool
    """The last two days of a month and its first two."""
    holiday: bool

    @property
    def working(self) -> bool:
        return self.weekday < 5 and not self.holiday


@cache
def local_day(ordinal: int, zone: str) -> Day:
    where = ZoneInfo(zone)
    day = date.fromordinal(ordinal)
    start = milliseconds(datetime(day.year, day.month, day.day, tzinfo=where))
    after = day + timedelta(days=1)
    end = milliseconds(datetime(after.year, after.month, after.day, tzinfo=where))
    starts = list(range(start, end, HOUR_MS))
    return Day(
        ordinal,
        np.array(starts, dtype=np.int64),
        np.array([moment(ms).astimezone(where).hour for ms in starts]),
        day.weekday(),
        day.day <= 2 or (day + timedelta(days=2)).day <= 2,
        day in holidays(day.year),
    )


def days_between(since: int, until: int, zone: str) -> list[Day]:
    """The local days that overlap [since, until)."""
    where = ZoneInfo(zone)
    first = moment(since).astimezone(where).date().toordinal()
    last = moment(until - 1).astimezone(where).date().toordinal()
    return [local_day(ordinal, zone) for ordinal in range(first, last + 1)]


@cache
def holidays(year: int) -> frozenset[date]:
    """US federal holidays on which offices are empty, and the day after Thanksgiving."""
    thanksgiving = _nth(year, 11, 3, 4)
    return frozenset(
        {
            date(year, 1, 1),
            _nth(year, 1, 0, 3),
            _nth(year, 5, 0, 5) if _nth(year, 5, 0, 5).month == 5 else _nth(year, 5, 0, 4),
            date(year, 6, 19),
            date(year, 7, 4),
            _nth(year, 9, 0, 1),
            _nth(year, 10, 0, 2),
            date(year, 11, 11),
            thanksgiving,
            thanksgiving + timedelta(days=1),
            date(year, 12, 24),
            date(year, 12, 25),
            date(year, 12, 31),
        }
    )


def _nth(year: int, month: int, weekday: int, n: int) -> date:
    """The n-th such weekday of the month (the fifth may fall into the next one)."""
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (n - 1))
