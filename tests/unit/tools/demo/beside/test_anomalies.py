"""ANOMALIES_DAILY: a band around the same weekday of the four weeks before."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import duckdb
import pytest

from tools.demo import layout
from tools.demo.anomalies import refresh_anomalies

FIRST = date(2026, 9, 7)


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as found:
        layout.create_schema(found)
        yield found


def fill(con: duckdb.DuckDBPyConnection, used: list[float], first: int = 0) -> None:
    rows = [(FIRST + timedelta(days=first + n), kind, value / 2) for n, value in enumerate(used) for kind in ("A", "B")]
    con.executemany(
        "INSERT INTO _RAW.METERING_DAILY_HISTORY (USAGE_DATE, SERVICE_TYPE, CREDITS_USED) VALUES (?, ?, ?)", rows
    )


def shown(con: duckdb.DuckDBPyConnection) -> list[tuple[date, bool, float, float]]:
    sql = "SELECT DATE, IS_ANOMALY, ACTUAL_VALUE, FORECASTED_VALUE FROM _RAW.ANOMALIES_DAILY ORDER BY 1"
    return con.execute(sql).fetchall()


def test_a_day_is_unusual_against_its_weekday(con: duckdb.DuckDBPyConnection) -> None:
    week = [100.0, 110.0, 105.0, 108.0, 102.0, 40.0, 42.0]
    used = week * 5
    used[30] = 190.0
    fill(con, used)
    refresh_anomalies(con)
    found = shown(con)
    assert [row[0] for row in found] == [FIRST + timedelta(days=n) for n in range(28, 35)]
    assert [row[1] for row in found] == [False, False, True, False, False, False, False]
    assert found[2][2:] == (190.0, 105.0)


def test_a_days_row_stays_when_time_goes_on(con: duckdb.DuckDBPyConnection) -> None:
    fill(con, [100.0 + n % 7 + n % 3 for n in range(35)])
    refresh_anomalies(con)
    before = shown(con)
    fill(con, [150.0] * 7, first=35)
    refresh_anomalies(con)
    assert shown(con)[: len(before)] == before
    assert all(row[1] for row in shown(con)[len(before) :])
