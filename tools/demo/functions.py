"""What a query may ask of its session and of the account now: CURRENT_*, the clock, RESULT_SCAN, live statements.

Replaced in the Snowflake tree before fakesnow sees it, because fakesnow answers for DuckDB ('duckdb' as the
role, the machine's clock) or not at all. Table functions become tables that are registered on the
statement's own connection, so that no query ever holds a name of `_RAW`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC
from typing import Any

import pyarrow as pa
from sqlglot import exp

from tools.demo.arguments import arguments
from tools.demo.engine import DATABASE
from tools.demo.live import LIVE_FUNCTIONS, live_table
from tools.demo.session import Session
from tools.demo.sqlerrors import SqlError, syntax
from tools.demo.surroundings import Surroundings
from tools.demo.usage_functions import USAGE_FUNCTIONS, usage_table

__all__ = ["replace_functions"]

_KNOWN = LIVE_FUNCTIONS | USAGE_FUNCTIONS
"""Table functions of INFORMATION_SCHEMA and their arguments in order."""

VERSION = "9.14.2"
REGION = "FROSTLINE_LOCAL"


def replace_functions(tree: exp.Expr, around: Surroundings) -> exp.Expr:
    """The same tree with everything that depends on session, clock or earlier results filled in.

    Raises:
        SqlError: an unknown query id, bad arguments, or no right to see live statements.
    """
    for rows in list(tree.find_all(exp.TableFromRows)):
        _replace_table_function(rows, around)
    for node in list(tree.walk()):
        value = _value(node, around)
        if value is not None:
            tree = _put(tree, node, value)
    return tree


def _put(tree: exp.Expr, node: exp.Expr, value: exp.Expr) -> exp.Expr:
    """Replace, and keep the column's name where the function is a whole projection."""
    if isinstance(node.parent, exp.Select) and node.arg_key == "expressions":
        value = exp.alias_(value, node.sql(dialect="snowflake").upper(), quoted=True)
    if node is tree:
        return value
    node.replace(value)
    return tree


def _value(node: exp.Expr, around: Surroundings) -> exp.Expr | None:
    if isinstance(node, exp.Anonymous) and str(node.name).upper() == "LAST_QUERY_ID":
        return _text(last_query_id(node, around.session))
    if isinstance(node, exp.CurrentTimestamp) and node.args.get("sysdate"):
        return _cast(around.now.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" "), "TIMESTAMP")
    make = _CONTEXT.get(type(node).__name__)
    return make(around) if make else None


def _text(value: str | None) -> exp.Expr:
    return exp.null() if value is None else exp.Literal.string(value)


def _cast(value: str, kind: str) -> exp.Expr:
    return exp.Cast(this=exp.Literal.string(value), to=exp.DataType.build(kind))


def _instant(around: Surroundings) -> exp.Expr:
    return _cast(around.now.astimezone(UTC).isoformat(sep=" "), "TIMESTAMPTZ")


_CONTEXT: dict[str, Callable[[Surroundings], exp.Expr]] = {
    "CurrentTimestamp": _instant,
    "Localtimestamp": _instant,
    "CurrentTimestampLTZ": _instant,
    "CurrentDate": lambda a: _cast(a.local.date().isoformat(), "DATE"),
    "CurrentTime": lambda a: _cast(a.local.time().isoformat(), "TIME"),
    "Localtime": lambda a: _cast(a.local.time().isoformat(), "TIME"),
    "CurrentUser": lambda a: _text(a.session.identity.user),
    "SessionUser": lambda a: _text(a.session.identity.user),
    "CurrentRole": lambda a: _text(a.session.identity.role),
    "CurrentRoleType": lambda a: _text("ROLE"),
    "CurrentSecondaryRoles": lambda a: _text('{"roles":"","value":""}'),
    "CurrentAvailableRoles": lambda a: _text(f'[ "{a.session.identity.role}", "PUBLIC" ]'),
    "CurrentWarehouse": lambda a: _text(a.session.warehouse),
    "CurrentDatabase": lambda a: _text(a.session.database),
    "CurrentSchema": lambda a: _text(a.session.schema),
    "CurrentAccount": lambda a: _text(a.engine.info.name.upper()),
    "CurrentAccountName": lambda a: _text(a.engine.info.name.upper()),
    "CurrentOrganizationName": lambda a: _text("FROSTLINE"),
    "CurrentRegion": lambda a: _text(REGION),
    "CurrentSession": lambda a: _text(str(a.session.id)),
    "CurrentVersion": lambda a: _text(VERSION),
    "CurrentClient": lambda a: _text("PythonConnector"),
    "CurrentIpAddress": lambda a: _text("127.0.0.1"),
    "CurrentTransaction": lambda a: exp.null(),
}


def last_query_id(node: exp.Expr, session: Session) -> str | None:
    """LAST_QUERY_ID(n): -1 (default) the latest, -2 the one before, 1 the session's first."""
    index = _number(node.expressions[0]) if node.expressions else -1
    if index == 0 or abs(index) > len(session.query_ids):
        return None
    return session.query_ids[index - 1 if index > 0 else index]


def _number(node: exp.Expr) -> int:
    sign = -1 if isinstance(node, exp.Neg) else 1
    literal = node.this if isinstance(node, exp.Neg) else node
    if not isinstance(literal, exp.Literal) or literal.is_string or not str(literal.this).isdigit():
        raise syntax(f"invalid argument '{node.sql(dialect='snowflake')[:50]}': a whole number is needed.")
    return sign * int(literal.this)


def _replace_table_function(node: exp.TableFromRows, around: Surroundings) -> None:
    function, qualifier = _called(node.this)
    if function is None:
        return
    name = str(function.name).upper()
    if name == "RESULT_SCAN" and not qualifier:
        table = _scanned(function, around)
    elif name in _KNOWN and qualifier in ([], ["INFORMATION_SCHEMA"], [DATABASE, "INFORMATION_SCHEMA"]):
        if not qualifier and around.session.schema != "INFORMATION_SCHEMA":
            raise SqlError(2141, "42601", f"SQL compilation error:\nUnknown table function {name}")
        given = arguments(function, _KNOWN[name], around.evaluate)
        table = live_table(name, given, around) if name in LIVE_FUNCTIONS else usage_table(name, given, around)
    else:
        return  # the privilege check refuses what is left
    node.replace(exp.Table(this=around.register(table), alias=node.args.get("alias")))


def _called(node: Any) -> tuple[exp.Anonymous | None, list[str]]:
    """The function of TABLE(a.b.f(...)) and its qualifiers, folded."""
    qualifier: list[str] = []
    while isinstance(node, exp.Dot):
        qualifier = [*qualifier, *([] if not isinstance(node.this, exp.Identifier) else [str(node.this.name).upper()])]
        if isinstance(node.this, exp.Dot):
            qualifier += [p.upper() for p in node.this.sql().replace('"', "").split(".")]
        node = node.expression
    return (node if isinstance(node, exp.Anonymous) else None), qualifier


def _scanned(function: exp.Anonymous, around: Surroundings) -> pa.Table:
    argument = function.expressions[0] if len(function.expressions) == 1 else None
    if isinstance(argument, exp.Anonymous) and str(argument.name).upper() == "LAST_QUERY_ID":
        query_id = last_query_id(argument, around.session)
    elif isinstance(argument, exp.Literal) and argument.is_string:
        query_id = str(argument.this)
    else:
        raise syntax("RESULT_SCAN takes one query id.")
    table = around.results.get(around.session.identity.user, query_id or "")
    if table is None:
        raise SqlError(709, "02000", f"Statement {query_id} not found")
    return table
