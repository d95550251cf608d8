"""The account lives on: the same as if it had never stopped, and under whatever settings it is given."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.unit.tools.demo.conftest import opened
from tools.demo import layout
from tools.demo.account import replace_account
from tools.demo.account_file import AccountSettings, settings, write_settings
from tools.demo.advance import Advanced, advance, duration
from tools.demo.build import NOW, build_demo
from tools.errors import BadArgument, Refused, Unreachable

DAYS = timedelta(days=3)
BEFORE = NOW - DAYS

Copy = Callable[[str], Path]


@pytest.fixture
def copy(tmp_path: Path, fortnight: Path) -> Copy:
    def make(name: str) -> Path:
        return Path(shutil.copytree(fortnight, tmp_path / name))

    return make


def change(account: Path, sql: str, *params: Any) -> None:
    """As the server would at the account's now."""
    with duckdb.connect(str(layout.database_file(account))) as con:
        con.execute(sql, list(params))


def go_on(account: Path, by: timedelta = DAYS) -> Advanced:
    return advance(account, by, stage=False)


def week(account: Path, warehouse: str) -> dict[str, float]:
    """What came after `BEFORE`: credits, idle share, mean execution and queueing in ms, statements."""
    with opened(account) as con:
        credits, idle = con.execute(
            """SELECT sum(CREDITS_USED_COMPUTE),
                      1 - sum(CREDITS_ATTRIBUTED_COMPUTE_QUERIES) / sum(CREDITS_USED_COMPUTE)
               FROM _RAW.WAREHOUSE_METERING_HISTORY WHERE WAREHOUSE_NAME = ? AND START_TIME >= ?""",
            [warehouse, BEFORE],
        ).fetchone() or (0, 0)
        took, queued, count = con.execute(
            """SELECT avg(EXECUTION_TIME), avg(QUEUED_OVERLOAD_TIME), count(*) FROM _RAW.QUERY_HISTORY
               WHERE WAREHOUSE_NAME = ? AND START_TIME >= ?""",
            [warehouse, BEFORE],
        ).fetchone() or (0, 0, 0)
    return {"credits": credits or 0.0, "idle": idle or 0.0, "took": took or 0.0, "queued": queued or 0.0, "n": count}


# --- as if it had never stopped ------------------------------------------------------------------------------------


def test_twelve_days_and_then_three_are_fifteen_days_at_once(copy: Copy, tmp_path: Path) -> None:
    cut, whole = copy("cut"), tmp_path / "whole"
    assert go_on(cut, timedelta(days=1)).was == BEFORE
    assert go_on(cut, timedelta(hours=5)).settings.now == BEFORE + timedelta(hours=29)
    go_on(cut, timedelta(hours=43))
    whole.mkdir()
    build_demo(whole, seed=5, days=15, stage=False)
    with duckdb.connect() as con:
        for name, folder in (("a", whole), ("b", cut)):
            con.execute(f"ATTACH '{layout.database_file(folder)}' AS {name} (READ_ONLY)")
        tables = con.execute(
            "SELECT table_name FROM duckdb_tables() WHERE database_name = 'a' AND schema_name = '_RAW'"
        ).fetchall()
        for (table,) in tables:
            columns = con.execute(
                "SELECT column_name, data_type FROM duckdb_columns() WHERE database_name = 'a' AND table_name = ?",
                [table],
            ).fetchall()
            # Sums that were made in another order may differ in their last bits.
            rounded = ", ".join(f'round("{c}", 8)' if kind == "DOUBLE" else f'"{c}"' for c, kind in columns)
            sides = [f"SELECT {rounded} FROM {side}._RAW.{table}" for side in "ab"]
            only = [f"SELECT count(*) FROM ({x} EXCEPT ALL {y})" for x, y in (sides, reversed(sides))]
            differing = [con.execute(sql).fetchall()[0][0] for sql in only]
            assert max(differing) <= (0 if table != "QUERY_ATTRIBUTION_HISTORY" else 20), table
    views = [json.loads((folder / "views.json").read_text()) for folder in (whole, cut)]
    assert views[0] == views[1]
    assert settings(cut).generation_id
    assert settings(cut).now == settings(whole).now == NOW


# --- what is changed today shows in what comes ---------------------------------------------------------------------


