"""The graphs' own state: private, shared by processes, and clear about what is wrong with it."""

from __future__ import annotations

import os
import sqlite3
import stat
from contextlib import ExitStack
from pathlib import Path

import pytest
from langgraph.checkpoint.base import empty_checkpoint

from agent.checkpoints import open_checkpointer, reachable_checkpoints
from tests.engines import fresh_url
from tools.errors import Unreachable


def test_the_file_is_for_its_owner_alone_whatever_the_umask(tmp_path: Path) -> None:
    file = tmp_path / "checkpoints.db"
    old = os.umask(0)
    try:
        with ExitStack() as stack:
            open_checkpointer(None, file, stack)
            modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in tmp_path.iterdir()}
    finally:
        os.umask(old)
    assert set(modes.values()) == {0o600}, modes


@pytest.mark.parametrize("kind", ["garbage", "folder", "in a file"])
def test_what_is_no_checkpoint_file_is_said_so(tmp_path: Path, kind: str) -> None:
    file = tmp_path / "checkpoints.db"
    if kind == "garbage":
        file.write_bytes(b"garbage" * 1000)
    elif kind == "folder":
        file.mkdir()
    else:
        file.write_bytes(b"")
        file = file / "below"
    with pytest.raises(Unreachable, match="state"), ExitStack() as stack:
        open_checkpointer(None, file, stack)


def test_a_database_that_goes_away_is_said_so(tmp_path: Path) -> None:
    with ExitStack() as stack:
        saver = open_checkpointer(None, tmp_path / "checkpoints.db", stack)
        saver.conn.execute("drop table checkpoints")  # type: ignore[attr-defined]
        with pytest.raises(Unreachable, match="OperationalError"), reachable_checkpoints():
            saver.get_tuple({"configurable": {"thread_id": "t"}})


def test_a_locked_file_is_said_so(tmp_path: Path) -> None:
    with ExitStack() as stack:
        saver = open_checkpointer(None, tmp_path / "checkpoints.db", stack)
        saver.conn.execute("pragma busy_timeout = 50")  # type: ignore[attr-defined]
        other = sqlite3.connect(tmp_path / "checkpoints.db", isolation_level=None)
        other.execute("begin immediate")
        config = {"configurable": {"thread_id": "t", "checkpoint_ns": ""}}
        with pytest.raises(Unreachable, match="OperationalError"), reachable_checkpoints():
            saver.put(config, empty_checkpoint(), {}, {})  # type: ignore[arg-type]
        other.close()


def test_connections_that_broke_meanwhile_are_replaced(engine: str, tmp_path: Path) -> None:
    config = {"configurable": {"thread_id": "t", "checkpoint_ns": ""}}
    with fresh_url(engine, tmp_path) as url, ExitStack() as stack:
        saver = open_checkpointer(url, tmp_path / "checkpoints.db", stack)
        saver.put(config, empty_checkpoint(), {}, {})  # type: ignore[arg-type]
        if engine == "postgresql":
            _end_other_sessions(url)
        with reachable_checkpoints():
            assert saver.get_tuple(config) is not None  # type: ignore[arg-type]


def _end_other_sessions(url: str) -> None:
    import psycopg

    end = "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and query like %s"
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(end, ("%checkpoint%",))


def test_a_postgresql_that_does_not_answer_is_said_so_without_the_password(tmp_path: Path) -> None:
    url = "postgresql://somebody:s3cret@127.0.0.1:1/nowhere"
    with pytest.raises(Unreachable) as away, ExitStack() as stack:
        open_checkpointer(url, tmp_path / "checkpoints.db", stack)
    assert "s3cret" not in f"{away.value.message} {away.value.hint}"
