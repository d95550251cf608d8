"""Files to tables: what every writer calls a number, a time or nothing, and what is refused with its place."""

from __future__ import annotations

import csv
import tempfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tools.demo import layout
from tools.demo.load import load
from tools.errors import BadImport
from tools.warehouse.views import VIEWS

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


def as_csv(folder: Path, name: str, columns: dict[str, list[Any]]) -> None:
    with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))


def as_parquet(folder: Path, name: str, columns: dict[str, Any]) -> None:
    pq.write_table(pa.table(columns), folder / f"{name}.parquet")


def loaded(folder: Path, *, enforce_latency: bool = False) -> duckdb.DuckDBPyConnection:
    data = Path(tempfile.mkdtemp(dir=folder.parent)) / "data"
    load(folder, data, now=NOW, enforce_latency=enforce_latency)
    con = duckdb.connect(str(layout.database_file(data.parent)), read_only=True)
    con.execute("SET TimeZone='UTC'")
    return con


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "export"
    path.mkdir()
    return path


@pytest.mark.parametrize(
    "text",
    [
        "2026-05-01 10:00:00",
        "2026-05-01T10:00:00Z",
        "2026-05-01T12:00:00+02:00",
        "2026-05-01 03:00:00.000 -0700",
        "2026-05-01 03:00:00.000000000 -07:00",
        " 2026-05-01 10:00 ",
    ],
)
def test_times_in_every_spelling_naive_is_utc(folder: Path, text: str) -> None:
    as_csv(folder, "QUERY_HISTORY", {"QUERY_ID": ["q"], "START_TIME": [text]})
    assert loaded(folder).execute("SELECT START_TIME FROM _RAW.QUERY_HISTORY").fetchone() == (
        datetime(2026, 5, 1, 10, tzinfo=UTC),
    )


def test_parquet_types_of_every_writer(folder: Path) -> None:
    naive = datetime(2026, 5, 1, 10)  # noqa: DTZ001 - naive is what is tested
    as_parquet(
        folder,
        "QUERY_HISTORY",
        {
            "query_id": pa.array([b"q1", None], type=pa.binary()),
            "START_TIME": pa.array([naive, None], type=pa.timestamp("ns")),
            "END_TIME": pa.array([naive, None], type=pa.timestamp("ms", tz="America/Los_Angeles")),
            "TOTAL_ELAPSED_TIME": pa.array([3.0, float("nan")]),
            "ERROR_CODE": pa.array([603, None]),
            "SESSION_ID": pa.array([9_007_199_254_740_993, None]),
            "EXECUTION_TIME": pa.array(["17", ""]),
            "BIND_VALUES": pa.array([["a", "b"], None]),
            "IS_CLIENT_GENERATED_STATEMENT": pa.array(["TRUE", None]),
            "CREDITS_USED_CLOUD_SERVICES": pa.array(["1e-4", None]),
        },
    )
    columns = "QUERY_ID, START_TIME, END_TIME, TOTAL_ELAPSED_TIME, ERROR_CODE, SESSION_ID, EXECUTION_TIME, BIND_VALUES"
    found = loaded(folder).execute(
        f"SELECT {columns}, IS_CLIENT_GENERATED_STATEMENT, CREDITS_USED_CLOUD_SERVICES, QUERY_TAG "
        "FROM _RAW.QUERY_HISTORY"
    )
    aware = naive.replace(tzinfo=UTC)
    assert found.fetchall() == [
        ("q1", aware, aware, 3, "603", 9_007_199_254_740_993, 17, '["a","b"]', True, 1e-4, None),
        (None,) * 11,
    ]


def test_csv_text_keeps_newlines_quotes_and_ten_thousand_characters(folder: Path) -> None:
    text = "SELECT \"a\",\n  'b' -- ünï" + "x" * 100_000
    as_csv(folder, "QUERY_HISTORY", {"QUERY_TEXT": [text, ""], "QUERY_ID": ["1", "2"]})
    assert loaded(folder).execute("SELECT QUERY_TEXT FROM _RAW.QUERY_HISTORY ORDER BY QUERY_ID").fetchall()[0] == (
        text,
    )


def test_dates_and_days_of_the_daily_view(folder: Path) -> None:
    as_csv(
        folder, "METERING_DAILY_HISTORY", {"USAGE_DATE": ["2026-05-31"], "CREDITS_ADJUSTMENT_CLOUD_SERVICES": ["-1.5"]}
    )
    found = loaded(folder).execute(
        "SELECT USAGE_DATE, CREDITS_ADJUSTMENT_CLOUD_SERVICES FROM _RAW.METERING_DAILY_HISTORY"
    )
    assert found.fetchone() == (date(2026, 5, 31), -1.5)


def test_latency_hides_or_shows(folder: Path) -> None:
    item = VIEWS["WAREHOUSE_METERING_HISTORY"]
    ends = [NOW - item.latency, NOW - item.latency + timedelta(seconds=1)]
    as_parquet(folder, item.name, {"END_TIME": ends, "START_TIME": [end - timedelta(hours=1) for end in ends]})
    count = f"SELECT count(*) FROM ACCOUNT_USAGE.{item.name}"
    assert loaded(folder, enforce_latency=True).execute(count).fetchone() == (1,)
    shown = folder.rename(folder.with_name("again"))
    assert loaded(shown).execute(count).fetchone() == (2,)


