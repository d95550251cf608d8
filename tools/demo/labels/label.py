"""One planted thing: what it is, where and when, and whether it must be found."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

__all__ = ["Label"]


@dataclass(frozen=True)
class Label:
    """Something unusual that the generator did on purpose."""

    kind: str
    """A finding kind (spend_spike, silence, retry_storm, ...), or what must not be flagged: month_end, holiday,
    planned_migration."""
    warehouse: str | None
    object: str | None
    """What it is about where that is no warehouse: a task, a table, a user, a database."""
    start: datetime
    """UTC."""
    end: datetime
    """UTC, exclusive; may lie after the account's now while it lasts."""
    expected_flag: bool
    """False: it is planned or seasonal, and must not be flagged."""
    precursors: bool = False
    """Whether something that can be measured (run time, spill, queueing, retries) rose before it."""
    note: str = ""
    """For people who read a report of misses."""
