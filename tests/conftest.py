"""Shared rules of the test suite: nothing leaves loopback, nothing reads this machine's own settings."""

from __future__ import annotations

import gc
import ipaddress
import os
import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

# A deadline for each example would judge the machine's load, not the code. Fewer examples than usual, so that the suite
# stays under ten minutes; HYPOTHESIS_PROFILE=thorough looks longer.
hypothesis.settings.register_profile("suite", deadline=None, max_examples=40)
hypothesis.settings.register_profile("thorough", deadline=None, max_examples=500)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))

# Five thousand tests and what they import live as long as the run: Python's own 700 walks over them all the time.
gc.set_threshold(50_000, 10, 10)

_connect = socket.socket.connect


def _is_loopback(address: Any) -> bool:
    if not isinstance(address, tuple):
        return True  # a unix socket
    host = address[0]
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def pytest_sessionstart(session: pytest.Session) -> None:
    """What libraries leave in the temporary folder (fakesnow as it is imported, so before any fixture) goes with the
    folders of the run, of which pytest keeps the last three.
    """
    base: Path = session.config._tmp_path_factory.getbasetemp()  # type: ignore[attr-defined]
    folder = base / "temporary"
    folder.mkdir(exist_ok=True)
    os.environ["TMPDIR"] = tempfile.tempdir = str(folder)


@pytest.fixture(autouse=True, scope="session")
def only_loopback() -> Iterator[None]:
    """Any connection beyond loopback fails the test that made it."""

    def connect(self: socket.socket, address: Any) -> None:
        if not _is_loopback(address):
            raise AssertionError(f"a test tried to reach {address}")
        _connect(self, address)

    socket.socket.connect = connect  # type: ignore[method-assign]
    yield
    socket.socket.connect = _connect  # type: ignore[method-assign]


@pytest.fixture(autouse=True, scope="session")
def compiled_modules(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Where this machine keeps no compiled modules, the processes that tests start keep theirs in one folder of the
    run: each would compile the whole product anew.
    """
    with pytest.MonkeyPatch.context() as patch:
        if sys.dont_write_bytecode:
            base = tmp_path_factory.getbasetemp()
            base = base.parent if base.name.startswith("popen-") else base  # one for all workers
            patch.setenv("PYTHONDONTWRITEBYTECODE", "")
            patch.setenv("PYTHONPYCACHEPREFIX", str(base / "compiled"))
        yield


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of this machine reaches a test; state goes to a folder of the test's own."""
    for name in list(os.environ):
        if name.startswith(("FROSTLINE_", "OPENAI_", "SLACK_", "SNOWFLAKE_", "LANGSMITH_", "LANGCHAIN_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("FROSTLINE_HOME", str(tmp_path / "home"))
