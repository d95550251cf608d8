"""Default deny: what each identity may not do, and the ways out to DuckDB and the file system that must stay shut."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from snowflake.connector.errors import ProgrammingError

from tools.warehouse.views import VIEWS

USAGE = "snowflake.account_usage"
REFUSED = {2, 8, 900, 904, 1003, 1044, 2003, 2043, 2140, 2141, 2211, 3001}
"""Snowflake's own ways of saying no; never 603 (our failure) and never a result."""


def fails(connection: Any, sql: str) -> ProgrammingError:
    with pytest.raises(ProgrammingError) as caught:
        connection.cursor().execute(sql)
    return caught.value


ESCAPES = """
select * from read_csv('/etc/passwd')
select * from read_csv_auto('/etc/passwd')
select * from read_text('/etc/passwd')
select * from read_blob('/etc/passwd')
select * from read_parquet('/tmp/x.parquet')
select * from parquet_scan('/tmp/x.parquet')
select * from read_json('/tmp/x.json')
select * from table(read_text('/etc/passwd'))
select * from '/etc/passwd'
select * from "/etc/passwd"
select * from "/tmp/x.parquet"
from '/etc/passwd'
from snowflake.account_usage.query_history
select * from glob('/*')
select * from sniff_csv('/etc/passwd')
select * from duckdb_settings()
select * from duckdb_settings
select * from "duckdb_tables"
select * from duckdb_databases()
select * from pragma_database_list()
select * from pragma_table_info('x')
select * from sqlite_master
select * from pg_catalog.pg_tables
select * from information_schema.tables
select * from snowflake.information_schema.columns
select * from system.information_schema.tables
select * from memory.main.x
select * from _fs_global._fs_information_schema._fs_users
select * from snowflake._fs_information_schema._fs_load_history
select * from _raw.query_history
select * from snowflake._raw.warehouses
select * from SNOWFLAKE."_RAW".CLOCK
select * from "SNOWFLAKE"."_raw"."CLOCK"
select * from snowflake . /* a comment */ _raw . clock
with q as (select * from snowflake._raw.clock) select * from q
with a as (select * from b), b as (select 1 x) select * from a
with x as (with duckdb_settings as (select 1 y) select 1 z) select * from duckdb_settings
with recursive r as (select 1 n union all select n + 1 from r, snowflake._raw.clock where n < 3) select * from r
select (select max(now) from snowflake._raw.clock)
select 1 where exists (select 1 from snowflake._raw.clock)
select 1 union all select 2 from snowflake._raw.clock
select * from (select * from (select * from snowflake._raw.clock))
select * from snowflake.account_usage.query_history q, lateral (select * from snowflake._raw.clock)
select case when 1 in (select 1 from snowflake._raw.clock) then 1 end
select * from snowflake.account_usage.query_history order by (select 1 from snowflake._raw.clock)
select * from snowflake.account_usage."query_history"
select * from other.account_usage.query_history
select * from a.b.c.d
select * from identifier('snowflake._raw.clock')
select identifier('now') from snowflake._raw.clock
select * from table('snowflake._raw.clock')
select * from table(?)
select * from @stage/file
select * from @~/file
select $1 from @stage
select $variable
select getenv('HOME')
select current_setting('memory_limit')
select getvariable('x')
select nextval('x')
select sleep_ms(10000)
select write_log('x')
select json_serialize_sql('select 1')
select * from json_execute_serialized_sql('x')
select * from query('select 1')
select * from query_table('snowflake._raw.clock')
select main.read_text('/etc/passwd')
select 'x'.read_text()
select snowflake.cortex.complete('a', 'b')
select * from range(10)
select * from test_all_types()
select columns('.*') from snowflake.account_usage.query_history
select 1 into x
select * from snowflake.account_usage.query_history for update
select * from snowflake.account_usage.query_history at(offset => -60)
select x.nextval from snowflake.account_usage.query_history
insert into snowflake.account_usage.query_history (query_id) values ('x')
update snowflake.account_usage.query_history set query_id = 'x'
delete from snowflake.account_usage.query_history
merge into x using y on x.a = y.a when matched then delete
truncate table snowflake.account_usage.query_history
create table x as select 1 a
create temporary table x (a int)
create or replace view v as select 1 a
create macro f(x) as x
create secret s (type s3)
drop table snowflake.account_usage.query_history
drop schema snowflake.account_usage cascade
drop database snowflake
alter table x add column y int
alter account set timezone = 'UTC'
alter user frostline_reader set password = 'x'
copy into @s from (select 1)
copy (select 1) to '/tmp/out.csv'
put file://etc/passwd @~
get @~ file://tmp/
list @~
attach '/tmp/x.db'
attach ':memory:' as m
detach snowflake
use memory
use schema _raw
install httpfs
load httpfs
export database '/tmp/y'
import database '/tmp/y'
pragma database_list
set memory_limit = '10GB'
set x = 1
reset memory_limit
checkpoint
vacuum
explain select 1
describe table snowflake._raw.clock
describe select 1
summarize snowflake.account_usage.query_history
show tables in schema snowflake._raw
call pragma_version()
execute immediate 'select 1'
grant all on account to role x
comment on table x is 'y'
select 1; select 2
select 1; drop table x
select 1 as a /* ; */ ; delete from x
values (1)
table snowflake.account_usage.query_history
""".strip().splitlines()


