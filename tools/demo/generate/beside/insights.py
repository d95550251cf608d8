"""QUERY_INSIGHTS: what Snowflake itself would say about statements, from their text and their figures."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from tools.demo.generate.beside import statements
from tools.demo.generate.beside.chance import Ints, uniform
from tools.demo.generate.beside.objects import accessed, table
from tools.demo.generate.beside.window import Window, rows, words

__all__ = ["histories"]

_GB = 1_000_000_000


@dataclass(frozen=True)
class _Kind:
    """An insight is due where the statement's text and its figures both say so."""

    id: str
    topic: str
    text: Callable[[str], bool]
    figures: Callable[[pa.Table], statements.Bools]
    suggestion: str
    opportunity: bool = True


def _says(pattern: str) -> Callable[[str], bool]:
    found = re.compile(pattern, re.IGNORECASE | re.DOTALL)
    return lambda text: found.search(text) is not None


def _any(_text: str) -> bool:
    return True


def _reads_all(text: str) -> bool:
    return text.startswith(("SELECT", "INSERT", "CREATE")) and "FROM" in text and "WHERE" not in text


def _on_clustering_key(text: str) -> bool:
    keys = [table(name).clustering for name in accessed(text).reads]
    columns = {column.strip() for key in keys for column in key.removeprefix("LINEAR(").rstrip(")").split(",") if key}
    return any(re.search(rf"\bWHERE\b.*\b{re.escape(column)}\s*(>=|=|<)", text, re.DOTALL) for column in columns)


def _partitions(queries: pa.Table, least: int, low: float, high: float) -> statements.Bools:
    scanned = statements.numbers(queries, "PARTITIONS_SCANNED")
    total = statements.numbers(queries, "PARTITIONS_TOTAL")
    share = scanned / np.maximum(total, 1)
    found: statements.Bools = (total >= least) & (share >= low) & (share <= high)
    return found


def _over(column: str, least: int) -> Callable[[pa.Table], statements.Bools]:
    return lambda queries: statements.numbers(queries, column) >= least


_KINDS = (
    _Kind("REMOTE_SPILLAGE", "WAREHOUSE", _any, _over("BYTES_SPILLED_TO_REMOTE_STORAGE", _GB),
          "Use a larger warehouse for this statement, or reduce the rows and columns that it keeps."),
    _Kind("QUEUED_OVERLOAD", "WAREHOUSE", _any, _over("QUEUED_OVERLOAD_TIME", 15_000),
          "Add clusters to the warehouse, or run part of its load at another time."),
    _Kind("JOIN_WITH_NO_JOIN_CONDITION", "JOIN", _says(r"FROM\s+\S+\s+\w+\s*,\s*\S+\s+\w+"),
          _over("EXECUTION_TIME", 1000), "Add a join condition."),
    _Kind("EXPLODING_JOIN", "JOIN", _says(r"FROM\s+(\S+)\s+a\s+JOIN\s+\1\s+b\b"), _over("EXECUTION_TIME", 20_000),
          "Join on a key that is unique on one side, or reduce the rows before joining."),
    _Kind("LIKE_WITH_LEADING_WILDCARD", "TABLE_SCAN", _says(r"LIKE\s+'%"), _over("PARTITIONS_SCANNED", 20),
          "Enable search optimization for substrings of this column."),
    _Kind("UNNECESSARY_UNION_DISTINCT", "UNION", _says(r"\bUNION\s+SELECT\b"), _over("EXECUTION_TIME", 1000),
          "Use UNION ALL where the parts cannot hold equal rows."),
    _Kind("NO_FILTER_ON_TOP_OF_TABLE_SCAN", "TABLE_SCAN", _reads_all,
          lambda queries: _partitions(queries, 60, 0.0, 2.0), "Add a WHERE clause that selects the rows you need."),
    _Kind("UNSELECTIVE_FILTER", "TABLE_SCAN", _says(r"^\s*SELECT.*\bWHERE\b"),
          lambda queries: _partitions(queries, 200, 0.85, 2.0), "Filter on a column by which the table is ordered."),
    _Kind("INEFFICIENT_AGGREGATE", "AGGREGATION", _says(r"COUNT\(DISTINCT"), _over("EXECUTION_TIME", 90_000),
          "Use an approximate count, or aggregate before joining."),
    _Kind("FILTER_WITH_CLUSTERING_KEY", "TABLE_SCAN", _on_clustering_key,
          lambda queries: _partitions(queries, 100, 0.0, 0.12), "", opportunity=False),
)  # fmt: skip


def histories(window: Window) -> dict[str, pa.Table]:
    queries = window.queries
    ran = statements.numbers(queries, "EXECUTION_TIME") > 0
    shape, _ = statements.codes(queries, "QUERY_PARAMETERIZED_HASH")
    known, first, which = np.unique(shape, return_index=True, return_inverse=True)
    texts = [str(queries.column("QUERY_TEXT")[int(row)]) for row in first.tolist()]
    rowid, kind = [], []
    for n, each in enumerate(_KINDS):
        of_shape = np.array([each.text(text) for text in texts], dtype=bool)
        due = np.flatnonzero(ran & of_shape[which] & each.figures(queries)) if len(known) else first
        rowid.append(due)
        kind.append(np.full(len(due), n, dtype=np.int64))
    return {"QUERY_INSIGHTS": _view(window, queries, np.concatenate(rowid), np.concatenate(kind))}


def _view(window: Window, queries: pa.Table, row: Ints, kind: Ints) -> pa.Table:
    order = np.lexsort((kind, row))
    row, kind = row[order], kind[order]
    found = queries.select([name for name in queries.column_names if name != "QUERY_TEXT"]).take(pa.array(row))
    instance = (uniform(window.seed, "insight", statements.marks(found) * 16 + kind) * 1e12).astype(np.int64)
    same = ("START_TIME", "END_TIME", "TOTAL_ELAPSED_TIME", "QUERY_ID", "QUERY_HASH", "QUERY_PARAMETERIZED_HASH")
    messages = [json.dumps({"type": f"QUERY_INSIGHT_{each.id}"}) for each in _KINDS]
    suggestions = [json.dumps([each.suggestion] if each.suggestion else []) for each in _KINDS]
    return rows(
        "QUERY_INSIGHTS",
        {name: found.column(name) for name in (*same, "WAREHOUSE_ID", "WAREHOUSE_NAME")}
        | {"INSIGHT_INSTANCE_ID": instance}
        | {"INSIGHT_TYPE_ID": words(kind, [f"QUERY_INSIGHT_{each.id}" for each in _KINDS])}
        | {"MESSAGE": words(kind, messages), "SUGGESTIONS": words(kind, suggestions)}
        | {"IS_OPPORTUNITY": np.array([each.opportunity for each in _KINDS])[kind]}
        | {"INSIGHT_TOPIC": words(kind, [each.topic for each in _KINDS])},
        len(row),
    )
