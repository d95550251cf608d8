"""Which live properties make a plan done, still true or stale."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from tools.context import UsageReader
from tools.domain import (
    ActionPlan,
    BlastRadius,
    CancelQuery,
    Change,
    Effect,
    LiveQuery,
    Person,
    ResizeWarehouse,
    ResumeWarehouse,
    SetAutoSuspend,
    SetClusters,
    Size,
    SuspendWarehouse,
    Verdict,
    Warehouse,
)
from tools.errors import NoPermission
from tools.readback import Difference, compare, expected_after, snapshot
from tools.warehouse.statements import render

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
ETL = Warehouse(
    name="ETL",
    state="STARTED",
    type="STANDARD",
    size=Size.LARGE,
    min_clusters=1,
    max_clusters=2,
    auto_suspend=600,
    auto_resume=True,
    scaling_policy="STANDARD",
    created_on=NOW - timedelta(days=90),
)
QUERY = "01bcb05d-0415-b618-0047-1234567890ab"
RESIZE = ResizeWarehouse(size=Size.MEDIUM)


class Live:
    """Only what compare asks of a reader."""

    def __init__(self, *warehouses: Warehouse, running: tuple[str, ...] = (), monitors: bool = True) -> None:
        self._warehouses, self._running, self._monitors = warehouses, running, monitors

    def warehouses(self) -> tuple[Warehouse, ...]:
        return self._warehouses

    def live_query(self, query_id: str) -> LiveQuery | None:
        if query_id not in self._running:
            return None
        return LiveQuery(query_id=query_id, warehouse="ETL", user="U", status="RUNNING", started=NOW)

    def live_queries(self, warehouse: str | None = None) -> tuple[LiveQuery, ...]:
        if not self._monitors:
            raise NoPermission(f"Statements on warehouse {warehouse} are not visible to Frostline's role.")
        return ()


def changed(**values: Any) -> Warehouse:
    return ETL.model_copy(update=values)


def plan(change: Change, before: Warehouse = ETL) -> ActionPlan:
    return ActionPlan(
        id="p1",
        account="demo",
        action=change.action,
        warehouse=before.name,
        change=change,
        statement=render(change, before.name),
        undo=None,
        before=snapshot(before),
        target=expected_after(change, before),
        blast_radius=BlastRadius(running=0, queued=0),
        verdict=Verdict(allowed=True, rule="default", reason=""),
        expected=Effect(credits_30d_low=None, credits_30d_high=None, method="none"),
        requester=Person(id="os:a", name="a"),
        created_at=NOW,
        expires_at=NOW + timedelta(minutes=30),
    )


def verdict(change: Change, live: Warehouse, before: Warehouse = ETL) -> str:
    return compare(plan(change, before), cast(UsageReader, Live(live))).verdict


@pytest.mark.parametrize(
    ("change", "live", "expected"),
    [
        (RESIZE, changed(), "before"),
        (RESIZE, changed(size=Size.MEDIUM), "target"),
        (RESIZE, changed(size=Size.MEDIUM, state="SUSPENDED", auto_suspend=60), "target"),
        (RESIZE, changed(state="SUSPENDED"), "before"),
        (RESIZE, changed(auto_suspend=60, running=7, comment="x", owner="O"), "before"),
        (RESIZE, changed(size=Size.XLARGE), "other"),
        (RESIZE, changed(max_clusters=5), "other"),
        (RESIZE, changed(type="ADAPTIVE", size=None), "other"),
        (RESIZE, changed(generation="2"), "other"),
        (RESIZE, changed(created_on=NOW), "other"),
        (RESIZE, changed(size=Size.MEDIUM, created_on=NOW), "other"),
        (SuspendWarehouse(), changed(), "before"),
        (SuspendWarehouse(), changed(state="SUSPENDING"), "target"),
        (SuspendWarehouse(), changed(running=1), "other"),
        (SuspendWarehouse(), changed(size=Size.SMALL), "before"),
        (ResumeWarehouse(), changed(state="RESUMING"), "target"),
        (SetAutoSuspend(seconds=60), changed(), "before"),
        (SetAutoSuspend(seconds=60), changed(auto_suspend=60, size=Size.SMALL), "target"),
        (SetAutoSuspend(seconds=60), changed(size=Size.SMALL), "before"),
        (SetAutoSuspend(seconds=60), changed(auto_suspend=None), "other"),
        (SetAutoSuspend(seconds=0), changed(auto_suspend=None), "target"),
        (SetClusters(min_clusters=1, max_clusters=4), changed(max_clusters=4, scaling_policy="ECONOMY"), "target"),
        (SetClusters(min_clusters=1, max_clusters=4), changed(scaling_policy="ECONOMY"), "other"),
        (SetClusters(min_clusters=1, max_clusters=4, scaling_policy="ECONOMY"), changed(max_clusters=4), "other"),
    ],
)
def test_the_table(change: Change, live: Warehouse, expected: str) -> None:
    assert verdict(change, live) == expected


def test_statements_that_ended_since_do_not_stop_a_suspension() -> None:
    busy = changed(running=3)
    assert verdict(SuspendWarehouse(), changed(), before=busy) == "before"
    assert verdict(SuspendWarehouse(), changed(running=9), before=busy) == "before"


def test_a_resume_is_stale_when_the_warehouse_has_grown() -> None:
    down = changed(state="SUSPENDED")
    assert verdict(ResumeWarehouse(), down, before=down) == "before"
    assert verdict(ResumeWarehouse(), changed(state="SUSPENDED", size=Size.X4LARGE), before=down) == "other"


def test_differences_are_words_for_people() -> None:
    reader = cast(UsageReader, Live(changed(size=Size.XXLARGE)))
    assert compare(plan(RESIZE), reader).differences == (Difference("size", "Large", "2X-Large"),)
    never = cast(UsageReader, Live(changed(auto_suspend=None)))
    assert compare(plan(SetAutoSuspend(seconds=60)), never).differences == (
        Difference("auto-suspend", "600 s", "never"),
    )


def test_before_says_what_is_still_missing() -> None:
    found = compare(plan(RESIZE), cast(UsageReader, Live(ETL)))
    assert found.differences == (Difference("size", "Medium", "Large"),)


def test_a_warehouse_that_is_gone_is_other() -> None:
    found = compare(plan(RESIZE), cast(UsageReader, Live()))
    assert found.verdict == "other"
    assert "not visible" in found.differences[0].actual


@pytest.mark.parametrize(("running", "expected"), [((QUERY,), "before"), ((), "target")])
def test_a_cancellation_asks_for_the_statement(running: tuple[str, ...], expected: str) -> None:
    cancel = plan(CancelQuery(query_id=QUERY))
    assert compare(cancel, cast(UsageReader, Live(ETL, running=running))).verdict == expected


def test_a_statement_that_may_only_be_hidden_is_not_taken_for_cancelled() -> None:
    """Without MONITOR nothing is shown, whatever runs."""
    seen = compare(plan(CancelQuery(query_id=QUERY)), cast(UsageReader, Live(ETL, monitors=False)))
    assert seen.verdict == "other"
    assert seen.differences[0].actual == "hidden: MONITOR is missing"


def test_target_is_the_snapshot_with_what_the_change_sets() -> None:
    assert expected_after(RESIZE, ETL) == snapshot(ETL) | {"size": "MEDIUM"}
    assert expected_after(SetAutoSuspend(seconds=0), ETL)["auto_suspend"] is None
