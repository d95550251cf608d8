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
from tools.demo.engine import DATABASE
from tools.demo.events import cluster_events, write_events
from tools.demo.functions import Surroundings
from tools.demo.layout import RAW, SHOW_COLUMNS
from tools.demo.lexer import Reader
from tools.demo.live import end_statements
from tools.demo.privileges import ADMIN, may_alter, may_create
from tools.demo.properties import DEFAULTS, PARAMETERS, check_combination, read_properties, read_unset
from tools.demo.show import visible_warehouses, warehouse_row
from tools.demo.sqlerrors import SqlError, does_not_exist, insufficient, not_found, syntax, unsupported

__all__ = ["alter_warehouse", "create_warehouse", "describe_warehouse", "drop_warehouse"]

_VERBS = ("SET", "UNSET", "SUSPEND", "RESUME", "RENAME", "ABORT", "ENABLE", "DISABLE")
_TABLE = f"{DATABASE}.{RAW}.WAREHOUSES"
_NO_WAREHOUSE = (
    "No active warehouse selected in the current session.  Select an active warehouse with the 'use warehouse' command."
)
_DONE = "Statement executed successfully."


def alter_warehouse(reader: Reader, around: Surroundings, query_id: str, sql: str) -> str:
    """
    Raises:
        SqlError: 002003 unknown, 003001 no privilege, 090063/090064 wrong state, 0014xx bad property.
    """
    if_exists = reader.take("IF", "EXISTS")
    name = _name_or_current(reader, around)
    with around.engine.write() as con:
        row = _target(name, around, if_exists)
        if row is None:
            return _DONE
        if not may_alter(around.session.identity.role):
            raise insufficient("warehouse", name)
        _change(con, row, reader, around, query_id)
    append(around, query_id, sql, name)
    return _DONE


def _name_or_current(reader: Reader, around: Surroundings) -> str:
    """The name may be left out: then it is the session's warehouse."""
    token, after = reader.peek(), reader.peek(1)
    verb = token is not None and token.kind == "word" and token.value in _VERBS
    if not verb or (after is not None and after.kind == "word" and after.value in _VERBS):
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


def _change(
    con: duckdb.DuckDBPyConnection, row: dict[str, Any], reader: Reader, around: Surroundings, query_id: str
) -> None:
    verb = reader.next("word").value
    if verb == "SUSPEND":
        reader.end()
        _suspend(con, row, around, query_id)
    elif verb == "RESUME":
        only_suspended = reader.take("IF", "SUSPENDED")
        reader.end()
        _resume(con, row, around, query_id, only_suspended)
    elif verb in ("SET", "UNSET"):
        if reader.take("TAG"):
            raise insufficient("tag", "account")
        _set(
            con, row, read_properties(reader, creating=False) if verb == "SET" else read_unset(reader), around, query_id
        )
    elif verb == "RENAME" and around.session.identity.role == ADMIN:
        reader.expect("TO")
        _rename(con, row, reader, around, query_id)
    elif verb == "RENAME":
        raise insufficient("warehouse", row["name"])
    elif verb in _VERBS:
        raise unsupported(f"ALTER WAREHOUSE {verb}")
    else:
        raise syntax(f"syntax error line 1 at position 0 unexpected '{verb[:100]}'.")


def _suspend(con: duckdb.DuckDBPyConnection, row: dict[str, Any], around: Surroundings, query_id: str) -> None:
    name = row["name"]
    if str(row["type"]).upper() == "ADAPTIVE":
        raise SqlError(
            90064, "22000", f"Invalid state. Warehouse '{name}' cannot be suspended: it is an adaptive warehouse."
        )
    if row["state"] == "SUSPENDED":
        raise SqlError(90064, "22000", f"Invalid state. Warehouse '{name}' cannot be suspended.")
    end_statements(con, name, around.now)
    events = [
        ("SUSPEND_WAREHOUSE", "WAREHOUSE_SUSPEND", "STARTED", None),
        *cluster_events(row, "SUSPEND_CLUSTER", "WAREHOUSE_SUSPEND"),
    ]
    _update(con, row, {"state": "SUSPENDED", "started_clusters": 0, "running": 0, "queued": 0}, around)
    write_events(
        con,
        {**row, "started_clusters": 0},
        [*events, ("WAREHOUSE_CONSISTENT", None, "COMPLETED", None)],
        around,
        query_id,
    )