def test_a_larger_size_costs_more_and_is_faster_and_a_smaller_one_the_reverse(copy: Copy) -> None:
    usual, large, small = copy("usual"), copy("large"), copy("small")
    for account, size in ((large, "2X-Large"), (small, "Small")):
        change(account, "UPDATE _RAW.WAREHOUSES SET size = ? WHERE name = 'adhoc lab'", size)
    for account in (usual, large, small):
        go_on(account)
    before, more, less = (week(account, "adhoc lab") for account in (usual, large, small))
    assert more["n"] == pytest.approx(before["n"], rel=0.02) == pytest.approx(less["n"], rel=0.02)
    assert less["credits"] < before["credits"] < more["credits"]
    assert more["took"] < before["took"] < less["took"]
    assert less["queued"] >= before["queued"] >= more["queued"]
    assert week(large, "BI_WH") == week(usual, "BI_WH")
    with opened(large) as con:
        sizes = con.execute(
            "SELECT DISTINCT WAREHOUSE_SIZE FROM _RAW.QUERY_HISTORY WHERE WAREHOUSE_NAME = 'adhoc lab' "
            "AND START_TIME >= ? AND EXECUTION_TIME > 0",
            [BEFORE],
        ).fetchall()
    assert "2X-Large" in {size for (size,) in sizes}


def test_a_shorter_auto_suspend_leaves_less_idle(copy: Copy) -> None:
    usual, shorter = copy("usual"), copy("shorter")
    change(shorter, "UPDATE _RAW.WAREHOUSES SET auto_suspend = 60 WHERE name IN ('DEV_WH', 'APP_WH', 'BI_WH')")
    go_on(usual)
    go_on(shorter)
    for name in ("DEV_WH", "APP_WH", "BI_WH"):
        before, after = week(usual, name), week(shorter, name)
        assert after["credits"] < before["credits"]
        assert after["idle"] < before["idle"]
        assert after["n"] == before["n"]
    with opened(shorter) as con:
        woken = con.execute(
            "SELECT count(*) FROM _RAW.WAREHOUSE_EVENTS_HISTORY WHERE WAREHOUSE_NAME = 'DEV_WH' "
            "AND EVENT_NAME = 'RESUME_WAREHOUSE' AND TIMESTAMP > ?",
            [BEFORE],
        ).fetchone()
    assert woken is not None
    assert woken[0] > 3


def test_more_clusters_shorten_the_queue(copy: Copy) -> None:
    usual, wider = copy("usual"), copy("wider")
    change(wider, "UPDATE _RAW.WAREHOUSES SET max_cluster_count = 6 WHERE name = 'EVENTS_WH'")
    go_on(usual, timedelta(days=1))
    go_on(wider, timedelta(days=1))
    before, after = week(usual, "EVENTS_WH"), week(wider, "EVENTS_WH")
    assert after["queued"] < 0.5 * before["queued"]
    with opened(wider) as con:
        assert con.execute("SELECT max(CLUSTER_NUMBER) FROM _RAW.QUERY_HISTORY WHERE WAREHOUSE_NAME = 'EVENTS_WH'").fetchall() > [(1,)]  # noqa: E501 # fmt: skip


def test_suspended_dropped_and_new_warehouses(copy: Copy) -> None:
    account = copy("account")
    change(account, "DELETE FROM _RAW.WAREHOUSES WHERE name = 'SANDBOX_WH'")
    change(
        account,
        "UPDATE _RAW.WAREHOUSES SET state = 'SUSPENDED', started_clusters = 0, auto_resume = 'false' "
        "WHERE name = 'DEV_WH'",
    )
    change(
        account,
        "INSERT INTO _RAW.WAREHOUSES (name, state, type, size, auto_suspend, auto_resume, min_cluster_count, "
        "max_cluster_count, started_clusters, warehouse_id, created_on, generation) "
        "VALUES ('NEW_WH', 'STARTED', 'STANDARD', 'X-Small', 600, 'true', 1, 1, 1, 5000, ?, '1')",
        BEFORE,
    )
    go_on(account, timedelta(days=1))
    assert week(account, "SANDBOX_WH")["n"] == 0
    # Nobody wakes it: it fails, and costs no more than the minute it had begun.
    with opened(account) as con:
        failed = con.execute(
            "SELECT count(*), count_if(ERROR_CODE = '000606'), sum(EXECUTION_TIME) FROM _RAW.QUERY_HISTORY "
            "WHERE WAREHOUSE_NAME = 'DEV_WH' AND START_TIME >= ? AND coalesce(ERROR_CODE, '') NOT IN "
            "('002003', '001003', '000904') AND BYTES_READ_FROM_RESULT = 0",
            [BEFORE],
        ).fetchone()
        idled = con.execute(
            "SELECT sum(CREDITS_USED_COMPUTE) FROM _RAW.WAREHOUSE_METERING_HISTORY WHERE WAREHOUSE_NAME = 'NEW_WH'"
        ).fetchone()
        new = con.execute("SELECT state, started_clusters FROM _RAW.WAREHOUSES WHERE name = 'NEW_WH'").fetchone()
    assert failed is not None
    assert failed[0] == failed[1] > 0
    assert failed[2] == 0
    assert week(account, "DEV_WH")["credits"] < 0.1
    # It ran idle for ten minutes and went to sleep.
    assert new == ("SUSPENDED", 0)
    assert idled is not None
    assert 600 / 3600 <= idled[0] <= 640 / 3600


