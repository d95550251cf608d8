"""`run_forecast` through its seam, on an account whose future can be worked out by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.doubles.account import NOW, WAREHOUSES, account
from tests.doubles.outlook import context, rhythmic
from tools.errors import BadArgument, NotAllowed, UnknownName
from tools.forecast.fit import accuracy_words
from tools.forecast.model import ForecastArgs, ForecastData
from tools.forecast.tool import RUN_FORECAST, run_forecast
from tools.result import ToolResult

ETL = {"warehouse": ["ETL_WH"]}
WEEKDAY, WEEKEND = 13 * 4.0 + 11 * 0.5 + 24 * 0.05, (13 * 4.0 + 11 * 0.5) * 0.25 + 24 * 0.05
"""Credits of ETL_WH a day on the rhythmic account, cloud services included."""


def forecast(reader: Any = None, role: str = "analyst", **args: Any) -> ToolResult[ForecastData]:
    where = context(reader if reader is not None else rhythmic(), role)
    return run_forecast(where, ForecastArgs.model_validate(args))


def values(result: ToolResult[ForecastData]) -> dict[str, float]:
    """Role -> value."""
    assert result.data is not None
    by_id = {fact.id: fact for fact in result.facts}
    return {role: by_id[fact].value for role, fact in result.data.figures.items()}  # type: ignore[misc]


def test_a_weekly_rhythm_is_carried_on() -> None:
    result = forecast(window="next 14 days", filters=ETL)
    found = values(result)
    assert result.status == "ok"
    assert found["total"] == pytest.approx(10 * WEEKDAY + 4 * WEEKEND, rel=0.05)
    assert found["low95"] <= found["low"] <= found["total"] <= found["high"] <= found["high95"]
    assert result.data is not None and result.data.row_kind == "day" and len(result.data.rows) == 14
    assert sum(row.value for row in result.data.rows) == pytest.approx(found["total"], rel=1e-6)


def test_every_figure_is_a_fact_with_source_window_and_freshness() -> None:
    result = forecast(window="next month", metric="cost", filters=ETL)
    assert result.data is not None
    ids = {fact.id for fact in result.facts}
    rows = {fact for row in result.data.rows for fact in row.figures.values()}
    assert rows | set(result.data.figures.values()) <= ids
    assert all(fact.source and fact.as_of == NOW for fact in result.facts)
    total = next(fact for fact in result.facts if fact.id == result.data.figures["total"])
    assert (total.unit, total.entity, total.window) == ("USD", "ETL_WH", result.window)
    assert values(result)["credits"] == pytest.approx(values(result)["total"] / 3.0)


def test_what_is_behind_us_of_a_running_month_is_measured() -> None:
    result = forecast(window="by the end of the month", filters=ETL)
    found = values(result)
    days = [datetime(2026, 11, day, tzinfo=UTC) for day in range(1, 23)]
    measured = sum(WEEKEND if day.weekday() >= 5 else WEEKDAY for day in days)
    assert found["actual"] == pytest.approx(measured)
    assert found["total"] == pytest.approx(found["actual"] + found["ahead"])
    assert found["from"] == "2026-11-23T00:00:00+00:00"  # today is not whole yet


def test_what_was_before_the_figures_is_not_known_and_no_zero() -> None:
    result = forecast(window="this year", filters=ETL)  # 60 days of it are there
    assert result.data is not None and result.data.row_kind == "month"
    assert min(row.value for row in result.data.rows) > 100
    assert [row.key for row in result.data.rows] == ["2026-09", "2026-10", "2026-11", "2026-12"]
    assert any("begins on 2026-09-" in note and "not in these figures" in note for note in result.data.notes)
    running = forecast(window="by the end of the month", filters=ETL)
    assert running.data is not None and not any("not in these figures" in note for note in running.data.notes)


def test_the_latest_hours_that_are_not_complete_are_left_out() -> None:
    found = values(forecast(window="next 6 hours", filters=ETL))
    assert found["from"] == "2026-11-23T15:00:00+00:00"  # 18:20 less three hours of latency


def test_long_histories_are_told_with_separators() -> None:
    result = forecast(window="next 6 hours", filters=ETL)
    assert result.data is not None
    assert any(note.startswith("Learned from 1,") for note in result.data.notes)


def test_names_add_up_and_their_total_has_an_interval_of_its_own() -> None:
    result = forecast(window="next 7 days", by="warehouse")
    assert result.data is not None
    found = values(result)
    assert {row.key for row in result.data.rows} == {"ETL_WH", "BI_WH", "FINANCE_WH", "FLEX_WH"}
    assert sum(row.value for row in result.data.rows) == pytest.approx(found["total"], rel=1e-6)
    apart = sum(row.high - row.low for row in result.data.rows)
    assert 0 <= found["high"] - found["low"] <= apart * 1.01
    assert result.data.rows[0].key == "ETL_WH"


def test_the_largest_are_shown_and_the_others_counted() -> None:
    result = forecast(window="next 7 days", by="warehouse", top=1)
    assert result.data is not None
    found = values(result)
    assert [row.key for row in result.data.rows] == ["ETL_WH"]
    assert found["rest"] + result.data.rows[0].value == pytest.approx(found["total"], rel=1e-6)
    assert found["groups"] == 4


def test_a_warehouse_never_uses_more_than_its_size_allows() -> None:
    """BI_WH is Small with three clusters: 2 * 3 credits an hour, and a tenth for cloud services."""
    reader = account(days=60)
    metering = reader.frames["metering"]
    steep = metering["warehouse"] == "BI_WH"
    age = (metering["start"] - metering["start"].min()).dt.total_seconds() / 3600
    reader.frames["metering"] = metering.assign(
        credits_used=metering["credits_used"].where(~steep, age * 6.0 / age.max())
    )
    result = forecast(reader, window="next month", filters={"warehouse": ["BI_WH"]})
    assert result.data is not None and result.data.chart is not None
    assert max(band for each in result.data.chart.bands for band in each.hi) <= 24 * 2 * 3 * 1.1 + 1e-6


def test_accuracy_is_said_as_one_minus_wape_and_denied_where_it_does_not_hold() -> None:
    result = forecast(window="next 14 days", filters=ETL)
    found = values(result)
    assert result.data is not None and result.data.accuracy == pytest.approx(100 - found["wape"])
    assert any("1 - WAPE" in note for note in result.data.notes)
    assert "naive" in found and 0 <= found["coverage80"] <= 100
    assert accuracy_words(85.0).startswith("85 % accurate holds")
    assert accuracy_words(84.9).startswith("This is not 85 % accurate")


def test_a_little_less_than_promised_is_not_rounded_up() -> None:
    assert "85.0" not in accuracy_words(84.97) and accuracy_words(84.97).startswith("This is not")
    assert "84.9 %" in accuracy_words(84.94)


def test_a_day_of_an_incident_is_left_out_of_what_is_learned_and_said() -> None:
    """72 credits on top of a Saturday, five days ago: not learned from, and in every figure of the past."""
    later = NOW + timedelta(days=3)
    result = forecast(rhythmic(incident=True, now=later), window="by the end of the month", filters=ETL)
    usual = forecast(rhythmic(now=later), window="by the end of the month", filters=ETL)
    assert result.data is not None and usual.data is not None
    note = "1 day with unusual use was left out of what was learned: 2026-11-21."
    assert note in result.data.notes and note not in usual.data.notes
    assert values(result)["actual"] == pytest.approx(values(usual)["actual"] + 72)
    assert values(result)["ahead"] == pytest.approx(values(usual)["ahead"], rel=0.16)
    by_name = forecast(rhythmic(incident=True, now=later), window="next 14 days", by="warehouse")
    assert by_name.data is not None
    assert any(n.endswith("was left out of what was learned, counted by name: `ETL_WH` 1.") for n in by_name.data.notes)


def test_what_is_gone_is_not_forecast_and_named() -> None:
    reader = rhythmic()
    metering = reader.frames["metering"]
    gone = (metering["warehouse"] == "FINANCE_WH") & (metering["start"] > NOW - timedelta(days=30))
    reader.frames["metering"] = metering[~gone]  # it is not among the warehouses shown either
    result = forecast(reader, window="next 7 days", by="warehouse")
    assert result.data is not None
    assert [item.name for item in result.data.refused] == ["FINANCE_WH"]
    assert "last use" in result.data.refused[0].why
    assert "FINANCE_WH" not in {row.key for row in result.data.rows}


def test_local_days_are_the_accounts() -> None:
    result = forecast(rhythmic(timezone="America/Los_Angeles"), window="tomorrow", filters=ETL)
    assert result.window is not None and result.data is not None
    assert result.window.start.isoformat() == "2026-11-24T00:00:00-08:00"
    assert result.data.chart is not None and result.data.chart.timezone == "America/Los_Angeles"


def test_the_chart_shows_history_forecast_and_both_bands() -> None:
    result = forecast(window="next 14 days", filters=ETL)
    assert result.data is not None and result.data.chart is not None
    chart = result.data.chart
    assert [band.level for band in chart.bands] == [95, 80]
    assert len(chart.forecast) == 15 and len(chart.history) >= 40  # today is forecast too: it is not whole
    assert chart.history[-1].time < chart.forecast[0].time
    assert "ETL_WH" in chart.title and "UTC" in chart.alt and "forecast" in chart.alt


@pytest.mark.parametrize(
    ("args", "error"),
    [
        ({"window": "yesterday"}, BadArgument),
        ({"window": "next 700 days"}, BadArgument),
        ({"metric": "credits_billed", "by": "warehouse"}, BadArgument),
        ({"metric": "credits_billed", "window": "next 5 hours"}, BadArgument),
        ({"filters": {"warehouse": ["NIGHTLY"]}}, UnknownName),
    ],
)
def test_what_cannot_be_answered_is_said(args: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        forecast(**args)


def test_figures_by_user_are_not_for_viewers() -> None:
    with pytest.raises(NotAllowed):
        forecast(role="viewer", by="user")


def test_nothing_loaded_is_no_forecast_of_nothing() -> None:
    reader = account(days=1)
    empty = {name: frame.iloc[:0] for name, frame in reader.frames.items()}
    reader.frames = empty
    result = forecast(reader, window="next month")
    assert result.status == "no_data"
    assert result.data is not None and "total" not in result.data.figures


def test_one_line_says_what_is_done() -> None:
    args = ForecastArgs.model_validate({"metric": "cost", "by": "warehouse", "filters": ETL, "window": "next month"})
    assert RUN_FORECAST.one_line(args) == "forecast of cost by warehouse, warehouse ETL_WH, next month"
    assert len(WAREHOUSES) == 5
