"""The file behind the result cache: pieces of results by time, bounded in size, and never a reason to fail.

Whatever is wrong with the file (locked, damaged, disk full) is one log line and a cache that knows nothing.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["CacheFile", "Piece"]

ResultT = TypeVar("ResultT")

_LOG = logging.getLogger(__name__)
_SCHEMA = """
CREATE TABLE IF NOT EXISTS pieces (
    id INTEGER PRIMARY KEY,
    scope TEXT NOT NULL,
    query TEXT NOT NULL,
    begins INTEGER NOT NULL,
    ends INTEGER NOT NULL,
    query_id TEXT NOT NULL,
    content BLOB NOT NULL,
    size INTEGER NOT NULL,
    used REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS pieces_by_query ON pieces (scope, query, begins);
"""
_WAIT_S = 2.0
_ROOM = 0.8
"""When the file is full the pieces that were not used for longest go, down to this share of what is allowed."""
_ROW_BYTES = 200
"""What a piece takes beside its content."""


@dataclass(frozen=True)
class Piece:
    """All rows of one query in [start, end), and the id of the statement that brought them."""

    start: datetime
    end: datetime
    table: pa.Table
    query_id: str


class CacheFile:
    """Threads and processes may share one. Times are whole seconds."""

    def __init__(self, path: Path, *, megabytes: int) -> None:
        self._path = path
        self._most = megabytes * 1_000_000
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._scope: str | None = None

    def pieces(self, scope: str, query: str, start: datetime, end: datetime) -> list[Piece]:
        """Those that touch [start, end), by their start."""

        def read(connection: sqlite3.Connection) -> list[Piece]:
            rows = connection.execute(
                "SELECT id, begins, ends, query_id, content FROM pieces"
                " WHERE scope = ? AND query = ? AND begins < ? AND ends > ? ORDER BY begins",
                (scope, query, _seconds(end), _seconds(start)),
            ).fetchall()
            now = time.time()
            connection.executemany("UPDATE pieces SET used = ? WHERE id = ?", [(now, row[0]) for row in rows])
            return [Piece(_moment(r[1]), _moment(r[2]), _unpacked(r[4]), r[3]) for r in rows]

        return self._do(scope, read) or []

    def put(self, scope: str, query: str, piece: Piece, *, instead: bool = False) -> None:
        """Keep a piece; with `instead` it takes the place of all that lie within it."""
        content = _packed(piece.table)
        if len(content) > self._most:
            return

        def write(connection: sqlite3.Connection) -> None:
            span = (scope, query, _seconds(piece.start), _seconds(piece.end))
            if instead:
                connection.execute(
                    "DELETE FROM pieces WHERE scope = ? AND query = ? AND begins >= ? AND ends <= ?", span
                )
            connection.execute(
                "INSERT INTO pieces (scope, query, begins, ends, query_id, content, size, used)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (*span, piece.query_id, content, len(content) + _ROW_BYTES, time.time()),
            )
            self._make_room(connection)

        self._do(scope, write)

    def close(self) -> None:
        with self._lock:
            connection, self._connection = self._connection, None
            if connection is not None:
                connection.close()

    # --- inside ---------------------------------------------------------------------------------------------------

    def _do(self, scope: str, work: Callable[[sqlite3.Connection], ResultT]) -> ResultT | None:
        with self._lock:
            try:
                with self._open(scope) as connection:
                    return work(connection)
            except (sqlite3.Error, OSError) as error:
                _LOG.warning("The result cache %s is left aside: %s", self._path.name, error)
                self._give_up(error)
                return None

    @contextlib.contextmanager
    def _open(self, scope: str) -> Iterator[sqlite3.Connection]:
        if self._connection is None:
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
            self._connection = sqlite3.connect(self._path, timeout=_WAIT_S, check_same_thread=False)
            self._connection.executescript(_SCHEMA)
        with self._connection as connection:
            if scope != self._scope:
                # Another account took this one's place, or it moved on: nobody asks for the old one again.
                connection.execute("DELETE FROM pieces WHERE scope <> ?", (scope,))
                self._scope = scope
            yield connection

    def _give_up(self, error: Exception) -> None:
        """A damaged file is of no use to anybody; one that is locked may be fine in a moment."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError):
            with contextlib.suppress(OSError):
                self._path.unlink()

    def _make_room(self, connection: sqlite3.Connection) -> None:
        (size,) = connection.execute("SELECT COALESCE(SUM(size), 0) FROM pieces").fetchone()
        if size <= self._most:
            return
        gone: list[tuple[int]] = []
        for number, bytes_freed in connection.execute("SELECT id, size FROM pieces ORDER BY used, id").fetchall():
            gone.append((number,))
            size -= bytes_freed
            if size <= self._most * _ROOM:
                break
        connection.executemany("DELETE FROM pieces WHERE id = ?", gone)


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())


def _moment(seconds: int) -> datetime:
    from datetime import UTC

    return datetime.fromtimestamp(seconds, UTC)


def _packed(table: pa.Table) -> bytes:
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue().to_pybytes())


def _unpacked(content: bytes) -> pa.Table:
    import pyarrow as pa

    try:
        with pa.ipc.open_stream(content) as reader:
            return reader.read_all()
    except pa.ArrowInvalid as error:
        raise sqlite3.DatabaseError(f"a piece cannot be read: {error}") from None
