"""When statements are sent: habits to times, drawn from a random generator that is passed in.

Times are whole milliseconds after the window's start. Reads follow people's day and week, jobs their schedule
(reference 7.2 and 7.4: schedules dominate, counts are over-dispersed, weekends are lower).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from tools.demo.generate.model import Batch, Every, Habit, Stream

__all__ = ["HOUR_MS", "Arrivals", "Calendar", "arrivals"]

HOUR_MS = 3_600_000

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_PROFILES: dict[str, tuple[float, ...]] = {
    "office": (0.1, 0, 0, 0, 0.1, 0.3, 0.8, 2, 5, 8, 9, 8.5, 6, 7, 8.5, 8.5, 7.5, 5, 2.5, 1.2, 0.8, 0.6, 0.4, 0.2),
    "long": (0.6, 0.4, 0.4, 0.5, 0.8, 1.5, 3, 5, 7, 8, 8, 7.5, 6.5, 7, 7.5, 7.5, 7, 6, 4.5, 3.5, 3, 2.5, 1.8, 1),
    "mornings": (0, 0, 0, 0, 0, 0, 0, 2, 8, 10, 8, 1, 0, 1, 4, 4, 1, 0, 0, 0, 0, 0, 0, 0),
}  # fmt: skip


@dataclass(frozen=True)
class Calendar:
    """The UTC hours of the window as the account's people see them."""

    start: datetime
    hours: int
    """Whole hours that begin before now."""
    end_ms: int
    """now."""
    hour: Ints
    weekday: Ints
    day: Ints
    """Local date, as a proleptic ordinal."""
    month_end: npt.NDArray[np.bool_]
    """The last two days of a month and its first two."""

    @classmethod
    def of(cls, start: datetime, now: datetime, zone: str) -> Calendar:
        count = int((now - start) / timedelta(hours=1)) + 1
        local = [(start + timedelta(hours=n)).astimezone(ZoneInfo(zone)) for n in range(count)]
        return cls(
            start,
            count,
            int((now - start) / timedelta(milliseconds=1)),
            np.array([moment.hour for moment in local]),
            np.array([moment.weekday() for moment in local]),
            np.array([moment.date().toordinal() for moment in local]),
            np.array([moment.day <= 2 or (moment + timedelta(days=2)).day <= 2 for moment in local]),
        )


@dataclass(frozen=True)
class Arrivals:
    """Statements of one habit in order of time; the columns are of one length."""

    at: Ints
    statement: Ints
    """Index into the habit's statements."""
    user: Ints
    run: Ints
    """Number of the batch; 0 for streams."""


def arrivals(habit: Habit, calendar: Calendar, rng: np.random.Generator) -> Arrivals:
    pattern = habit.arrivals
    if isinstance(pattern, Stream):
        at = _stream(pattern, calendar, rng)
        run = np.zeros(len(at), dtype=np.int64)
    elif isinstance(pattern, Batch):
        at, run = _batches(pattern, calendar, rng)
    elif isinstance(pattern, Every):
        at = _poll(pattern, calendar, rng)
        run = np.zeros(len(at), dtype=np.int64)
    else:
        at = np.array([calendar.end_ms - int(pattern.seconds_ago * 1000)])
        run = np.zeros(1, dtype=np.int64)
    known = at < calendar.end_ms
    at, run = at[known], run[known]
    statement = _statements(habit, run, rng)
    rank = np.arange(1, len(habit.users) + 1)
    user = rng.choice(len(habit.users), size=len(at), p=(1 / rank) / (1 / rank).sum())
    order = np.argsort(at, kind="stable")
    return Arrivals(at[order], statement[order], user[order].astype(np.int64), run[order])


def _stream(pattern: Stream, calendar: Calendar, rng: np.random.Generator) -> Ints:
    profile = np.array(_PROFILES[pattern.profile])
    rate = pattern.per_day * (profile / profile.sum())[calendar.hour]
    rate = rate * np.where(calendar.weekday >= 5, pattern.weekend, 1.0)
    rate = rate * np.where(calendar.month_end, pattern.month_end, 1.0)
    days, which = np.unique(calendar.day, return_inverse=True)
    growth = 1 + 0.06 * (np.arange(len(days)) / max(len(days) - 1, 1) - 0.5)
    rate = rate * (growth * rng.lognormal(-0.01, 0.14, len(days)))[which]
    rate = rate * rng.gamma(5.0, 1 / 5.0, calendar.hours)
    count = rng.poisson(rate)
    at: Ints = np.repeat(np.arange(calendar.hours), count) * HOUR_MS + rng.integers(0, HOUR_MS, count.sum())
    return at


def _batches(pattern: Batch, calendar: Calendar, rng: np.random.Generator) -> tuple[Ints, Ints]:
    due = np.isin(calendar.hour, pattern.hours)
    # The hour that a clock change repeats is one hour to a scheduler: it runs in the first.
    due[1:] &= ~((calendar.hour[1:] == calendar.hour[:-1]) & due[:-1])
    if pattern.weekdays_only:
        due &= calendar.weekday < 5
    hours = np.flatnonzero(due)
    count = np.full(len(hours), float(pattern.count)) * np.where(calendar.month_end[hours], pattern.month_end, 1.0)
    if not pattern.in_order:
        count = rng.poisson(count).astype(float)
    whole = np.maximum(count.round().astype(np.int64), 1)
    start = hours * HOUR_MS + pattern.minute * 60_000 + rng.integers(0, 4_000, len(hours))
    run = np.repeat(np.arange(len(hours)), whole)
    place = np.arange(len(run)) - np.repeat(np.cumsum(whole) - whole, whole)
    if pattern.in_order:
        gap = pattern.seconds * 1000 / pattern.count
        offset = (place + rng.uniform(0, 0.8, len(run))) * gap
    else:
        offset = rng.uniform(0, pattern.seconds * 1000, len(run))
    return start[run] + offset.astype(np.int64), run


def _poll(pattern: Every, calendar: Calendar, rng: np.random.Generator) -> Ints:
    step = int(pattern.minutes * 60_000)
    at: Ints = np.arange(int(rng.integers(0, step)), calendar.end_ms, step)
    return at + rng.integers(0, int(pattern.jitter_seconds * 1000), len(at))


def _statements(habit: Habit, run: Ints, rng: np.random.Generator) -> Ints:
    count = len(habit.statements)
    if isinstance(habit.arrivals, Batch) and habit.arrivals.in_order:
        first = np.searchsorted(run, run, side="left")
        return (np.arange(len(run)) - first) % count
    share = np.array([statement.share for statement in habit.statements])
    return rng.choice(count, size=len(run), p=share / share.sum()).astype(np.int64)
