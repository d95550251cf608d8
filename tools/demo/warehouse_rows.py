"""Reading and writing rows of `_RAW.WAREHOUSES` and the parameters that SHOW does not print."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import duckdb

from tools.demo.engine import DATABASE, Engine
from tools.demo.layout import RAW, SHOW_COLUMNS
from tools.demo.properties import PARAMETERS
from tools.demo.roles import READER
from tools.demo.session import Session

__all__ = [
    "TABLE",
    "insert",
    "parameters_of",
    "set_parameters",
    "stored",
    "update",
    "visible_warehouses",
    "warehouse_parameters",
    "warehouse_row",
]

TABLE = f"{DATABASE}.{RAW}.WAREHOUSES"
_PARAMETERS = f"{DATABASE}.{RAW}.WAREHOUSE_PARAMETERS"


def visible_warehouses(engine: Engine, session: Session) -> list[str]:
    """Names the session's role has any privilege on."""
    names = [str(n) for (n,) in engine.rows(f"SELECT name FROM {TABLE} ORDER BY name")]  # noqa: S608 - constants
    if session.identity.role != READER:
        return names
    return [n for n in names if n not in engine.info.hidden_from_reader]


def warehouse_row(engine: Engine, name: str) -> dict[str, Any] | None:
    """One row of `_RAW.WAREHOUSES` as stored; None when there is none of that exact name."""
    rows = stored(engine, "WHERE name = ?", [name])
    return rows[0] if rows else None


def stored(engine: Engine, where: str = "", params: list[Any] | None = None) -> list[dict[str, Any]]:
    """Rows of `_RAW.WAREHOUSES`, times as microseconds since 1970; `where` is our own text."""
    columns = [*SHOW_COLUMNS, "warehouse_id"]
    listed = ", ".join(_select(c, SHOW_COLUMNS.get(c, "BIGINT")) for c in columns)
    rows = engine.rows(f"SELECT {listed} FROM {TABLE} {where}", params)  # noqa: S608 - constants
    return [dict(zip(columns, row, strict=True)) for row in rows]


def _select(column: str, kind: str) -> str:
    return f'epoch_us("{column}")' if kind == "TIMESTAMPTZ" else f'"{column}"'


def update(con: duckdb.DuckDBPyConnection, name: str, values: Mapping[str, Any], now: datetime) -> None:
    values = {**values, "updated_on": now}
    listed = ", ".join(f'"{column}" = ?' for column in values)
    con.execute(f"UPDATE {TABLE} SET {listed} WHERE name = ?", [*values.values(), name])  # noqa: S608 - constants


def insert(con: duckdb.DuckDBPyConnection, row: Mapping[str, Any]) -> None:
    columns = ", ".join(f'"{c}"' for c in row)
    marks = ", ".join("?" for _ in row)
    con.execute(f"INSERT INTO {TABLE} ({columns}) VALUES ({marks})", list(row.values()))  # noqa: S608 - constants


def set_parameters(con: duckdb.DuckDBPyConnection, warehouse_id: int, found: Mapping[str, Any]) -> None:
    """Those of `found` that are parameters; None takes one back to its default."""
    for name in PARAMETERS:
        if name in found:
            con.execute(f"DELETE FROM {_PARAMETERS} WHERE warehouse_id = ? AND key = ?", [warehouse_id, name])  # noqa: S608 - constants
            if found[name] is not None:
                con.execute(f"INSERT INTO {_PARAMETERS} VALUES (?, ?, ?)", [warehouse_id, name, str(found[name])])  # noqa: S608 - constants


def parameters_of(engine: Engine, name: str) -> dict[str, str]:
    """The parameters that were set on the warehouse; what an import holds beside them is ignored."""
    rows = engine.rows(
        f"SELECT key, value FROM {_PARAMETERS} JOIN {TABLE} USING (warehouse_id) WHERE name = ?",  # noqa: S608 - constants
        [name],
    )
    return {str(k): str(v) for k, v in rows if k in PARAMETERS and str(v).isascii() and str(v).isdigit()}


def warehouse_parameters(engine: Engine, name: str) -> dict[str, str]:
    """The warehouse's MAX_CONCURRENCY_LEVEL and timeouts, defaults filled in."""
    return {**PARAMETERS, **parameters_of(engine, name)}
