"""A session that stays open: the account's server stops, dies or moves, or another account takes its place."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.runtime import Runtime
from agent.settings import load_settings
from tests.scenario.test_one_effect import changeable, executed, propose
from tools.demo.account_file import settings, write_settings
from tools.demo.process import running_server, stop_server
from tools.domain import PlanState
from tools.errors import PlanConflict, Unreachable


@pytest.fixture
def home(make_home: Callable[..., Path]) -> Path:
    return make_home()


@pytest.fixture
def runtime(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Runtime]:
    monkeypatch.setenv("FROSTLINE_HOME", str(home))
    with Runtime.open(load_settings("demo")) as opened:
        yield opened


def server(home: Path) -> int:
    return int((home / "demo" / "account" / "server.lock").read_text())


@pytest.mark.parametrize("end", ["stopped", "killed"])
def test_a_session_outlives_the_server(end: str, home: Path, runtime: Runtime) -> None:
    """Reading and changing both: the port is another one afterwards."""
    record = propose(runtime, changeable(runtime), 90)
    if end == "stopped":
        stop_server(home / "demo" / "account")
    else:
        os.kill(server(home), signal.SIGKILL)
    began = time.monotonic()
    assert len(runtime.reader.warehouses()) > 5
    assert time.monotonic() - began < 25  # found again, not waited for
    os.kill(server(home), signal.SIGKILL)
    outcome = runtime.decide(record.plan.id, record.digest, runtime.person("demo-approver"), "approve")
    assert outcome.state is PlanState.APPLIED
    assert [line["statement"] for line in executed(home, record.plan.warehouse)] == [record.plan.statement]


def test_another_account_in_its_place_is_not_changed(home: Path, runtime: Runtime) -> None:
    """The names may be the same: what was proposed and opened belongs to the account that is gone."""
    record = propose(runtime, changeable(runtime), 90)
    folder = home / "demo" / "account"
    stop_server(folder)
    about = settings(folder)
    write_settings(folder, type(about)(**{**about.__dict__, "generation_id": "another"}))
    with pytest.raises(Unreachable, match="replaced"):
        runtime.decide(record.plan.id, record.digest, runtime.person("demo-approver"), "approve")
    with Runtime.open(load_settings("demo")) as fresh:
        with pytest.raises(PlanConflict, match="another account"):
            fresh.decide(record.plan.id, record.digest, fresh.person("demo-approver"), "approve")
        assert len(fresh.reader.warehouses()) > 5
        assert fresh.store.list() == () and fresh.runner.recover().as_json() == {}
    assert executed(home, record.plan.warehouse) == []


def test_a_server_json_that_names_somebody_else_is_mended_and_nobody_else_is_told_a_secret(
    home: Path, runtime: Runtime
) -> None:
    import socket

    folder = home / "demo" / "account"
    runtime.reader.warehouses()
    heard: list[bytes] = []
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        threading.Thread(target=_overhear, args=(listener, heard), daemon=True).start()
        (folder / "server.json").write_text(f'{{"pid": 1, "port": {listener.getsockname()[1]}}}')
        began = time.monotonic()
        assert len(runtime.reader.warehouses()) > 5
        assert time.monotonic() - began < 20
    assert running_server(folder) is not None
    secrets = [(folder / f"{name}.secret").read_bytes().strip() for name in ("reader", "operator")]
    assert not any(secret in text for secret in secrets for text in heard)


def _overhear(listener: object, heard: list[bytes]) -> None:
    while True:
        try:
            connection, _ = listener.accept()  # type: ignore[attr-defined]
        except OSError:
            return
        with connection:
            connection.settimeout(2)
            heard.append(connection.recv(65536))
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")


def test_the_connector_prints_nothing_of_its_own(runtime: Runtime) -> None:
    runtime.reader.warehouses()
    assert logging.getLogger("snowflake.connector").hasHandlers()
