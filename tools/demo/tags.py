"""Tags of warehouses, kept where the view reads them: TAG_REFERENCES. That a tag was created first is not asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import duckdb

from tools.demo.engine import DATABASE
from tools.demo.layout import RAW
from tools.demo.lexer import Reader
from tools.demo.sqlerrors import SqlError, syntax

__all__ = ["set_tags", "unset_tags"]

_TABLE = f"{DATABASE}.{RAW}.TAG_REFERENCES"
_LONGEST_VALUE = 256


def set_tags(con: duckdb.DuckDBPyConnection, row: Mapping[str, Any], reader: Reader) -> None:
    """SET TAG name = 'value' [, name = 'value' ...]: a new value takes the place of the old one.

    Raises:
        SqlError: it is not written so, or a value is longer than 256 characters.
    """
    while True:
        place = _name(reader)
        if not reader.mark("="):
            raise reader.unexpected()
        value = reader.next("string").value
        if len(value) > _LONGEST_VALUE:
            raise SqlError(1422, "22023", f"SQL compilation error:\ninvalid value '{value[:50]}' for tag '{place[2]}'")
        _remove(con, row, place)
        con.execute(
            f"INSERT INTO {_TABLE} (TAG_DATABASE, TAG_SCHEMA, TAG_NAME, TAG_VALUE, OBJECT_ID, OBJECT_NAME, DOMAIN, "  # noqa: S608 - constants
            "APPLY_METHOD) VALUES (?, ?, ?, ?, ?, ?, 'WAREHOUSE', 'MANUAL')",
            [*place, value, row["warehouse_id"], row["name"]],
        )
        if not reader.mark(","):
            return reader.end()


def unset_tags(con: duckdb.DuckDBPyConnection, row: Mapping[str, Any], reader: Reader) -> None:
    """UNSET TAG name [, name ...]; one that is not set is passed over."""
    while True:
        _remove(con, row, _name(reader))
        if not reader.mark(","):
            return reader.end()


def _name(reader: Reader) -> tuple[str | None, str | None, str]:
    """Database, schema and name; the first two may be left out."""
    parts = [reader.name()]
    while reader.mark("."):
        parts.append(reader.name())
    if len(parts) > 3:
        raise syntax(f"a tag's name has at most three parts; this one has {len(parts)}.")
    padded = [None] * (3 - len(parts)) + parts
    return padded[0], padded[1], parts[-1]


def _remove(con: duckdb.DuckDBPyConnection, row: Mapping[str, Any], place: tuple[str | None, str | None, str]) -> None:
    con.execute(
        f"DELETE FROM {_TABLE} WHERE DOMAIN = 'WAREHOUSE' AND OBJECT_NAME = ? AND TAG_DATABASE IS NOT DISTINCT FROM ? "  # noqa: S608 - constants
        "AND TAG_SCHEMA IS NOT DISTINCT FROM ? AND TAG_NAME = ?",
        [row["name"], *place],
    )
