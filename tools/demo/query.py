"""SELECT: from Snowflake's text to an Arrow table.

parse -> fill in functions -> privileges -> fakesnow's translation -> second gate -> run on the statement's own
DuckDB connection. fakesnow translates; it does not execute, cache or encode here.
"""

from __future__ import annotations

import re
from typing import Any

import duckdb
import pyarrow as pa
import snowflake.connector.errors as connector_errors
import sqlglot
from fakesnow.cursor import FakeSnowflakeCursor
from sqlglot import exp
from sqlglot.errors import SqlglotError

from tools.demo.functions import Surroundings, replace_functions
from tools.demo.privileges import check_query, check_translated
from tools.demo.session import Statement
from tools.demo.sqlerrors import SqlError, syntax, unsupported

__all__ = ["Translator", "parse", "run_query"]

_LARGEST_RESULT = 256 * 2**20
_BATCH_ROWS = 20_000


class Translator(FakeSnowflakeCursor):
    """fakesnow's chain of transforms from Snowflake's tree to DuckDB's, without its execution."""

    def translate(self, tree: exp.Expr, params: Any) -> str:
        """
        Raises:
            SqlError: something in it has no translation.
        """
        try:
            translated = self._transform(tree, params)
            return str(translated.sql(dialect="duckdb"))
        except connector_errors.ProgrammingError as e:
            raise SqlError(e.errno or 1003, e.sqlstate or "42000", str(e.msg)) from e
        except NotImplementedError as e:
            raise unsupported(str(e)[:200]) from e
        except SqlglotError as e:
            raise syntax(_plain(str(e))) from e


def parse(sql: str) -> exp.Expr:
    """
    Raises:
        SqlError: 001003 where it does not parse, 000008 for more than one statement.
    """
    try:
        trees = [t for t in sqlglot.parse(sql, read="snowflake") if t and not isinstance(t, exp.Semicolon)]
    except SqlglotError as e:
        raise syntax(_plain(str(e))) from None
    if len(trees) != 1:
        raise SqlError(8, "0A000", f"Actual statement count {len(trees)} did not match the desired statement count 1.")
    return trees[0]


def run_query(
    tree: exp.Expr, params: Any, around: Surroundings, translator: Translator, statement: Statement
) -> pa.Table:
    """
    Raises:
        SqlError: whatever is wrong with it, worded as Snowflake does.
    """
    engine, session = around.engine, around.session
    tree = replace_functions(tree, around)
    check_query(tree, session.identity.role, (session.database, session.schema), around.tables)
    translated = translator.translate(tree, params)
    con = engine.statement_connection(session.timezone)
    try:
        statement.connection = con
        for name, table in around.tables.items():
            con.register(name, table)
        check_translated(con, translated, around.tables)
        statement.check()
        return _fetch(con, translated, params, statement)
    except duckdb.InterruptException:
        statement.check()
        raise SqlError(604, "57014", "SQL execution canceled") from None
    except duckdb.Error as e:
        statement.check()
        raise _as_snowflake(e) from e
    finally:
        statement.connection = None
        con.close()


def _fetch(con: duckdb.DuckDBPyConnection, sql: str, params: Any, statement: Statement) -> pa.Table:
    con.execute(sql, params or None)
    reader = con.to_arrow_reader(_BATCH_ROWS)
    batches, size = [], 0
    for batch in reader:
        statement.check()
        batches.append(batch)
        size += batch.nbytes
        if size > _LARGEST_RESULT:
            raise unsupported(f"results larger than {_LARGEST_RESULT // 2**20} MB on the embedded account")
    return pa.Table.from_batches(batches, schema=reader.schema)


def _plain(text: str) -> str:
    """sqlglot marks the place with terminal escapes."""
    return re.sub(r"\x1b\[\d*m", "", text)[:500]


def _as_snowflake(e: duckdb.Error) -> SqlError:
    message = str(e).split("\n\n")[0].split("\nLINE")[0][:500]
    column = re.search(r'Referenced column "([^"]*)" not found', message)
    if column or "does not have a column" in message or "Ambiguous reference" in message:
        name = column[1] if column else message
        return SqlError(904, "42000", f"SQL compilation error: error line 1 at position 0\ninvalid identifier '{name}'")
    function = re.search(r"Function with name (\S+) does not exist", message)
    if function:
        return SqlError(2140, "42601", f"SQL compilation error:\nUnknown function {function[1].upper()}")
    for kind, (errno, state, prefix) in _KINDS.items():
        if isinstance(e, kind):
            return SqlError(errno, state, prefix + message.split(": ", 1)[-1])
    return SqlError(603, "XX000", f"SQL execution internal error: {message}")


_KINDS: dict[type[duckdb.Error], tuple[int, str, str]] = {
    duckdb.PermissionException: (3001, "42501", "SQL access control error:\nInsufficient privileges: "),
    duckdb.BinderException: (1044, "42P13", "SQL compilation error:\n"),
    duckdb.CatalogException: (2003, "42S02", "SQL compilation error:\n"),
    duckdb.ParserException: (1003, "42000", "SQL compilation error:\n"),
    duckdb.SyntaxException: (1003, "42000", "SQL compilation error:\n"),
    duckdb.ConversionException: (100038, "22018", ""),
    duckdb.OutOfRangeException: (100046, "22003", ""),
    duckdb.InvalidInputException: (100183, "22000", ""),
    duckdb.NotImplementedException: (2, "0A000", "Unsupported feature: "),
    duckdb.OutOfMemoryException: (300005, "XX000", "SQL execution internal error: out of memory. "),
}
