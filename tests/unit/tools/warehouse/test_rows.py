"""Every spelling an account may answer with becomes one plain value."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.domain import Size
from tools.warehouse.rows import frame_of, utc, warehouse_of

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC).replace(tzinfo=None)


def column(values: list[Any], kind: pa.DataType) -> pd.Series:
    return frame_of(pa.table({"X": pa.array(values, type=kind)}))["x"]


@pytest.mark.parametrize("kind", [pa.int8(), pa.int64(), pa.decimal128(38, 0)])
def test_whole_numbers_are_int_whatever_they_came_as(kind: pa.DataType) -> None:
    assert column([1, 2], kind).dtype == "int64"
    missing = column([1, None], kind)
    assert missing.tolist() == [1, None]
    assert type(missing[0]) is int


def test_scaled_numbers_are_float() -> None:
    found = column([Decimal("1.250000000"), None], pa.decimal128(38, 9))
    assert found.dtype == "float64"
    assert found[0] == 1.25
    assert pd.isna(found[1])


def test_times_are_utc_and_missing_ones_stay_missing() -> None:
    for kind in (pa.timestamp("ns", "America/Los_Angeles"), pa.timestamp("us", "UTC"), pa.timestamp("us")):
        found = column([NOON, None], kind)
        assert str(found.dtype) == "datetime64[us, UTC]"
        assert pd.isna(found[1])


def test_text_keeps_none_and_empty_apart() -> None:
    assert column(["", None, "x"], pa.string()).tolist() == ["", None, "x"]


def test_dates_and_booleans() -> None:
    assert column([date(2026, 11, 1)], pa.date32())[0] == date(2026, 11, 1)
    assert column([True, None], pa.bool_()).tolist() == [True, None]


def test_an_empty_result_keeps_its_columns_and_types() -> None:
    found = frame_of(pa.table({"K": pa.array([], pa.string()), "N": pa.array([], pa.int64())}))
    assert list(found.columns) == ["k", "n"]
    assert found["n"].dtype == "int64"


def test_utc_of_times_with_and_without_a_zone() -> None:
    pacific = datetime(2026, 11, 1, 4, tzinfo=ZoneInfo("America/Los_Angeles"))
    assert utc(pacific) == datetime(2026, 11, 1, 12, tzinfo=UTC)
    assert utc(NOON) == NOON.replace(tzinfo=UTC)
    assert utc(pd.Timestamp("2026-11-01T00:00:00Z")) == datetime(2026, 11, 1, tzinfo=UTC)
    assert utc(None) is None
    assert utc("x") is None


STANDARD_EDITION = {
    # The columns a Standard account prints (reference 1.4): no clusters, strings for booleans and nothing.
    "name": "etl wh",
    "state": "STARTED",
    "type": "STANDARD",
    "size": "2X-Large",
    "running": "2",
    "queued": 0,
    "is_default": "N",
    "auto_suspend": "0",
    "auto_resume": "true",
    "available": " 100",
    "provisioning": "",
    "created_on": datetime(2026, 1, 1, tzinfo=UTC),
    "resumed_on": datetime(1970, 1, 1, tzinfo=UTC),
    "owner": "",
    "comment": "null",
    "resource_monitor": "null",
    "warehouse_credit_limit": None,
}


def test_a_standard_edition_row() -> None:
    found = warehouse_of(STANDARD_EDITION)
    assert (found.name, found.size, found.running, found.queued) == ("etl wh", Size.XXLARGE, 2, 0)
    assert found.auto_suspend is None
    assert found.auto_resume is True
    assert (found.min_clusters, found.max_clusters, found.scaling_policy) == (None, None, None)
    assert (found.owner, found.comment, found.resource_monitor, found.resumed_on) == (None, None, None, None)
    assert found.is_interactive is False


@pytest.mark.parametrize(
    ("column_name", "value", "field", "expected"),
    [
        ("auto_suspend", None, "auto_suspend", None),
        ("auto_suspend", 600, "auto_suspend", 600),
        ("auto_suspend", " 60 ", "auto_suspend", 60),
        ("auto_suspend", "abc", "auto_suspend", None),
        ("size", "ADAPTIVE", "size", None),
        ("size", None, "size", None),
        ("type", "snowpark-optimized", "type", "SNOWPARK-OPTIMIZED"),
        ("auto_resume", False, "auto_resume", False),
        ("is_interactive", "Y", "is_interactive", True),
        ("scaling_policy", "Economy", "scaling_policy", "ECONOMY"),
        ("max_cluster_count", Decimal(3), "max_clusters", 3),
    ],
)
def test_odd_cells(column_name: str, value: object, field: str, expected: object) -> None:
    assert getattr(warehouse_of(STANDARD_EDITION | {column_name: value}), field) == expected


def test_column_names_in_capitals_are_the_same_columns() -> None:
    assert warehouse_of({k.upper(): v for k, v in STANDARD_EDITION.items()}) == warehouse_of(STANDARD_EDITION)


# --- SHOW WAREHOUSES of other editions (reference 1.4) ------------------------------------------------------------

NOTHING = (None, "", "null", "NULL")
STARTED = datetime(2026, 3, 1, tzinfo=UTC)
WHOLE = ("0", 0, 1, "3", Decimal(2), 4.0, " 5 ", *NOTHING)
FLAGS = (True, False, "true", "false", "TRUE", "Y", "N", *NOTHING)
TIMES = (STARTED, STARTED.replace(tzinfo=None), datetime(1970, 1, 1, tzinfo=UTC), None)
CELLS: dict[str, tuple[object, ...]] = {
    "state": ("STARTED", "SUSPENDED", "RESIZING", "RESUMING", "SUSPENDING", "ENABLED", "DISABLED"),
    "type": ("STANDARD", "SNOWPARK-OPTIMIZED", "ADAPTIVE", "standard"),
    "size": ("X-Small", "XSMALL", "2X-Large", "6X-Large", "Adaptive", "Gigantic", *NOTHING),
    **dict.fromkeys(("min_cluster_count", "max_cluster_count", "started_clusters", "running", "queued"), WHOLE),
    **dict.fromkeys(("auto_suspend", "max_query_performance_level", "query_throughput_multiplier"), WHOLE),
    **dict.fromkeys(("is_default", "is_current", "is_interactive", "auto_resume"), FLAGS),
    **dict.fromkeys(("enable_query_acceleration",), FLAGS),
    **dict.fromkeys(("available", "provisioning", "quiescing", "other"), ("", " 100", "0", None)),
    **dict.fromkeys(("created_on", "resumed_on", "updated_on"), TIMES),
    **dict.fromkeys(("owner", "comment", "resource_monitor", "budget"), ("A", 'it\'s "b"', "null", "", None)),
    **dict.fromkeys(("actives", "pendings", "failed", "suspended"), (0, "0", None)),
    "scaling_policy": ("STANDARD", "ECONOMY", "standard", *NOTHING),
    "generation": ("1", "2", 2, *NOTHING),
    "resource_constraint": ("STANDARD_GEN_2", "MEMORY_16X", *NOTHING),
    "owner_role_type": ("ROLE", "DATABASE_ROLE", None),
    "uuid": ("1234", None),
    "disabled_reasons": ("", "[]", None),
    "fallback_warehouse": ("OTHER", None),
    "warehouse_credit_limit": ("null", 100, "100.5", None),
    "target_statement_size": ("", "X-Small", None),
    "query_acceleration_max_scale_factor": (8, "8", None),
    "a_column_of_next_year": ("?", {"a": 1}, b"x", None),
}
FROM = {
    "min_clusters": "min_cluster_count",
    "max_clusters": "max_cluster_count",
}


@st.composite
def shown(draw: st.DrawFn) -> dict[str, object]:
    """Some of the columns, in any order and case, with what editions print in them."""
    names = draw(st.lists(st.sampled_from(sorted(CELLS)), unique=True))
    upper = draw(st.booleans())
    row: dict[str, object] = {name: draw(st.sampled_from(CELLS[name])) for name in names}
    items = draw(st.permutations([("name", draw(st.sampled_from(["ETL", 'odd "wh"', "null"]))), *row.items()]))
    return {name.upper() if upper else name: value for name, value in items}


@given(shown())
def test_any_editions_show_is_read_by_name(row: dict[str, object]) -> None:
    found = warehouse_of(row)
    cells = {name.lower(): value for name, value in row.items()}
    assert found.name == cells["name"]
    for field in type(found).model_fields:
        column = FROM.get(field, field)
        if column not in cells or column == "name":
            continue
        # What stands beside a column does not change how it is read.
        alone = warehouse_of({"name": cells["name"], column: cells[column]})
        assert getattr(alone, field) == getattr(found, field)
        if cells[column] in NOTHING and field not in ("running", "queued", "is_interactive", "state", "type"):
            assert getattr(found, field) is None
    absent = {f for f in type(found).model_fields if FROM.get(f, f) not in cells}
    plain = warehouse_of({"name": cells["name"]})
    assert all(getattr(found, field) == getattr(plain, field) for field in absent)


def test_an_adaptive_and_an_interactive_row() -> None:
    adaptive = warehouse_of(
        {"name": "A", "state": "ENABLED", "type": "ADAPTIVE", "size": "ADAPTIVE", "max_query_performance_level": "XL"}
    )
    assert (adaptive.state, adaptive.type, adaptive.size, adaptive.auto_suspend) == ("ENABLED", "ADAPTIVE", None, None)
    interactive = warehouse_of({"name": "I", "state": "STARTED", "is_interactive": "true", "fallback_warehouse": "B"})
    assert interactive.is_interactive is True
