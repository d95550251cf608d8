"""Query acceleration: what it cost where it is on, and the statements that it would have helped where it is off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from tools.demo.generate.beside import statements
from tools.demo.generate.beside.chance import Floats, Ints, uniform
from tools.demo.generate.beside.window import HOUR_US, Window, rows
from tools.demo.generate.model import Warehouse
from tools.domain import Size
from tools.ml.billing import credits_per_hour

__all__ = ["accelerated", "attributed", "credits", "eligible", "marked"]

_KINDS = ("SELECT", "INSERT", "CREATE_TABLE_AS_SELECT", "COPY")
_LEAST_MS = 60_000
_LEAST_BYTES = 1_500_000_000
_FACTOR = 2
"""Scale factor where Snowflake itself turned the service on (reference 3.1)."""


_BILLED = tuple(size for size in Size if size.rank <= Size.X4LARGE.rank)
"""Generation 2 has no larger ones."""


def accelerated(warehouse: Warehouse) -> bool:
    """Whether the warehouse has query acceleration on: generation 2 is born with it (reference 3.1)."""
    return warehouse.type == "STANDARD" and warehouse.generation == "2"


def _suitable(queries: pa.Table) -> statements.Bools:
    long_enough = statements.numbers(queries, "EXECUTION_TIME") >= _LEAST_MS
    large = statements.numbers(queries, "BYTES_SCANNED") >= _LEAST_BYTES
    kinds = statements.code_is(queries, "QUERY_TYPE", _KINDS)
    return long_enough & large & kinds & statements.code_is(queries, "EXECUTION_STATUS", ("SUCCESS",))


@dataclass(frozen=True)
class _Helped:
    """Statements that the service helped; parallel columns."""

    row: Ints
    credits: Floats
    share: Floats
    """Of what the statement scanned."""


def _helped(queries: pa.Table, seed: int, warehouses: Sequence[Warehouse]) -> _Helped:
    """A third of the suitable statements of warehouses with the service on, at the rate of the size they ran on."""
    on = [each.id for each in warehouses if accelerated(each)]
    size, sizes = statements.codes(queries, "WAREHOUSE_SIZE")
    could = _suitable(queries) & np.isin(statements.numbers(queries, "WAREHOUSE_ID"), on) & (size >= 0)
    kept = np.flatnonzero(could)
    marks = statements.marks(queries)[kept]
    lucky = uniform(seed, "acceleration/helped", marks) < 0.35
    kept, marks = kept[lucky], marks[lucky]
    by_name = {each.shown: credits_per_hour(each, type="STANDARD", generation="2") for each in _BILLED}
    rate = np.array([*(by_name.get(name, 0.0) for name in sizes), 0.0])[size[kept]]
    hours = statements.numbers(queries, "EXECUTION_TIME")[kept] / 3_600_000
    share = 0.02 + 0.10 * uniform(seed, "acceleration/share", marks)
    return _Helped(kept, (hours * rate * _FACTOR * share).round(9), 0.2 + 5 * share)


def marked(queries: pa.Table, seed: int, warehouses: Sequence[Warehouse]) -> pa.Table:
    """QUERY_HISTORY's rows with the columns of the service: what it scanned of a statement, 0 where it did nothing."""
    found = _helped(queries, seed, warehouses)
    columns = {
        "BYTES_SCANNED": statements.numbers(queries, "BYTES_SCANNED"),
        "PARTITIONS_SCANNED": statements.numbers(queries, "PARTITIONS_SCANNED"),
    }
    for name, whole in columns.items():
        part = np.zeros(queries.num_rows, dtype=np.int64)
        part[found.row] = (whole[found.row] * found.share).astype(np.int64)
        queries = queries.append_column(f"QUERY_ACCELERATION_{name}", pa.array(part))
    factor = np.zeros(queries.num_rows, dtype=np.int64)
    factor[found.row] = _FACTOR
    return queries.append_column("QUERY_ACCELERATION_UPPER_LIMIT_SCALE_FACTOR", pa.array(factor))


