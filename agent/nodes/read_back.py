"""read_back: what the warehouse says decides what the row says.

| statement | warehouse reads as | row                                                      |
|-----------|--------------------|----------------------------------------------------------|
| executed  | target             | applied                                                  |
| executed  | before             | unknown: SHOW may lag, or somebody has put it back       |
| executed  | neither            | unknown                                                  |
| refused   | anything           | failed                                                   |
| unknown   | target             | applied, verified by state                               |
| unknown   | neither            | unknown                                                  |
| unknown   | before             | stays claimed: it may still arrive; recovery reads again |
| any       | cannot be read     | stays claimed: recovery reads again                      |
"""

from __future__ import annotations

from langgraph.runtime import Runtime

from agent.actions.state import ActionContext, ActionState
from tools.domain import ActionPlan, CancelQuery, PlanState
from tools.errors import NoPermission, StatementFailed, Unreachable
from tools.readback import Comparison, compare

__all__ = ["effect_words", "read_back"]


def read_back(state: ActionState, runtime: Runtime[ActionContext]) -> ActionState:
    context, plan = runtime.context, runtime.context.store.get(state["plan_id"]).plan
    outcome, detail = state["outcome"], state.get("detail", "")
    if outcome == "refused":
        context.store.finish(plan.id, context.me, PlanState.FAILED, effect="nothing was changed", reason=detail)
        return {}
    seen = _look(plan, context)
    if seen is None or (outcome == "unknown" and seen.verdict == "before"):
        return {"detail": f"not known yet whether it took effect; it will be read back again. {detail}".strip()}
    words = effect_words(plan, seen)
    if seen.verdict == "target":
        by_state = " (verified by state)" if outcome == "unknown" else ""
        context.store.finish(plan.id, context.me, PlanState.APPLIED, effect=words + by_state)
    elif seen.verdict == "before":
        # Not `failed`: Snowflake says that it ran, so a row that says nothing happened could be untrue.
        reason = "Snowflake accepted the statement, but the warehouse still reads as before: look, and settle it"
        context.store.finish(plan.id, context.me, PlanState.UNKNOWN, effect=words, reason=reason)
    else:
        reason = "the warehouse reads neither as planned nor as before"
        context.store.finish(plan.id, context.me, PlanState.UNKNOWN, effect=words, reason=reason)
    return {}


def effect_words(plan: ActionPlan, seen: Comparison) -> str:
    """What the read-back saw, for people."""
    if seen.verdict == "target" and isinstance(plan.change, CancelQuery):
        return f"query {plan.change.query_id} no longer runs"
    if seen.verdict == "target":
        return f"{plan.warehouse} reads as planned"
    parts = "; ".join(f"{d.property} should be {d.expected}, is {d.actual}" for d in seen.differences)
    return f"{plan.warehouse}: {parts}" if parts else f"{plan.warehouse} reads as before"


def _look(plan: ActionPlan, context: ActionContext) -> Comparison | None:
    """The last of a few looks, since resizes and cancellations take a moment; None where it cannot be read."""
    seen = None
    for wait in context.read_back_waits:
        if wait:
            context.sleep(wait)
        try:
            seen = compare(plan, context.reader)
        except (NoPermission, StatementFailed, Unreachable):
            seen = None
        if seen is not None and seen.verdict == "target":
            break
    return seen
