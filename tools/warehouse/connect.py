"""One way to open a connection, for reader and writer alike."""

from __future__ import annotations

import contextlib
import json
import logging
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager
from functools import cache
from typing import TYPE_CHECKING, Any

from tools.errors import BadSettings
from tools.warehouse.config import ConnectionConfig
from tools.warehouse.failures import Doing, RefusedKey, translate
from tools.warehouse.sign_in import Attempt, attempts, proxy_arguments

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection
    from snowflake.connector.cursor import SnowflakeCursor

__all__ = ["OWN_TAG", "connect", "cursor_of"]

OWN_TAG = '{"app": "frostline"'
"""How the query tag of every statement of Frostline begins."""

_LOG = logging.getLogger(__name__)
_LONGEST_TAG = 2000
_QUIET = logging.NullHandler()
"""Without any handler Python prints the connector's warnings, tracebacks and all, on stderr."""


def connect(config: ConnectionConfig, *, query_tag: Mapping[str, str]) -> SnowflakeConnection:
    """An open session: one role only, UTC, tagged, with every time limit set, and no traffic of its own.

    Raises:
        BadSettings: key, token or connections.toml cannot be used, or Snowflake refuses the sign-in.
        Unreachable: nothing answers.
    """
    refused: BadSettings | None = None
    for attempt in attempts(config):
        try:
            connection = _opened(config, query_tag, attempt)
        except RefusedKey as error:
            refused = refused or error
            continue
        if refused is not None:
            _LOG.warning("Snowflake refused the first key of %s; %s was taken.", config.shown, attempt.key)
        return connection
    assert refused is not None  # attempts() yields at least once or raises
    raise refused


def _opened(config: ConnectionConfig, query_tag: Mapping[str, str], attempt: Attempt) -> SnowflakeConnection:
    import snowflake.connector
    from snowflake.connector.errors import Error

    logging.getLogger("snowflake.connector").addHandler(_QUIET)
    arguments = _arguments(config, query_tag) | proxy_arguments(config) | attempt.arguments
    try:
        with _words_on_stderr(config):
            return snowflake.connector.connect(**arguments)
    except Error as error:
        raise translate(error, Doing(config.shown, role=config.role, signing_in=True)) from None
    except (OSError, ValueError, TypeError) as error:  # the connector's own checks of files and arguments
        raise BadSettings(f"The Snowflake connection cannot be used ({type(error).__name__}).") from None


def _words_on_stderr(config: ConnectionConfig) -> AbstractContextManager[object]:
    """What the connector prints while a person signs in with a browser; stdout may hold one JSON object alone."""
    by_browser = config.browser or (config.oauth is not None and config.oauth.flow == "authorization_code")
    return contextlib.redirect_stdout(sys.stderr) if by_browser and config.attended else contextlib.nullcontext()


def cursor_of(connection: SnowflakeConnection) -> SnowflakeCursor:
    """A cursor whose own time limit is quiet: the connector asks, from a thread, to cancel a statement that took
    network_timeout, and where the network is away that thread would print a traceback beside the real error.
    """
    cursor: SnowflakeCursor = connection.cursor(_quiet_cursor())
    return cursor


@cache
def _quiet_cursor() -> type[SnowflakeCursor]:
    from snowflake.connector.cursor import SnowflakeCursor
    from snowflake.connector.errors import Error

    owners = [c for c in SnowflakeCursor.__mro__ if hasattr(c, f"_{c.__name__}__cancel_query")]
    if not owners:  # a connector that does it in another way
        ordinary: type[SnowflakeCursor] = SnowflakeCursor
        return ordinary
    name = f"_{owners[0].__name__}__cancel_query"
    cancel = getattr(owners[0], name)

    def quietly(self: SnowflakeCursor, query: str) -> None:
        with contextlib.suppress(Error):
            cancel(self, query)

    return type("QuietCursor", (SnowflakeCursor,), {name: quietly})


def _arguments(config: ConnectionConfig, query_tag: Mapping[str, str]) -> dict[str, Any]:
    arguments = {
        "connection_name": config.connection_name,
        "account": config.account,
        "user": config.user,
        "role": config.role,
        "warehouse": config.warehouse,
        "host": config.host,
        "port": config.port,
        "protocol": config.protocol,
        # DEFAULT_SECONDARY_ROLES is 'ALL' by default and would silently widen both identities (reference 3.5).
        "secondary_roles": "NONE",
        "paramstyle": "qmark",  # values are bound by the server, never written into the text
        "application": "Frostline",
        "login_timeout": config.login_timeout,
        "network_timeout": config.network_timeout,
        # One request may take as long as a statement: a shorter socket timeout would send long reads again.
        "socket_timeout": max(config.network_timeout, config.login_timeout),
        "session_parameters": {
            "TIMEZONE": "UTC",
            "QUERY_TAG": _tag(query_tag),
            "STATEMENT_TIMEOUT_IN_SECONDS": config.statement_timeout,
            "CLIENT_TELEMETRY_ENABLED": False,
        },
        "log_imported_packages_in_telemetry": False,
        "client_session_keep_alive": False,
        "platform_detection_timeout_seconds": 0.0,  # no probes of cloud metadata addresses
        "validate_default_parameters": False,
    }
    return {key: value for key, value in arguments.items() if value is not None}


def _tag(parts: Mapping[str, str]) -> str:
    """JSON of at most 2000 characters, as Snowflake allows; long values are cut, never the JSON."""
    given = {key[:40]: value[:200] for key, value in sorted(parts.items())}
    tag = json.dumps({"app": "frostline"} | given)  # "app" stays first: OWN_TAG
    return tag if len(tag) <= _LONGEST_TAG else json.dumps({"app": "frostline"})
