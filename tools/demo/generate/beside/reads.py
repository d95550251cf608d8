"""What statements read and write: ACCESS_HISTORY, the pruning views and LOCK_WAIT_HISTORY, from QUERY_HISTORY."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import pyarrow as pa

from tools.demo.generate.beside import statements
from tools.demo.generate.beside.chance import Floats, Ints, uniform
from tools.demo.generate.beside.objects import DATABASES, Access, Table, accessed, schema_id, table
from tools.demo.generate.beside.window import HOUR_US, Window, moments, rows, words

__all__ = ["Touched", "histories", "touched"]

_NUMBERED = re.compile(r"_\d+$")
_ROWS_PER_PARTITION = 96_000
_NOBODY = "[]"


@dataclass(frozen=True)
class Touched:
    """For every statement, which tables it touches."""

    code: Ints
    """Index into `kinds`, -1 where nothing was run."""
    kinds: tuple[Access, ...]

    @cached_property
    def tables(self) -> tuple[Table, ...]:
        """All that are read, each once."""
        return tuple(table(name) for name in sorted({name for kind in self.kinds for name in kind.reads}))

    @cached_property
    def written(self) -> Ints:
        """Number of the first table each kind writes, in `writable`; -1 for none."""
        places = {name: n for n, name in enumerate(self.writable)}
        return np.array([places[kind.writes[0]] if kind.writes else -1 for kind in self.kinds], dtype=np.int64)

    @cached_property
    def writable(self) -> tuple[str, ...]:
        return tuple(sorted({kind.writes[0] for kind in self.kinds if kind.writes}))


def touched(window: Window) -> Touched:
    """Statements of one shape touch the same tables, unless they number them (TMP_1007)."""
    queries = window.all_queries
    ran = statements.numbers(queries, "EXECUTION_TIME") > 0
    ran |= statements.numbers(queries, "BYTES_READ_FROM_RESULT") > 0
    ran &= statements.code_is(queries, "EXECUTION_STATUS", ("SUCCESS",))
    shape, _ = statements.codes(queries, "QUERY_PARAMETERIZED_HASH")
    text = queries.column("QUERY_TEXT")
    known, first, which = np.unique(shape, return_index=True, return_inverse=True)
    usual = [accessed(str(text[int(row)])) for row in first.tolist()]
    numbered = np.array([any(_NUMBERED.search(name) for name in (*k.reads, *k.writes)) for k in usual], dtype=bool)
    places = {kind: n for n, kind in enumerate(dict.fromkeys(usual))}
    code = np.array([places[kind] for kind in usual], dtype=np.int64)[which] if len(known) else shape
    apart = np.flatnonzero(numbered[which]) if len(known) else first
    if len(apart):
        column = text.take(pa.array(apart)).cast(pa.string()).combine_chunks().dictionary_encode()
        own = [places.setdefault(accessed(each), len(places)) for each in column.dictionary.to_pylist()]
        code[apart] = np.array(own, dtype=np.int64)[column.indices.to_numpy()]
    kinds = tuple(places)
    empty = np.array([*(not kind.reads and not kind.writes for kind in kinds), True])
    return Touched(np.where(ran & ~empty[code], code, -1), kinds)


def histories(window: Window, found: Touched) -> dict[str, pa.Table]:
    scans = _scans(window, found)
    return {
        "ACCESS_HISTORY": _access(window, found),
        "TABLE_QUERY_PRUNING_HISTORY": _query_pruning(window, found, scans),
        "TABLE_PRUNING_HISTORY": _table_pruning(found, scans),
        "LOCK_WAIT_HISTORY": _lock_waits(window, found),
    }


# --- who read what -------------------------------------------------------------------------------------------------


def _access(window: Window, found: Touched) -> pa.Table:
    inside = window.ends_inside(statements.moments_of(window.all_queries, "END_TIME")) & (found.code >= 0)
    kept = np.flatnonzero(inside)
    wanted = window.all_queries.select(["QUERY_ID", "START_TIME", "USER_NAME"])
    queries, code = wanted.take(pa.array(kept)), found.code[kept]
    reads = [_objects(kind.reads) for kind in found.kinds]
    return rows(
        "ACCESS_HISTORY",
        {"QUERY_ID": queries.column("QUERY_ID"), "QUERY_START_TIME": queries.column("START_TIME")}
        | {"USER_NAME": queries.column("USER_NAME")}
        | {"DIRECT_OBJECTS_ACCESSED": words(code, reads), "BASE_OBJECTS_ACCESSED": words(code, reads)}
        | {"OBJECTS_MODIFIED": words(code, [_objects(kind.writes) for kind in found.kinds])}
        | {"POLICIES_REFERENCED": _NOBODY, "AGENTS_INFO": None},
        len(kept),
    )


def _objects(names: tuple[str, ...]) -> str:
    """As Snowflake writes them, without the columns."""
    listed = [{"objectDomain": _domain(name), "objectId": table(name).id, "objectName": name} for name in names]
    return json.dumps(listed, separators=(",", ":"))


def _domain(name: str) -> str:
    return "Stream" if name.endswith("_STREAM") else "Table"


# --- pruning ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Scans:
    """One row for each table that each statement read."""

    row: Ints
    """Of `queries`."""
    table: Ints
    hour: Ints
    """In which the statement ended, since 1970."""
    scanned: Ints
    pruned: Ints
    matched: Ints


def _scans(window: Window, found: Touched) -> _Scans:
    queries = window.all_queries
    hour = statements.moments_of(queries, "END_TIME") // HOUR_US
    total = statements.numbers(queries, "PARTITIONS_TOTAL")
    usable = (found.code >= 0) & (total > 0)
    usable &= (hour >= window.since_us // HOUR_US) & (hour < window.until_us // HOUR_US)
    row = np.flatnonzero(usable)
    width, first, places, shares = _layout(found)
    count = width[found.code[row]]
    which = (
        np.repeat(first[found.code[row]], count) + np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    )
    row = np.repeat(row, count)
    share = shares[which]
    scanned = np.ceil(statements.numbers(queries, "PARTITIONS_SCANNED")[row] * share).astype(np.int64)
    pruned = np.maximum(np.ceil(total[row] * share).astype(np.int64) - scanned, 0)
    part = uniform(window.seed, "pruning/matched", statements.marks(queries)[row]) ** 3
    return _Scans(
        row, places[which], hour[row], scanned, pruned, (scanned * _ROWS_PER_PARTITION * part).astype(np.int64)
    )


def _layout(found: Touched) -> tuple[Ints, Ints, Ints, Floats]:
    """By kind: how many tables and where they begin; then all tables one after the other, and their shares by size."""
    places = {each.full_name: n for n, each in enumerate(found.tables)}
    width = np.array([len(kind.reads) for kind in found.kinds], dtype=np.int64)
    listed = [places[name] for kind in found.kinds for name in kind.reads]
    shares = []
    for kind in found.kinds:
        sizes = [table(name).gib + 1 for name in kind.reads]
        shares += [size / sum(sizes) for size in sizes]
    return width, np.cumsum(width) - width, np.array(listed, dtype=np.int64), np.array(shares)


def _query_pruning(window: Window, found: Touched, scans: _Scans) -> pa.Table:
    """By hour, table, warehouse and text of the statement."""
    queries = window.all_queries
    text, hashes = statements.codes(queries, "QUERY_HASH")
    shape, shapes = statements.codes(queries, "QUERY_PARAMETERIZED_HASH")
    warehouse, names = statements.codes(queries, "WAREHOUSE_NAME")
    ids = statements.numbers(queries, "WAREHOUSE_ID")
    frame = pd.DataFrame(
        {"hour": scans.hour, "table": scans.table, "warehouse": ids[scans.row], "text": text[scans.row]}
        | {"scanned": scans.scanned, "pruned": scans.pruned, "matched": scans.matched, "queries": 1}
        | {"elapsed": statements.numbers(queries, "TOTAL_ELAPSED_TIME")[scans.row]}
        | {"compiling": statements.numbers(queries, "COMPILATION_TIME")[scans.row]}
        | {"running": statements.numbers(queries, "EXECUTION_TIME")[scans.row]}
        | {"shape": shape[scans.row], "name": warehouse[scans.row]}
    )
    same = ["hour", "table", "warehouse", "text", "shape", "name"]
    sums = frame.groupby(same).sum().reset_index()
    hour = sums["hour"].to_numpy()
    return rows(
        "TABLE_QUERY_PRUNING_HISTORY",
        {"INTERVAL_START_TIME": hour * HOUR_US, "INTERVAL_END_TIME": (hour + 1) * HOUR_US}
        | _of_tables(found, sums["table"].to_numpy())
        | {"WAREHOUSE_ID": sums["warehouse"].to_numpy(), "WAREHOUSE_NAME": words(sums["name"].to_numpy(), names)}
        | {"QUERY_HASH": words(sums["text"].to_numpy(), hashes)}
        | {"QUERY_PARAMETERIZED_HASH": words(sums["shape"].to_numpy(), shapes)}
        | {"NUM_QUERIES": sums["queries"].to_numpy(), "AGGREGATE_QUERY_ELAPSED_TIME": sums["elapsed"].to_numpy()}
        | {"AGGREGATE_QUERY_COMPILATION_TIME": sums["compiling"].to_numpy()}
        | {"AGGREGATE_QUERY_EXECUTION_TIME": sums["running"].to_numpy()}
        | _partitions(sums)
        | {"ROWS_MATCHED": sums["matched"].to_numpy()},
        len(sums),
    )


def _table_pruning(found: Touched, scans: _Scans) -> pa.Table:
    frame = pd.DataFrame({"hour": scans.hour, "table": scans.table, "scanned": scans.scanned, "pruned": scans.pruned})
    frame["scans"] = 1
    sums = frame.groupby(["hour", "table"]).sum().reset_index()
    hour = sums["hour"].to_numpy()
    return rows(
        "TABLE_PRUNING_HISTORY",
        {"START_TIME": hour * HOUR_US, "END_TIME": (hour + 1) * HOUR_US, "NUM_SCANS": sums["scans"].to_numpy()}
        | _of_tables(found, sums["table"].to_numpy())
        | _partitions(sums),
        len(sums),
    )


def _of_tables(found: Touched, which: Ints) -> dict[str, object]:
    every = found.tables
    return {
        "TABLE_ID": np.array([each.id for each in every], dtype=np.int64)[which],
        "TABLE_NAME": words(which, [each.name for each in every]),
        "SCHEMA_ID": np.array([schema_id(each.database, each.schema) for each in every], dtype=np.int64)[which],
        "SCHEMA_NAME": words(which, [each.schema for each in every]),
        "DATABASE_ID": np.array([DATABASES.get(each.database, 0) for each in every], dtype=np.int64)[which],
        "DATABASE_NAME": words(which, [each.database for each in every]),
    }


def _partitions(sums: pd.DataFrame) -> dict[str, object]:
    scanned, pruned = sums["scanned"].to_numpy(), sums["pruned"].to_numpy()
    return {
        "PARTITIONS_SCANNED": scanned,
        "PARTITIONS_PRUNED": pruned,
        "ROWS_SCANNED": scanned * _ROWS_PER_PARTITION,
        "ROWS_PRUNED": pruned * _ROWS_PER_PARTITION,
    }


# --- locks -----------------------------------------------------------------------------------------------------------


def _lock_waits(window: Window, found: Touched) -> pa.Table:
    """Statements that waited for a table; whoever wrote it last within the hour before held it, else a service did."""
    queries = window.all_queries
    end = statements.moments_of(queries, "END_TIME")
    waited = statements.numbers(queries, "TRANSACTION_BLOCKED_TIME")
    target = np.where(found.code >= 0, found.written[found.code], -1)
    before = _last_writer(target, end)
    kept = np.flatnonzero((waited > 0) & (target >= 0) & window.ends_inside(end))
    before = before[kept]
    near = (before >= 0) & (end[kept] - end[before] < HOUR_US)
    asked = statements.moments_of(queries, "START_TIME") + statements.numbers(queries, "COMPILATION_TIME") * 1000
    ids = queries.column("QUERY_ID").take(pa.array(np.where(near, before, 0))).to_pylist() if len(kept) else []
    transaction = statements.numbers(queries, "TRANSACTION_ID")
    held_by = transaction[np.where(near, before, 0)].tolist() if len(kept) else []
    blockers = [
        json.dumps(
            [{"is_snowflake": False, "query_id": one, "transaction_id": held} if here else {"is_snowflake": True}]
        )
        for one, held, here in zip(ids, held_by, near.tolist(), strict=True)
    ]
    places = [name.split(".") for name in found.writable]
    which = target[kept]
    return rows(
        "LOCK_WAIT_HISTORY",
        {"OBJECT_ID": np.array([table(name).id for name in found.writable], dtype=np.int64)[which]}
        | {"LOCK_TYPE": "PARTITION", "OBJECT_NAME": words(which, [place[2] for place in places])}
        | {"SCHEMA_ID": np.array([schema_id(*place[:2]) for place in places], dtype=np.int64)[which]}
        | {"SCHEMA_NAME": words(which, [place[1] for place in places])}
        | {"DATABASE_ID": np.array([DATABASES.get(place[0], 0) for place in places], dtype=np.int64)[which]}
        | {"DATABASE_NAME": words(which, [place[0] for place in places])}
        | {"QUERY_ID": queries.column("QUERY_ID").take(pa.array(kept)), "TRANSACTION_ID": transaction[kept]}
        | {"REQUESTED_AT": asked[kept], "ACQUIRED_AT": moments(asked[kept] + waited[kept] * 1000)}
        | {"BLOCKER_QUERIES": blockers},
        len(kept),
    )


def _last_writer(target: Ints, end: Ints) -> Ints:
    """For every statement, the row that wrote the same table and ended before it; -1 for none."""
    order = np.lexsort((end, target))
    same = np.diff(target[order], prepend=-2) == 0
    before = np.full(len(target), -1, dtype=np.int64)
    before[order[1:]] = np.where(same[1:], order[:-1], -1)
    return before
