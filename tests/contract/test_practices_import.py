"""Views that the demo account leaves empty: an export fills them, and the checks of practices find what is wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from knowledge.practices import load
from tools.demo.importing import Imported, import_account
from tools.demo.process import ensure_server, stop_server
from tools.warehouse.views import ALL_VIEWS

ABOUT = 'now = 2026-06-10T12:00:00Z\nedition = "ENTERPRISE"\ntimezone = "Europe/Berlin"\ncredit_price = 2.5\n'
DAY, LATER, DATE = "2026-06-09 10:00:00+00:00", "2026-06-09 10:05:00+00:00", "2026-06-09"
GIB, TIB = 2**30, 2**40
SPAN = {"START_TIME": DAY, "END_TIME": LATER}
PLACE = {"DATABASE_NAME": "DB", "SCHEMA_NAME": "S"}
STORED = {"TABLE_CATALOG": "DB", "TABLE_SCHEMA": "S", "DELETED": "false", "RETAINED_FOR_CLONE_BYTES": 0}

Row = dict[str, Any]


def statement(number: int, text: str, **more: Any) -> Row:
    """One finished statement of a Small warehouse."""
    base: Row = {"QUERY_ID": f"q{number}", "QUERY_TEXT": text, "QUERY_HASH": text[:30], "WAREHOUSE_SIZE": "Small"}
    base |= {"QUERY_PARAMETERIZED_HASH": text[:30], "WAREHOUSE_NAME": "W", "EXECUTION_STATUS": "SUCCESS"}
    return base | {"QUERY_TYPE": "SELECT", "EXECUTION_TIME": 5000, "BYTES_SCANNED": GIB} | SPAN | more


ROWS: dict[str, list[Row]] = {
    "QUERY_HISTORY": [
        statement(1, "CALL TINY()"),
        statement(2, "SELECT * FROM T WHERE NAME LIKE '%x%'"),
        statement(3, "SELECT VERY LONG", COMPILATION_TIME=9000),
        *(statement(n, "INSERT INTO T VALUES (?)", QUERY_TYPE="INSERT", ROWS_INSERTED=1) for n in range(10, 120)),
    ],
    "WAREHOUSE_METERING_HISTORY": [SPAN | {"WAREHOUSE_ID": 1, "WAREHOUSE_NAME": "W", "CREDITS_USED_COMPUTE": 8.0}],
    "QUERY_ATTRIBUTION_HISTORY": [
        SPAN | {"QUERY_ID": "q2", "QUERY_PARAMETERIZED_HASH": "new", "CREDITS_ATTRIBUTED_COMPUTE": 2.5}
    ],
    "QUERY_INSIGHTS": [
        SPAN
        | {"INSIGHT_TYPE_ID": "QUERY_INSIGHT_EXPLODING_JOIN", "IS_OPPORTUNITY": "true", "TOTAL_ELAPSED_TIME": 60000}
    ],
    "QUERY_ACCELERATION_ELIGIBLE": [
        SPAN | {"WAREHOUSE_NAME": "W", "ELIGIBLE_QUERY_ACCELERATION_TIME": 7200, "UPPER_LIMIT_SCALE_FACTOR": 4}
    ],
    "QUERY_ACCELERATION_HISTORY": [SPAN | {"WAREHOUSE_NAME": "W", "CREDITS_USED": 2.0}],
    "ACCESS_HISTORY": [
        {"QUERY_ID": "q2", "QUERY_START_TIME": DAY, "BASE_OBJECTS_ACCESSED": json.dumps([{"objectId": 2}, {"x": 1}])}
    ],
    "TABLE_QUERY_PRUNING_HISTORY": [
        {"INTERVAL_START_TIME": DAY, "INTERVAL_END_TIME": LATER, "TABLE_ID": 1, "TABLE_NAME": "T", "NUM_QUERIES": 3}
        | {"PARTITIONS_SCANNED": 90, "PARTITIONS_PRUNED": 10, "ROWS_SCANNED": 100, "ROWS_MATCHED": 1}
        | {"AGGREGATE_QUERY_EXECUTION_TIME": 3600000}
        | PLACE
    ],
    "TASK_HISTORY": [
        PLACE | {"NAME": "TINY", "SCHEDULED_TIME": DAY, "COMPLETED_TIME": LATER, "STATE": state, "QUERY_ID": number}
        for state, number in [("SUCCEEDED", "q1"), ("SKIPPED", None)]
    ],
    "DYNAMIC_TABLE_REFRESH_HISTORY": [
        {"NAME": name, "STATE": "SUCCEEDED", "REFRESH_START_TIME": DAY, "REFRESH_END_TIME": LATER}
        | {"REFRESH_ACTION": action, "TARGET_LAG_SEC": 60}
        | PLACE
        for name, action in [("QUIET", "NO_DATA"), ("HEAVY", "FULL"), ("HEAVY", "REINITIALIZE")]
    ],
    "AUTOMATIC_CLUSTERING_HISTORY": [SPAN | PLACE | {"TABLE_ID": 1, "TABLE_NAME": "T", "CREDITS_USED": 4.0}],
    "MATERIALIZED_VIEW_REFRESH_HISTORY": [SPAN | PLACE | {"TABLE_ID": 9, "TABLE_NAME": "MV", "CREDITS_USED": 3.0}],
    "SEARCH_OPTIMIZATION_HISTORY": [
        SPAN | {"TABLE_ID": 1, "TABLE_NAME": "OLD_NAME", "CREDITS_USED": 1.0},
        SPAN | {"BASE_TABLE_ID": 2, "BASE_TABLE_NAME": "NEW_NAME", "CREDITS_USED": 2.0},
    ],
    "SEARCH_OPTIMIZATION_BENEFITS": [SPAN | {"TABLE_ID": 2, "NUM_SCANS": 7, "PARTITIONS_PRUNED_ADDITIONAL": 11}],
    "CORTEX_AI_FUNCTIONS_USAGE_HISTORY": [SPAN | {"FUNCTION_NAME": "AI_COMPLETE", "USER_ID": 1, "CREDITS": 6.0}],
    "COPY_HISTORY": [{"LAST_LOAD_TIME": DAY, "TABLE_NAME": "T", "FILE_SIZE": 1024, "STATUS": "Loaded"}],
    "PIPE_USAGE_HISTORY": [SPAN | {"PIPE_ID": 1, "CREDITS_USED": 0.5, "BYTES_INSERTED": GIB}],
    "DATA_TRANSFER_HISTORY": [SPAN | {"TARGET_REGION": "eu-west-1", "BYTES_TRANSFERRED": TIB}],
    "STORAGE_USAGE": [{"USAGE_DATE": DATE, "STORAGE_BYTES": TIB}],
    "STAGE_STORAGE_USAGE_HISTORY": [
        {"USAGE_DATE": "2026-06-08", "AVERAGE_STAGE_BYTES": TIB},
        {"USAGE_DATE": DATE, "AVERAGE_STAGE_BYTES": TIB + GIB},
    ],
    "TABLE_STORAGE_METRICS": [
        STORED
        | {"ID": 1, "TABLE_NAME": "UNREAD", "ACTIVE_BYTES": 200 * GIB, "TIME_TRAVEL_BYTES": 0}
        | {"FAILSAFE_BYTES": 0},
        STORED
        | {"ID": 2, "TABLE_NAME": "CHURNED", "ACTIVE_BYTES": 200 * GIB, "TIME_TRAVEL_BYTES": 4 * TIB}
        | {"FAILSAFE_BYTES": 28 * TIB, "RETAINED_FOR_CLONE_BYTES": GIB},
    ],
    "TABLES": [{"TABLE_ID": 2, "TABLE_NAME": "CHURNED", "RETENTION_TIME": 90, "IS_TRANSIENT": "NO"}],
    "WAREHOUSES": [{"name": "W", "size": "Small", "state": "STARTED", "type": "STANDARD", "resource_monitor": "null"}],
}  # fmt: skip

FOUND: dict[str, Row] = {
    "ai-functions-spend": {"FUNCTION_NAME": "AI_COMPLETE", "USED_CREDITS": 6},
    "badly-sized-load-files": {"TABLE_NAME": "T", "FILES_BELOW_10_MIB": 1},
    "clones-that-keep-bytes": {"TABLE_NAME": "CHURNED", "RETAINED_FOR_CLONE_GIB": 1},
    "clustering-that-does-not-pay": {"TABLE_NAME": "T", "CLUSTERING_CREDITS": 4, "QUERIES": 3},
    "clustering-worth-trying": {"TABLE_NAME": "T", "PARTITIONS_READ_PCT": 90, "ROWS_MATCHED_PCT": 1},
    "data-transfer-between-regions": {"TARGET_REGION": "eu-west-1", "TRANSFERRED_TIB": 1},
    "dynamic-tables-always-full": {"DYNAMIC_TABLE": "HEAVY", "FULL_REFRESHES": 1, "REFRESH_MIN": 10},
    "dynamic-tables-without-new-data": {"DYNAMIC_TABLE": "QUIET", "WITHOUT_DATA_PCT": 100},
    "exploding-join": {"STATEMENTS": 1, "ELAPSED_MIN": 1},
    "forgotten-stage-files": {"CHANGE_GIB": 1},
    "history-larger-than-data": {"TABLE_NAME": "CHURNED", "HISTORY_TO_ACTIVE": 163.8},
    "leading-wildcard-search": {"RUNS": 1, "SCANNED_GIB": 1},
    "long-retention-on-staging": {"TABLE_NAME": "CHURNED", "RETENTION_DAYS": 90},
    "materialized-view-without-readers": {"VIEW_NAME": "MV", "QUERIES": 0},
    "minimum-charge-of-tiny-tasks": {"TASK_RUNS": 1, "EXECUTION_S": 5, "USED_PCT": 8.3},
    "no-resource-monitor": {"name": "W", "resource_monitor": "null"},
    "query-acceleration-candidates": {"ELIGIBLE_HOURS": 2, "MEDIAN_USEFUL_FACTOR": 4},
    "query-acceleration-too-dear": {"ACCELERATION_CREDITS": 2, "ACCELERATION_TO_WAREHOUSE_PCT": 25},
    "row-by-row-writes": {"STATEMENTS": 110},
    "search-optimisation-unused": {"TABLE_NAME": "NEW_NAME", "SCANS_THAT_USED_IT": 7, "PARTITIONS_SAVED": 11},
    "slow-compilation": {"AVG_COMPILATION_S": 9},
    "snowpipe-credits-per-gigabyte": {"PIPE_NAME": "without a name", "CREDITS_PER_GIB": 0.5},
    "spend-after-a-change": {"QUERY_PARAMETERIZED_HASH": "new", "CREDITS": 2.5},
    "tables-nobody-reads": {"TABLE_NAME": "UNREAD", "ACTIVE_GIB": 200},
    "tasks-that-poll": {"TASK_NAME": "TINY", "SKIPPED_RUNS": 1, "SKIPPED_PCT": 50},
}
"""By page, what the first row of its check has to say of these rows."""


def written(folder: Path) -> Path:
    """The rows as an export: one CSV file a view."""
    import csv

    folder.mkdir()
    (folder / "account.toml").write_text(ABOUT)
    for table, rows in ROWS.items():
        columns = list(dict.fromkeys(column for row in rows for column in row))
        with (folder / f"{table}.csv").open("w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, columns)
            writer.writeheader()
            writer.writerows(rows)
    return folder


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Imported]]:
    folder = tmp_path_factory.mktemp("imported")
    done = import_account(written(folder / "export"), folder / "account")
    yield folder / "account", done
    stop_server(folder / "account")


@pytest.fixture(scope="module")
def reader(imported: tuple[Path, Imported]) -> Iterator[Any]:
    import snowflake.connector

    endpoint = ensure_server(imported[0], idle_seconds=300)
    connection = snowflake.connector.connect(
        account="imported",
        host=endpoint.host,
        port=endpoint.port,
        protocol="http",
        user="FROSTLINE_READER",
        password=(imported[0] / "reader.secret").read_text().strip(),
        session_parameters={"TIMEZONE": "UTC"},
        login_timeout=10,
        network_timeout=30,
        platform_detection_timeout_seconds=0,
    )
    yield connection
    connection.close()


def test_an_import_says_what_it_took(imported: tuple[Path, Imported]) -> None:
    account, done = imported
    assert done.rows == {table: len(rows) for table, rows in ROWS.items()}
    notes = "\n".join(done.notes)
    assert "LOCK_WAIT_HISTORY" not in notes  # a view that only checks read is not missed
    assert "WAREHOUSE_LOAD_HISTORY: not in the export" in notes
    views = {view["name"]: view for view in json.loads((account / "views.json").read_text())["views"]}
    assert views["STAGE_STORAGE_USAGE_HISTORY"]["rows"] == 2
    assert views["TABLES"] == {"name": "TABLES", "rows": 1, "first": None, "last": None}
    assert "LOCK_WAIT_HISTORY" not in views


def test_every_row_names_columns_of_its_view() -> None:
    for table in ROWS.keys() - {"WAREHOUSES"}:
        assert {column for row in ROWS[table] for column in row} <= set(ALL_VIEWS[table].columns), table


@pytest.mark.parametrize("page", [p for p in load() if p.id in FOUND], ids=lambda page: page.id)
def test_a_check_finds_what_is_wrong(reader: Any, page: Any) -> None:
    cursor = reader.cursor()
    cursor.execute(page.check)
    names = [column.name for column in cursor.description]
    rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    assert rows
    for name, value in FOUND[page.id].items():
        assert rows[0][name] == (value if isinstance(value, str) else pytest.approx(value, abs=0.06)), rows[0]


def test_found_names_pages() -> None:
    assert {page.id for page in load()} >= FOUND.keys()


def test_arrays_can_be_taken_apart_and_travel_as_text(reader: Any) -> None:
    view = "SNOWFLAKE.ACCOUNT_USAGE.ACCESS_HISTORY"
    cursor = reader.cursor()
    text = cursor.execute(f"SELECT base_objects_accessed FROM {view}").fetchall()[0][0]
    assert json.loads(text) == [{"objectId": 2}, {"x": 1}]
    sql = (
        f"SELECT f.value:objectId::NUMBER AS n FROM {view} AS a, LATERAL FLATTEN(INPUT => a.base_objects_accessed) AS f"
    )
    assert sorted(cursor.execute(sql).fetchall(), key=str) == [(2,), (None,)]
