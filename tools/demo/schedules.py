"""When a task runs next: `n MINUTES` (SECONDS, HOURS) and `USING CRON minute hour day month weekday zone`.

Cron as Snowflake documents it for CREATE TASK: lists, ranges, steps, names of months and weekdays, `L` as the last
day of the month, and a day that fits either the day of the month or the weekday where both are given.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

__all__ = ["next_run"]

_EVERY = re.compile(r"\s*(\d{1,6})\s+(SECOND|MINUTE|HOUR)S?\s*|\s*(\d{1,6})\s*([SMH])\s*", re.IGNORECASE)
_CRON = re.compile(r"\s*USING\s+CRON\s+(\S+)\s+(\S+)\s+(\S+)\s+(\S+)\s+(\S+)\s+(\S+)\s*", re.IGNORECASE)
_UNITS = {"S": 1, "M": 60, "H": 3600}
_MONTHS = {name.upper(): n for n, name in enumerate(calendar.month_abbr) if name}
_DAYS = {name: n for n, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"))}
_FAR = 366 * 5
"""Days that are looked through: 29 February comes every four or eight years."""


def next_run(schedule: str, after: datetime, last: datetime | None = None) -> datetime | None:
    """The first run later than `after` (aware), in UTC; None where the text is no schedule or never comes true.

    Args:
        last: the latest run, which an interval counts on from; without one it counts from `after`.
    """
    if found := _EVERY.fullmatch(schedule):
        amount, unit = (found[1], found[2]) if found[1] else (found[3], found[4])
        step = timedelta(seconds=int(amount) * _UNITS[unit[0].upper()])
        if not step:
            return None
        start = last if last is not None and last <= after else after
        return (start + ((after - start) // step + 1) * step).astimezone(UTC)
    if found := _CRON.fullmatch(schedule):
        try:
            cron = _Cron.read(found.groups())
        except (ValueError, KeyError, OSError):
            return None
        return cron.after(after)
    return None


@dataclass(frozen=True)
class _Cron:
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    last_day: bool
    months: frozenset[int]
    weekdays: frozenset[int]
    either: bool
    """Day and weekday are both restricted: one of them is enough."""
    zone: ZoneInfo

    @classmethod
    def read(cls, fields: tuple[str, ...]) -> _Cron:
        minute, hour, day, month, weekday, zone = fields
        return cls(
            minutes=tuple(sorted(_numbers(minute, 0, 59, {}))),
            hours=tuple(sorted(_numbers(hour, 0, 23, {}))),
            days=frozenset() if day.upper() == "L" else _numbers(day, 1, 31, {}),
            last_day=day.upper() == "L",
            months=_numbers(month, 1, 12, _MONTHS),
            weekdays=frozenset(n % 7 for n in _numbers(weekday, 0, 7, _DAYS)),
            either="*" not in (day[:1], weekday[:1]),
            zone=ZoneInfo(zone),
        )

    def after(self, moment: datetime) -> datetime | None:
        local = moment.astimezone(self.zone)
        for ahead in range(_FAR):
            day = local.date() + timedelta(days=ahead)
            if self._on(day):
                for hour in self.hours:
                    for minute in self.minutes:
                        run = datetime.combine(day, time(hour, minute), self.zone).astimezone(UTC)
                        if run > moment:
                            return run
        return None

    def _on(self, day: date) -> bool:
        if day.month not in self.months:
            return False
        last = self.last_day and day.day == calendar.monthrange(day.year, day.month)[1]
        of_month, of_week = day.day in self.days or last, day.isoweekday() % 7 in self.weekdays
        return (of_month or of_week) if self.either else (of_month and of_week)


def _numbers(field: str, low: int, high: int, names: dict[str, int]) -> frozenset[int]:
    """
    Raises:
        ValueError, KeyError: it is no field of cron.
    """
    found: set[int] = set()
    for part in field.upper().split(","):
        span, _, step = part.partition("/")
        if span == "*":
            first, last = low, high
        else:
            begin, dash, end = span.partition("-")
            first = _number(begin, names)
            last = _number(end, names) if dash else (high if step else first)
        if not low <= first <= last <= high or (step and int(step) < 1):
            raise ValueError(field)
        found.update(range(first, last + 1, int(step) if step else 1))
    return frozenset(found)


def _number(text: str, names: dict[str, int]) -> int:
    return int(text) if text.isascii() and text.isdigit() else names[text]
