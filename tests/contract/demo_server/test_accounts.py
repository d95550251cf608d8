"""Accounts that come from elsewhere: built before a table was known, with monitors in a view, exported and imported."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.contract.demo_server.talk import fails, records, rows
from tools.demo.export import export_account
from tools.demo.importing import import_account
from tools.demo.layout import database_file
from tools.demo.process import ensure_server, running_server, stop_server

Serve = Callable[[Path, str], Any]


@pytest.fixture
def serve(open_connection: Callable[..., Any]) -> Iterator[Any]:
    """with serve(folder, "ADMIN") as connection: a server of its own, stopped afterwards."""
    started: list[Path] = []

    @contextmanager
    def run(folder: Path, who: str = "READER") -> Iterator[Any]:
        (folder / "admin.secret").write_text("for-this-test-only\n")
        started.append(folder)
        here = ensure_server(folder, idle_seconds=60)
        secret = (folder / f"{who.lower()}.secret").read_text().strip()
        connection = open_connection(here.host, here.port, user=f"FROSTLINE_{who}", password=secret)
        try:
            yield connection
        finally:
            connection.close()

    yield run
    for folder in started:
        stop_server(folder)


@pytest.mark.parametrize("origin", ["demo", "imported"])
def test_monitors_that_come_as_rows_of_the_view(
    tmp_path: Path, build_account: Callable[[Path], Path], serve: Any, origin: str
) -> None:
    folder = build_account(tmp_path / "account")
    (folder / "account.toml").write_text((folder / "account.toml").read_text().replace('"demo"', f'"{origin}"'))
    with duckdb.connect(str(database_file(folder))) as con:
        for table in ("TASKS", "MONITORS", "WAREHOUSE_PARAMETERS"):  # as an account of an earlier version
            con.execute(f"DROP TABLE _RAW.{table}")
        con.execute(
            "INSERT INTO _RAW.RESOURCE_MONITORS (NAME, CREDIT_QUOTA, USED_CREDITS, OWNER, WAREHOUSES, NOTIFY, SUSPEND, "
            "LEVEL) VALUES ('WATCH', 1000, 999, 'ACCOUNTADMIN', 'BI_WH, STATES_WH', 80, 100, 'WAREHOUSE')"
        )
    with serve(folder, "OPERATOR") as operator:
        shown = {r["name"]: r["resource_monitor"] for r in records(operator, "show warehouses")}
        assert {n for n, m in shown.items() if m == "WATCH"} == {"BI_WH", "STATES_WH"}
        rows(operator, "alter warehouse STATES_WH resume")
    with serve(folder) as reader:
        (seen,) = records(reader, "show resource monitors")
        assert (seen["notify_at"], seen["suspend_at"], seen["level"]) == ("80%", "100%", "WAREHOUSE")
        # What an import says it had used is believed: its metering may be no more than a part.
        assert seen["used_credits"] == ("582.50" if origin == "demo" else "999.00")
        view = "select used_credits, remaining_credits from snowflake.account_usage.resource_monitors"
        assert rows(reader, view) == [(582.5, 417.5) if origin == "demo" else (999, None)]
        assert records(reader, "show tasks") == []
    stop_server(folder)
    with serve(folder) as reader:  # the state is made once
        assert len(records(reader, "show resource monitors")) == 1


def test_an_export_holds_what_show_prints(tmp_path: Path, build_account: Callable[[Path], Path], serve: Any) -> None:
    first, second = build_account(tmp_path / "a" / "account"), tmp_path / "b" / "account"
    questions = (
        "show warehouses",
        "show tasks",
        "show resource monitors",
        "show parameters in warehouse BI_WH",
        "select query_id, execution_status from table(information_schema.query_history(result_limit => 4)) "
        "where end_time < '1971-01-01' order by 1",
        "select * from snowflake.account_usage.resource_monitors",
        "select count(*) c, max(end_time) t, sum(total_elapsed_time) s from snowflake.account_usage.query_history",
    )
    with serve(first, "ADMIN") as admin:
        rows(admin, "create resource monitor m with credit_quota = 600 triggers on 110 percent do suspend")
        rows(admin, "alter warehouse BI_WH set resource_monitor = m statement_timeout_in_seconds = 33")
        before = [rows(admin, question) for question in questions]
    done = export_account(first, tmp_path / "export")
    assert done.rows["MONITORS"] == 1 and done.rows["TASKS"] == 3
    imported = import_account(tmp_path / "export", second)
    assert {name: count for name, count in done.rows.items() if count} == {n: c for n, c in imported.rows.items() if c}
    with serve(second, "ADMIN") as admin:
        assert [rows(admin, question) for question in questions] == before
        rows(admin, "alter resource monitor m set credit_quota = 500")
        assert fails(admin, "alter warehouse BI_WH resume").errno == 90073


def test_who_asks_during_an_export_waits_for_it(
    tmp_path: Path, build_account: Callable[[Path], Path], serve: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = build_account(tmp_path / "a" / "account")
    copying, go_on = threading.Event(), threading.Event()
    real = shutil.copyfile

    def copy(source: Path, target: Path) -> Any:
        copying.set()
        assert go_on.wait(30)
        return real(source, target)

    monkeypatch.setattr("tools.demo.export.shutil.copyfile", copy)
    with ThreadPoolExecutor(2) as pool:
        with serve(folder) as reader:
            assert rows(reader, "select 1 a") == [(1,)]
        exporting = pool.submit(export_account, folder, tmp_path / "export")
        assert copying.wait(30)
        assert running_server(folder) is None
        assert stop_server(folder) is False  # what holds the lock is no server, and is not killed for one
        asking = pool.submit(ensure_server, folder, idle_seconds=60)
        go_on.set()
        exporting.result(60)
        asking.result(60)
    with serve(folder) as reader:
        assert rows(reader, "select 1 a") == [(1,)]
    assert (tmp_path / "export" / "QUERY_HISTORY.parquet").is_file()


def test_odd_rows_of_an_import_break_no_answer(
    tmp_path: Path, build_account: Callable[[Path], Path], serve: Any
) -> None:
    folder = build_account(tmp_path / "account")
    with duckdb.connect(str(database_file(folder))) as con:
        con.execute("SET TimeZone='UTC'")
        con.execute(
            "INSERT INTO _RAW.MONITORS (name, frequency, start_time, end_time, notify_at, credit_quota) VALUES "
            "('FAR', 'SOMETIMES', '200000-01-01 00:00:00+00', '-2000-01-01 00:00:00+00'::TIMESTAMPTZ, 'a,%,9', NULL), "
            "('BARE', NULL, NULL, NULL, NULL, NULL)"
        )
        con.execute(
            "INSERT INTO _RAW.WAREHOUSE_PARAMETERS VALUES (2, 'STATEMENT_TIMEOUT_IN_SECONDS', 'soon'), (2, 'X', '1')"
        )
        con.execute("UPDATE _RAW.WAREHOUSES SET size = 'Gigantic' WHERE name = 'BI_WH'")
        con.execute("UPDATE _RAW.TASKS SET schedule = 'USING CRON x y * * * ../../etc/passwd', state = 'started'")
    with serve(folder, "ADMIN") as admin:
        rows(admin, "use warehouse BI_WH")
        assert [r["name"] for r in records(admin, "show resource monitors")] == ["BARE", "FAR"]
        rows(admin, "alter resource monitor FAR set credit_quota = 5")
        timeouts = records(admin, "show parameters like 'statement_timeout%' in warehouse BI_WH")
        assert [r["value"] for r in timeouts] == ["172800"]
        rows(admin, "alter warehouse BI_WH set auto_suspend = 60 warehouse_size = small")
        states = rows(
            admin, "select distinct state s from table(information_schema.task_history(result_limit => 9999))"
        )
        assert ("SCHEDULED",) not in states
