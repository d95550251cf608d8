"""Errors as Snowflake words them: number, SQLSTATE and text (snowflake-reference.md 3.6).

Numbers marked (memory) were not seen in a source; nothing in Frostline may depend on them.
"""

from __future__ import annotations

__all__ = ["SqlError", "does_not_exist", "insufficient", "not_found", "syntax", "unsupported"]


class SqlError(Exception):
    """What the server answers with instead of a result."""

    def __init__(self, errno: int, sqlstate: str, message: str) -> None:
        super().__init__(message)
        self.errno, self.sqlstate, self.message = errno, sqlstate, message


def syntax(message: str) -> SqlError:
    return SqlError(1003, "42000", f"SQL compilation error:\n{message}")


def does_not_exist(kind: str, name: str) -> SqlError:
    """Missing and not allowed look the same. 42S02 for tables, 02000 for everything else."""
    state = "42S02" if kind == "Object" else "02000"
    return SqlError(2003, state, f"SQL compilation error:\n{kind} '{name}' does not exist or not authorized.")


def not_found() -> SqlError:
    """USE or SHOW ... IN something missing or without USAGE."""
    return SqlError(2043, "02000", "SQL compilation error:\nObject does not exist, or operation cannot be performed.")


def insufficient(kind: str, name: str) -> SqlError:
    return SqlError(3001, "42501", f"SQL access control error:\nInsufficient privileges to operate on {kind} '{name}'")


def unsupported(what: str) -> SqlError:
    """What this account does not understand or will not run; 000002 (0A000) as Snowflake's 'Unsupported feature'."""
    return SqlError(2, "0A000", f"Unsupported feature '{what}'.")
