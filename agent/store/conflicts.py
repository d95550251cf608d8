"""What to tell a person whose decision came too late, in words that say who was first and when."""

from __future__ import annotations

from datetime import datetime

from tools.domain import PlanRecord, PlanState
from tools.errors import PlanConflict

__all__ = ["already", "tampered"]


def already(record: PlanRecord, withdrawn_at: datetime | None = None) -> PlanConflict:
    """The conflict of asking for a move that the record's state no longer allows.

    `withdrawn_at`: when Frostline itself cancelled it; None: a person did. The row says who decided, and keeps the
    approval where the guard has withdrawn it since; the audit chain tells the two apart (`StoreReads.already`).
    """
    who = record.decided_by.name if record.decided_by else "nobody"
    when = f" at {record.decided_at.isoformat(timespec='seconds')}" if record.decided_at else ""
    why = f": {record.reason}" if record.reason else ""
    texts = {
        PlanState.PROPOSED: "This plan is still waiting for a decision.",
        PlanState.APPROVED: f"Already approved by {who}{when}; it is about to be applied.",
        PlanState.CLAIMED: f"Already approved by {who}{when}; it is being applied, or was when a process stopped.",
        PlanState.APPLIED: f"Already approved by {who}{when}, and applied.",
        PlanState.FAILED: f"Already approved by {who}{when}; applying it failed{why}",
        PlanState.UNKNOWN: f"Already approved by {who}{when}; whether it took effect is not known{why}",
        PlanState.DECLINED: f"Already declined by {who}{when}{why}",
        PlanState.EXPIRED: f"This plan expired at {record.plan.expires_at.isoformat(timespec='seconds')}.",
        PlanState.STALE: f"This plan is stale{why}",
        PlanState.CANCELLED: f"This plan was cancelled by {who}{when}{why}"
        if withdrawn_at is None
        else f"Frostline withdrew this plan at {withdrawn_at.isoformat(timespec='seconds')}{why}",
    }
    again = record.state in (PlanState.EXPIRED, PlanState.STALE, PlanState.CANCELLED, PlanState.FAILED)
    return PlanConflict(
        texts[record.state], reason=_reason(record.state), hint="Ask for the change again." if again else None
    )


def tampered(plan_id: str) -> PlanConflict:
    return PlanConflict(
        f"Plan {plan_id} was changed after it was stored; it is refused.",
        reason="digest",
        hint="Run `frostline audit verify`, then ask for the change again.",
    )


def _reason(state: PlanState) -> str:
    return {PlanState.EXPIRED: "expired", PlanState.STALE: "stale"}.get(state, "state")
