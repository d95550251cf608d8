"""SHOW WAREHOUSES and SHOW PARAMETERS, in the documented columns (snowflake-reference.md 1.4)."""

from __future__ import annotations

import re
from typing import Any

import pyarrow as pa

from tools.demo.engine import DATABASE, Engine
from tools.demo.functions import Surroundings
from tools.demo.layout import RAW, SHOW_COLUMNS
from tools.demo.lexer import Reader
from tools.demo.privileges import READER
from tools.demo.properties import PARAMETERS
from tools.demo.session import DEFAULTS, Session
from tools.demo.sqlerrors import not_found

__all__ = ["show_parameters", "show_warehouses", "visible_warehouses", "warehouse_parameters", "warehouse_row"]

_ARROW = {"VARCHAR": pa.string(), "BIGINT": pa.int64(), "TIMESTAMPTZ": pa.timestamp("us", tz="UTC")}
_TABLE = f"{DATABASE}.{RAW}.WAREHOUSES"
_LIVE_COUNTS = {"running": "RUNNING", "queued": "QUEUED"}


def visible_warehouses(engine: Engine, session: Session) -> list[str]:
    """Names the session's role has any privilege on."""
    names = [str(n) for (n,) in engine.rows(f"SELECT name FROM {_TABLE} ORDER BY name")]  # noqa: S608 - constants
    if session.identity.role != READER:
        return names
    return [n for n in names if n not in engine.info.hidden_from_reader]


def warehouse_row(engine: Engine, name: str) -> dict[str, Any] | None:
    """One row of `_RAW.WAREHOUSES` as stored; None when there is none of that exact name."""
    columns = [*SHOW_COLUMNS, "warehouse_id"]
    listed = ", ".join(_select(c, SHOW_COLUMNS.get(c, "BIGINT")) for c in columns)
    rows = engine.rows(f"SELECT {listed} FROM {_TABLE} WHERE name = ?", [name])  # noqa: S608 - constants
    return dict(zip(columns, rows[0], strict=True)) if rows else None


def _select(column: str, kind: str) -> str:
    return f'epoch_us("{column}")' if kind == "TIMESTAMPTZ" else f'"{column}"'


def show_warehouses(reader: Reader, around: Surroundings) -> pa.Table:
    like = reader.next("string").value if reader.take("LIKE") else None
    starts = reader.next("string").value if reader.take("STARTS", "WITH") else None
    limit = int(reader.next("number").value) if reader.take("LIMIT") else 10_000
    after = reader.next("string").value if reader.take("FROM") else None
    reader.end()
    pattern = like_pattern(like) if like is not None else None
    rows = [_shown(around, name) for name in visible_warehouses(around.engine, around.session)]
    kept = [
        row
        for row in rows
        if row is not None
        and (pattern is None or pattern.fullmatch(row["name"]))
        and (starts is None or row["name"].startswith(starts))
        and (after is None or row["name"] > after)
    ]
    return _table(kept[:limit])


def _shown(around: Surroundings, name: str) -> dict[str, Any] | None:
    row = warehouse_row(around.engine, name)
    if row is None:
        return None
    counts = dict(
        around.engine.rows(
            f"SELECT upper(EXECUTION_STATUS), count(*) FROM {DATABASE}.{RAW}.LIVE_QUERIES "  # noqa: S608 - constants
            "WHERE WAREHOUSE_NAME = ? GROUP BY 1",
            [name],
        )
    )
    row |= {column: counts.get(state, 0) for column, state in _LIVE_COUNTS.items()}
    row["is_current"] = "Y" if around.session.warehouse == name else "N"
    return row


def _table(rows: list[dict[str, Any]]) -> pa.Table:
    arrays = [pa.array([row[name] for row in rows], type=_storage(kind)) for name, kind in SHOW_COLUMNS.items()]
    fixed = [a.cast(_ARROW[kind]) for a, kind in zip(arrays, SHOW_COLUMNS.values(), strict=True)]
    return pa.Table.from_arrays(fixed, names=list(SHOW_COLUMNS))


def _storage(kind: str) -> pa.DataType:
    return pa.int64() if kind == "TIMESTAMPTZ" else _ARROW[kind]


def like_pattern(like: str) -> re.Pattern[str]:
    """SHOW ... LIKE: case-insensitive, % and _ as wildcards, a backslash before one that is meant."""
    parts = {"%": ".*", "_": "."}
    pieces = re.findall(r"\\.|.", like, flags=re.DOTALL)
    regex = "".join(parts.get(p) or re.escape(p[1:] if len(p) == 2 else p) for p in pieces)
    return re.compile(regex, re.IGNORECASE | re.DOTALL)


def show_parameters(reader: Reader, around: Surroundings) -> pa.Table:
    """[LIKE 'x'] [IN|FOR ACCOUNT | SESSION | WAREHOUSE name | USER name]: key, value, default, level, ..."""
    like = reader.next("string").value if reader.take("LIKE") else None
    scope, values = "SESSION", around.session.parameters
    if reader.take("IN") or reader.take("FOR"):
        scope, values = _scope(reader, around)
    reader.end()
    pattern = like_pattern(like) if like is not None else None
    account = {**{n: d for n, (d, _, _) in DEFAULTS.items()}, "TIMEZONE": around.engine.info.timezone}
    rows = []
    for name, value in sorted(values.items()):
        if pattern is None or pattern.fullmatch(name):
            default, kind, text = _DESCRIBED.get(name) or DEFAULTS[name]
            level = scope if value != account.get(name, default) else ("ACCOUNT" if value != default else "")
            rows.append(
                {"key": name, "value": value, "default": default, "level": level, "description": text, "type": kind}
            )
    schema = pa.schema([(c, pa.string()) for c in ("key", "value", "default", "level", "description", "type")])
    return pa.Table.from_pylist(rows, schema=schema)


def warehouse_parameters(engine: Engine, name: str) -> dict[str, str]:
    """The warehouse's own MAX_CONCURRENCY_LEVEL and timeouts, defaults filled in."""
    rows = engine.rows(
        f"SELECT key, value FROM {DATABASE}.{RAW}.WAREHOUSE_PARAMETERS JOIN {DATABASE}.{RAW}.WAREHOUSES "  # noqa: S608 - constants
        "USING (warehouse_id) WHERE name = ?",
        [name],
    )
    return {**PARAMETERS, **{str(k): str(v) for k, v in rows}}


_DESCRIBED = {
    "MAX_CONCURRENCY_LEVEL": ("8", "NUMBER", "Statements a cluster runs at once"),
    "STATEMENT_QUEUED_TIMEOUT_IN_SECONDS": DEFAULTS["STATEMENT_QUEUED_TIMEOUT_IN_SECONDS"],
    "STATEMENT_TIMEOUT_IN_SECONDS": DEFAULTS["STATEMENT_TIMEOUT_IN_SECONDS"],
}


def _scope(reader: Reader, around: Surroundings) -> tuple[str, dict[str, str]]:
    account = {**{n: d for n, (d, _, _) in DEFAULTS.items()}, "TIMEZONE": around.engine.info.timezone}
    if reader.take("ACCOUNT"):
        return "ACCOUNT", account
    if reader.take("SESSION"):
        return "SESSION", around.session.parameters
    if reader.take("USER"):
        if reader.name() != around.session.identity.user:
            raise not_found()
        return "USER", account
    reader.expect("WAREHOUSE")
    name = reader.name()
    if name not in visible_warehouses(around.engine, around.session):
        raise not_found()
    return "WAREHOUSE", warehouse_parameters(around.engine, name)
