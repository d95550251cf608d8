"""What SHOW says as it is: for `account info` and for the settings that only the account knows."""

from __future__ import annotations

from typing import Any

from tools.errors import Unreachable
from tools.warehouse.config import ConnectionConfig
from tools.warehouse.failures import Doing
from tools.warehouse.session import ReadSession

__all__ = ["account_timezone", "show_warehouses"]

_TAG = {"component": "inventory"}


def show_warehouses(config: ConnectionConfig) -> list[dict[str, Any]]:
    """The rows of SHOW WAREHOUSES under Snowflake's own column names, unconverted."""
    session = ReadSession(config, query_tag=_TAG)
    try:
        return session.records("SHOW WAREHOUSES", Doing("listing warehouses"))
    finally:
        session.close()


def account_timezone(config: ConnectionConfig) -> str:
    """The account's TIMEZONE parameter: whose days "yesterday" means.

    Raises:
        Unreachable: the account does not say; the profile can.
    """
    session = ReadSession(config, query_tag=_TAG)
    try:
        rows = session.records("SHOW PARAMETERS LIKE 'TIMEZONE' IN ACCOUNT", Doing("asking for the time zone"))
    finally:
        session.close()
    for row in rows:
        if str(row.get("key", "")).upper() == "TIMEZONE" and row.get("value"):
            return str(row["value"])
    raise Unreachable("The account does not tell its time zone.", hint="Set [account] timezone in the profile.")
