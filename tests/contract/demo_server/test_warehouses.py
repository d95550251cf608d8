"""Warehouse DDL, SHOW, live statements and cancellation over real HTTP; each test works on warehouses of its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import snowflake.connector
from snowflake.connector.errors import ProgrammingError

from tools.demo.layout import SHOW_COLUMNS

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
EVENTS = "SNOWFLAKE.ACCOUNT_USAGE.WAREHOUSE_EVENTS_HISTORY"
DONE = [("Statement executed successfully.",)]


def run(connection: Any, sql: str) -> list[Any]:
    return list(connection.cursor().execute(sql).fetchall())


def show(connection: Any, name: str) -> dict[str, Any]:
    cursor = connection.cursor(snowflake.connector.DictCursor)
    found = [r for r in cursor.execute("SHOW WAREHOUSES").fetchall() if r["name"] == name]
    return dict(found[0]) if found else {}


def fails(connection: Any, sql: str) -> ProgrammingError:
    with pytest.raises(ProgrammingError) as caught:
        connection.cursor().execute(sql)
    return caught.value


def alters(account: Path) -> list[dict[str, Any]]:
    path = account / "alters.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@pytest.fixture
def fresh(admin: Any) -> Callable[..., str]:
    """fresh(properties) -> name of a new warehouse, dropped by nobody else."""
    made: list[str] = []

    def make(properties: str = "") -> str:
        number = len(run(admin, "SHOW WAREHOUSES LIKE 'T%'"))
        name = f"T{number}"
        assert run(admin, f"CREATE WAREHOUSE {name} {properties}") == [(f"Warehouse {name} successfully created.",)]
        made.append(name)
        return name

    return make


def test_show_has_the_documented_columns_in_order(reader: Any) -> None:
    cursor = reader.cursor()
    rows = cursor.execute("SHOW WAREHOUSES").fetchall()
    assert [c.name for c in cursor.description] == list(SHOW_COLUMNS)
    names = [r[0] for r in rows]
    assert names == sorted(names)
    assert "etl lower" in names and 'odd "name"' in names
    assert show(reader, "BI_WH")["size"] == "Medium"
    assert show(reader, "ADAPTIVE_WH")["size"] is None


def test_show_like_is_case_insensitive_with_wildcards(operator: Any) -> None:
    assert [r[0] for r in run(operator, "show warehouses like 'b_\\_wh'")] == ["BI_WH"]
    assert [r[0] for r in run(operator, "show warehouses like '%lower'")] == ["etl lower"]
    assert run(operator, "show warehouses like ''") == []
    assert [r[0] for r in run(operator, "show warehouses starts with 'BI'")] == ["BI_WH"]
    assert len(run(operator, "show warehouses limit 2")) == 2


def test_show_hides_from_the_reader_what_account_usage_still_has(reader: Any, operator: Any) -> None:
    assert show(reader, "HIDDEN_WH") == {}
    assert show(operator, "HIDDEN_WH")["state"] == "STARTED"
    sql = "select count(*) c from snowflake.account_usage.query_history where warehouse_name = 'HIDDEN_WH'"
    assert run(reader, sql)[0][0] > 100


def test_alter_sets_several_properties_at_once(
    operator: Any, reader: Any, fresh: Callable[..., str], account: Path
) -> None:
    name = fresh()
    before = len(alters(account))
    statement = (
        f"ALTER WAREHOUSE IF EXISTS {name} SET WAREHOUSE_SIZE = '2X-Large' AUTO_SUSPEND = 120 MIN_CLUSTER_COUNT = 2, "
        "MAX_CLUSTER_COUNT = 4 SCALING_POLICY = ECONOMY AUTO_RESUME = FALSE COMMENT = 'it''s -- \"so\"; drop' "
        "STATEMENT_TIMEOUT_IN_SECONDS = 30 ENABLE_QUERY_ACCELERATION = true"
    )
    assert run(operator, statement) == DONE
    seen = show(reader, name)
    wanted = {
        "size": "2X-Large",
        "auto_suspend": 120,
        "min_cluster_count": 2,
        "max_cluster_count": 4,
        "started_clusters": 2,
        "scaling_policy": "ECONOMY",
        "auto_resume": "false",
        "comment": 'it\'s -- "so"; drop',
        "enable_query_acceleration": "true",
        "updated_on": NOW,
    }
    assert {k: seen[k] for k in wanted} == wanted
    timeouts = {r[0]: r[1] for r in run(reader, f"show parameters in warehouse {name}")}
    assert timeouts["STATEMENT_TIMEOUT_IN_SECONDS"] == "30"
    (line,) = alters(account)[before:]
    assert set(line) == {"at", "user", "role", "statement", "query_id", "warehouse"}
    assert (line["user"], line["role"], line["statement"], line["warehouse"]) == (
        "FROSTLINE_OPERATOR",
        "COST_OPERATOR",
        statement,
        name,
    )


@pytest.mark.parametrize(
    ("written", "shown"),
    [("XSMALL", "X-Small"), ("'X-Small'", "X-Small"), ("small", "Small"), ("XXLARGE", "2X-Large"), ("X2LARGE", "2X-Large"),  # noqa: E501
     ("'2X-LARGE'", "2X-Large"), ("XXXLARGE", "3X-Large"), ("x4large", "4X-Large"), ("'6X-Large'", "6X-Large")],
)  # fmt: skip
def test_sizes_in_every_spelling(operator: Any, written: str, shown: str) -> None:
    run(operator, f"alter warehouse STATES_WH set warehouse_size = {written} wait_for_completion = true")
    assert show(operator, "STATES_WH")["size"] == shown


def test_suspend_and_resume_follow_the_state(operator: Any, fresh: Callable[..., str]) -> None:
    name = fresh("INITIALLY_SUSPENDED = TRUE MIN_CLUSTER_COUNT = 2 MAX_CLUSTER_COUNT = 3")
    error = fails(operator, f"alter warehouse {name} suspend")
    assert (error.errno, error.sqlstate) == (90064, "22000")
    assert f"Invalid state. Warehouse '{name}' cannot be suspended." in str(error)
    assert run(operator, f"alter warehouse {name} resume") == DONE
    seen = show(operator, name)
    assert (seen["state"], seen["started_clusters"], seen["resumed_on"]) == ("STARTED", 2, NOW)
    error = fails(operator, f"alter warehouse {name} resume")
    assert (error.errno, error.sqlstate) == (90063, "22000")
    assert "cannot be resumed since it is not suspended" in str(error)
    assert run(operator, f"alter warehouse {name} resume if suspended") == DONE
    assert run(operator, f"alter warehouse {name} suspend") == DONE
    assert (show(operator, name)["state"], show(operator, name)["started_clusters"]) == ("SUSPENDED", 0)


def test_quoted_names_are_exact_and_unquoted_fold(operator: Any, reader: Any) -> None:
    assert run(operator, 'alter warehouse "etl lower" set auto_suspend = 61') == DONE
    assert show(operator, "etl lower")["auto_suspend"] == 61
    assert run(operator, 'alter warehouse "odd ""name""" set comment = \'x\'') == DONE
    assert show(reader, 'odd "name"')["comment"] == "x"
    assert run(operator, "alter warehouse bi_wh set comment = 'folded'") == DONE
    for statement in (
        'alter warehouse "bi_wh" suspend',
        "alter warehouse nope suspend",
        'alter warehouse "ETL LOWER" suspend',
    ):
        error = fails(operator, statement)
        assert (error.errno, error.sqlstate) == (2003, "02000")
        assert "does not exist or not authorized" in str(error)
    assert run(operator, "alter warehouse if exists nope suspend") == DONE
    assert fails(operator, 'alter warehouse "" suspend').errno == 1003
    assert fails(operator, f'alter warehouse "{"x" * 256}" suspend').errno == 1003


