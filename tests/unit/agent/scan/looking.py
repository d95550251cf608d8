"""A scan over the small account in memory, whose frames and live state a test changes."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pandas as pd

from agent.scan import ScanContext, ScanReport, ScanRules, scan_once
from agent.store import Store
from tests.doubles.account import ADDED, KEYS, NOW, SOURCES, FrameReader, account
from tests.unit.agent.plans import HandClock
from tools.context import Coverage, Rows, UsageQuery
from tools.domain import LiveQuery, Size, Warehouse
from tools.errors import NoPermission
from tools.finding import FindingRecord

HOUR = timedelta(hours=1)


@dataclass
class LiveReader(FrameReader):
    """With statements that run now, and the sizes that statements ran on."""

    live: tuple[LiveQuery, ...] = ()
    sizes: list[dict[str, Any]] = field(default_factory=list)
    hidden: bool = False

    def live_queries(self, warehouse: str | None = None) -> tuple[LiveQuery, ...]:
        if self.hidden:
            raise NoPermission("Statements are not visible to Frostline's role.", hint="GRANT MONITOR ...")
        return self.live

    def coverage(self, view: str) -> Coverage:
        if view not in SOURCES.values():
            raise NoPermission(f"{view} may not be read.")
        return super().coverage(view)

    def sql(self, name: str, params: Mapping[str, Any]) -> Rows:
        if name in ("series_sizes", "series_pace", "series_longest"):
            return super().sql(name, params)
        assert name == "scan_sizes"
        columns = ["name", "size", "day", "queries", "first_at", "last_at"]
        return Rows(pd.DataFrame(self.sizes, columns=columns), "q-sizes")

    def _grouped(self, rows: pd.DataFrame, query: UsageQuery) -> pd.DataFrame:
        """As the small account's own, for thousands of hours at once."""
        rows = rows.assign(key="total" if query.by == "total" else rows[KEYS[query.by]])
        by = ["key"]
        if query.slot_minutes:
            by.append("slot")
            rows = rows.assign(slot=rows["start"].dt.floor(f"{query.slot_minutes}min"))
        sums = rows.groupby(by, dropna=False)[ADDED[query.source]].sum(min_count=1).reset_index()
        return sums.astype(object).where(sums.notna(), None)

    def at(self, now: datetime) -> LiveReader:
        self.now_at = now
        return self

    def show(self, name: str, **changes: Any) -> None:
        """SHOW WAREHOUSES says something else of this one."""
        self.shown = tuple(w.model_copy(update=changes) if w.name == name else w for w in self.shown)


def reader(**more: Any) -> LiveReader:
    """The account of 40 quiet days: flat credits with a little noise, so that nothing stands out by itself."""
    made = account(now=NOW)
    shown = tuple(_quiet(w) for w in made.shown)
    return LiveReader(made.frames, NOW, "UTC", shown, **more)


def _quiet(warehouse: Warehouse) -> Warehouse:
    quiet = {"running": 0, "queued": 0, "auto_suspend": warehouse.auto_suspend or 300}
    return warehouse.model_copy(update=quiet | ({} if warehouse.is_adaptive else {"state": "SUSPENDED"}))


def raise_credits(made: FrameReader, name: str, start: datetime, end: datetime, times: float) -> None:
    frame = made.frames["metering"]
    rows = (frame["warehouse"] == name) & (frame["start"] >= start) & (frame["start"] < end)
    assert rows.any()
    for column in ("credits_used", "credits_compute"):
        frame.loc[rows, column] *= times


@dataclass
class Scanner:
    store: Store
    reader: LiveReader
    clock: HandClock = field(default_factory=HandClock)
    rules: ScanRules = field(default_factory=lambda: ScanRules(history=timedelta(days=40)))
    numbers: Any = field(default_factory=lambda: itertools.count(1))

    def context(self) -> ScanContext:
        return ScanContext(
            reader=self.reader,
            findings=self.store.findings,
            leases=self.store.leases,
            clock=self.clock,
            new_id=lambda: f"finding-{next(self.numbers):03}",
            holder=f"scan-{next(self.numbers)}",
            rules=self.rules,
        )

    def scan(self, now: datetime | None = None) -> ScanReport:
        if now is not None:
            self.reader.at(now)
        return scan_once(self.context())

    def found(self, *kinds: str) -> list[FindingRecord]:
        """What is open and of these kinds after another scan."""
        report = self.scan()
        return [r for r in report.findings if r.finding.kind in kinds and not r.is_over]


def running(query_id: str, warehouse: str, hours: float, status: str = "RUNNING") -> LiveQuery:
    started = NOW - timedelta(hours=hours)
    return LiveQuery(query_id=query_id, warehouse=warehouse, user="ALICE", status=status, started=started)


def size_days(name: str, *runs: tuple[int, int, Size]) -> list[dict[str, Any]]:
    """`(first, last, size)`: days before NOW, from and to (0: today), on which statements ran on this size."""
    rows = []
    for first, last, size in runs:
        for back in range(first, last - 1, -1):
            day = (NOW - timedelta(days=back)).replace(hour=6, minute=0, second=0, microsecond=0)
            until = min(day + 10 * HOUR, NOW)
            rows.append(
                {"name": name, "size": size.shown, "day": day.date(), "queries": 9, "first_at": day, "last_at": until}
            )
    return rows
