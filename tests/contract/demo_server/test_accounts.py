"""Accounts that come from elsewhere: built before a table was known, with monitors in a view, exported and imported."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.contract.demo_server.talk import fails, records, rows
from tools.demo.export import export_account
from tools.demo.importing import import_account
from tools.demo.layout import database_file
from tools.demo.process import ensure_server, stop_server

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