@pytest.mark.parametrize(
    ("setting", "errno"),
    [
        ("warehouse_size = gigantic", 1422),
        ("auto_suspend = -1", 1422),
        ("auto_suspend = soon", 1422),
        ("auto_suspend = 604801", 1422),
        ("min_cluster_count = 0", 1422),
        ("scaling_policy = cheap", 1422),
        ("auto_resume = maybe", 1422),
        ("max_concurrency_level = 0", 1422),
        ("no_such_property = 1", 1420),
        ("initially_suspended = true", 1420),
        ("min_cluster_count = 3", 1423),
        ("min_cluster_count = 3 max_cluster_count = 2", 1423),
        ("max_cluster_count = 301", 1422),
        ("warehouse_size = xlarge max_cluster_count = 81", 1423),
        ("warehouse_size = '4X-Large' max_cluster_count = 11", 1423),
        ("auto_suspend = 60 auto_suspend = 61", 1003),
        ("auto_suspend 60", 1003),
        ("auto_suspend = 60; drop warehouse x", 8),
        ("wait_for_completion = true", 1003),
        ("comment = no_quotes", 1003),
        ("resource_monitor = m", 3001),
        ("tag a = 'b'", 3001),
        ("", 1003),
    ],
)
def test_bad_properties_are_refused_and_change_nothing(operator: Any, account: Path, setting: str, errno: int) -> None:
    before, logged = show(operator, "LOAD_WH"), len(alters(account))
    assert fails(operator, f"alter warehouse LOAD_WH set {setting}").errno == errno
    assert show(operator, "LOAD_WH") == before
    assert len(alters(account)) == logged