@pytest.mark.parametrize("sql", ESCAPES)
def test_no_way_out(reader: Any, operator: Any, sql: str, tmp_path: Path) -> None:
    for connection in (reader, operator):
        error = fails(connection, sql)
        assert error.errno in REFUSED, error
        assert "root:" not in str(error)
    assert not Path("/tmp/out.csv").exists()


@pytest.mark.parametrize(
    "sql",
    [
        f"select count(*) c from {USAGE}.query_history",
        'select count(*) c from "SNOWFLAKE"."ACCOUNT_USAGE"."QUERY_HISTORY" as q where q.start_time is not null',
        "with duckdb_settings as (select 1 x) select x from duckdb_settings",
        "with a as (select 1 x), b as (select x + 1 y from a) select y from b where y in (select y from b)",
        "with recursive r as (select 1 n union all select n + 1 from r where n < 3) select max(n) m from r",
        f"select warehouse_name, count(*) c from {USAGE}.query_history group by 1 qualify row_number() over (order by c desc) = 1",  # noqa: E501
        "select f.value::int v from table(flatten(input => parse_json('[1,2]'))) f",
        "select count(*) c from table(generator(rowcount => 5))",
        "select * from (values (1, 'it''s _raw; drop table x -- read_csv(''/etc/passwd'')')) v(a, b)",
        f"select q.query_id from {USAGE}.query_history q join {USAGE}.warehouse_metering_history m using (warehouse_name) limit 1",  # noqa: E501
    ],
)
def test_ordinary_queries_pass(reader: Any, sql: str) -> None:
    reader.cursor().execute(sql).fetchall()


@pytest.mark.parametrize("view", sorted(VIEWS))
def test_account_usage_is_the_readers_alone(reader: Any, operator: Any, view: str) -> None:
    sql = f"select count(*) c from {USAGE}.{view}"
    assert reader.cursor().execute(sql).fetchall()[0][0] >= 0
    error = fails(operator, sql)
    assert (error.errno, error.sqlstate) == (2003, "42S02")
    assert "does not exist or not authorized" in str(error)


@pytest.mark.parametrize(
    "sql",
    [
        "alter warehouse LOAD_WH suspend",
        "alter warehouse LOAD_WH set auto_suspend = 60",
        "alter warehouse LOAD_WH set nonsense",
        "alter warehouse if exists LOAD_WH resume if suspended",
        "create warehouse x",
        "create warehouse if not exists LOAD_WH",
        "create or replace warehouse LOAD_WH",
        "drop warehouse LOAD_WH",
        "drop warehouse if exists LOAD_WH",
        "create or alter warehouse LOAD_WH",
        "alter warehouse LOAD_WH abort all queries",
        "alter warehouse LOAD_WH rename to X",
        "alter warehouse LOAD_WH set tag a = 'b'",
        "alter warehouse ADAPTIVE_WH disable",
        "create resource monitor m",
        "alter account set resource_monitor = m",
        "show warehouses ->> alter warehouse LOAD_WH suspend",
        "select system$cancel_query('01bcb05d-0415-b618-0047-000000000001')",
    ],
)
def test_the_reader_changes_nothing(reader: Any, account: Path, sql: str) -> None:
    logged = (account / "alters.jsonl").read_text() if (account / "alters.jsonl").exists() else ""
    error = fails(reader, sql)
    assert (error.errno, error.sqlstate) == (3001, "42501")
    assert "Insufficient privileges" in str(error)
    assert ((account / "alters.jsonl").read_text() if logged else "") == logged


def test_what_is_hidden_looks_missing(reader: Any) -> None:
    for sql in ("alter warehouse HIDDEN_WH suspend", "drop warehouse HIDDEN_WH"):
        error = fails(reader, sql)
        assert (error.errno, error.sqlstate) == (2003, "02000")


def test_the_operator_neither_creates_nor_drops(operator: Any) -> None:
    for sql in ("create warehouse x", "drop warehouse LOAD_WH", "create or replace warehouse LOAD_WH"):
        assert fails(operator, sql).errno == 3001


def test_odd_texts_get_an_answer(reader: Any) -> None:
    texts = ["", ";", "--", "/* */", "'", '"', "(", ")", "select", "select '", "select (((((1", "alter", "alter warehouse", "show", "use",  # noqa: E501
             "\x00", "select 1 \x00", "ÄÖÜ", "select 'ü💥' a", "select 1 a -- ;", "/* ; */ select 1 a", "select " + "1+" * 3000 + "1 a",  # noqa: E501
             "select " + "(" * 3000 + "1" + ")" * 3000, "select " + "'" + "x" * 1_000_001 + "'", "show warehouses like",
             "show warehouses limit x", "alter session", "alter session set", "describe", "drop", "create", "with", "select * from"]  # fmt: skip  # noqa: E501
    for text in texts:
        try:
            reader.cursor().execute(text)
        except ProgrammingError as error:
            assert error.errno in REFUSED, (text[:60], error)
    assert reader.cursor().execute("select 1 a").fetchall() == [(1,)]
