"""DYNAMIC_TABLE_REFRESH_HISTORY: one looks for data far too often, one is always rebuilt, two are well."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from tools.demo.generate.beside.chance import Floats, Ints, lognormal, pick, uniform
from tools.demo.generate.beside.objects import DATABASES, schema_id
from tools.demo.generate.beside.window import HOUR_US, Window, rows, words

__all__ = ["histories"]

_SECOND = 1_000_000
_ACTIONS = ("NO_DATA", "INCREMENTAL", "FULL", "REINITIALIZE")


@dataclass(frozen=True)
class _Dynamic:
    name: str
    id: int
    database: str
    schema: str
    lag: int
    """TARGET_LAG in seconds."""
    weights: tuple[float, float, float, float]
    """Of the actions."""
    seconds: float
    fails: float = 0.004


_DYNAMIC = (
    _Dynamic("DT_SESSION_FUNNEL", 92101, "EVENTS", "STREAM", 300, (0.76, 0.24, 0, 0), 11),
    _Dynamic("DT_STORE_STOCK", 92102, "ANALYTICS", "MARTS", 3600, (0.04, 0, 0.955, 0.005), 190),
    _Dynamic("DT_CUSTOMER_360", 92103, "ANALYTICS", "CORE", 3600, (0.22, 0.775, 0.005, 0), 74),
    _Dynamic("DT_CAMPAIGN_DAY", 92104, "ANALYTICS", "MARTS", 86400, (0, 0.97, 0.03, 0), 120),
)


def histories(window: Window) -> dict[str, pa.Table]:
    found = pa.concat_tables([_refreshes(window, each) for each in _DYNAMIC])
    return {"DYNAMIC_TABLE_REFRESH_HISTORY": found.sort_by([("REFRESH_END_TIME", "ascending"), ("ID", "ascending")])}


def _refreshes(window: Window, table: _Dynamic) -> pa.Table:
    step, stream = table.lag * _SECOND, f"dynamic/{table.name}"
    number = np.arange((window.since_us - 3 * HOUR_US) // step, window.until_us // step + 1, dtype=np.int64)
    action = pick(window.seed, f"{stream}/action", number, table.weights)
    failed = (uniform(window.seed, f"{stream}/fails", number) < table.fails) & (action > 0)
    due = number * step
    begun = due + (_SECOND * (2 + 20 * uniform(window.seed, f"{stream}/delay", number))).astype(np.int64)
    ended = begun + _lengths(window, table, number, action)
    kept = np.flatnonzero(window.ends_inside(ended))
    due, begun, ended, action, failed = due[kept], begun[kept], ended[kept], action[kept], failed[kept]
    return rows(
        "DYNAMIC_TABLE_REFRESH_HISTORY",
        {"NAME": table.name, "SCHEMA_NAME": table.schema, "DATABASE_NAME": table.database, "ID": table.id}
        | {"SCHEMA_ID": schema_id(table.database, table.schema), "DATABASE_ID": DATABASES[table.database]}
        | {"STATE": words(failed.astype(np.int64), ["SUCCEEDED", "FAILED"])}
        | {"STATE_CODE": words(failed.astype(np.int64), ["SUCCESS", "ERROR"])}
        | {"STATE_MESSAGE": words(failed.astype(np.int64), [None, "Numeric value 'n/a' is not recognized"])}
        | {"DATA_TIMESTAMP": due, "REFRESH_START_TIME": begun, "REFRESH_END_TIME": ended}
        | {"COMPLETION_TARGET": due + step, "QUALIFIED_NAME": f"{table.database}.{table.schema}.{table.name}"}
        | {"STATISTICS": _statistics(window, stream, due, action), "REFRESH_ACTION": words(action, _ACTIONS)}
        | {"REINIT_REASON": words((action == 3).astype(np.int64), [None, "UPSTREAM_REPLACED"])}
        | {"REFRESH_TRIGGER": "SCHEDULED", "TARGET_LAG_SEC": table.lag},
        len(kept),
    )


def _lengths(window: Window, table: _Dynamic, number: Ints, action: Ints) -> Ints:
    seconds: Floats = table.seconds * lognormal(window.seed, f"dynamic/{table.name}/seconds", number, 0.4)
    seconds = np.where(action == 0, 0.3, np.minimum(seconds, 0.8 * table.lag))
    return (seconds * _SECOND).astype(np.int64)


def _statistics(window: Window, stream: str, due: Ints, action: Ints) -> list[str | None]:
    inserted = (40_000 * lognormal(window.seed, f"{stream}/rows", due // _SECOND, 0.8)).astype(np.int64)
    return [
        None if kind == 0 else json.dumps({"numInsertedRows": count, "numDeletedRows": count if kind > 1 else 0})
        for kind, count in zip(action.tolist(), inserted.tolist(), strict=True)
    ]
