"""The tools that ask for a change. They store plans and answer `needs_approval`; they change nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from tools.changes import args as change_args
from tools.changes.args import AutoSuspendArgs, BundleArgs, CancelArgs, ClustersArgs, ResizeArgs, Wanted, WarehouseArgs
from tools.changes.proposals import build_plan, check_change, require_request, undo_plan, warnings_for
from tools.changes.words import describe, plan_facts
from tools.context import ToolContext
from tools.domain import (
    ActionPlan,
    Bundle,
    CancelQuery,
    Change,
    Frozen,
    ResizeWarehouse,
    ResumeWarehouse,
    SetAutoSuspend,
    SetClusters,
    SuspendWarehouse,
    Warehouse,
)
from tools.errors import AlreadySo, BadArgument
from tools.names import live_warehouse
from tools.quoting import code
from tools.result import Source, ToolResult
from tools.tool import Tool

__all__ = ["CHANGE_TOOLS", "ProposedPlan", "ProposedPlans", "describe", "propose_undo", "undo_plan"]


class ProposedPlan(Frozen):
    plan: ActionPlan
    digest: str


class ProposedPlans(Frozen):
    """What was stored. With a bundle, `approve_id` and `approve_digest` are the bundle's."""

    plans: tuple[ProposedPlan, ...]
    bundle: Bundle | None = None
    approve_id: str
    approve_digest: str
    warnings: tuple[str, ...] = ()


# --- proposing -----------------------------------------------------------------------------------------------------


def _propose(ctx: ToolContext, wanted: Callable[[], Wanted], reason: str) -> ToolResult[ProposedPlans]:
    require_request(ctx)
    warehouse, change = wanted()
    plan = build_plan(ctx, warehouse, change, reason=reason)
    return _stored(ctx, (plan,), None, warnings_for(change, warehouse, ctx))


def _propose_bundle(ctx: ToolContext, args: BundleArgs) -> ToolResult[ProposedPlans]:
    """One plan for each change that would change something; a single one left of several is no bundle."""
    require_request(ctx)
    wanted, said = _needed(ctx, args)
    if len(wanted) == 1:
        plan = build_plan(ctx, *wanted[0], reason=args.reason)
        return _stored(ctx, (plan,), None, said)
    bundle_id = ctx.new_id()
    plans = tuple(
        build_plan(ctx, warehouse, change, reason=args.reason, bundle=bundle_id, position=position)
        for position, (warehouse, change) in enumerate(wanted)
    )
    bundle = Bundle(
        id=bundle_id,
        plan_ids=tuple(p.id for p in plans),
        plan_digests=tuple(p.digest for p in plans),
        title=args.title or f"{len(plans)} changes",
        requester=ctx.person,
        created_at=plans[0].created_at,
        expires_at=min(p.expires_at for p in plans),
    )
    return _stored(ctx, plans, bundle, said)


def _needed(ctx: ToolContext, args: BundleArgs) -> tuple[list[Wanted], tuple[str, ...]]:
    """The changes that would change something, in order, and what to say of them and of the others.

    Raises:
        AlreadySo: all of them stand as asked.
    """
    wanted: list[Wanted] = []
    said: list[str] = []
    done: list[str] = []
    shown: dict[str, Warehouse] = {}
    seen: set[tuple[str, str]] = set()
    for item in args.changes:
        live, change = change_args.item(ctx, item)
        if (live.name, change.action) in seen and item.action != "cancel_query":
            raise BadArgument(f"{change.action} of {live.name} stands twice.", hint="Once in a bundle is enough.")
        seen.add((live.name, change.action))
        # The second change of a warehouse is made from what the first will have left.
        warehouse = shown.get(live.name, live)
        try:
            check_change(change, warehouse, ctx.reader.account().edition)
        except AlreadySo as error:
            done.append(error.message.replace(live.name, code(live.name), 1))
            continue
        wanted.append((warehouse, change))
        said += warnings_for(change, warehouse, ctx)
        shown[live.name] = _after(change, warehouse)
    if not wanted:
        raise AlreadySo(" ".join(done))
    return wanted, tuple(dict.fromkeys([*(f"Left out, as nothing is to be done: {one}" for one in done), *said]))


def propose_undo(ctx: ToolContext, plan_id: str, reason: str = "") -> ToolResult[ProposedPlans]:
    """Store a plan that takes an applied one back.

    Raises:
        PlanConflict, Refused, NotAllowed: as tools.changes.proposals.undo_plan.
    """
    plan = undo_plan(ctx.plans.get(plan_id), ctx, reason)
    warehouse = live_warehouse(ctx.reader, plan.warehouse)
    return _stored(ctx, (plan,), None, warnings_for(plan.change, warehouse, ctx))


