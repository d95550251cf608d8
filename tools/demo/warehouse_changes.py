"""What ALTER WAREHOUSE does, verb by verb, and the privilege that each verb needs (reference 3.1, 3.5)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import duckdb

from tools.demo.engine import DATABASE
from tools.demo.events import Event, cluster_events, write_events
from tools.demo.holding import check_monitor, check_quota, enforce
from tools.demo.layout import RAW, SHOW_COLUMNS
from tools.demo.lexer import Reader
from tools.demo.live import end_statements
from tools.demo.monitors import refresh_view
from tools.demo.properties import check_combination, read_properties, read_unset, settle
from tools.demo.roles import ADMIN, has_global, require
from tools.demo.session import CANCELED
from tools.demo.sqlerrors import SqlError, insufficient, syntax
from tools.demo.surroundings import Surroundings
from tools.demo.tags import set_tags, unset_tags
from tools.demo.warehouse_rows import set_parameters, update, warehouse_row

__all__ = ["VERBS", "abort", "change", "set_properties"]

Con = duckdb.DuckDBPyConnection
Row = dict[str, Any]
_CONSISTENT: Event = ("WAREHOUSE_CONSISTENT", None, "COMPLETED", None)


def change(con: Con, row: Row, reader: Reader, around: Surroundings, query_id: str) -> None:
    """
    Raises:
        SqlError: as `alter_warehouse`.
    """
    token = reader.next("word")
    if token.value not in _ACTIONS:
        raise syntax(f"syntax error line 1 at position {token.position} unexpected '{token.text[:100]}'.")
    _ACTIONS[token.value](con, row, reader, around, query_id)


# --- OPERATE ---------------------------------------------------------------------------------------------------------


def _operate(row: Row, around: Surroundings) -> None:
    require(around.session.identity.role, "OPERATE", "warehouse", row["name"])


def _is_adaptive(row: Row) -> bool:
    return str(row["type"]).upper() == "ADAPTIVE"


def _suspend(con: Con, row: Row, reader: Reader, around: Surroundings, query_id: str) -> None:
    reader.end()
    _operate(row, around)
    name = row["name"]
    if _is_adaptive(row):
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
    update(con, name, {"state": "SUSPENDED", "started_clusters": 0, "running": 0, "queued": 0}, around.now)
    write_events(con, {**row, "started_clusters": 0}, [*events, _CONSISTENT], around, query_id)


def _resume(con: Con, row: Row, reader: Reader, around: Surroundings, query_id: str) -> None:
    only_suspended = reader.take("IF", "SUSPENDED")
    reader.end()
    _operate(row, around)
    if row["state"] != "SUSPENDED":
        if only_suspended:
            return
        raise SqlError(
            90063, "22000", f"Invalid state. Warehouse '{row['name']}' cannot be resumed since it is not suspended."
        )
    check_quota(around.engine, row, around.now)
    after = {**row, "started_clusters": row["min_cluster_count"] or 1}
    fresh = {"state": "STARTED", "started_clusters": after["started_clusters"], "resumed_on": around.now}
    update(con, row["name"], fresh, around.now)
    events = [
        ("RESUME_WAREHOUSE", "WAREHOUSE_RESUME", "STARTED", None),
        *cluster_events(after, "RESUME_CLUSTER", "WAREHOUSE_RESUME"),
    ]
    write_events(con, after, [*events, _CONSISTENT], around, query_id)


def _switch(state: str) -> Callable[[Con, Row, Reader, Surroundings, str], None]:
    """ENABLE and DISABLE, which adaptive warehouses have in the place of resume and suspend (errors: from memory)."""

    def switch(con: Con, row: Row, reader: Reader, around: Surroundings, query_id: str) -> None:
        reader.end()
        _operate(row, around)
        name, verb = row["name"], state.lower()
        if not _is_adaptive(row):
            raise SqlError(
                90063, "22000", f"Invalid state. Warehouse '{name}' cannot be {verb}: it is not an adaptive warehouse."
            )
        if row["state"] == state:
            raise SqlError(90063, "22000", f"Invalid state. Warehouse '{name}' is already {verb}.")
        if state == "ENABLED":
            check_quota(around.engine, row, around.now)
        else:
            end_statements(con, name, around.now)
        update(con, name, {"state": state}, around.now)
        write_events(con, row, [("ALTER_WAREHOUSE", None, "COMPLETED", None)], around, query_id)

    return switch


def _abort(con: Con, row: Row, reader: Reader, around: Surroundings, query_id: str) -> None:
    reader.expect("ALL", "QUERIES")
    reader.end()
    _operate(row, around)
    abort(con, row, around)


def abort(con: Con, row: Row, around: Surroundings) -> None:
    """Cancel everybody's running and queued statements on the warehouse, those of sessions here too."""
    end_statements(con, row["name"], around.now, cancel=True)
    for _, statement in around.sessions.in_flight():
        if statement.warehouse == row["name"] and statement is not around.statement:
            statement.stop(CANCELED)


# --- MODIFY ----------------------------------------------------------------------------------------------------------


