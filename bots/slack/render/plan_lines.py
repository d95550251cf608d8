"""What a card and its details say about one plan. Words only: every string here is shown literally."""

from __future__ import annotations

from bots.slack.render.text import bare
from tools.domain import ActionPlan, BlastRadius, Effect, PlanRecord, PlanState, Size
from tools.errors import BadArgument

__all__ = [
    "before_words",
    "blast_words",
    "changes",
    "effect_words",
    "headline",
    "outcome_words",
    "policy_words",
    "state_words",
]

_SHOWN = {
    "resize_warehouse": ("size",),
    "suspend_idle": ("state",),
    "resume_warehouse": ("state",),
    "set_auto_suspend": ("auto_suspend",),
    "set_clusters": ("min_clusters", "max_clusters", "scaling_policy"),
    "cancel_query": (),
}
_HEADS = {
    "resize_warehouse": "Resize {name}: {now} → {then}",
    "suspend_idle": "Suspend {name}",
    "resume_warehouse": "Resume {name}",
    "set_auto_suspend": "Auto-suspend of {name}: {now} → {then}",
    "set_clusters": "Clusters of {name}: {now} → {then}",
    "cancel_query": "Cancel a query on {name}",
}
_STATES = {
    PlanState.PROPOSED: "Waiting for approval: nothing is changed",
    PlanState.APPROVED: "Approved, being applied",
    PlanState.CLAIMED: "Approved, being applied",
    PlanState.APPLIED: "Applied",
    PlanState.FAILED: "Not applied",
    PlanState.UNKNOWN: "Not known whether it took effect",
    PlanState.DECLINED: "Declined: nothing was changed",
    PlanState.EXPIRED: "Expired: nothing was changed",
    PlanState.STALE: "Stale: nothing was changed",
    PlanState.CANCELLED: "Cancelled: nothing was changed",
}


def state_words(state: PlanState) -> str:
    return _STATES[state]


def headline(plan: ActionPlan) -> str:
    """`Resize BI_WH: Medium → Large`. The warehouse's name is not shortened here."""
    now, then = (_values(plan, at) for at in (plan.before, plan.target))
    return _HEADS[plan.action].format(name=bare(plan.warehouse).replace("\n", "?"), now=now, then=then)


def changes(plan: ActionPlan) -> str:
    """`size: Medium → Large`, every property that would read differently."""
    names = dict.fromkeys([*_SHOWN[plan.action], *plan.target])
    found = [
        f"{name.replace('_', '-')}: {_value(name, plan.before.get(name))} → {_value(name, plan.target[name])}"
        for name in names
        if name in plan.target and plan.before.get(name) != plan.target[name]
    ]
    return "; ".join(found) or "the statement is stopped" * (plan.action == "cancel_query") or "nothing reads otherwise"


def before_words(plan: ActionPlan) -> str:
    """`state: STARTED; size: Medium; auto-suspend: 120 s; auto-resume: yes`, as it was read at the proposal."""
    return "; ".join(f"{name.replace('_', '-')}: {_value(name, value)}" for name, value in plan.before.items())


def effect_words(expected: Effect) -> str:
    """With its interval and what kind of interval it is; the method stands beside it."""
    low, high = expected.credits_30d_low, expected.credits_30d_high
    if low is None or high is None:
        return "not known"
    kind = "bounds" if expected.level == 100 else f"{expected.level} % interval"
    return f"between {_signed(low)} and {_signed(high)} credits in 30 days ({kind})"


def blast_words(blast: BlastRadius) -> str:
    """Counts as of the proposal; what is not known is said to be so."""
    tasks, users = (_known(count) for count in (blast.tasks_due_15m, blast.active_users_24h))
    return (
        f"{blast.running:,} running, {blast.queued:,} queued, tasks due within 15 min: {tasks}, "
        f"users in 24 h: {users}, owner: {blast.owner or 'not known'}"
    )


def policy_words(plan: ActionPlan, two_people: bool) -> str:
    said, rule = plan.verdict.reason.rstrip("."), plan.verdict.rule
    words = f"{said}." if rule in said else f"{said} (rule {rule})."
    return words + (" Two people: who asked may not approve." if two_people or plan.verdict.two_people else "")


def outcome_words(record: PlanRecord) -> str:
    """What became of it: what was read back, and why; empty while nothing has."""
    found = [text for text in (record.effect, record.reason) if text.strip() and text != record.state.value]
    return ". ".join(text.rstrip(".") for text in found) + ("." if found else "")


def _values(plan: ActionPlan, at: dict[str, str | int | bool | None]) -> str:
    names = _SHOWN[plan.action]
    if plan.action == "set_clusters":
        span = f"{at.get('min_clusters')}–{at.get('max_clusters')}"
        changed = plan.before.get("scaling_policy") != plan.target.get(
            "scaling_policy", plan.before.get("scaling_policy")
        )
        return f"{span} {at.get('scaling_policy') or ''}".strip() if changed else span
    return ", ".join(_value(name, at.get(name)) for name in names)


def _value(name: str, value: str | int | bool | None) -> str:
    if name == "size":
        return _size(value)
    if name == "auto_suspend":
        return f"{value} s" if value else "never"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None or value == "" else str(value)


def _size(value: object) -> str:
    try:
        return Size.parse(str(value)).shown
    except BadArgument:
        return "no size"


def _known(count: int | None) -> str:
    return "not known" if count is None else f"{count:,}"


def _signed(credits: float) -> str:
    """Whole credits where there are some; a small effect keeps its places and zero has no sign."""
    return f"{credits:,.0f}" if abs(credits) >= 10 or credits == 0 else f"{credits:+,.2f}"
