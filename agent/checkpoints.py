"""Where the graphs keep their state: a SQLite file beside the store, or the store's own PostgreSQL.

A checkpointer is not a lock: what must happen at most once is guarded by the plan's row (agent.store).
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from langgraph.checkpoint.base import BaseCheckpointSaver

__all__ = ["open_checkpointer"]


def open_checkpointer(store_url: str | None, file: Path, stack: ExitStack) -> BaseCheckpointSaver[Any]:
    """PostgreSQL where the store is, else `file`; closed with `stack`."""
    if store_url and store_url.startswith("postgresql"):
        return _postgres(store_url, stack)
    return _sqlite(file, stack)


def _sqlite(file: Path, stack: ExitStack) -> BaseCheckpointSaver[Any]:
    import sqlite3

    from langgraph.checkpoint.sqlite import SqliteSaver

    file.touch(mode=0o600)
    connection = sqlite3.connect(file, check_same_thread=False, timeout=30)
    connection.execute("PRAGMA journal_mode=WAL")
    stack.callback(connection.close)
    saver = SqliteSaver(connection)
    saver.setup()
    return saver


def _postgres(store_url: str, stack: ExitStack) -> BaseCheckpointSaver[Any]:
    from langgraph.checkpoint.postgres import PostgresSaver
    from psycopg import Connection
    from psycopg.rows import dict_row

    url = "postgresql" + store_url[store_url.index("://") :]  # libpq knows no "+psycopg"
    connection = stack.enter_context(
        Connection.connect(url, autocommit=True, prepare_threshold=0, row_factory=dict_row)
    )
    saver = PostgresSaver(connection)
    saver.setup()
    return saver
