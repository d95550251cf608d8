"""request_approval: wait until the plan's row is decided. The only interrupt() of the action graph.

What the graph is resumed with decides nothing: only `agent.approvals.decide` moves the row, and only the row
is looked at here. A resume without a decision asks again. Nothing before the interrupt has an effect, since
the node runs again from its top on every resume.
"""

from __future__ import annotations

from langgraph.runtime import Runtime
from langgraph.types import interrupt

from agent.actions.state import ActionContext, ActionState
from tools.domain import PlanState

__all__ = ["request_approval"]


def request_approval(state: ActionState, runtime: Runtime[ActionContext]) -> ActionState:
    record = runtime.context.store.get(state["plan_id"])
    if record.state is PlanState.PROPOSED:
        plan = record.plan
        interrupt(
            {
                "plan": plan.id,
                "digest": record.digest,
                "warehouse": plan.warehouse,
                "statement": plan.statement,
                "expires_at": plan.expires_at.isoformat(),
            }
        )
        record = runtime.context.store.get(plan.id)
    approved = record.state is PlanState.APPROVED
    return {"approved": approved, "halt": "" if approved else _halt(record.state)}


def _halt(state: PlanState) -> str:
    """Empty for `proposed`: the router comes back here and asks again."""
    return "" if state is PlanState.PROPOSED else state.value
