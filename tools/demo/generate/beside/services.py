"""Serverless services: credits by hour and object, and the history view of each, which sums to the same credits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
import pyarrow as pa

from tools.demo.generate.beside import acceleration, intelligence
from tools.demo.generate.beside.chance import Floats, Ints, lognormal, uniform
from tools.demo.generate.beside.incidents import incidents
from tools.demo.generate.beside.objects import DATABASES, GIB, schema_id
from tools.demo.generate.beside.window import HOUR_US, Window, rows

__all__ = ["CREDIT_COLUMNS", "histories", "service_credits"]

CREDIT_COLUMNS = (
    *("hour", "service_type", "entity_id", "entity_type", "name", "database_id", "database_name", "schema_id"),
    *("schema_name", "credits_compute", "credits_cloud_services", "bytes", "rows", "files"),
)
"""Of `service_credits`: `hour` is its start (UTC), what does not apply is missing."""

Shape = Literal["always", "nights", "office"]


@dataclass(frozen=True)
class _Service:
    type: str
    name: str
    id: int
    entity: str
    place: tuple[str, str] | None
    """Database and schema."""
    credits: float
    """Median of an hour in which it works."""
    hours: float
    """Share of hours in which it does."""
    cloud: float = 0.0
    """Cloud services credits per credit of compute."""
    shape: Shape = "always"
    spread: float = 0.5
    bytes_per_credit: float = 0.0
    """What an hour's credits moved; 0 where the service counts none."""
    daily: float = 0.0007
    """Growth, as data grows."""


_CORE, _MARTS, _STREAM = ("ANALYTICS", "CORE"), ("ANALYTICS", "MARTS"), ("EVENTS", "STREAM")
_INGEST, _APP = ("RAW", "INGEST"), ("APP", "PUBLIC")

_SERVICES = (
    _Service("AUTO_CLUSTERING", "FCT_ORDER_ITEMS", 90211, "TABLE", _CORE, 0.45, 0.22, 0.05, "nights", 0.5, 96 * GIB),
    _Service(
        "AUTO_CLUSTERING", "FCT_INVENTORY_DAILY", 90216, "TABLE", _CORE, 0.24, 0.18, 0.05, "nights", 0.5, 90 * GIB
    ),
    _Service("AUTO_CLUSTERING", "RAW_EVENTS", 90377, "TABLE", _STREAM, 0.16, 0.5, 0.05, "always", 0.5, 110 * GIB),
    _Service("AUTO_CLUSTERING", "FCT_SESSIONS", 90214, "TABLE", _CORE, 0.26, 0.15, 0.05, "nights", 0.6, 80 * GIB),
    _Service("MATERIALIZED_VIEW", "MV_REVENUE_BY_STORE", 90291, "MATERIALIZED_VIEW", _MARTS, 0.11, 0.5, 0.06),
    _Service("MATERIALIZED_VIEW", "MV_ORDER_STATUS", 90292, "MATERIALIZED_VIEW", _CORE, 0.07, 0.3, 0.06),
    _Service("SEARCH_OPTIMIZATION", "FCT_ORDERS", 90212, "TABLE", _CORE, 0.08, 0.3, 0.06),
    _Service("SEARCH_OPTIMIZATION", "PROFILES", 90378, "TABLE", _STREAM, 0.13, 0.45, 0.06),
    _Service("SERVERLESS_TASK", "REFRESH_RECOMMENDATIONS", 70114, "TASK", _CORE, 0.09, 0.95, 0.1, spread=0.4),
    _Service("SERVERLESS_TASK", "EXPIRE_TOKENS", 70120, "TASK", _APP, 0.015, 1.0, 0.1, spread=0.2),
    _Service("SERVERLESS_TASK", "ROUTE_EVENTS", 70131, "TASK", _STREAM, 0.03, 1.0, 0.1, "always", 0.3),
    _Service("SERVERLESS_ALERTS", "LATE_LOADS", 70207, "ALERT", _INGEST, 0.004, 1.0, 0.1, spread=0.1),
    _Service("PIPE", "PRICES_PIPE", 60031, "PIPE", _INGEST, 0.0016, 0.9, 0.0, "always", 0.7, GIB / 0.0037),
    _Service("PIPE", "EVENTS_PIPE", 60044, "PIPE", _STREAM, 0.026, 0.99, 0.0, "office", 0.3, GIB / 0.0037),
    _Service("PIPE", "LANDING_REFRESH", 60052, "PIPE", _INGEST, 0.0021, 0.35, 0.0, "always", 0.6),
    _Service("SNOWPIPE_STREAMING", "CLICKSTREAM", 60071, "TABLE", _STREAM, 0.012, 1.0, 0.0, "office", 0.3),
    _Service("REPLICATION", "PARTNER_FEED", 29, "DATABASE", None, 0.17, 0.25, 0.17, "always", 0.6, 38 * GIB),
    _Service("DATA_QUALITY_MONITORING", "ORDERS", 90101, "TABLE", _INGEST, 0.03, 0.25, 0.5, spread=0.2),
    _Service("TRUST_CENTER", "TRUST_CENTER", 3, "", None, 0.12, 0.042, 0.1, spread=0.1),
    _Service("TELEMETRY_DATA_INGEST", "EVENTS", 4, "", None, 0.009, 0.9, 0.0, spread=0.4),
)
_NIGHT = np.array([0.5, 0.6, 0.8, 1.6, 3.6, 4.6, 3.8, 1.8, 0.8, 0.5, 0.4, 0.4] + [0.3] * 12)
"""Chance by local hour, after the nightly loads and dbt runs; mean about 1."""


