"""Statements that are not queries: USE, ALTER SESSION, SHOW, DESCRIBE, and the door to warehouse DDL.

Each returns a small Arrow table. What no rule here names is refused: syntax errors for what Snowflake does not
know either, 003001 for what it knows and nobody may do here.
"""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa

from tools.demo.lexer import Reader, first_word
from tools.demo.monitor_ddl import alter_account, alter_monitor, create_monitor, drop_monitor
from tools.demo.session import DEFAULTS, Session, set_parameter, starting_parameters
from tools.demo.show import show_parameters, show_warehouses
from tools.demo.show_objects import show_grants, show_monitors, show_roles, show_tasks, show_users
from tools.demo.sqlerrors import SqlError, insufficient, not_found, unsupported
from tools.demo.surroundings import Surroundings
from tools.demo.warehouse_ddl import alter_warehouse, create_warehouse, describe_warehouse, drop_warehouse
from tools.demo.warehouse_rows import visible_warehouses

__all__ = ["STATEMENT_TYPES", "is_query", "run_command", "status"]

STATEMENT_TYPES = {"SHOW": 0x4400, "DESCRIBE": 0x4500, "DESC": 0x4500, "USE": 0x4300, "SELECT": 0x1000}
_QUERY_WORDS = frozenset({"SELECT", "WITH", "("})
_KNOWN_BUT_REFUSED = frozenset(
    [
        "INSERT",
        "UPDATE",
        "DELETE",
        "MERGE",
        "COPY",
        "PUT",
        "GET",
        "TRUNCATE",
        "GRANT",
        "REVOKE",
        "UNDROP",
        "CALL",
        "EXECUTE",
        "COMMENT",
        "REMOVE",
        "RM",
        "LIST",
        "LS",
        "SET",
        "UNSET",
        "EXPLAIN",
    ]
)


def is_query(sql: str) -> bool:
    return first_word(sql) in _QUERY_WORDS


def status(text: str = "Statement executed successfully.") -> pa.Table:
    return pa.table({"status": [text]})


def run_command(sql: str, around: Surroundings, query_id: str) -> pa.Table:
    """
    Raises:
        SqlError: whatever is wrong with it, worded as Snowflake does.
    """
    word = first_word(sql)
    if word in ("", ";"):
        raise SqlError(900, "42000", "SQL compilation error:\nEmpty SQL statement.")
    reader = Reader(sql)
    if word in ("ALTER", "CREATE", "DROP", "DESCRIBE", "DESC"):
        return _object(reader, around, query_id, sql)
    if handler := _HANDLERS.get(word):
        reader.next("word")
        return handler(reader, around)
    if word in _KNOWN_BUT_REFUSED:
        raise insufficient("statement", word)
    raise reader.unexpected()


def _object(reader: Reader, around: Surroundings, query_id: str, sql: str) -> pa.Table:
    verb = reader.next("word").value
    if verb == "ALTER" and reader.take("SESSION"):
        return _alter_session(reader, around.session)
    if verb == "ALTER" and reader.take("ACCOUNT"):
        return status(alter_account(reader, around, query_id, sql))
    if verb in ("DESCRIBE", "DESC") and reader.take("WAREHOUSE"):
        return describe_warehouse(reader, around)
    how = ""
    if verb == "CREATE" and reader.take("OR"):
        how = "REPLACE" if reader.take("REPLACE") else "ALTER"
        if how == "ALTER":
            reader.expect("ALTER")
    kind = "MONITOR" if reader.take("RESOURCE", "MONITOR") else "WAREHOUSE" if reader.take("WAREHOUSE") else ""
    if run := _CHANGES.get((verb, kind)):
        return status(run(reader, around, query_id, sql))
    if (verb, kind) == ("CREATE", "WAREHOUSE"):
        return status(create_warehouse(reader, around, query_id, sql, how))
    if (verb, kind) == ("CREATE", "MONITOR") and how != "ALTER":
        return status(create_monitor(reader, around, query_id, sql, how))
    token = reader.next("word")
    if token.value in _KINDS_OF_OBJECT or how:
        raise insufficient(token.value.lower(), "account")
    raise reader.at(token)


