"""Bytes: by day and database, by day for the account, and by table as they are at the window's end.

One model of a table's bytes gives all of them, so that they agree (reference 2.8, identity 7): active data grows
by a share of its first size a day; what is rewritten stays `retention` days in Time Travel and, in a
permanent table, another seven in fail-safe; CREATE OR REPLACE leaves whole versions that
lie as DELETED tables for as long.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from tools.demo.generate.beside.chance import Floats, Ints, lognormal, normal, uniform
from tools.demo.generate.beside.incidents import Incident, incidents
from tools.demo.generate.beside.objects import DATABASES, GIB, Table, schema_id, tables
from tools.demo.generate.beside.window import DAY_US, Window, rows

__all__ = ["FAILSAFE_DAYS", "Bytes", "Version", "copies", "histories", "table_bytes", "versions"]

FAILSAFE_DAYS = 7
_STAGE_GIB, _STAGE_GROWTH = 640.0, 5.2
"""GiB on the first day, and what a day adds: nobody removes what has been loaded."""


@dataclass(frozen=True)
class Bytes:
    """Of one table over some days, or of several."""

    active: Floats
    time_travel: Floats
    failsafe: Floats

    def __add__(self, other: Bytes) -> Bytes:
        return Bytes(self.active + other.active, self.time_travel + other.time_travel, self.failsafe + other.failsafe)


@dataclass(frozen=True)
class Version:
    """A table that was dropped or replaced and whose bytes are still billed."""

    of: Table
    number: int
    dropped: int
    """Day since 1970."""
    bytes: float


def table_bytes(window: Window, table: Table, days: Ints) -> Bytes:
    """The living version of a table on those days."""
    age = days - window.first_day
    active = table.gib * GIB * np.maximum(1 + table.growth * age, 0.1)
    active = active * (1 + 0.002 * normal(window.seed, f"storage/{table.id}", days))
    kept = active * table.churn
    failsafe = np.zeros(len(days)) if table.transient else kept * FAILSAFE_DAYS
    return Bytes(active, kept * table.retention, failsafe)


def versions(window: Window, table: Table, day: int) -> list[Version]:
    """What CREATE OR REPLACE has left behind and is still billed on that day."""
    if not table.replaced:
        return []
    kept = table.retention + (0 if table.transient else FAILSAFE_DAYS)
    span = np.arange(day - kept + 1, day + 1)
    most = max(int(np.ceil(table.replaced)), 1)
    places = (span[:, None] * 16 + np.arange(most)).ravel()
    there = uniform(window.seed, f"replaced/{table.id}", places) < table.replaced / most
    size = _version_sizes(window, table, places)
    return [
        Version(table, int(place), int(place) // 16, float(size[n]))
        for n, place in enumerate(places.tolist())
        if there[n]
    ]


def _version_sizes(window: Window, table: Table, places: Ints) -> Floats:
    """Whole bytes, so that sums are exact whatever they begin with."""
    sizes: Floats = (table.gib * GIB * lognormal(window.seed, f"version/{table.id}", places, 0.05)).round()
    return sizes


def _versions_bytes(window: Window, table: Table, days: Ints) -> Bytes:
    """The sums of `versions` over the days, without making them."""
    nothing = np.zeros(len(days))
    if not table.replaced or not len(days):
        return Bytes(nothing, nothing, nothing)
    kept = table.retention + (0 if table.transient else FAILSAFE_DAYS)
    span = np.arange(days[0] - kept + 1, days[-1] + 1)
    most = max(int(np.ceil(table.replaced)), 1)
    places = (span[:, None] * 16 + np.arange(most)).ravel()
    there = uniform(window.seed, f"replaced/{table.id}", places) < table.replaced / most
    size = _version_sizes(window, table, places) * there
    summed = np.concatenate([[0.0], np.cumsum(size.reshape(-1, most).sum(1))])
    at = days - span[0] + 1
    travel = summed[at] - summed[at - table.retention]
    return Bytes(nothing, travel, summed[at - table.retention] - summed[at - kept])


def copies(window: Window, last_day: int) -> list[Incident]:
    """The forgotten copies of the storage incidents that begin up to and on that day."""
    found = incidents(window.seed, window.first_day, last_day + 1)
    return [each for each in found if each.kind == "storage_growth"]


def copy_bytes(copy: Incident, days: Ints) -> Bytes:
    """A copy is whole from its first day; dropped, it leaves through a day of Time Travel and fail-safe."""
    size, start, end = copy.size * 1024 * GIB, copy.start // 24, copy.end // 24
    there = (days >= start) & (days < end)
    return Bytes(
        np.where(there, size, 0.0),
        np.where(days == end, size, 0.0),
        np.where((days > end) & (days <= end + FAILSAFE_DAYS), size, 0.0),
    )


def database_bytes(window: Window, days: Ints) -> dict[str, Bytes]:
    """Of each database, sums of its tables."""
    nothing = np.zeros(len(days))
    sums = {name: Bytes(nothing, nothing, nothing) for name in DATABASES}
    for each in tables():
        sums[each.database] += table_bytes(window, each, days) + _versions_bytes(window, each, days)
    if len(days):
        for copy in copies(window, int(days[-1])):
            sums["RAW"] += copy_bytes(copy, days)
        sums["RAW"] += _retained(days)
    return sums


RETAINED_GIB = 460.0
"""A dropped table whose bytes live on because its clone does."""


def _retained(days: Ints) -> Bytes:
    nothing = np.zeros(len(days))
    retained: Floats = nothing + RETAINED_GIB * GIB
    return Bytes(retained, nothing, nothing)


def stage_bytes(window: Window, days: Ints) -> Floats:
    age = days - window.first_day
    grown = (_STAGE_GIB + _STAGE_GROWTH * age) * GIB
    stored: Floats = (grown * (1 + 0.004 * normal(window.seed, "stage", days))).round()
    return stored


def histories(window: Window) -> dict[str, pa.Table]:
    """STORAGE_USAGE, DATABASE_STORAGE_USAGE_HISTORY and STAGE_STORAGE_USAGE_HISTORY: UTC days that have ended."""
    days = window.days
    sums = database_bytes(window, days)
    names = [name for name in DATABASES if name in sums]
    live = [(sums[name].active + sums[name].time_travel).round() for name in names]
    failsafe = [sums[name].failsafe.round() for name in names]
    stage = stage_bytes(window, days)
    zero = np.zeros(len(days) * len(names))
    archive = ("COOL_BYTES", "COLD_BYTES", "RETRIEVAL_TEMP_BYTES")
    return {
        "STORAGE_USAGE": rows(
            "STORAGE_USAGE",
            {"USAGE_DATE": days, "STORAGE_BYTES": np.sum(live, axis=0), "STAGE_BYTES": stage}
            | {"FAILSAFE_BYTES": np.sum(failsafe, axis=0), "HYBRID_TABLE_STORAGE_BYTES": 0}
            | {f"ARCHIVE_STORAGE_{kind}": 0 for kind in archive},
        ),
        "DATABASE_STORAGE_USAGE_HISTORY": rows(
            "DATABASE_STORAGE_USAGE_HISTORY",
            {"USAGE_DATE": np.repeat(days, len(names)), "DATABASE_NAME": names * len(days)}
            | {"DATABASE_ID": np.tile([DATABASES[name] for name in names], len(days))}
            | {"AVERAGE_DATABASE_BYTES": np.column_stack(live).ravel() if len(days) else zero}
            | {"AVERAGE_FAILSAFE_BYTES": np.column_stack(failsafe).ravel() if len(days) else zero}
            | {"AVERAGE_HYBRID_TABLE_STORAGE_BYTES": 0.0, "AVERAGE_ARCHIVE_STORAGE_COOL_BYTES": 0.0}
            | {"AVERAGE_ARCHIVE_STORAGE_COLD_BYTES": 0.0, "AVERAGE_COOL_FAILSAFE_BYTES": 0.0}
            | {"AVERAGE_COLD_FAILSAFE_BYTES": 0.0},
        ),
        "STAGE_STORAGE_USAGE_HISTORY": rows(
            "STAGE_STORAGE_USAGE_HISTORY", {"USAGE_DATE": days, "AVERAGE_STAGE_BYTES": stage}
        ),
    }


def day_start(day: int) -> int:
    """Microseconds since 1970."""
    return day * DAY_US


def place_ids(table: Table) -> tuple[int, int]:
    """Schema id and database id."""
    return schema_id(table.database, table.schema), DATABASES[table.database]
