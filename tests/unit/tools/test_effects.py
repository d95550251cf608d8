"""Expected effects: bounds that hold what really happens, and None where nothing is known."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tests.graph.fake_account import ACCOUNT_NOW, FakeAccount, FakeReader, warehouse
from tools.changes.effects import expected_effect, hourly_rate, usage_30d
from tools.domain import (
    CancelQuery,
    Change,
    ResizeWarehouse,
    ResumeWarehouse,
    SetAutoSuspend,
    SetClusters,
    Size,
    SuspendWarehouse,
)
from tools.errors import NoPermission


@pytest.fixture
def reader(tmp_path: Path) -> FakeReader:
    made = FakeReader(FakeAccount(tmp_path))
    made.metering["ETL"] = (1000.0, 700.0)
    return made


@pytest.mark.parametrize(
    ("change", "low", "high"),
    [
        (ResizeWarehouse(size=Size.SMALL), -500.0, -150.0),
        (ResizeWarehouse(size=Size.LARGE), 300.0, 1000.0),
        (SetAutoSuspend(seconds=60), -270.0, 0.0),
        (SetAutoSuspend(seconds=1200), 0.0, 300.0),
        (SetAutoSuspend(seconds=None), 0.0, 4 * 720 - 1000.0),
        (SetClusters(min_clusters=1, max_clusters=4), 0.0, 1000.0),
        (SetClusters(min_clusters=1, max_clusters=1), -500.0, 0.0),
        (SetClusters(min_clusters=2, max_clusters=2), 0.0, 1000.0),
        (SuspendWarehouse(), -4 / 6, 4 / 60),
        (ResumeWarehouse(), 4 / 60, 4 / 6),
    ],
)
def test_bounds(reader: FakeReader, change: Change, low: float, high: float) -> None:
    effect = expected_effect(reader, warehouse("ETL"), change)
    assert (effect.credits_30d_low, effect.credits_30d_high) == (pytest.approx(low), pytest.approx(high))
    assert effect.level == 100 and effect.method


def test_what_never_suspends_costs_until_somebody_suspends_it(reader: FakeReader) -> None:
    never = warehouse("ETL", auto_suspend=None)
    assert expected_effect(reader, never, SuspendWarehouse()).credits_30d_low == pytest.approx(-4 * 720)
    assert expected_effect(reader, never, SetAutoSuspend(seconds=60)).credits_30d_low == pytest.approx(-300)


@pytest.mark.parametrize(
    "change",
    [
        CancelQuery(query_id="01b2c3d4-0000-1111-0000-000012345678"),
        SetClusters(min_clusters=1, max_clusters=2, scaling_policy="ECONOMY"),
    ],
)
def test_what_cannot_be_bounded_is_not_zero(reader: FakeReader, change: Change) -> None:
    effect = expected_effect(reader, warehouse("ETL"), change)
    assert (effect.credits_30d_low, effect.credits_30d_high) == (None, None)


def test_unknown_metering_is_unknown_and_no_metering_is_zero(reader: FakeReader) -> None:
    resize = ResizeWarehouse(size=Size.SMALL)
    unused = expected_effect(reader, warehouse("NEW"), resize)
    assert (unused.credits_30d_low, unused.credits_30d_high) == (0.0, 0.0)
    reader.first = None
    assert expected_effect(reader, warehouse("ETL"), resize).credits_30d_low is None


def test_without_permission_the_plan_is_made_without_an_estimate(
    reader: FakeReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_query: object) -> None:
        raise NoPermission("no")

    monkeypatch.setattr(reader, "usage", refuse)
    assert usage_30d(reader, "ETL") is None
    assert "could not be read" in expected_effect(reader, warehouse("ETL"), SetAutoSuspend(seconds=60)).method


def test_idle_credits_need_the_attributed_ones(reader: FakeReader) -> None:
    reader.metering["ETL"] = (1000.0, float("nan"))
    assert expected_effect(reader, warehouse("ETL"), SetAutoSuspend(seconds=60)).credits_30d_low is None
    resized = expected_effect(reader, warehouse("ETL"), ResizeWarehouse(size=Size.SMALL))
    assert "1,000.0 compute credits" in resized.method
    assert (resized.credits_30d_low, resized.credits_30d_high) == (-500.0, 0.0)


def test_a_short_history_is_scaled_up_and_said_so(reader: FakeReader) -> None:
    reader.first = ACCOUNT_NOW - timedelta(days=10)
    used = usage_30d(reader, "ETL")
    assert used is not None and used.days < 10 and used.compute > 3000
    assert "scaled up" in expected_effect(reader, warehouse("ETL"), ResizeWarehouse(size=Size.SMALL)).method
    reader.first = ACCOUNT_NOW - timedelta(hours=5)
    assert usage_30d(reader, "ETL") is None


def test_rates_know_type_and_generation() -> None:
    assert hourly_rate(warehouse()) == 4
    assert hourly_rate(warehouse(generation="2")) == pytest.approx(5.4)
    assert hourly_rate(warehouse(type="SNOWPARK-OPTIMIZED")) == 6
    assert hourly_rate(warehouse(size=None)) is None
    assert hourly_rate(warehouse(type="SOMETHING NEW")) is None
