"""The credit views: hours by warehouse and service, days by service, and each query's share.

Billing is `tools.ml.billing`; the identities of reference 2.8 hold because every view is a sum of the one below.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from tools.demo.generate.arrivals import HOUR_MS
from tools.demo.generate.frames import Columns, moments
from tools.demo.generate.habits import Demo
from tools.demo.generate.intervals import Shared, cut
from tools.demo.generate.runs import Ran
from tools.ml.billing import billed_days, meter

__all__ = ["attribution", "daily", "hourly_services", "services", "warehouse_hours", "warehouse_metering"]

Floats = npt.NDArray[np.float64]

_ONLY = "CLOUD_SERVICES_ONLY"
_DAY = 24


@dataclass(frozen=True)
class _Service:
    kind: str
    name: str
    id: int
    entity: str
    database: str
    schema: str
    credits: float
    """Median of an hour in which it works."""
    hours: float
    """Share of hours in which it does."""
    cloud: float
    """Cloud services credits per credit of compute."""


_SERVICES = (
    _Service("AUTO_CLUSTERING", "FCT_ORDER_ITEMS", 90211, "TABLE", "ANALYTICS", "CORE", 0.35, 0.3, 0.05),
    _Service("AUTO_CLUSTERING", "RAW_EVENTS", 90377, "TABLE", "EVENTS", "STREAM", 0.5, 0.22, 0.05),
    _Service("SERVERLESS_TASK", "REFRESH_SEGMENTS", 70114, "TASK", "ANALYTICS", "CORE", 0.09, 0.95, 0.1),
    _Service("SERVERLESS_TASK", "EXPIRE_TOKENS", 70120, "TASK", "APP", "PUBLIC", 0.015, 0.99, 0.1),
    _Service("PIPE", "PRICES_PIPE", 60031, "PIPE", "RAW", "INGEST", 0.02, 0.9, 0.0),
    _Service("PIPE", "EVENTS_PIPE", 60044, "PIPE", "EVENTS", "STREAM", 0.06, 0.98, 0.0),
)


def warehouse_hours(
    ran: Ran, cloud: Floats, shared: Shared, epoch: pd.Timestamp, rng: np.random.Generator
) -> pd.DataFrame:
    """id, hour (number after the start), compute, cloud, attributed; whole hours before now.

    Id 0 is the pseudo warehouse that carries cloud services tied to no warehouse.
    """
    runs = ran.stretches.copy()
    for column in ("start", "end"):
        runs[column] = epoch + pd.to_timedelta(runs[column].to_numpy(), unit="ms")
    metered = meter(runs)
    metered["hour"] = ((metered["hour"] - epoch) / pd.Timedelta(hours=1)).round().astype("int64")
    compute = metered.set_index(["warehouse", "hour"])["credits"].rename_axis(["id", "hour"])
    compute = pd.concat([compute, _adaptive(ran)]).groupby(level=[0, 1]).sum()
    done = ran.finished
    by_start = pd.Series(cloud[done]).groupby([ran.work.warehouse[done], ran.work.at[done] // HOUR_MS]).sum()
    busy = pd.Series(shared.busy, dtype=float)
    index = compute.index.union(by_start.index)
    frame = pd.DataFrame(index=index.set_names(["id", "hour"]))
    frame["compute"] = compute.reindex(index).fillna(0.0).round(9)
    frame["cloud"] = by_start.reindex(index).fillna(0.0).round(9)
    attributed = np.ceil(busy.reindex(index).fillna(0.0) * 1e9) / 1e9
    frame["attributed"] = np.minimum(attributed, frame["compute"])
    frame = frame.reset_index()
    frame = frame[(frame["hour"] + 1) * HOUR_MS <= ran.now]
    return pd.concat([frame, _untied(frame, epoch, rng)], ignore_index=True).sort_values(
        ["hour", "id"], ignore_index=True
    )


def _adaptive(ran: Ran) -> pd.Series[float]:
    rows = np.flatnonzero(ran.adaptive)
    until = np.minimum(ran.end[rows], ran.now)
    row, hour, part = cut(ran.begin[rows], until, HOUR_MS)
    whole = np.maximum(ran.end[rows] - ran.begin[rows], 1)[row]
    credits = ran.adaptive_credits[rows][row] * part / whole
    return pd.Series(credits).groupby([ran.work.warehouse[rows][row], hour]).sum()


def _untied(frame: pd.DataFrame, epoch: pd.Timestamp, rng: np.random.Generator) -> pd.DataFrame:
    """Cloud services of no warehouse: a few credits a day, and one Sunday beyond 10 % of the day's compute."""
    hours = np.arange(frame["hour"].min(), frame["hour"].max() + 1)
    cloud = 0.42 * rng.lognormal(0, 0.25, len(hours))
    dates = (epoch + pd.to_timedelta(hours, unit="h")).floor("D")
    sundays = dates[(dates.day_of_week == 6) & (dates > dates[0])].unique()
    if len(sundays):
        heavy = sundays[len(sundays) * 2 // 3 - 1 if len(sundays) > 1 else 0]
        that_day = (epoch + pd.to_timedelta(frame["hour"], unit="h")).dt.floor("D") == heavy
        missing = 0.135 * frame.loc[that_day, "compute"].sum() - frame.loc[that_day, "cloud"].sum()
        inside = dates == heavy
        cloud[inside] = np.maximum(cloud[inside], missing / max(int(inside.sum()), 1))
    zero = np.zeros(len(hours))
    return pd.DataFrame(
        {"id": np.zeros(len(hours), dtype=np.int64), "hour": hours, "compute": zero}
        | {"cloud": cloud.round(9), "attributed": zero}
    )


def warehouse_metering(demo: Demo, hours: pd.DataFrame, epoch_ms: int) -> Columns:
    adaptive = {warehouse.id for warehouse in demo.warehouses if warehouse.size is None}
    start = hours["hour"].to_numpy() * HOUR_MS
    return {
        "START_TIME": moments(start, epoch_ms),
        "END_TIME": moments(start + HOUR_MS, epoch_ms),
        "WAREHOUSE_ID": hours["id"].to_numpy(),
        "WAREHOUSE_NAME": _names(demo, hours["id"]),
        "CREDITS_USED": (hours["compute"] + hours["cloud"]).to_numpy(),
        "CREDITS_USED_COMPUTE": hours["compute"].to_numpy(),
        "CREDITS_USED_CLOUD_SERVICES": hours["cloud"].to_numpy(),
        "CREDITS_ATTRIBUTED_COMPUTE_QUERIES": np.ma.masked_array(
            hours["attributed"].to_numpy(), hours["id"].isin(adaptive).to_numpy()
        ),
    }


def _names(demo: Demo, ids: pd.Series[int]) -> list[str]:
    names = {warehouse.id: warehouse.name for warehouse in demo.warehouses} | {0: _ONLY}
    return [names[identifier] for identifier in ids.tolist()]


def services(hours: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Serverless credits by (service, hour): index of _SERVICES, hour, compute, cloud."""
    span = np.arange(hours["hour"].min(), hours["hour"].max() + 1)
    parts = []
    for index, service in enumerate(_SERVICES):
        works = span[rng.random(len(span)) < service.hours]
        compute = (service.credits * rng.lognormal(0, 0.6, len(works))).round(9)
        cloud = (compute * service.cloud).round(9)
        parts.append(pd.DataFrame({"service": index, "hour": works, "compute": compute, "cloud": cloud}))
    return pd.concat(parts, ignore_index=True)


def hourly_services(demo: Demo, hours: pd.DataFrame, serverless: pd.DataFrame, epoch_ms: int) -> Columns:
    """METERING_HISTORY: every warehouse hour again, and the serverless services."""
    known = [_SERVICES[index] for index in serverless["service"].tolist()]
    count = len(hours)
    start = np.concatenate([hours["hour"].to_numpy(), serverless["hour"].to_numpy()]) * HOUR_MS
    compute = np.concatenate([hours["compute"].to_numpy(), serverless["compute"].to_numpy()])
    cloud = np.concatenate([hours["cloud"].to_numpy(), serverless["cloud"].to_numpy()])
    return {
        "SERVICE_TYPE": ["WAREHOUSE_METERING"] * count + [service.kind for service in known],
        "START_TIME": moments(start, epoch_ms),
        "END_TIME": moments(start + HOUR_MS, epoch_ms),
        "ENTITY_ID": np.concatenate([hours["id"].to_numpy(), np.array([s.id for s in known], dtype=np.int64)]),
        "ENTITY_TYPE": ["WAREHOUSE"] * count + [service.entity for service in known],
        "NAME": _names(demo, hours["id"]) + [service.name for service in known],
        "DATABASE_NAME": [None] * count + [service.database for service in known],
        "SCHEMA_NAME": [None] * count + [service.schema for service in known],
        "CREDITS_USED_COMPUTE": compute,
        "CREDITS_USED_CLOUD_SERVICES": cloud,
        "CREDITS_USED": compute + cloud,
    }


def daily(hours: pd.DataFrame, serverless: pd.DataFrame, epoch: pd.Timestamp) -> Columns:
    """METERING_DAILY_HISTORY: UTC days by service; only warehouse usage knows the 10 % adjustment."""
    kinds = [service.kind for service in _SERVICES]
    frame = pd.concat(
        [hours.assign(kind="WAREHOUSE_METERING"), serverless.assign(kind=[kinds[n] for n in serverless["service"]])]
    )
    frame["day"] = (epoch + pd.to_timedelta(frame["hour"].to_numpy(), unit="h")).floor("D")
    days = frame.groupby(["day", "kind"])[["compute", "cloud"]].sum().reset_index()
    of_warehouses = days["kind"] == "WAREHOUSE_METERING"
    bill = billed_days(days.assign(warehouse=days["compute"] * of_warehouses, cloud_services=days["cloud"]))
    adjustment = np.where(of_warehouses, bill["adjustment"], 0.0)
    used = (days["compute"] + days["cloud"]).to_numpy()
    return {
        "SERVICE_TYPE": days["kind"].tolist(),
        "USAGE_DATE": days["day"].to_numpy().astype("datetime64[D]"),
        "CREDITS_USED_COMPUTE": days["compute"].to_numpy(),
        "CREDITS_USED_CLOUD_SERVICES": days["cloud"].to_numpy(),
        "CREDITS_USED": used,
        "CREDITS_ADJUSTMENT_CLOUD_SERVICES": adjustment,
        "CREDITS_BILLED": used + adjustment,
    }


def attribution(ran: Ran, shared: Shared, history: Columns, kept: npt.NDArray[np.int64]) -> Columns:
    """QUERY_ATTRIBUTION_HISTORY, from QUERY_HISTORY's columns; statements of 100 ms and less are absent."""
    there = np.flatnonzero(
        ran.on_cluster[kept] & (ran.end[kept] - ran.begin[kept] > 100) & (shared.query[kept] >= 1e-9)
    )
    same = ("QUERY_ID", "WAREHOUSE_ID", "WAREHOUSE_NAME", "QUERY_HASH", "QUERY_PARAMETERIZED_HASH", "QUERY_TAG")
    columns: Columns = {}
    for name in (*same, "USER_NAME", "START_TIME", "END_TIME"):
        column = history[name]
        columns[name] = [column[row] for row in there.tolist()] if isinstance(column, list) else column.take(there)
    columns["CREDITS_ATTRIBUTED_COMPUTE"] = np.floor(shared.query[kept][there] * 1e9) / 1e9
    return columns