_CHANGES: dict[tuple[str, str], Callable[[Reader, Surroundings, str, str], str]] = {
    ("ALTER", "WAREHOUSE"): alter_warehouse,
    ("DROP", "WAREHOUSE"): drop_warehouse,
    ("ALTER", "MONITOR"): alter_monitor,
    ("DROP", "MONITOR"): drop_monitor,
}
_KINDS_OF_OBJECT = frozenset(
    [
        "ACCOUNT",
        "USER",
        "ROLE",
        "DATABASE",
        "SCHEMA",
        "TABLE",
        "VIEW",
        "STAGE",
        "FUNCTION",
        "PROCEDURE",
        "TASK",
        "STREAM",
        "PIPE",
        "RESOURCE",
        "NETWORK",
        "TEMPORARY",
        "TEMP",
        "TRANSIENT",
        "MATERIALIZED",
        "DYNAMIC",
        "EXTERNAL",
        "FILE",
        "SEQUENCE",
        "MASKING",
        "INTEGRATION",
        "STORAGE",
        "SECRET",
        "ALERT",
        "TAG",
        "SHARE",
        "SECURE",
        "RECURSIVE",
        "LOCAL",
        "GLOBAL",
        "VOLATILE",
        "ICEBERG",
    ]
)


def _alter_session(reader: Reader, session: Session) -> pa.Table:
    if reader.take("UNSET"):
        names = [reader.next("word").value]
        while reader.peek() is not None:
            reader.mark(",")
            names.append(reader.next("word").value)
        defaults = starting_parameters(session.account_timezone, {})
        for name in names:
            if name not in DEFAULTS:
                raise SqlError(1006, "42000", f"SQL compilation error:\ninvalid parameter '{name}'")
            session.parameters[name] = defaults[name]
        return status()
    reader.expect("SET")
    fresh = dict(session.parameters)
    while True:
        name = reader.next("word").value
        if not reader.mark("="):
            raise reader.unexpected()
        set_parameter(fresh, name, reader.next("string", "number", "word").value)
        reader.mark(",")
        if reader.peek() is None:
            session.parameters = fresh
            return status()


def _use(reader: Reader, around: Surroundings) -> pa.Table:
    session = around.session
    if reader.take("SECONDARY", "ROLES"):
        choice = reader.next("word").value
        reader.end()
        if choice not in ("ALL", "NONE"):
            raise not_found()
        return status()
    kind = next((k for k in ("WAREHOUSE", "ROLE", "DATABASE", "SCHEMA") if reader.take(k)), "DATABASE")
    parts = [reader.name()]
    while reader.mark("."):
        parts.append(reader.name())
    reader.end()
    _USE[kind](session, parts, around)
    return status()


def _use_warehouse(session: Session, parts: list[str], around: Surroundings) -> None:
    if len(parts) != 1 or parts[0] not in visible_warehouses(around.engine, session):
        raise not_found()
    session.warehouse = parts[0]


def _use_role(session: Session, parts: list[str], around: Surroundings) -> None:
    if parts != [session.identity.role]:
        text = f"Requested role '{parts[0]}' is not assigned to the executing user. Specify another role to activate."
        raise SqlError(3013, "42501", f"SQL access control error:\n{text}")


def _use_database(session: Session, parts: list[str], around: Surroundings) -> None:
    if len(parts) == 2:
        return _use_schema(session, parts, around)
    if parts != ["SNOWFLAKE"]:
        raise not_found()
    session.database, session.schema = "SNOWFLAKE", None
    return None


def _use_schema(session: Session, parts: list[str], around: Surroundings) -> None:
    database = parts[0] if len(parts) == 2 else session.database
    if database != "SNOWFLAKE" or parts[-1] not in ("ACCOUNT_USAGE", "INFORMATION_SCHEMA") or len(parts) > 2:
        raise not_found()
    session.database, session.schema = "SNOWFLAKE", parts[-1]


_USE: dict[str, Callable[[Session, list[str], Surroundings], None]] = {
    "WAREHOUSE": _use_warehouse,
    "ROLE": _use_role,
    "DATABASE": _use_database,
    "SCHEMA": _use_schema,
}


def _show(reader: Reader, around: Surroundings) -> pa.Table:
    reader.take("TERSE")
    what = reader.next("word").value
    if what == "RESOURCE" and reader.take("MONITORS"):
        return show_monitors(reader, around)
    if what not in _SHOWN:
        raise unsupported(f"SHOW {what}"[:100])
    return _SHOWN[what](reader, around)


_SHOWN: dict[str, Callable[[Reader, Surroundings], pa.Table]] = {
    "WAREHOUSES": show_warehouses,
    "PARAMETERS": show_parameters,
    "ROLES": show_roles,
    "GRANTS": show_grants,
    "USERS": show_users,
    "TASKS": show_tasks,
}


def _nothing(reader: Reader, around: Surroundings) -> pa.Table:
    """BEGIN, COMMIT, ROLLBACK: there is no transaction to speak of, and clients send them anyway."""
    reader.take("TRANSACTION")
    reader.take("WORK")
    reader.end()
    return status()


_HANDLERS: dict[str, Callable[[Reader, Surroundings], pa.Table]] = {
    "USE": _use,
    "SHOW": _show,
    "BEGIN": _nothing,
    "COMMIT": _nothing,
    "ROLLBACK": _nothing,
}
