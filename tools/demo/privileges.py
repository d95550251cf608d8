"""Who may run what: default deny, decided on the parsed statement.

Two gates. `check_query` walks the Snowflake tree: a query may name ACCOUNT_USAGE views (fully qualified here, so
that nothing is left to DuckDB's search path), its own CTEs, and functions that are listed. `check_translated`
walks the tree that DuckDB itself makes of the translated text, so that nothing the first gate and DuckDB read
differently gets through. What is not recognised is refused.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from typing import Any

import duckdb
from sqlglot import exp

from tools.demo.engine import DATABASE
from tools.demo.layout import USAGE
from tools.demo.roles import ADMIN, READER
from tools.demo.sqlerrors import SqlError, does_not_exist, insufficient, syntax, unsupported
from tools.warehouse.views import ALL_VIEWS

__all__ = ["check_query", "check_translated", "name_of"]

_FORBIDDEN = (
    exp.DML,
    exp.DDL,
    exp.Command,
    exp.Parameter,
    exp.SessionParameter,
    exp.DynamicIdentifier,
    exp.ReadCSV,
    exp.ReadParquet,
    exp.Into,
    exp.Lock,
    exp.Columns,
    exp.HistoricalData,
    exp.NextValueFor,
    exp.Set,
    exp.Use,
    exp.Attach,
    exp.Pragma,
    exp.Describe,
    exp.Show,
)
_FUNCTIONS = frozenset(
    [
        "ARRAY_CONTAINS",
        "ARRAY_SIZE",
        "AS_INTEGER",
        "AS_VARCHAR",
        "BITAND",
        "BITOR",
        "BITXOR",
        "BOOLAND",
        "BOOLOR",
        "CHARINDEX",
        "CONVERT_TIMEZONE",
        "DATE_FROM_PARTS",
        "DAYNAME",
        "DAYOFWEEKISO",
        "DIV0",
        "DIV0NULL",
        "EQUAL_NULL",
        "HASH",
        "HASH_AGG",
        "HOUR",
        "IS_ARRAY",
        "IS_OBJECT",
        "IS_NULL_VALUE",
        "LAST_DAY",
        "LAST_QUERY_ID",
        "MINUTE",
        "MONTHNAME",
        "NEXT_DAY",
        "OBJECT_CONSTRUCT",
        "OBJECT_KEYS",
        "PREVIOUS_DAY",
        "REGEXP_SUBSTR_ALL",
        "SECOND",
        "SEQ1",
        "SEQ2",
        "SEQ4",
        "SEQ8",
        "SQUARE",
        "STRTOK",
        "SYSTEM$TYPEOF",
        "TIME_SLICE",
        "TO_BOOLEAN",
        "TO_DOUBLE",
        "TO_NUMBER",
        "TO_OBJECT",
        "TO_VARCHAR",
        "TO_VARIANT",
        "TRUNC",
        "TRY_TO_BOOLEAN",
        "TRY_TO_DATE",
        "TRY_TO_DOUBLE",
        "TRY_TO_NUMBER",
        "TRY_TO_TIMESTAMP",
        "TYPEOF",
        "WEEKISO",
        "YEAROFWEEKISO",
        "ZEROIFNULL",
        "NULLIFZERO",
        "EDITDISTANCE",
        "UUID_STRING",
    ]
)
"""Functions of Snowflake that sqlglot keeps by name; its typed ones (SUM, DATE_TRUNC, ...) need no list."""

_TABLE_FUNCTIONS = frozenset({"_fs_flatten", "unnest", "range", "generate_series", "json_each", "repeat"})
_NODES_WITH_SAMPLE = frozenset(
    [
        "SELECT_NODE",
        "SET_OPERATION_NODE",
        "RECURSIVE_CTE_NODE",
        "CTE_NODE",
        "BASE_TABLE",
        "TABLE_FUNCTION",
        "JOIN",
        "SUBQUERY",
        "EMPTY",
        "PIVOT",
        "EXPRESSION_LIST",
        "CTE",
    ]
)
"""Every table reference in DuckDB's tree has a `sample`; a kind that is not here (SHOW_REF, ...) is refused."""
_DENIED_PREFIXES = (
    "pg_",
    "duckdb_",
    "read_",
    "parquet_",
    "pragma_",
    "json_execute",
    "json_serialize",
    "json_deserialize",
)
_DENIED_FUNCTIONS = frozenset(
    [
        "current_setting",
        "getvariable",
        "getenv",
        "nextval",
        "currval",
        "setval",
        "query",
        "query_table",
        "write_log",
        "add_parquet_key",
        "sleep_ms",
        "current_query",
        "which_secret",
        "glob",
        "sniff_csv",
        "parse_duckdb_log_message",
        "current_schemas",
        "in_search_path",
    ]
)


def name_of(identifier: exp.Identifier) -> str:
    """Snowflake's rule: quoted names are exact, others fold to upper case."""
    return str(identifier.this) if identifier.quoted else str(identifier.this).upper()


