"""TABLES and TABLE_STORAGE_METRICS: what there is at the window's end, and what is gone and still costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from tools.demo.generate.beside import storage
from tools.demo.generate.beside.chance import whole
from tools.demo.generate.beside.objects import DATABASES, GIB, Table, schema_id, tables
from tools.demo.generate.beside.window import DAY_US, HOUR_US, Window, rows

__all__ = ["snapshots"]

_BYTES_PER_ROW = 165
_CREATED_DAYS = 420
"""How long before the history's first day the company began; each table some days after it."""
_SEEN_DROPPED = 30
"""Days for which TABLES lists what was dropped, here: a year on Snowflake, of the same few tables."""
_VERSION, _COPY, _KEPT_FOR_CLONE, _CLONE = 96_000_000, 97_000_000, 97_900_001, 97_900_002


@dataclass(frozen=True)
class _Row:
    """One table of TABLE_STORAGE_METRICS."""

    of: Table
    id: int
    created: int
    active: float = 0.0
    travel: float = 0.0
    failsafe: float = 0.0
    retained: float = 0.0
    """Bytes that a clone keeps."""
    dropped: int | None = None
    """Microseconds since 1970."""
    in_failsafe: int | None = None
    clone_group: int | None = None


def snapshots(window: Window) -> dict[str, pa.Table]:
    """As of the last UTC day that has ended (both views are late by 90 minutes at most)."""
    found = [*_living(window), *_left_behind(window), *_copied(window), *_cloned(window)]
    return {"TABLE_STORAGE_METRICS": _metrics(window, found), "TABLES": _tables(window, found)}


def _today(window: Window) -> int:
    return window.until_us // DAY_US - 1


def _born(window: Window, table: Table) -> int:
    days = int(whole(window.seed, "born", np.array([table.id]), _CREATED_DAYS - 40)[0])
    return (window.first_day - _CREATED_DAYS + days) * DAY_US + 11 * HOUR_US


def _living(window: Window) -> list[_Row]:
    today = np.array([_today(window)])
    found = []
    for each in tables():
        now = storage.table_bytes(window, each, today)
        active, travel, failsafe = _at_once(now)
        born = max((v.dropped * DAY_US + 9 * HOUR_US for v in _versions(window, each)), default=_born(window, each))
        found.append(_Row(each, each.id, born, active, travel, failsafe))
    return found


def _versions(window: Window, table: Table) -> list[storage.Version]:
    return storage.versions(window, table, _today(window))


def _left_behind(window: Window) -> list[_Row]:
    """Earlier versions of tables that CREATE OR REPLACE made anew: DELETED, and billed."""
    today = _today(window)
    found = []
    for each in tables():
        for version in _versions(window, each):
            gone = version.dropped * DAY_US + (1 + version.number % 16) * HOUR_US
            in_failsafe = today - version.dropped >= each.retention
            size = version.bytes
            found.append(
                _Row(
                    each,
                    _VERSION + (each.id % 10_000) * 1000 + version.number % 1000,
                    gone - 4 * HOUR_US,
                    travel=0.0 if in_failsafe else size,
                    failsafe=size if in_failsafe else 0.0,
                    dropped=gone,
                    in_failsafe=gone + each.retention * DAY_US if in_failsafe else None,
                )
            )
    return found


def _copied(window: Window) -> list[_Row]:
    """The forgotten copies of the storage incidents."""
    today = np.array([_today(window)])
    found = []
    for n, copy in enumerate(storage.copies(window, _today(window))):
        database, schema, name = copy.object.split(".")
        of = Table(database, schema, name, _COPY + n, 0, 0, 0, 1, False, 0, "", "LOADER")
        active, travel, failsafe = _at_once(storage.copy_bytes(copy, today))
        gone = copy.end * HOUR_US if copy.end // 24 <= today[0] else None
        if active + travel + failsafe:
            found.append(_Row(of, of.id, (copy.start + 20) * HOUR_US, active, travel, failsafe, dropped=gone))
    return found


def _at_once(some: storage.Bytes) -> tuple[float, float, float]:
    """Of the one day: active, in Time Travel, in fail-safe."""
    return float(some.active[0]), float(some.time_travel[0]), float(some.failsafe[0])


