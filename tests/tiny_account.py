"""A demo account of two days and three warehouses, whose every figure can be told by heart."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from tools.demo.layout import RAW, create_schema, database_file
from tools.demo.process import Endpoint, ensure_server, stop_server
from tools.domain import Account
from tools.warehouse.config import ConnectionConfig

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
DAY = datetime(2026, 10, 31, tzinfo=UTC)
ODD = 'Ana\'s "wh"'
RUNNING = "01bcb05d-0415-b618-0047-1234567890ab"
ACCOUNT = Account(name="tiny", origin="demo", timezone="America/Los_Angeles", edition="Enterprise", credit_price=3.0)
TASKS = (
    ("LOAD", "ETL", "10 MINUTES", "started"),
    ("MERGE", "ETL", "USING CRON 15 * * * * UTC", "started"),
    ("LATER", "ETL", "USING CRON 16 * * * * UTC", "started"),
    ("STOPPED", "ETL", "1 MINUTE", "suspended"),
    ("SERVERLESS", None, "5 MINUTES", "started"),
    ("HIDDENS", "HIDDEN", "USING CRON 0 0 * * * UTC", "started"),
)
"""Name, warehouse, schedule, state. The account's time is noon."""
HOURS = "range(TIMESTAMPTZ '2026-10-30 00:00+00', TIMESTAMPTZ '2026-11-01 12:00+00', INTERVAL 1 HOUR) r(t)"


@dataclass(frozen=True)
class Tiny:
    folder: Path
    endpoint: Endpoint
    reader_config: ConnectionConfig
    writer_config: ConnectionConfig

    def alters(self) -> list[dict[str, Any]]:
        log = self.folder / "alters.jsonl"
        return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


def _insert(con: duckdb.DuckDBPyConnection, table: str, rows: str, **columns: str) -> None:
    con.execute(f"INSERT INTO {RAW}.{table} ({', '.join(columns)}) SELECT {', '.join(columns.values())} FROM {rows}")