def _resume(
    con: duckdb.DuckDBPyConnection, row: dict[str, Any], around: Surroundings, query_id: str, only_suspended: bool
) -> None:
    if row["state"] != "SUSPENDED":
        if only_suspended:
            return
        raise SqlError(
            90063, "22000", f"Invalid state. Warehouse '{row['name']}' cannot be resumed since it is not suspended."
        )
    after = {**row, "started_clusters": row["min_cluster_count"] or 1}
    _update(
        con, row, {"state": "STARTED", "started_clusters": after["started_clusters"], "resumed_on": around.now}, around
    )
    events = [
        ("RESUME_WAREHOUSE", "WAREHOUSE_RESUME", "STARTED", None),
        *cluster_events(after, "RESUME_CLUSTER", "WAREHOUSE_RESUME"),
    ]
    write_events(con, after, [*events, ("WAREHOUSE_CONSISTENT", None, "COMPLETED", None)], around, query_id)


def _set(
    con: duckdb.DuckDBPyConnection, row: dict[str, Any], found: dict[str, Any], around: Surroundings, query_id: str
) -> None:
    check_combination(row, found, around.engine.info.edition)
    for name in PARAMETERS:
        if name in found:
            _set_parameter(con, row["warehouse_id"], name, found[name])
    columns = {k: v for k, v in found.items() if k in SHOW_COLUMNS}
    after = {**row, **columns}
    if row["state"] == "STARTED":
        low, high = after["min_cluster_count"] or 1, after["max_cluster_count"] or 1
        columns["started_clusters"] = after["started_clusters"] = max(low, min(row["started_clusters"] or low, high))
    _update(con, row, columns, around)
    events: list[tuple[str, str | None, str, int | None]] = [("ALTER_WAREHOUSE", None, "COMPLETED", None)]
    if "size" in found and found["size"] != row["size"]:
        events = [("ALTER_WAREHOUSE", None, "STARTED", None), ("RESIZE_WAREHOUSE", "WAREHOUSE_RESIZE", "STARTED", None)]
        events += cluster_events(after, "RESIZE_CLUSTER", "WAREHOUSE_RESIZE") if row["state"] == "STARTED" else []
        events.append(("WAREHOUSE_CONSISTENT", None, "COMPLETED", None))
    write_events(con, after, events, around, query_id)


def _rename(
    con: duckdb.DuckDBPyConnection, row: dict[str, Any], reader: Reader, around: Surroundings, query_id: str
) -> None:
    fresh = reader.name()
    reader.end()
    if warehouse_row(around.engine, fresh) is not None:
        raise SqlError(2002, "42710", f"SQL compilation error:\nObject '{fresh}' already exists.")
    _update(con, row, {"name": fresh}, around)
    write_events(con, {**row, "name": fresh}, [("ALTER_WAREHOUSE", None, "COMPLETED", None)], around, query_id)


def _update(
    con: duckdb.DuckDBPyConnection, row: Mapping[str, Any], values: Mapping[str, Any], around: Surroundings
) -> None:
    values = {**values, "updated_on": around.now}
    listed = ", ".join(f'"{column}" = ?' for column in values)
    con.execute(f"UPDATE {_TABLE} SET {listed} WHERE name = ?", [*values.values(), row["name"]])  # noqa: S608 - constants


def _set_parameter(con: duckdb.DuckDBPyConnection, warehouse_id: int, name: str, value: Any) -> None:
    table = f"{DATABASE}.{RAW}.WAREHOUSE_PARAMETERS"
    con.execute(f"DELETE FROM {table} WHERE warehouse_id = ? AND key = ?", [warehouse_id, name])  # noqa: S608 - constants
    con.execute(f"INSERT INTO {table} VALUES (?, ?, ?)", [warehouse_id, name, str(value)])  # noqa: S608 - constants