def test_a_cancelled_statement_does_not_come_back(tmp_path: Path) -> None:
    account = tmp_path / "account"
    account.mkdir()
    build_demo(account, seed=5, days=2)
    change(account, "DELETE FROM _RAW.LIVE_QUERIES WHERE WAREHOUSE_NAME = 'adhoc lab'")
    go_on(account, timedelta(hours=6))
    with opened(account) as con:
        long = con.execute(
            "SELECT count(*) FROM (SELECT QUERY_TEXT FROM _RAW.QUERY_HISTORY UNION ALL "
            "SELECT QUERY_TEXT FROM _RAW.LIVE_QUERIES) WHERE QUERY_TEXT LIKE '%CLICKS a, RAW%'"
        ).fetchone()
        queue = con.execute(
            "SELECT count(*) FROM _RAW.QUERY_HISTORY WHERE EXECUTION_TIME >= 900000 AND WAREHOUSE_NAME = 'EVENTS_WH' "
            "AND START_TIME BETWEEN ? AND ?",
            [NOW - timedelta(seconds=59), NOW - timedelta(seconds=42)],
        ).fetchone()
    assert long == (0,)
    assert queue == (3,)


# --- when it cannot ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "hours"), [("6h", 6), ("7d", 168), (" 2W ", 336)])
def test_durations(text: str, hours: int) -> None:
    assert duration(text) == timedelta(hours=hours)


@pytest.mark.parametrize("text", ["", "7", "d", "0d", "-1d", "1.5d", "7 days", "53w", "99999w", "7d7h"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(BadArgument, match="not a time"):
        duration(text)


def test_an_import_and_an_account_of_before_are_refused_with_a_hint(tmp_path: Path, copy: Copy) -> None:
    imported = tmp_path / "imported"

    def build(folder: Path) -> None:
        write_settings(folder, AccountSettings("ACME", "imported", BEFORE, "UTC", "ENTERPRISE", 2.0))

    replace_account(imported, build)
    with pytest.raises(Refused, match="imported") as caught:
        advance(imported, DAYS)
    assert "reset" in (caught.value.hint or "")
    old = copy("old")
    (old / "simulation.json").unlink()
    with pytest.raises(Unreachable) as missing:
        advance(old, DAYS)
    assert "reset" in (missing.value.hint or "")
    (old / "simulation.json").write_text("{")
    with pytest.raises(Unreachable, match="damaged"):
        advance(old, DAYS)
    assert settings(old).now == BEFORE


def test_a_killed_advance_leaves_the_account_as_it_was(copy: Copy) -> None:
    account = copy("account")
    (account / "reader.secret").write_text("a secret\n")
    before = {path.name: path.read_bytes() for path in (account / "simulation.json", account / "account.toml")}
    code = (
        "import sys, pathlib, datetime; from tools.demo.advance import advance; "
        "advance(pathlib.Path(sys.argv[1]), datetime.timedelta(days=200))"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(account)]) as child:
        deadline = time.monotonic() + 60
        work = account.parent / ".account.build" / "data"
        while not work.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        os.kill(child.pid, signal.SIGKILL)
    assert before == {path.name: path.read_bytes() for path in (account / "simulation.json", account / "account.toml")}
    done = go_on(account, timedelta(hours=6))
    assert done.settings.now == BEFORE + timedelta(hours=6)
    assert done.rows["QUERY_HISTORY"] > 100
    assert (account / "reader.secret").read_text() == "a secret\n"
    assert [path.name for path in account.parent.iterdir() if path.is_dir()] == ["account"]
