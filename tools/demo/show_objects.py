"""SHOW ROLES, GRANTS, USERS, RESOURCE MONITORS and TASKS, in the columns of their documentation pages."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pyarrow as pa

from tools.demo.engine import DATABASE
from tools.demo.layout import RAW, TASK_COLUMNS
from tools.demo.lexer import Reader
from tools.demo.monitors import Monitor, monitors
from tools.demo.roles import ADMIN, DATABASE_ROLES, GLOBAL, ON_WAREHOUSES, OPERATOR, READER, has_global
from tools.demo.session import IDENTITIES
from tools.demo.shown import Filter, table
from tools.demo.sqlerrors import does_not_exist, not_found
from tools.demo.surroundings import Surroundings
from tools.demo.warehouse_rows import TABLE, visible_warehouses

__all__ = ["show_grants", "show_monitors", "show_roles", "show_tasks", "show_users"]

Row = dict[str, Any]
_TEXT, _TIME, _WHOLE = "VARCHAR", "TIMESTAMPTZ", "BIGINT"
_SYSTEM = {
    ADMIN: "Account administrator can manage all aspects of the account.",
    "PUBLIC": "Public role is automatically available to every user in the account.",
    "SECURITYADMIN": "Security administrator can manage security aspects of the account.",
    "SYSADMIN": "System administrator can create and manage databases and warehouses.",
    "USERADMIN": "User administrator can create and manage users and roles",
}
_PLAIN = re.compile(r"[A-Z_][A-Z0-9_$]*")

# --- roles and users --------------------------------------------------------------------------------------------------

_ROLE_COLUMNS = {
    "created_on": _TIME,
    "name": _TEXT,
    "is_default": _TEXT,
    "is_current": _TEXT,
    "is_inherited": _TEXT,
    "assigned_to_users": _WHOLE,
    "granted_to_roles": _WHOLE,
    "granted_roles": _WHOLE,
    "owner": _TEXT,
    "comment": _TEXT,
}
_USER_COLUMNS = {
    "name": _TEXT,
    "created_on": _TIME,
    "login_name": _TEXT,
    "display_name": _TEXT,
    "first_name": _TEXT,
    "last_name": _TEXT,
    "email": _TEXT,
    "comment": _TEXT,
    "disabled": _TEXT,
    "default_warehouse": _TEXT,
    "default_namespace": _TEXT,
    "default_role": _TEXT,
    "default_secondary_roles": _TEXT,
    "owner": _TEXT,
    "type": _TEXT,
}


def show_roles(reader: Reader, around: Surroundings) -> pa.Table:
    """SHOW ROLES: those of the system, of this account's identities, and those that its history and owners name."""
    wanted = Filter()
    wanted.read(reader)
    reader.end()
    current = around.session.identity.role
    rows: list[Row] = []
    for name in _role_names(around):
        holders = sum(identity.role == name for identity in IDENTITIES.values())
        mine = "Y" if name == current else "N"
        rows.append(
            {
                "name": name,
                "is_default": mine,
                "is_current": mine,
                "is_inherited": "Y" if current == ADMIN and name not in (ADMIN, "PUBLIC") else "N",
                "assigned_to_users": holders,
                "granted_to_roles": 0 if name in (ADMIN, "PUBLIC") else 1,
                "granted_roles": 0,
                "owner": "" if name in _SYSTEM else "USERADMIN",
                "comment": _SYSTEM.get(name, ""),
            }
        )
    return table(wanted.of(rows), _ROLE_COLUMNS)


def _role_names(around: Surroundings) -> list[str]:
    found = around.engine.rows(
        f"SELECT DISTINCT owner FROM {TABLE} UNION SELECT DISTINCT ROLE_NAME FROM {DATABASE}.{RAW}.QUERY_HISTORY"  # noqa: S608 - constants
    )
    return sorted({*_SYSTEM, READER, OPERATOR, *(str(name) for (name,) in found if name)})


def show_users(reader: Reader, around: Surroundings) -> pa.Table:
    """SHOW USERS: for who does not manage grants, other people are no more than names."""
    wanted = Filter()
    wanted.read(reader)
    reader.end()
    history = f"{DATABASE}.{RAW}.QUERY_HISTORY"
    found = around.engine.rows(f"SELECT DISTINCT USER_NAME FROM {history} WHERE USER_NAME IS NOT NULL")  # noqa: S608 - constants
    rows: list[Row] = []
    for name in sorted({*IDENTITIES, *(str(n) for (n,) in found)}):
        row: Row = {"name": name}
        if has_global(around.session.identity.role, "MANAGE GRANTS") or name == around.session.identity.user:
            ours = IDENTITIES.get(name)
            row |= {"login_name": name, "display_name": name, "disabled": "false", "owner": "USERADMIN"}
            row |= {"default_role": ours.role if ours else None, "type": "SERVICE" if ours else None}
        rows.append(row)
    return table(wanted.of(rows), _USER_COLUMNS)


