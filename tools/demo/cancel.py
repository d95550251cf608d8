"""SELECT SYSTEM$CANCEL_QUERY('<id>'): ends one live statement (snowflake-reference.md 3.2)."""

from __future__ import annotations

import re
from typing import Any

import pyarrow as pa
from sqlglot import exp

from tools.demo.alterlog import append
from tools.demo.engine import DATABASE
from tools.demo.layout import RAW
from tools.demo.live import end_statements
from tools.demo.roles import may
from tools.demo.session import CANCELED
from tools.demo.sqlerrors import SqlError, insufficient, syntax
from tools.demo.surroundings import Surroundings

__all__ = ["cancel_query", "cancelled_id"]

_NAME = "SYSTEM$CANCEL_QUERY"
_LIVE = f"{DATABASE}.{RAW}.LIVE_QUERIES"
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
    """The one-row answer; a statement that is not running is said to be so and nothing is logged.

    Raises:
        SqlError: 003001, the role may not OPERATE the statement's warehouse and the statement is not the user's own.
    """
    identity = around.session.identity
    ours = next(((s, st) for s, st in around.sessions.running() if st.query_id == target), None)
    if not may(identity.role, "OPERATE") and (ours is None or ours[0].identity.user != identity.user):
        raise insufficient("query", target)
    answer, warehouse = "Identified SQL statement is not currently executing.", None
    ended = False
    if ours is not None and ours[1] is not around.statement:
        ours[1].stop(CANCELED)
        ended, warehouse = True, ours[1].warehouse
    elif found := around.engine.rows(f"SELECT WAREHOUSE_NAME FROM {_LIVE} WHERE QUERY_ID = ?", [target]):  # noqa: S608 - constants
        warehouse = found[0][0]
        with around.engine.write() as con:
            ended = end_statements(con, None, around.now, query_id=target) > 0
    if ended:
        append(around, query_id, sql, warehouse)
        answer = f"query [{target}] terminated."
    (projection,) = tree.expressions
    return pa.table({projection.alias or f"{_NAME}('{target}')": [answer]})
