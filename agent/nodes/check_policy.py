"""check_policy: a plan that policy denies is not put before anybody.

Where only a channel's silence about its groups stands against it, the plan is left as it is: deciding asks again.
"""

from __future__ import annotations

from langgraph.runtime import Runtime

from agent.actions.state import ActionContext, ActionState
from agent.policy import UNKNOWN_GROUPS
from tools.domain import PlanState

__all__ = ["check_policy"]


def check_policy(state: ActionState, runtime: Runtime[ActionContext]) -> ActionState:
    """The policy as it is now: it may have changed since the plan was made (the guard asks it once more)."""
    context = runtime.context
    plan = context.store.get(state["plan_id"]).plan
    verdict = context.policy.verdict(
        action=plan.action,
        warehouse=plan.warehouse,
        before=plan.before,
        target=plan.target,
        requester=plan.requester,
        at=context.clock.now(),
        undo=plan.undo_of is not None,
    )
    if verdict.allowed:
        return {"halt": ""}
    reason = f"policy ({verdict.rule}): {verdict.reason}"
    if verdict.rule != UNKNOWN_GROUPS:
        context.store.withdraw(plan.id, PlanState.CANCELLED, reason)
    return {"halt": reason}