def attributed(attribution: pa.Table, queries: pa.Table, seed: int, warehouses: Sequence[Warehouse]) -> pa.Table:
    """QUERY_ATTRIBUTION_HISTORY's rows with CREDITS_USED_QUERY_ACCELERATION, NULL where there are none."""
    found = _helped(queries, seed, warehouses)
    helped = queries.column("QUERY_ID").cast(pa.string()).take(pa.array(found.row))
    place = pc.index_in(attribution.column("QUERY_ID").cast(pa.string()), value_set=helped.combine_chunks())
    credits = pa.array(found.credits, type=pa.float64()).take(place.combine_chunks())
    return attribution.append_column("CREDITS_USED_QUERY_ACCELERATION", credits)


def credits(window: Window) -> pd.DataFrame:
    """Rows for `service_credits`: warehouses with the service on, hours in which statements of theirs ended."""
    queries = window.all_queries
    found = _helped(queries, window.seed, window.beside.warehouses)
    ended = statements.moments_of(queries, "END_TIME")[found.row] // HOUR_US
    inside = (ended >= window.since_us // HOUR_US) & (ended < window.until_us // HOUR_US)
    ids = statements.numbers(queries, "WAREHOUSE_ID")[found.row]
    frame = pd.DataFrame({"hour": ended[inside], "entity_id": ids[inside], "credits_compute": found.credits[inside]})
    frame = frame.groupby(["hour", "entity_id"]).sum().reset_index()
    names = {each.id: each.name for each in window.beside.warehouses}
    frame["credits_compute"] = frame["credits_compute"].round(9)
    frame["credits_cloud_services"] = 0.0
    frame["service_type"], frame["entity_type"] = "QUERY_ACCELERATION", "WAREHOUSE"
    frame["name"] = [names[one] for one in frame["entity_id"].tolist()]
    frame["hour"] = pd.to_datetime(frame["hour"] * 3600, unit="s", utc=True).dt.as_unit("us")
    return frame


def eligible(window: Window) -> pa.Table:
    """QUERY_ACCELERATION_ELIGIBLE: never on Snowpark-optimised or adaptive warehouses, nor where it is on."""
    queries = window.queries
    on = [each.id for each in window.beside.warehouses if accelerated(each)]
    sizes = [size.shown for size in Size]
    could = _suitable(queries) & ~np.isin(statements.numbers(queries, "WAREHOUSE_ID"), on)
    could &= statements.code_is(queries, "WAREHOUSE_TYPE", ("STANDARD",))
    could &= statements.code_is(queries, "WAREHOUSE_SIZE", sizes)
    could &= window.ends_inside(statements.moments_of(queries, "END_TIME"))
    kept = np.flatnonzero(could)
    found = queries.take(pa.array(kept))
    seconds = statements.numbers(found, "EXECUTION_TIME") / 1000
    share = 0.35 + 0.5 * uniform(window.seed, "acceleration/eligible", statements.marks(found))
    factor = np.clip(np.log2(statements.numbers(found, "BYTES_SCANNED") / _LEAST_BYTES + 1) * 3, 1, 60)
    same = ("QUERY_ID", "QUERY_TEXT", "WAREHOUSE_NAME", "WAREHOUSE_SIZE", "QUERY_HASH", "QUERY_PARAMETERIZED_HASH")
    columns = {name: found.column(name) for name in (*same, "QUERY_HASH_VERSION", "QUERY_PARAMETERIZED_HASH_VERSION")}
    return rows(
        "QUERY_ACCELERATION_ELIGIBLE",
        columns
        | {
            "START_TIME": statements.moments_of(found, "START_TIME"),
            "END_TIME": statements.moments_of(found, "END_TIME"),
        }
        | {"ELIGIBLE_QUERY_ACCELERATION_TIME": (seconds * share).astype(np.int64)}
        | {"UPPER_LIMIT_SCALE_FACTOR": factor.astype(np.int64)},
        len(kept),
    )
