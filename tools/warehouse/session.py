"""A reading session: opened on first use, one cursor a call, tried again only where that is safe."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from tools.warehouse.config import ConnectionConfig
from tools.warehouse.connect import connect, cursor_of
from tools.warehouse.failures import Doing, retry_kind, translate

if TYPE_CHECKING:
    import pyarrow as pa
    from snowflake.connector import SnowflakeConnection
    from snowflake.connector.cursor import SnowflakeCursor

__all__ = ["ReadSession"]

ResultT = TypeVar("ResultT")


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
            cursor.execute(text, params or None)
            if cursor.rowcount == 0:
                return _no_rows(cursor), str(cursor.sfqid)
            # Microseconds keep pyarrow's schema the same over chunks, whatever times they hold.
            return cursor.fetch_arrow_all(force_return_table=True, force_microsecond_precision=True), str(cursor.sfqid)

        return self._run(read, doing)

    def records(self, text: str, doing: Doing) -> list[dict[str, Any]]:
        """Rows of a SHOW command by column name: Snowflake sends these as JSON, never as Arrow."""

        def read(cursor: SnowflakeCursor) -> list[dict[str, Any]]:
            cursor.execute(text)
            names = [column.name for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

        return self._run(read, doing)

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
            stop=self._stop(),
            wait=tenacity.wait_random_exponential(multiplier=0.5, max=5),
            sleep=self._sleep,
            reraise=True,
        )
        try:
            return retrying(once)
        except Error as error:
            raise translate(error, doing) from None

    def _stop(self) -> Any:
        """The connector has already tried for network_timeout by itself: then there is only time for more where the
        account may meanwhile be found elsewhere.
        """
        import tenacity

        if self._locate is not None:
            return tenacity.stop_after_attempt(2)
        return tenacity.stop_after_attempt(self._attempts) | tenacity.stop_after_delay(self._config.network_timeout)

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
