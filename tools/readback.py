"""Compare the live warehouse with a plan: for guard (drift), read_back and recovery. Reads only.

| action           | done when ("target")                       | drift: must still be as approved                     |
|------------------|--------------------------------------------|------------------------------------------------------|
| resize_warehouse | size                                       | type, size, generation, resource constraint, clusters|
| suspend_idle     | state is down                              | type, state, and idle if it was idle                 |
| resume_warehouse | state is up                                | type, state, size, clusters                          |
| set_auto_suspend | auto_suspend                               | type, auto_suspend                                   |
| set_clusters     | min, max, and the policy if one is set     | type, size, min, max, policy                         |
| cancel_query     | the statement no longer runs, and would be | (the statement runs)                                 |
|                  | seen if it did; hidden statements: `other` |                                                      |

Every action also wants the very same warehouse: one dropped and made anew under its name is another one.
"Up" is STARTED, RESUMING or RESIZING and "down" is SUSPENDED or SUSPENDING: what auto-suspend and auto-resume
do by themselves makes no plan stale except those that are about it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from tools.context import UsageReader
from tools.domain import (
    ActionName,
    ActionPlan,
    CancelQuery,
    Change,
    ResizeWarehouse,
    ResumeWarehouse,
    SetAutoSuspend,
    SetClusters,
    Size,
    SuspendWarehouse,
    Warehouse,
)
from tools.errors import NoPermission

__all__ = ["Comparison", "Difference", "Properties", "changed_since", "compare", "expected_after", "snapshot"]

Properties = dict[str, str | int | bool | None]
Value = str | int | bool | None


class Difference(NamedTuple):
    """One property in words for people: what the plan says, what is there now."""

    property: str
    expected: str
    actual: str


@dataclass(frozen=True)
class Comparison:
    """`target`: it is as it should be when done. `before`: as it was when approved. `other`: neither.

    `differences` are against the target where the verdict is `before`, against what was approved where it is
    `other`, and empty where it is `target`.
    """

    verdict: Literal["target", "before", "other"]
    differences: tuple[Difference, ...] = ()


_CLUSTERS = ("min_clusters", "max_clusters")
_DRIFT: dict[ActionName, tuple[str, ...]] = {
    "resize_warehouse": ("created_on", "type", "size", "generation", "resource_constraint", *_CLUSTERS),
    "suspend_idle": ("created_on", "type", "state", "busy"),
    "resume_warehouse": ("created_on", "type", "state", "size", *_CLUSTERS),
    "set_auto_suspend": ("created_on", "type", "auto_suspend"),
    "set_clusters": ("created_on", "type", "size", *_CLUSTERS, "scaling_policy"),
    "cancel_query": ("query_running",),
}
_WORDS = {
    "created_on": "creation time",
    "min_clusters": "least clusters",
    "max_clusters": "most clusters",
    "auto_suspend": "auto-suspend",
    "scaling_policy": "scaling policy",
    "resource_constraint": "resource constraint",
    "busy": "running or queued statements",
    "query_running": "statement running",
}
_UP = frozenset({"STARTED", "RESUMING", "RESIZING"})
_DOWN = frozenset({"SUSPENDED", "SUSPENDING"})


def snapshot(warehouse: Warehouse) -> Properties:
    """What a plan freezes as `before`. Sizes are DDL spellings, auto_suspend seconds (None: never), and
    `busy` whether statements run or wait.
    """
    return {
        "name": warehouse.name,
        "state": warehouse.state,
        "type": warehouse.type,
        "size": warehouse.size.value if warehouse.size is not None else None,
        "min_clusters": warehouse.min_clusters,
        "max_clusters": warehouse.max_clusters,
        "scaling_policy": warehouse.scaling_policy,
        "auto_suspend": warehouse.auto_suspend,
        "auto_resume": warehouse.auto_resume,
        "generation": warehouse.generation,
        "resource_constraint": warehouse.resource_constraint,
        "resource_monitor": warehouse.resource_monitor,
        "busy": warehouse.running + warehouse.queued > 0,
        "created_on": warehouse.created_on.isoformat() if warehouse.created_on is not None else None,
    }


def expected_after(change: Change, warehouse: Warehouse) -> Properties:
    """The snapshot as it should read when `change` is done: what a plan freezes as `target`.

    A cancellation adds `query_running`; its `before` is the snapshot with `query_running` True.
    """
    return snapshot(warehouse) | _touched(change)


def _touched(change: Change) -> Properties:
    """The properties this change sets, with their new values: they alone decide `target`."""
    match change:
        case ResizeWarehouse():
            return {"size": change.size.value}
        case SuspendWarehouse():
            return {"state": "SUSPENDED"}
        case ResumeWarehouse():
            return {"state": "STARTED"}
        case SetAutoSuspend():
            return {"auto_suspend": change.seconds or None}
        case SetClusters():
            counts: Properties = {"min_clusters": change.min_clusters, "max_clusters": change.max_clusters}
            return counts | ({"scaling_policy": change.scaling_policy} if change.scaling_policy else {})
        case CancelQuery():
            return {"query_running": False}


def compare(plan: ActionPlan, reader: UsageReader) -> Comparison:
    """Judge the live account against `plan` by the table above.

    Raises:
        Unreachable, NoPermission, StatementFailed: the account could not be read; nothing is known.
    """
    if isinstance(plan.change, CancelQuery):
        running = reader.live_query(plan.change.query_id) is not None
        if not running and not _sees_statements(plan.warehouse, reader):
            return Comparison("other", (Difference("its statements", "visible", "hidden: MONITOR is missing"),))
        live: Properties = {"query_running": running}
        before: Properties = {"query_running": True}
    else:
        found = next((w for w in reader.warehouses() if w.name == plan.warehouse), None)
        if found is None:
            return Comparison("other", (Difference("warehouse", plan.warehouse, "not there, or not visible"),))
        live, before = snapshot(found), plan.before
    return _judge(plan, live, before)


def _sees_statements(warehouse: str, reader: UsageReader) -> bool:
    """Without MONITOR nothing is shown instead of a no; asked about one warehouse the reader tells the two apart."""
    try:
        reader.live_queries(warehouse)
    except NoPermission:
        return False
    return True


def changed_since(plan: ActionPlan, reader: UsageReader) -> str:
    """What has changed since `plan` was applied, in words; empty while all is as it left it or as before it.

    Raises:
        Unreachable, NoPermission, StatementFailed: the account could not be read; nothing is known.
    """
    seen = compare(plan, reader)
    if seen.verdict != "other":
        return ""
    found = next((w for w in reader.warehouses() if w.name == plan.warehouse), None)
    touched = _touched(plan.change)
    left = _differences(tuple(touched), touched, snapshot(found)) if found is not None else ()
    return "; ".join(f"{d.property} was {d.expected}, is {d.actual}" for d in left or seen.differences)


def _judge(plan: ActionPlan, live: Properties, before: Properties) -> Comparison:
    same_warehouse = not _differences(("created_on",), before, live)
    missing = _differences(tuple(_touched(plan.change)), _touched(plan.change), live)
    if same_warehouse and not missing:
        return Comparison("target")
    drift = _differences(_DRIFT[plan.action], before, live)
    return Comparison("other", drift) if drift else Comparison("before", missing)


def _differences(names: tuple[str, ...], expected: Properties, live: Properties) -> tuple[Difference, ...]:
    return tuple(
        Difference(_WORDS.get(name, name), _words(name, expected[name]), _words(name, live.get(name)))
        for name in names
        if name in expected and not _same(name, expected[name], live.get(name))
    )


def _same(name: str, expected: Value, actual: Value) -> bool:
    match name:
        case "state":
            return _phase(expected) == _phase(actual)
        case "busy":
            return not actual or bool(expected)  # statements that ended since are no reason to stop
        case "auto_suspend":
            return (expected or None) == (actual or None)
        case _:
            return expected == actual


def _phase(state: Value) -> str:
    text = str(state).upper()
    return "up" if text in _UP else "down" if text in _DOWN else text


def _words(name: str, value: Value) -> str:
    if name == "auto_suspend":
        return f"{value} s" if value else "never"
    if name == "size" and isinstance(value, str):
        return Size(value).shown
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else str(value)
