"""Short words for what the contract tests do over and over."""

from __future__ import annotations

from typing import Any

import pytest
import snowflake.connector
from snowflake.connector.errors import ProgrammingError

DONE = [("Statement executed successfully.",)]


def rows(connection: Any, sql: str) -> list[Any]:
    return list(connection.cursor().execute(sql).fetchall())


def records(connection: Any, sql: str) -> list[dict[str, Any]]:
    return [dict(r) for r in connection.cursor(snowflake.connector.DictCursor).execute(sql).fetchall()]


def warehouse(connection: Any, name: str) -> dict[str, Any]:
    """Its row in SHOW WAREHOUSES, {} where it is not shown."""
    return next((r for r in records(connection, "SHOW WAREHOUSES") if r["name"] == name), {})


def fails(connection: Any, sql: str) -> ProgrammingError:
    with pytest.raises(ProgrammingError) as caught:
        connection.cursor().execute(sql)
    return caught.value
