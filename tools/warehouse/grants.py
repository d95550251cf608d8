"""The SQL that sets up Frostline's two roles (reference 3.5), for an administrator to read and run."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tools.warehouse.statements import quote
from tools.warehouse.views import ALL_VIEWS

__all__ = ["operator_grants", "reader_grants"]

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*")


def reader_grants(
    warehouses: Sequence[str],
    *,
    role: str = "COST_READER",
    user: str = "FROSTLINE_READER",
    compute: str = "COST_READER_WH",
) -> str:
    """The role that reads: usage views, SHOW and live statements of `warehouses`, and its own small compute.

    Args:
        warehouses: exact names, as SHOW WAREHOUSES prints them.
        role, user, compute: names as one types them; a plain one is folded to upper case as Snowflake does.

    Raises:
        BadArgument: a name that cannot be quoted.
    """
    to = f"TO ROLE {_named(role)}"
    viewers = sorted({view.database_role for view in ALL_VIEWS.values() if view.database_role})
    lines = [
        "-- Frostline reads. It can change nothing with this role.",
        f"CREATE ROLE IF NOT EXISTS {_named(role)};",
        *(f"GRANT DATABASE ROLE SNOWFLAKE.{viewer} {to};" for viewer in viewers),
        "-- GOVERNANCE_VIEWER shows the text of everybody's statements: policy.toml says who may see it in Frostline.",
        f"CREATE WAREHOUSE IF NOT EXISTS {_named(compute)} WAREHOUSE_SIZE = 'XSMALL' AUTO_SUSPEND = 60 "
        "AUTO_RESUME = TRUE INITIALLY_SUSPENDED = TRUE STATEMENT_TIMEOUT_IN_SECONDS = 300;",
        f"GRANT USAGE ON WAREHOUSE {_named(compute)} {to};",
        "-- Future grants do not cover warehouses: run these lines again when new ones are made.",
        *(f"GRANT MONITOR ON WAREHOUSE {quote(name)} {to};" for name in warehouses),
        "-- Shows tasks and when they run next, for plans; without it plans say that this is not known.",
        f"GRANT MONITOR EXECUTION ON ACCOUNT {to};",
        *_user_lines(role, user),
    ]
    return "\n".join(lines) + "\n"


def operator_grants(
    warehouses: Sequence[str],
    *,
    role: str = "COST_OPERATOR",
    user: str = "FROSTLINE_OPERATOR",
    resizable: Sequence[str] | None = None,
) -> str:
    """The role that applies approved changes to `warehouses` and reads no data.

    Args:
        resizable: those whose size, clusters and auto-suspend may change too; None means all of them.

    Raises:
        BadArgument: a name that cannot be quoted.
    """
    to = f"TO ROLE {_named(role)}"
    changeable = warehouses if resizable is None else resizable
    lines = [
        "-- Frostline applies approved changes. Another user, another key; no data and no usage views.",
        f"CREATE ROLE IF NOT EXISTS {_named(role)};",
        *(f"GRANT MONITOR, OPERATE ON WAREHOUSE {quote(name)} {to};" for name in warehouses),
        *(f"GRANT MODIFY ON WAREHOUSE {quote(name)} {to};" for name in changeable),
        *_user_lines(role, user),
    ]
    return "\n".join(lines) + "\n"


def _user_lines(role: str, user: str) -> tuple[str, ...]:
    return (
        f"GRANT ROLE {_named(role)} TO USER {_named(user)};",
        "-- Secondary roles would silently widen the session.",
        f"ALTER USER {_named(user)} SET DEFAULT_ROLE = {_named(role)} DEFAULT_SECONDARY_ROLES = ();",
    )


def _named(name: str) -> str:
    """A name from settings: folded where Snowflake would fold it, and quoted always."""
    return quote(name.upper() if _PLAIN.fullmatch(name) else name)
