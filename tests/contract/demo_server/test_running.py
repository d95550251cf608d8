"""Timeouts, cancellation, failures of our own and many at once: the server answers at once and stays usable."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from snowflake.connector.errors import ProgrammingError

RUNAWAY = (
    "with n as (select row_number() over (order by 1) i from table(generator(rowcount => 300000))) "
    "select count(*) c from n a, n b, n d where (a.i * b.i + d.i) % 7 = 3"
)


def test_the_clients_timeout_cancels_on_the_server(connect: Callable[..., Any]) -> None:
    connection = connect()
    began = time.monotonic()
    with pytest.raises(ProgrammingError) as caught:
        connection.cursor().execute(RUNAWAY, timeout=2)
    assert caught.value.errno == 604
    assert 1.5 < time.monotonic() - began < 30  # the session's own limit is 60
    assert connection.cursor().execute("select 1 a").fetchall() == [(1,)]


def test_the_statement_timeout_is_the_servers(connect: Callable[..., Any]) -> None:
    connection = connect(session_parameters={"STATEMENT_TIMEOUT_IN_SECONDS": 1})
    began = time.monotonic()
    with pytest.raises(ProgrammingError) as caught:
        connection.cursor().execute(RUNAWAY)
    assert (caught.value.errno, caught.value.sqlstate) == (630, "57014")
    assert "timeout of 1 second(s) and was canceled" in str(caught.value)
    assert time.monotonic() - began < 30  # it would run for hours
    connection.cursor().execute("alter session set statement_timeout_in_seconds = 60")
    assert connection.cursor().execute("select 1 a").fetchall() == [(1,)]


def test_the_warehouses_lower_timeout_wins(connect: Callable[..., Any], operator: Any) -> None:
    operator.cursor().execute("alter warehouse BI_WH set statement_timeout_in_seconds = 1")
    connection = connect(warehouse="BI_WH")
    with pytest.raises(ProgrammingError, match="timeout of 1 second"):
        connection.cursor().execute(RUNAWAY)
    operator.cursor().execute("alter warehouse BI_WH unset statement_timeout_in_seconds")


def test_closing_a_session_stops_what_it_runs(connect: Callable[..., Any]) -> None:
    connection, failures = connect(), []

    def run() -> None:
        try:
            connection.cursor().execute(RUNAWAY)
        except Exception as e:  # noqa: BLE001 - whatever a vanished server or session looks like
            failures.append(e)

    worker = threading.Thread(target=run)
    worker.start()
    time.sleep(0.5)
    connection.rest.delete_session()
    worker.join(10)
    assert not worker.is_alive()
    assert failures


def test_others_go_on_beside_a_runaway(connect: Callable[..., Any]) -> None:
    busy, free = connect(), connect()
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(lambda: busy.cursor().execute(RUNAWAY))
        time.sleep(0.3)
        assert free.cursor().execute("show warehouses").fetchall()
        assert not running.done()
        busy.rest.delete_session()
        with pytest.raises(Exception):  # noqa: B017 - whatever a vanished session looks like
            running.result(timeout=20)


def test_many_connections_at_once(connect: Callable[..., Any]) -> None:
    connections = [connect(session_parameters={"TIMEZONE": zone}) for zone in ("UTC", "Asia/Tokyo", "Europe/Rome")]

    def ask(number: int) -> tuple[int, str]:
        line = connections[number % 3].cursor().execute(f"select {number} n, current_timestamp()::varchar t").fetchone()
        return line[0], line[1]

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(ask, range(30)))
    assert [a[0] for a in answers] == list(range(30))
    assert len({a[1] for a in answers}) == 3


def test_a_repeated_request_runs_once(operator: Any, account: Path) -> None:
    """After a lost answer the connector sends the same request id again: it gets the first run's answer."""
    before = len((account / "alters.jsonl").read_text().splitlines())
    path = f"/queries/v1/query-request?requestId={uuid.uuid4()}"
    body = {"sqlText": "alter warehouse BI_WH set comment = 'once'", "sequenceId": 1}
    first, second = (operator.rest.request(path, body) for _ in range(2))
    assert first["success"] and first["data"]["queryId"] == second["data"]["queryId"]
    assert len((account / "alters.jsonl").read_text().splitlines()) == before + 1


