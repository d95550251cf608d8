"""When statements are sent, day by day: reads follow people's day and week, jobs their schedule.

Reference 7.2 and 7.4: schedules dominate, counts are over-dispersed, weekends are lower. Each day of each habit is a
pure function of (seed, habit, local day): chance.py.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tools.demo.generate.chance import fraction, keyed
from tools.demo.generate.days import DAY_MS, HOUR_MS, Day
from tools.demo.generate.model import Batch, Every, Habit, Stream

__all__ = ["NORMALS", "UNIFORMS", "Sent", "fill", "send"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_PROFILES: dict[str, tuple[float, ...]] = {
    "office": (0.1, 0, 0, 0, 0.1, 0.3, 0.8, 2, 5, 8, 9, 8.5, 6, 7, 8.5, 8.5, 7.5, 5, 2.5, 1.2, 0.8, 0.6, 0.4, 0.2),
    "long": (0.6, 0.4, 0.4, 0.5, 0.8, 1.5, 3, 5, 7, 8, 8, 7.5, 6.5, 7, 7.5, 7.5, 7, 6, 4.5, 3.5, 3, 2.5, 1.8, 1),
    "mornings": (0, 0, 0, 0, 0, 0, 0, 2, 8, 10, 8, 1, 0, 1, 4, 4, 1, 0, 0, 0, 0, 0, 0, 0),
    "flat": (1.0,) * 24,
}  # fmt: skip
_GROWTH_PER_DAY = 0.0007
_GROWTH_FROM = 739_700
"""A day in 2026 from which growth counts."""
_HOLIDAY_PEOPLE, _HOLIDAY_SERVICES = 0.12, 0.45
"""Share of a usual day on a holiday: of what people send, and of what dashboards send for them."""

UNIFORMS = (
    *("user", "mix", "literal", "blocked", "mistyped", "typo", "fails", "incident", "done", "cached", "total"),
    *("oddity", "result", "written", "cache", "cache_low", "cache_high", "network", "id", "tail", "retry"),
)
NORMALS = ("common", "own", "compile", "listing", "wait", "intermediate", "produced")


@dataclass(frozen=True)
class Sent:
    """Statements of one habit and day (or of one incident), and the chance that each brings along."""

    at: Ints
    run: Ints
    """Number of the batch, unique in its habit; 0 for streams."""
    place: Ints
    """Place in its batch."""
    uniforms: Floats
    """One column for each of UNIFORMS."""
    normals: Floats


def send(habit: Habit, day: Day, seed: int) -> Sent | None:
    """What the habit sends on this day."""
    rng = keyed(seed, habit.key, day.ordinal)
    pattern = habit.arrivals
    if isinstance(pattern, Stream):
        at = _stream(pattern, day, rng, human=habit.human)
        return fill(at, rng) if len(at) else None
    if isinstance(pattern, Batch):
        return _batches(pattern, day, rng)
    if isinstance(pattern, Every):
        return fill(_poll(pattern, day, rng, fraction(seed, len(habit.key), ord(habit.key[-1]))), rng)
    return None


def fill(at: Ints, rng: np.random.Generator, run: Ints | None = None, place: Ints | None = None) -> Sent:
    empty = np.zeros(len(at), dtype=np.int64)
    return Sent(
        at,
        empty if run is None else run,
        empty if place is None else place,
        rng.random((len(at), len(UNIFORMS))),
        rng.standard_normal((len(at), len(NORMALS))),
    )


def _stream(pattern: Stream, day: Day, rng: np.random.Generator, *, human: bool) -> Ints:
    profile = np.array(_PROFILES[pattern.profile])
    rate = pattern.per_day * (profile / profile.sum())[day.hour]
    if day.weekday >= 5:
        rate = rate * pattern.weekend
    elif day.holiday:
        rate = rate * (_HOLIDAY_PEOPLE if human else max(_HOLIDAY_SERVICES, pattern.weekend))
    if day.month_end:
        rate = rate * pattern.month_end
    rate = rate * np.exp(_GROWTH_PER_DAY * (day.ordinal - _GROWTH_FROM)) * rng.lognormal(-0.01, 0.14)
    count = rng.poisson(rate * rng.gamma(5.0, 1 / 5.0, len(day.hour)))
    at: Ints = np.repeat(day.start, count) + rng.integers(0, HOUR_MS, count.sum())
    return at


def _batches(pattern: Batch, day: Day, rng: np.random.Generator) -> Sent | None:
    if pattern.weekdays_only and not day.working:
        return None
    due = np.isin(day.hour, pattern.hours)
    # The hour that a clock change repeats is one hour to a scheduler: it runs in the first.
    due[1:] &= day.hour[1:] != day.hour[:-1]
    hours = np.flatnonzero(due)
    count = np.full(len(hours), pattern.count * (pattern.month_end if day.month_end else 1.0))
    if not pattern.in_order:
        count = rng.poisson(count).astype(float)
    whole = np.maximum(count.round().astype(np.int64), 1)
    start = day.start[hours] + pattern.minute * 60_000 + rng.integers(0, 4_000, len(hours))
    batch = np.repeat(np.arange(len(hours)), whole)
    place = np.arange(len(batch)) - np.repeat(np.cumsum(whole) - whole, whole)
    if pattern.in_order:
        offset = (place + rng.uniform(0, 0.8, len(batch))) * (pattern.seconds * 1000 / pattern.count)
    else:
        offset = rng.uniform(0, pattern.seconds * 1000, len(batch))
    return fill(start[batch] + offset.astype(np.int64), rng, day.ordinal * 100 + batch + 1, place)


def _poll(pattern: Every, day: Day, rng: np.random.Generator, phase: float) -> Ints:
    """On a grid of absolute time, so that the interval holds across midnight."""
    step = int(pattern.minutes * 60_000)
    start, end = int(day.start[0]), int(day.start[-1]) + HOUR_MS
    offset = int(phase * step)
    at: Ints = np.arange(start + (offset - start) % step, end, step)
    return at + rng.integers(0, max(int(pattern.jitter_seconds * 1000), 1), len(at))


LONGEST_SPILL_MS = DAY_MS
"""No batch sends anything later than this after the end of its day."""