# --- grants -----------------------------------------------------------------------------------------------------------

_GRANT_COLUMNS = {
    "created_on": _TIME,
    "privilege": _TEXT,
    "granted_on": _TEXT,
    "name": _TEXT,
    "granted_to": _TEXT,
    "grantee_name": _TEXT,
    "grant_option": _TEXT,
    "granted_by": _TEXT,
}
_MEMBER_COLUMNS = {
    "created_on": _TIME,
    "role": _TEXT,
    "granted_to": _TEXT,
    "grantee_name": _TEXT,
    "granted_by": _TEXT,
}


def show_grants(reader: Reader, around: Surroundings) -> pa.Table:
    """SHOW GRANTS [ON WAREHOUSE w | ON ACCOUNT | TO ROLE r | TO USER u | OF ROLE r]; bare: of the session's user.

    Raises:
        SqlError: 002003, no such role, user or warehouse that the role may see.
    """
    wanted = Filter()
    shown: pa.Table
    if reader.take("ON", "WAREHOUSE"):
        name = reader.name()
        if name not in visible_warehouses(around.engine, around.session):
            raise does_not_exist("Warehouse", name)
        shown = _grants(wanted, reader, [g for g in _on_warehouses(around) if g["name"] == _quoted(name)])
    elif reader.take("ON", "ACCOUNT"):
        shown = _grants(wanted, reader, list(_on_account(around)))
    elif reader.take("TO", "ROLE"):
        role = _existing_role(reader, around)
        everything = (*_on_account(around), *_database_roles(), *_on_warehouses(around), *_on_monitors(around))
        shown = _grants(wanted, reader, [g for g in everything if g["grantee_name"] == _quoted(role)])
    elif reader.take("OF", "ROLE"):
        role = _existing_role(reader, around)
        shown = _members(wanted, reader, lambda user, held: held == role)
    else:
        user = around.session.identity.user
        if reader.take("TO", "USER"):
            user = reader.name()
        if user not in IDENTITIES:
            raise does_not_exist("User", user)
        shown = _members(wanted, reader, lambda who, held: who == user)
    return shown


def _grants(wanted: Filter, reader: Reader, rows: list[Row]) -> pa.Table:
    wanted.read(reader)
    reader.end()
    return table(wanted.of(rows), _GRANT_COLUMNS)


def _members(wanted: Filter, reader: Reader, holds: Callable[[str, str], bool]) -> pa.Table:
    wanted.read(reader)
    reader.end()
    rows: list[Mapping[str, Any]] = [
        {"role": i.role, "granted_to": "USER", "grantee_name": user, "granted_by": ADMIN}
        for user, i in IDENTITIES.items()
        if holds(user, i.role)
    ]
    return table(wanted.of(rows, "role"), _MEMBER_COLUMNS)


def _existing_role(reader: Reader, around: Surroundings) -> str:
    role = reader.name()
    if role not in _role_names(around):
        raise does_not_exist("Role", role)
    return role


def _grant(privilege: str, on: str, name: str, role: str, by: str = ADMIN) -> Row:
    return {
        "privilege": privilege,
        "granted_on": on,
        "name": name,
        "granted_to": "ROLE",
        "grantee_name": _quoted(role),
        "grant_option": "true" if privilege == "OWNERSHIP" else "false",
        "granted_by": by,
    }


def _quoted(name: str) -> str:
    """As SHOW GRANTS prints names: in quotes where they need them."""
    return name if _PLAIN.fullmatch(name) else '"' + name.replace('"', '""') + '"'


def _on_warehouses(around: Surroundings) -> Iterator[Row]:
    """Of the warehouses that the session sees; what is hidden from the reader was never granted to it."""
    owners = dict(around.engine.rows(f"SELECT name, owner FROM {TABLE}"))  # noqa: S608 - constants
    for name in visible_warehouses(around.engine, around.session):
        if owners.get(name):
            yield _grant("OWNERSHIP", "WAREHOUSE", _quoted(name), str(owners[name]), str(owners[name]))
        for role, privileges in ON_WAREHOUSES.items():
            if role != READER or name not in around.engine.info.hidden_from_reader:
                for privilege in privileges:
                    yield _grant(privilege, "WAREHOUSE", _quoted(name), role)