def create_warehouse(reader: Reader, around: Surroundings, query_id: str, sql: str) -> str:
    """
    Raises:
        SqlError: 003001 for everyone but the administrator, 002002 where it exists, 0014xx bad property.
    """
    if_not_exists = reader.take("IF", "NOT", "EXISTS")
    name = reader.name()
    if not may_create(around.session.identity.role):
        raise insufficient("account", around.engine.info.name.upper())
    reader.take("WITH")
    with around.engine.write() as con:
        if warehouse_row(around.engine, name) is not None:
            if if_not_exists:
                return f"{name} already exists, statement succeeded."
            raise SqlError(2002, "42710", f"SQL compilation error:\nObject '{name}' already exists.")
        found = read_properties(reader, creating=True)
        started = found.pop("initially_suspended", "false") == "false"
        row = _fresh_row(name, found, started, around)
        check_combination(row, found, around.engine.info.edition)
        _insert(con, row, found, started, around, query_id)
    around.session.warehouse = name
    append(around, query_id, sql, name)
    return f"Warehouse {name} successfully created."


def _fresh_row(name: str, found: Mapping[str, Any], started: bool, around: Surroundings) -> dict[str, Any]:
    (last,) = around.engine.rows(f"SELECT coalesce(max(warehouse_id), 0) FROM {_TABLE}")[0]  # noqa: S608 - constants
    row: dict[str, Any] = dict.fromkeys(SHOW_COLUMNS)
    row |= DEFAULTS | {k: v for k, v in found.items() if k in SHOW_COLUMNS}
    return row | {
        "name": name,
        "state": "STARTED" if started else "SUSPENDED",
        "started_clusters": row["min_cluster_count"] if started else 0,
        "running": 0,
        "queued": 0,
        "is_default": "N",
        "is_current": "N",
        "is_interactive": "N",
        "created_on": around.now,
        "updated_on": around.now,
        "resumed_on": around.now if started else None,
        "owner": around.session.identity.role,
        "owner_role_type": "ROLE",
        "resource_monitor": "null",
        "uuid": str(uuid.uuid4()),
        "warehouse_id": int(last) + 1,
    }


def _insert(
    con: duckdb.DuckDBPyConnection,
    row: Mapping[str, Any],
    found: Mapping[str, Any],
    started: bool,
    around: Surroundings,
    query_id: str,
) -> None:
    columns = ", ".join(f'"{c}"' for c in row)
    marks = ", ".join("?" for _ in row)
    con.execute(f"INSERT INTO {_TABLE} ({columns}) VALUES ({marks})", list(row.values()))  # noqa: S608 - constants
    for name in PARAMETERS:
        if name in found:
            _set_parameter(con, row["warehouse_id"], name, found[name])
    events: list[tuple[str, str | None, str, int | None]] = [("CREATE_WAREHOUSE", None, "STARTED", None)]
    if started:
        events.append(("RESUME_WAREHOUSE", "WAREHOUSE_RESUME", "STARTED", None))
        events += cluster_events(row, "RESUME_CLUSTER", "WAREHOUSE_RESUME")
    write_events(con, row, [*events, ("WAREHOUSE_CONSISTENT", None, "COMPLETED", None)], around, query_id)


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
        if not may_create(around.session.identity.role):
            raise insufficient("warehouse", name)
        end_statements(con, name, around.now)
        con.execute(f"DELETE FROM {_TABLE} WHERE name = ?", [name])  # noqa: S608 - constants
        write_events(con, row, [("DROP_WAREHOUSE", None, "COMPLETED", None)], around, query_id)
    append(around, query_id, sql, name)
    return f"{name} successfully dropped."


def describe_warehouse(reader: Reader, around: Surroundings) -> pa.Table:
    name = reader.name()
    reader.end()
    row = warehouse_row(around.engine, name)
    if row is None or name not in visible_warehouses(around.engine, around.session):
        raise not_found()
    created = pa.array([row["created_on"]], pa.int64()).cast(pa.timestamp("us", tz="UTC"))
    return pa.table({"created_on": created, "name": [name], "kind": ["WAREHOUSE"]})
