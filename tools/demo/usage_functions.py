"""INFORMATION_SCHEMA's table functions on usage: what the account views hold, at once and for a shorter time.

Arguments, reach and columns: snowflake-reference.md 1.3 and the page of each function. Where an argument leaves the
range open, most functions look back 12 hours or 10 minutes. The columns are those of the function, not of the view.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pyarrow as pa

from tools.demo.arguments import limit_of, object_name
from tools.demo.engine import DATABASE
from tools.demo.layout import RAW
from tools.demo.load_function import LOAD_ARGUMENTS, load_table
from tools.demo.roles import has_global
from tools.demo.sqlerrors import insufficient, syntax
from tools.demo.surroundings import Surroundings
from tools.demo.task_function import TASK_ARGUMENTS, task_table
from tools.demo.window import FORTNIGHT, HALF_YEAR, WEEK, Reach, Window
from tools.warehouse.views import ALL_VIEWS

__all__ = ["USAGE_FUNCTIONS", "usage_table"]

_RANGE = ("DATE_RANGE_START", "DATE_RANGE_END")
_HALF_DAY, _MINUTES = timedelta(hours=12), timedelta(minutes=10)


@dataclass(frozen=True)
class _Function:
    view: str
    reach: Reach
    columns: tuple[str, ...]
    """`NAME` or `COLUMN OF THE VIEW AS NAME`."""
    at: str = "START_TIME"
    """The column that the range is of."""
    range: tuple[str, str] = _RANGE
    names: Mapping[str, str] = field(default_factory=dict)
    """Arguments that pick rows, and the column that each must equal."""
    default: timedelta | None = _HALF_DAY
    limited: bool = False
    required: tuple[str, ...] = ()
    where: str = "true"
    own: str = ""
    """The column that holds the user whose rows a role without MONITOR USAGE still sees."""

    @property
    def arguments(self) -> tuple[str, ...]:
        return (*self.required, *self.range, *(n for n in self.names if n not in self.required),
                *(("RESULT_LIMIT",) if self.limited else ()))  # fmt: skip


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _hourly(view: str, columns: str, name: str, column: str, default: timedelta = _HALF_DAY) -> _Function:
    return _Function(view, FORTNIGHT, tuple(columns.split("; ")), names={name: column}, default=default)


_LOGINS = _words(
    "EVENT_TIMESTAMP EVENT_ID EVENT_TYPE USER_NAME CLIENT_IP REPORTED_CLIENT_TYPE REPORTED_CLIENT_VERSION "
    "FIRST_AUTHENTICATION_FACTOR SECOND_AUTHENTICATION_FACTOR IS_SUCCESS ERROR_CODE ERROR_MESSAGE RELATED_EVENT_ID "
    "CONNECTION"
)
_LOGIN_RANGE = ("TIME_RANGE_START", "TIME_RANGE_END")

_FUNCTIONS: dict[str, _Function] = {
    "WAREHOUSE_METERING_HISTORY": _Function(
        "WAREHOUSE_METERING_HISTORY",
        HALF_YEAR,
        _words("START_TIME END_TIME WAREHOUSE_NAME CREDITS_USED CREDITS_USED_COMPUTE CREDITS_USED_CLOUD_SERVICES"),
        names={"WAREHOUSE_NAME": "WAREHOUSE_NAME"},
        required=("DATE_RANGE_START",),
        where=f"WAREHOUSE_NAME NOT IN (SELECT name FROM {DATABASE}.{RAW}.WAREHOUSES WHERE upper(type) = 'ADAPTIVE')",  # noqa: S608 - constants
    ),
    "AUTOMATIC_CLUSTERING_HISTORY": _hourly(
        "AUTOMATIC_CLUSTERING_HISTORY",
        "START_TIME; END_TIME; TABLE_NAME; CREDITS_USED; NUM_BYTES_RECLUSTERED; NUM_ROWS_RECLUSTERED",
        "TABLE_NAME",
        "TABLE_NAME",
    ),
    "MATERIALIZED_VIEW_REFRESH_HISTORY": _hourly(
        "MATERIALIZED_VIEW_REFRESH_HISTORY",
        "START_TIME; END_TIME; TABLE_NAME AS MATERIALIZED_VIEW_NAME; CREDITS_USED",
        "MATERIALIZED_VIEW_NAME",
        "TABLE_NAME",
    ),
    "SEARCH_OPTIMIZATION_HISTORY": _hourly(
        "SEARCH_OPTIMIZATION_HISTORY",
        "START_TIME; END_TIME; coalesce(TABLE_NAME, BASE_TABLE_NAME) AS TABLE_NAME; CREDITS_USED",
        "TABLE_NAME",
        "coalesce(TABLE_NAME, BASE_TABLE_NAME)",
    ),
    "SERVERLESS_TASK_HISTORY": _hourly(
        "SERVERLESS_TASK_HISTORY", "START_TIME; END_TIME; TASK_NAME; CREDITS_USED", "TASK_NAME", "TASK_NAME"
    ),
    "PIPE_USAGE_HISTORY": _hourly(
        "PIPE_USAGE_HISTORY",
        "START_TIME; END_TIME; PIPE_NAME; CREDITS_USED; BYTES_INSERTED; FILES_INSERTED; BYTES_BILLED",
        "PIPE_NAME",
        "PIPE_NAME",
        _MINUTES,
    ),
    "QUERY_ACCELERATION_HISTORY": _hourly(
        "QUERY_ACCELERATION_HISTORY",
        "START_TIME; END_TIME; CREDITS_USED; WAREHOUSE_NAME",
        "WAREHOUSE_NAME",
        "WAREHOUSE_NAME",
    ),
    "DATA_TRANSFER_HISTORY": _Function(
        "DATA_TRANSFER_HISTORY",
        FORTNIGHT,
        _words(
            "START_TIME END_TIME SOURCE_CLOUD SOURCE_REGION TARGET_CLOUD TARGET_REGION BYTES_TRANSFERRED TRANSFER_TYPE"
        ),
        default=_MINUTES,
    ),
    "DATABASE_STORAGE_USAGE_HISTORY": _Function(
        "DATABASE_STORAGE_USAGE_HISTORY",
        HALF_YEAR,
        ("USAGE_DATE", "DATABASE_NAME", "AVERAGE_DATABASE_BYTES", "AVERAGE_FAILSAFE_BYTES"),
        at="USAGE_DATE",
        names={"DATABASE_NAME": "DATABASE_NAME"},
        default=timedelta(days=1),
    ),
    "STAGE_STORAGE_USAGE_HISTORY": _Function(
        "STAGE_STORAGE_USAGE_HISTORY",
        HALF_YEAR,
        ("USAGE_DATE", "AVERAGE_STAGE_BYTES"),
        at="USAGE_DATE",
        default=timedelta(days=1),
    ),
    "COPY_HISTORY": _Function(
        "COPY_HISTORY",
        FORTNIGHT,
        _words(
            "FILE_NAME STAGE_LOCATION LAST_LOAD_TIME ROW_COUNT ROW_PARSED FILE_SIZE FIRST_ERROR_MESSAGE "
            "FIRST_ERROR_LINE_NUMBER FIRST_ERROR_CHARACTER_POS FIRST_ERROR_COLUMN_NAME ERROR_COUNT ERROR_LIMIT STATUS "
            "TABLE_CATALOG_NAME TABLE_SCHEMA_NAME TABLE_NAME PIPE_CATALOG_NAME PIPE_SCHEMA_NAME PIPE_NAME "
            "PIPE_RECEIVED_TIME FIRST_COMMIT_TIME BYTES_BILLED"
        ),
        at="LAST_LOAD_TIME",
        range=("START_TIME", "END_TIME"),
        names={"TABLE_NAME": "TABLE_NAME"},
        required=("TABLE_NAME", "START_TIME"),
    ),
    "DYNAMIC_TABLE_REFRESH_HISTORY": _Function(
        "DYNAMIC_TABLE_REFRESH_HISTORY",
        WEEK,
        _words(
            "NAME SCHEMA_NAME DATABASE_NAME STATE STATE_CODE STATE_MESSAGE QUERY_ID DATA_TIMESTAMP "
            "REFRESH_START_TIME REFRESH_END_TIME COMPLETION_TARGET QUALIFIED_NAME STATISTICS REFRESH_ACTION "
            "REFRESH_TRIGGER TARGET_LAG_SEC"
        ),
        at="DATA_TIMESTAMP",
        range=("DATA_TIMESTAMP_START", "DATA_TIMESTAMP_END"),
        names={"NAME": "NAME"},
        default=None,
        limited=True,
    ),
    "LOGIN_HISTORY": _Function(
        "LOGIN_HISTORY", WEEK, _LOGINS, "EVENT_TIMESTAMP", _LOGIN_RANGE, default=None, limited=True, own="USER_NAME"
    ),
    "LOGIN_HISTORY_BY_USER": _Function(
        "LOGIN_HISTORY",
        WEEK,
        _LOGINS,
        "EVENT_TIMESTAMP",
        _LOGIN_RANGE,
        names={"USER_NAME": "USER_NAME"},
        default=None,
        limited=True,
        own="USER_NAME",
    ),
}

_APART: dict[str, tuple[tuple[str, ...], Callable[[Mapping[str, Any], Surroundings], pa.Table]]] = {
    "TASK_HISTORY": (TASK_ARGUMENTS, task_table),
    "WAREHOUSE_LOAD_HISTORY": (LOAD_ARGUMENTS, load_table),
}

USAGE_FUNCTIONS: dict[str, tuple[str, ...]] = {
    **{name: tuple(dict.fromkeys(f.arguments)) for name, f in _FUNCTIONS.items() if f.view in ALL_VIEWS},
    **{name: names for name, (names, _) in _APART.items()},
}
"""Arguments of each in order."""


def usage_table(name: str, given: Mapping[str, Any], around: Surroundings) -> pa.Table:
    """The function's rows, newest first, as an Arrow table in UTC.

    Raises:
        SqlError: 003001 for a role that lacks MONITOR USAGE; 001003 or 001015 for values it does not take; a range
            that begins too long ago.
    """
    if name in _APART:
        return _APART[name][1](given, around)
    function = _FUNCTIONS[name]
    session = around.session
    if missing := [argument for argument in function.required if given.get(argument) is None]:
        raise syntax(f"{name} needs {missing[0]}.")
    window = Window.of(given, function.range, function.reach, around.now, session.timezone, function.default)
    where, params = _rows_wanted(name, function, given, around)
    at, since = function.at, "$start"
    if ALL_VIEWS[function.view].columns[at] == "D":  # a day counts when any of it is in the range
        at, since = f"CAST({at} AS TIMESTAMP) AT TIME ZONE 'UTC'", "date_trunc('day', $start)"
    limit = f"LIMIT {limit_of(dict(given))}" if function.limited else ""
    sql = (
        f"SELECT {', '.join(function.columns)} FROM {DATABASE}.{RAW}.{function.view} "  # noqa: S608 - constants
        f"WHERE {where} AND {at} >= {since} AND {at} < $end AND {at} <= $now ORDER BY {function.at} DESC {limit}"
    )
    con = around.engine.statement_connection("UTC")
    try:
        ask = {"start": window.start, "end": window.end, "now": around.now}
        return con.execute(sql, ask | params).to_arrow_table()
    finally:
        con.close()


def _rows_wanted(
    name: str, function: _Function, given: Mapping[str, Any], around: Surroundings
) -> tuple[str, dict[str, Any]]:
    session, where, params = around.session, [function.where], {}
    for argument, column in function.names.items():
        if given.get(argument) is not None:
            where.append(f"{column} = ${argument}")
            params[argument] = object_name(str(given[argument]).rsplit(".", 1)[-1])
    if not has_global(session.identity.role, "MONITOR USAGE"):
        if not function.own:
            raise insufficient("function", name)
        where.append(f"{function.own} = $self")
        params["self"] = session.identity.user
    return " AND ".join(where), params