def _fill(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("SET TimeZone='UTC'")
    create_schema(con)
    con.execute(f"INSERT INTO {RAW}.CLOCK VALUES (?, true)", [NOW])
    for fill in (_warehouses, _metering, _queries, _live_queries, _tasks):
        fill(con)


def _warehouses(con: duckdb.DuckDBPyConnection) -> None:
    """As they stand; and the temporary table W of their names and ids."""
    states = (("ETL", "STARTED", "Large"), (ODD, "SUSPENDED", "X-Small"), ("HIDDEN", "STARTED", "Small"))
    for number, (name, state, size) in enumerate(states, start=1):
        con.execute(
            f"INSERT INTO {RAW}.WAREHOUSES (name, state, type, size, min_cluster_count, max_cluster_count,"
            " auto_suspend, auto_resume, created_on, owner, scaling_policy, resource_monitor, comment, warehouse_id)"
            " VALUES (?, ?, 'STANDARD', ?, 1, 2, 600, 'true', ?, 'SYSADMIN', 'STANDARD', 'null', '', ?)",
            [name, state, size, NOW - timedelta(days=90), number],
        )
    con.execute(f"CREATE TEMP TABLE W AS SELECT name AS w, warehouse_id AS id FROM {RAW}.WAREHOUSES")


def _metering(con: duckdb.DuckDBPyConnection) -> None:
    pseudo = f"{HOURS}, (SELECT * FROM W UNION ALL VALUES ('CLOUD_SERVICES_ONLY', 0)) x"
    _insert(
        con,
        "WAREHOUSE_METERING_HISTORY",
        pseudo,
        START_TIME="t",
        END_TIME="t + INTERVAL 1 HOUR",
        WAREHOUSE_ID="id",
        WAREHOUSE_NAME="w",
        CREDITS_USED="1.5",
        CREDITS_USED_COMPUTE="1.25",
        CREDITS_USED_CLOUD_SERVICES="0.25",
        CREDITS_ATTRIBUTED_COMPUTE_QUERIES="CASE WHEN w = 'HIDDEN' THEN NULL ELSE 0.5 END",
    )
    con.execute(
        f"INSERT INTO {RAW}.METERING_DAILY_HISTORY VALUES ('WAREHOUSE_METERING', '2026-10-30', 30, 6, 36, -3, 33),"
        " ('WAREHOUSE_METERING', '2026-10-31', 30, 6, 36, -3, 33), ('PIPE', '2026-10-31', 1, 0, 1, 0, 1)"
    )
    con.execute(
        f"INSERT INTO {RAW}.METERING_HISTORY (SERVICE_TYPE, START_TIME, END_TIME, CREDITS_USED_COMPUTE,"
        " CREDITS_USED_CLOUD_SERVICES, CREDITS_USED) SELECT 'WAREHOUSE_METERING', START_TIME, END_TIME,"
        f" CREDITS_USED_COMPUTE, CREDITS_USED_CLOUD_SERVICES, CREDITS_USED FROM {RAW}.WAREHOUSE_METERING_HISTORY"
    )


def _queries(con: duckdb.DuckDBPyConnection) -> None:
    """One an hour on each warehouse, with a tenth of a credit."""
    _insert(
        con,
        "QUERY_HISTORY",
        f"{HOURS}, W",
        QUERY_ID="w || ':' || epoch(t)::BIGINT",
        QUERY_TEXT="'select ''x'''",
        WAREHOUSE_NAME="w",
        WAREHOUSE_ID="id",
        USER_NAME="'U' || id",
        ROLE_NAME="CASE WHEN id = 3 THEN NULL ELSE 'R' END",
        DATABASE_NAME="'D'",
        QUERY_TAG="CASE id WHEN 1 THEN '' WHEN 2 THEN NULL ELSE 'nightly' END",
        QUERY_TYPE="'SELECT'",
        EXECUTION_STATUS="CASE id WHEN 1 THEN 'FAIL' WHEN 2 THEN 'success' ELSE 'SUCCESS' END",
        ERROR_MESSAGE="CASE id WHEN 1 THEN 'SQL execution canceled' END",
        START_TIME="t",
        END_TIME="t + INTERVAL 1 MINUTE",
        EXECUTION_TIME="1500",
        TOTAL_ELAPSED_TIME="60000",
        QUEUED_OVERLOAD_TIME="250",
        BYTES_SCANNED="3000000000",
    )
    con.execute(
        f"INSERT INTO {RAW}.QUERY_ATTRIBUTION_HISTORY (QUERY_ID, WAREHOUSE_NAME, USER_NAME, QUERY_TAG, START_TIME,"
        " END_TIME, CREDITS_ATTRIBUTED_COMPUTE)"
        " SELECT QUERY_ID, WAREHOUSE_NAME, USER_NAME, QUERY_TAG, START_TIME, END_TIME, 0.1"
        f" FROM {RAW}.QUERY_HISTORY"
    )


def _live_queries(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(
        f"INSERT INTO {RAW}.LIVE_QUERIES (QUERY_ID, QUERY_TEXT, WAREHOUSE_NAME, USER_NAME, EXECUTION_STATUS,"
        " START_TIME) VALUES (?, 'select 1', 'ETL', 'U1', 'RUNNING', ?),"
        " ('q-queued', 'select 22', 'ETL', 'U2', 'QUEUED', ?)",
        [RUNNING, NOW - timedelta(minutes=5), NOW - timedelta(minutes=1)],
    )


def _tasks(con: duckdb.DuckDBPyConnection) -> None:
    for number, (name, warehouse, schedule, state) in enumerate(TASKS):
        con.execute(
            f"INSERT INTO {RAW}.TASKS (name, id, database_name, schema_name, warehouse, schedule, state)"
            " VALUES (?, ?, 'D', 'S', ?, ?, ?)",
            [name, f"t{number}", warehouse, schedule, state],
        )


@contextmanager
def tiny_account(folder: Path, more: Callable[[duckdb.DuckDBPyConnection], None] | None = None) -> Iterator[Tiny]:
    """The account, built in an empty folder and served by a process of its own; `more` puts further rows into it."""
    database_file(folder).parent.mkdir(parents=True)
    with duckdb.connect(str(database_file(folder))) as con:
        _fill(con)
        if more is not None:
            more(con)
    (folder / "account.toml").write_text(
        f'name = "tiny"\norigin = "demo"\nnow = {NOW.isoformat()}\ntimezone = "America/Los_Angeles"\n'
        'edition = "Enterprise"\ncredit_price = 3.0\nhidden_from_reader = ["HIDDEN"]\n'
    )
    endpoint = ensure_server(folder, idle_seconds=120)
    where = {"account": "tiny", "host": endpoint.host, "port": endpoint.port, "protocol": "http", "login_timeout": 10}
    try:
        yield Tiny(
            folder,
            endpoint,
            ConnectionConfig.of(**where, user="FROSTLINE_READER", role="COST_READER", password=endpoint.reader_secret),
            ConnectionConfig.of(
                **where, user="FROSTLINE_OPERATOR", role="COST_OPERATOR", password=endpoint.operator_secret
            ),
        )
    finally:
        stop_server(folder)
