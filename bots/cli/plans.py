"""`frostline plans ...`: approvals outside Slack."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, cast

import typer

from bots.cli.opening import opened
from bots.cli.output import Output
from tools.domain import PlanRecord, PlanState
from tools.errors import BadArgument

if TYPE_CHECKING:
    from agent.approvals import DecisionOutcome
    from agent.runtime import Runtime
    from agent.store import BundleRecord

__all__ = [
    "decide_plan",
    "list_plans",
    "plan_json",
    "settle_plan",
    "show_found",
    "show_outcome",
    "show_plan",
    "show_record",
    "undo_plan",
]


_MOST = 100
_WITHDRAWN = (PlanState.STALE, PlanState.CANCELLED, PlanState.EXPIRED)
"""Frostline itself said no after the approval: nothing was run."""


def plan_json(record: PlanRecord) -> dict[str, Any]:
    """`{plan, state, reason, effect}` of the command line."""
    plan = record.plan.model_dump(mode="json") | {"digest": record.digest}
    decided = record.decided_by.name if record.decided_by else None
    return {
        "plan": plan,
        "state": record.state.value,
        "reason": record.reason,
        "effect": record.effect,
        "decided_by": decided,
        "decided_at": record.decided_at,
    }


def list_plans(out: Output, profile: str | None, state: str | None) -> None:
    with out.edge():
        states = [_state(state)] if state else None
        with opened(out, profile) as runtime:
            runtime.store.expire_due()  # what is shown has to be true now
            records, lapsed = runtime.store.list(states, limit=_MOST), runtime.store.lapsed()
            more = max(0, runtime.store.count(states) - _MOST)
        if lapsed:
            out.note(f"{len(lapsed)} being applied when a process stopped; to read them back: frostline worker --once")
        if more:
            out.note(f"The newest {_MOST} are shown, there are {more} more: --state shows those in one state only")
        if out.as_json:
            out.json({"plans": [plan_json(r) for r in records], "more": more})
            return
        if not records:
            out.say('No plans. Ask for a change, e.g.: frostline ask "set auto-suspend of <warehouse> to 60 seconds"')
            return
        rows = [
            (r.plan.id, r.state.value, r.digest[:8], r.plan.bundle, r.plan.statement, r.plan.requester.name)
            for r in records
        ]
        out.table(("plan", "state", "digest", "bundle", "statement", "asked by"), rows)


def _state(text: str) -> PlanState:
    try:
        return PlanState(text.lower())
    except ValueError:
        known = ", ".join(s.value for s in PlanState)
        raise BadArgument(f"{text[:40]!r} is not a state of a plan.", hint=f"States: {known}") from None


def show_plan(out: Output, profile: str | None, ref: str) -> None:
    with out.edge(), opened(out, profile) as runtime:
        runtime.store.expire_due()
        found = runtime.store.resolve(ref)
        if not out.as_json:
            show_found(out, found)
        elif isinstance(found, PlanRecord):
            out.json(plan_json(found))
        else:
            bundle = found.bundle.model_dump(mode="json") | {"digest": found.digest}
            out.json({"bundle": bundle, "plans": [plan_json(r) for r in found.plans]})


def show_found(out: Output, found: PlanRecord | BundleRecord) -> None:
    """A plan, or a bundle: its own digest is the one to approve, and its plans are below it."""
    if isinstance(found, PlanRecord):
        show_record(out, found)
        return
    bundle = found.bundle
    out.table(
        ("", ""),
        [
            ("bundle", f"{bundle.id}: {bundle.title}, applied in order, one approval for all"),
            ("expires", bundle.expires_at.isoformat(timespec="seconds")),
            ("digest", found.digest),
        ],
    )
    out.say()
    for record in found.plans:
        show_record(out, record)


def show_record(out: Output, record: PlanRecord) -> None:
    """One plan as people approve it."""
    plan = record.plan
    blast = plan.blast_radius
    tasks = "not known" if blast.tasks_due_15m is None else str(blast.tasks_due_15m)
    rows = [
        ("plan", plan.id),
        ("state", record.state.value + (f": {record.reason}" if record.reason else "")),
        ("statement", plan.statement),
        ("undo", plan.undo or "nothing takes this back"),
        ("changes", _changes(record)),
        ("blast radius", f"{blast.running} running, {blast.queued} queued, tasks due in 15 min: {tasks}"),
        ("owner", blast.owner or "not known"),
        ("expected", _expected(record)),
        ("asked by", plan.requester.name + (f": {plan.reason}" if plan.reason else "")),
        (
            "policy",
            plan.verdict.reason + (" Two people: who asked may not approve." if plan.verdict.two_people else ""),
        ),
        ("expires", plan.expires_at.isoformat(timespec="seconds")),
        ("digest", record.digest),
    ]
    if record.decided_by:
        rows.append(("decided by", record.decided_by.name))
    if record.effect:
        rows.append(("read back", record.effect))
    if record.reason and record.state in (PlanState.FAILED, PlanState.UNKNOWN):
        rows.append(("reason", record.reason))
    out.table(("", ""), rows)
    out.say()


def _changes(record: PlanRecord) -> str:
    before, target = record.plan.before, record.plan.target
    changed = [f"{k}: {before.get(k)} -> {v}" for k, v in target.items() if before.get(k) != v]
    return "; ".join(changed) or record.plan.action


def _expected(record: PlanRecord) -> str:
    effect = record.plan.expected
    if effect.credits_30d_low is None or effect.credits_30d_high is None:
        return f"not known ({effect.method})"
    return f"{effect.credits_30d_low:+,.1f} to {effect.credits_30d_high:+,.1f} credits in 30 days ({effect.method})"


def decide_plan(
    out: Output, profile: str | None, ref: str, decision: str, digest: str | None, reason: str, person: str | None
) -> None:
    """Approve, decline or cancel; approving asks for the digest where a person can be asked."""
    choice = cast(Literal["approve", "decline", "cancel"], decision)
    with out.edge(), opened(out, profile) as runtime:
        actor = runtime.person(person, deciding=True)
        if digest is None and choice == "approve":
            digest = _typed(out, runtime, ref)
        outcome = runtime.decide(ref, digest, actor, choice, reason)  # it also audits what it denies
        if out.as_json:
            out.json(outcome.as_json())
        else:
            show_outcome(out, outcome)
        if choice == "approve" and outcome.state is not PlanState.APPLIED:
            raise typer.Exit(3 if outcome.state in _WITHDRAWN else 1)


def show_outcome(out: Output, outcome: DecisionOutcome) -> None:
    """What became of the plan; of a bundle, of each of its plans."""
    if outcome.bundle:
        for record in outcome.plans:
            out.say(f"{record.plan.id} {_became(record.state, record.effect or record.plan.statement, record.reason)}")
    else:
        out.say(_became(outcome.state, outcome.effect, outcome.reason))


def _became(state: PlanState, effect: str, reason: str) -> str:
    """An applied plan is what was read back; of any other, people want to know why."""
    why = "" if state is PlanState.APPLIED else reason
    said = dict.fromkeys(text.strip().rstrip(".") for text in (effect, why) if text and text.strip())
    return f"{state.value}: {'; '.join(said)}" if said else state.value


def _typed(out: Output, runtime: Runtime, ref: str) -> str:
    """Show the plan and let the person type the digest they read; without a terminal --digest is needed."""
    import sys

    if out.as_json or not sys.stdin.isatty():
        raise BadArgument(
            "Approving needs the digest of the plan you read.",
            hint=f"frostline plans show {ref}, then: frostline plans approve {ref} --digest <first 8 characters>",
        )
    show_found(out, runtime.store.resolve(ref))
    try:
        return input("Type the first 8 characters of the digest to approve, anything else to leave: ").strip()
    except EOFError:  # Ctrl-D leaves, too
        raise typer.Abort from None


def undo_plan(out: Output, profile: str | None, ref: str, reason: str, person: str | None) -> None:
    with out.edge(), opened(out, profile) as runtime:
        record = runtime.undo(ref, runtime.person(person), reason)
        if out.as_json:
            out.json(plan_json(record))
            return
        show_record(out, record)
        out.note(f"Approve with: frostline plans approve {record.plan.id} --digest {record.digest[:8]}")


def settle_plan(out: Output, profile: str | None, ref: str, outcome: str, reason: str, person: str | None) -> None:
    with out.edge(), opened(out, profile) as runtime:
        if outcome not in ("applied", "failed"):
            raise BadArgument(f"{outcome[:40]!r} is no outcome.", hint="applied or failed")
        found = cast(Literal["applied", "failed"], outcome)
        record = runtime.runner.settle(ref, found, runtime.person(person, deciding=True), reason)
        if out.as_json:
            out.json(plan_json(record))
        else:
            out.say(f"{record.plan.id} is settled as {record.state.value}.")
