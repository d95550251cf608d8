"""From a wanted change to a frozen plan: what Snowflake would refuse is refused here, with the reason.

Nothing is changed. Everything a person needs in order to judge stands in the plan: statement, undo, the live
state it was made from, who would notice, what it is expected to cost or save, and what policy says.
"""

from __future__ import annotations

from datetime import timedelta

from tools.changes.effects import expected_effect, hourly_rate
from tools.context import ToolContext, UsageQuery
from tools.domain import (
    ActionPlan,
    BlastRadius,
    CancelQuery,
    Change,
    Effect,
    PlanRecord,
    PlanState,
    ResizeWarehouse,
    ResumeWarehouse,
    SetAutoSuspend,
    SetClusters,
    Size,
    SuspendWarehouse,
    Warehouse,
)
from tools.errors import AlreadySo, NoPermission, NotAllowed, PlanConflict, Refused, StatementFailed, Unreachable
from tools.names import live_warehouse
from tools.readback import changed_since, expected_after, snapshot
from tools.warehouse.statements import render, undo_of

__all__ = ["build_plan", "check_change", "cluster_limit", "require_request", "undo_plan", "warnings_for"]

_DOWN = ("SUSPENDED", "SUSPENDING")


def cluster_limit(size: Size | None) -> int:
    """The most clusters a warehouse of that size may have (reference 2.4)."""
    limits = {Size.LARGE: 160, Size.XLARGE: 80, Size.XXLARGE: 40, Size.XXXLARGE: 20}
    if size is None or size.rank < Size.LARGE.rank:
        return 300
    return limits.get(size, 10)


def require_request(ctx: ToolContext) -> None:
    """
    Raises:
        Refused: the person's own words of this turn ask for no change.
        NotAllowed: they may not ask for one.
    """
    if not ctx.asked_for_change:
        raise Refused(
            "No change was asked for, so none is proposed.",
            hint="To have one, ask for it: for example 'resize <warehouse> to small'.",
        )
    if not ctx.policy.may_propose(ctx.person):
        raise NotAllowed(
            f"{ctx.person.name} may not ask for changes: that needs the role proposer.",
            rule="role",
            hint=f"Roles stand in policy.toml; there {ctx.person.name} is {ctx.person.id}.",
        )


def check_change(change: Change, warehouse: Warehouse, edition: str) -> None:
    """
    Raises:
        AlreadySo: nothing would change.
        Refused: Snowflake does not allow it for this warehouse.
    """
    if isinstance(change, CancelQuery):
        return
    if warehouse.is_adaptive:
        raise Refused(f"{warehouse.name} is adaptive: it has no size, clusters or suspension of its own to set.")
    if warehouse.is_interactive:
        raise Refused(f"{warehouse.name} is interactive: it is billed by the hour and is not changed from here.")
    match change:
        case ResizeWarehouse():
            _check_resize(change.size, warehouse)
        case SetClusters():
            _check_clusters(change, warehouse, edition)
        case SetAutoSuspend():
            if (change.seconds or None) == (warehouse.auto_suspend or None):
                now = f"{warehouse.auto_suspend} s" if warehouse.auto_suspend else "never"
                raise AlreadySo(f"Auto-suspend of {warehouse.name} is {now} already.")
        case _:
            _check_state(change, warehouse)


def _check_state(change: SuspendWarehouse | ResumeWarehouse, warehouse: Warehouse) -> None:
    is_down = warehouse.state.upper() in _DOWN
    if isinstance(change, SuspendWarehouse) and is_down:
        raise AlreadySo(f"{warehouse.name} is suspended already.")
    if isinstance(change, ResumeWarehouse) and not is_down:
        raise AlreadySo(f"{warehouse.name} is running already ({warehouse.state}).")


def _check_resize(size: Size, warehouse: Warehouse) -> None:
    if warehouse.size is None:
        raise Refused(f"The size of {warehouse.name} is not shown, so it cannot be changed from here.")
    if size == warehouse.size:
        raise AlreadySo(f"{warehouse.name} is {size.shown} already.")
    if hourly_rate(warehouse) is not None and hourly_rate(warehouse, size) is None:
        kind = warehouse.type.lower() + (f" ({warehouse.resource_constraint})" if warehouse.resource_constraint else "")
        raise Refused(
            f"{size.shown} does not exist for a {kind} warehouse of generation {warehouse.generation or '1'}.",
            hint="Snowpark-optimized warehouses start at Medium; generation 2 ends at 4X-Large.",
        )
    if (warehouse.max_clusters or 1) > cluster_limit(size):
        raise Refused(
            f"{warehouse.name} may have up to {warehouse.max_clusters} clusters; at {size.shown} the most is "
            f"{cluster_limit(size)}.",
            hint="Lower the most clusters first.",
        )


def _check_clusters(change: SetClusters, warehouse: Warehouse, edition: str) -> None:
    if warehouse.min_clusters is None or warehouse.max_clusters is None or edition.upper() == "STANDARD":
        raise Refused(f"{warehouse.name} has no clusters to set: multi-cluster needs the Enterprise edition.")
    if change.max_clusters > cluster_limit(warehouse.size):
        size = warehouse.size.shown if warehouse.size else "this size"
        raise Refused(f"At {size} a warehouse has at most {cluster_limit(warehouse.size)} clusters.")
    same_policy = change.scaling_policy in (None, (warehouse.scaling_policy or "").upper())
    counts = (change.min_clusters, change.max_clusters)
    if counts == (warehouse.min_clusters, warehouse.max_clusters) and same_policy:
        raise AlreadySo(f"{warehouse.name} has these cluster settings already.")


