"""A small honest account for tests: its warehouses stand in a file and really change by the statements run.

Several processes may share one. Every executed statement is appended to `log`, so that a test can count them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from tools.context import Coverage, Rows, UsageQuery, WriteReceipt
from tools.domain import (
    Account,
    CancelQuery,
    LiveQuery,
    ResizeWarehouse,
    ResumeWarehouse,
    SetAutoSuspend,
    SetClusters,
    Size,
    SuspendWarehouse,
    Warehouse,
)
from tools.errors import NoPermission, StatementFailed
from tools.warehouse.statements import parse
from tools.warehouse.views import VIEWS

ACCOUNT_NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def warehouse(name: str = "ETL", **changes: Any) -> Warehouse:
    values: dict[str, Any] = {
        "name": name,
        "state": "STARTED",
        "type": "STANDARD",
        "size": Size.MEDIUM,
        "min_clusters": 1,
        "max_clusters": 2,
        "started_clusters": 1,
        "auto_suspend": 600,
        "auto_resume": True,
        "scaling_policy": "STANDARD",
        "owner": "OPS",
        "created_on": datetime(2025, 1, 1, tzinfo=UTC),
    }
    return Warehouse(**(values | changes))


class FakeAccount:
    def __init__(self, folder: Path) -> None:
        self.file, self.log_file = folder / "warehouses.json", folder / "statements.log"

    def set(self, *warehouses: Warehouse) -> None:
        self._write({w.name: w for w in warehouses})

    def warehouses(self) -> dict[str, Warehouse]:
        return {w["name"]: Warehouse.model_validate(w) for w in json.loads(self.file.read_text())}

    def change(self, name: str, **update: Any) -> None:
        """Somebody else changes a warehouse behind Frostline's back."""
        found = self.warehouses()
        self._write(found | {name: found[name].model_copy(update=update)})

    @property
    def log(self) -> list[str]:
        return self.log_file.read_text().splitlines() if self.log_file.exists() else []

    def run(self, statement: str) -> None:
        change, name = parse(statement)
        with self.log_file.open("a") as log:
            log.write(statement + "\n")
        if isinstance(change, CancelQuery):
            return
        assert name is not None
        match change:
            case ResizeWarehouse():
                self.change(name, size=change.size)
            case SuspendWarehouse():
                if self.warehouses()[name].state == "SUSPENDED":
                    raise StatementFailed("Invalid state. Warehouse cannot be suspended.", errno=90064)
                self.change(name, state="SUSPENDED", started_clusters=0)
            case ResumeWarehouse():
                self.change(name, state="STARTED", started_clusters=1)
            case SetAutoSuspend():
                self.change(name, auto_suspend=change.seconds or None)
            case SetClusters():
                self.change(name, **change.model_dump(exclude={"action"}, exclude_none=True))

    def _write(self, found: Mapping[str, Warehouse]) -> None:
        other = self.file.with_suffix(f".{os.getpid()}")
        other.write_text(json.dumps([w.model_dump(mode="json") for w in found.values()]))
        other.replace(self.file)


class FakeReader:
    """Implements tools.context.UsageReader over a FakeAccount."""

    def __init__(self, account: FakeAccount, *, edition: str = "ENTERPRISE") -> None:
        self._account, self._edition = account, edition
        self.live: dict[str, LiveQuery] = {}
        self.metering: dict[str, tuple[float, float | None]] = {}
        """Compute and attributed credits of the last 30 days by warehouse."""
        self.first: datetime | None = ACCOUNT_NOW - timedelta(days=90)
        self.hidden: tuple[str, ...] = ()
        self.due: dict[str, int] = {}
        """Tasks that begin soon, by warehouse; those of others are not visible."""
        self.fail: Exception | None = None

    def account(self) -> Account:
        return Account(name="ACME", origin="live", timezone="UTC", edition=self._edition, credit_price=3.0)

    def now(self) -> datetime:
        return ACCOUNT_NOW

    def warehouses(self) -> tuple[Warehouse, ...]:
        if self.fail:
            raise self.fail
        return tuple(self._account.warehouses().values())

    def known_warehouses(self) -> tuple[str, ...]:
        return (*self._account.warehouses(), *self.hidden)

    def coverage(self, view: str) -> Coverage:
        late = VIEWS[view].latency
        until = ACCOUNT_NOW - late
        return Coverage(view, ACCOUNT_NOW, late, self.first, until, until, until)

    def usage(self, query: UsageQuery) -> Rows:
        name = query.filters["warehouse"][0]
        if query.source == "queries":
            return Rows(pd.DataFrame({"key": ["ADA", "BOB"], "queries": [3, 4]}), "q-users")
        if name not in self.metering:
            return Rows(pd.DataFrame({"key": [], "credits_compute": [], "credits_attributed": []}), "q-metering")
        compute, attributed = self.metering[name]
        row = {"key": ["total"], "credits_compute": [compute], "credits_attributed": [attributed]}
        return Rows(pd.DataFrame(row), "q-metering")

    def names(self, column: str, start: datetime, end: datetime, limit: int = 500) -> tuple[str, ...]:
        return ()

    def sql(self, name: str, params: Mapping[str, Any]) -> Rows:
        raise AssertionError("not needed here")

    def live_queries(self, warehouse: str | None = None) -> tuple[LiveQuery, ...]:
        return tuple(q for q in self.live.values() if warehouse in (None, q.warehouse))

    def live_query(self, query_id: str) -> LiveQuery | None:
        return self.live.get(query_id)

    def tasks_due(self, warehouse: str, within: timedelta) -> int:
        if warehouse not in self.due:
            raise NoPermission("Tasks are not visible to Frostline's role.")
        return self.due[warehouse]

    def close(self) -> None:
        pass


class FakeWriter:
    """Implements tools.context.WarehouseWriter; `around` stands for the network: it may fail before or after."""

    def __init__(self, account: FakeAccount, around: Callable[[Callable[[], None]], None] | None = None) -> None:
        self._account, self._around = account, around
        self.closed = False

    def execute(self, statement: str) -> WriteReceipt:
        def run() -> None:
            self._account.run(statement)

        if self._around:
            self._around(run)
        else:
            run()
        return WriteReceipt("01b2c3d4-0000-1111-0000-000012345678", "Statement executed successfully.")

    def close(self) -> None:
        self.closed = True
