"""A tiny account, a real server process over it, and the real connector: nothing here is a stand-in.

Each file of tests has an account and a server of its own: what one changes, no other sees.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tools.demo.layout import create_schema, database_file
from tools.demo.process import Endpoint, ensure_server, stop_server

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
WAREHOUSES = {
    "LOAD_WH": ("STARTED", "STANDARD", "X-Small"),
    "BI_WH": ("STARTED", "STANDARD", "Medium"),
    "etl lower": ("SUSPENDED", "STANDARD", "X-Large"),
    'odd "name"': ("SUSPENDED", "STANDARD", "X-Small"),
    "HIDDEN_WH": ("STARTED", "STANDARD", "Small"),
    "ADAPTIVE_WH": ("ENABLED", "ADAPTIVE", None),
    "STATES_WH": ("SUSPENDED", "STANDARD", "Small"),
    "GEN2_WH": ("SUSPENDED", "STANDARD", "Large"),
}

Connect = Callable[..., Any]


def make_account(folder: Path) -> Path:
    """Eight warehouses, 2000 statements every 7 minutes back from 09:30, four in flight; time stands at NOW.

    BI_WH used 1.25 credits in every hour of the last 30 days, LOAD_WH 0.5, ADAPTIVE_WH 2. `_busy` adds a quarter of an
    hour of work on "etl lower" and three tasks.
    """
    (folder / "data").mkdir(parents=True)
    with duckdb.connect(str(database_file(folder))) as con:
        con.execute("SET TimeZone='UTC'")
        create_schema(con)
        con.execute("INSERT INTO _RAW.CLOCK VALUES (?, true)", [NOW])
        for number, (name, (state, kind, size)) in enumerate(WAREHOUSES.items(), start=1):
            con.execute(
                "INSERT INTO _RAW.WAREHOUSES (name, state, type, size, min_cluster_count, max_cluster_count, "
                "started_clusters, running, queued, auto_suspend, auto_resume, created_on, resource_monitor, "
                "scaling_policy, generation, warehouse_id) VALUES (?, ?, ?, ?, 1, 1, ?, 0, 0, 600, 'true', ?, 'null', "
                "'STANDARD', ?, ?)",
                [name, state, kind, size, int(state == "STARTED"), NOW, "2" if name == "GEN2_WH" else "1", number],
            )
        con.execute(
            "INSERT INTO _RAW.LIVE_QUERIES (QUERY_ID, QUERY_TEXT, USER_NAME, WAREHOUSE_NAME, EXECUTION_STATUS, "
            "START_TIME) SELECT '01bcb05d-0415-b618-0047-00000000000' || n, 'select ' || n, 'ANA', w, s, t FROM (VALUES "  # noqa: E501
            "(1, 'LOAD_WH', 'RUNNING', ? - INTERVAL 2 MINUTE), (2, 'LOAD_WH', 'QUEUED', ? - INTERVAL 1 MINUTE), "
            "(3, 'HIDDEN_WH', 'RUNNING', ? - INTERVAL 1 MINUTE), (4, 'BI_WH', 'RUNNING', ? - INTERVAL 3 MINUTE)) v(n, w, s, t)",  # noqa: E501
            [NOW] * 4,
        )
        con.execute(
            "INSERT INTO _RAW.QUERY_HISTORY (QUERY_ID, QUERY_TEXT, USER_NAME, WAREHOUSE_NAME, EXECUTION_STATUS, "
            "START_TIME, END_TIME, TOTAL_ELAPSED_TIME, CREDITS_USED_CLOUD_SERVICES) SELECT 'q' || i, 'select ' || i, "
            "'ANA', CASE WHEN i % 10 = 0 THEN 'HIDDEN_WH' ELSE 'LOAD_WH' END, 'SUCCESS', t, t + INTERVAL 1 SECOND, "
            "CASE WHEN i % 5 > 0 THEN 1000 END, 0.001 FROM (SELECT i, TIMESTAMPTZ '2026-11-20 09:30:00+00' - i * "
            "INTERVAL 7 MINUTE t FROM range(2000) r(i))"
        )
        _busy(con)
    (folder / "account.toml").write_text(
        'name = "tiny"\norigin = "demo"\nnow = 2026-11-20T10:00:00Z\ntimezone = "America/Los_Angeles"\n'
        'edition = "enterprise"\ncredit_price = 3.0\nhidden_from_reader = ["HIDDEN_WH"]\n'
    )
    return folder


def _busy(con: duckdb.DuckDBPyConnection) -> None:
    """In each five minutes of the quarter of an hour one statement waits for 30 seconds and runs for 150."""
    con.execute("""
        INSERT INTO _RAW.WAREHOUSE_METERING_HISTORY
        SELECT t, t + INTERVAL 1 HOUR, w.id, w.name, c + 0.25, c, 0.25, c / 2
        FROM (SELECT TIMESTAMPTZ '2026-11-20 09:00:00+00' - i * INTERVAL 1 HOUR t FROM range(720) r(i)),
            (VALUES (1, 'LOAD_WH', 0.25), (2, 'BI_WH', 1.0), (6, 'ADAPTIVE_WH', 1.75)) w(id, name, c);

        INSERT INTO _RAW.WAREHOUSE_LOAD_HISTORY
        SELECT t, t + INTERVAL 5 MINUTE, 3, 'etl lower', 0.5, 0.1, 0, 0
        FROM (SELECT TIMESTAMPTZ '2026-11-20 09:40:00+00' + i * INTERVAL 5 MINUTE t FROM range(3) r(i));

        INSERT INTO _RAW.QUERY_HISTORY (QUERY_ID, QUERY_TEXT, USER_NAME, WAREHOUSE_NAME, WAREHOUSE_SIZE,
            EXECUTION_STATUS, START_TIME, END_TIME, TOTAL_ELAPSED_TIME, EXECUTION_TIME, QUEUED_OVERLOAD_TIME,
            IS_CLIENT_GENERATED_STATEMENT)
        SELECT 'load' || i, 'select 1', 'ETL', 'etl lower', 'X-Large', 'SUCCESS', t, t + INTERVAL 180 SECOND, 180000,
            150000, 30000, i = 2
        FROM (SELECT i, TIMESTAMPTZ '2026-11-20 09:41:00+00' + i * INTERVAL 5 MINUTE t FROM range(3) r(i));

        INSERT INTO _RAW.TASKS (name, id, database_name, schema_name, owner, warehouse, schedule, predecessors, state,
            definition, created_on)
        SELECT *, TIMESTAMPTZ '2026-11-01 00:00:00+00' FROM (VALUES
            ('LOAD_ORDERS', 't1', 'PROD', 'ETL', 'LOADER', 'LOAD_WH', '30 MINUTE', '[]', 'started', 'call load()'),
            ('SUM_UP', 't2', 'PROD', 'ETL', 'LOADER', NULL, NULL, '["PROD.ETL.LOAD_ORDERS"]', 'started', 'call sum()'),
            ('NIGHTLY', 't3', 'PROD', 'MART', 'LOADER', 'LOAD_WH', 'USING CRON 0 2 * * * UTC', '[]', 'suspended', 'x'));

        INSERT INTO _RAW.TASK_HISTORY (NAME, DATABASE_NAME, SCHEMA_NAME, SCHEDULED_TIME, QUERY_START_TIME,
            COMPLETED_TIME, STATE, SCHEDULED_FROM, ROOT_TASK_ID)
        SELECT 'LOAD_ORDERS', 'PROD', 'ETL', t, t + INTERVAL 1 SECOND, CASE WHEN i > 0 THEN t + INTERVAL 9 MINUTE END,
            CASE i % 50 WHEN 49 THEN 'FAILED' ELSE 'SUCCEEDED' END, 'SCHEDULE', 't1'
        FROM (SELECT i, TIMESTAMPTZ '2026-11-20 09:55:00+00' - i * INTERVAL 30 MINUTE t FROM range(400) r(i));

        INSERT INTO _RAW.AUTOMATIC_CLUSTERING_HISTORY (START_TIME, END_TIME, CREDITS_USED, NUM_BYTES_RECLUSTERED,
            NUM_ROWS_RECLUSTERED, TABLE_NAME)
        SELECT t, t + INTERVAL 1 HOUR, 0.5, 1000, 10, 'ORDERS'
        FROM (SELECT TIMESTAMPTZ '2026-11-20 09:00:00+00' - i * INTERVAL 1 HOUR t FROM range(48) r(i));

        INSERT INTO _RAW.DATABASE_STORAGE_USAGE_HISTORY (USAGE_DATE, DATABASE_NAME, AVERAGE_DATABASE_BYTES)
        SELECT DATE '2026-11-20' - i::INTEGER, 'PROD', 100 - i FROM range(10) r(i);
    """)


def connect_to(host: str, port: int, **changes: Any) -> Any:
    import snowflake.connector

    parameters = {"QUERY_TAG": "{}", "TIMEZONE": "UTC", "STATEMENT_TIMEOUT_IN_SECONDS": 60}
    settings = {
        "account": "tiny",
        "host": host,
        "port": port,
        "protocol": "http",
        "session_parameters": parameters,
        "login_timeout": 10,
        "network_timeout": 30,
        "platform_detection_timeout_seconds": 0,
    }
    return snowflake.connector.connect(**(settings | changes))


@pytest.fixture(scope="session")
def build_account() -> Callable[[Path], Path]:
    return make_account


@pytest.fixture(scope="session")
def open_connection() -> Connect:
    return connect_to


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = make_account(tmp_path_factory.mktemp("account"))
    fd = os.open(folder / "admin.secret", os.O_WRONLY | os.O_CREAT, 0o600)
    os.write(fd, b"for-this-test-only\n")
    os.close(fd)
    yield folder
    stop_server(folder)


@pytest.fixture(scope="module")
def endpoint(account: Path) -> Endpoint:
    return ensure_server(account, idle_seconds=300)


@pytest.fixture(scope="module")
def connect(account: Path, endpoint: Endpoint) -> Iterator[Connect]:
    """connect("READER" | "OPERATOR" | "ADMIN", **connect arguments) -> an open connection."""
    opened: list[Any] = []

    def connect(who: str = "READER", **changes: Any) -> Any:
        secret = (account / f"{who.lower()}.secret").read_text().strip()
        identity = {"user": f"FROSTLINE_{who}", "password": secret}
        opened.append(connect_to(endpoint.host, endpoint.port, **(identity | changes)))
        return opened[-1]

    yield connect
    for connection in opened:
        connection.close()


@pytest.fixture(scope="module")
def reader(connect: Connect) -> Any:
    return connect("READER")


@pytest.fixture(scope="module")
def operator(connect: Connect) -> Any:
    return connect("OPERATOR")


@pytest.fixture(scope="module")
def admin(connect: Connect) -> Any:
    return connect("ADMIN")