def _set(con: Con, row: Row, reader: Reader, around: Surroundings, query_id: str) -> None:
    if reader.take("TAG"):
        _may_tag(around)
        set_tags(con, row, reader)
        return
    set_properties(con, row, read_properties(reader, creating=False), around, query_id)


def _unset(con: Con, row: Row, reader: Reader, around: Surroundings, query_id: str) -> None:
    if reader.take("TAG"):
        _may_tag(around)
        unset_tags(con, row, reader)
        return
    set_properties(con, row, read_unset(reader), around, query_id)


def _may_tag(around: Surroundings) -> None:
    if not has_global(around.session.identity.role, "APPLY TAG"):
        raise insufficient("tag", "account")


def set_properties(
    con: Con, row: Row, found: dict[str, Any], around: Surroundings, query_id: str, *, checked: bool = False
) -> None:
    """Store the properties and write what follows from them: clusters, events, monitors.

    Raises:
        SqlError: 003001 no privilege, 002003 no such monitor, 001423 they do not fit together.
    """
    engine = around.engine
    require(around.session.identity.role, "MODIFY", "warehouse", row["name"])
    if "resource_monitor" in found:
        if around.session.identity.role != ADMIN:
            raise insufficient("resource monitor", str(found["resource_monitor"]))
        check_monitor(engine, found["resource_monitor"])
    if not checked:
        check_combination(row, found, engine.info.edition)
    set_parameters(con, row["warehouse_id"], found)
    columns = {k: v for k, v in settle(row, found).items() if k in SHOW_COLUMNS}
    columns |= _state_after(row, {**row, **columns})
    after = {**row, **columns}
    update(con, row["name"], columns, around.now)
    write_events(con, after, _events_of(row, after), around, query_id)
    if "resource_monitor" in found:
        enforce(con, around, query_id)
        refresh_view(con, around.now)


def _state_after(row: Row, after: Row) -> dict[str, Any]:
    """State and clusters that the new properties bring with them."""
    if _is_adaptive(after):
        return {} if _is_adaptive(row) else {"state": "ENABLED", "started_clusters": 0}
    if _is_adaptive(row):
        return {"state": "SUSPENDED", "started_clusters": 0}
    if row["state"] != "STARTED":
        return {}
    low, high = after["min_cluster_count"] or 1, after["max_cluster_count"] or 1
    return {"started_clusters": max(low, min(row["started_clusters"] or low, high))}


def _events_of(row: Row, after: Row) -> list[Event]:
    running = row["state"] == "STARTED"
    events: list[Event] = []
    if after["size"] != row["size"] and after["type"] == row["type"]:
        events.append(("RESIZE_WAREHOUSE", "WAREHOUSE_RESIZE", "STARTED", None))
        events += cluster_events(after, "RESIZE_CLUSTER", "WAREHOUSE_RESIZE") if running else []
    converted = [key for key in ("type", "generation") if after[key] != row[key]]
    if converted:
        to = after["type"] if "type" in converted else f"GENERATION_{after['generation']}"
        reason = f"CONVERT_TO_{to}".replace("-", "_")
        events.append(("CONVERT_WAREHOUSE", reason, "STARTED", None))
        events += cluster_events(after, "CONVERT_CLUSTER", reason) if running else []
    if not events:
        return [("ALTER_WAREHOUSE", None, "COMPLETED", None)]
    return [("ALTER_WAREHOUSE", None, "STARTED", None), *events, _CONSISTENT]


# --- OWNERSHIP -------------------------------------------------------------------------------------------------------


def _rename(con: Con, row: Row, reader: Reader, around: Surroundings, query_id: str) -> None:
    require(around.session.identity.role, "OWNERSHIP", "warehouse", row["name"])
    reader.expect("TO")
    fresh = reader.name()
    reader.end()
    if warehouse_row(around.engine, fresh) is not None:
        raise SqlError(2002, "42710", f"SQL compilation error:\nObject '{fresh}' already exists.")
    update(con, row["name"], {"name": fresh}, around.now)
    con.execute(
        f"UPDATE {DATABASE}.{RAW}.LIVE_QUERIES SET WAREHOUSE_NAME = ? WHERE WAREHOUSE_NAME = ?",  # noqa: S608 - constants
        [fresh, row["name"]],
    )
    write_events(con, {**row, "name": fresh}, [("ALTER_WAREHOUSE", None, "COMPLETED", None)], around, query_id)
    refresh_view(con, around.now)
    for session in around.sessions.all():  # a session holds on to the warehouse, whatever it is called
        if session.warehouse == row["name"]:
            session.warehouse = fresh


_ACTIONS: dict[str, Callable[[Con, Row, Reader, Surroundings, str], None]] = {
    "SET": _set,
    "UNSET": _unset,
    "SUSPEND": _suspend,
    "RESUME": _resume,
    "RENAME": _rename,
    "ABORT": _abort,
    "ENABLE": _switch("ENABLED"),
    "DISABLE": _switch("DISABLED"),
}
VERBS = frozenset(_ACTIONS)
