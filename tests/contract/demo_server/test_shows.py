"""SHOW ROLES, GRANTS, USERS, TASKS and PARAMETERS; the flow operator over them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.contract.demo_server.talk import fails, records, rows


def privileges(connection: Any, sql: str) -> set[tuple[str, str, str]]:
    return {(r["privilege"], r["granted_on"], r["name"]) for r in records(connection, sql)}


def test_the_readers_grants_change_nothing(reader: Any) -> None:
    found = privileges(reader, "show grants to role cost_reader")
    assert ("USAGE", "DATABASE_ROLE", "SNOWFLAKE.USAGE_VIEWER") in found
    assert ("MONITOR", "WAREHOUSE", "BI_WH") in found
    assert ("MONITOR", "WAREHOUSE", '"etl lower"') in found
    assert ("MONITOR USAGE", "ACCOUNT", "TINY") in found
    assert not {p for p, _, _ in found} & {"MODIFY", "OPERATE", "OWNERSHIP", "MANAGE WAREHOUSES"}
    assert "HIDDEN_WH" not in {name for _, _, name in found}


def test_the_operators_grants_are_those_that_setup_prints(operator: Any) -> None:
    found = privileges(operator, "SHOW GRANTS TO ROLE COST_OPERATOR")
    assert {p for p, on, name in found if name == "BI_WH"} == {"MODIFY", "MONITOR", "OPERATE"}
    assert {on for _, on, _ in found} == {"WAREHOUSE"}
    assert ("MODIFY", "WAREHOUSE", "HIDDEN_WH") in found


def test_grants_on_of_and_to_user(reader: Any, operator: Any, admin: Any) -> None:
    on = records(operator, "show grants on warehouse BI_WH")
    assert {(r["privilege"], r["grantee_name"]) for r in on} >= {
        ("MONITOR", "COST_READER"),
        ("OPERATE", "COST_OPERATOR"),
    }
    assert list(on[0]) == [
        "created_on", "privilege", "granted_on", "name", "granted_to", "grantee_name", "grant_option", "granted_by",
    ]  # fmt: skip
    (held,) = records(reader, "show grants of role COST_READER")
    assert (held["role"], held["grantee_name"]) == ("COST_READER", "FROSTLINE_READER")
    assert records(reader, "show grants") == records(reader, "show grants to user FROSTLINE_READER")
    assert [r["role"] for r in records(reader, "show grants")] == ["COST_READER"]
    assert {r["privilege"] for r in records(admin, "show grants on account")} >= {
        "CREATE WAREHOUSE",
        "MANAGE WAREHOUSES",
    }
    assert fails(reader, "show grants on warehouse HIDDEN_WH").errno == 2003
    assert fails(reader, "show grants to role nobody").errno == 2003
    assert fails(reader, "show grants to user nobody").errno == 2003


def test_roles_and_users(reader: Any, admin: Any) -> None:
    names = {r["name"]: r for r in records(reader, "show roles")}
    assert {"ACCOUNTADMIN", "PUBLIC", "COST_READER", "COST_OPERATOR", "SYSADMIN"} <= set(names)
    assert [n for n, r in names.items() if r["is_current"] == "Y"] == ["COST_READER"]
    assert [r["name"] for r in records(reader, "show roles like 'cost%' limit 1")] == ["COST_OPERATOR"]
    users = {r["name"]: r for r in records(reader, "show users")}
    assert users["ANA"]["disabled"] is None  # other people are names to who does not manage grants
    assert users["FROSTLINE_READER"]["default_role"] == "COST_READER"
    assert {r["name"]: r["disabled"] for r in records(admin, "show users")}["ANA"] == "false"


def test_tasks(reader: Any, operator: Any) -> None:
    found = {r["name"]: r for r in records(reader, "show tasks")}
    assert list(found) == ["LOAD_ORDERS", "SUM_UP", "NIGHTLY"]
    assert (found["NIGHTLY"]["state"], found["NIGHTLY"]["schedule"]) == ("suspended", "USING CRON 0 2 * * * UTC")
    assert found["SUM_UP"]["warehouse"] is None
    for clause, names in {
        "in account": ["LOAD_ORDERS", "SUM_UP", "NIGHTLY"],
        "in schema prod.etl": ["LOAD_ORDERS", "SUM_UP"],
        "in database prod root only": ["LOAD_ORDERS", "NIGHTLY"],
        "like '%up%' in prod.etl": ["SUM_UP"],
        "in account starts with 'N'": ["NIGHTLY"],
        "in account limit 1": ["LOAD_ORDERS"],
        "in database nowhere": [],
    }.items():
        assert [r["name"] for r in records(reader, f"show tasks {clause}")] == names, clause
    assert records(operator, "show tasks") == []
    assert fails(reader, "show tasks in a.b.c").errno == 2043


def test_parameters_of_every_level(connect: Callable[..., Any]) -> None:
    connection = connect("READER")
    rows(connection, "alter session set statement_timeout_in_seconds = 77")
    level = "show parameters like 'statement_timeout%' {}"
    assert [(r["value"], r["level"]) for r in records(connection, level.format("in session"))] == [("77", "SESSION")]
    assert [(r["value"], r["level"]) for r in records(connection, level.format("in account"))] == [("172800", "")]
    assert [r["value"] for r in records(connection, level.format("for user FROSTLINE_READER"))] == ["172800"]
    assert [r["value"] for r in records(connection, level.format("for user"))] == ["172800"]
    assert fails(connection, level.format("in user NOBODY")).errno == 2043
    assert [r["key"] for r in records(connection, "show parameters in warehouse BI_WH")] == [
        "MAX_CONCURRENCY_LEVEL", "STATEMENT_QUEUED_TIMEOUT_IN_SECONDS", "STATEMENT_TIMEOUT_IN_SECONDS",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "what", ["databases", "tables", "locks", "resource", "resource things", "grants x", "nonsense"]
)
def test_what_is_not_shown_is_refused(reader: Any, what: str) -> None:
    assert fails(reader, f"show {what}").errno in (2, 1003)


# --- ->> -------------------------------------------------------------------------------------------------------------


def test_a_chain_reads_the_results_before_it(reader: Any) -> None:
    size = 'show warehouses ->> select "name" n from $1 where "size" = \'Medium\''
    assert rows(reader, size) == [("BI_WH",)]
    three = (
        "show warehouses like 'B%' /* ->> not here */ ->> select \"name\" n, '->> $1' t from $1\n"
        '->> select s.n, s.t, w."size" z from $1 s join $2 w on w."name" = s.n;'
    )
    assert rows(reader, three) == [("BI_WH", "->> $1", "Medium")]
    cursor = reader.cursor().execute("select 41 + 1 as a ->> select a, a + 1 b from $1")
    assert cursor.fetchall() == [(42, 43)]
    assert rows(reader, f"select b from table(result_scan('{cursor.sfqid}'))") == [(43,)]


@pytest.mark.parametrize(
    ("sql", "errno"),
    [
        ("select 1 a ->> select * from $2", 1003),
        ("select 1 a ->>", 1003),
        ("->> select 1 a", 1003),
        ("select 1 a ->> ->> select 2 a", 1003),
        ("select * from $1", 2211),
        ("select 1 a ->> select * from snowflake._raw.clock", 2003),
        ("select 1 a ->> drop warehouse BI_WH", 3001),
        ("select 1 a " + "->> select 1 a " * 60, 1003),
        ("select 1 a ->> select 1 b; select 2 c", 8),
    ],
)
def test_a_chain_opens_no_door(reader: Any, sql: str, errno: int) -> None:
    assert fails(reader, sql).errno in (errno, 1003)
