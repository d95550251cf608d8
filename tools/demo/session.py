"""Who is logged in, what their session remembers, and the statements they have in flight."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import itertools
import secrets
import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb

from tools.demo.sqlerrors import SqlError

__all__ = [
    "CANCELED",
    "IDENTITIES",
    "Identity",
    "Session",
    "Sessions",
    "Statement",
    "check_login",
    "set_parameter",
    "starting_parameters",
]

CANCELED = SqlError(604, "57014", "SQL execution canceled")

_INTERRUPT_EVERY = 0.05
_SESSIONS_KEPT = 500
_REQUESTS_KEPT = 128
_SMALL_ANSWER = 64 * 1024


@dataclass(frozen=True)
class Identity:
    """One user with one role; a role says what `privileges.py` lets it do."""

    user: str
    role: str
    secret_file: str


IDENTITIES = {
    i.user: i
    for i in (
        Identity("FROSTLINE_READER", "COST_READER", "reader.secret"),
        Identity("FROSTLINE_OPERATOR", "COST_OPERATOR", "operator.secret"),
        Identity("FROSTLINE_ADMIN", "ACCOUNTADMIN", "admin.secret"),
    )
}
"""The administrator can log in only where somebody has put an admin.secret into the account's folder."""

DEFAULTS: dict[str, tuple[str, str, str]] = {
    "ABORT_DETACHED_QUERY": ("false", "BOOLEAN", "Abort a statement when its client is gone"),
    "AUTOCOMMIT": ("true", "BOOLEAN", "Each statement is its own transaction"),
    "CLIENT_SESSION_KEEP_ALIVE": ("false", "BOOLEAN", "Keep the session alive while the client lives"),
    "LOCK_TIMEOUT": ("43200", "NUMBER", "Seconds to wait for a lock"),
    "MULTI_STATEMENT_COUNT": ("1", "NUMBER", "Statements in one request"),
    "QUERY_TAG": ("", "STRING", "Tag of the session's statements"),
    "ROWS_PER_RESULTSET": ("0", "NUMBER", "Largest number of rows in a result, 0 for no limit"),
    "STATEMENT_QUEUED_TIMEOUT_IN_SECONDS": ("0", "NUMBER", "Seconds a statement may wait, 0 for no limit"),
    "STATEMENT_TIMEOUT_IN_SECONDS": ("172800", "NUMBER", "Seconds a statement may take, 0 for the largest limit"),
    "TIMESTAMP_TYPE_MAPPING": ("TIMESTAMP_NTZ", "STRING", "What TIMESTAMP means"),
    "TIMEZONE": ("America/Los_Angeles", "STRING", "Time zone of the session"),
    "USE_CACHED_RESULT": ("true", "BOOLEAN", "Answer from the result cache where possible"),
    "WEEK_OF_YEAR_POLICY": ("0", "NUMBER", "How weeks are counted"),
    "WEEK_START": ("0", "NUMBER", "First day of the week"),
}
"""Parameters a session may set: default, type, description. TIMEZONE's default is the account's."""


@dataclass
class Statement:
    """One statement in flight, from the request's arrival until its answer is made."""

    query_id: str
    started: float = field(default_factory=time.monotonic)
    stop_reason: SqlError | None = None
    connection: duckdb.DuckDBPyConnection | None = None
    done: threading.Event = field(default_factory=threading.Event)
    answer: asyncio.Future[bytes] | None = None
    text: str = ""
    warehouse: str | None = None
    """The session's when it began."""
    computes: bool = False
    """Whether it reads the account's views, for which Snowflake would take a warehouse."""
    compiled: float | None = None
    """When it was ready to run (monotonic); None for what needs no running."""
    internal: bool = False
    """Sent by the client library for itself."""

    def stop(self, reason: SqlError) -> None:
        """Interrupt it, now and until it has ended: an interruption between two DuckDB calls is lost."""
        if self.stop_reason is None and not self.done.is_set():
            self.stop_reason = reason
            threading.Thread(target=self._interrupt, daemon=True).start()

    def check(self) -> None:
        """
        Raises:
            SqlError: it was stopped.
        """
        if self.stop_reason is not None:
            raise self.stop_reason

    def _interrupt(self) -> None:
        while not self.done.wait(_INTERRUPT_EVERY):
            if (con := self.connection) is not None:
                with contextlib.suppress(duckdb.Error):
                    con.interrupt()


