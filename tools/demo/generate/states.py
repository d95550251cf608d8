"""What the simulation of a warehouse works on: its rules, its state, and what comes out.

Times are whole milliseconds since 1970.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from enum import IntEnum
from typing import Any

__all__ = ["SPIN_UP_GAP", "Change", "Cluster", "Event", "Moment", "Outcome", "Rules", "State", "Stretch"]

SPIN_UP_GAP = 20_000
"""Least time between two starts of further clusters."""


@dataclass(frozen=True)
class Rules:
    """How the warehouse is set, and what is true of it."""

    auto_suspend: int | None
    """Milliseconds; None is never."""
    min_clusters: int
    max_clusters: int
    economy: bool
    auto_resume: bool
    slots: int
    cold: float
    """A statement on an empty cache takes 1 + cold times as long."""
    warm_ms: float
    provision: Callable[[int], int]
    """How long a start at this moment takes, in milliseconds."""
    poll_phase: int


@dataclass(frozen=True)
class Change:
    """The warehouse is resized to this rank, by somebody."""

    at: int
    rank: int
    user: str = ""
    role: str = ""


class Event(IntEnum):
    """What WAREHOUSE_EVENTS_HISTORY tells of a warehouse."""

    RESUME = 0
    """A query woke it; `ready` is when it stood."""
    SUSPEND = 1
    SPIN_UP = 2
    SPIN_DOWN = 3
    RESIZE = 4


@dataclass(frozen=True)
class Moment:
    at: int
    event: Event
    ready: int
    """When it was done."""
    rank: int
    clusters: tuple[int, ...]
    """The clusters it touched."""
    running: int
    """Clusters that run after it."""
    query: int = -1
    change: Change | None = None


@dataclass(frozen=True)
class Stretch:
    """A cluster that ran at one size; touching stretches are one run."""

    cluster: int
    start: int
    end: int
    rank: int
    open: bool = False
    """It runs on: the same stretch comes again, longer."""


@dataclass
class Cluster:
    number: int
    started: int
    since: int
    """Start of the present stretch."""
    warm_since: int
    used: int = 0
    draining: bool = False


@dataclass
class State:
    """What a warehouse carries from one run to the next; its queries are those in flight, numbered 0, 1, ..."""

    rank: int
    clusters: list[Cluster] = field(default_factory=list)
    heap: list[tuple[int, int, int, int]] = field(default_factory=list)
    queue: list[int] = field(default_factory=list)
    sequence: int = 0
    busy: int = 0
    resuming: bool = False
    ready_at: int = 0
    resumed_at: int = 0
    idle_since: int = 0
    idle_token: int = 0
    last_spin_up: int = -SPIN_UP_GAP
    spinning: list[int] = field(default_factory=list)
    up_check: bool = False
    quiet_checks: bool = False
    quiet: int = 0

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> State:
        known = dict(values)
        known["clusters"] = [Cluster(**each) for each in values["clusters"]]
        known["heap"] = [(int(a), int(b), int(c), int(d)) for a, b, c, d in values["heap"]]
        return cls(**known)


@dataclass
class Outcome:
    """Columns are by query, -1 where it has not happened yet."""

    begin: list[int]
    """When it started to execute."""
    end: list[int]
    cluster: list[int]
    provisioning: list[int]
    overload: list[int]
    rank: list[int]
    cold: list[float]
    """How cold the cache was when it began: 1 empty, 0 warm."""
    refused: list[int] = field(default_factory=list)
    """Queries that met a suspended warehouse without auto-resume."""
    stretches: list[Stretch] = field(default_factory=list)
    moments: list[Moment] = field(default_factory=list)
    in_flight: list[int] = field(default_factory=list)
    """What the next run starts with, in the order of its numbers."""
