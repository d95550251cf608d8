"""Every page's check, run as the reader on the demo account: real server, real connector, real rows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from knowledge.practices import Practice, load
from tests import account
from tools.demo import layout
from tools.demo.process import ensure_server
from tools.demo.process import stop_server as stop
from tools.warehouse.grants import reader_grants
from tools.warehouse.views import ALL_VIEWS, FURTHER_VIEWS, VIEWS

PRACTICES = load()
UNANSWERED = {
    "oversized-warehouse": "the demo's oversized warehouses run a few statements longer than the check's five seconds",
    "spend-after-a-change": "no shape of statement of the demo account is younger than a week",
}
"""Pages whose check may find nothing on the demo account, and why; all others find something."""


@pytest.fixture(scope="module")
def account_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    base = tmp_path_factory.getbasetemp()
    template = account.template(base.parent if base.name.startswith("popen-") else base)
    home = account.new_home(template, tmp_path_factory.mktemp("practices") / "home")
    yield home / "demo" / "account"
    account.stop_server(home)


def signed_in(account_dir: Path, who: str) -> Any:
    import snowflake.connector

    endpoint = ensure_server(account_dir, idle_seconds=300)
    return snowflake.connector.connect(
        account="demo",
        host=endpoint.host,
        port=endpoint.port,
        protocol="http",
        user=f"FROSTLINE_{who}",
        password=(account_dir / f"{who.lower()}.secret").read_text().strip(),
        session_parameters={"TIMEZONE": "UTC", "STATEMENT_TIMEOUT_IN_SECONDS": 60},
        login_timeout=10,
        network_timeout=30,
        platform_detection_timeout_seconds=0,
    )


@pytest.fixture(scope="module")
def reader(account_dir: Path) -> Iterator[Any]:
    connection = signed_in(account_dir, "READER")
    yield connection
    connection.close()


@pytest.mark.parametrize("page", PRACTICES, ids=lambda page: page.id)
def test_a_check_runs_and_answers(reader: Any, page: Practice) -> None:
    cursor = reader.cursor()
    cursor.execute(page.check)
    rows = cursor.fetchall()
    names = [column.name for column in cursor.description]
    assert len(set(names)) == len(names) >= 2
    assert all(name.replace("_", "").isalnum() for name in names), names
    assert len(rows) <= 200
    assert rows or page.id in UNANSWERED


def test_unanswered_names_pages() -> None:
    assert {page.id for page in PRACTICES} >= set(UNANSWERED)


@pytest.mark.parametrize("view", sorted(ALL_VIEWS))
def test_every_view_of_the_demo_account_has_rows(reader: Any, view: str) -> None:
    cursor = reader.cursor()
    cursor.execute(f"SELECT COUNT(*) FROM SNOWFLAKE.ACCOUNT_USAGE.{view}")
    assert cursor.fetchall()[0][0] > 0


@pytest.mark.parametrize("view", sorted(FURTHER_VIEWS))
def test_a_further_view_has_its_columns(reader: Any, view: str) -> None:
    cursor = reader.cursor()
    cursor.execute(f"SELECT * FROM SNOWFLAKE.ACCOUNT_USAGE.{view} LIMIT 1")
    assert [column.name for column in cursor.description] == list(ALL_VIEWS[view].columns)


def test_further_views_are_the_readers_alone(account_dir: Path) -> None:
    import snowflake.connector.errors

    with signed_in(account_dir, "OPERATOR") as operator:
        for view in FURTHER_VIEWS:
            with pytest.raises(snowflake.connector.errors.ProgrammingError, match="does not exist or not authorized"):
                operator.cursor().execute(f"SELECT COUNT(*) FROM SNOWFLAKE.ACCOUNT_USAGE.{view}")


def test_grants_open_every_view_that_names_its_role() -> None:
    text = reader_grants(["ANY"])
    for view in ALL_VIEWS.values():
        assert not view.database_role or f"GRANT DATABASE ROLE SNOWFLAKE.{view.database_role} TO ROLE" in text
    assert {name for name, view in ALL_VIEWS.items() if not view.database_role} == {
        "LOCK_WAIT_HISTORY",
        "QUERY_ACCELERATION_HISTORY",
    }


def test_an_account_from_before_is_completed_when_it_is_opened(account_dir: Path, tmp_path: Path) -> None:
    home = account.new_home(account_dir.parents[1], tmp_path / "old")
    old = home / "demo" / "account"
    with duckdb.connect(str(layout.database_file(old))) as con:
        for view in FURTHER_VIEWS:
            con.execute(f"DROP VIEW ACCOUNT_USAGE.{view}")
            con.execute(f"DROP TABLE _RAW.{view}")
    with signed_in(old, "READER") as connection:
        cursor = connection.cursor()
        assert cursor.execute("SELECT COUNT(*) FROM SNOWFLAKE.ACCOUNT_USAGE.TASK_HISTORY").fetchall() == [(0,)]
        assert cursor.execute("SELECT COUNT(*) FROM SNOWFLAKE.ACCOUNT_USAGE.QUERY_HISTORY").fetchall()[0][0] > 0
    stop(old)


def test_latency_holds_for_further_views_too(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "x.db")) as con:
        con.execute("SET TimeZone='UTC'")
        layout.create_schema(con)
        con.execute("INSERT INTO _RAW.CLOCK VALUES (TIMESTAMPTZ '2026-11-20 10:00:00+00', true)")
        times = "(TIMESTAMPTZ '2026-11-20 09:14:00+00'), (TIMESTAMPTZ '2026-11-20 09:16:00+00')"
        con.execute(f"INSERT INTO _RAW.TASK_HISTORY (COMPLETED_TIME) VALUES {times}")
        con.execute("INSERT INTO _RAW.STORAGE_USAGE (USAGE_DATE) VALUES ('2026-11-19'), ('2026-11-20')")
        con.execute("INSERT INTO _RAW.TABLES (TABLE_NAME) VALUES ('T')")
        counts = {
            name: con.execute(f"SELECT COUNT(*) FROM ACCOUNT_USAGE.{name}").fetchall()[0][0]
            for name in ("TASK_HISTORY", "STORAGE_USAGE", "TABLES")
        }
    assert counts == {"TASK_HISTORY": 1, "STORAGE_USAGE": 1, "TABLES": 1}


def test_no_view_stands_in_both_lists() -> None:
    assert not set(VIEWS) & set(FURTHER_VIEWS)
