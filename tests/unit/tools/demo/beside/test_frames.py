"""All views beside the queries: their columns, the same rows however time is cut, and sums that agree."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from tests.unit.tools.demo.beside.made import FIRST, window
from tools.demo.generate.beside import SNAPSHOTS, frames, service_credits
from tools.warehouse.views import ALL_VIEWS, FURTHER_VIEWS

DAYS = 40
SEEDS = (7, 8)
OTHERS = {"ANOMALIES_DAILY", "QUERY_METERING_HISTORY"}
"""They need the warehouses' credits, which are not made here."""


@cache
def whole(seed: int = 7) -> dict[str, pa.Table]:
    return frames(window(0, DAYS, seed=seed))


@cache
def credits(seed: int = 7) -> pd.DataFrame:
    return service_credits(window(0, DAYS, seed=seed))


def marks(table: pa.Table) -> list[int]:
    """One number for each row, sorted."""
    return sorted(pd.util.hash_pandas_object(table.to_pandas(), index=False).tolist())


def total(table: pa.Table, column: str) -> Any:
    return pc.sum(table.column(column)).as_py()


# --- formats -----------------------------------------------------------------------------------------------------


def test_every_further_view_is_written_and_no_other() -> None:
    assert set(whole()) == set(FURTHER_VIEWS) - OTHERS
    assert not [name for name, table in whole().items() if not table.num_rows]


@pytest.mark.parametrize("name", sorted(set(FURTHER_VIEWS) - OTHERS))
def test_a_view_has_its_columns_in_order_and_rows_that_end_in_the_window(name: str) -> None:
    table, view = whole()[name], ALL_VIEWS[name]
    assert table.column_names == list(view.columns)
    wanted = {"N": pa.int64(), "F": pa.float64(), "TS": pa.timestamp("us", tz="UTC"), "D": pa.date32(), "B": pa.bool_()}
    assert [field.type for field in table.schema] == [wanted.get(kind, pa.string()) for kind in view.columns.values()]
    if not view.end:
        return
    assert table.column(view.end).null_count == 0
    first, last = (pd.Timestamp(m.as_py(), tz="UTC") if view.columns[view.end] == "D" else m.as_py()
                   for m in pc.min_max(table.column(view.end)).values())  # fmt: skip
    # Rows of statements go by when the statement ended, a little after the time that the view shows.
    assert first >= FIRST - timedelta(hours=1)
    assert last <= FIRST + timedelta(days=DAYS)


def test_credits_are_text_in_the_views_that_document_text_and_add_up_when_cast() -> None:
    for name, service in (
        ("SERVERLESS_TASK_HISTORY", "SERVERLESS_TASK"),
        ("MATERIALIZED_VIEW_REFRESH_HISTORY", "MATERIALIZED_VIEW"),
    ):
        used = whole()[name].column("CREDITS_USED")
        assert used.type == pa.string()
        of_service = credits()[credits()["service_type"] == service]
        expected = (of_service["credits_compute"] + of_service["credits_cloud_services"]).sum()
        assert pc.sum(used.cast(pa.float64())).as_py() == pytest.approx(expected, abs=1e-6)


# --- however time is cut -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("cut", [33.0, 21.73])
def test_two_windows_hold_the_rows_of_one(cut: float) -> None:
    parts = [frames(window(0, cut)), frames(window(cut, DAYS))]
    for name, table in whole().items():
        if name in SNAPSHOTS:
            continue
        joined = pa.concat_tables([part[name] for part in parts])
        assert marks(joined) == marks(table), name


def test_two_windows_hold_the_credits_of_one() -> None:
    parts = pd.concat([service_credits(window(0, 33.5)), service_credits(window(33.5, DAYS))], ignore_index=True)
    pd.testing.assert_frame_equal(parts, credits())


def test_a_snapshot_is_that_of_the_windows_end() -> None:
    late = frames(window(39, DAYS))
    for name in SNAPSHOTS - {"RESOURCE_MONITORS"}:
        assert marks(late[name]) == marks(whole()[name]), name
    # The server keeps the monitors from the account's first hour on.
    assert "RESOURCE_MONITORS" in whole()
    assert "RESOURCE_MONITORS" not in late


def test_the_seed_alone_decides() -> None:
    again, other = frames(window(0, DAYS)), whole(8)
    for name, table in whole().items():
        assert table.equals(again[name]), name
    same = {name for name, table in whole().items() if table.equals(other[name])}
    of_nobodys_chance = {"GRANTS_TO_ROLES", "GRANTS_TO_USERS", "ROLES", "TAG_REFERENCES", "RESOURCE_MONITORS"}
    of_nobodys_chance |= {"TRUST_CENTER_FINDINGS"}
    assert same <= of_nobodys_chance | {"ACCESS_HISTORY", "TABLE_PRUNING_HISTORY", "LOCK_WAIT_HISTORY"}


