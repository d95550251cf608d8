"""One way to open a connection, for reader and writer alike; secrets leave ConnectionConfig here and nowhere else."""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.errors import BadSettings
from tools.warehouse.config import ConnectionConfig
from tools.warehouse.failures import Doing, translate

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection
    from snowflake.connector.cursor import SnowflakeCursor

__all__ = ["connect", "cursor_of"]

_LONGEST_TAG = 2000
_QUIET = logging.NullHandler()
"""Without any handler Python prints the connector's warnings, tracebacks and all, on stderr."""


def connect(config: ConnectionConfig, *, query_tag: Mapping[str, str]) -> SnowflakeConnection:
    """An open session: one role only, UTC, tagged, with every time limit set, and no traffic of its own.

    Raises:
        BadSettings: key, token or connections.toml cannot be used, or Snowflake refuses the sign-in.
        Unreachable: nothing answers.
    """
    import snowflake.connector
    from snowflake.connector.errors import Error

    logging.getLogger("snowflake.connector").addHandler(_QUIET)
    arguments = _arguments(config, query_tag) | _sign_in(config)
    try:
        return snowflake.connector.connect(**arguments)
    except Error as error:
        raise translate(error, Doing(config.shown, role=config.role, signing_in=True)) from None
    except (OSError, ValueError, TypeError) as error:  # the connector's own checks of files and arguments
        raise BadSettings(f"The Snowflake connection cannot be used ({type(error).__name__}).") from None


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
    tag = json.dumps({"app": "frostline"} | {key[:40]: value[:200] for key, value in parts.items()}, sort_keys=True)
    return tag if len(tag) <= _LONGEST_TAG else json.dumps({"app": "frostline"})


def _sign_in(config: ConnectionConfig) -> dict[str, Any]:
    if config.password is not None:
        return {"password": config.password.get_secret_value()}
    if config.private_key_file is not None:
        return {"authenticator": "SNOWFLAKE_JWT", "private_key": _key(config)}
    token = config.token.get_secret_value() if config.token is not None else None
    if config.token_file is not None:
        token = _read(config.token_file, "token").decode("utf-8", "replace").strip()
    return {"authenticator": "PROGRAMMATIC_ACCESS_TOKEN", "token": token} if token is not None else {}


def _key(config: ConnectionConfig) -> bytes:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization

    assert config.private_key_file is not None
    passphrase = config.private_key_passphrase
    try:
        key = serialization.load_pem_private_key(
            _read(config.private_key_file, "private key"),
            password=passphrase.get_secret_value().encode() if passphrase is not None else None,
        )
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise BadSettings(
            f"The private key in {config.private_key_file.name} cannot be read.",
            hint="It must be PEM (PKCS#8); set private_key_passphrase if, and only if, it is encrypted.",
        ) from None
    return key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _read(path: Path, what: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadSettings(f"The {what} file {path.name} cannot be read: {error.strerror}.") from None
