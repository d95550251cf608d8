"""SHOW WAREHOUSES and SHOW PARAMETERS, in the documented columns (snowflake-reference.md 1.4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from tools.demo.engine import DATABASE
from tools.demo.layout import RAW, SHOW_COLUMNS
from tools.demo.lexer import Reader
from tools.demo.session import DEFAULTS
from tools.demo.shown import Filter, table
from tools.demo.sqlerrors import not_found
from tools.demo.surroundings import Surroundings
from tools.demo.warehouse_rows import parameters_of, stored, visible_warehouses, warehouse_parameters

__all__ = ["show_parameters", "show_warehouses"]

_PARAMETER_COLUMNS = dict.fromkeys(("key", "value", "default", "level", "description", "type"), "VARCHAR")
_DESCRIBED = {
    "MAX_CONCURRENCY_LEVEL": ("8", "NUMBER", "Statements a cluster runs at once"),
    "STATEMENT_QUEUED_TIMEOUT_IN_SECONDS": DEFAULTS["STATEMENT_QUEUED_TIMEOUT_IN_SECONDS"],
    "STATEMENT_TIMEOUT_IN_SECONDS": DEFAULTS["STATEMENT_TIMEOUT_IN_SECONDS"],
}


def show_warehouses(reader: Reader, around: Surroundings) -> pa.Table:
    """SHOW WAREHOUSES [LIKE 'x'] [STARTS WITH 'x'] [LIMIT n [FROM 'x']]: those the role has any privilege on."""
    wanted = Filter()
    wanted.read(reader)
    reader.end()
    visible = set(visible_warehouses(around.engine, around.session))
    counts = _live_counts(around)
    rows = []
    for row in stored(around.engine, "ORDER BY name"):
        if row["name"] in visible:
            running, queued = counts.get(row["name"], (0, 0))
            current = "Y" if around.session.warehouse == row["name"] else "N"
            rows.append(row | {"running": running, "queued": queued, "is_current": current})
    return table(wanted.of(rows), SHOW_COLUMNS)


def _live_counts(around: Surroundings) -> dict[str, tuple[int, int]]:
    """Running and queued statements by warehouse."""
    found = around.engine.rows(
        "SELECT WAREHOUSE_NAME, count_if(upper(EXECUTION_STATUS) = 'RUNNING'), "  # noqa: S608 - constants
        f"count_if(upper(EXECUTION_STATUS) = 'QUEUED') FROM {DATABASE}.{RAW}.LIVE_QUERIES GROUP BY 1"
    )
    counts = {str(name): (int(running), int(queued)) for name, running, queued in found}
    for _, statement in around.sessions.in_flight():
        if statement is not around.statement:
            running, queued = counts.get(str(statement.warehouse), (0, 0))
            counts[str(statement.warehouse)] = (running + 1, queued)
    return counts


def show_parameters(reader: Reader, around: Surroundings) -> pa.Table:
    """[LIKE 'x'] [IN|FOR ACCOUNT | SESSION | WAREHOUSE name | USER name]: key, value, default, level, ..."""
    wanted = Filter()
    wanted.read(reader)
    scope, values, own = "SESSION", dict(around.session.parameters), None
    if reader.take("IN") or reader.take("FOR"):
        scope, values, own = _scope(reader, around)
    reader.end()
    account = _account(around)
    rows: list[Mapping[str, Any]] = []
    for name, value in sorted(values.items()):
        default, kind, text = _DESCRIBED.get(name) or DEFAULTS[name]
        here = name in own if own is not None else value != account.get(name, default)
        level = scope if here else "ACCOUNT" if value != default else ""
        rows.append(
            {"key": name, "value": value, "default": default, "level": level, "description": text, "type": kind}
        )
    return table(wanted.of(rows, "key"), _PARAMETER_COLUMNS)


def _account(around: Surroundings) -> dict[str, str]:
    return {n: d for n, (d, _, _) in DEFAULTS.items()} | {"TIMEZONE": around.engine.info.timezone}


def _scope(reader: Reader, around: Surroundings) -> tuple[str, dict[str, str], Mapping[str, str] | None]:
    """Level, values, and those that were set at it, where that is remembered."""
    if reader.take("ACCOUNT"):
        return "ACCOUNT", _account(around), None
    if reader.take("SESSION"):
        return "SESSION", dict(around.session.parameters), None
    if reader.take("USER"):
        token = reader.peek()
        if token is not None and reader.name() != around.session.identity.user:
            raise not_found()
        return "USER", _account(around), None
    reader.expect("WAREHOUSE")
    name = reader.name()
    if name not in visible_warehouses(around.engine, around.session):
        raise not_found()
    return "WAREHOUSE", warehouse_parameters(around.engine, name), parameters_of(around.engine, name)
