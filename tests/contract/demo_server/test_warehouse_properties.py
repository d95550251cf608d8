"""The rest of warehouse DDL: types, generations, constraints, UNSET, replacing, aborting, tags, adaptive warehouses."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from snowflake.connector.errors import ProgrammingError

from tests.contract.demo_server.talk import DONE, fails, records, rows, warehouse

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
RUNAWAY = (
    "with n as (select row_number() over (order by 1) i from table(generator(rowcount => 300000))) "
    "select count(*) c from n a, n b, n d, (select count(*) q from snowflake.account_usage.query_history) "
    "where (a.i * b.i + d.i + q) % 7 = 3"
)


@pytest.fixture
def made(admin: Any, request: pytest.FixtureRequest) -> Iterator[Callable[..., str]]:
    """made("properties") -> the name of a new warehouse that is dropped afterwards."""
    names: list[str] = []

    def make(properties: str = "INITIALLY_SUSPENDED = TRUE", how: str = "") -> str:
        name = f"P_{abs(hash(request.node.name)) % 10**8}_{len(names)}"
        rows(admin, f"create {how} warehouse {name} {properties}")
        names.append(name)
        return name

    yield make
    for name in names:
        rows(admin, f"drop warehouse if exists {name}")


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ("", {"size": "X-Small", "generation": "2", "resource_constraint": "STANDARD_GEN_2", "auto_suspend": 600,
              "enable_query_acceleration": "true", "query_acceleration_max_scale_factor": 2, "state": "STARTED",
              "auto_resume": "true", "scaling_policy": "STANDARD", "resource_monitor": "null"}),
        ("generation = '1'", {"generation": "1", "enable_query_acceleration": "false",
                              "query_acceleration_max_scale_factor": 8, "resource_constraint": "STANDARD_GEN_1"}),
        ("resource_constraint = standard_gen_1 max_cluster_count = 2",
         {"generation": "1", "enable_query_acceleration": "true", "query_acceleration_max_scale_factor": 2}),
        ("warehouse_size = x5large", {"size": "5X-Large", "generation": "1"}),
        ("warehouse_type = 'snowpark-optimized'",
         {"type": "SNOWPARK-OPTIMIZED", "size": "Medium", "generation": None, "resource_constraint": "MEMORY_16X"}),
        ("warehouse_type = 'SNOWPARK-OPTIMIZED' resource_constraint = 'MEMORY_1X_X86' warehouse_size = xsmall",
         {"size": "X-Small", "resource_constraint": "MEMORY_1X_x86"}),
        ("warehouse_type = adaptive",
         {"type": "ADAPTIVE", "state": "ENABLED", "size": None, "auto_suspend": None, "max_cluster_count": None}),
    ],
)  # fmt: skip
def test_defaults_of_a_new_warehouse(
    made: Callable[..., str], admin: Any, properties: str, expected: dict[str, Any]
) -> None:
    seen = warehouse(admin, made(properties))
    assert {k: seen[k] for k in expected} == expected


@pytest.mark.parametrize(
    ("start", "setting", "errno"),
    [
        ("", "generation = '3'", 1422),
        ("", "generation = '2' resource_constraint = standard_gen_1", 1423),
        ("", "resource_constraint = memory_16x", 1423),
        ("", "warehouse_size = x6large", 1423),
        ("warehouse_size = small", "warehouse_type = 'SNOWPARK-OPTIMIZED'", 1423),
        ("warehouse_type = 'SNOWPARK-OPTIMIZED'", "warehouse_size = small", 1423),
        ("warehouse_type = 'SNOWPARK-OPTIMIZED'", "generation = '2'", 1423),
        ("warehouse_type = 'SNOWPARK-OPTIMIZED'", "resource_constraint = memory_64x", 1423),
        ("warehouse_type = 'SNOWPARK-OPTIMIZED'", "warehouse_type = adaptive", 1423),
        ("warehouse_size = x5large", "warehouse_type = adaptive", 1423),
        ("warehouse_type = adaptive", "warehouse_size = small", 1420),
        ("warehouse_type = adaptive", "scaling_policy = economy", 1420),
        ("", "statement_timeout_in_seconds = 604801", 1422),
        ("", "query_acceleration_max_scale_factor = 101", 1422),
        ("", "wait_for_completion = false auto_suspend = 60", 1003),
        ("", "resource_monitor = no_such_monitor", 2003),
    ],
)
def test_what_does_not_fit_together_is_refused(
    made: Callable[..., str], admin: Any, start: str, setting: str, errno: int
) -> None:
    name = made(f"{start} initially_suspended = true")
    before = warehouse(admin, name)
    assert fails(admin, f"alter warehouse {name} set {setting}").errno == errno
    assert warehouse(admin, name) == before


def test_generation_and_constraint_are_one_thing_said_twice(made: Callable[..., str], operator: Any) -> None:
    name = made("generation = '1'")
    rows(operator, f"alter warehouse {name} set generation = '2'")
    seen = warehouse(operator, name)
    assert (seen["generation"], seen["resource_constraint"]) == ("2", "STANDARD_GEN_2")
    assert seen["enable_query_acceleration"] == "false"  # altering a generation does not turn it on
    rows(operator, f"alter warehouse {name} set resource_constraint = standard_gen_1")
    assert warehouse(operator, name)["generation"] == "1"
    rows(operator, f"alter warehouse {name} set warehouse_size = medium")
    rows(operator, f"alter warehouse {name} set warehouse_type = 'SNOWPARK-OPTIMIZED'")
    assert warehouse(operator, name)["resource_constraint"] == "MEMORY_16X"
    rows(operator, f"alter warehouse {name} set warehouse_type = standard")
    seen = warehouse(operator, name)
    assert (seen["generation"], seen["resource_constraint"]) == ("1", "STANDARD_GEN_1")


def test_unset_goes_back_to_the_default_but_for_auto_suspend(made: Callable[..., str], operator: Any) -> None:
    name = made(
        "auto_suspend = 60 comment = 'x' max_cluster_count = 3 scaling_policy = economy auto_resume = false "
        "statement_timeout_in_seconds = 30 max_concurrency_level = 4 initially_suspended = true"
    )
    level = f"show parameters like 'statement_timeout%' in warehouse {name}"
    assert [(r["value"], r["level"]) for r in records(operator, level)] == [("30", "WAREHOUSE")]
    names = "auto_suspend, comment, max_cluster_count, scaling_policy, auto_resume, statement_timeout_in_seconds"
    assert rows(operator, f"alter warehouse {name} unset {names}") == DONE
    seen = warehouse(operator, name)
    assert seen["auto_suspend"] is None  # never, and not 600: undo with SET
    assert (seen["comment"], seen["max_cluster_count"], seen["scaling_policy"]) == ("", 1, "STANDARD")
    assert seen["auto_resume"] == "true"
    assert [(r["value"], r["level"]) for r in records(operator, level)] == [("172800", "")]
    concurrency = f"show parameters like 'max_concurrency_level' in warehouse {name}"
    assert [r["value"] for r in records(operator, concurrency)] == ["4"]
    for bad in ("warehouse_size", "initially_suspended", "no_such", "wait_for_completion"):
        assert fails(operator, f"alter warehouse {name} unset {bad}").errno == 1420


def test_create_or_replace_makes_another_warehouse(made: Callable[..., str], admin: Any) -> None:
    name = made("auto_suspend = 60 statement_timeout_in_seconds = 30")
    before = warehouse(admin, name)
    said = rows(admin, f"create or replace warehouse {name} warehouse_size = small")
    assert said == [(f"Warehouse {name} successfully created.",)]
    after = warehouse(admin, name)
    assert after["uuid"] != before["uuid"]
    assert (after["size"], after["auto_suspend"], after["state"]) == ("Small", 600, "STARTED")
    timeout = records(admin, f"show parameters like 'statement_timeout%' in warehouse {name}")
    assert timeout[0]["value"] == "172800"


def test_create_or_replace_aborts_what_runs(admin: Any) -> None:
    running = "select execution_status s, error_code c from table(information_schema.query_history_by_warehouse('HIDDEN_WH')) where query_id like '%3' and user_name = 'ANA'"  # noqa: E501
    assert rows(admin, running)[0] == ("RUNNING", None)
    rows(admin, "create or replace warehouse HIDDEN_WH warehouse_size = small generation = '1'")
    assert rows(admin, running)[0] == ("FAILED_WITH_ERROR", "000604")
    assert warehouse(admin, "HIDDEN_WH")["running"] == 0


def test_create_or_alter_resets_what_it_does_not_name(made: Callable[..., str], admin: Any) -> None:
    name = made("auto_suspend = 60 comment = 'x' warehouse_size = small statement_timeout_in_seconds = 30")
    before = warehouse(admin, name)
    assert rows(admin, f"create or alter warehouse {name} with auto_suspend = 120") == DONE
    after = warehouse(admin, name)
    assert (after["auto_suspend"], after["comment"], after["size"]) == (120, "", "X-Small")
    assert (after["uuid"], after["state"]) == (before["uuid"], "STARTED")
    timeout = records(admin, f"show parameters like 'statement_timeout%' in warehouse {name}")
    assert timeout[0]["value"] == "172800"
    fresh = f"{name}_NEW"
    rows(admin, f"create or alter warehouse {fresh} initially_suspended = true")
    assert warehouse(admin, fresh)["state"] == "SUSPENDED"
    rows(admin, f"drop warehouse {fresh}")


def test_a_renamed_warehouse_keeps_its_session_and_its_parameters(made: Callable[..., str], connect: Any) -> None:
    admin = connect("ADMIN")
    name = made("statement_timeout_in_seconds = 30")
    rows(admin, f"use warehouse {name}")
    rows(admin, f'alter warehouse rename to "{name} two"')
    assert rows(admin, "select current_warehouse() w") == [(f"{name} two",)]
    found = records(admin, f"show parameters like 'statement_timeout%' in warehouse \"{name} two\"")
    assert found[0]["value"] == "30"
    assert fails(admin, f'alter warehouse "{name} two" rename to BI_WH').errno == 2002
    rows(admin, f'alter warehouse "{name} two" rename to {name}')


def test_adaptive_warehouses_are_enabled_and_disabled(made: Callable[..., str], admin: Any, operator: Any) -> None:
    name = made("warehouse_type = adaptive")
    assert rows(operator, f"alter warehouse {name} disable") == DONE
    assert warehouse(operator, name)["state"] == "DISABLED"
    assert fails(operator, f"alter warehouse {name} disable").errno == 90063
    assert rows(operator, f"alter warehouse {name} enable") == DONE
    assert warehouse(operator, name)["state"] == "ENABLED"
    assert fails(operator, "alter warehouse BI_WH enable").errno == 90063
    rows(operator, f"alter warehouse {name} set warehouse_type = standard")
    seen = warehouse(operator, name)
    assert (seen["state"], seen["size"], seen["generation"]) == ("SUSPENDED", "X-Small", "1")
    rows(operator, f"alter warehouse {name} set warehouse_type = adaptive")
    assert warehouse(operator, name)["state"] == "ENABLED"


def test_tags_are_the_administrators(made: Callable[..., str], admin: Any, reader: Any) -> None:
    name = made()
    assert rows(admin, f"alter warehouse {name} set tag gov.tags.cost_center = 'fin', team = 'it''s'") == DONE
    assert rows(admin, f"alter warehouse {name} set tag GOV.TAGS.COST_CENTER = 'ops'") == DONE
    view = f"select tag_database, tag_name, tag_value, domain from snowflake.account_usage.tag_references where object_name = '{name}' order by 2"  # noqa: E501
    assert rows(reader, view) == [("GOV", "COST_CENTER", "ops", "WAREHOUSE"), (None, "TEAM", "it's", "WAREHOUSE")]
    assert rows(admin, f"alter warehouse {name} unset tag gov.tags.cost_center, team") == DONE
    assert rows(reader, view) == []
    assert fails(admin, f"alter warehouse {name} set tag t = '{'x' * 257}'").errno == 1422


def test_abort_all_queries_ends_everybodys_statements(
    made: Callable[..., str], connect: Callable[..., Any], operator: Any, reader: Any
) -> None:
    name = made("")
    busy, failures = connect("READER", warehouse=name), []

    def work() -> None:
        try:
            busy.cursor().execute(RUNAWAY)
        except ProgrammingError as error:
            failures.append(error.errno)

    worker = threading.Thread(target=work)
    worker.start()
    running = f"select query_text from table(information_schema.query_history_by_warehouse('{name}')) where execution_status = 'RUNNING'"  # noqa: E501
    for _ in range(100):
        if found := rows(operator, running):
            break
        time.sleep(0.05)
    assert found == [(RUNAWAY,)]
    assert warehouse(operator, name)["running"] == 1
    assert fails(reader, f"alter warehouse {name} abort all queries").errno == 3001
    assert rows(operator, f"alter warehouse {name} abort all queries") == DONE
    worker.join(10)
    assert failures == [604]
    assert warehouse(operator, name)["running"] == 0
    assert warehouse(operator, name)["state"] == "STARTED"


def test_cancel_a_statement_of_another_session(connect: Callable[..., Any], operator: Any) -> None:
    busy, failures = connect("READER", warehouse="BI_WH"), []
    cursor = busy.cursor()
    worker = threading.Thread(target=lambda: failures.append(_errno(cursor)))
    worker.start()
    own = "select query_id from table(information_schema.query_history_by_user('FROSTLINE_READER')) where execution_status = 'RUNNING'"  # noqa: E501
    for _ in range(100):
        if found := rows(operator, own):
            break
        time.sleep(0.05)
    ((target,),) = found
    assert rows(operator, f"select system$cancel_query('{target}')") == [(f"query [{target}] terminated.",)]
    worker.join(10)
    assert failures == [604]
    again = rows(operator, f"select system$cancel_query('{target}')")
    assert again == [("Identified SQL statement is not currently executing.",)]


def _errno(cursor: Any) -> int | None:
    with pytest.raises(ProgrammingError) as caught:
        cursor.execute(RUNAWAY)
    return caught.value.errno
