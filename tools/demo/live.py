"""INFORMATION_SCHEMA.QUERY_HISTORY and its kin: statements in flight and those of the last 7 days, without latency.

Rules of snowflake-reference.md 1.3: the arguments cut the set before WHERE does, RESULT_LIMIT is 100 unless told,
a running statement's END_TIME is the 1970 epoch, statuses are upper case, others' statements are seen on
warehouses that the role may monitor. In flight are those that the account holds and those that sessions here run
on a warehouse; the statement that asks is not shown.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import duckdb
import pyarrow as pa

from tools.demo.arguments import limit_of, object_name
from tools.demo.engine import DATABASE, Engine
from tools.demo.layout import LIVE_COLUMNS, RAW
from tools.demo.roles import READER
from tools.demo.session import Session
from tools.demo.sqlerrors import syntax
from tools.demo.surroundings import Surroundings
from tools.demo.window import WEEK, Window

__all__ = ["LIVE_FUNCTIONS", "end_statements", "in_flight", "live_table"]

_COMMON = ("END_TIME_RANGE_START", "END_TIME_RANGE_END", "RESULT_LIMIT", "INCLUDE_CLIENT_GENERATED_STATEMENT")
_OWN = {
    "QUERY_HISTORY": "",
    "QUERY_HISTORY_BY_WAREHOUSE": "WAREHOUSE_NAME",
    "QUERY_HISTORY_BY_USER": "USER_NAME",
    "QUERY_HISTORY_BY_SESSION": "SESSION_ID",
}
LIVE_FUNCTIONS: dict[str, tuple[str, ...]] = {name: (*([own] if own else []), *_COMMON) for name, own in _OWN.items()}
"""Arguments in the order of the documentation."""

_COLUMNS = [
    "QUERY_ID",
    "QUERY_TEXT",
    "DATABASE_NAME",
    "SCHEMA_NAME",
    "QUERY_TYPE",
    "SESSION_ID",
    "USER_NAME",
    "ROLE_NAME",
    "WAREHOUSE_NAME",
    "WAREHOUSE_SIZE",
    "WAREHOUSE_TYPE",
    "CLUSTER_NUMBER",
    "QUERY_TAG",
    "EXECUTION_STATUS",
    "ERROR_CODE",
    "ERROR_MESSAGE",
    "START_TIME",
    "END_TIME",
    "TOTAL_ELAPSED_TIME",
    "BYTES_SCANNED",
    "ROWS_PRODUCED",
    "COMPILATION_TIME",
    "EXECUTION_TIME",
    "QUEUED_PROVISIONING_TIME",
    "QUEUED_REPAIR_TIME",
    "QUEUED_OVERLOAD_TIME",
    "TRANSACTION_BLOCKED_TIME",
    "LIST_EXTERNAL_FILE_TIME",
    "CREDITS_USED_CLOUD_SERVICES",
    "RELEASE_VERSION",
    "IS_CLIENT_GENERATED_STATEMENT",
    "ROLE_TYPE",
    "QUERY_HASH",
    "QUERY_HASH_VERSION",
    "QUERY_PARAMETERIZED_HASH",
    "QUERY_PARAMETERIZED_HASH_VERSION",
]
"""Of the function, in its order; spilling, partitions and the cache's share are in the view alone."""
_ENDED = {"LIST_EXTERNAL_FILE_TIME": "LIST_EXTERNAL_FILES_TIME"}
"""Columns that the view calls otherwise."""
_SO_FAR = "date_diff('millisecond', START_TIME, $now)"
_LIVE = {
    "END_TIME": "TIMESTAMPTZ '1970-01-01 00:00:00+00'",
    "TOTAL_ELAPSED_TIME": _SO_FAR,
    "EXECUTION_TIME": f"CASE WHEN EXECUTION_STATUS = 'RUNNING' THEN {_SO_FAR} ELSE 0 END",
    "QUEUED_OVERLOAD_TIME": f"CASE WHEN EXECUTION_STATUS = 'RUNNING' THEN 0 ELSE {_SO_FAR} END",
    "CREDITS_USED_CLOUD_SERVICES": "0::DOUBLE",
    "IS_CLIENT_GENERATED_STATEMENT": "false",
}
_HAVE = [name for name in LIVE_COLUMNS if name in _COLUMNS]
_STATUS = (
    "CASE upper(EXECUTION_STATUS) WHEN 'FAIL' THEN 'FAILED_WITH_ERROR' WHEN 'INCIDENT' THEN 'FAILED_WITH_INCIDENT' "
    "ELSE upper(EXECUTION_STATUS) END"
)
_NEWEST_FIRST = (
    "(END_TIME <= TIMESTAMPTZ '1970-01-02 00:00:00+00') DESC, END_TIME DESC, START_TIME DESC, QUERY_ID LIMIT $limit"
)


