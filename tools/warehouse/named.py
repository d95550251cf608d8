"""What the connector's own connections.toml says: only what has to be known before anybody signs in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tools.errors import BadSettings
from tools.warehouse.config import ConnectionConfig

__all__ = ["account_of", "check_one_account", "named_connection"]


def named_connection(name: str) -> Mapping[str, Any]:
    """The entry, or nothing where it cannot be read: the connector says why when it is used."""
    from snowflake.connector.config_manager import CONFIG_MANAGER
    from snowflake.connector.errors import Error

    try:
        entry = CONFIG_MANAGER["connections"].get(name)
    except (Error, OSError, ValueError, KeyError, AttributeError):
        return {}
    return entry if isinstance(entry, Mapping) else {}


def account_of(config: ConnectionConfig) -> str | None:
    """Which account an identity belongs to, as its settings write it, in lower case; None: they do not say."""
    named = named_connection(config.connection_name) if config.connection_name is not None else {}
    account = config.account or named.get("account")
    return str(account).strip().lower() if account else None


def check_one_account(reader: ConnectionConfig, operator: ConnectionConfig) -> None:
    """A plan is made from what the reader sees; its statement must not run anywhere else.

    Raises:
        BadSettings: the two are of different accounts, as far as settings and connections.toml tell.
    """
    names = {name for name in (account_of(reader), account_of(operator)) if name is not None}
    if len(names) > 1:
        raise BadSettings(
            f"Reader and operator belong to different accounts: {' and '.join(sorted(names))}.",
            hint="Both have to be of one account, written alike, also in connections.toml.",
        )
