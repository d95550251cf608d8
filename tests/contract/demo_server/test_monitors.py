"""Resource monitors: who makes them, what they count, and that they hold a warehouse back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.contract.demo_server.talk import DONE, fails, records, rows, warehouse
from tools.demo.monitors import interval_start

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
MONTH = datetime(2026, 11, 1, tzinfo=UTC)
USED = 1.25 * (19 * 24 + 10)
"""Of BI_WH since the first of the month: 19 whole days and ten hours."""
VIEW = (
    "select name, credit_quota, used_credits, warehouses, suspend, level from snowflake.account_usage.resource_monitors"
)


@pytest.fixture(autouse=True)
def clean(admin: Any) -> Iterator[None]:
    yield
    for monitor in ("M", "N"):
        rows(admin, f"drop resource monitor if exists {monitor}")
    rows(admin, "alter warehouse BI_WH resume if suspended")


def test_a_monitor_counts_the_interval_and_blocks_a_resume(admin: Any, operator: Any, reader: Any) -> None:
    made = (
        "create resource monitor m with credit_quota = 500 triggers on 75 percent do notify on 100 percent do suspend"
    )
    assert rows(admin, made) == [("Resource monitor M successfully created.",)]
    assert records(admin, "show resource monitors")[0]["level"] is None
    rows(admin, "alter warehouse BI_WH set resource_monitor = m")
    assert warehouse(operator, "BI_WH")["state"] == "SUSPENDED"  # it was used up already
    (seen,) = records(reader, "show resource monitors like 'm'")
    expected = {"name": "M", "credit_quota": "500.00", "used_credits": f"{USED:.2f}", "remaining_credits": "0.00"}
    expected |= {"level": "WAREHOUSE", "frequency": "MONTHLY", "start_time": MONTH, "notify_at": "75%"}
    expected |= {"suspend_at": "100%", "suspend_immediately_at": None, "owner": "ACCOUNTADMIN"}
    assert {k: seen[k] for k in expected} == expected
    assert rows(reader, VIEW) == [("M", 500.0, USED, "BI_WH", 100, "WAREHOUSE")]
    for statement in ("resume", "resume if suspended"):
        error = fails(operator, f"alter warehouse BI_WH {statement}")
        assert (error.errno, error.sqlstate) == (90073, "22000")
        assert "cannot be resumed because resource monitor 'M' has exceeded its quota" in str(error)
    rows(admin, "alter resource monitor m set credit_quota = 1000")
    assert rows(operator, "alter warehouse BI_WH resume") == DONE
    rows(admin, "alter resource monitor m set triggers on 50 percent do suspend_immediate")
    assert warehouse(operator, "BI_WH")["state"] == "SUSPENDED"
    assert fails(operator, "alter warehouse BI_WH resume").errno == 90073
    rows(admin, "drop resource monitor m")
    assert rows(operator, "alter warehouse BI_WH resume") == DONE
    assert warehouse(operator, "BI_WH")["resource_monitor"] == "null"
    assert rows(reader, VIEW) == []


def test_the_accounts_monitor_holds_everything_back(admin: Any, operator: Any) -> None:
    rows(admin, "create resource monitor n with credit_quota = 10 triggers on 100 percent do suspend")
    rows(admin, "alter account set resource_monitor = n")
    (seen,) = records(admin, "show resource monitors")
    assert seen["level"] == "ACCOUNT"
    assert float(seen["used_credits"]) == pytest.approx((1.25 + 0.5 + 2) * (19 * 24 + 10))
    assert fails(operator, "alter warehouse STATES_WH resume").errno == 90073
    assert fails(admin, "create warehouse held_back").errno == 90073
    rows(admin, "alter account unset resource_monitor")
    assert rows(operator, "alter warehouse BI_WH resume") == DONE
    rows(operator, "alter warehouse LOAD_WH resume if suspended")


def test_daily_and_past_intervals(admin: Any) -> None:
    rows(admin, "create resource monitor m with credit_quota = 5.5 frequency = daily start_timestamp = immediately")
    rows(admin, "alter warehouse BI_WH set resource_monitor = m")
    assert records(admin, "show resource monitors")[0]["used_credits"] == "0.00"  # it begins now
    rows(admin, "alter resource monitor m set frequency = daily start_timestamp = '2026-11-01 00:00'")
    assert records(admin, "show resource monitors")[0]["used_credits"] == "12.50"  # ten hours of today
    rows(admin, "alter resource monitor m set end_timestamp = '2026-11-19 00:00'")
    assert warehouse(admin, "BI_WH")["state"] == "SUSPENDED"


def test_only_the_administrator(reader: Any, operator: Any, admin: Any) -> None:
    rows(admin, "create resource monitor m with credit_quota = 5000")
    for connection in (reader, operator):
        for statement in (
            "create resource monitor n with credit_quota = 1",
            "create or replace resource monitor m with credit_quota = 1",
            "alter resource monitor m set credit_quota = 1",
            "drop resource monitor m",
            "alter account set resource_monitor = m",
        ):
            assert fails(connection, statement).errno == 3001
    assert fails(operator, "alter warehouse BI_WH set resource_monitor = m").errno == 3001
    assert fails(operator, "alter warehouse BI_WH unset resource_monitor").errno == 3001
    assert records(operator, "show resource monitors") == []
    assert [r["name"] for r in records(reader, "show resource monitors")] == ["M"]


@pytest.mark.parametrize(
    ("statement", "errno"),
    [
        ("create resource monitor m", 2002),
        ("create resource monitor n with credit_quota = 0", 1422),
        ("create resource monitor n with credit_quota = lots", 1003),
        ("create resource monitor n with frequency = daily", 1003),
        ("create resource monitor n with frequency = hourly start_timestamp = immediately", 1422),
        ("create resource monitor n with end_timestamp = 'soon'", 1422),
        ("create resource monitor n with no_such = 1", 1420),
        ("create resource monitor n with credit_quota = 1 triggers on 50 percent do nothing", 1422),
        ("create resource monitor n triggers on 1 percent do suspend on 2 percent do suspend", 1003),
        ("create resource monitor n triggers " + "on 1 percent do notify " * 6, 1003),
        ("alter resource monitor no_such set credit_quota = 1", 2003),
        ("alter resource monitor m", 1003),
        ("drop resource monitor no_such", 2003),
        ("alter account set timezone = 'UTC'", 3001),
    ],
)
def test_bad_statements_change_nothing(admin: Any, statement: str, errno: int) -> None:
    rows(admin, "create resource monitor if not exists m with credit_quota = 5000")
    before = records(admin, "show resource monitors")
    assert fails(admin, statement).errno == errno
    assert records(admin, "show resource monitors") == before


moments = st.integers(0, 10 * 366 * 86_400).map(lambda s: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=s))


@given(frequency=st.sampled_from(["MONTHLY", "DAILY", "WEEKLY", "YEARLY"]), start=moments, now=moments)
def test_an_interval_began_at_midnight_and_is_the_present_one(frequency: str, start: datetime, now: datetime) -> None:
    began = interval_start(frequency, start, now)
    longest = {"MONTHLY": 31, "DAILY": 1, "WEEKLY": 7, "YEARLY": 366}[frequency]
    assert began >= start
    if now < start:
        assert began == start
        return
    assert began <= now
    assert (now - began).days < longest or (now - began).days == 0
    if began != start:
        assert (began.hour, began.minute, began.second, began.microsecond) == (0, 0, 0, 0)
