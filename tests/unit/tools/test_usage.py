"""query_usage: figures, views, coverage, comparisons, roles, names; each expectation worked out by hand."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from tests.doubles.account import NOW, FrameReader, Roles, WallClock, account, person
from tools.context import ToolContext
from tools.errors import BadArgument, NoPermission, NotAllowed, UnknownName
from tools.result import Fact, ToolResult
from tools.usage.tool import QUERY_USAGE, UsageArgs, UsageData, UsageFilters, query_usage
from tools.windows.parse import describe

HOUR_OF_ALL = 3.75 + 4 * 0.05 + 0.1 + 0.2  # compute, cloud services of four, the pseudo row, the pipe


def ask(reader: FrameReader, role: str = "analyst", **args: Any) -> ToolResult[UsageData]:
    return query_usage(context(reader, role), UsageArgs(**args))


def context(reader: FrameReader, role: str = "analyst") -> ToolContext:
    return ToolContext(
        reader=reader,
        plans=None,  # type: ignore[arg-type]  # this tool stores no plan
        policy=Roles(),
        clock=WallClock(),
        person=person(role),
        thread="t",
        new_id=lambda: "id",
    )


def data(result: ToolResult[UsageData]) -> UsageData:
    assert result.data is not None
    return result.data


def fact(result: ToolResult[UsageData], role: str) -> Fact:
    return next(f for f in result.facts if f.id == data(result).figures[role])


def rows(result: ToolResult[UsageData]) -> dict[str | None, float | None]:
    return {row.key: row.value for row in data(result).rows}


@pytest.fixture(scope="module")
def reader() -> FrameReader:
    return account()


def test_an_account_total_counts_every_service_and_says_what_is_billed(reader: FrameReader) -> None:
    result = ask(reader, window="yesterday")
    assert result.status == "ok"
    assert result.complete
    assert math.isclose(data(result).total or 0, 24 * HOUR_OF_ALL)
    assert math.isclose(float(fact(result, "warehouses").value or 0), 24 * (HOUR_OF_ALL - 0.2))
    billed, used = fact(result, "billed"), fact(result, "used_utc")
    assert math.isclose(float(billed.value or 0), 24 * (HOUR_OF_ALL - 0.3))  # cloud services are under 10 %
    assert math.isclose(float(used.value or 0), 24 * HOUR_OF_ALL)
    assert billed.window is not None
    assert billed.window.tz == "UTC"
    assert {s.view for s in result.sources} == {"METERING_HISTORY", "METERING_DAILY_HISTORY"}
    assert len(result.query_ids) == 2


def test_cost_is_credits_times_the_price_of_the_account(reader: FrameReader) -> None:
    result = ask(reader, metric="cost", window="yesterday")
    assert math.isclose(data(result).total or 0, 3 * 24 * HOUR_OF_ALL)
    assert fact(result, "price").value == 3.0
    assert fact(result, "credits").unit == "credits"
    assert fact(result, "total").unit == "USD"


def test_by_warehouse_is_sorted_with_shares_and_leaves_the_pseudo_row_out(reader: FrameReader) -> None:
    result = ask(reader, by="warehouse", window="yesterday")
    assert list(rows(result)) == ["ETL_WH", "BI_WH", "FINANCE_WH", "FLEX_WH"]
    assert math.isclose(rows(result)["ETL_WH"] or 0, 24 * 2.05)
    assert math.isclose(sum(row.share or 0 for row in data(result).rows), 100.0)
    entities = {f.entity: f.value for f in result.facts if f.unit == "credits" and f.entity}
    assert math.isclose(float(entities["BI_WH"] or 0), 24 * 1.05)


def test_top_says_what_the_rest_has(reader: FrameReader) -> None:
    result = ask(reader, by="warehouse", window="yesterday", top=1)
    assert list(rows(result)) == ["ETL_WH"]
    assert math.isclose(data(result).rest or 0, 24 * (1.05 + 0.55 + 0.30))
    assert data(result).groups == 4


def test_the_least_used_counts_warehouses_without_usage_as_zero(reader: FrameReader) -> None:
    result = ask(reader, by="warehouse", window="yesterday", ascending=True, top=2)
    assert rows(result) == {"BI_DEV_WH": 0.0, "data science": 0.0}


@pytest.mark.parametrize("name", ["ETL_WH", "etl_wh", "etl wh", "ETL-WH"])
def test_names_are_found_as_people_write_them(reader: FrameReader, name: str) -> None:
    result = ask(reader, filters={"warehouse": [name]}, window="yesterday")
    assert data(result).filters == {"warehouse": ["ETL_WH"]}
    assert math.isclose(data(result).total or 0, 24 * 2.05)
    assert fact(result, "total").entity == "ETL_WH"


def test_a_typo_is_an_unknown_name_with_the_nearest(reader: FrameReader) -> None:
    with pytest.raises(UnknownName) as caught:
        ask(reader, filters={"warehouse": ["ETL_HW"]})
    assert "ETL_WH" in caught.value.nearest


def test_a_hidden_warehouse_has_usage(reader: FrameReader) -> None:
    assert math.isclose(data(ask(reader, filters={"warehouse": ["finance_wh"]}, window="yesterday")).total or 0, 13.2)


def test_a_shown_warehouse_without_rows_is_a_true_zero(reader: FrameReader) -> None:
    result = ask(reader, filters={"warehouse": ["BI_DEV_WH"]}, window="yesterday")
    assert result.status == "ok"
    assert data(result).total == 0.0
    assert rows(ask(reader, by="warehouse", filters={"warehouse": ["BI_DEV_WH"]})) == {"BI_DEV_WH": 0.0}


# --- coverage -------------------------------------------------------------------------------------------------


def test_a_window_that_is_not_loaded_is_not_zero(reader: FrameReader) -> None:
    night = account(now=datetime(2026, 11, 23, 1, 30, tzinfo=UTC))
    result = ask(night, window="today")
    assert result.status == "not_loaded"
    assert data(result).total is None
    assert "2026-11-22 22:30" in result.message


def test_a_window_before_the_first_row_is_no_data(reader: FrameReader) -> None:
    result = ask(reader, window="in January 2026")
    assert result.status == "no_data"
    assert "2026-10-14" in result.message


def test_an_empty_view_is_no_data(reader: FrameReader) -> None:
    empty = account()
    empty.frames["queries"] = empty.frames["queries"].iloc[:0]
    result = ask(empty, metric="queries")
    assert result.status == "no_data"
    assert "no rows at all" in result.message


def test_a_running_window_answers_up_to_what_is_loaded(reader: FrameReader) -> None:
    result = ask(reader, window="today")
    assert result.status == "ok"
    assert not result.complete
    assert math.isclose(data(result).total or 0, 15 * HOUR_OF_ALL)
    assert result.window is not None
    assert describe(result.window) == "2026-11-23 00:00 to 15:00"
    assert any("2026-11-23 15:00" in note for note in data(result).notes)


def test_a_running_window_is_compared_with_the_same_part_of_the_one_before(reader: FrameReader) -> None:
    result = ask(reader, window="today", compare=True)
    assert math.isclose(data(result).previous or 0, 15 * HOUR_OF_ALL)
    assert data(result).change == pytest.approx(0.0)
    before = data(result).previous_window
    assert before is not None
    assert describe(before) == "2026-11-22 00:00 to 15:00"


def test_a_window_before_the_first_row_is_not_compared(reader: FrameReader) -> None:
    result = ask(reader, window="last 30 days", compare=True)
    assert data(result).previous is None
    assert "previous" not in data(result).figures
    assert any("not kept whole" in note for note in data(result).notes)


def test_past_hours_end_at_the_last_loaded_hour(reader: FrameReader) -> None:
    result = ask(reader, window="past 6 hours")
    assert result.complete
    assert math.isclose(data(result).total or 0, 6 * HOUR_OF_ALL)
    assert result.window is not None
    assert describe(result.window) == "2026-11-23 09:00 to 15:00"


def test_no_permission_passes_through_with_the_grant(reader: FrameReader) -> None:
    with pytest.raises(NoPermission) as caught:
        ask(account(forbidden=frozenset({"queries"})), metric="queries")
    assert "GRANT" in (caught.value.hint or "")


def test_without_the_daily_view_the_total_still_answers(reader: FrameReader) -> None:
    result = ask(account(forbidden=frozenset({"billed"})), window="yesterday")
    assert result.status == "ok"
    assert "billed" not in data(result).figures
    assert any("billed" in note for note in data(result).notes)


def test_without_the_services_view_the_total_is_of_warehouses_and_says_so() -> None:
    empty = account()
    empty.frames["services"] = empty.frames["services"].iloc[:0]
    result = ask(empty, window="yesterday")
    assert math.isclose(data(result).total or 0, 24 * (HOUR_OF_ALL - 0.2))
    assert any("METERING_HISTORY is empty" in note for note in data(result).notes)


# --- by time, in the account's zone ----------------------------------------------------------------------------


def test_days_are_the_accounts_days_also_over_a_clock_change() -> None:
    reader = account("America/Los_Angeles")
    result = ask(reader, by="day", window="2026-10-31 to 2026-11-02", filters={"warehouse": ["ETL_WH"]})
    expected = {"2026-10-31": 24 * 2.05, "2026-11-01": 25 * 2.05, "2026-11-02": 24 * 2.05}
    assert rows(result) == pytest.approx(expected)


def test_an_hour_row_belongs_to_the_local_day_in_which_it_starts() -> None:
    reader = account("Asia/Kolkata")
    result = ask(reader, by="day", window="2026-11-10 to 2026-11-11", filters={"warehouse": ["ETL_WH"]})
    assert rows(result) == pytest.approx({"2026-11-10": 24 * 2.05, "2026-11-11": 24 * 2.05})
    assert {q.slot_minutes for q in reader.asked} == {15}


def test_a_bucket_without_rows_is_a_true_zero() -> None:
    reader = account()
    frame = reader.frames["metering"]
    gap = (frame["start"] >= datetime(2026, 11, 20, tzinfo=UTC)) & (frame["start"] < datetime(2026, 11, 21, tzinfo=UTC))
    reader.frames["metering"] = frame[~gap]
    result = ask(reader, by="day", window="Nov 19 to Nov 21", filters={"warehouse": ["ETL_WH"]})
    assert rows(result) == pytest.approx({"2026-11-19": 49.2, "2026-11-20": 0.0, "2026-11-21": 49.2})


@pytest.mark.parametrize(("by", "count"), [("hour", 168), ("day", 7), ("week", 1), ("month", 1)])
def test_buckets_add_up_to_the_total(reader: FrameReader, by: str, count: int) -> None:
    result = ask(reader, by=by, window="last week")
    values = [row.value or 0 for row in data(result).rows]
    assert len(values) == count
    assert math.isclose(sum(values), 168 * HOUR_OF_ALL)


def test_cut_buckets_are_said(reader: FrameReader) -> None:
    assert any("first week is cut" in n for n in data(ask(reader, by="week", window="last 12 days")).notes)


def test_too_many_buckets_are_refused(reader: FrameReader) -> None:
    with pytest.raises(BadArgument, match="hours"):
        ask(reader, by="hour", window="last 35 days")


# --- billed ------------------------------------------------------------------------------------------------------


def test_billed_is_by_utc_day_whatever_the_zone() -> None:
    reader = account("America/Los_Angeles")
    result = ask(reader, metric="credits_billed", by="day", window="Nov 20 to Nov 21")
    assert rows(result) == pytest.approx(
        {"2026-11-20": 24 * (HOUR_OF_ALL - 0.3), "2026-11-21": 24 * (HOUR_OF_ALL - 0.3)}
    )
    assert "UTC" in data(result).convention


def test_the_running_utc_day_is_not_billed_yet(reader: FrameReader) -> None:
    result = ask(reader, metric="credits_billed", window="this week")
    assert result.status == "not_loaded"
    month = ask(reader, metric="credits_billed", window="this month")
    assert month.status == "ok"
    assert not month.complete
    assert math.isclose(data(month).total or 0, 22 * 24 * (HOUR_OF_ALL - 0.3))


@pytest.mark.parametrize(
    "args", [{"by": "warehouse"}, {"by": "hour"}, {"filters": {"warehouse": ["ETL_WH"]}}, {"by": "user"}]
)
def test_what_is_not_billed_is_refused_with_what_is_possible(reader: FrameReader, args: dict[str, Any]) -> None:
    with pytest.raises(BadArgument) as caught:
        ask(reader, metric="credits_billed", **args)
    assert "service_type" in (caught.value.hint or "")


def test_billed_needs_whole_days(reader: FrameReader) -> None:
    with pytest.raises(BadArgument, match="whole days"):
        ask(reader, metric="credits_billed", window="past 24 hours")


# --- queries and attribution -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("metric", "value"),
    [
        ("queries", 96.0),
        ("failures", 24.0),
        ("failure_rate", 25.0),
        ("bytes_scanned", 24 * 4e9),
        ("bytes_spilled", 24 * 9e6),
        ("queue_seconds", 24 * 12.0),
        ("average_seconds", 40.0),
        ("execution_seconds", 24 * 120.0),
    ],
)
def test_query_metrics(reader: FrameReader, metric: str, value: float) -> None:
    assert data(ask(reader, metric=metric, window="yesterday")).total == pytest.approx(value)


def test_a_rate_of_nothing_is_not_known_and_never_zero(reader: FrameReader) -> None:
    result = ask(reader, metric="failure_rate", filters={"warehouse": ["BI_DEV_WH"]}, window="yesterday")
    assert result.status == "ok"
    assert data(result).total is None


def test_rows_without_a_name_are_kept_apart(reader: FrameReader) -> None:
    result = ask(reader, metric="queries", by="query_tag", window="yesterday")
    assert rows(result) == {None: 72.0, "nightly": 24.0}
    only = ask(reader, metric="queries", filters={"query_tag": ["(none)"]}, window="yesterday")
    assert data(only).total == 72.0


def test_cost_by_user_is_what_is_attributed_and_says_so(reader: FrameReader) -> None:
    result = ask(reader, metric="cost", by="user", window="yesterday")
    assert rows(result) == pytest.approx({"ALICE": 24 * 1.8, "BOB": 24 * 1.2, "SVC_LOADER": 24 * 0.6})
    assert "idle" in data(result).convention


def test_idle_may_be_spread_over_users(reader: FrameReader) -> None:
    result = ask(reader, by="user", window="yesterday", include_idle=True)
    assert rows(result) == pytest.approx(
        {"ALICE": 24 * 1.5, "BOB": 24 * 1.0, "(no queries)": 24 * 0.75, "SVC_LOADER": 24 * 0.5}
    )


def test_idle_leaves_out_adaptive_warehouses_and_names_them(reader: FrameReader) -> None:
    result = ask(reader, metric="credits_idle", window="yesterday")
    assert data(result).total == pytest.approx(24 * 0.6 * 3.5)
    assert any("FLEX_WH" in note for note in data(result).notes)
    share = ask(reader, metric="idle_share", by="warehouse", window="yesterday")
    assert rows(share)["BI_WH"] == pytest.approx(60.0)
    by_day = ask(reader, metric="credits_idle", by="day", window="last 2 days")
    assert [row.value for row in data(by_day).rows] == pytest.approx([24 * 2.1, 24 * 2.1])


def test_idle_is_never_taken_from_hours_whose_attribution_may_be_late(reader: FrameReader) -> None:
    result = ask(reader, metric="credits_idle", window="today")
    assert result.window is not None
    assert describe(result.window) == "2026-11-23 00:00 to 12:00"


def test_one_name_of_two_warehouses_is_said() -> None:
    reader = account()
    frame = reader.frames["metering"]
    late = (frame["warehouse"] == "BI_WH") & (frame["start"] >= NOW - timedelta(days=3))
    reader.frames["metering"] = frame.assign(warehouse_id=frame["warehouse_id"].where(~late, 99))
    for args in ({"by": "warehouse"}, {"filters": {"warehouse": ["BI_WH"]}}):
        assert any("more than one warehouse" in n for n in data(ask(reader, window="last 7 days", **args)).notes)


# --- roles and arguments ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("args", [{"by": "user"}, {"filters": {"user": ["ALICE"]}}, {"filters": {"user": ["NOBODY"]}}])
def test_figures_by_user_are_for_analysts(reader: FrameReader, args: dict[str, Any]) -> None:
    with pytest.raises(NotAllowed) as caught:
        ask(reader, role="viewer", metric="queries", **args)
    assert "ALICE" not in str(caught.value)


@pytest.mark.parametrize(
    "args",
    [
        {"metric": "secrets"},
        {"by": "password"},
        {"top": 0},
        {"top": 101},
        {"window": "x" * 201},
        {"filters": {"sql": ["1"]}},
        {"approved": True},
        {"filters": {"warehouse": ["x" * 300]}},
    ],
)
def test_arguments_beyond_the_schema_are_refused(args: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        UsageArgs(**args)


@pytest.mark.parametrize("name", ["'; DROP TABLE x; --", "ETL_WH\x00", "☃", "a" * 256, "%", "_"])
def test_hostile_names_are_unknown_names(reader: FrameReader, name: str) -> None:
    with pytest.raises(UnknownName):
        ask(reader, filters={"warehouse": [name]})


def test_every_figure_has_a_source_a_time_and_a_stable_id(reader: FrameReader) -> None:
    result = ask(reader, by="warehouse", window="last 7 days", compare=True)
    assert [f.id for f in result.facts] == [f"f{i}" for i in range(1, len(result.facts) + 1)]
    assert all(f.source and f.as_of == NOW for f in result.facts)
    assert all(f.window for f in result.facts if f.unit == "credits")
    assert result == ask(reader, by="warehouse", window="last 7 days", compare=True).model_copy(
        update={"query_ids": result.query_ids}
    )


def test_a_call_says_in_words_what_it_asks() -> None:
    args = UsageArgs(metric="queries", by="user", filters=UsageFilters(warehouse=["ETL_WH"]), window="yesterday")
    assert QUERY_USAGE.one_line(args) == "queries by user, warehouse ETL_WH, yesterday"


def test_a_word_of_json_tags_counts_every_tag_that_contains_it() -> None:
    tagged = account()
    old = str(tagged.frames["queries"]["query_tag"].dropna().iloc[0])
    for frame in (tagged.frames["queries"], tagged.frames["attribution"]):
        frame["query_tag"] = frame["query_tag"].replace({old: '{"app": "Dbt", "run": "1"}'})
    result = ask(tagged, metric="queries", window="yesterday", filters=UsageFilters(query_tag=["dbt"]))
    plain = ask(account(), metric="queries", window="yesterday", filters=UsageFilters(query_tag=[old]))
    assert data(result).total == data(plain).total
    assert "1 tag that contains" in data(result).notes[0]
    with pytest.raises(UnknownName):
        ask(tagged, metric="queries", window="yesterday", filters=UsageFilters(query_tag=["airflow"]))


def test_months_without_a_window_reach_back_and_nothing_stands_before_the_first_row(reader: FrameReader) -> None:
    result = ask(reader, metric="cost_idle", by="month")
    assert data(result).label == "the last 3 months"
    assert data(result).total is not None
    assert [row.key for row in data(result).rows] == ["2026-10"]
    assert any("% of the window is covered" in note for note in data(result).notes)


def test_a_missing_attribution_that_reads_as_nan_is_not_known_and_never_idle(reader: FrameReader) -> None:
    result = ask(reader, metric="credits_idle", by="month", window="last 10 days")
    assert data(result).total == pytest.approx(sum(row.value or 0 for row in data(result).rows))