def test_limits_by_size_generation_and_kind(operator: Any) -> None:
    assert run(operator, "alter warehouse GEN2_WH set max_cluster_count = 160") == DONE
    error = fails(operator, "alter warehouse GEN2_WH set warehouse_size = xlarge")
    assert error.errno == 1423  # 160 clusters are too many for the larger size
    assert run(operator, "alter warehouse GEN2_WH set warehouse_size = xlarge max_cluster_count = 1") == DONE
    assert fails(operator, "alter warehouse GEN2_WH set warehouse_size = X5LARGE").errno == 1423
    for statement in (
        "set warehouse_size = large",
        "set auto_suspend = 60",
        "set max_cluster_count = 2",
        "suspend",
        "resume",
    ):
        assert fails(operator, f"alter warehouse ADAPTIVE_WH {statement}").errno in (1420, 90063, 90064)
    assert run(operator, "alter warehouse ADAPTIVE_WH set comment = 'still editable'") == DONE


def test_never_suspend_in_its_three_spellings(operator: Any) -> None:
    for setting, value in (
        ("set auto_suspend = 0", 0),
        ("set auto_suspend = null", None),
        ("unset auto_suspend", None),
    ):
        run(operator, "alter warehouse STATES_WH set auto_suspend = 60")
        run(operator, f"alter warehouse STATES_WH {setting}")
        assert show(operator, "STATES_WH")["auto_suspend"] == value
    run(operator, "alter warehouse STATES_WH set comment = 'x' scaling_policy = economy")
    run(operator, "alter warehouse STATES_WH unset comment, scaling_policy")
    assert (show(operator, "STATES_WH")["comment"], show(operator, "STATES_WH")["scaling_policy"]) == ("", "STANDARD")
    assert fails(operator, "alter warehouse STATES_WH unset warehouse_size").errno == 1420


def test_the_name_may_be_left_out_for_the_current_one(connect: Callable[..., Any]) -> None:
    connection = connect("OPERATOR")
    assert fails(connection, "alter warehouse set comment = 'x'").errno == 606
    connection.cursor().execute("use warehouse STATES_WH")
    run(connection, "alter warehouse set comment = 'current'")
    assert show(connection, "STATES_WH")["comment"] == "current"


def test_create_describe_rename_drop(admin: Any, operator: Any, account: Path) -> None:
    run(admin, 'create warehouse if not exists "new one" with warehouse_size = small auto_suspend = 60')
    assert admin.warehouse == "new one"
    seen = show(admin, "new one")
    assert (seen["state"], seen["size"], seen["auto_suspend"], seen["is_current"]) == ("STARTED", "Small", 60, "Y")
    assert run(admin, 'create warehouse if not exists "new one"') == [("new one already exists, statement succeeded.",)]
    assert fails(admin, 'create warehouse "new one"').errno == 2002
    assert run(operator, 'describe warehouse "new one"') == [(NOW, "new one", "WAREHOUSE")]
    assert fails(operator, 'alter warehouse "new one" rename to other').errno == 3001
    run(admin, 'alter warehouse "new one" rename to other_one')
    assert fails(operator, "drop warehouse other_one").errno == 3001
    assert run(admin, "drop warehouse other_one") == [("OTHER_ONE successfully dropped.",)]
    assert run(admin, "drop warehouse if exists other_one") == [("Drop statement executed successfully.",)]
    assert fails(admin, "drop warehouse other_one").errno == 2003
    assert fails(admin, "describe warehouse other_one").errno == 2043
    verbs = [line["statement"].split()[0] for line in alters(account) if line["user"] == "FROSTLINE_ADMIN"]
    assert {"create", "alter", "drop"} <= set(verbs)


def test_create_or_replace_is_for_the_administrator_alone(reader: Any, operator: Any) -> None:
    for connection in (reader, operator):
        for how in ("or replace", "or alter"):
            error = fails(connection, f"create {how} warehouse LOAD_WH")
            assert (error.errno, error.sqlstate) == (3001, "42501")


def test_changes_leave_events_at_account_time(
    operator: Any, admin: Any, fresh: Callable[..., str], account: Path
) -> None:
    name = fresh()
    run(operator, f"alter warehouse {name} set warehouse_size = large")
    run(operator, f"alter warehouse {name} set comment = 'x'")
    run(operator, f"alter warehouse {name} suspend")
    # the view shows them when their latency has passed; the table under it has them now
    assert run(admin, f"select count(*) c from {EVENTS} where warehouse_name = '{name}'") == [(0,)]
    ids = [line["query_id"] for line in alters(account) if line["warehouse"] == name]
    assert len(ids) == len(set(ids)) == 4