def test_warehouses_get_the_id_that_their_newest_usage_carries(folder: Path) -> None:
    as_csv(
        folder,
        "WAREHOUSES",
        {"name": ["A", "B", "c d"], "auto_resume": ["true"] * 3, "auto_suspend": ["", "null", "60"]},
    )
    as_parquet(
        folder,
        "WAREHOUSE_METERING_HISTORY",
        {"WAREHOUSE_NAME": ["A", "A"], "WAREHOUSE_ID": [7, 9], "START_TIME": [NOW, NOW + timedelta(hours=1)]},
    )
    found = loaded(folder).execute(
        "SELECT name, warehouse_id, auto_resume, auto_suspend FROM _RAW.WAREHOUSES ORDER BY name"
    )
    assert found.fetchall() == [("A", 9, "true", None), ("B", 10, "true", None), ("c d", 11, "true", 60)]


def test_a_folder_with_pattern_characters_and_quotes_in_its_name(tmp_path: Path) -> None:
    folder = tmp_path / "it's [prod] *export?"
    folder.mkdir()
    as_csv(folder, "QUERY_HISTORY", {"QUERY_ID": ["q"]})
    as_parquet(folder, "METERING_HISTORY", {"NAME": ["n"]})
    con = loaded(folder)
    assert con.execute("SELECT count(*) FROM _RAW.QUERY_HISTORY, _RAW.METERING_HISTORY").fetchone() == (1,)


@pytest.mark.parametrize(
    ("column", "values", "row"),
    [
        ("START_TIME", ["2026-05-01", "soon"], 2),
        ("START_TIME", ["1714557600"], 1),
        ("START_TIME", ["infinity"], 1),
        ("START_TIME", ["2026-05-01", "2026-13-45 00:00:00"], 2),
        ("EXECUTION_TIME", ["1", "", "many"], 3),
        ("EXECUTION_TIME", ["1.5"], 1),
        ("EXECUTION_TIME", ["99999999999999999999999"], 1),
        ("CREDITS_USED_CLOUD_SERVICES", ["0.1", "-0.1"], 2),
        ("CREDITS_USED_CLOUD_SERVICES", ["inf"], 1),
        ("CREDITS_USED_CLOUD_SERVICES", ["1,5"], 1),
        ("IS_CLIENT_GENERATED_STATEMENT", ["true", "false", "maybe"], 3),
    ],
)
@pytest.mark.parametrize("write", [as_csv, as_parquet])
def test_a_wrong_value_is_named_with_file_column_and_row(
    folder: Path, write: Any, column: str, values: list[str], row: int
) -> None:
    write(folder, "QUERY_HISTORY", {"QUERY_ID": ["x"] * len(values), column: values})
    with pytest.raises(BadImport) as caught:
        loaded(folder)
    assert caught.value.file.startswith("QUERY_HISTORY.")
    assert (caught.value.column, caught.value.row) == (column, row)


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("START_TIME", pa.array([1_700_000_000_000])),
        ("EXECUTION_TIME", pa.array([True])),
        ("EXECUTION_TIME", pa.array([[1, 2]])),
        ("CREDITS_USED_CLOUD_SERVICES", pa.array([float("inf")])),
        ("EXECUTION_TIME", pa.array([2.5])),
    ],
)
def test_wrong_parquet_types(folder: Path, column: str, values: Any) -> None:
    as_parquet(folder, "QUERY_HISTORY", {column: values})
    with pytest.raises(BadImport) as caught:
        loaded(folder)
    assert (caught.value.column, caught.value.row) == (column, 1)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("QUERY_HISTORY.csv", b"", "header"),
        ("QUERY_HISTORY.csv", b"QUERY_ID,QUERY_ID\n1,2\n", "twice"),
        ("QUERY_HISTORY.csv", b"QUERY_ID,query_id\n1,2\n", "twice"),
        ("QUERY_HISTORY.csv", b"QUERY_ID,QUERY_TEXT\n1,a\n2\n", "CSV"),
        ("QUERY_HISTORY.csv", b"QUERY_ID,QUERY_TEXT\n1,a\n2,b,c\n", "CSV"),
        ("QUERY_HISTORY.csv", b'QUERY_ID,QUERY_TEXT\n1,"open\n', "CSV"),
        ("QUERY_HISTORY.csv", b"QUERY_ID\n\xff\xfe\x00\n", "CSV"),
        ("QUERY_HISTORY.csv", b"\xff\xfeQ\x00U\x00", "UTF-8"),
        ("QUERY_HISTORY.parquet", b"", "Parquet"),
        ("QUERY_HISTORY.parquet", b"PAR1 and nothing else PAR1", "Parquet"),
        ("QUERY_HISTORY.parquet", b"QUERY_ID\n1\n", "Parquet"),
    ],
)
def test_damaged_files(folder: Path, name: str, content: bytes, says: str) -> None:
    (folder / name).write_bytes(content)
    with pytest.raises(BadImport, match=says) as caught:
        loaded(folder)
    assert caught.value.file == name


def test_a_cut_off_parquet_file(folder: Path) -> None:
    as_parquet(folder, "QUERY_HISTORY", {"QUERY_TEXT": [f"select {n}" for n in range(50_000)]})
    file = folder / "QUERY_HISTORY.parquet"
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BadImport, match="damaged"):
        loaded(folder)
    middle = bytearray(whole)
    middle[2000:20000] = bytes(18000)
    file.write_bytes(middle)
    with pytest.raises(BadImport, match="Parquet"):
        loaded(folder.rename(folder.with_name("again")))


def test_both_formats_of_one_table_are_refused(folder: Path) -> None:
    as_csv(folder, "QUERY_HISTORY", {"QUERY_ID": ["q"]})
    as_parquet(folder, "QUERY_HISTORY", {"QUERY_ID": ["q"]})
    with pytest.raises(BadImport, match="which one counts"):
        loaded(folder)
