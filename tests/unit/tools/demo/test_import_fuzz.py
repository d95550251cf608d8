"""Exports made to break the import: whatever they hold, one clear error, or an account; and the old one stays whole."""

from __future__ import annotations

import datetime as dt
import math
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tools.demo import importing
from tools.demo.importing import import_account
from tools.errors import BadImport

ABOUT = 'now = 2026-06-01T12:00:00Z\nedition = "ENTERPRISE"\ntimezone = "UTC"\ncredit_price = 2.75\n'
FEWER = settings(max_examples=settings().max_examples // 3, suppress_health_check=[HealthCheck.too_slow])


@contextmanager
def old_account() -> Iterator[tuple[Path, Path]]:
    """An account that stands, and an empty folder for the export; both gone afterwards."""
    base = Path(tempfile.mkdtemp(prefix="frostline-fuzz-"))
    try:
        account = base / "account"
        (account / "data").mkdir(parents=True)
        (account / "account.toml").write_text("old = 1\n")
        (account / "data" / "SNOWFLAKE.db").write_bytes(b"old")
        export = base / "export"
        export.mkdir()
        (export / "account.toml").write_text(ABOUT)
        yield account, export
    finally:
        shutil.rmtree(base)


def attempt(account: Path, export: Path) -> BadImport | None:
    """What the import said, after looking that an error has changed nothing and left nothing."""
    try:
        import_account(export, account)
    except BadImport as error:
        assert (account / "account.toml").read_text() == "old = 1\n"
        assert (account / "data" / "SNOWFLAKE.db").read_bytes() == b"old"
        assert not list(account.parent.glob(".account.build*"))
        assert 0 < len(error.message) < 400
        assert "Traceback" not in error.message and "Error:" not in error.message
        return error
    assert (account / "account.toml").read_text() != "old = 1\n"
    return None


# --- values -----------------------------------------------------------------------------------------------------------

_TIMES = st.datetimes(dt.datetime(1678, 1, 1), dt.datetime(2261, 1, 1))  # noqa: DTZ001 - naive is one of the cases
_ODD_NUMBERS = ["NaN", "inf", "-inf", "1e999", "9" * 400, "0x10", "1_000", "١٢", "", "null", " 7 "]
_ODD_TIMES = ["2026-05-31", "2026-02-30", "2026-05-31 25:00", "infinity", "epoch", "now", "+999999-01-01"]
_KINDS: list[tuple[pa.DataType, st.SearchStrategy[Any]]] = [
    (pa.int64(), st.integers(-(2**63), 2**63 - 1)),
    (pa.uint64(), st.integers(0, 2**64 - 1)),
    (pa.int8(), st.integers(-128, 127)),
    (pa.float64(), st.floats()),
    (pa.float32(), st.floats(width=32)),
    (pa.decimal128(38, 10), st.decimals(-(10**20), 10**20, places=10)),
    (pa.bool_(), st.booleans()),
    (pa.string(), st.text(st.characters(codec="utf-8"), max_size=30)),
    (pa.string(), st.sampled_from(_ODD_NUMBERS)),
    (pa.string(), st.sampled_from(_ODD_TIMES)),
    (pa.binary(), st.binary(max_size=20)),
    (pa.date32(), st.dates()),
    (pa.timestamp("us"), _TIMES),
    (pa.timestamp("ns", tz="UTC"), _TIMES.map(lambda t: t.replace(tzinfo=dt.UTC))),
    (pa.timestamp("ms", tz="Asia/Tokyo"), _TIMES.map(lambda t: t.replace(tzinfo=dt.UTC))),
    (pa.timestamp("s"), st.integers(-(2**40), 2**40)),
    (pa.time64("us"), st.times()),
    (pa.duration("s"), st.timedeltas(dt.timedelta(days=-100), dt.timedelta(days=100))),
    (pa.list_(pa.int64()), st.lists(st.integers(0, 9), max_size=3)),
    (pa.struct([("a", pa.string())]), st.fixed_dictionaries({"a": st.text("ab", max_size=3)})),
    (pa.null(), st.none()),
]  # fmt: skip
_COLUMNS = {
    "QUERY_HISTORY": ["QUERY_ID", "START_TIME", "END_TIME", "TOTAL_ELAPSED_TIME", "IS_CLIENT_GENERATED_STATEMENT"],
    "WAREHOUSE_METERING_HISTORY": ["START_TIME", "WAREHOUSE_ID", "WAREHOUSE_NAME", "CREDITS_USED"],
    "METERING_DAILY_HISTORY": ["USAGE_DATE", "CREDITS_BILLED", "CREDITS_ADJUSTMENT_CLOUD_SERVICES"],
    "WAREHOUSES": ["name", "auto_suspend", "created_on", "size"],
    "WAREHOUSE_PARAMETERS": ["warehouse_id", "key", "value"],
    "QUERY_INSIGHTS": ["MESSAGE", "IS_OPPORTUNITY", "START_TIME"],
}


@st.composite
def tables(draw: st.DrawFn) -> tuple[str, pa.Table]:
    name = draw(st.sampled_from(sorted(_COLUMNS)))
    rows = draw(st.integers(0, 4))
    columns: dict[str, pa.Array] = {}
    for column in draw(st.lists(st.sampled_from(_COLUMNS[name]), min_size=1, unique=True)):
        kind, values = draw(st.sampled_from(_KINDS))
        columns[column] = pa.array(draw(st.lists(st.none() | values, min_size=rows, max_size=rows)), kind)
    return name, pa.table(columns)


@FEWER
@given(tables())
def test_columns_of_any_type(made: tuple[str, pa.Table]) -> None:
    name, table = made
    with old_account() as (account, export):
        pq.write_table(table, export / f"{name}.parquet")
        error = attempt(account, export)
        if error is not None:
            assert error.file == f"{name}.parquet"
            return
        with duckdb.connect(str(account / "data" / "SNOWFLAKE.db"), read_only=True) as con:
            assert con.execute(f"SELECT count(*) FROM _RAW.{name}").fetchone() == (table.num_rows,)
            for column, kind in con.execute(
                f"SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = '{name}'"
            ).fetchall():
                if kind == "DOUBLE":
                    found = con.execute(f'SELECT "{column}" FROM _RAW.{name}').fetchall()
                    assert all(value is None or math.isfinite(value) for (value,) in found)
                if kind in ("DATE", "TIMESTAMP WITH TIME ZONE"):
                    found = con.execute(f'SELECT year("{column}") FROM _RAW.{name}').fetchall()
                    assert all(year is None or 1 <= year <= 9999 for (year,) in found)


_CELLS = st.one_of(
    st.sampled_from(
        ["NaN", "inf", "1e400", "-0", "2026-05-31 10:00", "", "NULL", "true", "\x00", '"', "a\nb", ",", "é"]
    ),
    st.text(max_size=12),
)


@FEWER
@given(header=st.lists(st.sampled_from([*_COLUMNS["QUERY_HISTORY"], "query_id", "OTHER", ""]), max_size=6),
       lines=st.lists(st.lists(_CELLS, max_size=6), max_size=4), raw=st.binary(max_size=40))  # fmt: skip
def test_csv_of_any_bytes(header: list[str], lines: list[list[str]], raw: bytes) -> None:
    text = "\n".join(",".join(cells) for cells in [header, *lines]).encode("utf-8", "surrogatepass")
    with old_account() as (account, export):
        (export / "QUERY_HISTORY.csv").write_bytes(text + raw)
        error = attempt(account, export)
        assert error is None or error.file == "QUERY_HISTORY.csv"


def sound(path: Path, rows: int = 300) -> None:
    start = dt.datetime(2026, 5, 1, tzinfo=dt.UTC)
    pq.write_table(
        pa.table(
            {
                "QUERY_ID": [f"q{n % 40}" for n in range(rows)],
                "START_TIME": pa.array(
                    [start + dt.timedelta(minutes=n) for n in range(rows)], pa.timestamp("us", tz="UTC")
                ),
                "TOTAL_ELAPSED_TIME": list(range(rows)),
            }
        ),
        path,
    )


@FEWER
@given(st.data())
def test_damaged_parquet(data: st.DataObject) -> None:
    """Cut off anywhere, or with bytes changed anywhere."""
    with old_account() as (account, export):
        path = export / "QUERY_HISTORY.parquet"
        sound(path)
        whole = bytearray(path.read_bytes())
        if data.draw(st.booleans()):
            del whole[data.draw(st.integers(0, len(whole) - 1)) :]
        else:
            for place in data.draw(st.lists(st.integers(0, len(whole) - 1), min_size=1, max_size=8)):
                whole[place] ^= data.draw(st.integers(1, 255))
        path.write_bytes(bytes(whole))
        error = attempt(account, export)
        assert error is None or error.file == "QUERY_HISTORY.parquet"


# --- account.toml -----------------------------------------------------------------------------------------------------

_KEYS = ["now", "edition", "timezone", "credit_price", "name", "hidden_from_reader"]
_ODD_VALUES = [
    *("1", "-1", "nan", "inf", "1e309", "true", "9" * 500, "9" * 5000, "1" + "0" * 320),
    *('""', '"x"', '"\\u0000"', '"UTC\\n"', '"a/../UTC"', "[]", '["A"]', "[1]", "{}", "{a=1}", "07:00:00"),
    *("2026-01-01", "2026-01-01T00:00:00", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-12:00"),
]


def _with(pair: tuple[str, str]) -> bytes:
    """The settings with another value in one place."""
    key, value = pair
    kept = [line for line in ABOUT.splitlines() if not line.startswith(key)]
    return "\n".join([*kept, f"{key} = {value}", ""]).encode()


_TOML = st.one_of(
    st.binary(max_size=200),
    st.text(max_size=200).map(lambda t: t.encode("utf-8", "surrogatepass")),
    st.tuples(st.sampled_from(_KEYS), st.sampled_from(_ODD_VALUES)).map(_with),
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(_TOML)
def test_account_toml_of_any_bytes(text: bytes) -> None:
    with old_account() as (account, export):
        (export / "account.toml").write_bytes(text)
        (export / "WAREHOUSES.csv").write_text("name\nA")
        error = attempt(account, export)
        assert error is None or error.file == "account.toml"


@pytest.mark.parametrize("text", ["a = " + "[" * 15_000, "a" + ".a" * 5_000 + " = 1", "x" * 70_000, "\ufeff" + ABOUT])
def test_odd_account_toml(text: str) -> None:
    with old_account() as (account, export):
        (export / "account.toml").write_text(text, encoding="utf-8")
        (export / "WAREHOUSES.csv").write_text("name\nA")
        error = attempt(account, export)
        assert (error is None) == text.startswith("\ufeff")


# --- size -------------------------------------------------------------------------------------------------------------


def test_a_million_rows_with_one_bad_time_name_it() -> None:
    with old_account() as (account, export), duckdb.connect() as con:
        con.execute(
            "COPY (SELECT 'q' || i AS QUERY_ID, CASE WHEN i = 765432 THEN 'yesterday' ELSE '2026-05-01 10:00' END AS "
            f"START_TIME FROM range(1000000) r(i)) TO '{export / 'QUERY_HISTORY.csv'}' (HEADER)"
        )
        error = attempt(account, export)
        assert error is not None
        assert (error.file, error.column, error.row) == ("QUERY_HISTORY.csv", "START_TIME", 765_433)
        assert error.message == "QUERY_HISTORY.csv, column START_TIME, row 765433: is not a timestamp."


def _repeated(rows: int, size: int) -> pa.Table:
    """One text that stands in every row: next to nothing on disk."""
    text = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), pa.array(["x" * size]))
    return pa.table({"QUERY_TEXT": text})


@pytest.mark.parametrize(
    ("table", "says"),
    [
        (lambda: _repeated(100, 5 * 1024**2), "a text of 5,242,880 bytes"),
        (lambda: _repeated(200_000, 60_000), "GiB of text"),
        (lambda: pa.table({f"C{n}": pa.array([1]) for n in range(2001)}), "2,001 columns"),
    ],
)
def test_a_small_file_that_swells_is_refused_before_it_is_loaded(table: Callable[[], pa.Table], says: str) -> None:
    with old_account() as (account, export):
        path = export / "QUERY_HISTORY.parquet"
        pq.write_table(table(), path, compression="zstd")
        assert path.stat().st_size < 2 * 1024**2
        error = attempt(account, export)
        assert error is not None and says in error.message
        assert error.file == "QUERY_HISTORY.parquet"


def test_pages_that_unpack_to_more_than_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tools.demo.import_files._LARGEST_FILE", 10 * 1024**2)
    with old_account() as (account, export):
        path = export / "QUERY_HISTORY.parquet"
        text = pa.table({"QUERY_TEXT": [f"{n:04d}" + "x" * 20_000 for n in range(1000)]})
        pq.write_table(text, path, compression="gzip", use_dictionary=False)
        assert path.stat().st_size < 1024**2
        error = attempt(account, export)
        assert error is not None and "unpacks to too much" in error.message


def test_gigabytes_without_a_line_break_are_not_read_into_memory() -> None:
    with old_account() as (account, export):
        path = export / "QUERY_HISTORY.csv"
        os.truncate(os.open(path, os.O_CREAT | os.O_RDWR), 3 * 1024**3)
        error = attempt(account, export)
        assert error is not None and error.file == path.name


# --- the file system --------------------------------------------------------------------------------------------------


def test_folders_hidden_and_nested_files() -> None:
    with old_account() as (account, export):
        (export / "WAREHOUSES.csv").write_text("name\nA")
        (export / ".QUERY_HISTORY.parquet").write_bytes(b"not read")
        (export / "deeper").mkdir()
        (export / "deeper" / "QUERY_HISTORY.parquet").write_bytes(b"not read")
        (export / os.fsdecode(b"n\xffme.parquet")).write_bytes(b"not read")
        done = import_account(export, account)
        assert done.rows == {"WAREHOUSES": 1}
        assert sum("ignored" in note for note in done.notes) == 3


@pytest.mark.parametrize("name", ["QUERY_HISTORY.parquet", "account.toml"])
def test_a_folder_named_as_a_file(name: str) -> None:
    with old_account() as (account, export):
        (export / "WAREHOUSES.csv").write_text("name\nA")
        (export / name).unlink(missing_ok=True)
        (export / name).mkdir()
        error = attempt(account, export)
        assert error is not None and "not a regular file" in error.message


@pytest.mark.parametrize("name", ["QUERY_HISTORY.parquet", "account.toml", "."])
@pytest.mark.parametrize("failure", [PermissionError(13, "Permission denied"), FileNotFoundError(2, "No such file")])
def test_what_may_not_be_read_is_named(monkeypatch: pytest.MonkeyPatch, name: str, failure: OSError) -> None:
    """As a person without the right would see it; a test may run as somebody whom no permission stops."""
    with old_account() as (account, export):
        sound(export / "QUERY_HISTORY.parquet")
        barred = (export / name).resolve()

        def refuse(path: Path) -> None:
            if path.resolve() == barred:
                raise type(failure)(failure.errno, failure.strerror, str(path))

        real_open, real_list = Path.open, Path.iterdir

        def opened(self: Path, *args: Any, **named: Any) -> Any:
            refuse(self)
            return real_open(self, *args, **named)

        def listed(self: Path) -> Iterator[Path]:
            refuse(self)
            return real_list(self)

        monkeypatch.setattr(Path, "open", opened)
        monkeypatch.setattr(Path, "iterdir", listed)
        error = attempt(account, export)
        assert error is not None and error.file == barred.name
        assert "may not be read" in error.message or "is not there any more" in error.message


@pytest.mark.parametrize("how", ["grown", "replaced", "gone", "linked"])
def test_a_file_that_changes_while_it_is_read(monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    with old_account() as (account, export):
        path = export / "QUERY_HISTORY.csv"
        path.write_text("QUERY_ID\nq1\nq2\n")
        real = importing.load

        def load(*args: Any, **named: Any) -> None:
            real(*args, **named)
            if how == "grown":
                with path.open("a") as stream:
                    stream.write("q3\n")
                return
            path.rename(export / "before.txt")
            if how == "replaced":
                path.write_text("QUERY_ID\nq1\nq2\n")
            elif how == "linked":
                path.symlink_to(export / "before.txt")

        monkeypatch.setattr(importing, "load", load)
        error = attempt(account, export)
        assert error is not None and error.file == path.name
        assert "was changed while it was being read" in error.message


def test_decimals_beyond_any_number() -> None:
    with old_account() as (account, export):
        huge = pa.array([Decimal(10) ** 37], pa.decimal128(38, 0))
        pq.write_table(pa.table({"QUERY_ID": ["q"], "TOTAL_ELAPSED_TIME": huge}), export / "QUERY_HISTORY.parquet")
        error = attempt(account, export)
        assert error is not None
        assert (error.column, error.row) == ("TOTAL_ELAPSED_TIME", 1)
