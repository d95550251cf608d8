"""An exported account becomes the account, or one clear error and the old account."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.unit.tools.demo.conftest import Generated
from tools.demo import layout
from tools.demo.account import info
from tools.demo.account_file import settings
from tools.demo.importing import import_account
from tools.demo.load import TABLES
from tools.errors import BadImport

SETTINGS = """
now = 2026-06-01T12:00:00Z
edition = "ENTERPRISE"
timezone = "Europe/Berlin"
credit_price = 2.75
"""


def export(folder: Path, about: str = SETTINGS, **files: str) -> Path:
    """An export of CSV files; `QUERY_HISTORY="QUERY_ID\\n1"`."""
    folder.mkdir()
    (folder / "account.toml").write_text(about)
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text)
    return folder


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def account(tmp_path: Path) -> Path:
    """An account that stands already, imported from a single row."""
    folder = tmp_path / "account"
    import_account(export(tmp_path / "first", WAREHOUSES="name\nOLD_WH", QUERY_HISTORY="QUERY_ID\nold"), folder)
    return folder


def test_a_small_export_with_holes(tmp_path: Path) -> None:
    source = export(
        tmp_path / "my export",
        WAREHOUSES="name,size,auto_resume,resource_monitor,budget\nAlpha WH,2X-Large,true,null,\nβ,XSMALL,false,m1,",
        QUERY_HISTORY="QUERY_ID,START_TIME,END_TIME,NEW_COLUMN\nq1,2026-05-31 10:00:00,2026-05-31 10:00:05,x",
    )
    (source / "readme.txt").write_text("hello")
    done = import_account(source, tmp_path / "account")
    assert done.rows == {"WAREHOUSES": 2, "QUERY_HISTORY": 1}
    notes = "\n".join(done.notes)
    assert "readme.txt: not part of an exported account" in notes
    assert "QUERY_HISTORY.csv: unknown columns ignored: NEW_COLUMN" in notes
    assert "WAREHOUSES.csv: unknown columns ignored: budget" in notes
    assert "METERING_HISTORY: not in the export, empty" in notes
    about = info(tmp_path / "account", [{"name": "β"}])
    assert {key: about[key] for key in ("name", "origin", "now", "timezone", "edition", "credit_price")} == {
        "name": "my export",
        "origin": "imported",
        "now": "2026-06-01T12:00:00Z",
        "timezone": "Europe/Berlin",
        "edition": "ENTERPRISE",
        "credit_price": 2.75,
    }
    assert about["warehouses"] == [{"name": "β"}]
    assert about["views"][0] == {
        "name": "QUERY_HISTORY",
        "rows": 1,
        "first": "2026-05-31T10:00:00Z",
        "last": "2026-05-31T10:00:05Z",
    }
    assert about["views"][1] == {"name": "WAREHOUSE_METERING_HISTORY", "rows": 0, "first": None, "last": None}
    with duckdb.connect(str(layout.database_file(tmp_path / "account")), read_only=True) as con:
        shown = con.execute("SELECT name, size, auto_resume, resource_monitor FROM _RAW.WAREHOUSES").fetchall()
    assert shown == [("Alpha WH", "2X-Large", "true", "null"), ("β", "XSMALL", "false", "m1")]


def test_a_generated_export_comes_back_row_for_row(generated: Generated, tmp_path: Path) -> None:
    source = tmp_path / "export"
    source.mkdir()
    tables = generated.con.execute("SELECT table_name FROM duckdb_tables() WHERE schema_name = '_RAW'").fetchall()
    for (table,) in tables:
        if table in TABLES:
            generated.con.execute(f"COPY _RAW.{table} TO '{source}/{table}.parquet'")
    (source / "account.toml").write_text(SETTINGS.replace("2026-06-01T12:00:00Z", "2026-11-18T17:20:00Z"))
    done = import_account(source, tmp_path / "account")
    with duckdb.connect(str(layout.database_file(tmp_path / "account")), read_only=True) as con:
        for table, count in done.rows.items():
            assert generated.con.execute(f"SELECT count(*) FROM _RAW.{table}").fetchone() == (count,)
        credits = "SELECT sum(CREDITS_USED) FROM _RAW.WAREHOUSE_METERING_HISTORY"
        assert con.execute(credits).fetchone() == generated.con.execute(credits).fetchone()


def test_each_import_is_a_new_generation_and_the_server_is_stopped_before_the_swap(
    account: Path, tmp_path: Path
) -> None:
    before = settings(account).generation_id
    told: list[str] = []

    def stop_server() -> None:
        told.append(settings(account).generation_id)

    import_account(export(tmp_path / "second", WAREHOUSES="name\nNEW"), account, before_swap=stop_server)
    assert told == [before]
    assert settings(account).generation_id != before
    assert settings(account).name == "second"


BAD_SETTINGS: dict[str, tuple[str, str | None]] = {
    "now = 2026-06-01T12:00:00Z\n": ("", "now"),
    'now = "2026-06-01T12:00:00Z"': ('now = "yesterday"', "now"),
    "now = 2026": ("now = 3026", "now"),
    '"Europe/Berlin"': ('"Mars/Olympus"', "timezone"),
    'timezone = "Europe/Berlin"': ('timezone = "../../etc/passwd"', "timezone"),
    'timezone = "Europe/Berlin"\n': ("timezone = 1\n", "timezone"),
    "2.75": ("-1", "credit_price"),
    "price = 2.75": ("price = nan", "credit_price"),
    "_price = 2.75": ('_price = "2.75"', "credit_price"),
    "credit_price = 2.75": ("credit_price = true", "credit_price"),
    '"ENTERPRISE"': ('"GOLD"', "edition"),
    "edition =": ("edition", None),
    "\nnow": ('\nname = ""\nnow', "name"),
}


@pytest.mark.parametrize("old", BAD_SETTINGS)
def test_wrong_settings_are_named(account: Path, tmp_path: Path, old: str) -> None:
    new, key = BAD_SETTINGS[old]
    text = SETTINGS if old in SETTINGS else SETTINGS.replace("now = 2026-06-01T12:00:00Z", old)
    before = everything(account)
    with pytest.raises(BadImport) as caught:
        import_account(export(tmp_path / "bad", text.replace(old, new), WAREHOUSES="name\nA"), account)
    assert (caught.value.file, caught.value.column) == ("account.toml", key)
    assert everything(account) == before


@pytest.mark.parametrize(
    ("files", "column", "row"),
    [
        ({"WAREHOUSES": "name\nA\n\"\"\nB"}, "name", 2),
        ({"WAREHOUSES": "name\nA\nB\nA"}, "name", 3),
        ({"WAREHOUSES": "size\nSmall"}, "name", None),
        ({"WAREHOUSES": "name\n" + "W" * 300}, "name", 1),
        ({"WAREHOUSES": "name,auto_suspend\nA,soon"}, "auto_suspend", 1),
        ({"WAREHOUSES": "name\nA", "METERING_HISTORY": "START_TIME\n2026-05-01\nnever"}, "START_TIME", 2),
        ({"METERING_DAILY_HISTORY": "USAGE_DATE,CREDITS_BILLED\n2026-05-01,-3"}, "CREDITS_BILLED", 1),
    ],
)  # fmt: skip
def test_wrong_rows_are_named_and_the_old_account_stays(
    account: Path, tmp_path: Path, files: dict[str, str], column: str, row: int | None
) -> None:
    before = everything(account)
    stopped: list[bool] = []
    with pytest.raises(BadImport) as caught:
        import_account(export(tmp_path / "bad", **files), account, before_swap=lambda: stopped.append(True))
    assert (caught.value.column, caught.value.row) == (column, row)
    assert everything(account) == before
    assert stopped == []
    assert sorted(path.name for path in tmp_path.iterdir()) == [".account.lock", "account", "bad", "first"]


def test_folders_that_are_no_export(account: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    file = tmp_path / "file.csv"
    file.write_text("x")
    only_settings = export(tmp_path / "settings")
    without = export(tmp_path / "without", WAREHOUSES="name\nA")
    (without / "account.toml").unlink()
    for source, says in (
        (tmp_path / "nowhere", "does not exist"),
        (file, "not a folder"),
        (empty, "no file of an exported account"),
        (only_settings, "no file of an exported account"),
        (without, "account.toml: is missing"),
    ):
        with pytest.raises(BadImport, match=says):
            import_account(source, account)
    assert settings(account).name == "first"


def test_links_and_pipes_are_refused(account: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("QUERY_ID\nq")
    source = export(tmp_path / "links", WAREHOUSES="name\nA")
    (source / "QUERY_HISTORY.csv").symlink_to(secret)
    with pytest.raises(BadImport, match="symbolic link"):
        import_account(source, account)
    (source / "QUERY_HISTORY.csv").unlink()
    os.mkfifo(source / "QUERY_HISTORY.csv")
    with pytest.raises(BadImport, match="regular file"):
        import_account(source, account)
    (source / "QUERY_HISTORY.csv").unlink()
    os.truncate(os.open(source / "QUERY_HISTORY.csv", os.O_CREAT | os.O_RDWR), 21 * 1024**3)
    with pytest.raises(BadImport, match="too large"):
        import_account(source, account)


def test_two_files_for_one_view_differ_in_case_or_format(account: Path, tmp_path: Path) -> None:
    source = export(tmp_path / "two", QUERY_HISTORY="QUERY_ID\nq", query_history="QUERY_ID\nq")
    with pytest.raises(BadImport, match="which one counts"):
        import_account(source, account)
    lower = export(tmp_path / "lower", query_history="query_id\nq")
    assert import_account(lower, account).rows == {"QUERY_HISTORY": 1}


def test_a_million_rows_in_well_under_a_minute(tmp_path: Path) -> None:
    count = 1_000_000
    source = export(tmp_path / "large")
    start = pa.array(range(1_770_000_000_000_000, 1_770_000_000_000_000 + count * 1000, 1000), pa.timestamp("us"))
    columns: dict[str, Any] = {
        "QUERY_ID": [f"01bcb05d-0415-b618-0047-{n:012x}" for n in range(count)],
        "START_TIME": start,
        "END_TIME": start,
        "EXECUTION_TIME": pa.array(range(count)),
        "CREDITS_USED_CLOUD_SERVICES": pa.array([1e-5] * count),
        "WAREHOUSE_NAME": ["A_WH"] * count,
    }
    pq.write_table(pa.table(columns), source / "QUERY_HISTORY.parquet")
    began = time.process_time()
    assert import_account(source, tmp_path / "account").rows == {"QUERY_HISTORY": count}
    assert time.process_time() - began < 40
