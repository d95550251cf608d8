"""load_plan: the stored row, intact, or the end of this run."""

from __future__ import annotations

from langgraph.runtime import Runtime

from agent.actions.state import ActionContext, ActionState
from tools.errors import PlanConflict

__all__ = ["load_plan"]


def load_plan(state: ActionState, runtime: Runtime[ActionContext]) -> ActionState:
    try:
        record = runtime.context.store.get(state["plan_id"])
    except PlanConflict as conflict:
        return {"halt": conflict.message}
    return {"digest": record.digest, "halt": record.state.value if record.state.is_final else ""}