def test_live_statements_are_counted_listed_and_hidden(reader: Any, operator: Any) -> None:
    live = "select query_id, execution_status, end_time from table(snowflake.information_schema.query_history()) where end_time < '1971-01-01'"  # noqa: E501
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    found = {r[0][-1]: r[1:] for r in run(reader, live)}
    assert found["1"] == ("RUNNING", epoch) and found["2"] == ("QUEUED", epoch)
    assert "3" not in found and "3" in {r[0][-1] for r in run(operator, live)}
    by = "select count(*) c from table(information_schema.query_history_by_warehouse(warehouse_name => '{}', result_limit => {}))"  # noqa: E501
    assert run(reader, by.format("load_wh", 10)) == [(10,)]
    assert run(reader, by.format('"LOAD_WH"', 10_000))[0][0] > 1000
    assert run(reader, by.format('"load_wh"', 10_000)) == [(0,)]
    assert run(reader, by.format("HIDDEN_WH", 100)) == [(0,)]


def test_result_limit_cuts_before_where(reader: Any) -> None:
    # Up to half an hour ago: the sessions' own statements end at now, and there are more of them with every test.
    table = "table(information_schema.query_history(end_time_range_end => '2026-11-20 09:30:00+00:00' {}))"
    assert run(reader, f"select count(*) c from {table.format('')}") == [(100,)]
    assert run(reader, f"select count(*) c from {table.format(', result_limit => 5')} where query_id = 'q51'") == [(0,)]
    assert run(reader, f"select count(*) c from {table.format(', result_limit => 100')} where query_id = 'q51'") == [
        (1,)
    ]
    newest = run(reader, f"select max(end_time) t from {table.format(', result_limit => 50')}")
    assert newest == [(datetime(2026, 11, 20, 9, 23, 1, tzinfo=UTC),)]  # no 45 minutes of latency here
    oldest = run(
        reader,
        f"select count(*) c from {table.format(', result_limit => 10000')} where start_time < '2026-11-13 09:00:00+00:00'",  # noqa: E501
    )
    assert oldest == [(0,)]
    for bad in ("result_limit => 0", "result_limit => 10001", "no_such => 1", "5", "end_time_range_start => 'soon'"):
        assert fails(reader, f"select * from table(information_schema.query_history({bad}))").errno in (1003, 1015)


def test_cancel_a_live_statement(operator: Any, reader: Any, account: Path) -> None:
    target = "01bcb05d-0415-b618-0047-000000000004"
    assert fails(reader, f"select system$cancel_query('{target}')").errno == 3001
    before, running = len(alters(account)), show(operator, "BI_WH")["running"]
    assert run(operator, f"SELECT SYSTEM$CANCEL_QUERY('{target}')") == [(f"query [{target}] terminated.",)]
    assert show(operator, "BI_WH")["running"] == running - 1
    again = run(operator, f"SELECT SYSTEM$CANCEL_QUERY('{target}')")
    assert again == [("Identified SQL statement is not currently executing.",)]
    assert [line["warehouse"] for line in alters(account)[before:]] == ["BI_WH"]
    ended = run(
        reader,
        "select execution_status, error_code, error_message, end_time "
        f"from table(information_schema.query_history(result_limit => 10000)) where query_id = '{target}'",
    )
    assert ended == [("FAILED_WITH_ERROR", "000604", "SQL execution canceled", NOW)]


@pytest.mark.parametrize("call", ["system$cancel_query('x')", "system$cancel_query()", "1, system$cancel_query('y')"])
def test_cancel_takes_exactly_one_query_id(operator: Any, call: str) -> None:
    assert fails(operator, f"select {call}").errno in (1003, 1044)


def test_suspending_ends_what_was_in_flight(operator: Any, reader: Any) -> None:
    seen = show(reader, "LOAD_WH")
    assert (seen["running"], seen["queued"]) == (1, 1)
    run(operator, "alter warehouse LOAD_WH suspend")
    seen = show(reader, "LOAD_WH")
    assert (seen["state"], seen["running"], seen["queued"]) == ("SUSPENDED", 0, 0)
    found = run(
        reader,
        "select right(query_id, 1) n, execution_status s from table(information_schema.query_history_by_warehouse("
        "warehouse_name => 'LOAD_WH', result_limit => 2)) order by 1",
    )
    assert found == [("1", "SUCCESS"), ("2", "FAILED_WITH_ERROR")]
    run(operator, "alter warehouse LOAD_WH resume")
