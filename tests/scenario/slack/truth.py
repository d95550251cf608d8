"""Figures as Snowflake's SQL gives them, past all of the product but its sign-in."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from agent.runtime import Runtime
from tools.warehouse.connect import connect

_METERING = "SNOWFLAKE.ACCOUNT_USAGE.WAREHOUSE_METERING_HISTORY"


def last_week(runtime: Runtime) -> tuple[datetime, datetime]:
    """From Monday to Monday, in the account's days."""
    today = runtime.reader.now().astimezone(ZoneInfo(runtime.reader.account().timezone)).date()
    monday = today - timedelta(days=today.weekday())
    zone = ZoneInfo(runtime.reader.account().timezone)
    start, end = (datetime(day.year, day.month, day.day, tzinfo=zone) for day in (monday - timedelta(days=7), monday))
    return start, end


def credits_by_warehouse(runtime: Runtime, start: datetime, end: datetime) -> dict[str, float]:
    """CREDITS_USED of the warehouses, most first; id 0 is cloud services without any."""
    rows = _rows(
        runtime,
        "SELECT WAREHOUSE_NAME, SUM(CREDITS_USED) FROM " + _METERING + " "
        f"WHERE START_TIME >= '{start.isoformat()}'::timestamp_tz AND START_TIME < '{end.isoformat()}'::timestamp_tz "
        "AND WAREHOUSE_ID > 0 GROUP BY 1 ORDER BY 2 DESC",
    )
    return {str(name): float(used) for name, used in rows}


def _rows(runtime: Runtime, statement: str) -> list[Any]:
    connection = connect(runtime.reader_config, query_tag={"app": "tests"})
    try:
        return list(connection.cursor().execute(statement).fetchall())  # type: ignore[union-attr]
    finally:
        connection.close()
