"""A plan in words and facts for people."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tools.domain import (
    ActionPlan,
    CancelQuery,
    ResizeWarehouse,
    ResumeWarehouse,
    SetAutoSuspend,
    SetClusters,
    Size,
    SuspendWarehouse,
)
from tools.result import Fact

__all__ = ["describe", "plan_facts"]


def describe(plan: ActionPlan) -> str:
    """One change in words: what from, what to."""
    before, after = plan.before, plan.target
    match plan.change:
        case ResizeWarehouse():
            return f"Resize {plan.warehouse} from {_shown(before['size'])} to {_shown(after['size'])}."
        case SuspendWarehouse():
            return f"Suspend {plan.warehouse}."
        case ResumeWarehouse():
            return f"Resume {plan.warehouse}."
        case SetAutoSuspend():
            now, new = (f"{v} s" if v else "never" for v in (before["auto_suspend"], after["auto_suspend"]))
            return f"Set auto-suspend of {plan.warehouse} from {now} to {new}."
        case SetClusters():
            span = (
                f"{p['min_clusters']}-{p['max_clusters']} {p['scaling_policy'] or ''}".strip() for p in (before, after)
            )
            return f"Set clusters of {plan.warehouse} from {' to '.join(span)}."
        case CancelQuery():
            return f"Cancel query {plan.change.query_id} on {plan.warehouse}."


def plan_facts(plan: ActionPlan, number: int | None, as_of: datetime) -> list[Fact]:
    """Ids are `size_before`, `expected_low`, ...; in a bundle `size_before_1`, ... by position from 1."""
    suffix = "" if number is None else f"_{number + 1}"

    def fact(name: str, label: str, value: Any, unit: Any, source: str = "SHOW WAREHOUSES") -> Fact:
        return Fact(
            id=name + suffix, label=label, value=value, unit=unit, entity=plan.warehouse, source=source, as_of=as_of
        )

    blast, expected, metering = plan.blast_radius, plan.expected, "WAREHOUSE_METERING_HISTORY"
    tasks_from = "not known" if blast.tasks_due_15m is None else "TASK_HISTORY, SHOW TASKS"
    found = [fact(f"{n}_before", f"{w} now", plan.before[n], u) for n, w, u in _shown_properties(plan)]
    found += [fact(f"{n}_after", f"{w} after", plan.target[n], u, "plan") for n, w, u in _shown_properties(plan)]
    found += [
        fact("running", "statements running", blast.running, "count"),
        fact("queued", "statements queued", blast.queued, "count"),
        fact("tasks_due", "tasks due within 15 minutes", blast.tasks_due_15m, "count", tasks_from),
        fact("active_users", "users in the last 24 hours", blast.active_users_24h, "count", "QUERY_HISTORY"),
        fact("owner", "owner", blast.owner, "name"),
        fact("expected_low", "expected credits in 30 days, low", expected.credits_30d_low, "credits", metering),
        fact("expected_high", "expected credits in 30 days, high", expected.credits_30d_high, "credits", metering),
        fact("plan", "plan", plan.id, "name", "plan"),
        fact("statement", "statement", plan.statement, "name", "plan"),
        fact("undo", "undo", plan.undo, "name", "plan"),
        fact("expires", "open until", plan.expires_at.isoformat(timespec="seconds"), "time", "plan"),
    ]
    return found


def _shown_properties(plan: ActionPlan) -> tuple[tuple[str, str, str], ...]:
    table: dict[str, tuple[tuple[str, str, str], ...]] = {
        "resize_warehouse": (("size", "size", "name"),),
        "suspend_idle": (("state", "state", "name"),),
        "resume_warehouse": (("state", "state", "name"),),
        "set_auto_suspend": (("auto_suspend", "auto-suspend", "s"),),
        "set_clusters": (
            ("min_clusters", "least clusters", "count"),
            ("max_clusters", "most clusters", "count"),
            ("scaling_policy", "scaling policy", "name"),
        ),
    }
    return table.get(plan.action, ())


def _shown(size: object) -> str:
    return Size(size).shown if isinstance(size, str) else "no size"
