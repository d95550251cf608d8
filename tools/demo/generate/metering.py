"""The credit views: hours by warehouse and service, days by service, and each query's share.

Billing is `tools.ml.billing`; the identities of reference 2.8 hold because every view is a sum of the one below.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from tools.demo.generate.arrivals import HOUR_MS
from tools.demo.generate.frames import Columns, moments
from tools.demo.generate.habits import Demo
from tools.demo.generate.intervals import Shared, cut
from tools.demo.generate.runs import Ran
from tools.ml.billing import billed_days, meter

__all__ = ["attribution", "daily", "hourly_services", "warehouse_hours", "warehouse_metering"]

Floats = npt.NDArray[np.float64]

_ONLY = "CLOUD_SERVICES_ONLY"
_DAY = 24


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


def hourly_services(demo: Demo, hours: pd.DataFrame, credits: pd.DataFrame, epoch_ms: int) -> Columns:
    """METERING_HISTORY: every warehouse hour again, and the serverless services (`beside.service_credits`)."""
    count = len(hours)
    start = np.concatenate([hours["hour"].to_numpy() * HOUR_MS + epoch_ms, credits["hour"].astype("int64") // 1000])
    compute = np.concatenate([hours["compute"].to_numpy(), credits["credits_compute"].to_numpy()])
    cloud = np.concatenate([hours["cloud"].to_numpy(), credits["credits_cloud_services"].to_numpy()])

    def numbers(column: str, of_warehouses: list[int | None]) -> Any:
        return pa.array([*of_warehouses, *credits[column].astype(object).where(credits[column].notna(), None)])

    def text(column: str, of_warehouses: Sequence[str | None]) -> list[str | None]:
        return [*of_warehouses, *credits[column].astype(object).where(credits[column].notna(), None)]

    none: list[None] = [None] * count
    return {
        "SERVICE_TYPE": text("service_type", ["WAREHOUSE_METERING"] * count),
        "START_TIME": moments(start, 0),
        "END_TIME": moments(start + HOUR_MS, 0),
        "ENTITY_ID": numbers("entity_id", hours["id"].tolist()),
        "ENTITY_TYPE": text("entity_type", ["WAREHOUSE"] * count),
        "NAME": text("name", _names(demo, hours["id"])),
        "DATABASE_ID": numbers("database_id", [*none]),
        "DATABASE_NAME": text("database_name", none),
        "SCHEMA_ID": numbers("schema_id", [*none]),
        "SCHEMA_NAME": text("schema_name", none),
        "CREDITS_USED_COMPUTE": compute,
        "CREDITS_USED_CLOUD_SERVICES": cloud,
        "CREDITS_USED": compute + cloud,
        "BYTES": numbers("bytes", [*none]),
        "ROWS": numbers("rows", [*none]),
        "FILES": numbers("files", [*none]),
    }


def daily(hours: pd.DataFrame, credits: pd.DataFrame, epoch: pd.Timestamp) -> Columns:
    """METERING_DAILY_HISTORY: UTC days by service; only warehouse usage knows the 10 % adjustment."""
    of_services = pd.DataFrame(
        {
            "kind": credits["service_type"],
            "compute": credits["credits_compute"],
            "cloud": credits["credits_cloud_services"],
            "day": credits["hour"].dt.tz_localize(None).dt.floor("D"),
        }
    )
    of_warehouses = hours.assign(kind="WAREHOUSE_METERING")
    of_warehouses["day"] = (epoch + pd.to_timedelta(hours["hour"].to_numpy(), unit="h")).floor("D")
    frame = pd.concat([of_warehouses, of_services])
    days = frame.groupby(["day", "kind"])[["compute", "cloud"]].sum().reset_index()
    metered = days["kind"] == "WAREHOUSE_METERING"
    bill = billed_days(days.assign(warehouse=days["compute"] * metered, cloud_services=days["cloud"]))
    adjustment = np.where(metered, bill["adjustment"], 0.0)
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
