"""The account's server is killed: the next read finds another one, long before a line counts as broken."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from tests.tiny_account import ACCOUNT, NOW, tiny_account
from tools.demo.process import embedded_config, running_server
from tools.warehouse.config import ConnectionConfig
from tools.warehouse.reader import SnowflakeReader


def test_a_read_after_a_kill_is_answered_by_a_new_server(tmp_path: Path) -> None:
    with tiny_account(tmp_path) as tiny:
        config = embedded_config(tiny.folder, "reader")
        ticks = [0.0]
        reader = SnowflakeReader(
            config, ACCOUNT, monotonic=lambda: ticks[0], locate=lambda: embedded_config(tiny.folder, "reader")
        )
        try:
            assert reader.now() == NOW
            os.kill(int((tiny.folder / "server.lock").read_text()), signal.SIGKILL)
            ticks[0] = 60.0  # what is kept is too old
            began = time.monotonic()
            assert reader.now() == NOW
            assert time.monotonic() - began < config.network_timeout
            assert running_server(tiny.folder) is not None
        finally:
            reader.close()


def test_a_server_that_is_killed_while_it_is_asked(tmp_path: Path) -> None:
    """The connection is there and the answer never comes: the read is sent again to the next server."""
    with tiny_account(tmp_path) as tiny:
        doomed: list[int] = []

        def locate() -> ConnectionConfig:
            found = embedded_config(tiny.folder, "reader")
            while doomed:
                os.kill(doomed.pop(), signal.SIGKILL)
            return found

        reader = SnowflakeReader(locate(), ACCOUNT, locate=locate)
        try:
            assert len(reader.warehouses()) == 2
            doomed.append(int((tiny.folder / "server.lock").read_text()))
            began = time.monotonic()
            assert len(reader.warehouses()) == 2
            assert not doomed
            assert time.monotonic() - began < 30
        finally:
            reader.close()
