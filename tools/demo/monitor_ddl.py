"""CREATE, ALTER and DROP RESOURCE MONITOR, and the account's own monitor: for the administrator alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from tools.demo.alterlog import append
from tools.demo.engine import DATABASE
from tools.demo.holding import check_monitor, enforce
from tools.demo.layout import MONITOR_COLUMNS, RAW
from tools.demo.lexer import Reader
from tools.demo.monitors import FREQUENCIES, NONE, moment, monitors, refresh_view, store
from tools.demo.roles import ADMIN
from tools.demo.sqlerrors import SqlError, does_not_exist, insufficient, syntax
from tools.demo.surroundings import Surroundings
from tools.demo.warehouse_rows import TABLE

__all__ = ["alter_account", "alter_monitor", "create_monitor", "drop_monitor"]

_TABLE = f"{DATABASE}.{RAW}.MONITORS"
_MOST_NOTIFY = 5
_DONE = "Statement executed successfully."


def create_monitor(reader: Reader, around: Surroundings, query_id: str, sql: str, how: str = "") -> str:
    """
    Raises:
        SqlError: 003001 for everyone but the administrator, 002002 where it exists, 0014xx bad property.
    """
    _administrator(around, "account", around.engine.info.name.upper())
    if_not_exists = not how and reader.take("IF", "NOT", "EXISTS")
    name = reader.name()
    reader.take("WITH")
    first = around.now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    row: dict[str, Any] = dict.fromkeys(MONITOR_COLUMNS)
    row |= {"name": name, "frequency": "MONTHLY", "start_time": first, "created_on": around.now, "owner": ADMIN}
    row |= {"comment": "", "notify_users": "", "notify_at": ""}
    row |= _properties(reader, around)
    with around.engine.write() as con:
        if not how and _row(around, name) is not None:
            if if_not_exists:
                return f"{name} already exists, statement succeeded."
            raise SqlError(2002, "42710", f"SQL compilation error:\nObject '{name}' already exists.")
        store(con, row)
        enforce(con, around, query_id)
        refresh_view(con, around.now)
    append(around, query_id, sql, None)
    return f"Resource monitor {name} successfully created."


def alter_monitor(reader: Reader, around: Surroundings, query_id: str, sql: str) -> str:
    """
    Raises:
        SqlError: 002003 unknown, 003001 for everyone but the administrator, 0014xx bad property.
    """
    if_exists = reader.take("IF", "EXISTS")
    name = reader.name()
    _administrator(around, "resource monitor", name)
    reader.take("SET")
    found = _properties(reader, around)
    if not found:
        raise reader.unexpected()
    with around.engine.write() as con:
        row = _row(around, name)
        if row is None:
            if if_exists:
                return _DONE
            raise does_not_exist("Resource monitor", name)
        store(con, _as_stored(row) | found)
        enforce(con, around, query_id)
        refresh_view(con, around.now)
    append(around, query_id, sql, None)
    return _DONE


def drop_monitor(reader: Reader, around: Surroundings, query_id: str, sql: str) -> str:
    """
    Raises:
        SqlError: 002003 unknown, 003001 for everyone but the administrator.
    """
    if_exists = reader.take("IF", "EXISTS")
    name = reader.name()
    reader.end()
    _administrator(around, "resource monitor", name)
    with around.engine.write() as con:
        if _row(around, name) is None:
            if if_exists:
                return "Drop statement executed successfully."
            raise does_not_exist("Resource monitor", name)
        con.execute(f"DELETE FROM {_TABLE} WHERE name = ?", [name])  # noqa: S608 - constants
        con.execute(f"UPDATE {TABLE} SET resource_monitor = '{NONE}' WHERE resource_monitor = ?", [name])  # noqa: S608 - constants
        refresh_view(con, around.now)
    append(around, query_id, sql, None)
    return f"{name} successfully dropped."


def alter_account(reader: Reader, around: Surroundings, query_id: str, sql: str) -> str:
    """ALTER ACCOUNT SET RESOURCE_MONITOR = name | UNSET RESOURCE_MONITOR; nothing else of an account can be altered.

    Raises:
        SqlError: 003001 for everyone but the administrator and for everything else, 002003 no such monitor.
    """
    account = around.engine.info.name.upper()
    _administrator(around, "account", account)
    name = None
    if reader.take("SET", "RESOURCE_MONITOR"):
        if not reader.mark("="):
            raise reader.unexpected()
        name = None if reader.take("NULL") else reader.name()
    elif not reader.take("UNSET", "RESOURCE_MONITOR"):
        raise insufficient("account", account)
    reader.end()
    check_monitor(around.engine, name)
    with around.engine.write() as con:
        con.execute(f"UPDATE {_TABLE} SET level = CASE WHEN name = ? THEN 'ACCOUNT' END", [name])  # noqa: S608 - constants
        enforce(con, around, query_id)
        refresh_view(con, around.now)
    append(around, query_id, sql, None)
    return _DONE


def _administrator(around: Surroundings, kind: str, name: str) -> None:
    if around.session.identity.role != ADMIN:
        raise insufficient(kind, name)


def _row(around: Surroundings, name: str) -> dict[str, Any] | None:
    return next((dict(m.row) for m in monitors(around.engine.rows, around.now) if m.name == name), None)


def _as_stored(row: dict[str, Any]) -> dict[str, Any]:
    """Times as they are kept; what an import said it had used is left to the import."""
    return row | {c: moment(row[c]) for c, kind in MONITOR_COLUMNS.items() if kind == "TIMESTAMPTZ"}


# --- properties ------------------------------------------------------------------------------------------------------


def _properties(reader: Reader, around: Surroundings) -> dict[str, Any]:
    """`NAME = value ...` and TRIGGERS, up to the end."""
    found: dict[str, Any] = {}
    while reader.peek() is not None:
        if reader.take("TRIGGERS"):
            found |= _triggers(reader)
            break
        name = reader.next("word").value
        if name not in _READERS:
            raise SqlError(
                1420, "22023", f"SQL compilation error:\ninvalid property '{name[:100]}' for 'RESOURCE_MONITOR'"
            )
        if not reader.mark("="):
            raise reader.unexpected()
        column, read = _READERS[name]
        found[column] = read(name, reader, around)
        reader.mark(",")
    if ("frequency" in found) != ("start_time" in found):
        raise syntax("FREQUENCY and START_TIMESTAMP must be set together.")
    return found


def _bad(name: str, text: str) -> SqlError:
    return SqlError(1422, "22023", f"SQL compilation error:\ninvalid value '{text[:100]}' for property '{name}'")


def _quota(name: str, reader: Reader, around: Surroundings) -> float:
    text = reader.next("number").value
    if not 0 < float(text) <= 1e9:
        raise _bad(name, text)
    return float(text)


def _frequency(name: str, reader: Reader, around: Surroundings) -> str:
    text = reader.next("word", "string").value.upper()
    if text not in FREQUENCIES:
        raise _bad(name, text)
    return text


def _time(name: str, reader: Reader, around: Surroundings) -> datetime:
    if reader.take("IMMEDIATELY"):
        return around.now
    text = reader.next("string").value
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise _bad(name, text) from None
    return when if when.tzinfo else when.replace(tzinfo=ZoneInfo(around.session.timezone))


def _users(name: str, reader: Reader, around: Surroundings) -> str:
    if not reader.mark("("):
        raise reader.unexpected()
    users = []
    while not reader.mark(")"):
        users.append(reader.name())
        reader.mark(",")
    return ", ".join(users)


def _text(name: str, reader: Reader, around: Surroundings) -> str:
    return reader.next("string").value


_READERS: dict[str, tuple[str, Callable[[str, Reader, Surroundings], Any]]] = {
    "CREDIT_QUOTA": ("credit_quota", _quota),
    "FREQUENCY": ("frequency", _frequency),
    "START_TIMESTAMP": ("start_time", _time),
    "END_TIMESTAMP": ("end_time", _time),
    "NOTIFY_USERS": ("notify_users", _users),
    "COMMENT": ("comment", _text),
}


def _triggers(reader: Reader) -> dict[str, Any]:
    """ON n PERCENT DO SUSPEND | SUSPEND_IMMEDIATE | NOTIFY ...: they take the place of all earlier ones."""
    notify: list[int] = []
    at: dict[str, int | None] = {"suspend_at": None, "suspend_immediately_at": None}
    columns = {"SUSPEND": "suspend_at", "SUSPEND_IMMEDIATE": "suspend_immediately_at"}
    while reader.take("ON"):
        text = reader.next("number").value
        if not text.isdigit() or not 0 < int(text) <= 1_000_000:
            raise _bad("TRIGGERS", text)
        reader.expect("PERCENT", "DO")
        action = reader.next("word").value
        if action == "NOTIFY":
            notify.append(int(text))
        elif action not in columns:
            raise _bad("TRIGGERS", action)
        elif at[columns[action]] is not None:
            raise syntax(f"there can be only one {action} trigger.")
        else:
            at[columns[action]] = int(text)
    reader.end()
    if len(notify) > _MOST_NOTIFY:
        raise syntax(f"there can be at most {_MOST_NOTIFY} NOTIFY triggers.")
    return at | {"notify_at": ",".join(f"{p}%" for p in sorted(notify))}