def check_query(tree: exp.Expr, role: str, schema: tuple[str | None, str | None], made: Collection[str]) -> None:
    """Refuse what `role` may not read; qualify the views it may. `made` names tables that we registered ourselves.

    Raises:
        SqlError: 002003, 001003, 002140 or 000002, as Snowflake would say it.
    """
    if not isinstance(tree, exp.Query):
        raise insufficient("object", type(tree).__name__.upper())
    for node in list(tree.walk()):
        if isinstance(node, _FORBIDDEN):
            raise _refused(node)
        if isinstance(node, exp.Dot) and isinstance(node.expression, exp.Func):
            raise SqlError(2141, "42601", f"SQL compilation error:\nUnknown user-defined function {_short(node)}")
        if isinstance(node, exp.Anonymous) and str(node.name).upper() not in _FUNCTIONS:
            raise SqlError(2140, "42601", f"SQL compilation error:\nUnknown function {str(node.name).upper()[:100]}")
        if isinstance(node, exp.TableFromRows) and not isinstance(node.this, (exp.Explode, exp.Generator)):
            raise unsupported(f"TABLE({_short(node.this)})")
        if isinstance(node, exp.Table):
            _check_table(node, role, schema, made)


def _check_table(table: exp.Table, role: str, schema: tuple[str | None, str | None], made: Collection[str]) -> None:
    if not isinstance(table.this, exp.Identifier):
        raise syntax(f"syntax error line 1 at position 0 unexpected '{_short(table)}'.")
    parts = [name_of(part) for part in table.parts if isinstance(part, exp.Identifier)]
    if len(parts) == 1 and (parts[0] in made or parts[0] in _ctes_in_scope(table)):
        return
    full = ([p for p in schema if p] + parts)[-3:] if len(parts) < 3 else parts
    if len(parts) == 2 and schema[0]:
        full = [schema[0], *parts]
    visible = role in (READER, ADMIN) and len(full) == 3 and full[:2] == [DATABASE, USAGE] and full[2] in ALL_VIEWS
    if not visible or len(table.parts) != len(parts):
        raise does_not_exist("Object", ".".join(parts)[:300])
    for key, name in (("catalog", DATABASE), ("db", USAGE), ("this", full[2])):
        table.set(key, exp.to_identifier(name, quoted=True))


def _ctes_in_scope(table: exp.Expr) -> Iterator[str]:
    """Names of the CTEs that a table at this place may mean: only earlier ones inside a WITH list."""
    below: exp.Expr = table
    node = table.parent
    while node is not None:
        clause = node.args.get("with_")
        if isinstance(clause, exp.With):
            yield from _visible(clause, below)
        elif isinstance(node, exp.With):
            yield from _visible(node, below)
        below, node = node, node.parent


def _visible(clause: exp.With, below: exp.Expr) -> Iterator[str]:
    for cte in clause.expressions:
        if below is clause:
            return  # met again from the statement above: this WITH has already been read from inside
        if cte is not below or clause.args.get("recursive"):
            yield name_of(cte.args["alias"].this)
        if cte is below:
            return


def check_translated(con: duckdb.DuckDBPyConnection, sql: str, made: Collection[str]) -> None:
    """The second gate, on DuckDB's own tree of the translated text.

    Raises:
        SqlError: something is in it that a query of ours never holds.
    """
    ((text,),) = con.execute("SELECT json_serialize_sql(?)", [sql]).fetchall()
    tree = json.loads(text)
    statements = tree.get("statements", [])
    if tree.get("error") or len(statements) != 1:
        raise syntax(str(tree.get("error_message") or "this statement is not supported")[:200])
    nodes = list(_nodes(statements[0]))
    ctes = {str(entry["key"]).upper() for node in nodes for entry in _cte_entries(node)}
    known = ctes | {name.upper() for name in made}
    for node in nodes:
        _check_node(node, known)


def _nodes(value: Any) -> Iterator[dict[str, Any]]:
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            yield item
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)


def _cte_entries(node: dict[str, Any]) -> list[dict[str, Any]]:
    entries = node.get("cte_map")
    return list(entries.get("map", ())) if isinstance(entries, dict) else []


def _check_node(node: dict[str, Any], known: Collection[str]) -> None:
    kind = node.get("type")
    if kind == "BASE_TABLE":
        path = [str(p) for p in node["qualified_name"]["path"]]
        if not (path[:2] == [DATABASE, USAGE] and path[-1] in ALL_VIEWS) and not (
            len(path) == 1 and path[0].upper() in known
        ):
            raise does_not_exist("Object", ".".join(path)[:300])
    elif kind == "TABLE_FUNCTION":
        name = str(node["function"]["qualified_name"]["path"][-1]).lower()
        if name not in _TABLE_FUNCTIONS:
            raise SqlError(2140, "42601", f"SQL compilation error:\nUnknown table function {name.upper()}")
    elif "sample" in node and kind not in _NODES_WITH_SAMPLE:
        raise unsupported(str(kind))
    elif node.get("class") == "FUNCTION" and kind == "FUNCTION":
        name = str(node.get("function_name", "")).lower()
        if name in _DENIED_FUNCTIONS or name.startswith(_DENIED_PREFIXES):
            raise SqlError(2140, "42601", f"SQL compilation error:\nUnknown function {name.upper()}")


def _refused(node: exp.Expr) -> SqlError:
    if isinstance(node, (exp.Parameter, exp.SessionParameter)):
        return SqlError(
            2211,
            "02000",
            f"SQL compilation error: error line 1\nSession variable '{_short(node).upper()}' does not exist",
        )
    if isinstance(node, (exp.DML, exp.DDL)):
        return insufficient("object", type(node).__name__.upper())
    return unsupported(type(node).__name__.upper())


def _short(node: exp.Expr) -> str:
    return node.sql(dialect="snowflake")[:100]