def test_a_failing_combination_of_functions_answers_at_once(reader: Any) -> None:
    began = time.monotonic()
    (line,) = reader.cursor().execute("select md5('a') a, uuid_string() b, hash(1) c, sha2('x') d").fetchall()
    assert line[0] == "0cc175b9c0f1b6a831c399e269772661"
    assert time.monotonic() - began < 20  # the connector would ask again for 30


def test_a_result_too_large_is_refused(reader: Any) -> None:
    with pytest.raises(ProgrammingError, match="larger than") as caught:
        reader.cursor().execute("select repeat('x', 2000) t, * from table(generator(rowcount => 1000000))")
    assert caught.value.errno == 2


def test_snowflakes_numbers_for_common_mistakes(reader: Any) -> None:
    table = "snowflake.account_usage.query_history"
    cases = {
        f"select no_such_column from {table}": (904, "42000"),
        "select * from no_such_table": (2003, "42S02"),
        "select no_such_function(1)": (2140, "42601"),
        "selec 1": (1003, "42000"),
        "select 1 +": (1003, "42000"),
        f"select 1 / (count(*) - count(*)) x from {table}": (100051, "22012"),
        "select 'x'::int a": (100038, "22018"),
    }
    for sql, expected in cases.items():
        with pytest.raises(ProgrammingError) as caught:
            reader.cursor().execute(sql)
        assert (caught.value.errno, caught.value.sqlstate) == expected, sql


# --- a failure of our own, in a server inside this process ------------------------------------------------------


@contextmanager
def server_here(folder: Path) -> Iterator[tuple[Any, int]]:
    from tools.demo.server import DemoServer

    demo = DemoServer(folder)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(demo.app, log_level="critical", lifespan="off"))
        worker = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])))
        worker.start()
        try:
            yield demo, listener.getsockname()[1]
        finally:
            server.should_exit = True
            worker.join(10)
            demo.close()


def test_an_unexpected_failure_answers_at_once(
    tmp_path: Path,
    build_account: Callable[[Path], Path],
    open_connection: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = build_account(tmp_path / "account")
    (folder / "reader.secret").write_text("s\n")
    with server_here(folder) as (demo, port):
        connection = open_connection("127.0.0.1", port, user="FROSTLINE_READER", password="s")
        with monkeypatch.context() as patch:
            patch.setattr("tools.demo.running.run_query", lambda *_: 1 // 0)
            began = time.monotonic()
            with pytest.raises(ProgrammingError) as caught:
                connection.cursor().execute("select 1 a")
            assert (caught.value.errno, caught.value.sqlstate) == (603, "XX000")
            assert "incident" in str(caught.value) and "ZeroDivision" not in str(caught.value)
            assert time.monotonic() - began < 20  # the connector would ask again for 30
            patch.setattr("tools.demo.server.check_login", lambda *_: 1 // 0)
            with pytest.raises(Exception, match="internal error"):
                open_connection("127.0.0.1", port, user="FROSTLINE_READER", password="s")
        assert connection.cursor().execute("select 1 a").fetchall() == [(1,)]
        for number in range(80):
            connection.cursor().execute(f"select {number} n")
        assert len(demo.results) <= 64
        for _ in range(3):
            connection.cursor().execute("select repeat('x', 1000) t from table(generator(rowcount => 500))").fetchall()
        (session,) = demo.sessions.all()
        kept = [len(s.answer.result()) for s in session.statements.values()]
        assert sum(size > 100_000 for size in kept) <= 1  # answers kept for a repeated request do not pile up
        connection.close()