def _cloned(window: Window) -> list[_Row]:
    """A table that was dropped long ago, whose bytes its clone keeps."""
    original = Table("RAW", "INGEST", "ORDERS_2024", _KEPT_FOR_CLONE, 0, 0, 0, 7, False, 0, "", "LOADER")
    clone = Table("DEV", "PUBLIC", "ORDERS_2024_COPY", _CLONE, 0, 0, 0, 1, False, 0, "", "DEVELOPER")
    made, gone = ((window.first_day - days) * DAY_US for days in (310, 74))
    kept = storage.RETAINED_GIB * GIB
    first = _Row(original, original.id, made, retained=kept, dropped=gone, clone_group=original.id)
    return [first, _Row(clone, clone.id, made + 90 * DAY_US, clone_group=original.id)]


def _metrics(window: Window, found: list[_Row]) -> pa.Table:
    company = (window.first_day - _CREATED_DAYS - 5) * DAY_US

    def whole_bytes(name: str) -> Any:
        return np.array([round(getattr(row, name)) for row in found], dtype=np.int64)

    return rows(
        "TABLE_STORAGE_METRICS",
        _named(found)
        | {"ID": [row.id for row in found], "CLONE_GROUP_ID": [row.clone_group or row.id for row in found]}
        | {"IS_TRANSIENT": ["YES" if row.of.transient else "NO" for row in found]}
        | {"ACTIVE_BYTES": whole_bytes("active"), "TIME_TRAVEL_BYTES": whole_bytes("travel")}
        | {"FAILSAFE_BYTES": whole_bytes("failsafe"), "RETAINED_FOR_CLONE_BYTES": whole_bytes("retained")}
        | {"DELETED": [row.dropped is not None for row in found]}
        | {"TABLE_CREATED": [row.created for row in found], "TABLE_DROPPED": [row.dropped for row in found]}
        | {"TABLE_ENTERED_FAILSAFE": [row.in_failsafe for row in found]}
        | {"SCHEMA_CREATED": company, "CATALOG_CREATED": company},
        len(found),
    )


def _named(found: list[_Row]) -> dict[str, Any]:
    return {
        "TABLE_NAME": [row.of.name for row in found],
        "TABLE_SCHEMA_ID": [schema_id(row.of.database, row.of.schema) for row in found],
        "TABLE_SCHEMA": [row.of.schema for row in found],
        "TABLE_CATALOG_ID": [DATABASES[row.of.database] for row in found],
        "TABLE_CATALOG": [row.of.database for row in found],
    }


_STILL = frozenset({"LEGACY_POS", "ORDERS_2021", "ORDERS_2022", "CLICKS_2023", "ORDERS_2024_COPY"})
"""Written long ago and never since."""


def _tables(window: Window, found: list[_Row]) -> pa.Table:
    recent = window.until_us - _SEEN_DROPPED * DAY_US
    kept = [row for row in found if row.dropped is None or row.dropped > recent]
    changed = [row.dropped or (row.created if row.of.name in _STILL else window.until_us - 2 * HOUR_US) for row in kept]
    active = np.array([round(row.active) for row in kept], dtype=np.int64)
    return rows(
        "TABLES",
        _named(kept)
        | {"TABLE_ID": [row.id for row in kept], "TABLE_OWNER": [row.of.owner for row in kept]}
        | {"TABLE_TYPE": "BASE TABLE", "IS_TRANSIENT": ["YES" if row.of.transient else "NO" for row in kept]}
        | {"CLUSTERING_KEY": [row.of.clustering or None for row in kept]}
        | {"AUTO_CLUSTERING_ON": ["YES" if row.of.clustering else "NO" for row in kept]}
        | {"ROW_COUNT": active // _BYTES_PER_ROW, "BYTES": active}
        | {"RETENTION_TIME": [row.of.retention for row in kept], "CREATED": [row.created for row in kept]}
        | {"LAST_ALTERED": changed, "LAST_DDL": [row.created for row in kept]}
        | {"LAST_DDL_BY": [_MAKERS.get(row.of.owner, "PLATFORM_ADMIN") for row in kept]}
        | {"DELETED": [row.dropped for row in kept], "OWNER_ROLE_TYPE": "ROLE", "IS_ICEBERG": "NO"}
        | {"IS_DYNAMIC": "NO", "IS_HYBRID": "NO"},
        len(kept),
    )


_MAKERS = {"LOADER": "LOADER_SVC", "TRANSFORMER": "DBT_SVC", "EVENTS": "EVENTS_SVC", "ANALYST": "A_MORGAN"}