def _on_monitors(around: Surroundings) -> Iterator[Row]:
    for monitor in monitors(around.engine.rows, around.now):
        yield _grant("MONITOR", "RESOURCE_MONITOR", _quoted(monitor.name), READER)


def _on_account(around: Surroundings) -> Iterator[Row]:
    for role, privileges in GLOBAL.items():
        for privilege in privileges:
            yield _grant(privilege, "ACCOUNT", around.engine.info.name.upper(), role)


def _database_roles() -> Iterator[Row]:
    for role, viewers in DATABASE_ROLES.items():
        for viewer in viewers:
            yield _grant("USAGE", "DATABASE_ROLE", f"{DATABASE}.{viewer}", role)


# --- resource monitors ------------------------------------------------------------------------------------------------

_MONITOR_COLUMNS = {
    **dict.fromkeys(("name", "credit_quota", "used_credits", "remaining_credits", "level", "frequency"), _TEXT),
    **dict.fromkeys(("start_time", "end_time"), _TIME),
    **dict.fromkeys(("notify_at", "suspend_at", "suspend_immediately_at"), _TEXT),
    "created_on": _TIME,
    **dict.fromkeys(("owner", "comment", "notify_users"), _TEXT),
}


def show_monitors(reader: Reader, around: Surroundings) -> pa.Table:
    """SHOW RESOURCE MONITORS [LIKE 'x'] ...: for the administrator and the reader, who was granted MONITOR on them."""
    wanted = Filter()
    wanted.read(reader)
    reader.end()
    allowed = around.session.identity.role in (ADMIN, READER)
    found = monitors(around.engine.rows, around.now) if allowed else []
    return table(wanted.of([_monitor(m) for m in found]), _MONITOR_COLUMNS)


def _monitor(monitor: Monitor) -> Row:
    row = monitor.row
    rest = None if monitor.quota is None else max(monitor.quota - monitor.used, 0.0)
    return {
        **{c: row[c] for c in ("name", "frequency", "start_time", "end_time", "created_on", "owner", "comment")},
        "credit_quota": _amount(monitor.quota),
        "used_credits": _amount(monitor.used),
        "remaining_credits": _amount(rest),
        "level": monitor.level,
        "notify_at": row["notify_at"] or None,
        "suspend_at": _percent(row["suspend_at"]),
        "suspend_immediately_at": _percent(row["suspend_immediately_at"]),
        "notify_users": row["notify_users"] or "",
    }


def _amount(credits: float | None) -> str | None:
    return None if credits is None else f"{credits:.2f}"


def _percent(share: int | None) -> str | None:
    return None if share is None else f"{share}%"


# --- tasks ------------------------------------------------------------------------------------------------------------


def show_tasks(reader: Reader, around: Surroundings) -> pa.Table:
    """SHOW TASKS [LIKE 'x'] [IN ACCOUNT | DATABASE d | SCHEMA [d.]s] [STARTS WITH 'x'] [ROOT ONLY] [LIMIT n].

    Everything for a role with MONITOR EXECUTION, nothing for others: no task is theirs.
    """
    wanted = Filter()
    wanted.read(reader)
    place = _place(reader)
    wanted.read(reader)
    root_only = reader.take("ROOT", "ONLY")
    wanted.read(reader)
    reader.end()
    listed = ", ".join(f"epoch_us({c})" if kind == _TIME else c for c, kind in TASK_COLUMNS.items())
    tasks = f"{DATABASE}.{RAW}.TASKS"
    found = around.engine.rows(f"SELECT {listed} FROM {tasks} ORDER BY database_name, schema_name, name")  # noqa: S608 - constants
    rows = [dict(zip(TASK_COLUMNS, row, strict=True)) for row in found]
    if not has_global(around.session.identity.role, "MONITOR EXECUTION"):
        rows = []
    rows = [row for row in rows if all(row[column] == name for column, name in place.items())]
    if root_only:
        rows = [row for row in rows if row["predecessors"] in (None, "", "[]")]
    return table(wanted.of(rows), TASK_COLUMNS)


def _place(reader: Reader) -> dict[str, str]:
    if not reader.take("IN"):
        return {}
    if reader.take("ACCOUNT"):
        return {}
    kind = next((k for k in ("DATABASE", "SCHEMA") if reader.take(k)), "SCHEMA")
    parts = [reader.name()]
    while reader.mark("."):
        parts.append(reader.name())
    if len(parts) > (1 if kind == "DATABASE" else 2):
        raise not_found()
    columns = ("database_name",) if kind == "DATABASE" else ("database_name", "schema_name")[-len(parts) :]
    return dict(zip(columns, parts, strict=True))