@dataclass(frozen=True)
class _Cut:
    window: Window
    limit: int
    own: Any
    generated: bool
    """Statements of client libraries for themselves are wanted, too."""


def live_table(name: str, given: Mapping[str, Any], around: Surroundings) -> pa.Table:
    """The function's rows, newest first, as an Arrow table in UTC.

    Raises:
        SqlError: 001003 or 001015 for values it does not take; a range that begins too long ago.
    """
    session, now = around.session, around.now
    cut = _Cut(
        window=Window.of(given, ("END_TIME_RANGE_START", "END_TIME_RANGE_END"), WEEK, now, session.timezone),
        limit=limit_of(dict(given)),
        own=_own(name, given, session),
        generated=given.get("INCLUDE_CLIENT_GENERATED_STATEMENT") is True,
    )
    con = around.engine.statement_connection("UTC")
    try:
        con.register("FROSTLINE_IN_FLIGHT", in_flight(around))
        sql, params = _sql(name, cut, around.engine, session)
        return con.execute(sql, params | {"now": now}).to_arrow_table()
    finally:
        con.close()


def _own(name: str, given: Mapping[str, Any], session: Session) -> Any:
    """Whose statements: the argument, or the session's own warehouse, user or id."""
    own = _OWN[name]
    if own not in given:
        return {"WAREHOUSE_NAME": session.warehouse, "USER_NAME": session.identity.user}.get(own, session.id)
    value = given[own]
    if own == "SESSION_ID":
        if isinstance(value, bool) or not isinstance(value, int | str) or not str(value).isdigit():
            raise syntax("SESSION_ID takes a session's id.")
        return int(value)
    return object_name(str(value))


def in_flight(around: Surroundings) -> pa.Table:
    """What the sessions of this server run on a warehouse now, but for the statement that asks."""
    rows: list[dict[str, Any]] = []
    for session, statement in around.sessions.in_flight():
        if statement is around.statement:
            continue
        (sized,) = around.engine.rows(
            f"SELECT any_value(size) FROM {DATABASE}.{RAW}.WAREHOUSES WHERE name = ?",  # noqa: S608 - constants
            [statement.warehouse],
        )
        rows.append(
            {
                "QUERY_ID": statement.query_id,
                "QUERY_TEXT": statement.text,
                "DATABASE_NAME": session.database,
                "QUERY_TYPE": "SELECT",
                "SESSION_ID": session.id,
                "USER_NAME": session.identity.user,
                "ROLE_NAME": session.identity.role,
                "WAREHOUSE_NAME": statement.warehouse,
                "WAREHOUSE_SIZE": sized[0],
                "QUERY_TAG": session.parameters["QUERY_TAG"],
                "EXECUTION_STATUS": "RUNNING",
                "START_TIME": around.now - timedelta(seconds=time.monotonic() - statement.started),
            }
        )
    arrow = {"BIGINT": pa.int64(), "TIMESTAMPTZ": pa.timestamp("us", tz="UTC")}
    schema = pa.schema([pa.field(name, arrow.get(kind, pa.string())) for name, kind in LIVE_COLUMNS.items()])
    return pa.Table.from_pylist(rows, schema=schema)


