"""The credit views: hours by warehouse and service, days by service, and each query's share.

Billing is `tools.ml.billing`; the identities of reference 2.8 hold because every view is a sum of the one below. An
hour's row is written once, by the window in which the hour ends; what an hour that is not over has gathered is
carried (`Seam`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from tools.demo.generate.chance import keyed
from tools.demo.generate.days import DAY_MS, HOUR_MS
from tools.demo.generate.frames import Columns, moments
from tools.demo.generate.intervals import cut, share
from tools.demo.generate.runs import Ran
from tools.ml.billing import billed_days, meter

__all__ = ["Seam", "attribution", "daily", "hourly_services", "warehouse_hours", "warehouse_metering"]

Floats = npt.NDArray[np.float64]

_ONLY = "CLOUD_SERVICES_ONLY"
_STRETCH = ["warehouse", "cluster", "start", "end", "size", "type", "generation", "resource_constraint"]
_MINIMUM_MS = 120_000
"""Longer than any minimum charge that may reach past the end of a run."""
_UNTIED = 0.55
"""Median cloud services credits an hour of no warehouse."""
_HEAVY_SHARE = 0.16
"""Of the hour's compute, on the few Sundays on which cloud services go past 10 %."""


@dataclass
class Seam:
    """What metering carries from one window to the next."""

    tail: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=[*_STRETCH]))
    """Stretches of runs that are not over, or whose charge may reach into what comes."""
    hours: dict[tuple[int, int], tuple[float, float, float]] = field(default_factory=dict)
    """By (WAREHOUSE_ID, hour): busy, cloud services and adaptive credits gathered so far."""
    days: dict[tuple[int, str], tuple[float, float]] = field(default_factory=dict)
    """By (day since 1970, service): compute and cloud services credits of its hours so far."""

    def to_json(self) -> dict[str, Any]:
        return {
            "tail": self.tail.astype(object).where(self.tail.notna(), None).to_dict("records"),
            "hours": [[*key, *value] for key, value in self.hours.items()],
            "days": [[*key, *value] for key, value in self.days.items()],
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Seam:
        tail = pd.DataFrame(values["tail"], columns=_STRETCH)
        hours = {(int(i), int(h)): (a, b, c) for i, h, a, b, c in values["hours"]}
        return cls(tail, hours, {(int(d), str(s)): (a, b) for d, s, a, b in values["days"]})


def warehouse_hours(ran: Ran, cloud: Floats, seam: Seam, seed: int) -> pd.DataFrame:
    """id, hour (since 1970), compute, cloud, attributed; the hours that end in this window.

    Id 0 is the pseudo warehouse that carries cloud services tied to no warehouse. Moves `seam` on.
    """
    first, last = ran.since // HOUR_MS, ran.until // HOUR_MS
    compute = _metered(ran, seam)
    gathered = _gathered(ran, cloud, seam)
    seam.hours = {key: value for key, value in gathered.items() if key[1] >= last}
    keys = {key for key in [*compute, *gathered] if first <= key[1] < last}
    ordered = sorted(keys, key=lambda key: (key[1], key[0]))
    nothing = (0.0, 0.0, 0.0)
    frame = pd.DataFrame(
        {
            "id": [key[0] for key in ordered],
            "hour": [key[1] for key in ordered],
            "compute": [compute.get(key, 0.0) + gathered.get(key, nothing)[2] for key in ordered],
            "cloud": [gathered.get(key, nothing)[1] for key in ordered],
            "attributed": [np.ceil(round(gathered.get(key, nothing)[0] * 1e9, 4)) / 1e9 for key in ordered],
        }
    ).round(9)
    frame["attributed"] = np.minimum(frame["attributed"], frame["compute"])
    return pd.concat([frame, _untied(frame, first, last, seed)], ignore_index=True).sort_values(
        ["hour", "id"], ignore_index=True
    )


def _metered(ran: Ran, seam: Seam) -> dict[tuple[int, int], float]:
    """Compute credits by (id, hour) of clusters; also of hours that are not over or were metered before."""
    now = ran.stretches[[*_STRETCH, "open"]]
    runs = pd.concat([seam.tail, now[_STRETCH]], ignore_index=True) if len(seam.tail) else now[_STRETCH]
    seam.tail = _tail(runs, now["open"].to_numpy(), ran.until)
    stamped = runs.assign(**{name: pd.to_datetime(runs[name].astype("int64"), unit="ms") for name in ("start", "end")})
    metered = meter(stamped)
    hours = metered["hour"].astype("datetime64[ms]").astype("int64") // HOUR_MS
    keys = zip(metered["warehouse"].tolist(), hours.tolist(), strict=True)
    return dict(zip(keys, metered["credits"].tolist(), strict=True))


def _tail(runs: pd.DataFrame, is_open: npt.NDArray[np.bool_], until: int) -> pd.DataFrame:
    """Closed stretches whose run goes on, or ended so late that its charge may reach into the next window."""
    still = np.zeros(len(runs), dtype=bool)
    still[len(runs) - len(is_open) :] = is_open
    ordered = runs.assign(open=still).sort_values(["warehouse", "cluster", "start"], kind="stable")
    same = ordered[["warehouse", "cluster"]].eq(ordered[["warehouse", "cluster"]].shift()).all(axis=1)
    run = (~(same & (ordered["start"] == ordered["end"].shift()))).cumsum()
    late = ordered["end"].groupby(run).transform("max") >= until // HOUR_MS * HOUR_MS - _MINIMUM_MS
    return ordered[late & ~ordered["open"]][_STRETCH].reset_index(drop=True)


def _gathered(ran: Ran, cloud: Floats, seam: Seam) -> dict[tuple[int, int], tuple[float, float, float]]:
    """Busy, cloud services and adaptive credits by (id, hour), with those of the hour at the seam."""
    new = ran.work.ints("at") >= ran.since
    hour_of = ran.work.ints("at")[new] // HOUR_MS
    by_start = pd.Series(cloud[new]).groupby([ran.started["warehouse"][new], hour_of]).sum()
    parts = (share(ran), _plain(by_start), _adaptive(ran))
    gathered = dict(seam.hours)
    for place, part in enumerate(parts):
        for (identifier, hour), credits in part.items():
            before = list(gathered.get((identifier, hour), (0.0, 0.0, 0.0)))
            before[place] += credits
            gathered[identifier, hour] = (before[0], before[1], before[2])
    return gathered


def _adaptive(ran: Ran) -> dict[tuple[int, int], float]:
    rows = np.flatnonzero(ran.adaptive & (ran.started["begin"] >= 0))
    begin = np.maximum(ran.started["begin"][rows], ran.since)
    row, hour, part = cut(begin, np.minimum(ran.started["end"][rows], ran.until), HOUR_MS)
    whole = np.maximum(ran.started["end"][rows] - ran.started["begin"][rows], 1)[row]
    credits = ran.adaptive_credits[rows][row] * part / whole
    grouped = pd.Series(credits).groupby([ran.started["warehouse"][rows][row], hour]).sum()
    return _plain(grouped)


def _plain(sums: pd.Series[float]) -> dict[tuple[int, int], float]:
    """Sums by (id, hour)."""
    keys = zip(*(sums.index.get_level_values(level).tolist() for level in (0, 1)), strict=True)
    return dict(zip(keys, sums.tolist(), strict=True))


def _untied(frame: pd.DataFrame, first: int, last: int, seed: int) -> pd.DataFrame:
    """Cloud services of no warehouse: a few credits a day, and every third Sunday beyond 10 % of compute."""
    hours = np.arange(first, last)
    days = hours // 24
    usual = {int(day): keyed(seed, "untied", int(day)).lognormal(0, 0.25, 24) for day in np.unique(days)}
    cloud = _UNTIED * np.array([usual[int(day)][int(hour) % 24] for day, hour in zip(days, hours, strict=True)])
    # 1970-01-04 was a Sunday.
    heavy = ((days - 3) % 7 == 0) & ((days - 3) // 7 % 3 == keyed(seed, "heavy").integers(0, 3))
    compute = frame.groupby("hour")["compute"].sum().reindex(hours).fillna(0.0).to_numpy()
    cloud = np.where(heavy, np.maximum(cloud, _HEAVY_SHARE * compute), cloud)
    zero = np.zeros(len(hours))
    return pd.DataFrame(
        {"id": np.zeros(len(hours), dtype=np.int64), "hour": hours, "compute": zero}
        | {"cloud": cloud.round(9), "attributed": zero}
    )


# --- views -------------------------------------------------------------------------------------------------------


def warehouse_metering(names: Mapping[int, str], adaptive: set[int], hours: pd.DataFrame) -> Columns:
    start = hours["hour"].to_numpy() * HOUR_MS
    return {
        "START_TIME": moments(start),
        "END_TIME": moments(start + HOUR_MS),
        "WAREHOUSE_ID": hours["id"].to_numpy(),
        "WAREHOUSE_NAME": _names(names, hours["id"]),
        "CREDITS_USED": (hours["compute"] + hours["cloud"]).to_numpy(),
        "CREDITS_USED_COMPUTE": hours["compute"].to_numpy(),
        "CREDITS_USED_CLOUD_SERVICES": hours["cloud"].to_numpy(),
        "CREDITS_ATTRIBUTED_COMPUTE_QUERIES": np.ma.masked_array(
            hours["attributed"].to_numpy(), hours["id"].isin(adaptive).to_numpy()
        ),
    }


def _names(names: Mapping[int, str], ids: pd.Series[int]) -> list[str]:
    known = {**names, 0: _ONLY}
    return [known[identifier] for identifier in ids.tolist()]


def hourly_services(names: Mapping[int, str], hours: pd.DataFrame, services: pd.DataFrame) -> Columns:
    """METERING_HISTORY: every warehouse hour again, and the services that need no warehouse (beside/services.py)."""
    count = len(hours)
    known = {
        "entity_id": hours["id"].tolist(),
        "entity_type": ["WAREHOUSE"] * count,
        "name": _names(names, hours["id"]),
    }
    start = np.concatenate([hours["hour"].to_numpy(), _hour_numbers(services)]) * HOUR_MS
    compute = np.concatenate([hours["compute"].to_numpy(), services["credits_compute"].to_numpy(dtype=float)])
    cloud = np.concatenate([hours["cloud"].to_numpy(), services["credits_cloud_services"].to_numpy(dtype=float)])
    return {
        "SERVICE_TYPE": ["WAREHOUSE_METERING"] * count + services["service_type"].tolist(),
        "START_TIME": moments(start),
        "END_TIME": moments(start + HOUR_MS),
        "CREDITS_USED_COMPUTE": compute,
        "CREDITS_USED_CLOUD_SERVICES": cloud,
        "CREDITS_USED": compute + cloud,
    } | {
        column: _beside(
            services[name], known.get(name) or [None] * count, pa.int64() if name in _COUNTS else pa.string()
        )
        for column, name in _DETAILS.items()
    }


_COUNTS = frozenset({"entity_id", "database_id", "schema_id", "bytes", "rows", "files"})
_DETAILS = {
    "ENTITY_ID": "entity_id",
    "ENTITY_TYPE": "entity_type",
    "NAME": "name",
    "DATABASE_ID": "database_id",
    "DATABASE_NAME": "database_name",
    "SCHEMA_ID": "schema_id",
    "SCHEMA_NAME": "schema_name",
    "BYTES": "bytes",
    "ROWS": "rows",
    "FILES": "files",
}


def _beside(services: pd.Series[Any], warehouses: list[Any], kind: Any) -> Any:
    """The warehouses' values, then the services' own; NULL where something does not apply."""
    own = [None if pd.isna(value) else value for value in services.tolist()]
    if kind == pa.int64():
        own = [None if value is None else int(value) for value in own]
    return pa.array([*warehouses, *own], type=kind)


def _hour_numbers(services: pd.DataFrame) -> npt.NDArray[np.int64]:
    stamps = services["hour"].dt.tz_convert("UTC").dt.tz_localize(None)
    hours: npt.NDArray[np.int64] = stamps.to_numpy(dtype="datetime64[ms]").astype(np.int64) // HOUR_MS
    return hours


def daily(hours: pd.DataFrame, services: pd.DataFrame, seam: Seam, until: int) -> Columns:
    """METERING_DAILY_HISTORY: UTC days by service that are over; only warehouse usage knows the 10 % adjustment."""
    other = pd.DataFrame(
        {
            "hour": _hour_numbers(services),
            "kind": services["service_type"].to_numpy(),
            "compute": services["credits_compute"].to_numpy(dtype=float),
            "cloud": services["credits_cloud_services"].to_numpy(dtype=float),
        }
    )
    frame = pd.concat([hours.assign(kind="WAREHOUSE_METERING"), other])
    frame["day"] = frame["hour"] // 24
    sums = dict(seam.days)
    grouped = frame.groupby(["day", "kind"])[["compute", "cloud"]].sum().reset_index()
    for day, kind, part, other_part in grouped.itertuples(index=False):
        before = sums.get((int(day), str(kind)), (0.0, 0.0))
        sums[int(day), str(kind)] = (before[0] + float(part), before[1] + float(other_part))
    last = until // DAY_MS
    seam.days = {key: value for key, value in sums.items() if key[0] >= last}
    over = sorted(key for key in sums if key[0] < last)
    compute, cloud = (np.array([sums[key][place] for key in over]) for place in (0, 1))
    of_warehouses = np.array([kind == "WAREHOUSE_METERING" for _, kind in over], dtype=bool)
    bill = billed_days(pd.DataFrame({"warehouse": compute * of_warehouses, "cloud_services": cloud}))
    adjustment = np.where(of_warehouses, bill["adjustment"], 0.0)
    return {
        "SERVICE_TYPE": [kind for _, kind in over],
        "USAGE_DATE": np.array([day for day, _ in over], dtype=np.int64).astype("datetime64[D]"),
        "CREDITS_USED_COMPUTE": compute,
        "CREDITS_USED_CLOUD_SERVICES": cloud,
        "CREDITS_USED": compute + cloud,
        "CREDITS_ADJUSTMENT_CLOUD_SERVICES": adjustment,
        "CREDITS_BILLED": compute + cloud + adjustment,
    }


def attribution(ran: Ran, history: Columns, kept: npt.NDArray[np.int64]) -> Columns:
    """QUERY_ATTRIBUTION_HISTORY, from QUERY_HISTORY's columns; statements of 100 ms and less are absent."""
    credits = ran.started.floats("credits")[kept]
    took = (ran.started["end"] - ran.started["begin"])[kept]
    there = np.flatnonzero(ran.on_cluster[kept] & (took > 100) & (credits >= 1e-9))
    same = ("QUERY_ID", "WAREHOUSE_ID", "WAREHOUSE_NAME", "QUERY_HASH", "QUERY_PARAMETERIZED_HASH", "QUERY_TAG")
    columns: Columns = {name: history[name].take(there) for name in (*same, "USER_NAME", "START_TIME", "END_TIME")}
    # Sums that end in another order differ in their last bits: rounded first, so that a border shows nowhere.
    columns["CREDITS_ATTRIBUTED_COMPUTE"] = np.floor((credits[there] * 1e9).round(4)) / 1e9
    return columns
