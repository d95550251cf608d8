"""Where the graphs keep their state: a SQLite file beside the store, or the store's own PostgreSQL.

A checkpointer is not a lock: what must happen at most once is guarded by the plan's row (agent.store).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.errors import Unreachable

if TYPE_CHECKING:
    from langgraph.checkpoint.base import BaseCheckpointSaver

__all__ = ["open_checkpointer", "reachable_checkpoints"]

_SETUP_LOCK = 0x46524F5355  # a constant of ours; advisory locks have no names
_PATIENCE = 30


def open_checkpointer(store_url: str | None, file: Path, stack: ExitStack) -> BaseCheckpointSaver[Any]:
    """PostgreSQL where the store is, else `file`; closed with `stack`.

    Raises:
        Unreachable: the file is none of ours, or the database does not answer.
    """
    with reachable_checkpoints():
        if store_url and store_url.startswith("postgresql"):
            return _postgres(store_url, stack)
        return _sqlite(file, stack)


@contextmanager
def reachable_checkpoints() -> Iterator[None]:
    """Around everything that runs a graph: the savers let the drivers' own errors through.

    Raises:
        Unreachable: the checkpoints cannot be read or written (locked, full disk, damaged, gone).
    """
    try:
        yield
    except _errors_of_drivers() as error:
        raise Unreachable(
            f"The graphs' state cannot be read or written ({type(error).__name__}).",
            hint="It is checkpoints.db in the profile's state folder, or the store's database. A damaged "
            "checkpoints.db may be deleted: what was decided and done stands in the store.",
        ) from error


def _errors_of_drivers() -> tuple[type[Exception], ...]:
    """Asked for when something was raised: a driver that was never loaded has raised nothing."""
    import sqlite3

    psycopg = sys.modules.get("psycopg")
    return (sqlite3.Error, psycopg.Error) if psycopg else (sqlite3.Error,)


def _sqlite(file: Path, stack: ExitStack) -> BaseCheckpointSaver[Any]:
    import sqlite3

    from langgraph.checkpoint.sqlite import SqliteSaver

    from agent.store.engine import prepare_file

    try:
        prepare_file(file)
    except OSError as error:
        raise Unreachable(f"The graphs' state cannot be opened ({error.strerror}).", hint=str(file)) from error
    connection = sqlite3.connect(file, check_same_thread=False, timeout=_PATIENCE)
    stack.callback(connection.close)
    saver = SqliteSaver(connection)
    saver.setup()
    return saver


def _postgres(store_url: str, stack: ExitStack) -> BaseCheckpointSaver[Any]:
    from langgraph.checkpoint.postgres import PostgresSaver
    from psycopg import Connection
    from psycopg.rows import DictRow, dict_row
    from psycopg_pool import ConnectionPool
    from sqlalchemy.engine import make_url

    url = make_url(store_url).set(drivername="postgresql").render_as_string(hide_password=False)
    settings: dict[str, Any] = {"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row}
    with Connection[DictRow].connect(url, **settings) as connection, _alone(connection):
        PostgresSaver(connection).setup()
    # A pool: a connection that broke while nobody asked for anything is replaced.
    pool: ConnectionPool[Connection[DictRow]] = ConnectionPool(
        url,
        connection_class=Connection[DictRow],
        kwargs=settings,
        min_size=1,
        max_size=4,
        timeout=_PATIENCE,
        check=ConnectionPool.check_connection,
        open=False,
    )
    stack.enter_context(pool)
    return PostgresSaver(pool)


@contextmanager
def _alone(connection: Any) -> Iterator[None]:
    """One process sets the tables up at a time: CREATE TABLE IF NOT EXISTS is no protection on PostgreSQL.

    By asking again and again: an index is built concurrently, which would wait for a transaction that waits here.
    """
    end = time.monotonic() + _PATIENCE
    ask = "SELECT pg_try_advisory_lock(%s) AS mine"
    while not connection.execute(ask, (_SETUP_LOCK,)).fetchone()["mine"]:
        if time.monotonic() > end:
            raise Unreachable("Another process has been setting up the graphs' tables for too long.")
        time.sleep(0.05)
    try:
        yield
    finally:
        connection.execute("SELECT pg_advisory_unlock(%s)", (_SETUP_LOCK,))
