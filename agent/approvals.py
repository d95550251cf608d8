"""decide(): the one door through which a plan or a bundle is approved, declined or cancelled.

The person comes from the channel, never from text; the digest is what they saw. Whatever is denied leaves an
audit row `denied` with the reason. An approval moves the row first (compare-and-set) and runs the graph after.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from agent.actions.drive import ActionDeps, drive, report_of
from agent.nodes.report import report_words
from agent.policy import Decision
from agent.store import BundleRecord
from agent.store.store import Decided
from tools.domain import Person, PlanRecord, PlanState
from tools.errors import BadSettings, NoPermission, NotAllowed, PlanConflict, StatementFailed, Unreachable

__all__ = ["DecisionOutcome", "decide"]

_TO: dict[Decision, Decided] = {
    "approve": PlanState.APPROVED,
    "decline": PlanState.DECLINED,
    "cancel": PlanState.CANCELLED,
}
_MOVABLE: dict[Decision, tuple[PlanState, ...]] = {
    "approve": (PlanState.PROPOSED,),
    "decline": (PlanState.PROPOSED,),
    "cancel": (PlanState.PROPOSED, PlanState.APPROVED),
}
_SHORTEST_DIGEST = 8


@dataclass(frozen=True)
class DecisionOutcome:
    """What became of it. Of a bundle: the first plan that was not applied, or the last."""

    plan: PlanRecord
    state: PlanState
    reason: str
    effect: str
    plans: tuple[PlanRecord, ...]
    """All that were decided, in order."""
    bundle: str | None = None

    def as_json(self) -> dict[str, Any]:
        """`{plan, state, reason, effect}` of the command line; `plans` beside it for a bundle."""
        out: dict[str, Any] = {
            "plan": self.bundle or self.plan.plan.id,
            "state": self.state.value,
            "reason": self.reason,
            "effect": self.effect,
        }
        if self.bundle:
            out["plans"] = [{"plan": r.plan.id, "state": r.state.value, "reason": r.reason} for r in self.plans]
        return out


def decide(
    deps: ActionDeps, ref: str, digest: str | None, actor: Person, decision: Decision, reason: str = ""
) -> DecisionOutcome:
    """Decide the plan or bundle `ref` (id, or beginning of id or digest) for the digest that was shown.

    `digest`: whole, or its first 8 characters or more; None will do for declining and cancelling.

    Raises:
        PlanConflict: not_found, ambiguous, digest, expired, stale, or already decided (by whom and when).
        NotAllowed: role, two people, protected, limits, windows: with the rule.
        Unreachable: decided, but the account does not answer or the policy has become unusable meanwhile; the plan
            stays approved until it expires.
    """
    plan_id: str | None = None
    try:
        found = deps.context.store.resolve(ref)
        records = _meant(found, decision)
        plan_id = records[0].plan.id
        if digest is not None or decision == "approve":
            _check_digest(found, digest or "")
        _check_may_decide(deps, found, records, actor, decision)
        _move(deps, records, actor, decision, reason)
    except (NotAllowed, PlanConflict) as denied:
        _audit_denial(deps, ref, plan_id, digest, actor, decision, denied)
        raise
    after = _run(deps, records, decision)
    return _outcome(deps, after, found.bundle.id if isinstance(found, BundleRecord) else None)


def _run(deps: ActionDeps, records: tuple[PlanRecord, ...], decision: Decision) -> tuple[PlanRecord, ...]:
    """In order: the guard cancels what follows a plan that was not applied. After a declining or cancelling the
    waiting threads just come to their end.
    """
    try:
        return tuple(drive(deps, record.plan.id) for record in records)
    except (BadSettings, Unreachable, NoPermission, StatementFailed) as error:
        done = {"approve": "approved", "decline": "declined", "cancel": "cancelled"}[decision]
        until = min(r.plan.expires_at for r in records).isoformat(timespec="seconds")
        waits = f"It may still be applied until {until}, when the account answers; to prevent that, cancel it."
        # Whoever reads the error must not think that nothing was decided.
        raise Unreachable(
            f"The decision is stored ({done}), but what follows it was broken off: {error.message}",
            hint=waits if decision == "approve" else error.hint,
        ) from error


def _meant(found: PlanRecord | BundleRecord, decision: Decision) -> tuple[PlanRecord, ...]:
    """All plans of a bundle; of one that has been begun, cancelling means those that can still be stopped."""
    if isinstance(found, PlanRecord):
        return (found,)
    open_ = tuple(r for r in found.plans if r.state in _MOVABLE["cancel"]) if decision == "cancel" else ()
    return open_ or found.plans


def _check_digest(found: PlanRecord | BundleRecord, digest: str) -> None:
    given = digest.strip().lower()
    if len(given) < _SHORTEST_DIGEST or not found.digest.startswith(given):
        raise PlanConflict(
            "The digest is not this plan's: what was shown is not what is stored.",
            reason="digest",
            hint="Look at the plan again (frostline plans show) before deciding.",
        )


def _check_may_decide(
    deps: ActionDeps,
    found: PlanRecord | BundleRecord,
    records: tuple[PlanRecord, ...],
    actor: Person,
    decision: Decision,
) -> None:
    if isinstance(found, PlanRecord) and found.plan.bundle is not None:
        raise PlanConflict(
            f"This plan is part of bundle {found.plan.bundle}; the bundle is decided as a whole.",
            reason="state",
            hint=f"frostline plans show {found.plan.bundle}",
        )
    context = deps.context
    now = context.clock.now()
    done = context.store.applied_last_hour()
    for number, record in enumerate(records):
        if record.state not in _MOVABLE[decision]:
            raise context.store.already(record)
        if record.plan.expires_at <= now:
            context.store.expire_due()
            raise context.store.already(context.store.get(record.plan.id))
        context.policy.may_decide(record, actor, now, applied_last_hour=done + number, decision=decision)


def _move(deps: ActionDeps, records: tuple[PlanRecord, ...], actor: Person, decision: Decision, reason: str) -> None:
    digests = {r.plan.id: r.digest for r in records}
    deps.context.store.decide_all(digests, _TO[decision], actor, reason)


def _outcome(deps: ActionDeps, records: tuple[PlanRecord, ...], bundle: str | None) -> DecisionOutcome:
    shown = next((r for r in records if r.state is not PlanState.APPLIED), records[-1])
    note = report_of(deps, shown.plan.id)
    return DecisionOutcome(
        plan=shown,
        state=shown.state,
        reason=shown.reason,
        effect=shown.effect or note or report_words(shown),
        plans=records,
        bundle=bundle,
    )


def _audit_denial(
    deps: ActionDeps,
    ref: str,
    plan_id: str | None,
    digest: str | None,
    actor: Person,
    decision: Decision,
    denied: NotAllowed | PlanConflict,
) -> None:
    why = denied.rule if isinstance(denied, NotAllowed) else denied.reason
    detail = {"decision": decision, "why": why, "message": denied.message, "ref": ref[:64]}
    if digest is not None:
        detail["digest"] = digest[:64]
    deps.context.store.audit("denied", actor.id, plan_id, detail)
