"""The sessions' own statements stand in QUERY_HISTORY: at once for the function, after its latency for the view."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from snowflake.connector.errors import ProgrammingError

from tools.demo.journal import query_type
from tools.demo.layout import database_file
from tools.demo.process import ensure_server, stop_server

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
VIEW = "SNOWFLAKE.ACCOUNT_USAGE.QUERY_HISTORY"
OWN = "table(information_schema.query_history_by_session(result_limit => 1000))"


def rows(connection: Any, sql: str) -> list[Any]:
    return list(connection.cursor().execute(sql).fetchall())


def test_a_statement_is_in_the_function_as_soon_as_it_has_ended(connect: Callable[..., Any]) -> None:
    tag = json.dumps({"app": "frostline", "component": "test"})
    connection = connect(session_parameters={"QUERY_TAG": tag})
    cursor = connection.cursor()
    cursor.execute("show warehouses")
    with pytest.raises(ProgrammingError):
        connection.cursor().execute("select no_such_column from snowflake.account_usage.query_history")
    found = rows(
        connection,
        "select query_id, query_type, query_tag, user_name, role_name, warehouse_name, execution_status, error_code, "
        f"start_time, end_time, total_elapsed_time, credits_used_cloud_services, query_text from {OWN} order by 10, 1",
    )
    by_type = {row[1]: row for row in found}
    assert len(found) == 2
    shown, failed = by_type["SHOW"], by_type["SELECT"]
    assert shown[0] == cursor.sfqid
    assert shown[2:7] == (tag, "FROSTLINE_READER", "COST_READER", None, "SUCCESS")
    assert failed[6:8] == ("FAILED_WITH_ERROR", "000904")
    for row in found:
        start, end, elapsed, credits = row[8:12]
        assert end == NOW  # account time: nothing of it lies later than now
        assert end - start == timedelta(milliseconds=elapsed) and elapsed >= 1
        assert 0 < credits < 0.1
    assert shown[12] == "show warehouses"


def test_a_warehouse_is_named_and_sized_only_where_it_was_used(connect: Callable[..., Any]) -> None:
    connection = connect(warehouse="BI_WH")
    rows(connection, f"select count(*) c from {VIEW}")
    rows(connection, "show warehouses")
    rows(connection, "select 1 a")
    found = rows(
        connection,
        f"select query_text, warehouse_name, warehouse_size, execution_time + compilation_time - total_elapsed_time "
        f"from {OWN}",
    )
    assert set(found) == {
        (f"select count(*) c from {VIEW}", "BI_WH", "Medium", 0),
        ("show warehouses", "BI_WH", None, 0),
        ("select 1 a", "BI_WH", None, 0),
    }


def test_the_view_shows_them_after_its_latency_and_a_restart_keeps_them(
    tmp_path: Path, build_account: Callable[[Path], Path], open_connection: Callable[..., Any]
) -> None:
    folder = build_account(tmp_path / "account")

    def ask(sql: str) -> list[Any]:
        here = ensure_server(folder, idle_seconds=60)
        connection = open_connection(
            here.host, here.port, user="FROSTLINE_READER", password=here.reader_secret,
            session_parameters={"QUERY_TAG": "own", "TIMEZONE": "UTC"},
        )  # fmt: skip
        try:
            return rows(connection, sql)
        finally:
            connection.close()

    own = f"select count(*) n, count(distinct session_id) s, max(end_time) t from {VIEW} where query_tag = 'own'"
    assert ask(own) == [(0, 0, None)]
    stop_server(folder)  # what waits is written before the server ends
    with duckdb.connect(str(database_file(folder))) as con:
        con.execute("UPDATE _RAW.CLOCK SET now = now + INTERVAL 44 MINUTE")
    assert ask(own) == [(0, 0, None)]
    stop_server(folder)
    with duckdb.connect(str(database_file(folder))) as con:
        con.execute("UPDATE _RAW.CLOCK SET now = now + INTERVAL 1 MINUTE")
    try:
        assert ask(own) == [(1, 1, NOW)]
    finally:
        stop_server(folder)
    with duckdb.connect(str(database_file(folder)), read_only=True) as con:
        con.execute("SET TimeZone='UTC'")
        ids = con.execute("SELECT count(*), count(DISTINCT SESSION_ID) FROM _RAW.QUERY_HISTORY WHERE QUERY_TAG = 'own'")
        assert ids.fetchone() == (3, 3)


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("select 1", "SELECT"),
        ("  with a as (select 1) select * from a", "SELECT"),
        ("-- note\n(select 1)", "SELECT"),
        ('alter warehouse if exists "SUSPEND" resume', "ALTER_WAREHOUSE_RESUME"),
        ("alter warehouse x suspend", "ALTER_WAREHOUSE_SUSPEND"),
        ("alter warehouse x set auto_suspend = 60", "ALTER"),
        ("alter session set timezone = 'UTC'", "ALTER_SESSION"),
        ("describe warehouse x", "DESCRIBE"),
        ("use warehouse x", "USE"),
        ("nonsense", "UNKNOWN"),
        ("", "UNKNOWN"),
    ],
)
def test_query_types(sql: str, kind: str) -> None:
    assert query_type(sql) == kind
