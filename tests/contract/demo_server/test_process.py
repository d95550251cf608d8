"""The life of the background server: started once, found again, killed, stopped, left alone."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from snowflake.connector.errors import Error

from tools.demo.layout import database_file
from tools.demo.process import Endpoint, embedded_config, ensure_server, running_server, stop_server, try_lock
from tools.errors import Unreachable

RUNAWAY = (
    "with n as (select row_number() over (order by 1) i from table(generator(rowcount => 300000))) "
    "select count(*) c from n a, n b, n d where (a.i * b.i + d.i) % 7 = 3"
)


@pytest.fixture
def own(tmp_path: Path, build_account: Callable[[Path], Path]) -> Iterator[Path]:
    folder = build_account(tmp_path / "own")
    yield folder
    stop_server(folder)


def pid_of(folder: Path) -> int:
    return int((folder / "server.lock").read_text())


def gone(folder: Path, within: float) -> bool:
    end = time.monotonic() + within
    while time.monotonic() < end:
        fd = try_lock(folder / "server.lock")
        if fd is not None:
            os.close(fd)
            return True
        time.sleep(0.02)
    return False


def sign_in(open_connection: Callable[..., Any], endpoint: Endpoint) -> Any:
    return open_connection(endpoint.host, endpoint.port, user="FROSTLINE_OPERATOR", password=endpoint.operator_secret)


def test_the_module_is_cheap_to_import() -> None:
    code = "import sys, tools.demo.process; print([m for m in ('fakesnow', 'duckdb', 'pandas', 'pydantic') if m in sys.modules])"  # noqa: E501
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_a_running_server_is_found_fast(account: Path, endpoint: Endpoint) -> None:
    times = []
    for _ in range(5):
        began = time.monotonic()
        assert ensure_server(account) == endpoint
        times.append(time.monotonic() - began)
    assert min(times) < 0.05


def test_the_gateways_settings(account: Path, endpoint: Endpoint) -> None:
    config = embedded_config(account, "operator")
    assert (config.user, config.role, config.port) == ("FROSTLINE_OPERATOR", "COST_OPERATOR", endpoint.port)
    assert endpoint.operator_secret not in repr(config)


def test_processes_that_start_at_once_get_one_server(own: Path) -> None:
    code = f"from pathlib import Path; from tools.demo.process import ensure_server; print(ensure_server(Path({str(own)!r})).port)"  # noqa: E501
    started = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(3)]
    ports = {p.communicate(timeout=60)[0].strip() for p in started}
    assert [p.returncode for p in started] == [0, 0, 0]
    assert ports == {str(json.loads((own / "server.json").read_text())["port"])}


def test_changes_survive_kill_9(own: Path, open_connection: Callable[..., Any]) -> None:
    first = ensure_server(own)
    connection = sign_in(open_connection, first)
    connection.cursor().execute("alter warehouse BI_WH set warehouse_size = large auto_suspend = 77")
    connection.cursor().execute("alter warehouse BI_WH suspend")
    os.kill(pid_of(own), signal.SIGKILL)
    assert gone(own, 20)
    assert (own / "server.json").exists()  # stale, and not believed
    second = ensure_server(own)
    again = sign_in(open_connection, second)
    (row,) = again.cursor().execute("show warehouses like 'BI_WH'").fetchall()
    assert (row[1], row[3], row[12]) == ("SUSPENDED", "Large", 77)
    again.close()
    assert stop_server(own)
    with duckdb.connect(str(database_file(own)), read_only=True) as con:
        events = con.execute(
            "SELECT EVENT_NAME, EVENT_STATE, EVENT_REASON, USER_NAME, SIZE, QUERY_ID IS NULL FROM "
            "_RAW.WAREHOUSE_EVENTS_HISTORY ORDER BY rowid"
        ).fetchall()
        (times,) = con.execute("SELECT count(DISTINCT TIMESTAMP) FROM _RAW.WAREHOUSE_EVENTS_HISTORY").fetchall()
    who = "FROSTLINE_OPERATOR"
    assert times == (1,)
    assert events == [
        ("ALTER_WAREHOUSE", "STARTED", None, who, None, False),
        ("RESIZE_WAREHOUSE", "STARTED", "WAREHOUSE_RESIZE", who, None, False),
        ("RESIZE_CLUSTER", "COMPLETED", "WAREHOUSE_RESIZE", who, None, False),
        ("WAREHOUSE_CONSISTENT", "COMPLETED", None, None, "Large", True),
        ("SUSPEND_WAREHOUSE", "STARTED", "WAREHOUSE_SUSPEND", who, None, False),
        ("SUSPEND_CLUSTER", "COMPLETED", "WAREHOUSE_SUSPEND", who, None, False),
        ("WAREHOUSE_CONSISTENT", "COMPLETED", None, None, "Large", True),
    ]


def test_nothing_is_left_in_a_temporary_folder(own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere, temporary = tmp_path / "tmp", own / "temporary"
    elsewhere.mkdir()
    monkeypatch.setenv("TMPDIR", str(elsewhere))
    ensure_server(own)
    of_the_first = set(temporary.iterdir())
    assert of_the_first  # fakesnow's, for stages
    os.kill(pid_of(own), signal.SIGKILL)
    assert gone(own, 20)
    ensure_server(own)
    assert not of_the_first & set(temporary.iterdir())
    assert stop_server(own)
    assert not temporary.exists()
    assert list(elsewhere.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_with_a_statement_running(
    own: Path, open_connection: Callable[..., Any], number: signal.Signals
) -> None:
    connection = sign_in(open_connection, ensure_server(own))
    worker = threading.Thread(target=lambda: _swallow(lambda: connection.cursor().execute(RUNAWAY)))
    worker.start()
    time.sleep(0.5)
    os.kill(pid_of(own), number)
    assert gone(own, 20)  # the statement would run for its session's 60
    assert not (own / "server.json").exists()
    connection.rest._token = None  # nobody is there to close the session with
    worker.join(40)
    assert not worker.is_alive()


def _swallow(call: Callable[[], Any]) -> None:
    try:
        call()
    except Exception as e:  # noqa: BLE001 - whatever a vanished server or session looks like
        assert e is not None


def test_it_stops_itself_when_nobody_asks(own: Path) -> None:
    ensure_server(own, idle_seconds=1)
    assert gone(own, 6)
    assert running_server(own) is None


def test_a_stranger_on_the_old_port_gets_no_secret(own: Path) -> None:
    endpoint = ensure_server(own)
    stop_server(own)
    heard: list[bytes] = []
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()

        def listen() -> None:
            caller, _ = listener.accept()
            heard.append(caller.recv(4096))
            caller.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            caller.close()

        worker = threading.Thread(target=listen)
        worker.start()
        (own / "server.json").write_text(json.dumps({"pid": 1, "port": listener.getsockname()[1]}))
        assert running_server(own) is None
        worker.join(5)
    assert heard and endpoint.reader_secret.encode() not in heard[0]


def test_a_stranger_who_passes_the_question_on_gets_no_secret(own: Path) -> None:
    """The real server answers, but for its own port."""
    endpoint = ensure_server(own)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()

        def relay() -> None:
            caller, _ = listener.accept()
            with caller, socket.create_connection((endpoint.host, endpoint.port)) as real:
                real.sendall(caller.recv(4096))
                while part := real.recv(4096):
                    caller.sendall(part)

        worker = threading.Thread(target=relay)
        worker.start()
        (own / "server.json").write_text(json.dumps({"pid": pid_of(own), "port": listener.getsockname()[1]}))
        assert running_server(own) is None
        worker.join(5)
    assert ensure_server(own) == endpoint  # server.json is the server's own again


def test_two_accounts_do_not_meet(own: Path, account: Path, endpoint: Endpoint) -> None:
    other = ensure_server(own)
    assert other.port != endpoint.port
    assert other.reader_secret != endpoint.reader_secret
    assert running_server(account) == endpoint


def test_no_account_and_a_broken_one_say_so(tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="There is no account"):
        ensure_server(tmp_path / "nothing")
    broken = tmp_path / "broken"
    (broken / "data").mkdir(parents=True)
    (broken / "account.toml").write_text('name = "x"\n')
    (broken / "data" / "SNOWFLAKE.db").write_text("this is no database, whatever its name says")
    began = time.monotonic()
    with pytest.raises(Unreachable) as caught:
        ensure_server(broken)
    assert "SNOWFLAKE.db" in str(caught.value.hint)
    assert time.monotonic() - began < 20
    assert stop_server(broken) is False


def test_a_server_whose_folder_was_replaced_neither_answers_nor_stays(
    own: Path, build_account: Callable[[Path], Path], open_connection: Callable[..., Any]
) -> None:
    """Somebody may have started it while an import was swapping folders: its data are of an account that is gone."""
    old_endpoint = ensure_server(own)
    old_pid = pid_of(own)
    session = sign_in(open_connection, old_endpoint)
    own.rename(own.with_name("swapped-out"))
    build_account(own)
    found = ensure_server(own)
    assert found.port != old_endpoint.port and pid_of(own) != old_pid
    with pytest.raises(Error):
        session.cursor().execute("ALTER WAREHOUSE IF EXISTS NONE_SUCH SUSPEND", _no_retry=True)
    for _ in range(20):  # the old one does not take server.json back
        assert running_server(own) == found
        time.sleep(0.1)
    assert gone(own.with_name("swapped-out"), 20)
    assert not (own / "alters.jsonl").exists()
