"""guard: the last look before the statement. Digest, expiry, approver, order in a bundle, live state.

It reads everything anew: hours may lie between the approval and this moment, and another process may have
been here. Who asked and who approved must still have their roles, also those that a group gives. A plan that no
longer fits is withdrawn with the reason; one that cannot be judged (the account does not answer, or a channel
does not say who is in a group) stays approved, and recovery comes back to it until it expires.
"""

from __future__ import annotations

from langgraph.runtime import Runtime

from agent.actions.state import ActionContext, ActionState
from agent.policy import UNKNOWN_GROUPS
from tools.domain import PlanRecord, PlanState
from tools.errors import NotAllowed
from tools.readback import compare

__all__ = ["guard"]


def guard(state: ActionState, runtime: Runtime[ActionContext]) -> ActionState:
    context = runtime.context
    context.store.expire_due()
    record = context.store.get(state["plan_id"])
    if record.state is not PlanState.APPROVED:
        return {"halt": record.state.value}
    refusal = (
        _not_this_plan(record, state)
        or _other_account(record, context)
        or _not_allowed(record, context)
        or _not_its_turn(record, context)
    )
    if refusal:
        return {"halt": refusal}
    return {"halt": _drifted(record, context)}


def _not_this_plan(record: PlanRecord, state: ActionState) -> str:
    return "" if record.digest == state.get("digest") else "the row is not the one this run began with"


def _other_account(record: PlanRecord, context: ActionContext) -> str:
    """The store keeps accounts apart; this holds where somebody points a profile's reader elsewhere."""
    name = context.reader.account().name
    if record.plan.account == name:
        return ""
    reason = f"it was made for account {record.plan.account}, this is {name}"
    context.store.withdraw(record.plan.id, PlanState.CANCELLED, reason)
    return reason


def _not_allowed(record: PlanRecord, context: ActionContext) -> str:
    if record.decided_by is None:
        reason = "approved by nobody"
    else:
        try:
            context.policy.may_decide(
                record, record.decided_by, context.clock.now(), applied_last_hour=context.store.applied_last_hour()
            )
            return ""
        except NotAllowed as refused:
            reason = f"policy ({refused.rule}): {refused.message}"
            if refused.rule == UNKNOWN_GROUPS:
                return reason
    context.store.withdraw(record.plan.id, PlanState.CANCELLED, reason)
    return reason


def _not_its_turn(record: PlanRecord, context: ActionContext) -> str:
    """In a bundle every earlier plan has to be applied; one that never will be cancels the rest."""
    plan = record.plan
    if plan.bundle is None:
        return ""
    for earlier in context.store.bundle(plan.bundle).plans[: plan.position]:
        if earlier.state is PlanState.APPLIED:
            continue
        reason = f"plan {earlier.plan.id}, which comes before it in the bundle, is {earlier.state.value}"
        if earlier.state.is_final or earlier.state is PlanState.UNKNOWN:
            context.store.withdraw(plan.id, PlanState.CANCELLED, reason)
        return reason
    return ""


def _drifted(record: PlanRecord, context: ActionContext) -> str:
    seen = compare(record.plan, context.reader)
    if seen.verdict == "before":
        return ""
    if seen.verdict == "target":
        reason = "it reads already as the plan would make it: somebody else was first"
    else:
        changes = "; ".join(f"{d.property} was {d.expected}, is {d.actual}" for d in seen.differences)
        reason = f"the warehouse has changed since the plan was made: {changes}"
    context.store.withdraw(record.plan.id, PlanState.STALE, reason)
    return reason