@dataclass
class Session:
    id: int
    token: str
    master: str
    identity: Identity
    parameters: dict[str, str]
    account_timezone: str
    database: str | None = None
    schema: str | None = None
    warehouse: str | None = None
    query_ids: list[str] = field(default_factory=list)
    statements: OrderedDict[str, Statement] = field(default_factory=OrderedDict)
    """By request id: a request that the connector repeats after a lost answer must not run twice."""

    @property
    def timezone(self) -> str:
        return self.parameters["TIMEZONE"]

    @property
    def timeout(self) -> float | None:
        """Seconds a statement may take; None for no limit."""
        return float(self.parameters["STATEMENT_TIMEOUT_IN_SECONDS"]) or None

    def begin(self, request_id: str) -> Statement:
        """Remember a new request; forget old answers, large ones (never those of a change) first."""
        for old in [r for i, r in enumerate(reversed(self.statements)) if self._forgettable(r, i)]:
            del self.statements[old]
        statement = Statement(str(uuid.uuid4()))
        self.statements[request_id] = statement
        return statement

    def _forgettable(self, request_id: str, age: int) -> bool:
        statement = self.statements[request_id]
        if not statement.done.is_set() or statement.answer is None or not statement.answer.done():
            return False
        large = not statement.answer.cancelled() and len(statement.answer.result()) > _SMALL_ANSWER
        return large or age >= _REQUESTS_KEPT

    def running(self) -> list[Statement]:
        return [s for s in list(self.statements.values()) if not s.done.is_set()]


class Sessions:
    """All sessions by token; the oldest idle ones are forgotten when there are too many."""

    def __init__(self) -> None:
        self._by_token: OrderedDict[str, Session] = OrderedDict()
        # Rows of history outlive the server, and a session's id is to be no other session's.
        self._ids = itertools.count(int(time.time()) * 1000 + 1)

    def open(self, identity: Identity, parameters: dict[str, str], account_timezone: str) -> Session:
        session = Session(
            account_timezone=account_timezone,
            id=next(self._ids),
            token=secrets.token_urlsafe(32),
            master=secrets.token_urlsafe(32),
            identity=identity,
            parameters=parameters,
        )
        self._by_token[session.token] = session
        for token in list(self._by_token)[:-_SESSIONS_KEPT]:
            if not self._by_token[token].running():
                del self._by_token[token]
        return session

    def find(self, token: str) -> Session | None:
        return self._by_token.get(token)

    def renew(self, master: str) -> Session | None:
        """A new session token for the holder of the master token."""
        session = next((s for s in self._by_token.values() if hmac.compare_digest(s.master, master)), None)
        if session is not None:
            del self._by_token[session.token]
            session.token = secrets.token_urlsafe(32)
            self._by_token[session.token] = session
        return session

    def close(self, token: str) -> None:
        if session := self._by_token.pop(token, None):
            for statement in session.running():
                statement.stop(CANCELED)

    def in_flight(self) -> list[tuple[Session, Statement]]:
        """What runs on a warehouse now."""
        return [
            (session, statement) for session, statement in self.running() if statement.computes and statement.warehouse
        ]

    def running(self) -> list[tuple[Session, Statement]]:
        return [(session, statement) for session in self.all() for statement in session.running()]

    def all(self) -> list[Session]:
        return list(self._by_token.values())


def check_login(account_dir: Path, user: str, password: str) -> Identity:
    """
    Raises:
        SqlError: 390100, whatever of the two is wrong.
    """
    identity = IDENTITIES.get(user.upper())
    try:
        wanted = (account_dir / identity.secret_file).read_text().strip() if identity else ""
    except OSError:
        wanted = ""
    right = hmac.compare_digest(wanted.encode(), password.encode())
    if identity is None or not wanted or not right:
        raise SqlError(390100, "08004", "Incorrect username or password was specified.")
    return identity


def set_parameter(parameters: dict[str, str], name: str, value: object) -> None:
    """
    Raises:
        SqlError: no such parameter, or a value it does not take.
    """
    name = name.upper()
    if name not in DEFAULTS:
        raise SqlError(1006, "42000", f"SQL compilation error:\ninvalid parameter '{name}'")  # (memory)
    text = str(value).lower() if isinstance(value, bool) else str(value)
    kind = DEFAULTS[name][1]
    good = {"NUMBER": text.isascii() and text.isdigit(), "BOOLEAN": text.lower() in ("true", "false")}.get(kind, True)
    if name == "TIMEZONE":
        good = _is_zone(text)
    if name == "QUERY_TAG":
        good = len(text) <= 2000
    if name == "STATEMENT_TIMEOUT_IN_SECONDS":
        good = good and int(text) <= 604_800
    if not good:
        raise SqlError(1008, "22023", f"SQL compilation error:\ninvalid value [{text[:200]}] for parameter '{name}'")
    parameters[name] = text


def _is_zone(text: str) -> bool:
    try:
        ZoneInfo(text)
    except (ValueError, OSError, KeyError):
        return False
    return text.isascii()


def starting_parameters(timezone: str, wanted: Mapping[str, object]) -> dict[str, str]:
    """Defaults, then what the client asked for at login; parameters we do not know are the client's own."""
    parameters = {name: default for name, (default, _, _) in DEFAULTS.items()}
    parameters["TIMEZONE"] = timezone
    for name, value in wanted.items():
        if name.upper() in DEFAULTS and value is not None:
            set_parameter(parameters, name, value)
    return parameters