def _sql(name: str, cut: _Cut, engine: Engine, session: Session) -> tuple[str, dict[str, Any]]:
    where: str = "true"
    params: dict[str, Any] = {"start": cut.window.start, "end": cut.window.end, "limit": cut.limit}
    if own := _OWN[name]:
        where, params = f"{own} = $own", params | {"own": cut.own}
    if session.identity.role == READER and engine.info.hidden_from_reader:
        where += " AND (WAREHOUSE_NAME IS NULL OR NOT list_contains($hidden, WAREHOUSE_NAME))"
        params["hidden"] = sorted(engine.info.hidden_from_reader)
    renamed = {**_ENDED, "EXECUTION_STATUS": _STATUS}
    ended = ", ".join(f"{renamed.get(c, c)} AS {c}" for c in _COLUMNS)
    live = ", ".join(f"{_LIVE.get(c) or (c if c in _HAVE else 'NULL')} AS {c}" for c in _COLUMNS)
    raw, have = f"{DATABASE}.{RAW}", ", ".join(LIVE_COLUMNS)
    running = f"(SELECT {have} FROM {raw}.LIVE_QUERIES UNION ALL SELECT {have} FROM FROSTLINE_IN_FLIGHT)"  # noqa: S608 - constants
    in_flight = f"SELECT {live} FROM {running} WHERE {where} AND $end >= $start"  # noqa: S608 - constants
    asked_for = "true" if cut.generated else "IS_CLIENT_GENERATED_STATEMENT IS NOT TRUE"
    ended_between = f"END_TIME > $start AND END_TIME <= least($end, $now) AND {asked_for}"
    history = f"SELECT {ended} FROM {raw}.QUERY_HISTORY WHERE {where} AND {ended_between}"  # noqa: S608 - constants
    sql = f"SELECT * FROM ({in_flight} UNION ALL {history}) ORDER BY {_NEWEST_FIRST}"  # noqa: S608 - constants
    return sql, params


def end_statements(
    con: duckdb.DuckDBPyConnection,
    warehouse: str | None,
    now: datetime,
    *,
    query_id: str | None = None,
    cancel: bool = False,
) -> int:
    """Move live statements into QUERY_HISTORY; how many.

    Of a whole warehouse (it is suspended): running ones are let finish, unless they are to be canceled; queued
    ones are canceled. Of one query id: it is canceled.
    """
    where, value = ("QUERY_ID = ?", query_id) if query_id else ("WAREHOUSE_NAME = ?", warehouse)
    canceled = "true" if query_id or cancel else "upper(EXECUTION_STATUS) <> 'RUNNING'"
    raw = f"{DATABASE}.{RAW}"
    values = {
        **{c: c for c in _HAVE},
        "EXECUTION_STATUS": f"CASE WHEN {canceled} THEN 'FAIL' ELSE 'SUCCESS' END",
        "ERROR_CODE": f"CASE WHEN {canceled} THEN '000604' END",
        "ERROR_MESSAGE": f"CASE WHEN {canceled} THEN 'SQL execution canceled' END",
        "END_TIME": "$now",
        **{c: _LIVE[c] for c in ("TOTAL_ELAPSED_TIME", "EXECUTION_TIME", "QUEUED_OVERLOAD_TIME")},
        "CREDITS_USED_CLOUD_SERVICES": "0",
        "WAREHOUSE_ID": f"(SELECT any_value(warehouse_id) FROM {raw}.WAREHOUSES w WHERE w.name = WAREHOUSE_NAME)",  # noqa: S608 - constants
    }
    columns, computed = ", ".join(values), ", ".join(values.values())
    rows = f"SELECT {computed} FROM {raw}.LIVE_QUERIES WHERE {where.replace('?', '$value')}"  # noqa: S608 - constants
    con.execute(f"INSERT INTO {raw}.QUERY_HISTORY ({columns}) {rows}", {"now": now, "value": value})
    (count,) = con.execute(f"DELETE FROM {raw}.LIVE_QUERIES WHERE {where}", [value]).fetchall()[0]  # noqa: S608 - constants
    return int(count)
