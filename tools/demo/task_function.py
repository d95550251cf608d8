"""INFORMATION_SCHEMA.TASK_HISTORY: runs of 7 days, those under way, and each started task's next one within 8 days."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pyarrow as pa

from tools.demo.arguments import limit_of, object_name
from tools.demo.engine import DATABASE
from tools.demo.layout import RAW
from tools.demo.monitors import moment
from tools.demo.roles import has_global
from tools.demo.schedules import next_run
from tools.demo.surroundings import Surroundings
from tools.demo.window import WEEK, Window

__all__ = ["TASK_ARGUMENTS", "task_table"]

_RANGE = ("SCHEDULED_TIME_RANGE_START", "SCHEDULED_TIME_RANGE_END")
TASK_ARGUMENTS = (*_RANGE, "RESULT_LIMIT", "TASK_NAME", "ERROR_ONLY", "ROOT_TASK_ID")
_AHEAD = timedelta(days=8)

_COLUMNS: dict[str, str] = {
    "QUERY_ID": "QUERY_ID",
    "NAME": "NAME",
    "DATABASE_NAME": "DATABASE_NAME",
    "SCHEMA_NAME": "SCHEMA_NAME",
    "QUERY_TEXT": "QUERY_TEXT",
    "CONDITION_TEXT": "CONDITION_TEXT",
    "STATE": "CASE WHEN COMPLETED_TIME IS NULL OR COMPLETED_TIME > $now THEN 'EXECUTING' ELSE upper(STATE) END",
    "ERROR_CODE": "ERROR_CODE",
    "ERROR_MESSAGE": "ERROR_MESSAGE",
    "SCHEDULED_TIME": "SCHEDULED_TIME",
    "QUERY_START_TIME": "QUERY_START_TIME",
    "NEXT_SCHEDULED_TIME": "CAST(NULL AS TIMESTAMPTZ)",
    "COMPLETED_TIME": "CASE WHEN COMPLETED_TIME <= $now THEN COMPLETED_TIME END",
    "ROOT_TASK_ID": "ROOT_TASK_ID",
    "GRAPH_VERSION": "GRAPH_VERSION",
    "RUN_ID": "RUN_ID",
    "RETURN_VALUE": "RETURN_VALUE",
    "SCHEDULED_FROM": "SCHEDULED_FROM",
    "ATTEMPT_NUMBER": "ATTEMPT_NUMBER",
    "CONFIG": "CONFIG",
    "QUERY_HASH": "QUERY_HASH",
    "QUERY_HASH_VERSION": "QUERY_HASH_VERSION",
    "QUERY_PARAMETERIZED_HASH": "QUERY_PARAMETERIZED_HASH",
    "QUERY_PARAMETERIZED_HASH_VERSION": "QUERY_PARAMETERIZED_HASH_VERSION",
}


def task_table(given: Mapping[str, Any], around: Surroundings) -> pa.Table:
    """Latest first. A role without MONITOR EXECUTION sees no task that is not its own, and here none is.

    Raises:
        SqlError: 001003 or 001015 for values it does not take; a range that begins too long ago.
    """
    session, now = around.session, around.now
    window = Window.of(given, _RANGE, WEEK, now, session.timezone, latest=now + _AHEAD)
    allowed = has_global(session.identity.role, "MONITOR EXECUTION")
    name = given.get("TASK_NAME")
    ask = {
        "start": window.start,
        "end": window.end,
        "now": now,
        "limit": limit_of(dict(given)),
        "name": None if name is None else object_name(str(name)),
        "root": given.get("ROOT_TASK_ID"),
        "failed": given.get("ERROR_ONLY") is True,
        "allowed": allowed,
    }
    con = around.engine.statement_connection("UTC")
    try:
        con.register("FROSTLINE_NEXT", _next_runs(around) if allowed else _scheduled([]))
        return con.execute(_SQL, ask).to_arrow_table()
    finally:
        con.close()


def _next_runs(around: Surroundings) -> pa.Table:
    """The next run of every started task that has a schedule of its own."""
    tasks, history = f"{DATABASE}.{RAW}.TASKS", f"{DATABASE}.{RAW}.TASK_HISTORY"
    found = around.engine.rows(
        "SELECT t.name, t.database_name, t.schema_name, t.definition, t.condition, t.id, t.schedule, "  # noqa: S608 - constants
        f"epoch_us(max(h.SCHEDULED_TIME)) FROM {tasks} t LEFT JOIN {history} h ON h.NAME = t.name "
        "AND h.DATABASE_NAME IS NOT DISTINCT FROM t.database_name AND h.SCHEMA_NAME IS NOT DISTINCT FROM t.schema_name "
        "AND h.SCHEDULED_TIME <= ? WHERE lower(t.state) = 'started' AND t.schedule IS NOT NULL GROUP BY ALL",
        [around.now],
    )
    rows = []
    for *place, schedule, last in found:
        when = next_run(str(schedule), around.now, moment(last))
        if when is not None and when <= around.now + _AHEAD:
            rows.append((*place, when))
    return _scheduled(rows)


def _scheduled(rows: list[tuple[Any, ...]]) -> pa.Table:
    text, stamp = pa.string(), pa.timestamp("us", tz="UTC")
    names = ("NAME", "DATABASE_NAME", "SCHEMA_NAME", "QUERY_TEXT", "CONDITION_TEXT", "ROOT_TASK_ID", "SCHEDULED_TIME")
    kinds = (*[text] * 6, stamp)
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(names)
    return pa.table({n: pa.array(list(c), k) for n, c, k in zip(names, columns, kinds, strict=True)})


_NEXT = {
    **dict.fromkeys(("NAME", "DATABASE_NAME", "SCHEMA_NAME", "QUERY_TEXT", "CONDITION_TEXT", "SCHEDULED_TIME")),
    "ROOT_TASK_ID": None,
    "STATE": "'SCHEDULED'",
    "SCHEDULED_FROM": "'SCHEDULE'",
}
_SQL = (
    f"SELECT * FROM (SELECT {', '.join(f'{sql} AS {name}' for name, sql in _COLUMNS.items())} "  # noqa: S608 - constants
    f"FROM {DATABASE}.{RAW}.TASK_HISTORY WHERE SCHEDULED_TIME <= $now "
    f"UNION ALL SELECT {', '.join(f'{_NEXT[n] or n} AS {n}' if n in _NEXT else f'NULL AS {n}' for n in _COLUMNS)} "
    "FROM FROSTLINE_NEXT) WHERE $allowed AND SCHEDULED_TIME >= $start AND SCHEDULED_TIME <= $end "
    "AND ($name IS NULL OR NAME = $name) AND ($root IS NULL OR ROOT_TASK_ID = $root) "
    "AND (NOT $failed OR STATE IN ('FAILED', 'CANCELLED', 'FAILED_AND_AUTO_SUSPENDED')) "
    "ORDER BY SCHEDULED_TIME DESC, NAME LIMIT $limit"
)
