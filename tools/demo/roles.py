"""What each role has been granted: the grants that `frostline setup --print-grants` prints, and what SHOW GRANTS shows.

The reader also holds MONITOR USAGE, without which Snowflake shows a role no metering by INFORMATION_SCHEMA. Warehouses
that account.toml hides from the reader are the ones it was granted nothing on.
"""

from __future__ import annotations

from typing import Literal

from tools.demo.sqlerrors import insufficient
from tools.warehouse.views import ALL_VIEWS

__all__ = [
    "ADMIN",
    "DATABASE_ROLES",
    "GLOBAL",
    "ON_WAREHOUSES",
    "OPERATOR",
    "READER",
    "Privilege",
    "has_global",
    "may",
    "require",
]

Privilege = Literal["MONITOR", "OPERATE", "MODIFY", "OWNERSHIP"]

READER, OPERATOR, ADMIN = "COST_READER", "COST_OPERATOR", "ACCOUNTADMIN"

ON_WAREHOUSES: dict[str, tuple[Privilege, ...]] = {
    READER: ("MONITOR",),
    OPERATOR: ("MODIFY", "MONITOR", "OPERATE"),
}
"""The administrator has all of them, and is the only one with OWNERSHIP."""

GLOBAL: dict[str, tuple[str, ...]] = {
    READER: ("MONITOR EXECUTION", "MONITOR USAGE"),
    ADMIN: (
        *("APPLY TAG", "CANCEL QUERY", "CREATE WAREHOUSE", "MANAGE GRANTS", "MANAGE WAREHOUSES"),
        *("MONITOR EXECUTION", "MONITOR USAGE"),
    ),
}

DATABASE_ROLES: dict[str, tuple[str, ...]] = {
    READER: tuple(sorted({view.database_role for view in ALL_VIEWS.values() if view.database_role})),
}
"""Of the database SNOWFLAKE."""


def may(role: str, privilege: Privilege) -> bool:
    """On a warehouse that the role sees."""
    return role == ADMIN or privilege in ON_WAREHOUSES.get(role, ())


def require(role: str, privilege: Privilege, kind: str, name: str) -> None:
    """
    Raises:
        SqlError: 003001, the role has not got it.
    """
    if not may(role, privilege):
        raise insufficient(kind, name)


def has_global(role: str, privilege: str) -> bool:
    return privilege in GLOBAL.get(role, ())