def warnings_for(change: Change, warehouse: Warehouse, ctx: ToolContext) -> tuple[str, ...]:
    """What is allowed but worth saying, in words for people."""
    said = []
    if isinstance(change, SetAutoSuspend) and (change.seconds or 0) % 30:
        said.append("Snowflake checks about every 30 s: a limit that is no multiple of 30 acts imprecisely.")
    if isinstance(change, SetAutoSuspend) and not change.seconds:
        said.append("Without auto-suspend it is billed until somebody suspends it.")
    if isinstance(change, SuspendWarehouse) and warehouse.running + warehouse.queued:
        said.append("It is not idle: running statements finish first, and new ones resume it.")
    if ctx.plans.open_plans(warehouse.name):
        said.append("Another plan for this warehouse is open; applying one may make the other stale.")
    return tuple(said)


def build_plan(
    ctx: ToolContext,
    warehouse: Warehouse,
    change: Change,
    *,
    reason: str = "",
    bundle: str | None = None,
    position: int = 0,
    undo_of_plan: str | None = None,
) -> ActionPlan:
    """A frozen plan for `change`, checked against Snowflake's rules and against policy; not stored yet.

    Raises:
        Refused, NotAllowed: Snowflake's rules or policy say no, with the reason.
        BadArgument: the warehouse's name cannot be quoted.
    """
    account, now = ctx.reader.account(), ctx.clock.now()
    check_change(change, warehouse, account.edition)
    before, target = snapshot(warehouse), expected_after(change, warehouse)
    if isinstance(change, CancelQuery):
        before |= {"query_running": True}
    verdict = ctx.policy.verdict(
        action=change.action,
        warehouse=warehouse.name,
        before=before,
        target=target,
        requester=ctx.person,
        at=now,
        undo=undo_of_plan is not None,
    )
    if not verdict.allowed:
        raise NotAllowed(verdict.reason, rule=verdict.rule, hint="Limits and rules stand in policy.toml.")
    back = undo_of(change, warehouse)
    return ActionPlan(
        id=ctx.new_id(),
        account=account.name,
        action=change.action,
        warehouse=warehouse.name,
        change=change,
        statement=render(change, warehouse.name),
        undo=render(back, warehouse.name) if back else None,
        undo_change=back,
        before=before,
        target=target,
        blast_radius=_blast_radius(ctx, warehouse),
        verdict=verdict,
        expected=expected_effect(ctx.reader, warehouse, change),
        requester=ctx.person,
        reason=reason,
        thread=ctx.thread,
        undo_of=undo_of_plan,
        created_at=now,
        expires_at=now + ctx.plan_ttl,
        bundle=bundle,
        position=position,
    )


def undo_plan(record: PlanRecord, ctx: ToolContext, reason: str = "") -> ActionPlan:
    """A new plan that takes an applied one back, from the live state; not stored yet.

    Raises:
        PlanConflict: the plan was not applied, or the warehouse is no longer as it left it (reason stale): an undo
            may go beyond the policy's limits, and only back to where the warehouse was.
        Refused: nothing can take it back, or it is back already.
    """
    require_request(ctx)
    plan = record.plan
    if record.state is not PlanState.APPLIED:
        raise PlanConflict(f"Only an applied plan can be undone; this one is {record.state.value}.", reason="state")
    if plan.undo_change is None:
        raise Refused("Nothing can take this back.")
    changes = changed_since(plan, ctx.reader)
    if changes:
        raise PlanConflict(
            f"{plan.warehouse} is no longer as plan {plan.id} left it: {changes}.",
            reason="stale",
            hint="Ask for the change that you want now.",
        )
    warehouse = live_warehouse(ctx.reader, plan.warehouse)
    undo = build_plan(
        ctx, warehouse, plan.undo_change, reason=reason or f"undo of plan {plan.id}", undo_of_plan=plan.id
    )
    # History would be priced as if it had always run as it does since the change; the way back is the way there.
    return undo.model_copy(update={"expected": _reversed(plan.expected, plan.id)})


def _reversed(effect: Effect, plan_id: str) -> Effect:
    """What taking a change back is expected to do: the opposite of what the change was."""
    low, high = effect.credits_30d_low, effect.credits_30d_high
    if low is None or high is None:
        return effect
    method = f"the opposite of what plan {plan_id} was expected to do; {effect.method}"
    return effect.model_copy(update={"credits_30d_low": 0.0 - high, "credits_30d_high": 0.0 - low, "method": method})


def _blast_radius(ctx: ToolContext, warehouse: Warehouse) -> BlastRadius:
    running, queued = warehouse.running, warehouse.queued
    try:
        live = ctx.reader.live_queries(warehouse.name)
    except (NoPermission, StatementFailed, Unreachable):
        live = ()
    working = sum(q.status.upper() == "RUNNING" for q in live)
    return BlastRadius(
        running=max(running, working),
        queued=max(queued, len(live) - working),
        tasks_due_15m=_tasks_due(ctx, warehouse.name),
        owner=warehouse.owner,
        active_users_24h=_active_users(ctx, warehouse.name),
    )


def _tasks_due(ctx: ToolContext, warehouse: str) -> int | None:
    try:
        return ctx.reader.tasks_due(warehouse, timedelta(minutes=15))
    except (NoPermission, StatementFailed, Unreachable):
        return None


def _active_users(ctx: ToolContext, warehouse: str) -> int | None:
    now = ctx.reader.now()
    try:
        if ctx.reader.coverage("QUERY_HISTORY").first is None:
            return None
        query = UsageQuery("queries", now - timedelta(hours=24), now, by="user", filters={"warehouse": (warehouse,)})
        return len(ctx.reader.usage(query).frame)
    except (NoPermission, StatementFailed, Unreachable):
        return None
