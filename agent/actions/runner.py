"""ActionRunner: everything that happens to a plan after it was stored, behind one object."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

from langgraph.checkpoint.base import BaseCheckpointSaver

from agent import approvals
from agent.actions import drive, recovery
from agent.actions.drive import ActionDeps
from agent.actions.graph import build_action_graph
from agent.actions.recovery import RecoveryReport
from agent.actions.state import ActionContext
from agent.approvals import DecisionOutcome
from agent.nodes.execute import bind_execute
from agent.policy import Decision
from agent.store import BundleRecord
from tools.changes.tools import propose_undo
from tools.context import ToolContext, WarehouseWriter
from tools.domain import Person, PlanRecord, PlanState
from tools.errors import FrostlineError, PlanConflict

__all__ = ["ActionRunner"]


class ActionRunner:
    """Safe to use from several threads; any number of processes may have one on the same store."""

    def __init__(self, deps: ActionDeps) -> None:
        self._deps = deps

    @classmethod
    def build(
        cls,
        context: ActionContext,
        checkpointer: BaseCheckpointSaver[Any],
        open_writer: Callable[[], WarehouseWriter],
    ) -> ActionRunner:
        """The graph with the writer bound to its execute node alone; it is opened for a statement, then closed."""
        return cls(ActionDeps(context, build_action_graph(checkpointer, bind_execute(open_writer))))

    def start(self, plan_id: str) -> None:
        """Put a stored plan before people; deciding does it too where this was missed."""
        drive.start(self._deps, plan_id)

    def decide(
        self, ref: str, digest: str | None, actor: Person, decision: Decision, reason: str = ""
    ) -> DecisionOutcome:
        """See agent.approvals.decide."""
        return approvals.decide(self._deps, ref, digest, actor, decision, reason)

    def undo(self, ref: str, ctx: ToolContext, reason: str = "") -> PlanRecord:
        """Store and start a plan that takes an applied one back; it is approved like any other.

        The command is the request for a change, so `ctx.asked_for_change` need not be set.

        Raises:
            PlanConflict, Refused, NotAllowed: as tools.changes.proposals.undo_plan (audited).
        """
        store, plan_id = self._deps.context.store, None
        try:
            plan_id = _one_plan(store.resolve(ref)).plan.id
            result = propose_undo(replace(ctx, asked_for_change=True), plan_id, reason)
        except FrostlineError as denied:
            detail = {"decision": "undo", "why": denied.code, "message": denied.message, "ref": ref[:64]}
            store.audit("denied", ctx.person.id, plan_id, detail)
            raise
        assert result.data is not None
        self.start(result.data.approve_id)
        return store.get(result.data.approve_id)

    def recover(self) -> RecoveryReport:
        """See agent.actions.recovery.recover."""
        return recovery.recover(self._deps)

    def settle(self, ref: str, as_: Literal["applied", "failed"], actor: Person, reason: str = "") -> PlanRecord:
        """See agent.actions.recovery.settle."""
        return recovery.settle(self._deps, ref, as_, actor, reason)


def _one_plan(found: PlanRecord | BundleRecord) -> PlanRecord:
    if isinstance(found, PlanRecord):
        return found
    ids = ", ".join(r.plan.id for r in reversed(found.plans) if r.state is PlanState.APPLIED)
    raise PlanConflict(
        "A bundle is taken back plan by plan, the last one first.",
        reason="state",
        hint=f"frostline plans undo, for each of: {ids}" if ids else "None of its plans was applied.",
    )
