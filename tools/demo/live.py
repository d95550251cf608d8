"""INFORMATION_SCHEMA.QUERY_HISTORY and its kin: statements in flight and those of the last 7 days, without latency.

Rules of snowflake-reference.md 1.3: the arguments cut the set before WHERE does, RESULT_LIMIT is 100 unless told,
a running statement's END_TIME is the 1970 epoch, statuses are upper case, others' statements are seen on
warehouses that the role may monitor.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa
from sqlglot import exp

from tools.demo.engine import DATABASE, Engine
from tools.demo.layout import LIVE_COLUMNS, RAW
from tools.demo.session import Session
from tools.demo.sqlerrors import SqlError, syntax

__all__ = ["LIVE_FUNCTIONS", "end_statements", "live_table"]

LIVE_FUNCTIONS = frozenset(
    {"QUERY_HISTORY", "QUERY_HISTORY_BY_WAREHOUSE", "QUERY_HISTORY_BY_USER", "QUERY_HISTORY_BY_SESSION"}
)
_WINDOW = timedelta(days=7)
_LARGEST_LIMIT = 10_000
_COMMON = {"END_TIME_RANGE_START", "END_TIME_RANGE_END", "RESULT_LIMIT", "INCLUDE_CLIENT_GENERATED_STATEMENT"}
_OWN = {
    "QUERY_HISTORY": "",
    "QUERY_HISTORY_BY_WAREHOUSE": "WAREHOUSE_NAME",
    "QUERY_HISTORY_BY_USER": "USER_NAME",
    "QUERY_HISTORY_BY_SESSION": "SESSION_ID",
}

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
    "CREDITS_USED_CLOUD_SERVICES",
    "QUERY_HASH",
    "QUERY_PARAMETERIZED_HASH",
]
_SO_FAR = "date_diff('millisecond', START_TIME, $now)"
_LIVE = {
    "END_TIME": "TIMESTAMPTZ '1970-01-01 00:00:00+00'",
    "TOTAL_ELAPSED_TIME": _SO_FAR,
    "EXECUTION_TIME": f"CASE WHEN EXECUTION_STATUS = 'RUNNING' THEN {_SO_FAR} ELSE 0 END",
    "QUEUED_OVERLOAD_TIME": f"CASE WHEN EXECUTION_STATUS = 'RUNNING' THEN 0 ELSE {_SO_FAR} END",
    "CREDITS_USED_CLOUD_SERVICES": "0::DOUBLE",
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
    start: datetime
    end: datetime
    limit: int
    own: Any
    own_given: bool


def live_table(name: str, given: Mapping[str, Any], engine: Engine, session: Session, now: datetime) -> pa.Table:
    """The function's rows, newest first, as an Arrow table in UTC.

    Raises:
        SqlError: 001003 for arguments it does not take.
    """
    cut = _cut(name, given, session, now)
    con = engine.statement_connection("UTC")
    try:
        sql, params = _sql(name, cut, engine, session)
        return con.execute(sql, params | {"now": now}).to_arrow_table()
    finally:
        con.close()


def _cut(name: str, given: Mapping[str, Any], session: Session, now: datetime) -> _Cut:
    own = _OWN[name]
    unknown = set(given) - _COMMON - ({own} if own else set())
    if unknown:
        raise syntax(f"{name} has no argument {sorted(unknown)[0][:100]}.")
    limit = given.get("RESULT_LIMIT", 100)
    if not isinstance(limit, int) or not 1 <= limit <= _LARGEST_LIMIT:
        raise SqlError(1015, "22023", f"SQL compilation error:\ninvalid value for RESULT_LIMIT: 1 to {_LARGEST_LIMIT}.")
    return _Cut(
        start=_time(given.get("END_TIME_RANGE_START"), now - _WINDOW, session),
        end=_time(given.get("END_TIME_RANGE_END"), now, session),
        limit=limit,
        own=given.get(own),
        own_given=own in given,
    )


def _time(value: Any, default: datetime, session: Session) -> datetime:
    """A literal or a cast literal; without an offset it is in the session's time zone."""
    if value is None:
        return default
    node = value.find(exp.Literal) if isinstance(value, exp.Expr) else None
    text = value if isinstance(value, str) else (str(node.this) if node is not None else "")
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise syntax("END_TIME_RANGE takes a timestamp literal on this account.") from None
    return (when if when.tzinfo else when.replace(tzinfo=ZoneInfo(session.timezone))).astimezone(UTC)


def _sql(name: str, cut: _Cut, engine: Engine, session: Session) -> tuple[str, dict[str, Any]]:
    where, params = "true", {"start": cut.start, "end": cut.end, "limit": cut.limit}
    own, own_value = _OWN[name], cut.own
    if own == "WAREHOUSE_NAME" and cut.own_given:
        own_value = _object_name(str(cut.own))
    if own and not cut.own_given:
        own_value = {"WAREHOUSE_NAME": session.warehouse, "USER_NAME": session.identity.user}.get(own, session.id)
    if own:
        where, params = f"{own} = $own", params | {"own": own_value}
    if session.identity.role == "COST_READER" and engine.info.hidden_from_reader:
        where += " AND (WAREHOUSE_NAME IS NULL OR NOT list_contains($hidden, WAREHOUSE_NAME))"
        params["hidden"] = sorted(engine.info.hidden_from_reader)
    ended = ", ".join(_STATUS + " AS EXECUTION_STATUS" if c == "EXECUTION_STATUS" else c for c in _COLUMNS)
    live = ", ".join(f"{_LIVE.get(c) or (c if c in _HAVE else 'NULL')} AS {c}" for c in _COLUMNS)
    raw = f"{DATABASE}.{RAW}"
    in_flight = f"SELECT {live} FROM {raw}.LIVE_QUERIES WHERE {where} AND $end >= $start"  # noqa: S608 - constants
    ended_between = "END_TIME > greatest($start, $now - INTERVAL 7 DAY) AND END_TIME <= least($end, $now)"
    history = f"SELECT {ended} FROM {raw}.QUERY_HISTORY WHERE {where} AND {ended_between}"  # noqa: S608 - constants
    sql = f"SELECT * FROM ({in_flight} UNION ALL {history}) ORDER BY {_NEWEST_FIRST}"  # noqa: S608 - constants
    return sql, params


def _object_name(text: str) -> str:
    """Names that need quotes carry them inside the string."""
    if len(text) >= 2 and text[0] == text[-1] == '"':
        return text[1:-1].replace('""', '"')
    return text.upper()


def end_statements(
    con: duckdb.DuckDBPyConnection, warehouse: str | None, now: datetime, *, query_id: str | None = None
) -> int:
    """Move live statements into QUERY_HISTORY; how many.

    Of a whole warehouse (it is suspended): running ones are let finish, queued ones are canceled. Of one query
    id: it is canceled.
    """
    where, value = ("QUERY_ID = ?", query_id) if query_id else ("WAREHOUSE_NAME = ?", warehouse)
    cancel = "true" if query_id else "upper(EXECUTION_STATUS) <> 'RUNNING'"
    raw = f"{DATABASE}.{RAW}"
    values = {
        **{c: c for c in _HAVE},
        "EXECUTION_STATUS": f"CASE WHEN {cancel} THEN 'FAIL' ELSE 'SUCCESS' END",
        "ERROR_CODE": f"CASE WHEN {cancel} THEN '000604' END",
        "ERROR_MESSAGE": f"CASE WHEN {cancel} THEN 'SQL execution canceled' END",
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
