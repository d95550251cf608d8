"""recover(): what a crash, a lost connection or plain time left behind. Idempotent, safe in many processes.

| row                                | read-back   | becomes                                                     |
|------------------------------------|-------------|-------------------------------------------------------------|
| proposed or approved, past expiry  |             | expired                                                     |
| claimed, claim lapsed              | target      | applied (verified by state)                                 |
| claimed, claim lapsed              | before      | failed, and never run again                                 |
| the same, and Snowflake said: done | before      | unknown: it took effect, and something has put it back      |
| claimed, claim lapsed              | neither     | unknown: people look and settle it                          |
| claimed, claim lapsed              | no answer   | stays claimed; the next round tries again                   |
| approved, decided a while ago      |             | is run from the guard on: nobody ever claimed it            |
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from agent.actions.drive import ActionDeps, drive
from agent.nodes.read_back import effect_words
from tools.domain import Person, PlanRecord, PlanState
from tools.errors import FrostlineError, NoPermission, NotAllowed, PlanConflict, StatementFailed, Unreachable
from tools.readback import compare

__all__ = ["RecoveryReport", "recover", "settle"]

_GRACE = timedelta(seconds=30)
"""An approval is being run by the process that took it; only one that has been left for so long is picked up."""


@dataclass
class RecoveryReport:
    """Ids moved in this round, by the state they came to; `waiting`: could not be judged this time."""

    moved: dict[str, list[str]] = field(default_factory=dict)

    def add(self, state: str, plan_id: str) -> None:
        self.moved.setdefault(state, []).append(plan_id)

    def as_json(self) -> dict[str, list[str]]:
        return dict(self.moved)


def recover(deps: ActionDeps) -> RecoveryReport:
    """One round, by the table above; each row it moves gets its audit entry.

    Raises:
        Unreachable: the store does not answer.
    """
    report = RecoveryReport()
    for plan_id in deps.context.store.expire_due():
        report.add(PlanState.EXPIRED.value, plan_id)
    for record in deps.context.store.lapsed():
        _read_back(deps, record, report)
    for record in _left_approved(deps):
        _run_again(deps, record, report)
    return report


def _read_back(deps: ActionDeps, record: PlanRecord, report: RecoveryReport) -> None:
    context, plan = deps.context, record.plan
    # Taken over before the look: of two processes only one decides what the row becomes.
    if not context.store.take_over(plan.id, context.me, context.lease):
        return
    try:
        seen = compare(plan, context.reader)
    except (NoPermission, StatementFailed, Unreachable):
        report.add("waiting", plan.id)
        return
    words = effect_words(plan, seen)
    state: Literal[PlanState.APPLIED, PlanState.FAILED, PlanState.UNKNOWN]
    if seen.verdict == "target":
        state, effect, reason = PlanState.APPLIED, f"{words} (verified by state)", ""
    elif seen.verdict == "before" and _was_executed(deps, plan.id):
        # As in read_back: what auto-resume or a person has put back since did happen.
        state, effect = PlanState.UNKNOWN, words
        reason = "Snowflake accepted the statement, but the warehouse reads as before: look, and settle it"
    elif seen.verdict == "before":
        state, effect = PlanState.FAILED, words
        reason = "it was interrupted and had no effect; it is not run again"
    else:
        state, effect = PlanState.UNKNOWN, words
        reason = "it was interrupted, and the warehouse reads neither as planned nor as before"
    if context.store.finish(plan.id, context.me, state, effect=effect, reason=reason):
        report.add(state.value, plan.id)


def _was_executed(deps: ActionDeps, plan_id: str) -> bool:
    row = deps.context.store.ledger_row(plan_id)
    return row is not None and row.outcome == "executed"


def _left_approved(deps: ActionDeps) -> list[PlanRecord]:
    now = deps.context.clock.now()
    rows = deps.context.store.open_plans()
    return [
        r for r in rows if r.state is PlanState.APPROVED and r.decided_at is not None and now - r.decided_at >= _GRACE
    ]


def _run_again(deps: ActionDeps, record: PlanRecord, report: RecoveryReport) -> None:
    try:
        after = drive(deps, record.plan.id)
    except FrostlineError:  # one plan that cannot be run now does not keep the others waiting
        report.add("waiting", record.plan.id)
        return
    report.add("waiting" if after.state is PlanState.APPROVED else after.state.value, record.plan.id)


def settle(
    deps: ActionDeps, ref: str, as_: Literal["applied", "failed"], actor: Person, reason: str = ""
) -> PlanRecord:
    """unknown -> applied or failed, on the word of an approver who has looked.

    Raises:
        NotAllowed: not an approver (audited).
        PlanConflict: not_found, or it is not `unknown` (audited).
    """
    context = deps.context
    plan_id: str | None = None
    try:
        plan_id = context.store.find(ref).plan.id
        context.policy.check_role(actor, "approver", "settle plans")
        return context.store.settle(plan_id, as_, actor, reason)
    except (NotAllowed, PlanConflict) as denied:
        why = denied.rule if isinstance(denied, NotAllowed) else denied.reason
        detail = {"decision": f"settle as {as_}", "why": why, "message": denied.message, "ref": ref[:64]}
        context.store.audit("denied", actor.id, plan_id, detail)
        raise
