"""A small account in memory: a UsageReader over pandas frames, with plain, slow, obvious arithmetic.

Rows that are not due under their view's latency are hidden, as on a real account.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd

from tools.context import Coverage, FilterColumn, Rows, UsageQuery
from tools.coverage import coverage_of
from tools.domain import Account, LiveQuery, Person, Size, Verdict, Warehouse
from tools.errors import NoPermission
from tools.warehouse.views import ALL_VIEWS, VIEWS

SOURCES = {
    "metering": "WAREHOUSE_METERING_HISTORY",
    "services": "METERING_HISTORY",
    "billed": "METERING_DAILY_HISTORY",
    "queries": "QUERY_HISTORY",
    "attribution": "QUERY_ATTRIBUTION_HISTORY",
}
KEYS = {
    "warehouse": "warehouse",
    "user": "user",
    "role": "role",
    "database": "database",
    "query_tag": "query_tag",
    "query_type": "query_type",
    "service_type": "service_type",
}
ADDED = {
    "metering": ["credits_used", "credits_compute", "credits_cloud_services", "credits_attributed"],
    "services": ["credits_used", "credits_compute", "credits_cloud_services"],
    "billed": ["credits_used", "credits_compute", "credits_cloud_services", "credits_adjustment", "credits_billed"],
    "queries": [
        *("queries", "failures", "bytes_scanned", "bytes_written", "bytes_spilled_local", "bytes_spilled_remote"),
        *("queued_overload_s", "queued_provisioning_s", "queued_repair_s", "execution_s", "elapsed_s"),
        "credits_cloud_services",
    ],
    "attribution": ["credits_attributed", "queries"],
}

_OWN = {
    "own_statements": ("queries", ["tag", "statements", "credits_cloud_services"]),
    "series_sizes": ("queries", ["key", "slot", "size_above", "size_below"]),
    "series_longest": ("queries", ["key", "slot", "longest"]),
    "series_pace": ("queries", ["key", "slot", "pace"]),
    "own_compute": ("attribution", ["tag", "warehouse", "credits_compute"]),
}


@dataclass
class FrameReader:
    """`frames` by source; rows have `start`, `end` (aware UTC), keys and the columns of `ADDED`."""

    frames: dict[str, pd.DataFrame]
    now_at: datetime
    timezone: str = "UTC"
    shown: tuple[Warehouse, ...] = ()
    forbidden: frozenset[str] = frozenset()
    asked: list[UsageQuery] = field(default_factory=list)

    def account(self) -> Account:
        return Account(name="TESTACCT", origin="demo", timezone=self.timezone, edition="ENTERPRISE", credit_price=3.0)

    def now(self) -> datetime:
        return self.now_at

    def warehouses(self) -> tuple[Warehouse, ...]:
        return self.shown

    def known_warehouses(self) -> tuple[str, ...]:
        return tuple(sorted({*self.frames["metering"]["warehouse"], *self.frames["queries"]["warehouse"].dropna()}))

    def _visible(self, source: str) -> pd.DataFrame:
        if source in self.forbidden:
            raise NoPermission(
                f"{SOURCES[source]} may not be read.",
                hint="GRANT DATABASE ROLE SNOWFLAKE.USAGE_VIEWER TO ROLE <reader role>;",
            )
        frame = self.frames[source]
        due = pd.Timestamp(self.now_at - VIEWS[SOURCES[source]].latency)
        return frame[frame["end"] <= due]

    def coverage(self, view: str) -> Coverage:
        source = next((s for s, name in SOURCES.items() if name == view), None)
        if source is None:  # a view that this account keeps empty
            latency = ALL_VIEWS[view].latency
            return coverage_of(view, now=self.now_at, latency=latency, first=None, newest_end=None)
        rows = self._visible(source)
        return coverage_of(
            view,
            now=self.now_at,
            latency=VIEWS[view].latency,
            first=rows["start"].min().to_pydatetime() if len(rows) else None,
            newest_end=rows["end"].max().to_pydatetime() if len(rows) else None,
        )

    def usage(self, query: UsageQuery) -> Rows:
        self.asked.append(query)
        rows = self._visible(query.source)
        rows = rows[(rows["start"] >= query.start) & (rows["start"] < query.end)]
        for column, wanted in query.filters.items():
            rows = rows[rows[KEYS[column]].fillna("").isin(wanted)]
        if query.source == "metering" and "warehouse" in (query.by, *query.filters):
            rows = rows[rows["warehouse"] != "CLOUD_SERVICES_ONLY"]
        frame = self._grouped(rows, query)
        if query.order_by:
            frame = frame.sort_values([query.order_by, "key"], ascending=[False, True], na_position="last")
        return Rows(frame.head(query.limit) if query.limit else frame, f"query-{len(self.asked)}")

    def _grouped(self, rows: pd.DataFrame, query: UsageQuery) -> pd.DataFrame:
        rows = rows.assign(key="total" if query.by == "total" else rows[KEYS[query.by]])
        by = ["key"]
        if query.slot_minutes:
            by.append("slot")
            rows = rows.assign(slot=rows["start"].dt.floor(f"{query.slot_minutes}min"))
        columns = ADDED[query.source]
        grouped = rows.groupby(by, dropna=False)
        frame = grouped[columns].sum(min_count=1).astype(object)
        frame = frame.where(frame.notna(), None)
        if query.source == "metering":
            frame["warehouse_ids"] = grouped["warehouse_id"].nunique()
        frame = frame.reset_index().astype(object)
        frame["key"] = frame["key"].where(frame["key"].notna(), None)
        if query.slot_minutes:
            frame["slot"] = pd.Series([slot.to_pydatetime() for slot in frame["slot"]], dtype=object)
        return frame[[*by, *columns, *(["warehouse_ids"] if query.source == "metering" else [])]]

    def names(self, column: FilterColumn, start: datetime, end: datetime, limit: int = 500) -> tuple[str, ...]:
        if column == "warehouse":
            return self.known_warehouses()[:limit]
        rows = self._visible("services" if column == "service_type" else "queries")
        rows = rows[(rows["start"] >= start) & (rows["start"] < end)]
        return tuple(rows[KEYS[column]].dropna().value_counts().index[:limit])

    def sql(self, name: str, params: Mapping[str, Any]) -> Rows:
        if name in _OWN:
            source, columns = _OWN[name]
            self._visible(source)
            return Rows(pd.DataFrame(columns=columns), "query-own")  # no statement here has our tag or a size
        raise NotImplementedError(name)

    def live_queries(self, warehouse: str | None = None) -> tuple[LiveQuery, ...]:
        return ()

    def live_query(self, query_id: str) -> LiveQuery | None:
        return None

    def tasks_due(self, warehouse: str, within: timedelta) -> int:
        raise NoPermission("Tasks are not visible to Frostline's role.")

    def close(self) -> None:
        return None


@dataclass
class Roles:
    """A PolicyView that reads the person's roles."""

    def verdict(self, **facts: Any) -> Verdict:
        return Verdict(allowed=True, rule="default", reason="allowed")

    def may_see_text(self, person: Person) -> bool:
        return bool(person.roles & {"analyst", "proposer", "approver", "admin"})

    def may_propose(self, person: Person) -> bool:
        return bool(person.roles & {"proposer", "approver", "admin"})


