"""Engines and transactions: SQLite (WAL, 0600, BEGIN IMMEDIATE for writers) and PostgreSQL.

Writers are serialised on both engines, so that a compare-and-set, its ledger row and its audit row are one
step: BEGIN IMMEDIATE takes SQLite's write lock before the first read (no upgrade from reader to writer, hence
no 'database is locked'), and an advisory lock does the same on PostgreSQL. The write load is a few rows for
each decision of a person.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from tools.errors import BadSettings, Unreachable

__all__ = ["make_engine", "prepare_file", "reading", "writing"]

BUSY_SECONDS = 30
_WRITER_LOCK = 0x46524F5354  # a constant of ours; advisory locks have no names
_BEGIN = "frostline_begin"
_queues: WeakKeyDictionary[Engine, threading.Lock] = WeakKeyDictionary()
_queues_lock = threading.Lock()


def make_engine(url: str | Path) -> Engine:
    """An engine for `sqlite:///FILE`, `postgresql://...` or the path of a SQLite file, which is made with mode 0600.

    Raises:
        BadSettings: the URL cannot be used.
        Unreachable: the file cannot be opened or is no database.
    """
    if isinstance(url, Path):  # a URL would unquote %20 and cut at ?
        return _sqlite(URL.create("sqlite", database=str(url)))
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise BadSettings("store.url is not a database URL.", hint="sqlite:///FILE or postgresql://...") from None
    if parsed.get_backend_name() == "sqlite":
        return _sqlite(parsed)
    if parsed.get_backend_name() == "postgresql":
        # No statements prepared for a connection's life: one planned on an empty table reads the grown one whole.
        driver = parsed.set(drivername="postgresql+psycopg")
        return create_engine(driver, pool_pre_ping=True, pool_size=5, connect_args={"prepare_threshold": None})
    raise BadSettings(
        f"A store on {parsed.get_backend_name()!r} is not supported.", hint="sqlite:///FILE or postgresql://..."
    )


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One consistent snapshot.

    Raises:
        Unreachable: the database does not answer.
    """
    snapshot = engine
    if engine.dialect.name == "postgresql":  # its default takes a new snapshot for every statement
        snapshot = engine.execution_options(isolation_level="REPEATABLE READ")
    with _reachable(), snapshot.begin() as connection:
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One transaction, alone among writers; commits at the end, rolls back on any exception.

    Raises:
        Unreachable: the database does not answer.
    """
    immediate = engine.execution_options(**{_BEGIN: "BEGIN IMMEDIATE"})
    with _in_turn(engine), _reachable(), immediate.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _WRITER_LOCK})
        yield connection


@contextmanager
def _in_turn(engine: Engine) -> Iterator[None]:
    """A queue for this process's writers of a SQLite file.

    SQLite itself lets them sleep and try again, and whoever comes first takes it: under many threads one of them
    waited for 2.9 s where with a queue it is 0.5 s, and an acknowledgement to Slack has three seconds.
    """
    if engine.dialect.name != "sqlite":
        yield
        return
    with _queues_lock:
        queue = _queues.setdefault(engine, threading.Lock())
    if not queue.acquire(timeout=BUSY_SECONDS):
        raise Unreachable("The store does not answer (a writer of this process holds it).")
    try:
        yield
    finally:
        queue.release()


@contextmanager
def _reachable() -> Iterator[None]:
    try:
        yield
    except IntegrityError:
        raise
    except PoolTimeout as error:
        raise Unreachable("The store does not answer in time: all connections are in use.") from error
    except DBAPIError as error:
        # The driver's text may hold a URL with a password: only its type is shown.
        kind = type(error.orig).__name__ if error.orig else type(error).__name__
        raise Unreachable(
            f"The store does not answer ({kind}).", hint="Check store.url; `frostline doctor` says more."
        ) from error


def _sqlite(url: URL) -> Engine:
    if not url.database or url.database == ":memory:":
        raise BadSettings("The store needs a file: two processes cannot share one in memory.")
    path = Path(url.database)
    try:
        prepare_file(path)
    except (OSError, sqlite3.Error) as error:
        raise Unreachable(f"The store cannot be opened ({type(error).__name__}: {error}).", hint=str(path)) from error
    engine = create_engine(url.set(drivername="sqlite"), connect_args={"timeout": BUSY_SECONDS})
    event.listen(engine, "connect", _own_transactions)
    event.listen(engine, "begin", _begin)
    return engine


def prepare_file(path: Path) -> None:
    """A SQLite file in WAL mode for its owner alone.

    Raises:
        OSError, sqlite3.Error: it cannot be made or written, or is something else.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Made before SQLite opens it: its -wal and -shm take the mode of the file. Never opened where it exists: closing
    # any descriptor of a file drops all locks this process holds on it, and another process would then take the
    # file for unused and delete the -wal with what was committed (fcntl(2), sqlite.org/howtocorrupt.html 2.2).
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    path.chmod(0o600)
    _switch_to_wal(path)


def _switch_to_wal(path: Path) -> None:
    """WAL stays with the file; the busy timeout does not cover the switch itself, hence the loop."""
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
    deadline = time.monotonic() + BUSY_SECONDS
    try:
        while connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
            try:
                connection.execute("PRAGMA journal_mode=WAL")
            except sqlite3.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
    finally:
        connection.close()


def _own_transactions(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # Python's driver would begin late and deferred
    connection.execute("PRAGMA synchronous=FULL")  # an approval that was answered must survive a power cut


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get(_BEGIN, "BEGIN"))
