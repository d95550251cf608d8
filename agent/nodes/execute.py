"""execute: claim, run the statement once, note what came of it. The only importer of tools.apply.

The claim and the ledger row are one transaction, taken before the writer is even opened; whoever does not get
it runs nothing. There is no retry: an error that leaves the outcome open is settled by reading the warehouse
back, and a process that dies here leaves a claim that recovery reads back once it has lapsed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Protocol

from langgraph.runtime import Runtime

from agent.actions.state import ActionContext, ActionState
from tools.apply import apply
from tools.context import WarehouseWriter
from tools.domain import ActionPlan, PlanState
from tools.errors import FrostlineError, NotAllowed, OutcomeUnknown, PlanConflict

__all__ = ["ExecuteNode", "bind_execute"]

Outcome = Literal["executed", "refused", "unknown"]


class ExecuteNode(Protocol):
    def __call__(self, state: ActionState, runtime: Runtime[ActionContext]) -> ActionState: ...


def bind_execute(open_writer: Callable[[], WarehouseWriter]) -> ExecuteNode:
    """The node with the writer in its closure; a writer is opened for one statement and closed after it."""

    def execute(state: ActionState, runtime: Runtime[ActionContext]) -> ActionState:
        context, plan_id = runtime.context, state["plan_id"]
        refused = _claim(context, plan_id, state["digest"])
        if refused:
            return {"outcome": "lost", "detail": refused}
        plan = context.store.get(plan_id).plan
        outcome, detail, query_id = _run(plan, context, open_writer)
        context.store.note_statement(plan_id, context.me, outcome, query_id=query_id, detail=detail)
        return {"outcome": outcome, "detail": detail}

    return execute


def _claim(context: ActionContext, plan_id: str, digest: str) -> str:
    """Empty when this process has the claim, else why not."""
    try:
        won = context.store.claim(plan_id, digest, context.me, context.lease, hourly_limit=context.policy.per_hour)
    except (NotAllowed, PlanConflict) as refused:
        context.store.withdraw(plan_id, PlanState.CANCELLED, refused.message)
        return refused.message
    return "" if won else "another process has it, or it is no longer approved"


def _run(
    plan: ActionPlan, context: ActionContext, open_writer: Callable[[], WarehouseWriter]
) -> tuple[Outcome, str, str | None]:
    """(outcome, detail, query id). What is no FrostlineError goes on up: the claim stays and is recovered."""
    try:
        writer = open_writer()
    except FrostlineError as error:
        return "refused", f"nothing was run: {error.message}", None
    try:
        # Signing in may have taken long; and from here on the claim has to outlast the statement.
        if not context.store.renew(plan.id, context.me, context.lease):
            return "refused", "nothing was run: the claim lapsed before the statement", None
        receipt = apply(plan, writer)
    except OutcomeUnknown as error:
        return "unknown", error.message, None
    except FrostlineError as error:
        return "refused", error.message, getattr(error, "query_id", None)
    finally:
        writer.close()
    return "executed", receipt.message, receipt.query_id
