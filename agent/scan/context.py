"""All that a scan may use. There is no field through which an account could be changed, nor a plan approved."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from agent.findings import Change, Sighting
from tools.context import Clock, FindingView, UsageReader
from tools.finding import ScanStamp
from tools.preferences import Preferences

__all__ = ["FindingBook", "LeaseBook", "Look", "ScanContext", "ScanRules"]


class FindingBook(FindingView, Protocol):
    """agent.store.Findings, without what people may say."""

    def record(self, changes: Sequence[Change], stamp: ScanStamp, *, lease: str, holder: str) -> bool:
        """All or nothing; False where the lease is not `holder`'s any more."""
        ...


class LeaseBook(Protocol):
    """agent.store.Leases."""

    def take(self, name: str, holder: str, lease: timedelta) -> bool: ...

    def renew(self, name: str, holder: str, lease: timedelta) -> bool: ...

    def release(self, name: str, holder: str) -> None: ...

    def holder(self, name: str) -> tuple[str, datetime] | None: ...


@dataclass(frozen=True)
class ScanRules:
    """Where a scan draws its lines."""

    history: timedelta = timedelta(days=63)
    """Of the billing tier: how far back series are read, to know what is usual."""
    lookback: timedelta = timedelta(days=3)
    """How long something may be over before the last scan (or now, in a first one) and still be a new finding; what
    goes on is one however long ago it began."""
    long_running: timedelta = timedelta(hours=1)
    runaway: timedelta = timedelta(hours=4)
    queued: timedelta = timedelta(minutes=5)
    """How long a statement waits before it is worth a word."""
    idle: timedelta = timedelta(hours=1)
    """How long a started warehouse may be without statements."""


@dataclass(frozen=True)
class ScanContext:
    """Frozen; made by agent.runtime for each scan."""

    reader: UsageReader
    findings: FindingBook
    leases: LeaseBook
    clock: Clock
    new_id: Callable[[], str]
    holder: str
    """Unique for each scan: who holds the lease."""
    rules: ScanRules = field(default_factory=ScanRules)
    preferences: Preferences = field(default_factory=Preferences)
    """Holidays, planned work and the threshold of the profile."""
    lease: timedelta = timedelta(minutes=2)
    """How long the lease outlives a scan that has died; a scan that lives renews it."""


@dataclass
class Look:
    """What one way of looking saw, and how far it could see."""

    sightings: list[Sighting] = field(default_factory=list)
    looked: set[str] = field(default_factory=set)
    """Scopes that were read whole: what is missing from them is over."""
    notes: list[str] = field(default_factory=list)
    """What could not be looked at, and why; for people."""
    credits_per_day: float = 0.0
    """Of the account, in the last full week of what was seen: what a finding's weight is measured by."""

    def add(self, other: Look) -> None:
        self.sightings += other.sightings
        self.looked |= other.looked
        self.notes += other.notes
        self.credits_per_day = max(self.credits_per_day, other.credits_per_day)