class WallClock:
    def now(self) -> datetime:
        return datetime(2026, 11, 23, 0, 0, tzinfo=UTC)


WAREHOUSES = (
    Warehouse(
        name="ETL_WH", state="STARTED", type="STANDARD", size=Size.LARGE, min_clusters=1, max_clusters=1,
        started_clusters=1, running=2, queued=1, auto_suspend=600, auto_resume=True, scaling_policy="STANDARD",
        resource_monitor="MONTHLY",
    ),
    Warehouse(
        name="BI_WH", state="STARTED", type="STANDARD", size=Size.SMALL, min_clusters=2, max_clusters=3,
        started_clusters=2, auto_suspend=None, auto_resume=True, scaling_policy="STANDARD",
    ),
    Warehouse(
        name="BI_DEV_WH", state="SUSPENDED", type="STANDARD", size=Size.XSMALL, min_clusters=1, max_clusters=1,
        started_clusters=0, auto_suspend=45, auto_resume=True, resource_monitor="MONTHLY",
    ),
    Warehouse(name="FLEX_WH", state="ENABLED", type="ADAPTIVE", size=None, resource_monitor="MONTHLY"),
    Warehouse(
        name="data science", state="SUSPENDED", type="STANDARD", size=Size.X4LARGE, min_clusters=1, max_clusters=1,
        auto_suspend=60, resource_monitor="MONTHLY",
    ),
)  # fmt: skip
"""FINANCE_WH has usage, and is not shown."""

NOW = datetime(2026, 11, 23, 18, 20, tzinfo=UTC)


def account(timezone: str = "UTC", days: int = 40, now: datetime = NOW, **more: Any) -> FrameReader:
    """Hourly credits that can be summed in the head: ETL_WH 2, BI_WH 1, FINANCE_WH 0.5, FLEX_WH 0.25 an hour."""
    first = (now - timedelta(days=days)).replace(hour=0, minute=0, second=0, microsecond=0)
    hours = pd.date_range(first, now, freq="h", inclusive="left")
    rates = {"ETL_WH": 2.0, "BI_WH": 1.0, "FINANCE_WH": 0.5, "FLEX_WH": 0.25, "CLOUD_SERVICES_ONLY": 0.0}
    metering = pd.concat([_metering(hours, name, rate, i) for i, (name, rate) in enumerate(rates.items())])
    frames = {
        "metering": metering,
        "services": _services(metering, hours),
        "queries": _queries(hours),
        "attribution": _attribution(hours),
    }
    frames["billed"] = _billed(frames["services"])
    return FrameReader(frames, now, timezone, WAREHOUSES, **more)