def service_credits(window: Window) -> pd.DataFrame:
    """Credits of each serverless service by hour and object, for the hours that end in the window.

    Returns:
        CREDIT_COLUMNS, in order of hour, service and object. They are METERING_HISTORY's rows; each service's own
        history view shows the sum of compute and cloud services as its CREDITS_USED.
    """
    parts = [_hours(window, service) for service in _SERVICES]
    parts += [acceleration.credits(window), intelligence.credits(window)]
    # A part without rows would change the types of the others' columns.
    frame = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    frame = frame.reindex(columns=list(CREDIT_COLUMNS))
    for column in ("entity_id", "database_id", "schema_id", "bytes", "rows", "files"):
        frame[column] = frame[column].astype("Int64")
    return frame.sort_values(["hour", "service_type", "name"], kind="stable", ignore_index=True)


def _hours(window: Window, service: _Service) -> pd.DataFrame:
    stream = f"service/{service.type}/{service.name}"
    hours = window.hours
    chance = np.full(len(hours), service.hours)
    level = np.ones(len(hours))
    local, _ = window.local(hours)
    if service.shape == "nights":
        chance = np.minimum(chance * _NIGHT[local], 0.97)
    elif service.shape == "office":
        level = 0.35 + 1.3 * window.office(hours)
    level = level * (1 + service.daily * (hours // 24 - window.first_day))
    level = level * lognormal(window.seed, f"{stream}/day", hours // 24, 0.12)
    storm = _storm(window, service, hours)
    works = (uniform(window.seed, f"{stream}/works", hours) < chance) | (storm > 1)
    hours, level = hours[works], (level * storm)[works]
    compute = service.credits * level * lognormal(window.seed, f"{stream}/credits", hours, service.spread)
    compute = compute.round(9)
    frame = pd.DataFrame({"hour": _stamps(hours), "credits_compute": compute})
    frame["credits_cloud_services"] = (compute * service.cloud).round(9)
    frame["service_type"], frame["name"] = service.type, service.name
    frame["entity_id"] = service.id
    frame["entity_type"] = service.entity or None
    if service.place is not None:
        database, schema = service.place
        frame["database_id"], frame["database_name"] = DATABASES[database], database
        frame["schema_id"], frame["schema_name"] = schema_id(database, schema), schema
    return _volumes(window, service, stream, hours, frame)


def _storm(window: Window, service: _Service, hours: Ints) -> Floats:
    """What an incident multiplies the hour by."""
    factor = np.ones(len(hours))
    if service.type != "AUTO_CLUSTERING" or service.place is None:
        return factor
    name = f"{service.place[0]}.{service.place[1]}.{service.name}"
    for each in incidents(window.seed, window.first_day, window.until_us // (24 * HOUR_US) + 1):
        if each.kind == "clustering_storm" and each.object == name:
            factor[(hours >= each.start) & (hours < each.end)] = each.size
    return factor


def _volumes(window: Window, service: _Service, stream: str, hours: Ints, frame: pd.DataFrame) -> pd.DataFrame:
    if service.bytes_per_credit:
        moved = frame["credits_compute"].to_numpy() * service.bytes_per_credit
        moved = moved * lognormal(window.seed, f"{stream}/bytes", hours, 0.2)
        if service.type == "PIPE":  # flat credits for each GB: no spread, and no bytes in an hour of maintenance
            idle = uniform(window.seed, f"{stream}/idle", hours) < 0.03
            moved = np.where(idle, 0, frame["credits_compute"].to_numpy() * service.bytes_per_credit)
            frame["files"] = np.where(idle, 0, np.maximum(moved // (24 << 20), 1)).astype(np.int64)
        frame["bytes"] = moved.astype(np.int64)
        frame["rows"] = (moved / 160).astype(np.int64)
    return frame


def _stamps(hours: Ints) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(pd.to_datetime(hours * 3600, unit="s", utc=True)).as_unit("us")


# --- the services' own views ----------------------------------------------------------------------------------------


def histories(window: Window, credits: pd.DataFrame) -> dict[str, pa.Table]:
    """The history view of each service, from `service_credits`."""
    by_type = dict(list(credits.groupby("service_type")))

    def of(service: str) -> pd.DataFrame:
        return by_type.get(service, credits.iloc[:0])

    clustering, views, search, tasks = (
        of(kind) for kind in ("AUTO_CLUSTERING", "MATERIALIZED_VIEW", "SEARCH_OPTIMIZATION", "SERVERLESS_TASK")
    )
    table = {"TABLE_ID": "entity_id", "TABLE_NAME": "name"}
    task = {"TASK_ID": "entity_id", "TASK_NAME": "name"}
    return {
        "AUTOMATIC_CLUSTERING_HISTORY": rows(
            "AUTOMATIC_CLUSTERING_HISTORY",
            _span(clustering, table)
            | {
                "NUM_BYTES_RECLUSTERED": _given(clustering["bytes"]),
                "NUM_ROWS_RECLUSTERED": _given(clustering["rows"]),
                "VERSION": "CLASSIC",
            },
        ),
        "MATERIALIZED_VIEW_REFRESH_HISTORY": rows(
            "MATERIALIZED_VIEW_REFRESH_HISTORY", _as_text(_span(views, table)), len(views)
        ),
        "SEARCH_OPTIMIZATION_HISTORY": rows("SEARCH_OPTIMIZATION_HISTORY", _search(search)),
        "SEARCH_OPTIMIZATION_BENEFITS": _benefits(window),
        "SERVERLESS_TASK_HISTORY": rows("SERVERLESS_TASK_HISTORY", _as_text(_span(tasks, task)), len(tasks)),
        "PIPE_USAGE_HISTORY": rows("PIPE_USAGE_HISTORY", _pipes(of("PIPE"))),
        "DATABASE_REPLICATION_USAGE_HISTORY": rows(
            "DATABASE_REPLICATION_USAGE_HISTORY", _replicated(of("REPLICATION"))
        ),
        "QUERY_ACCELERATION_HISTORY": rows("QUERY_ACCELERATION_HISTORY", _accelerated(of("QUERY_ACCELERATION"))),
    }


def _given(column: pd.Series[int]) -> pa.Array:
    return pa.array(column, from_pandas=True, type=pa.int64())


def _credits(frame: pd.DataFrame) -> dict[str, object]:
    start = frame["hour"].astype("int64").to_numpy()
    used = (frame["credits_compute"] + frame["credits_cloud_services"]).to_numpy()
    return {"START_TIME": start, "END_TIME": start + HOUR_US, "CREDITS_USED": used}


def _span(frame: pd.DataFrame, named: dict[str, str]) -> dict[str, object]:
    """An hour, its credits, and the object with its place."""
    columns = _credits(frame)
    for view_column, column in named.items():
        columns[view_column] = _given(frame[column]) if column == "entity_id" else frame[column].tolist()
    return columns | {
        "SCHEMA_ID": _given(frame["schema_id"]),
        "SCHEMA_NAME": frame["schema_name"].tolist(),
        "DATABASE_ID": _given(frame["database_id"]),
        "DATABASE_NAME": frame["database_name"].tolist(),
    }


def _as_text(columns: dict[str, object]) -> dict[str, object]:
    """Two views give their credits as text (reference 1.2: "doc: V")."""
    used = columns["CREDITS_USED"]
    assert isinstance(used, np.ndarray)
    return columns | {"CREDITS_USED": [f"{value:.9f}" for value in used.tolist()]}


def _search(frame: pd.DataFrame) -> dict[str, object]:
    """By index, as accounts have it since the bundle 2026_06; TABLE_ID and TABLE_NAME are NULL there."""
    columns = _span(frame, {"BASE_TABLE_ID": "entity_id", "BASE_TABLE_NAME": "name"})
    return columns | {
        "INDEX_ID": _given(frame["entity_id"] + 400_000),
        "INDEX_NAME": [f"SEARCH_OPTIMIZATION_{name}" for name in frame["name"]],
        "INDEX_TYPE": "SEARCH_OPTIMIZATION",
    }


def _pipes(frame: pd.DataFrame) -> dict[str, object]:
    """The refresh of an external table's file list has no name (reference 1.2)."""
    hidden = frame["name"] == "LANDING_REFRESH"
    return _credits(frame) | {
        "PIPE_ID": _given(frame["entity_id"]),
        "PIPE_NAME": frame["name"].mask(hidden, None).tolist(),
        "BYTES_INSERTED": frame["bytes"].astype("float64").fillna(0.0).to_numpy(),
        "FILES_INSERTED": [str(int(n)) for n in frame["files"].fillna(0)],
        "BYTES_BILLED": _given(frame["bytes"].fillna(0)),
    }


def _accelerated(frame: pd.DataFrame) -> dict[str, object]:
    return _credits(frame) | {"WAREHOUSE_ID": _given(frame["entity_id"]), "WAREHOUSE_NAME": frame["name"].tolist()}


def _replicated(frame: pd.DataFrame) -> dict[str, object]:
    return _credits(frame) | {
        "DATABASE_NAME": frame["name"].tolist(),
        "DATABASE_ID": _given(frame["entity_id"]),
        "BYTES_TRANSFERRED": _given(frame["bytes"]),
    }


def _benefits(window: Window) -> pa.Table:
    """The portal's lookups on FCT_ORDERS use search optimisation; nothing uses that of PROFILES."""
    hours = window.hours
    mean = 1 + 14 * window.office(hours)
    scans = (mean * lognormal(window.seed, "benefits", hours, 0.4)).astype(np.int64)
    hours, scans = hours[scans > 0], scans[scans > 0]
    usual = (scans * 310 * lognormal(window.seed, "benefits/usual", hours, 0.3)).astype(np.int64)
    return rows(
        "SEARCH_OPTIMIZATION_BENEFITS",
        {"START_TIME": hours * HOUR_US, "END_TIME": (hours + 1) * HOUR_US, "TABLE_ID": 90212}
        | {"TABLE_NAME": "FCT_ORDERS", "SCHEMA_ID": schema_id(*_CORE), "SCHEMA_NAME": "CORE"}
        | {"DATABASE_ID": DATABASES["ANALYTICS"], "DATABASE_NAME": "ANALYTICS", "NUM_SCANS": scans}
        | {"PARTITIONS_SCANNED": scans * 3, "PARTITIONS_PRUNED_DEFAULT": usual}
        | {"PARTITIONS_PRUNED_ADDITIONAL": usual // 3},
        len(hours),
    )
