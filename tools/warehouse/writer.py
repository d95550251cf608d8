"""SnowflakeWriter: the one door to a change. Its own identity, one statement, one sending, no second try.

Why the connector's retries are off for the statement itself (`_no_retry`): they keep the requestId, but that the
service runs a repeated requestId only once is promised for the SQL API and not for this endpoint (reference 4), so
a repeat after a lost answer could put back what somebody has changed in between, and a repeated SUSPEND would be
answered with an error although the first one worked. Sent once, a lost answer means "unknown", which the caller
settles by reading the warehouse back. Signing in changes nothing and may be repeated within login_timeout.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

from tools.context import WriteReceipt
from tools.domain import CancelQuery, Change, ResumeWarehouse, SuspendWarehouse
from tools.errors import FrostlineError, OutcomeUnknown
from tools.warehouse.config import ConnectionConfig
from tools.warehouse.connect import connect, cursor_of
from tools.warehouse.failures import Doing, errno_of, translate
from tools.warehouse.statements import parse, quote

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection
    from snowflake.connector.errors import Error

__all__ = ["SnowflakeWriter"]

_SAID_BY_SNOWFLAKE = (range(1, 250_000), range(390_000, 400_000))
"""Error numbers of Snowflake's own answers; every other one the connector makes up when it got none."""
_STOPPED_MIDWAY = frozenset({603, 604, 625, 630})
"""Snowflake began and broke off; it does not say how far it came."""
_BROKEN = (OSError, LookupError, TypeError, ValueError, AttributeError, RuntimeError)
"""What the connector lets through when an answer is not what it expects: sent, and no clear answer."""


class SnowflakeWriter:
    """Implements `tools.context.WarehouseWriter`. A connection lives for one statement: changes are rare, and a
    session that was kept could have expired just when it is needed.
    """

    def __init__(self, config: ConnectionConfig, *, query_tag: Mapping[str, str] | None = None) -> None:
        self._config = config
        self._tag = {"component": "writer", **(query_tag or {})}
        self._connection: SnowflakeConnection | None = None

    def open(self) -> SnowflakeWriter:
        """Sign in now, which changes nothing; `execute` would do it, but whoever holds a claim wants to know.

        Raises:
            Unreachable, BadSettings: the sign-in failed.
        """
        if self._connection is None:
            self._connection = connect(self._config, query_tag=self._tag)
        return self

    def execute(self, statement: str) -> WriteReceipt:
        """Run exactly one statement, of the six forms that `statements.render` writes.

        Raises:
            BadArgument: it is no such statement; nothing was sent.
            Unreachable, BadSettings: the sign-in failed; nothing was sent.
            NoPermission, StatementFailed: Snowflake refused it; it did not run.
            OutcomeUnknown: it was sent and no clear answer came; it may or may not have run.
        """
        change, warehouse = parse(statement)
        doing = _doing(change, warehouse, self._config.role)
        self.open()
        assert self._connection is not None
        try:
            return _send(self._connection, statement, doing)
        finally:
            self.close()

    def close(self) -> None:
        """Nothing is kept open between statements."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(OSError):
                connection.close(retry=False)


def _send(connection: SnowflakeConnection, statement: str, doing: Doing) -> WriteReceipt:
    from snowflake.connector.errors import Error
    from snowflake.connector.network import ReauthenticationRequest, RetryRequest

    try:
        cursor = cursor_of(connection)
        cursor.execute(statement, num_statements=1, _no_retry=True)
        row = cursor.fetchone()
        return WriteReceipt(query_id=str(cursor.sfqid), message=str(row[0]) if row else "")
    except Error as error:
        raise _judge(error, doing) from None
    except (ReauthenticationRequest, RetryRequest, *_BROKEN) as error:
        raise _unknown(doing, type(error).__name__) from None


def _judge(error: Error, doing: Doing) -> FrostlineError:
    number = errno_of(error)
    answered = any(number in numbers for numbers in _SAID_BY_SNOWFLAKE)
    if not answered or number in _STOPPED_MIDWAY:
        return _unknown(doing, str(number))
    return translate(error, doing)


def _unknown(doing: Doing, why: str) -> OutcomeUnknown:
    return OutcomeUnknown(
        f"No clear answer came ({doing.what}, {why}): it may or may not have happened.",
        hint="Read the warehouse's state before anything else is done.",
    )


def _doing(change: Change, warehouse: str | None, role: str | None) -> Doing:
    operate = isinstance(change, (SuspendWarehouse, ResumeWarehouse, CancelQuery))
    return Doing(
        what=change.action.replace("_", " "),
        role=role,
        warehouse=quote(warehouse) if warehouse is not None else "<the statement's warehouse>",
        privilege="OPERATE" if operate else "MODIFY",
    )
