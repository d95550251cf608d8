"""report: one honest sentence about where the plan's row stands now."""

from __future__ import annotations

from langgraph.runtime import Runtime

from agent.actions.state import ActionContext, ActionState
from tools.domain import PlanRecord, PlanState
from tools.errors import PlanConflict

__all__ = ["report", "report_words"]


def report(state: ActionState, runtime: Runtime[ActionContext]) -> ActionState:
    try:
        record = runtime.context.store.get(state["plan_id"])
    except PlanConflict as conflict:
        return {"report": conflict.message}
    return {"report": report_words(record, state.get("halt") or state.get("detail") or "")}


def report_words(record: PlanRecord, note: str = "") -> str:
    """`note` explains a row that is not final; a final row carries its own reason."""
    plan, why = record.plan, (record.reason or note).rstrip(".")
    reason = f": {why}" if why and why != record.state.value else ""
    texts = {
        PlanState.PROPOSED: f"Plan {plan.id} waits for a decision{reason}.",
        PlanState.APPROVED: f"Plan {plan.id} is approved and not applied yet{reason}.",
        PlanState.CLAIMED: f"Plan {plan.id} is being applied{reason}.",
        PlanState.APPLIED: f"Applied: {record.effect}. Undo: {plan.undo or 'not possible'}.",
        PlanState.FAILED: f"Not applied{reason}. {record.effect}.",
        PlanState.UNKNOWN: f"It is not known whether plan {plan.id} took effect{reason}. {record.effect}.",
        PlanState.DECLINED: f"Plan {plan.id} was declined{reason}.",
        PlanState.EXPIRED: f"Plan {plan.id} expired; nothing was changed.",
        PlanState.STALE: f"Plan {plan.id} is stale{reason}. Nothing was changed.",
        PlanState.CANCELLED: f"Plan {plan.id} was cancelled{reason}. Nothing was changed.",
    }
    return texts[record.state]
