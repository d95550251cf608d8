"""Login, identity, session parameters, account time and results, by the real connector over real HTTP."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import snowflake.connector
from snowflake.connector.errors import DatabaseError, ProgrammingError

from tools.demo.process import Endpoint

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
USAGE = "SNOWFLAKE.ACCOUNT_USAGE.QUERY_HISTORY"


def rows(connection: Any, sql: str, params: Any = None) -> list[Any]:
    return list(connection.cursor().execute(sql, params).fetchall())


def fails(connection: Any, sql: str) -> ProgrammingError:
    with pytest.raises(ProgrammingError) as caught:
        connection.cursor().execute(sql)
    return caught.value


def test_login_says_who_and_where(connect: Callable[..., Any]) -> None:
    connection = connect(
        "READER",
        role="COST_READER",
        warehouse="LOAD_WH",
        database="SNOWFLAKE",
        secondary_roles="NONE",
        application="frostline",
    )
    assert (connection.role, connection.warehouse, connection.database) == ("COST_READER", "LOAD_WH", "SNOWFLAKE")
    assert rows(
        connection, "select current_user() u, current_role() r, current_warehouse() w, current_account() a"
    ) == [("FROSTLINE_READER", "COST_READER", "LOAD_WH", "TINY")]
    (line,) = rows(
        connection, "select current_session() s, current_region() g, current_version() v, current_available_roles() r"
    )
    assert line[0] == str(connection.session_id)
    assert json.loads(line[3]) == ["COST_READER", "PUBLIC"]


def test_wrong_password_is_refused_at_once(connect: Callable[..., Any]) -> None:
    began = time.monotonic()
    for changes in ({"password": "wrong"}, {"password": "x", "user": "NOBODY"}):
        with pytest.raises(DatabaseError) as caught:
            connect("READER", **changes)
        assert caught.value.errno == 390100  # the connector puts its own SQLSTATE (28000) in place of the server's
    assert time.monotonic() - began < 10  # each of the two would be tried for so long


def test_a_role_that_is_not_the_users_is_refused(connect: Callable[..., Any]) -> None:
    with pytest.raises(DatabaseError, match="COST_OPERATOR"):
        connect("READER", role="COST_OPERATOR")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/queries/v1/query-request"),
        ("POST", "/queries/v1/abort-request"),
        ("POST", "/session"),
        ("POST", "/session/heartbeat"),
        ("POST", "/session/token-request"),
        ("POST", "/telemetry/send"),
        ("GET", "/monitoring/queries/x"),
        ("GET", "/queries/x/result"),
        ("GET", "/frostline/health"),
        ("GET", "/frostline/health?nonce=a&mac=b"),
    ],
)
def test_without_a_token_nothing_answers(endpoint: Endpoint, method: str, path: str) -> None:
    for headers in ({}, {"Authorization": 'Snowflake Token="guess"'}):
        line = http.client.HTTPConnection(endpoint.host, endpoint.port, timeout=5)
        line.request(method, path, body=json.dumps({"sqlText": "select 1"}), headers=headers)
        answer = line.getresponse()
        text = answer.read()
        line.close()
        assert answer.status in (401, 403) or json.loads(text)["success"] is False
        assert answer.status < 500


def test_a_session_of_a_server_that_is_gone_says_log_in_again(connect: Callable[..., Any]) -> None:
    connection = connect()
    connection.rest._token = connection.rest._master_token = "of another server"
    began = time.monotonic()
    with pytest.raises(ProgrammingError) as caught:
        connection.cursor().execute("select 1")
    assert caught.value.errno == 390114
    assert time.monotonic() - began < 20  # the connector would ask again for 30


def test_a_renewed_token_goes_on(connect: Callable[..., Any]) -> None:
    connection = connect()
    connection.rest._token = "expired"
    assert rows(connection, "select 1 as one") == [(1,)]


def test_account_time_stands_still_in_sql(connect: Callable[..., Any]) -> None:
    connection = connect()
    (line,) = rows(
        connection,
        "select current_timestamp() a, current_timestamp b, localtimestamp() c, getdate() d, sysdate() e, current_date() f, "  # noqa: E501
        "current_timestamp(3) g",
    )
    assert line == (NOW, NOW, NOW, NOW, NOW.replace(tzinfo=None), date(2026, 11, 20), NOW)
    hour = f"select count(*) c from {USAGE} where start_time >= dateadd('hour', -2, current_timestamp())"
    assert rows(connection, hour) == [(10,)]  # 08:06 ... 09:09; the last 45 minutes are not loaded yet


def test_session_time_zone_rules_days(connect: Callable[..., Any]) -> None:
    sql = f"select date_trunc('day', max(start_time)) d, max(start_time) t from {USAGE}"
    utc = connect()
    pacific = connect(session_parameters={})  # the account's own zone
    (day, newest), (day_la, newest_la) = rows(utc, sql)[0], rows(pacific, sql)[0]
    assert newest == newest_la == datetime(2026, 11, 20, 9, 9, tzinfo=UTC)
    assert day == datetime(2026, 11, 20, tzinfo=UTC)
    assert day_la == datetime(2026, 11, 20, 8, tzinfo=UTC)
    assert newest_la.utcoffset() == timedelta(hours=-8)
    assert rows(pacific, "show parameters like 'TIMEZONE'")[0][1] == "America/Los_Angeles"
    pacific.cursor().execute("alter session set timezone = 'Europe/Berlin', query_tag = 'x'")
    assert rows(pacific, sql)[0][0] == datetime(2026, 11, 19, 23, tzinfo=UTC)
    pacific.cursor().execute("alter session unset timezone, query_tag")
    assert rows(pacific, "show parameters like 'timezone' in session")[0][:2] == ("TIMEZONE", "America/Los_Angeles")
    assert fails(pacific, "alter session set timezone = 'Mars/Olympus'").errno == 1008
    assert fails(pacific, "alter session set no_such_thing = 1").errno == 1006


def test_show_parameters(reader: Any) -> None:
    cursor = reader.cursor(snowflake.connector.DictCursor)
    (line,) = cursor.execute("SHOW PARAMETERS LIKE 'timezone' IN ACCOUNT").fetchall()
    assert list(line) == ["key", "value", "default", "level", "description", "type"]
    assert (line["key"], line["value"]) == ("TIMEZONE", "America/Los_Angeles")
    found = {r[0]: r[1] for r in rows(reader, 'show parameters in warehouse "etl lower"')}
    assert found["STATEMENT_TIMEOUT_IN_SECONDS"] == "172800"
    assert fails(reader, "show parameters in warehouse HIDDEN_WH").errno == 2043


def test_use(connect: Callable[..., Any]) -> None:
    connection = connect()
    cursor = connection.cursor()
    cursor.execute('use warehouse "etl lower"')
    assert connection.warehouse == "etl lower"
    assert rows(connection, "select current_warehouse() w") == [("etl lower",)]
    for statement in (
        "use role cost_reader",
        "use secondary roles none",
        "use database snowflake",
        "use schema account_usage",
    ):
        cursor.execute(statement)
    assert rows(connection, "select count(*) c from query_history") == rows(
        connection, f"select count(*) c from {USAGE}"
    )
    assert fails(connection, "use warehouse NO_SUCH").errno == 2043
    assert fails(connection, "use warehouse hidden_wh").errno == 2043
    assert fails(connection, "use role accountadmin").sqlstate == "42501"
    assert fails(connection, "use database other").errno == 2043


def test_types_arrive_as_snowflakes(reader: Any) -> None:
    (line,) = rows(
        reader,
        "select 1 a, 1.50::number(10,2) b, 0.5::float c, 'x' d, true e, null f, null::timestamp_ltz g, "
        "'2026-01-02'::date h, '2026-01-02 03:04:05.678'::timestamp_ntz i, '2026-07-01 00:00:00+02:00'::timestamp_tz j, "  # noqa: E501
        "sum(n) k, parse_json('{\"a\":[1]}') l, '-infinity' m from (values (1),(2)) v(n)",
    )
    assert line[:7] == (1, Decimal("1.50"), 0.5, "x", True, None, None)
    assert line[7:10] == (
        date(2026, 1, 2),
        datetime(2026, 1, 2, 3, 4, 5, 678000),  # noqa: DTZ001
        datetime(2026, 6, 30, 22, tzinfo=UTC),
    )
    assert line[10] == 3 and isinstance(line[10], int)
    assert json.loads(line[11]) == {"a": [1]}


def test_null_timestamps_stay_null_in_rows_arrow_and_before_1970(reader: Any) -> None:
    sql = "select n, iff(n = 2, null, '1969-12-31 23:59:59.5+00:00'::timestamp_tz) t from (values (1),(2),(3)) v(n) order by n"  # noqa: E501
    early = datetime(1969, 12, 31, 23, 59, 59, 500000, tzinfo=UTC)
    assert rows(reader, sql) == [(1, early), (2, None), (3, early)]
    table = reader.cursor().execute(sql).fetch_arrow_all()
    assert table.column(1).null_count == 1
    assert table.num_rows == 3


def test_arrow_and_pandas(reader: Any) -> None:
    cursor = reader.cursor()
    cursor.execute(f"select query_id, start_time, total_elapsed_time from {USAGE} order by start_time desc limit 500")
    table = cursor.fetch_arrow_all()
    assert (table.num_rows, table.column_names) == (500, ["QUERY_ID", "START_TIME", "TOTAL_ELAPSED_TIME"])
    empty = cursor.execute(f"select query_id from {USAGE} where false").fetch_arrow_all(force_return_table=True)
    assert empty.num_rows == 0
    assert rows(reader, f"select query_id from {USAGE} where false") == []


def test_binding_on_either_side(connect: Callable[..., Any]) -> None:
    since = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
    client = connect()
    sql = f"select count(*) c from {USAGE} where start_time >= %s and warehouse_name = %s"
    assert rows(client, sql, (since, "LOAD_WH")) == [(9,)]
    server = connect(paramstyle="qmark")
    sql = sql.replace("%s", "?")
    assert rows(server, sql, (since, "LOAD_WH")) == [(9,)]
    assert rows(server, sql, (since, "'; drop table x --")) == [(0,)]
    assert rows(server, "select cast(? as varchar) t, ? n, ? z", ("it's", 5, None)) == [("it's", 5, None)]


def test_result_scan_and_last_query_id(connect: Callable[..., Any]) -> None:
    connection = connect()
    cursor = connection.cursor()
    cursor.execute("show warehouses")
    shown = cursor.sfqid
    assert rows(connection, "select last_query_id() q") == [(shown,)]
    found = rows(connection, f"select \"name\" from table(result_scan('{shown}')) where \"size\" = 'Medium'")
    assert found == [("BI_WH",)]
    cursor.execute("show warehouses like 'load%'")
    assert rows(connection, 'select upper("name") n from table(result_scan(last_query_id()))') == [("LOAD_WH",)]
    assert rows(connection, "select last_query_id(1) q") == [(shown,)]
    assert fails(connection, "select * from table(result_scan('nothing'))").errno == 709
    other = connect("OPERATOR")
    assert fails(other, f"select * from table(result_scan('{shown}'))").errno == 709


def test_two_sessions_keep_their_own_state(connect: Callable[..., Any]) -> None:
    one, two = connect(), connect()
    one.cursor().execute("use warehouse LOAD_WH")
    two.cursor().execute("alter session set timezone = 'Asia/Tokyo'")
    assert two.warehouse is None
    assert rows(one, "show parameters like 'TIMEZONE'")[0][1] == "UTC"
    assert [r[0] for r in rows(one, "show warehouses") if r[10] == "Y"] == ["LOAD_WH"]
    assert [r[0] for r in rows(two, "show warehouses") if r[10] == "Y"] == []


def test_a_closed_connection_ends_its_session(connect: Callable[..., Any]) -> None:
    connection = connect()
    token = connection.rest._token
    connection.close()
    fresh = connect()
    fresh.rest._token = token
    fresh.rest._master_token = "gone too"
    assert fails(fresh, "select 1").errno == 390114


def test_asynchronous_statements_can_be_fetched(reader: Any) -> None:
    cursor = reader.cursor()
    cursor.execute_async("select 42 as answer")
    other = reader.cursor()
    other.get_results_from_sfqid(cursor.sfqid)
    assert other.fetchall() == [(42,)]


def test_secrets_are_private(account: Path, endpoint: Endpoint) -> None:
    assert endpoint.reader_secret not in repr(endpoint)
    for name in ("reader.secret", "operator.secret", "server.json", "server.log"):
        assert (account / name).stat().st_mode & 0o777 == 0o600
    assert account.stat().st_mode & 0o777 == 0o700