def _after(change: Change, warehouse: Warehouse) -> Warehouse:
    match change:
        case ResizeWarehouse():
            return warehouse.model_copy(update={"size": change.size})
        case SuspendWarehouse():
            return warehouse.model_copy(update={"state": "SUSPENDED"})
        case ResumeWarehouse():
            return warehouse.model_copy(update={"state": "STARTED"})
        case SetAutoSuspend():
            return warehouse.model_copy(update={"auto_suspend": change.seconds or None})
        case SetClusters():
            update = change.model_dump(exclude={"action"}, exclude_none=True)
            return warehouse.model_copy(update=update)
        case CancelQuery():
            return warehouse


def _stored(
    ctx: ToolContext, plans: tuple[ActionPlan, ...], bundle: Bundle | None, warnings: tuple[str, ...]
) -> ToolResult[ProposedPlans]:
    ctx.plans.propose(plans, bundle)
    approve_id, digest = (bundle.id, bundle.digest) if bundle else (plans[0].id, plans[0].digest)
    data = ProposedPlans(
        plans=tuple(ProposedPlan(plan=p, digest=p.digest) for p in plans),
        bundle=bundle,
        approve_id=approve_id,
        approve_digest=digest,
        warnings=warnings,
    )
    as_of = ctx.reader.now()
    facts = [fact for number, plan in enumerate(plans) for fact in plan_facts(plan, number if bundle else None, as_of)]
    return ToolResult(
        status="needs_approval",
        data=data,
        sources=(Source(view="SHOW WAREHOUSES", as_of=as_of),),
        facts=tuple(facts),
        message=" ".join(["Nothing is changed yet.", *(describe(p) for p in plans), *warnings]),
        hint=f"To apply it: frostline plans approve {approve_id} --digest {digest[:8]} (or the Approve button).",
    )


# --- the tools -----------------------------------------------------------------------------------------------------

ArgsT = TypeVar("ArgsT", ResizeArgs, WarehouseArgs, AutoSuspendArgs, ClustersArgs, CancelArgs)


def _tool(
    name: str,
    summary: str,
    args: type[ArgsT],
    wanted: Callable[[ToolContext, ArgsT], Wanted],
    one_line: Callable[[ArgsT], str],
) -> Tool[ArgsT]:
    def run(ctx: ToolContext, given: ArgsT) -> ToolResult[Any]:
        return _propose(ctx, lambda: wanted(ctx, given), given.reason)

    ending = " Stores a plan for a person to approve; changes nothing. Only when the person asks for the change."
    return Tool(name=name, summary=summary + ending, args=args, run=run, one_line=one_line, proposes=True)


CHANGE_TOOLS: tuple[Tool[Any], ...] = (
    _tool(
        "resize_warehouse",
        "Propose another size for a warehouse.",
        ResizeArgs,
        change_args.resize,
        lambda a: f"propose: resize {a.warehouse} to {a.size}",
    ),
    _tool(
        "suspend_idle",
        "Propose to suspend a warehouse now.",
        WarehouseArgs,
        change_args.suspend,
        lambda a: f"propose: suspend {a.warehouse}",
    ),
    _tool(
        "resume_warehouse",
        "Propose to resume a suspended warehouse.",
        WarehouseArgs,
        change_args.resume,
        lambda a: f"propose: resume {a.warehouse}",
    ),
    _tool(
        "set_auto_suspend",
        "Propose after how many idle seconds a warehouse suspends.",
        AutoSuspendArgs,
        change_args.auto_suspend,
        lambda a: f"propose: auto-suspend of {a.warehouse} after {a.seconds} s",
    ),
    _tool(
        "set_clusters",
        "Propose the least and most clusters of a warehouse, or its scaling policy.",
        ClustersArgs,
        change_args.clusters,
        lambda a: f"propose: clusters of {a.warehouse}",
    ),
    _tool(
        "cancel_query",
        "Propose to cancel one running query by its id.",
        CancelArgs,
        change_args.cancel,
        lambda a: f"propose: cancel query {a.query_id}",
    ),
    Tool(
        name="propose_changes",
        summary="Propose several changes as one bundle, approved together and applied in order. Stores plans for a "
        "person to approve; changes nothing. Only when the person asks for the changes.",
        args=BundleArgs,
        run=_propose_bundle,
        one_line=lambda a: f"propose: {len(a.changes)} changes",
        proposes=True,
    ),
)
