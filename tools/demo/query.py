"""SELECT: from Snowflake's text to an Arrow table.

parse -> fill in functions -> privileges -> fakesnow's translation -> second gate -> run on the statement's own
DuckDB connection. fakesnow translates; it does not execute, cache or encode here.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from typing import Any

import duckdb
import pyarrow as pa
import snowflake.connector.errors as connector_errors
import sqlglot
from fakesnow.cursor import FakeSnowflakeCursor
from sqlglot import exp
from sqlglot.errors import SqlglotError

from tools.demo.functions import replace_functions
from tools.demo.privileges import check_query, check_translated
from tools.demo.session import Statement
from tools.demo.sqlerrors import SqlError, syntax, unsupported
from tools.demo.surroundings import Surroundings

__all__ = ["Translator", "parse", "run_query"]

_LARGEST_RESULT = 128 * 2**20
_BATCH_ROWS = 20_000
_SUMS = (exp.Sum, exp.Avg, exp.Median, exp.Stddev, exp.StddevPop, exp.StddevSamp, exp.Variance, exp.VariancePop)
_DIVISION = "Division by zero"


class Translator(FakeSnowflakeCursor):  # type: ignore[misc]  # fakesnow is untyped here
    """fakesnow's chain of transforms from Snowflake's tree to DuckDB's, without its execution."""

    def translate(self, tree: exp.Expr, params: Any) -> str:
        """
        Raises:
            SqlError: something in it has no translation.
        """
        try:
            bare = [a for a in tree.find_all(*_SUMS) if not isinstance(a.this, (exp.Cast, exp.TryCast))]
            translated = self._transform(tree, params)
            _unwrap(bare)
            return str(translated.sql(dialect="duckdb"))
        except connector_errors.ProgrammingError as e:
            raise SqlError(e.errno or 1003, e.sqlstate or "42000", str(e.msg)) from e
        except NotImplementedError as e:
            raise unsupported(str(e)[:200]) from e
        except SqlglotError as e:
            raise syntax(_plain(str(e))) from e


def _unwrap(aggregates: Sequence[exp.Expr]) -> None:
    """Take back fakesnow's TRY_CAST(... AS DOUBLE): the account's numbers are numbers, and their sums stay exact."""
    for aggregate in aggregates:
        if isinstance(aggregate.this, exp.TryCast) and aggregate.this.to.this == exp.DataType.Type.DOUBLE:
            aggregate.set("this", aggregate.this.this)


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
    around.evaluate = lambda node: _evaluate(node, around, translator)
    tree = replace_functions(tree, around)
    check_query(tree, session.identity.role, (session.database, session.schema), around.tables)
    _refuse_what_would_be_wrong(tree)
    translated = translator.translate(_divide_as_snowflake(tree), params)
    con = engine.statement_connection(session.timezone)
    try:
        statement.connection = con
        for name, table in around.tables.items():
            con.register(name, table)
        check_translated(con, translated, around.tables)
        statement.check()
        statement.computes, statement.compiled = _reads_views(tree), time.monotonic()
        return _fetch(con, translated, params, statement)
    except (duckdb.Error, OSError) as e:  # what fails while the rows stream out comes as OSError
        statement.check()
        raise _as_snowflake(str(e)) from e
    finally:
        statement.connection = None
        con.close()


def _evaluate(node: exp.Expr, around: Surroundings, translator: Translator) -> Any:
    """The value of an expression without columns: what a table function is called with."""
    session = around.session
    tree = replace_functions(exp.select(exp.alias_(node.copy(), "V")), around)
    check_query(tree, session.identity.role, (session.database, session.schema), around.tables)
    translated = translator.translate(_divide_as_snowflake(tree), None)
    con = around.engine.statement_connection(session.timezone)
    try:
        check_translated(con, translated, around.tables)
        found = con.execute(translated).fetchone()
        return found[0] if found else None
    except (duckdb.Error, OSError) as e:
        raise _as_snowflake(str(e)) from e
    finally:
        con.close()


def _reads_views(tree: exp.Expr) -> bool:
    """Whether Snowflake would take a warehouse for it; SHOW's and functions' results cost cloud services only."""
    return any(table.args.get("db") is not None for table in tree.find_all(exp.Table))


def _refuse_what_would_be_wrong(tree: exp.Expr) -> None:
    """Better no answer than a wrong one: these are translated, but not to what they mean.

    Raises:
        SqlError: 000002.
    """
    for node in tree.find_all(exp.ToChar):
        if node.args.get("format"):
            raise unsupported("TO_CHAR/TO_VARCHAR with a format on the embedded account")


def _divide_as_snowflake(tree: exp.Expr) -> exp.Expr:
    """Division by zero is an error; DuckDB would answer inf, and a missing guard in a query would go unseen."""
    for node in list(tree.find_all(exp.Div)):
        divisor = node.expression
        if isinstance(divisor, exp.Literal) and float(divisor.this or 0) != 0:
            continue
        zero = exp.EQ(this=exp.paren(divisor.copy()), expression=exp.Literal.number(0))
        failure = exp.Anonymous(this="error", expressions=[exp.Literal.string(_DIVISION)])
        node.set("expression", exp.paren(exp.Case(ifs=[exp.If(this=zero, true=failure)], default=divisor.copy())))
    return tree


def _fetch(con: duckdb.DuckDBPyConnection, sql: str, params: Any, statement: Statement) -> pa.Table:
    reader: Any = con.sql(sql, params=params or None).to_arrow_reader(_BATCH_ROWS)
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


def _as_snowflake(failure: str) -> SqlError:
    """DuckDB names the kind of a failure in front of its text."""
    message = failure.split("\n\n")[0].split("\nLINE")[0][:500]
    column = re.search(r'Referenced column "([^"]*)" not found', message)
    if column or "does not have a column" in message or "Ambiguous reference" in message:
        name = column[1] if column else message
        return SqlError(904, "42000", f"SQL compilation error: error line 1 at position 0\ninvalid identifier '{name}'")
    if _DIVISION in message:
        return SqlError(100051, "22012", _DIVISION)
    function = re.search(r"Function with name (\S+) does not exist", message)
    if function:
        return SqlError(2140, "42601", f"SQL compilation error:\nUnknown function {function[1].upper()}")
    kind, _, text = message.partition(" Error: ")
    errno, state, prefix = _KINDS.get(kind, (603, "XX000", "SQL execution internal error: "))
    return SqlError(errno, state, prefix + (text or message))


_KINDS = {
    "INTERRUPT": (604, "57014", "SQL execution canceled: "),
    "Permission": (3001, "42501", "SQL access control error:\nInsufficient privileges: "),
    "Binder": (1044, "42P13", "SQL compilation error:\n"),
    "Catalog": (2003, "42S02", "SQL compilation error:\n"),
    "Parser": (1003, "42000", "SQL compilation error:\n"),
    "Conversion": (100038, "22018", ""),
    "Out of Range": (100046, "22003", ""),
    "Invalid Input": (100183, "22000", ""),
    "Not implemented": (2, "0A000", "Unsupported feature: "),
    "Out of Memory": (300005, "XX000", "SQL execution internal error: out of memory. "),
}
