"""How the embedded account lies on disk: the contract between loader, generator, importer and server.

    <account_dir>/
      account.toml        name, origin, now, timezone, edition, credit_price, hidden_from_reader, generation_id
      views.json          rows, first and last of each view as visible at now, written when the account is built
      data/SNOWFLAKE.db   DuckDB, opened by one server process at a time
      alters.jsonl        every executed ALTER/CREATE/DROP of a warehouse or resource monitor and every cancellation,
                          one JSON object a line
      server.json         pid, port of the running server (0600); server.lock is held by it while it lives
      server.log, start.lock   what the server has to complain of; who may look for and launch a server
      reader.secret, operator.secret   random passwords of the two identities (0600)
      admin.secret        only where a person or a test has put one: FROSTLINE_ADMIN may then CREATE and DROP

Inside SNOWFLAKE.db, schema `_RAW` holds all rows, and schema `ACCOUNT_USAGE` holds one DuckDB view per
account view that shows only what its latency lets through at `_RAW.CLOCK.now`. A session may never name
`_RAW`. `BESIDE` lists the tables of `_RAW` that back no view: what SHOW prints, statements in flight, and what the
server must remember. An account that was built without one of them gets it, empty, when its server opens it.
fakesnow adds its `_fs_information_schema` and macros. An imported account is shown whole: what its owner could not
see yet is not in the export.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tools.warehouse.views import ALL_VIEWS, ColumnType, View

if TYPE_CHECKING:
    import duckdb

__all__ = [
    "BESIDE",
    "DATABASE",
    "DUCK_TYPES",
    "LIVE_COLUMNS",
    "MONITOR_COLUMNS",
    "RAW",
    "SHOW_COLUMNS",
    "TASK_COLUMNS",
    "USAGE",
    "create_missing_views",
    "create_schema",
    "database_file",
    "view_sql",
]

DATABASE = "SNOWFLAKE"
RAW = "_RAW"
USAGE = "ACCOUNT_USAGE"

DUCK_TYPES: dict[ColumnType, str] = {
    "V": "VARCHAR",
    "N": "BIGINT",
    "F": "DOUBLE",
    "B": "BOOLEAN",
    "TS": "TIMESTAMPTZ",
    "D": "DATE",
    "A": "VARCHAR",
    "VAR": "VARCHAR",
}

SHOW_COLUMNS: dict[str, str] = {
    "name": "VARCHAR",
    "state": "VARCHAR",
    "type": "VARCHAR",
    "size": "VARCHAR",
    "min_cluster_count": "BIGINT",
    "max_cluster_count": "BIGINT",
    "started_clusters": "BIGINT",
    "running": "BIGINT",
    "queued": "BIGINT",
    "is_default": "VARCHAR",
    "is_current": "VARCHAR",
    "is_interactive": "VARCHAR",
    "auto_suspend": "BIGINT",
    "auto_resume": "VARCHAR",
    "available": "VARCHAR",
    "provisioning": "VARCHAR",
    "quiescing": "VARCHAR",
    "other": "VARCHAR",
    "created_on": "TIMESTAMPTZ",
    "resumed_on": "TIMESTAMPTZ",
    "updated_on": "TIMESTAMPTZ",
    "owner": "VARCHAR",
    "comment": "VARCHAR",
    "enable_query_acceleration": "VARCHAR",
    "query_acceleration_max_scale_factor": "BIGINT",
    "resource_monitor": "VARCHAR",
    "actives": "BIGINT",
    "pendings": "BIGINT",
    "failed": "BIGINT",
    "suspended": "BIGINT",
    "uuid": "VARCHAR",
    "scaling_policy": "VARCHAR",
    "owner_role_type": "VARCHAR",
    "resource_constraint": "VARCHAR",
    "generation": "VARCHAR",
}
"""SHOW WAREHOUSES in documented order (reference 1.4)."""

LIVE_COLUMNS: dict[str, str] = {
    "QUERY_ID": "VARCHAR",
    "QUERY_TEXT": "VARCHAR",
    "DATABASE_NAME": "VARCHAR",
    "QUERY_TYPE": "VARCHAR",
    "SESSION_ID": "BIGINT",
    "USER_NAME": "VARCHAR",
    "ROLE_NAME": "VARCHAR",
    "WAREHOUSE_NAME": "VARCHAR",
    "WAREHOUSE_SIZE": "VARCHAR",
    "QUERY_TAG": "VARCHAR",
    "EXECUTION_STATUS": "VARCHAR",
    "START_TIME": "TIMESTAMPTZ",
}
"""Statements in flight at `now`: RUNNING or QUEUED; they reach QUERY_HISTORY only when they have ended."""


TASK_COLUMNS: dict[str, str] = {
    "created_on": "TIMESTAMPTZ",
    "name": "VARCHAR",
    "id": "VARCHAR",
    "database_name": "VARCHAR",
    "schema_name": "VARCHAR",
    "owner": "VARCHAR",
    "comment": "VARCHAR",
    "warehouse": "VARCHAR",
    "schedule": "VARCHAR",
    "predecessors": "VARCHAR",
    "state": "VARCHAR",
    "definition": "VARCHAR",
    "condition": "VARCHAR",
    "allow_overlapping_execution": "VARCHAR",
    "error_integration": "VARCHAR",
    "last_committed_on": "TIMESTAMPTZ",
    "last_suspended_on": "TIMESTAMPTZ",
    "owner_role_type": "VARCHAR",
    "config": "VARCHAR",
    "budget": "VARCHAR",
    "task_relations": "VARCHAR",
    "last_suspended_reason": "VARCHAR",
}
"""SHOW TASKS in documented order. `state` is started or suspended, `schedule` as written ('5 MINUTES', 'USING CRON
0 2 * * * UTC'), `warehouse` NULL where Snowflake runs the task serverless, `predecessors` a JSON array of names."""

MONITOR_COLUMNS: dict[str, str] = {
    "name": "VARCHAR",
    "credit_quota": "DOUBLE",
    "used_as_given": "DOUBLE",
    "level": "VARCHAR",
    "frequency": "VARCHAR",
    "start_time": "TIMESTAMPTZ",
    "end_time": "TIMESTAMPTZ",
    "notify_at": "VARCHAR",
    "suspend_at": "BIGINT",
    "suspend_immediately_at": "BIGINT",
    "created_on": "TIMESTAMPTZ",
    "owner": "VARCHAR",
    "comment": "VARCHAR",
    "notify_users": "VARCHAR",
}
"""Resource monitors as the server remembers them; which warehouse has which stands in WAREHOUSES.resource_monitor.

`used_as_given` holds the used credits of an import, whose metering may be no more than a part; NULL: they are
summed from WAREHOUSE_METERING_HISTORY. `level` is ACCOUNT for the account's one monitor, else NULL. `notify_at` and
`notify_users` are lists with commas."""

BESIDE: dict[str, dict[str, str]] = {
    "WAREHOUSES": SHOW_COLUMNS | {"warehouse_id": "BIGINT"},
    "LIVE_QUERIES": LIVE_COLUMNS,
    "TASKS": TASK_COLUMNS,
    "MONITORS": MONITOR_COLUMNS,
    "WAREHOUSE_PARAMETERS": {"warehouse_id": "BIGINT", "key": "VARCHAR", "value": "VARCHAR"},
}
"""Tables of `_RAW` that back no view; an exported account may hold a file for each.

WAREHOUSE_PARAMETERS: timeouts and concurrency that were set, which SHOW WAREHOUSES does not print."""


def database_file(account_dir: Path) -> Path:
    return account_dir / "data" / "SNOWFLAKE.db"


def create_schema(con: duckdb.DuckDBPyConnection) -> None:
    """Empty tables and the views over them, in a fresh SNOWFLAKE.db that `con` has opened as its default."""
    con.execute(f"CREATE SCHEMA IF NOT EXISTS {RAW}")
    con.execute(f"CREATE SCHEMA IF NOT EXISTS {USAGE}")
    con.execute(f"CREATE TABLE {RAW}.CLOCK (now TIMESTAMPTZ NOT NULL, enforce_latency BOOLEAN NOT NULL)")
    create_missing_views(con)


def create_missing_views(con: duckdb.DuckDBPyConnection) -> None:
    """Give every table and view that the account lacks an empty one; `con` has the account as its default database.

    An account that was built before Frostline knew of it is completed when its server opens it.
    """
    for name, columns in BESIDE.items():
        _table(con, name, columns)
    sql = "SELECT view_name FROM duckdb_views() WHERE schema_name = ? AND database_name = current_database()"
    present = {name for (name,) in con.execute(sql, [USAGE]).fetchall()}
    for item in ALL_VIEWS.values():
        if item.name not in present:
            _table(con, item.name, {name: DUCK_TYPES[kind] for name, kind in item.columns.items()})
            con.execute(view_sql(item))


def _table(con: duckdb.DuckDBPyConnection, name: str, columns: dict[str, str]) -> None:
    spec = ", ".join(f'"{column}" {kind}' for column, kind in columns.items())
    con.execute(f"CREATE TABLE IF NOT EXISTS {RAW}.{name} ({spec})")


def view_sql(item: View) -> str:
    """The view that hides rows until their end plus the documented latency has passed.

    A day's row, as METERING_DAILY_HISTORY has them, ends at the next UTC midnight. A view without a time of its
    own shows all it has. Arrays and variants are kept as text and shown as JSON, NULL where they are none.
    """
    columns = ", ".join(_shown(column, kind) for column, kind in item.columns.items())
    if not item.end:
        return f"CREATE VIEW {USAGE}.{item.name} AS SELECT {columns} FROM {RAW}.{item.name}"  # noqa: S608 - names are constants
    end = f'"{item.end}"'
    if item.columns[item.end] == "D":
        end = f"(CAST({end} AS TIMESTAMP) + INTERVAL 1 DAY) AT TIME ZONE 'UTC'"
    return (
        f"CREATE VIEW {USAGE}.{item.name} AS SELECT {columns} FROM {RAW}.{item.name}, {RAW}.CLOCK "  # noqa: S608 - names are constants
        f"WHERE NOT CLOCK.enforce_latency "
        f"OR {end} + INTERVAL {int(item.latency.total_seconds())} SECOND <= CLOCK.now"
    )


def _shown(column: str, kind: ColumnType) -> str:
    return f'TRY_CAST("{column}" AS JSON) AS "{column}"' if kind in ("A", "VAR") else f'"{column}"'
