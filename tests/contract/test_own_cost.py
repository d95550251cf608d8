"""`own_cost` on an account whose every row is known: whose statements count, and what is said of the rest."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import pytest

from tests.doubles.account import Roles, WallClock, person
from tests.tiny_account import ACCOUNT, NOW, Tiny, tiny_account
from tools.context import ModelUse, ToolContext
from tools.demo.layout import RAW
from tools.own_cost.tool import OwnCostArgs, OwnCostData, _part, own_cost
from tools.result import ToolResult
from tools.warehouse.reader import SnowflakeReader

MORNING = datetime(2026, 10, 31, 9, tzinfo=UTC)
ROWS = (
    # id, tag, warehouse, from MORNING, cloud services, attributed compute (None: not in the view)
    ("r1", '{"app": "frostline", "component": "reader"}', "ETL", timedelta(0), 0.001, 0.02),
    ("r2", '{"app": "frostline", "component": "reader"}', "ETL", timedelta(hours=1), 0.002, 0.03),
    ("r3", '{"app": "frostline", "component": "reader"}', None, timedelta(hours=2), 0.004, None),
    ("w1", '{"app": "frostline", "component": "writer"}', None, timedelta(hours=3), 0.0005, None),
    ("o1", '{"app": "frostline", "component": "<@U1> \'x\'"}', "HIDDEN", timedelta(hours=3), 0.0, 0.01),
    ("o2", '{"app": "frostline"', None, timedelta(hours=4), 0.0, None),
    ("late", '{"app": "frostline", "component": "reader"}', "ETL", timedelta(hours=24), 0.1, None),
    ("not1", '{"app": "other", "note": "{\\"app\\": \\"frostline\\""}', "ETL", timedelta(0), 5.0, 5.0),
    ("not2", 'x{"app": "frostline"}', "ETL", timedelta(0), 5.0, 5.0),
    ("not3", "frostline", "ETL", timedelta(0), 5.0, 5.0),
)


def _own_rows(con: duckdb.DuckDBPyConnection) -> None:
    for number, tag, warehouse, after, cloud, compute in ROWS:
        start = MORNING + after
        con.execute(
            f"INSERT INTO {RAW}.QUERY_HISTORY (QUERY_ID, QUERY_TAG, WAREHOUSE_NAME, USER_NAME, QUERY_TYPE,"
            " EXECUTION_STATUS, START_TIME, END_TIME, CREDITS_USED_CLOUD_SERVICES)"
            " VALUES (?, ?, ?, 'FROSTLINE_READER', 'SELECT', 'SUCCESS', ?, ?, ?)",
            [number, tag, warehouse, start, start + timedelta(seconds=2), cloud],
        )
        if compute is not None:
            con.execute(
                f"INSERT INTO {RAW}.QUERY_ATTRIBUTION_HISTORY (QUERY_ID, WAREHOUSE_NAME, USER_NAME, QUERY_TAG,"
                " START_TIME, END_TIME, CREDITS_ATTRIBUTED_COMPUTE) VALUES (?, ?, 'FROSTLINE_READER', ?, ?, ?, ?)",
                [number, warehouse, tag, start, start + timedelta(seconds=2), compute],
            )


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tiny]:
    with tiny_account(tmp_path_factory.mktemp("own-account"), _own_rows) as made:
        yield made


@pytest.fixture(scope="module")
def reader(tiny: Tiny) -> Iterator[SnowflakeReader]:
    made = SnowflakeReader(tiny.reader_config, ACCOUNT.model_copy(update={"timezone": "UTC"}))
    yield made
    made.close()


def ask(reader: SnowflakeReader, window: str, use: ModelUse | None = None) -> ToolResult[OwnCostData]:
    context = ToolContext(
        reader=reader,
        plans=None,  # type: ignore[arg-type]  # this tool stores no plan
        policy=Roles(),
        clock=WallClock(),
        person=person("viewer"),
        thread=None,
        new_id=lambda: "id",
        model_use=lambda: use,
    )
    return own_cost(context, OwnCostArgs(window=window))


def value(result: ToolResult[OwnCostData], role: str) -> Any:
    assert result.data is not None
    return next(fact for fact in result.facts if fact.id == result.data.figures[role]).value


def test_what_carries_the_tag_counts_and_nothing_else(reader: SnowflakeReader) -> None:
    result = ask(reader, "yesterday")
    assert (result.status, result.complete) == ("ok", True)
    assert value(result, "statements") == 6
    assert value(result, "credits_cloud_services") == pytest.approx(0.0075)
    assert value(result, "credits_compute") == pytest.approx(0.06)
    assert value(result, "credits") == pytest.approx(0.0675)
    assert value(result, "usd") == pytest.approx(0.2025)
    assert [s.view for s in result.sources] == [
        "QUERY_HISTORY",
        "QUERY_ATTRIBUTION_HISTORY",
        "WAREHOUSE_METERING_HISTORY",
    ]
    assert len(result.query_ids) == 4


def test_parts_are_told_apart_and_a_forged_one_is_only_other(reader: SnowflakeReader) -> None:
    result = ask(reader, "yesterday")
    assert result.data is not None
    found = [(row.part, row.statements, round(row.credits, 9)) for row in result.data.rows]
    assert found == [("answers and scans", 3, 0.057), ("other", 2, 0.01), ("approved changes", 1, 0.0005)]
    assert "U1" not in result.model_dump_json()


def test_the_warehouses_it_ran_on_are_named_with_all_they_metered(reader: SnowflakeReader) -> None:
    result = ask(reader, "yesterday")
    metered = [(f.entity, round(float(f.value or 0), 9)) for f in result.facts if f.label == "metered in all"]
    assert metered == [("ETL", 36.0), ("HIDDEN", 36.0)]


def test_compute_is_loaded_later_and_that_is_said(reader: SnowflakeReader) -> None:
    result = ask(reader, "today")
    assert (result.status, result.complete) == ("ok", False)
    assert value(result, "statements") == 1
    assert value(result, "credits_cloud_services") == pytest.approx(0.1)
    assert result.data is not None
    assert any("Compute is in it up to" in note for note in result.data.notes)


@pytest.mark.parametrize(("window", "status"), [("2026-10-01", "no_data"), ("2026-11-03", "not_loaded")])
def test_nothing_loaded_is_not_zero(reader: SnowflakeReader, window: str, status: str) -> None:
    if status == "not_loaded":
        reader = SnowflakeReader(reader._config, reader.account(), now_override=NOW + timedelta(days=3))
    try:
        assert ask(reader, window).status == status
    finally:
        if status == "not_loaded":
            reader.close()


def test_todays_language_models_are_added_where_there_are_any(reader: SnowflakeReader) -> None:
    without = ask(reader, "yesterday").data
    assert without is not None and "model_usd" not in without.figures
    use = ModelUse(start=NOW.replace(hour=0), end=NOW, requests=3, tokens=12_345, usd=0.02)
    result = ask(reader, "yesterday", use)
    assert [value(result, role) for role in ("model_requests", "model_tokens", "model_usd")] == [3, 12_345, 0.02]


def test_the_tag_of_every_session_begins_as_the_count_expects() -> None:
    """What connect() sets is what own_cost looks for, whatever else a tag holds."""
    from tools.warehouse.connect import OWN_TAG, _tag

    for parts in ({}, {"component": "reader"}, {"Aa": "first by sorting"}, {"thread": "x" * 5000}, {"a": "ü" * 400}):
        assert _tag(parts).startswith(OWN_TAG)


def test_a_tag_that_is_nested_too_deep_is_somebody_elses() -> None:
    """Anybody may set a tag of 2,000 characters that begins like ours: it must not end the answer."""
    assert _part('{"app": "frostline", "x": ' + "[" * 1_900) == "other"
