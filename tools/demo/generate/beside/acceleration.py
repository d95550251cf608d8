"""Query acceleration: what it cost where it is on, and the statements that it would have helped where it is off."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa

from tools.demo.generate.beside import statements
from tools.demo.generate.beside.chance import uniform
from tools.demo.generate.beside.window import HOUR_US, Window, rows
from tools.demo.generate.model import Warehouse
from tools.domain import Size
from tools.ml.billing import credits_per_hour

__all__ = ["accelerated", "credits", "eligible"]

_KINDS = ("SELECT", "INSERT", "CREATE_TABLE_AS_SELECT", "COPY")
_LEAST_MS = 60_000
_LEAST_BYTES = 1_500_000_000
_FACTOR = 2
"""Scale factor where Snowflake itself turned the service on (reference 3.1)."""


def accelerated(warehouse: Warehouse) -> bool:
    """Whether the warehouse has query acceleration on: generation 2 is born with it (reference 3.1)."""
    return warehouse.type == "STANDARD" and warehouse.generation == "2"


def _suitable(queries: pa.Table) -> statements.Bools:
    long_enough = statements.numbers(queries, "EXECUTION_TIME") >= _LEAST_MS
    large = statements.numbers(queries, "BYTES_SCANNED") >= _LEAST_BYTES
    kinds = statements.code_is(queries, "QUERY_TYPE", _KINDS)
    return long_enough & large & kinds & statements.code_is(queries, "EXECUTION_STATUS", ("SUCCESS",))


def credits(window: Window) -> pd.DataFrame:
    """Rows for `service_credits`: warehouses with the service on, hours in which statements of theirs ended."""
    queries = window.all_queries
    rates = {
        each.id: credits_per_hour(each.size, type=each.type, generation=each.generation)
        for each in window.beside.warehouses
        if accelerated(each) and each.size is not None
    }
    ids = statements.numbers(queries, "WAREHOUSE_ID")
    ended = statements.moments_of(queries, "END_TIME") // HOUR_US
    inside = (ended >= window.since_us // HOUR_US) & (ended < window.until_us // HOUR_US)
    kept = np.flatnonzero(_suitable(queries) & np.isin(ids, list(rates)) & inside)
    marks = statements.marks(queries)[kept]
    helped = uniform(window.seed, "acceleration/helped", marks)
    kept, marks, helped = kept[helped < 0.35], marks[helped < 0.35], helped[helped < 0.35]
    rate = np.array([rates[one] for one in ids[kept].tolist()])
    busy = statements.numbers(queries, "EXECUTION_TIME")[kept] / 3_600_000
    share = 0.02 + 0.10 * uniform(window.seed, "acceleration/share", marks)
    frame = pd.DataFrame(
        {"hour": ended[kept], "entity_id": ids[kept], "credits_compute": busy * rate * _FACTOR * share}
    )
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
