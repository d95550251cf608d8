"""SELECT SYSTEM$CANCEL_QUERY('<id>'): ends one live statement (snowflake-reference.md 3.2)."""

from __future__ import annotations

import re
from typing import Any

import pyarrow as pa
from sqlglot import exp

from tools.demo.alterlog import append
from tools.demo.engine import DATABASE
from tools.demo.functions import Surroundings
from tools.demo.layout import RAW
from tools.demo.live import end_statements
from tools.demo.privileges import may_cancel
from tools.demo.sqlerrors import SqlError, insufficient, syntax

__all__ = ["cancel_query", "cancelled_id"]

_NAME = "SYSTEM$CANCEL_QUERY"
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{8,12}")


def cancelled_id(tree: exp.Expr, params: Any) -> str | None:
    """The query id, when the statement is exactly SELECT SYSTEM$CANCEL_QUERY(id); None for any other.

    Raises:
        SqlError: the function stands anywhere else, or its argument is no query id.
    """
    calls = [n for n in tree.find_all(exp.Anonymous) if str(n.name).upper() == _NAME]
    if not calls:
        return None
    call = calls[0]
    whole = (
        isinstance(tree, exp.Select)
        and len(tree.expressions) == 1
        and set(k for k, v in tree.args.items() if v) == {"expressions"}
    )
    if len(calls) != 1 or not whole or tree.expressions[0].unalias() is not call or len(call.expressions) != 1:
        raise syntax(f"{_NAME} must be the only expression of its statement, with one query id.")
    argument = call.expressions[0]
    if isinstance(argument, exp.Placeholder) and isinstance(params, list) and len(params) == 1:
        text = str(params[0])
    elif isinstance(argument, exp.Literal) and argument.is_string:
        text = str(argument.this)
    else:
        raise syntax(f"{_NAME} takes a query id.")
    if not _ID.fullmatch(text):
        raise SqlError(
            1044,
            "42P13",
            f"SQL compilation error:\nInvalid argument for function {_NAME}: '{text[:60]}' is no query id.",
        )
    return text


def cancel_query(target: str, tree: exp.Expr, around: Surroundings, query_id: str, sql: str) -> pa.Table:
    """The one-row answer; a statement that is not running is said to be so and nothing is logged."""
    if not may_cancel(around.session.identity.role):
        raise insufficient("query", target)
    found = around.engine.rows(
        f"SELECT WAREHOUSE_NAME FROM {DATABASE}.{RAW}.LIVE_QUERIES WHERE QUERY_ID = ?",  # noqa: S608 - constants
        [target],
    )
    answer = "Identified SQL statement is not currently executing."
    if found:
        with around.engine.write() as con:
            ended = end_statements(con, None, around.now, query_id=target)
        if ended:
            append(around, query_id, sql, found[0][0])
            answer = f"query [{target}] terminated."
    (projection,) = tree.expressions
    return pa.table({projection.alias or f"{_NAME}('{target}')": [answer]})