def _metering(hours: pd.DatetimeIndex, name: str, rate: float, number: int) -> pd.DataFrame:
    cloud = 0.1 if name == "CLOUD_SERVICES_ONLY" else 0.05
    return pd.DataFrame(
        {
            "start": hours,
            "end": hours + timedelta(hours=1),
            "warehouse": name,
            "warehouse_id": number,
            "credits_compute": rate,
            "credits_cloud_services": cloud,
            "credits_used": rate + cloud,
            "credits_attributed": None if name == "FLEX_WH" else rate * 0.4,
        }
    ).astype({"credits_attributed": float})


def _services(metering: pd.DataFrame, hours: pd.DatetimeIndex) -> pd.DataFrame:
    columns = ["credits_used", "credits_compute", "credits_cloud_services"]
    warehouses = (
        metering.groupby(["start", "end"], as_index=False)[columns].sum().assign(service_type="WAREHOUSE_METERING")
    )
    pipe = pd.DataFrame(
        {
            "start": hours,
            "end": hours + timedelta(hours=1),
            "service_type": "PIPE",
            "credits_compute": 0.2,
            "credits_cloud_services": 0.0,
            "credits_used": 0.2,
        }
    )
    return pd.concat([warehouses, pipe])


def _billed(services: pd.DataFrame) -> pd.DataFrame:
    columns = ["credits_used", "credits_compute", "credits_cloud_services"]
    days = services.assign(day=services["start"].dt.floor("D"))
    table = days.groupby(["day", "service_type"], as_index=False)[columns].sum()
    free = -table[["credits_cloud_services"]].assign(cap=0.1 * table["credits_compute"]).min(axis=1)
    table["credits_adjustment"] = free
    table["credits_billed"] = table["credits_used"] + free
    return table.assign(start=table["day"], end=table["day"] + timedelta(days=1))


PEOPLE = ("ALICE", "BOB", "SVC_LOADER")


def _queries(hours: pd.DatetimeIndex) -> pd.DataFrame:
    """Each hour: ALICE asks ETL_WH once, BOB asks BI_WH twice, SVC_LOADER fails once on ETL_WH."""
    rows = []
    for user, warehouse, count, failed in (
        ("ALICE", "ETL_WH", 1, 0),
        ("BOB", "BI_WH", 2, 0),
        ("SVC_LOADER", "ETL_WH", 1, 1),
    ):
        rows.append(
            pd.DataFrame(
                {
                    "start": hours,
                    "end": hours + timedelta(minutes=10),
                    "warehouse": warehouse,
                    "user": user,
                    "role": "ANALYST" if user != "SVC_LOADER" else "LOADER",
                    "database": "SALES",
                    "query_tag": "nightly" if user == "SVC_LOADER" else None,
                    "query_type": "SELECT" if user != "SVC_LOADER" else "COPY",
                    "queries": count,
                    "failures": failed,
                    "bytes_scanned": 1e9 * count,
                    "bytes_written": 1e6,
                    "bytes_spilled_local": 2e6,
                    "bytes_spilled_remote": 1e6,
                    "queued_overload_s": 3.0,
                    "queued_provisioning_s": 1.0,
                    "queued_repair_s": 0.0,
                    "execution_s": 30.0 * count,
                    "elapsed_s": 40.0 * count,
                    "credits_cloud_services": 0.001,
                }
            )
        )
    return pd.concat(rows)


def _attribution(hours: pd.DatetimeIndex) -> pd.DataFrame:
    rows = []
    for user, warehouse, credits in (("ALICE", "ETL_WH", 0.6), ("SVC_LOADER", "ETL_WH", 0.2), ("BOB", "BI_WH", 0.4)):
        rows.append(
            pd.DataFrame(
                {
                    "start": hours,
                    "end": hours + timedelta(minutes=10),
                    "warehouse": warehouse,
                    "user": user,
                    "role": "LOADER" if user == "SVC_LOADER" else "ANALYST",
                    "database": "SALES",
                    "query_tag": "nightly" if user == "SVC_LOADER" else None,
                    "query_type": "COPY" if user == "SVC_LOADER" else "SELECT",
                    "credits_attributed": credits,
                    "queries": 1,
                }
            )
        )
    return pd.concat(rows)


def person(*roles: str, name: str = "tester") -> Person:
    return Person(id=f"demo:{name}", name=name, roles=frozenset(roles or ("analyst",)))  # type: ignore[arg-type]
