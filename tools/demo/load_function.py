"""INFORMATION_SCHEMA.WAREHOUSE_LOAD_HISTORY: rows of 5 seconds for a range under 8 hours, else those of 5 minutes.

The 5-second rows are made of the statements themselves: blocked, then waiting for provisioning, then queued, then
running until they end. A warehouse has rows where it has rows of 5 minutes, and since then where it had statements.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pyarrow as pa

from tools.demo.arguments import object_name
from tools.demo.engine import DATABASE
from tools.demo.layout import RAW
from tools.demo.roles import has_global, may
from tools.demo.sqlerrors import insufficient
from tools.demo.surroundings import Surroundings
from tools.demo.warehouse_rows import TABLE, visible_warehouses
from tools.demo.window import FORTNIGHT, Window

__all__ = ["LOAD_ARGUMENTS", "load_table"]

LOAD_ARGUMENTS = ("DATE_RANGE_START", "DATE_RANGE_END", "WAREHOUSE_NAME")
_REACH = replace(FORTNIGHT, refused_after=timedelta(days=15))
_FINE_UNDER = timedelta(hours=8)
_STATES = ("AVG_RUNNING", "AVG_QUEUED_LOAD", "AVG_QUEUED_PROVISIONING", "AVG_BLOCKED")
_HISTORY, _LIVE, _LOAD = (f"{DATABASE}.{RAW}.{t}" for t in ("QUERY_HISTORY", "LIVE_QUERIES", "WAREHOUSE_LOAD_HISTORY"))


def load_table(given: Mapping[str, Any], around: Surroundings) -> pa.Table:
    """
    Raises:
        SqlError: 003001 without MONITOR on the warehouse; a range that begins too long ago.
    """
    session, now = around.session, around.now
    midnight = around.local.replace(hour=0, minute=0, second=0, microsecond=0)
    given_end = given.get("DATE_RANGE_END") is not None or given.get("DATE_RANGE_START") is not None
    window = Window.of(
        given,
        ("DATE_RANGE_START", "DATE_RANGE_END"),
        _REACH,
        now,
        session.timezone,
        timedelta(minutes=10),
        latest=now if given_end else midnight,
    )
    seen = _monitored(around)
    name = given.get("WAREHOUSE_NAME")
    wanted = object_name(str(name)) if name is not None else session.warehouse
    if name is not None and wanted not in seen:
        raise insufficient("warehouse", str(wanted))
    names = seen if wanted is None else [n for n in seen if n == wanted]
    sql = _FINE if window.end - window.start < _FINE_UNDER else _COARSE
    con = around.engine.statement_connection("UTC")
    try:
        ask = {"start": window.start, "end": min(window.end, now), "names": names}
        return con.execute(sql, ask | ({"now": now} if sql is _FINE else {})).to_arrow_table()
    finally:
        con.close()


def _monitored(around: Surroundings) -> list[str]:
    """MONITOR USAGE covers every warehouse, MONITOR its own."""
    if has_global(around.session.identity.role, "MONITOR USAGE"):
        return [str(n) for (n,) in around.engine.rows(f"SELECT name FROM {TABLE} ORDER BY name")]  # noqa: S608 - constants
    names = visible_warehouses(around.engine, around.session)
    return [n for n in names if may(around.session.identity.role, "MONITOR")]


def _rounded(source: str) -> str:
    return ", ".join(f"CAST(round({source.format(s)}, 2) AS DECIMAL(38, 2)) AS {s}" for s in _STATES)


_COARSE = (
    f"SELECT START_TIME, END_TIME, WAREHOUSE_NAME, {_rounded('{}')} FROM {_LOAD} "  # noqa: S608 - constants
    "WHERE START_TIME >= $start AND START_TIME < $end AND list_contains($names, WAREHOUSE_NAME) "
    "ORDER BY START_TIME DESC, WAREHOUSE_NAME"
)

_MS = "INTERVAL 1 MILLISECOND"
_FINE = f"""
WITH ended AS (
    SELECT WAREHOUSE_NAME AS w, END_TIME AS done, END_TIME - coalesce(EXECUTION_TIME, 0) * {_MS} AS begun,
        coalesce(QUEUED_OVERLOAD_TIME, 0) AS o, coalesce(QUEUED_PROVISIONING_TIME, 0) AS p,
        coalesce(TRANSACTION_BLOCKED_TIME, 0) AS b
    FROM {_HISTORY}
    WHERE START_TIME < $end AND END_TIME > $start AND WAREHOUSE_SIZE IS NOT NULL
        AND list_contains($names, WAREHOUSE_NAME)
), states AS (
    SELECT w, 0 AS s, begun AS f, done AS t FROM ended
    UNION ALL SELECT w, 1, begun - o * {_MS}, begun FROM ended WHERE o > 0
    UNION ALL SELECT w, 2, begun - (o + p) * {_MS}, begun - o * {_MS} FROM ended WHERE p > 0
    UNION ALL SELECT w, 3, begun - (o + p + b) * {_MS}, begun - (o + p) * {_MS} FROM ended WHERE b > 0
    UNION ALL SELECT WAREHOUSE_NAME, CASE upper(EXECUTION_STATUS) WHEN 'RUNNING' THEN 0 ELSE 1 END, START_TIME, $now
        FROM {_LIVE} WHERE list_contains($names, WAREHOUSE_NAME)
), clipped AS (
    SELECT w, s, epoch(greatest(f, $start)) AS f, epoch(least(t, $end)) AS t FROM states WHERE t > $start AND f < $end
), cut AS (
    SELECT w, s, f, t, unnest(range(CAST(floor(f / 5) AS BIGINT), CAST(ceil(t / 5) AS BIGINT))) AS slot FROM clipped
), sums AS (
    SELECT w, slot, {
    ", ".join(
        f"sum(CASE WHEN s = {n} THEN least(t, slot * 5 + 5) - greatest(f, slot * 5) ELSE 0 END) / 5 AS {name}"
        for n, name in enumerate(_STATES)
    )
}
    FROM cut GROUP BY ALL
), there AS (
    SELECT DISTINCT WAREHOUSE_NAME AS w, unnest(range(CAST(epoch(START_TIME) / 5 AS BIGINT),
        CAST(epoch(START_TIME) / 5 AS BIGINT) + 60)) AS slot
    FROM {
    _LOAD
} WHERE START_TIME > $start - INTERVAL 5 MINUTE AND START_TIME < $end AND list_contains($names, WAREHOUSE_NAME)
), slots AS (SELECT w, slot FROM there UNION SELECT w, slot FROM sums)
SELECT to_timestamp(slot * 5) AS START_TIME, to_timestamp(slot * 5 + 5) AS END_TIME, w AS WAREHOUSE_NAME,
    {_rounded("coalesce({}, 0)")}
FROM slots LEFT JOIN sums USING (w, slot)
WHERE to_timestamp(slot * 5) >= $start AND to_timestamp(slot * 5) < $end
ORDER BY slot DESC, w
"""  # noqa: S608 - constants
