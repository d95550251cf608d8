"""INFORMATION_SCHEMA's table functions: arguments, reach, limits, privileges, and columns of their own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.contract.demo_server.talk import fails, records, rows
from tools.demo.schedules import next_run

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)


def of(function: str, arguments: str = "", what: str = "*") -> str:
    return f"select {what} from table(snowflake.information_schema.{function}({arguments}))"


# --- arguments --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "start",
    [
        "'2026-11-20 07:00:00+00:00'",
        "'2026-11-20 07:00:00'",
        "'2026-11-20T07:00:00Z'",
        "to_timestamp_ltz('2026-11-20 07:00:00')",
        "dateadd('hour', -3, current_timestamp())",
        "dateadd(hour, 7, current_date())",
        "'2026-11-20 07:00:00'::timestamp_ltz",
        "timestampadd(minute, -180, sysdate())",
    ],
)
def test_times_may_be_any_constant_expression(reader: Any, start: str) -> None:
    asked = of("warehouse_metering_history", f"date_range_start => {start}, warehouse_name => 'bi_wh'", "count(*) c")
    assert rows(reader, asked) == [(3,)]


def test_arguments_by_position_and_name(reader: Any, connect: Callable[..., Any]) -> None:
    asked = of("warehouse_metering_history", "dateadd('day', -1, current_timestamp()), current_timestamp(), 'BI_WH'")
    assert len(rows(reader, asked)) == 24
    pacific = connect(session_parameters={})  # a day begins when it does in the session's zone
    asked = of("warehouse_metering_history", "'2026-11-20', warehouse_name => 'BI_WH'", "min(start_time) t")
    assert rows(pacific, asked) == [(datetime(2026, 11, 20, 8, tzinfo=UTC),)]


@pytest.mark.parametrize(
    ("function", "arguments", "errno"),
    [
        ("warehouse_metering_history", "", 1003),
        ("warehouse_metering_history", "date_range_start => 'soon'", 1003),
        ("warehouse_metering_history", "date_range_start => 5", 1003),
        ("warehouse_metering_history", "'2026-11-20', date_range_start => '2026-11-20'", 1003),
        ("warehouse_metering_history", "'2026-11-20', no_such => 1", 1003),
        ("warehouse_metering_history", "date_range_start => (select max(now) from snowflake._raw.clock)", 1003),
        ("warehouse_metering_history", "date_range_start => getenv('HOME')", 2140),
        ("query_history", "result_limit => 0", 1015),
        ("query_history", "result_limit => 10001", 1015),
        ("query_history", "result_limit => true", 1015),
        ("task_history", "result_limit => 1.5", 1015),
        ("query_history_by_session", "'x'", 1003),
        ("no_such_function", "", 2),
    ],
)
def test_bad_arguments_are_refused(reader: Any, function: str, arguments: str, errno: int) -> None:
    assert fails(reader, of(function, arguments)).errno == errno


@pytest.mark.parametrize(
    ("function", "argument", "days", "said"),
    [
        ("query_history", "end_time_range_start", 7, "7 days"),
        ("query_history_by_user", "end_time_range_start", 7, "7 days"),
        ("task_history", "scheduled_time_range_start", 7, "7 days"),
        ("warehouse_load_history", "date_range_start", 15, "14 days"),
        ("automatic_clustering_history", "date_range_start", 14, "14 days"),
        ("pipe_usage_history", "date_range_start", 14, "14 days"),
        ("data_transfer_history", "date_range_start", 14, "14 days"),
        ("warehouse_metering_history", "date_range_start", 183, "6 months"),
        ("database_storage_usage_history", "date_range_start", 183, "6 months"),
    ],
)
def test_a_range_that_begins_too_long_ago_is_an_error(
    reader: Any, function: str, argument: str, days: int, said: str
) -> None:
    at = "dateadd('minute', {}, dateadd('day', -{}, current_timestamp()))"
    error = fails(reader, of(function, f"{argument} => {at.format(0, days)}"))
    assert f"Cannot retrieve data from more than {said} ago" in str(error)
    rows(reader, of(function, f"{argument} => {at.format(1, days)}"))


# --- privileges -------------------------------------------------------------------------------------------------------


def test_metering_needs_monitor_usage_and_leaves_adaptive_warehouses_out(reader: Any, operator: Any) -> None:
    asked = of("warehouse_metering_history", "dateadd('day', -1, current_timestamp())")
    error = fails(operator, asked)
    assert (error.errno, error.sqlstate) == (3001, "42501")
    found = records(reader, asked)
    assert list(found[0]) == [
        "START_TIME",
        "END_TIME",
        "WAREHOUSE_NAME",
        "CREDITS_USED",
        "CREDITS_USED_COMPUTE",
        "CREDITS_USED_CLOUD_SERVICES",
    ]
    assert {r["WAREHOUSE_NAME"] for r in found} == {"LOAD_WH", "BI_WH"}
    assert max(r["END_TIME"] for r in found) == NOW  # no three hours of latency


def test_tasks_need_monitor_execution(reader: Any, operator: Any) -> None:
    assert rows(operator, of("task_history")) == []
    assert rows(reader, of("task_history")) != []


# --- columns and rows -------------------------------------------------------------------------------------------------


def test_query_history_has_columns_of_its_own(reader: Any) -> None:
    names = [c.name for c in reader.cursor().execute(of("query_history", "result_limit => 1")).description]
    assert "LIST_EXTERNAL_FILE_TIME" in names and "LIST_EXTERNAL_FILES_TIME" not in names
    assert not {"PERCENTAGE_SCANNED_FROM_CACHE", "PARTITIONS_SCANNED", "BYTES_SPILLED_TO_LOCAL_STORAGE"} & set(names)


def test_statements_of_client_libraries_are_left_out_unless_asked_for(reader: Any) -> None:
    by = "warehouse_name => '\"etl lower\"', end_time_range_end => '2026-11-20 09:59:59'"
    assert rows(reader, of("query_history_by_warehouse", by, "count(*) c")) == [(2,)]
    asked = f"{by}, include_client_generated_statement => true"
    assert rows(reader, of("query_history_by_warehouse", asked, "count(*) c")) == [(3,)]


def test_load_is_by_five_seconds_under_eight_hours(reader: Any) -> None:
    name = "warehouse_name => '\"etl lower\"'"
    fine = of("warehouse_load_history", f"date_range_start => dateadd('hour', -1, current_timestamp()), {name}")
    found = records(reader, fine)
    assert list(found[0]) == [
        "START_TIME", "END_TIME", "WAREHOUSE_NAME", "AVG_RUNNING", "AVG_QUEUED_LOAD", "AVG_QUEUED_PROVISIONING",
        "AVG_BLOCKED",
    ]  # fmt: skip
    assert {r["END_TIME"] - r["START_TIME"] for r in found} == {timedelta(seconds=5)}
    assert len(found) == 15 * 60 // 5
    assert {r["AVG_RUNNING"] for r in found} == {Decimal("0.00"), Decimal("1.00")}
    coarse = records(
        reader, of("warehouse_load_history", f"date_range_start => dateadd('hour', -9, current_timestamp()), {name}")
    )
    assert {r["END_TIME"] - r["START_TIME"] for r in coarse} == {timedelta(minutes=5)}
    assert len(coarse) == 3
    for row in coarse:
        within = [r for r in found if row["START_TIME"] <= r["START_TIME"] < row["END_TIME"]]
        assert sum(r["AVG_RUNNING"] for r in within) / 60 == row["AVG_RUNNING"] == Decimal("0.50")
        assert sum(r["AVG_QUEUED_LOAD"] for r in within) / 60 == row["AVG_QUEUED_LOAD"] == Decimal("0.10")


def test_load_counts_what_is_in_flight_and_asks_for_the_warehouse(reader: Any, operator: Any) -> None:
    ten = "date_range_start => dateadd('minute', -10, current_timestamp()), warehouse_name => 'HIDDEN_WH'"
    found = records(operator, of("warehouse_load_history", ten))
    assert len(found) == 12 and {r["AVG_RUNNING"] for r in found} == {Decimal("1.00")}  # one runs for a minute
    assert fails(operator, of("warehouse_load_history", "warehouse_name => 'nope'")).errno == 3001
    assert rows(reader, of("warehouse_load_history")) == []  # ten minutes before today's midnight


def test_task_history_has_what_runs_and_what_comes_next(reader: Any) -> None:
    found = records(reader, of("task_history", "result_limit => 10000"))
    states = [r["STATE"] for r in found]
    assert states[:3] == ["SCHEDULED", "EXECUTING", "SUCCEEDED"]
    assert found[0]["SCHEDULED_TIME"] == NOW + timedelta(minutes=25)  # thirty minutes after the last run
    assert (found[0]["NAME"], found[0]["QUERY_ID"], found[0]["COMPLETED_TIME"]) == ("LOAD_ORDERS", None, None)
    assert min(r["SCHEDULED_TIME"] for r in found) > NOW - timedelta(days=7)
    assert states.count("SCHEDULED") == 1  # the suspended task and the one without a schedule have none
    failed = records(reader, of("task_history", "error_only => true, task_name => 'load_orders'"))
    assert {r["STATE"] for r in failed} == {"FAILED"}
    assert len(rows(reader, of("task_history"))) == 100
    assert rows(reader, of("task_history", "result_limit => 5", "count_if(state = 'FAILED') c")) == [(0,)]
    assert rows(reader, of("task_history", "task_name => 'none'")) == []


def test_services_look_back_half_a_day_unless_told(reader: Any) -> None:
    assert rows(reader, of("automatic_clustering_history", "", "count(*) c, sum(credits_used) s")) == [(12, 6.0)]
    day = "date_range_start => dateadd('day', -1, current_timestamp())"
    assert rows(reader, of("automatic_clustering_history", day, "count(*) c")) == [(24,)]
    assert rows(reader, of("automatic_clustering_history", f"{day}, table_name => 'prod.s.orders'", "count(*) c")) == [
        (24,)
    ]
    assert rows(reader, of("automatic_clustering_history", f"{day}, table_name => 'OTHER'", "count(*) c")) == [(0,)]
    names = [c.name for c in reader.cursor().execute(of("automatic_clustering_history")).description]
    assert names == [
        "START_TIME",
        "END_TIME",
        "TABLE_NAME",
        "CREDITS_USED",
        "NUM_BYTES_RECLUSTERED",
        "NUM_ROWS_RECLUSTERED",
    ]


def test_storage_is_by_day(reader: Any) -> None:
    what = "max(usage_date) d, count(*) c, max(average_database_bytes) b"
    latest = rows(reader, of("database_storage_usage_history", "", what))
    assert latest == [(date(2026, 11, 20), 2, 100.0)]  # the day that runs and the one before
    asked = "date_range_start => '2026-11-15', date_range_end => '2026-11-17', database_name => 'prod'"
    assert rows(reader, of("database_storage_usage_history", asked, what)) == [(date(2026, 11, 16), 2, 96.0)]


@pytest.mark.parametrize(
    "call",
    [
        "materialized_view_refresh_history()", "search_optimization_history()", "serverless_task_history()",
        "pipe_usage_history()", "query_acceleration_history()", "data_transfer_history()",
        "stage_storage_usage_history()", "dynamic_table_refresh_history()",
        "copy_history(table_name => 'x', start_time => current_timestamp())",
    ],
)  # fmt: skip
def test_the_others_answer_with_no_rows(reader: Any, call: str) -> None:
    assert rows(reader, f"select * from table(snowflake.information_schema.{call})") == []


# --- schedules --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("5 MINUTES", "2026-11-20 10:05"),
        ("90 seconds", "2026-11-20 10:01:30"),
        ("2 h", "2026-11-20 12:00"),
        ("USING CRON 0 2 * * * UTC", "2026-11-21 02:00"),
        ("USING CRON 0 2 * * * America/Los_Angeles", "2026-11-20 10:00:00+24:00"),
        ("using cron */15 9-17 * * MON-FRI UTC", "2026-11-20 10:15"),
        ("USING CRON 0 6 L * * UTC", "2026-11-30 06:00"),
        ("USING CRON 0 0 29 2 * UTC", "2028-02-29 00:00"),
        ("USING CRON 30 3 1 * SUN UTC", "2026-11-22 03:30"),
        ("USING CRON 0 0 31 2 * UTC", None),
        ("USING CRON 61 0 * * * UTC", None),
        ("USING CRON 0 0 * * * Mars/Olympus", None),
        ("0 MINUTES", None),
        ("sometimes", None),
    ],
)
def test_next_runs(schedule: str, expected: str | None) -> None:
    found = next_run(schedule, NOW)
    if expected is None:
        assert found is None
    elif expected.endswith("+24:00"):
        assert found == NOW + timedelta(days=1)  # 02:00 in California is 10:00 UTC, and later than now
    else:
        assert found == datetime.fromisoformat(expected).replace(tzinfo=UTC)


_FIELD = st.sampled_from(["*", "0", "5", "*/7", "1-5", "3,9", "2-20/6"])


@given(minute=_FIELD, hour=_FIELD, offset=st.integers(0, 60 * 24 * 400))
def test_cron_agrees_with_looking_minute_by_minute(minute: str, hour: str, offset: int) -> None:
    after = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=offset, seconds=17)
    found = next_run(f"USING CRON {minute} {hour} * * * UTC", after)

    def fits(field: str, value: int, top: int) -> bool:
        for part in field.split(","):
            span, _, step = part.partition("/")
            low, high = (0, top) if span == "*" else (int(span.split("-")[0]), int(span.split("-")[-1]))
            if low <= value <= high and (value - low) % int(step or 1) == 0:
                return True
        return False

    moment = after.replace(second=0) + timedelta(minutes=1)
    while not (fits(minute, moment.minute, 59) and fits(hour, moment.hour, 23)):
        moment += timedelta(minutes=1)
    assert found == moment


def test_cron_keeps_to_local_time_over_a_change_of_clocks() -> None:
    zone = ZoneInfo("Europe/Berlin")
    before = datetime(2026, 10, 23, 12, tzinfo=UTC)
    runs = [next_run("USING CRON 0 8 * * * Europe/Berlin", before + timedelta(days=n)) for n in range(3)]
    assert [r.astimezone(zone).hour for r in runs if r] == [8, 8, 8]
    assert len({r.hour for r in runs if r}) == 2
