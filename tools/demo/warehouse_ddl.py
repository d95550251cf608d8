"""ALTER, CREATE, DROP and DESCRIBE WAREHOUSE: one transaction each, events at account time, one line in alters.jsonl.

Time stands still on the account, so a change is complete when the statement returns: there is no RESIZING or
SUSPENDING to be seen, and statements that a suspend would let finish are finished.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

import duckdb
import pyarrow as pa

from tools.demo.alterlog import append
from tools.demo.events import Event, cluster_events, write_events
from tools.demo.holding import check_monitor, check_quota
from tools.demo.layout import SHOW_COLUMNS
from tools.demo.lexer import Reader
from tools.demo.live import end_statements
from tools.demo.monitors import refresh_view
from tools.demo.properties import PARAMETERS, check_combination, fresh, read_properties
from tools.demo.roles import ADMIN, may
from tools.demo.sqlerrors import SqlError, does_not_exist, insufficient, not_found
from tools.demo.surroundings import Surroundings
from tools.demo.warehouse_changes import VERBS, abort, change, set_properties
from tools.demo.warehouse_rows import TABLE, insert, set_parameters, visible_warehouses, warehouse_row

__all__ = ["alter_warehouse", "create_warehouse", "describe_warehouse", "drop_warehouse"]

_NO_WAREHOUSE = (
    "No active warehouse selected in the current session.  Select an active warehouse with the 'use warehouse' command."
)
_DONE = "Statement executed successfully."


def alter_warehouse(reader: Reader, around: Surroundings, query_id: str, sql: str) -> str:
    """
    Raises:
        SqlError: 002003 unknown, 003001 no privilege, 090063/090064 wrong state, 090073 a monitor's quota is used up,
            0014xx bad property.
    """
    if_exists = reader.take("IF", "EXISTS")
    name = _name_or_current(reader, around)
    with around.engine.write() as con:
        row = _target(name, around, if_exists)
        if row is None:
            return _DONE
        role = around.session.identity.role
        if not any(may(role, privilege) for privilege in ("MODIFY", "OPERATE")):
            raise insufficient("warehouse", name)
        change(con, row, reader, around, query_id)
    append(around, query_id, sql, name)
    return _DONE


def _name_or_current(reader: Reader, around: Surroundings) -> str:
    """The name may be left out: then it is the session's warehouse."""
    token, after = reader.peek(), reader.peek(1)
    verb = token is not None and token.kind == "word" and token.value in VERBS
    if not verb or (after is not None and after.kind == "word" and after.value in VERBS):
        return reader.name()
    if around.session.warehouse is None:
        raise SqlError(606, "57P03", _NO_WAREHOUSE)
    return around.session.warehouse


def _target(name: str, around: Surroundings, if_exists: bool) -> dict[str, Any] | None:
    if name in visible_warehouses(around.engine, around.session):
        return warehouse_row(around.engine, name)
    if if_exists:
        return None
    raise does_not_exist("Warehouse", name)


def create_warehouse(reader: Reader, around: Surroundings, query_id: str, sql: str, how: str = "") -> str:
    """CREATE [OR REPLACE | OR ALTER] WAREHOUSE; `how` is "", "REPLACE" or "ALTER".

    Raises:
        SqlError: 003001 for everyone but the administrator, 002002 where it exists, 0014xx bad property.
    """
    if_not_exists = not how and reader.take("IF", "NOT", "EXISTS")
    name = reader.name()
    if around.session.identity.role != ADMIN:
        raise insufficient("account", around.engine.info.name.upper())
    reader.take("WITH")
    with around.engine.write() as con:
        there = warehouse_row(around.engine, name)
        if there is not None and not how:
            if if_not_exists:
                return f"{name} already exists, statement succeeded."
            raise SqlError(2002, "42710", f"SQL compilation error:\nObject '{name}' already exists.")
        found = read_properties(reader, creating=True)
        started = found.pop("initially_suspended", "false") == "false"
        if there is not None and how == "ALTER":
            _reset(con, there, found, around, query_id)
        else:
            if there is not None:
                abort(con, there, around)
                _remove(con, there, around, query_id)
            _make(con, name, found, started, around, query_id)
        refresh_view(con, around.now)
    around.session.warehouse = name
    append(around, query_id, sql, name)
    return _DONE if there is not None and how == "ALTER" else f"Warehouse {name} successfully created."