def test_an_empty_window_has_no_rows() -> None:
    found = frames(window(3, 3))
    assert not [name for name, table in found.items() if table.num_rows and name not in SNAPSHOTS]
    assert service_credits(window(3, 3)).empty


def test_the_day_of_a_clock_change_has_all_its_hours() -> None:
    first = datetime(2026, 10, 30, tzinfo=UTC)
    found = service_credits(window(0, 4, first=first))
    always = found[found["name"] == "EXPIRE_TOKENS"]["hour"]
    assert len(always) == 96
    assert (always.diff().dropna() == pd.Timedelta(hours=1)).all()


# --- identities (reference 2.8) -----------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("view", "service", "column"),
    [
        ("AUTOMATIC_CLUSTERING_HISTORY", "AUTO_CLUSTERING", "CREDITS_USED"),
        ("SEARCH_OPTIMIZATION_HISTORY", "SEARCH_OPTIMIZATION", "CREDITS_USED"),
        ("PIPE_USAGE_HISTORY", "PIPE", "CREDITS_USED"),
        ("DATABASE_REPLICATION_USAGE_HISTORY", "REPLICATION", "CREDITS_USED"),
        ("QUERY_ACCELERATION_HISTORY", "QUERY_ACCELERATION", "CREDITS_USED"),
    ],
)
def test_a_services_view_shows_its_metered_credits_hour_by_hour(
    view: str, service: str, column: str, seed: int
) -> None:
    shown = whole(seed)[view].to_pandas().groupby("START_TIME")[column].sum()
    metered = credits(seed)[credits(seed)["service_type"] == service]
    used = (metered["credits_compute"] + metered["credits_cloud_services"]).groupby(metered["hour"]).sum()
    assert len(shown) == len(used) > 0
    np.testing.assert_allclose(shown.to_numpy(), used.to_numpy(), atol=1e-9)


@pytest.mark.parametrize("seed", SEEDS)
def test_ai_services_are_functions_analyst_and_search(seed: int) -> None:
    metered = credits(seed)[credits(seed)["service_type"] == "AI_SERVICES"]["credits_compute"].sum()
    views = ("CORTEX_AI_FUNCTIONS_USAGE_HISTORY", "CORTEX_ANALYST_USAGE_HISTORY", "CORTEX_SEARCH_DAILY_USAGE_HISTORY")
    assert sum(total(whole(seed)[name], "CREDITS") for name in views) == pytest.approx(metered, abs=1e-5)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_accounts_storage_is_the_sum_of_its_databases_every_day(seed: int) -> None:
    account = whole(seed)["STORAGE_USAGE"].to_pandas().set_index("USAGE_DATE")
    databases = whole(seed)["DATABASE_STORAGE_USAGE_HISTORY"].to_pandas().groupby("USAGE_DATE")
    for of_account, of_database in (
        ("STORAGE_BYTES", "AVERAGE_DATABASE_BYTES"),
        ("FAILSAFE_BYTES", "AVERAGE_FAILSAFE_BYTES"),
    ):
        assert (account[of_account] == databases[of_database].sum()).all()
    stages = whole(seed)["STAGE_STORAGE_USAGE_HISTORY"].to_pandas().set_index("USAGE_DATE")
    assert (account["STAGE_BYTES"] == stages["AVERAGE_STAGE_BYTES"]).all()
    terabytes = account["STORAGE_BYTES"] / 1e12
    assert 25 < terabytes.min() < terabytes.max() < 90


@pytest.mark.parametrize("seed", SEEDS)
def test_tables_add_up_to_their_database_on_the_last_day(seed: int) -> None:
    tables = whole(seed)["TABLE_STORAGE_METRICS"].to_pandas().groupby("TABLE_CATALOG")
    live = tables[["ACTIVE_BYTES", "TIME_TRAVEL_BYTES", "RETAINED_FOR_CLONE_BYTES"]].sum().sum(axis=1)
    last = whole(seed)["DATABASE_STORAGE_USAGE_HISTORY"].to_pandas()
    last = last[last["USAGE_DATE"] == last["USAGE_DATE"].max()].set_index("DATABASE_NAME")
    np.testing.assert_allclose(live.sort_index(), last["AVERAGE_DATABASE_BYTES"].sort_index(), rtol=1e-6)
    np.testing.assert_allclose(
        tables["FAILSAFE_BYTES"].sum().sort_index(), last["AVERAGE_FAILSAFE_BYTES"].sort_index(), rtol=1e-6
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_services_take_a_small_share_of_each_day(seed: int) -> None:
    daily = (
        (credits(seed)["credits_compute"] + credits(seed)["credits_cloud_services"])
        .groupby(credits(seed)["hour"].dt.date)
        .sum()
    )
    assert 12 < daily.median() < 40
