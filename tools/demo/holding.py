"""What resource monitors hold back: a resume under a quota that is used up, and what still runs under one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import duckdb

from tools.demo.engine import Engine
from tools.demo.events import Event, cluster_events, write_events
from tools.demo.layout import DATABASE, RAW
from tools.demo.live import end_statements
from tools.demo.monitors import NONE, monitors, read_by
from tools.demo.sqlerrors import SqlError, does_not_exist
from tools.demo.surroundings import Surroundings
from tools.demo.warehouse_rows import TABLE, update, warehouse_row

__all__ = ["check_monitor", "check_quota", "enforce"]

_MONITORS = f"{DATABASE}.{RAW}.MONITORS"


def check_monitor(engine: Engine, name: object) -> None:
    """
    Raises:
        SqlError: 002003, there is no monitor of that name.
    """
    if name not in (None, NONE) and not engine.rows(f"SELECT 1 FROM {_MONITORS} WHERE name = ?", [name]):  # noqa: S608 - constants
        raise does_not_exist("Resource monitor", str(name))


def check_quota(engine: Engine, row: Mapping[str, Any], now: datetime) -> None:
    """
    Raises:
        SqlError: 090073, the warehouse's monitor, or the account's, has used up its quota.
    """
    for monitor in monitors(engine.rows, now):
        if monitor.exhausted and (monitor.level == "ACCOUNT" or monitor.name == row["resource_monitor"]):
            raise SqlError(
                90073,
                "22000",
                f"Warehouse '{row['name']}' cannot be resumed because resource monitor '{monitor.name}' has exceeded "
                "its quota.",
            )


def enforce(con: duckdb.DuckDBPyConnection, around: Surroundings, query_id: str) -> None:
    """Suspend what runs under a monitor that is used up; SUSPEND lets statements finish, SUSPEND_IMMEDIATE does not."""
    found = monitors(read_by(con), around.now)
    for name, state, clusters in con.execute(f"SELECT name, state, started_clusters FROM {TABLE}").fetchall():  # noqa: S608 - constants
        stopping = next((m for m in found if m.exhausted and (m.level == "ACCOUNT" or name in m.warehouses)), None)
        if stopping is None or state != "STARTED":
            continue
        row = warehouse_row(around.engine, name) or {}
        immediately = stopping.row["suspend_immediately_at"]
        now_or_never = immediately is not None and stopping.used >= (stopping.quota or 0) * immediately / 100
        end_statements(con, name, around.now, cancel=now_or_never)
        update(con, name, {"state": "SUSPENDED", "started_clusters": 0, "running": 0, "queued": 0}, around.now)
        events = cluster_events({"started_clusters": clusters}, "SUSPEND_CLUSTER", "RESOURCE_MONITOR_SUSPEND")
        consistent: Event = ("WAREHOUSE_CONSISTENT", None, "COMPLETED", None)
        write_events(con, {**row, "started_clusters": 0}, [*events, consistent], around, query_id)