def _reset(
    con: duckdb.DuckDBPyConnection, row: dict[str, Any], found: Mapping[str, Any], around: Surroundings, query_id: str
) -> None:
    """CREATE OR ALTER: what is not named goes back to its default; the state stays."""
    edition = around.engine.info.edition
    check_combination(row, found, edition)
    whole = {k: v for k, v in fresh(found, edition).items() if k in SHOW_COLUMNS}
    whole |= {name: found.get(name) for name in PARAMETERS}
    set_properties(con, row, whole, around, query_id, checked=True)


def _make(
    con: duckdb.DuckDBPyConnection,
    name: str,
    found: Mapping[str, Any],
    started: bool,
    around: Surroundings,
    query_id: str,
) -> None:
    edition = around.engine.info.edition
    row = _fresh_row(con, name, found, started, around)
    check_combination({**row, "type": "STANDARD"}, found, edition)
    check_monitor(around.engine, row["resource_monitor"])
    if started:
        check_quota(around.engine, row, around.now)
    insert(con, row)
    set_parameters(con, row["warehouse_id"], found)
    events: list[Event] = [("CREATE_WAREHOUSE", None, "STARTED", None)]
    if row["state"] == "STARTED":
        events.append(("RESUME_WAREHOUSE", "WAREHOUSE_RESUME", "STARTED", None))
        events += cluster_events(row, "RESUME_CLUSTER", "WAREHOUSE_RESUME")
    write_events(con, row, [*events, ("WAREHOUSE_CONSISTENT", None, "COMPLETED", None)], around, query_id)


def _fresh_row(
    con: duckdb.DuckDBPyConnection, name: str, found: Mapping[str, Any], started: bool, around: Surroundings
) -> dict[str, Any]:
    (last,) = con.execute(f"SELECT coalesce(max(warehouse_id), 0) FROM {TABLE}").fetchall()[0]  # noqa: S608 - constants
    row: dict[str, Any] = dict.fromkeys(SHOW_COLUMNS)
    row |= {k: v for k, v in fresh(found, around.engine.info.edition).items() if k in SHOW_COLUMNS}
    adaptive = row["type"] == "ADAPTIVE"
    return row | {
        "name": name,
        "state": "ENABLED" if adaptive else "STARTED" if started else "SUSPENDED",
        "started_clusters": row["min_cluster_count"] if started and not adaptive else 0,
        "running": 0,
        "queued": 0,
        "is_default": "N",
        "is_current": "N",
        "is_interactive": "N",
        "created_on": around.now,
        "updated_on": around.now,
        "resumed_on": around.now if started and not adaptive else None,
        "owner": around.session.identity.role,
        "owner_role_type": "ROLE",
        "uuid": str(uuid.uuid4()),
        "warehouse_id": int(last) + 1,
    }


def drop_warehouse(reader: Reader, around: Surroundings, query_id: str, sql: str) -> str:
    """
    Raises:
        SqlError: 002003 unknown, 003001 for everyone but the administrator.
    """
    if_exists = reader.take("IF", "EXISTS")
    name = reader.name()
    reader.end()
    with around.engine.write() as con:
        row = _target(name, around, if_exists)
        if row is None:
            return "Drop statement executed successfully."
        if not may(around.session.identity.role, "OWNERSHIP"):
            raise insufficient("warehouse", name)
        end_statements(con, name, around.now)
        _remove(con, row, around, query_id)
        refresh_view(con, around.now)
    append(around, query_id, sql, name)
    return f"{name} successfully dropped."


def _remove(con: duckdb.DuckDBPyConnection, row: dict[str, Any], around: Surroundings, query_id: str) -> None:
    con.execute(f"DELETE FROM {TABLE} WHERE name = ?", [row["name"]])  # noqa: S608 - constants
    set_parameters(con, row["warehouse_id"], dict.fromkeys(PARAMETERS))
    write_events(con, row, [("DROP_WAREHOUSE", None, "COMPLETED", None)], around, query_id)


def describe_warehouse(reader: Reader, around: Surroundings) -> pa.Table:
    name = reader.name()
    reader.end()
    row = warehouse_row(around.engine, name)
    if row is None or name not in visible_warehouses(around.engine, around.session):
        raise not_found()
    created = pa.array([row["created_on"]], pa.int64()).cast(pa.timestamp("us", tz="UTC"))
    return pa.table({"created_on": created, "name": [name], "kind": ["WAREHOUSE"]})
