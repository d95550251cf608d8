"""A reading session: opened on first use, one cursor a call, tried again only where that is safe."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from tools.warehouse.config import ConnectionConfig
from tools.warehouse.connect import connect, cursor_of
from tools.warehouse.failures import Doing, is_line_fault, retry_kind, translate

if TYPE_CHECKING:
    import pyarrow as pa
    from snowflake.connector import SnowflakeConnection
    from snowflake.connector.cursor import SnowflakeCursor
    from tenacity import RetryCallState

__all__ = ["ReadSession"]

ResultT = TypeVar("ResultT")

_GRACE_S = 10
"""Snowflake ends a statement at its time limit by itself; the connector's own clock is the second one."""
_TRY_AGAIN = 251_012
_NO_ANSWER = (LookupError, TypeError, AttributeError)
"""What the connector lets through, where it may not try again, when an answer is not one of Snowflake's."""


class ReadSession:
    """For reads alone: what fails on the way is asked again (reference 4), which a change must never be.

    Threads may share it: the connection is shared, cursors are not (connector: threadsafety 2).
    """

    def __init__(
        self,
        config: ConnectionConfig,
        *,
        query_tag: Mapping[str, str],
        attempts: int = 3,
        sleep: Callable[[float], None] = time.sleep,
        locate: Callable[[], ConnectionConfig] | None = None,
    ) -> None:
        """`locate` says anew, before each statement, where the account is: the embedded one's server may have
        stopped, or come up at another port, while nobody asked for anything.
        """
        self._config = config
        self._locate = locate
        self._tag = dict(query_tag)
        self._attempts = attempts
        self._sleep = sleep
        self._lock = threading.Lock()
        self._connection: SnowflakeConnection | None = None

    def table(self, text: str, params: Sequence[Any], doing: Doing) -> tuple[pa.Table, str]:
        """Rows as Arrow and the query's id; params are bound by position.

        Raises:
            NoPermission, StatementFailed, StatementTimedOut, Unreachable, BadSettings, Bug.
        """

        def read(cursor: SnowflakeCursor) -> tuple[pa.Table, str]:
            self._execute(cursor, text, params)
            if cursor.rowcount == 0:
                return _no_rows(cursor), str(cursor.sfqid)
            # Microseconds keep pyarrow's schema the same over chunks, whatever times they hold.
            return cursor.fetch_arrow_all(force_return_table=True, force_microsecond_precision=True), str(cursor.sfqid)

        return self._run(read, doing)

    def records(self, text: str, doing: Doing) -> list[dict[str, Any]]:
        """Rows of a SHOW command by column name: Snowflake sends these as JSON, never as Arrow."""

        def read(cursor: SnowflakeCursor) -> list[dict[str, Any]]:
            self._execute(cursor, text, ())
            names = [column.name for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

        return self._run(read, doing)

    def _execute(self, cursor: SnowflakeCursor, text: str, params: Sequence[Any]) -> None:
        """Send it once, for at most the statement's own time limit.

        The connector would try a broken line again for as long as a statement may take: then a server that is gone
        would be missed for minutes, and a limit that is short enough for that would end statements that run. So it
        does not try again (`_no_retry`); `_run` does, for as long as a line may be broken.
        """
        from snowflake.connector.errors import OperationalError

        try:
            cursor.execute(text, params or None, timeout=self._config.statement_timeout + _GRACE_S, _no_retry=True)
        except _NO_ANSWER as error:
            raise OperationalError(f"not an answer: {type(error).__name__}", errno=_TRY_AGAIN) from None

    def _run(self, read: Callable[[SnowflakeCursor], ResultT], doing: Doing) -> ResultT:
        import tenacity
        from snowflake.connector.errors import Error

        def once() -> ResultT:
            connection = self._open()
            try:
                with cursor_of(connection) as cursor:
                    return read(cursor)
            except Error as error:
                if retry_kind(error) == "reconnect":
                    self._drop(connection)
                raise

        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception(lambda e: isinstance(e, Error) and retry_kind(e) != "never"),
            stop=self._stop,
            wait=tenacity.wait_random_exponential(multiplier=0.5, max=5),
            sleep=self._sleep,
            reraise=True,
        )
        try:
            return retrying(once)
        except Error as error:
            raise translate(error, doing) from None

    def _stop(self, state: RetryCallState) -> bool:
        """A fault that Snowflake reports: after some attempts. A broken line: when it has been for network_timeout."""
        error = state.outcome.exception() if state.outcome is not None else None
        if is_line_fault(error) and self._attempts > 1:
            return (state.seconds_since_start or 0.0) >= self._config.network_timeout
        return state.attempt_number >= self._attempts

    def _open(self) -> SnowflakeConnection:
        with self._lock:
            if self._locate is not None and (found := self._locate()) != self._config:
                self._config, self._connection = found, None  # nothing listens there any more that could be told
            if self._connection is None or self._connection.is_closed():
                self._connection = connect(self._config, query_tag=self._tag)
            return self._connection

    def _drop(self, connection: SnowflakeConnection) -> None:
        """Forget a connection whose session is gone, unless another thread already has."""
        with self._lock:
            if self._connection is connection:
                self._connection = None
        connection.close(retry=False)

    def close(self) -> None:
        """Ends the session; the next call would open a new one."""
        with self._lock:
            connection, self._connection = self._connection, None
        if connection is not None:
            connection.close(retry=False)


def _no_rows(cursor: SnowflakeCursor) -> pa.Table:
    """No rows, with the columns' types: a server may send such a result without a single batch of Arrow, and
    the connector (4.8.1) cannot make a table of that when it is asked for microseconds.
    """
    import pyarrow as pa
    from snowflake.connector.constants import FIELD_TYPES

    fields = [pa.field(column.name, FIELD_TYPES[column.type_code].pa_type(column)) for column in cursor.description]
    return pa.schema(fields).empty_table()
