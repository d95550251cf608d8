"""What goes wrong, placed by seed: in blocks of 30 days, each block for itself, no two at once on one warehouse.

A block is drawn whole from (seed, block), so a day's incidents do not depend on how the account's time is cut. The
kinds and their ranges are data (incidents.toml); where they fall is told by tools.demo.labels alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from functools import cache

import numpy as np
import numpy.typing as npt

from tools.demo.generate.arrivals import Sent, fill
from tools.demo.generate.catalog import Demo, Plan
from tools.demo.generate.chance import keyed
from tools.demo.generate.days import DAY_MS, HOUR_MS, local_day
from tools.demo.generate.model import Warehouse

__all__ = ["Incident", "Resize", "announced", "incidents", "migration_at", "resizes", "sent_by"]

_BLOCK = 30
_APART_MS = 30 * HOUR_MS
"""Least time between two incidents on one warehouse."""
_TRIES = 60
_RAMP_MS = 20 * HOUR_MS
"""How long before its start an incident may show: effects.py."""

_ADMIN = ("PLATFORM_ADMIN", "SYSADMIN")
"""Who sets back what others have resized."""

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Incident:
    plan: Plan
    warehouse: str
    start: int
    end: int
    """Milliseconds since 1970, exclusive."""
    count: int
    gap_seconds: float
    growth_per_day: float
    chance: float
    number: int
    """Names its source of chance."""
    habit: int = -1
    """Index of the habit that sends its statements, or -1."""

    @property
    def kind(self) -> str:
        return self.plan.kind


def announced(seed: int) -> bool:
    """Whether failures of the account of this seed have precursors: about half of all accounts."""
    return keyed(seed, "precursors").random() < 0.5


@cache
def incidents(demo: Demo, seed: int, first: int, since: int, until: int) -> tuple[Incident, ...]:
    """All that overlap [since, until), precursors included, in order of their start.

    Args:
        first: when the account's history begins; nothing is planted in its first two days.
    """
    blocks = range((since - 4 * _RAMP_MS) // (_BLOCK * DAY_MS) - 1, until // (_BLOCK * DAY_MS) + 1)
    found = [each for block in blocks for each in _block(demo, seed, block)]
    near = [each for each in found if each.end > since and each.start - _RAMP_MS < until]
    return tuple(sorted((each for each in near if each.start > first + 2 * DAY_MS), key=lambda each: each.start))


@cache
def _block(demo: Demo, seed: int, block: int) -> tuple[Incident, ...]:
    """The incidents that start in one block of 30 days; they may last beyond it."""
    busy: list[tuple[str, int, int]] = []
    found: list[Incident] = []
    for number, plan in enumerate(demo.plans):
        rng = keyed(seed, plan.kind, block)
        for n in range(int(rng.poisson(_BLOCK / plan.every_days * 0.35)) + _due(plan, seed, block)):
            placed = _place(demo, plan, block, busy, rng, number * 10 + n)
            if placed is not None:
                busy.append((placed.warehouse, placed.start, placed.end))
                found.append(placed)
    return tuple(found)


def _due(plan: Plan, seed: int, block: int) -> int:
    """A part of each kind comes as regularly as its interval says, so that no kind is missing for long."""
    phase = float(keyed(seed, plan.kind, "phase").random())
    each = plan.every_days / 0.65 / _BLOCK
    return int((block + phase) // each - (block - 1 + phase) // each)


def _place(
    demo: Demo, plan: Plan, block: int, busy: list[tuple[str, int, int]], rng: np.random.Generator, number: int
) -> Incident | None:
    """Somewhere in the block where nothing else is, wholly inside it; None when there is no room."""
    begin, end = block * _BLOCK * DAY_MS, (block + 1) * _BLOCK * DAY_MS
    for _ in range(_TRIES):
        which = int(rng.integers(0, len(plan.warehouses)))
        day = local_day(date(1970, 1, 1).toordinal() + block * _BLOCK + int(rng.integers(0, _BLOCK)), demo.timezone)
        start = int(day.start[0] + rng.uniform(*plan.from_hour) * HOUR_MS)
        until = start + int(rng.uniform(*plan.hours) * HOUR_MS)
        drawn = {
            "count": int(rng.integers(plan.count[0], plan.count[1] + 1)),
            "gap_seconds": float(rng.uniform(*plan.gap_seconds)),
            "growth_per_day": float(rng.uniform(*plan.growth_per_day)),
            "chance": float(rng.uniform(*plan.chance)),
        }
        name = plan.warehouses[which]
        if plan.weekdays_only and not day.working:
            continue
        near = any(w == name and s - _APART_MS < until and start < e + _APART_MS for w, s, e in busy)
        if start < begin or until > end or near:
            continue
        habit = plan.habits[which] if plan.habits else -1
        return Incident(plan, name, start, until, number=block * 1000 + number, habit=habit, **drawn)  # type: ignore[arg-type]
    return None


def sent_by(incident: Incident, seed: int) -> Sent:
    """The statements an incident sends, all of them."""
    rng = keyed(seed, "sent", incident.number)
    span = incident.end - incident.start
    if incident.kind == "runaway_query":
        at = np.array([incident.start], dtype=np.int64)
    elif incident.gap_seconds:
        gaps = incident.gap_seconds * 1000 * rng.uniform(0.9, 1.1, int(span / incident.gap_seconds / 1000))
        at = incident.start + np.cumsum(gaps).astype(np.int64)
    else:
        at = incident.start + np.sort(rng.integers(0, max(span, 1), incident.count))
    return fill(at, rng)


# --- resizes -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Resize:
    """A warehouse is set some steps larger or smaller for a while, by somebody."""

    start: int
    end: int
    steps: int
    user: str
    role: str
    again: tuple[str, str] = field(default=("", ""))
    """Who sets it back."""


def resizes(demo: Demo, seed: int, first: int, warehouse: Warehouse, since: int, until: int) -> list[Resize]:
    """Those that overlap [since, until): the scheduled ones and those of incidents."""
    found = []
    plan = warehouse.resizing
    if plan is not None:
        zero = date(1970, 1, 1).toordinal()
        for ordinal in range(zero + since // DAY_MS - 2, zero + until // DAY_MS + 2):
            day = local_day(ordinal, demo.timezone)
            rng = keyed(seed, "resize", warehouse.id, ordinal)
            at, back = (
                int(day.start[_first(day.hour, h)] + rng.integers(500, 4000)) for h in (plan.from_hour, plan.to_hour)
            )
            found.append(Resize(at, back, plan.steps, plan.user, plan.role, (plan.user, plan.role)))
    found += [
        Resize(each.start, each.end, each.plan.size, each.plan.user, each.plan.role, _ADMIN)
        for each in incidents(demo, seed, first, since, until)
        if each.plan.size and each.warehouse == warehouse.name
    ]
    return sorted((each for each in found if each.end > since and each.start < until), key=lambda each: each.start)


def _first(hours: Ints, wanted: int) -> int:
    """Where the clock's hour begins; the next one on the day that leaves it out."""
    return int(np.argmax(hours >= wanted))


def migration_at(demo: Demo, seed: int, first: int) -> int:
    """When the planned move begins: once in an account's life."""
    least, most = demo.migration.after_days
    day = int(keyed(seed, "migration").integers(least, most + 1))
    return first + day * DAY_MS + 8 * HOUR_MS
