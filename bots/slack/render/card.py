"""The approval card of a plan or a bundle, in every state; and the short word in the thread when it is settled."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from agent.replies.figures import show_time
from bots.slack.render.blocks import (
    Block,
    actions,
    button,
    confirm,
    context,
    header,
    labelled,
    literal,
    preformatted,
    rich,
    section_of,
    text_length,
)
from bots.slack.render.limits import BUNDLE_FILL, CARD_TEXT, CONFIRM_TEXT, MENTIONS, STATEMENT
from bots.slack.render.plan_lines import (
    blast_words,
    changes,
    effect_words,
    headline,
    outcome_words,
    policy_words,
    state_words,
)
from bots.slack.render.text import bare, date_token, escape, mention, shortened, slack_id, top_text
from bots.slack.types import Action, Message, PlanKey
from tools.domain import Person, PlanRecord, PlanState

__all__ = ["CardView", "card_message", "card_state", "fingerprint", "told_message"]

_TEXT = 1_000
_UNDOS = 6
"""Buttons on a bundle's card; further plans are undone by `frostline plans undo`, as Details says."""
_UNDER_WAY = (PlanState.APPROVED, PlanState.CLAIMED)


@dataclass(frozen=True)
class CardView:
    """All that a card shows. The same view gives the same message."""

    ref: str
    """Id of the plan or bundle."""
    digest: str
    """The whole digest of the plan or bundle."""
    title: str
    """A bundle's title; a single plan is headed by what it changes."""
    records: tuple[PlanRecord, ...]
    """One, or those of a bundle in the order in which they are applied."""
    tz: str
    """The account's zone."""
    approvers: tuple[str, ...] = ()
    """Slack user and group ids to mention; empty: the role is named."""
    two_people: bool = False
    teams: tuple[str, ...] = ()
    """Ids of this workspace and its organisation: people of these are mentioned, others are named."""

    @property
    def key(self) -> PlanKey:
        return PlanKey(self.ref, self.digest)

    @property
    def is_bundle(self) -> bool:
        return len(self.records) > 1 or self.records[0].plan.bundle is not None

    @property
    def heading(self) -> str:
        return (bare(self.title).strip() or "Several changes") if self.is_bundle else headline(self.records[0].plan)


def card_state(records: Sequence[PlanRecord]) -> PlanState:
    """Where the whole stands: what still moves comes first, then what went wrong, then applied."""
    states = [record.state for record in records]
    for state in (PlanState.PROPOSED, *_UNDER_WAY, PlanState.UNKNOWN, PlanState.FAILED):
        if state in states:
            return state
    return next((state for state in states if state is not PlanState.APPLIED), PlanState.APPLIED)


def card_message(view: CardView) -> Message:
    """Within Slack's limits whatever the names are; what does not fit is said to stand under Details."""
    state = card_state(view.records)
    blocks: list[Block] = [header(view.heading), rich(_state_line(view, state))]
    blocks += _bundle(view) if view.is_bundle else _single(view)
    blocks += _small_print(view, state)
    blocks += [actions(*row) for row in _buttons(view, state)]
    return Message(top_text(f"{view.heading}. {_summary(view, state)}", _TEXT), tuple(blocks))


def fingerprint(message: Message) -> str:
    """Equal for messages that look the same."""
    shown = json.dumps([message.text, message.blocks], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(shown.encode()).hexdigest()


def told_message(view: CardView) -> Message | None:
    """For the thread, to whoever asked, once nothing moves any more; None before that."""
    state = card_state(view.records)
    if state is PlanState.PROPOSED or state in _UNDER_WAY:
        return None
    record = _telling(view, state)
    words = f"{_summary(view, state)}."
    outcome = outcome_words(record)
    line = [_person(record.plan.requester, view.teams), literal(f" {shortened(view.heading, CARD_TEXT)}. ")]
    line += [literal(words, bold=True), literal(f" {_cut(outcome, CARD_TEXT)}" if outcome else " ")]
    return Message(top_text(f"{view.heading}. {words} {outcome}", _TEXT), (rich(section_of(line)),))


# --- the state -----------------------------------------------------------------------------------------------------


def _summary(view: CardView, state: PlanState) -> str:
    """`Applied`, of a bundle with how many."""
    applied = sum(record.state is PlanState.APPLIED for record in view.records)
    if state in (PlanState.PROPOSED, *_UNDER_WAY) or len({record.state for record in view.records}) == 1:
        return state_words(state)
    return f"{applied} of {len(view.records)} applied"


def _telling(view: CardView, state: PlanState) -> PlanRecord:
    """The record that the state is about."""
    return next(record for record in view.records if record.state is state)


def _state_line(view: CardView, state: PlanState) -> Block:
    record = _telling(view, state)
    line = [literal(_summary(view, state), bold=True)]
    if record.decided_by is not None:
        line += [literal(f" — {_by(state)} "), _person(record.decided_by, view.teams)]
    outcome = "" if view.is_bundle else _cut(outcome_words(record), CARD_TEXT)
    return section_of([*line, literal(f"\n{outcome}" if outcome else ".")])


def _by(state: PlanState) -> str:
    if state is PlanState.DECLINED:
        return "by"
    return "decided by" if state is PlanState.CANCELLED else "approved by"


def _person(person: Person, teams: Sequence[str]) -> Block:
    user = slack_id(person.id, teams)
    return mention(user) if user else literal(shortened(person.name.strip(), 80) or person.id)


# --- what is to be judged ------------------------------------------------------------------------------------------


def _single(view: CardView) -> list[Block]:
    record = view.records[0]
    plan = record.plan
    lines = [labelled("Change", _cut(changes(plan), CARD_TEXT))]
    lines.append(labelled("Expected", effect_words(plan.expected)))
    lines.append(labelled("Who would notice", _cut(blast_words(plan.blast_radius), CARD_TEXT)))
    lines.append([literal("Undo: ", bold=True), *_undo(plan.undo)])
    if plan.undo_of:
        lines.append(labelled("Takes back", f"plan {plan.undo_of}"))
    lines += _who(view)
    blocks = [rich(*preformatted(_cut(plan.statement, STATEMENT))), rich(_lines(lines))]
    if plan.expected.method:
        blocks += context(f"Expected: {_cut(plan.expected.method, CARD_TEXT)}")
    return blocks


def _undo(undo: str | None) -> list[Block]:
    return [literal(_cut(undo, CARD_TEXT), code=True) if undo else literal("none: it cannot be taken back")]


def _who(view: CardView) -> list[list[Block]]:
    plan = view.records[0].plan
    asked = [literal("Asked by: ", bold=True), _person(plan.requester, view.teams)]
    if plan.reason.strip():
        asked.append(literal(f": {_cut(plan.reason.strip(), CARD_TEXT)}"))
    policy = _cut(policy_words(plan, view.two_people), CARD_TEXT)
    if card_state(view.records) is not PlanState.PROPOSED:
        return [labelled("Policy", policy), asked]
    return [labelled("Policy", policy), asked, [literal("May approve: ", bold=True), *_approvers(view)]]


def _approvers(view: CardView) -> list[Block]:
    if not view.approvers:
        return [literal(f"whoever has the role {view.records[0].plan.verdict.approver_role}")]
    found: list[Block] = []
    for user in view.approvers[:MENTIONS]:
        found += [literal(", "), mention(user)] if found else [mention(user)]
    more = len(view.approvers) - MENTIONS
    return [*found, literal(f" and {more} more: Details")] if more > 0 else found


def _lines(lines: Sequence[Sequence[Block]]) -> Block:
    elements: list[Block] = []
    for line in lines:
        elements += [literal("\n"), *line] if elements else line
    return section_of(elements)


def _bundle(view: CardView) -> list[Block]:
    """Every statement with its state; as many plans as fit, with effect and undo where all fit so."""
    entries = [_entry(number, record, full=True) for number, record in enumerate(view.records, start=1)]
    if sum(text_length(entry) for entry in entries) > BUNDLE_FILL:
        entries = [_entry(number, record, full=False) for number, record in enumerate(view.records, start=1)]
    blocks: list[Block] = []
    room, left = BUNDLE_FILL, len(entries)
    for entry in entries:
        room -= text_length(entry)
        if room < 0 and blocks:
            break
        # One block for all: Slack counts blocks, and 50 plans are as many as a message may hold.
        blocks = [rich(*(blocks[0]["elements"] if blocks else ()), *entry)]
        left -= 1
    if left:
        blocks += context(f"… and {left:,} more of {len(entries):,} plans: Details.")
    return [*blocks, rich(_lines(_who(view)))]


def _entry(number: int, record: PlanRecord, *, full: bool) -> list[Block]:
    plan = record.plan
    head = [literal(f"{number}. {shortened(headline(plan), CARD_TEXT)}", bold=True)]
    outcome = outcome_words(record)
    state = state_words(record.state).partition(":")[0]
    head.append(literal(f" — {state}" + (f": {_cut(outcome, CARD_TEXT if full else 80)}" if outcome else "")))
    entry = [section_of(head), *preformatted(_cut(plan.statement, STATEMENT if full else CARD_TEXT))]
    if full:
        lines = [
            labelled("Expected", effect_words(plan.expected)),
            labelled("Who would notice", _cut(blast_words(plan.blast_radius), CARD_TEXT)),
            [literal("Undo: ", bold=True), *_undo(plan.undo)],
        ]
        entry.append(_lines(lines))
    return entry


def _cut(text: str, limit: int) -> str:
    """The beginning, and how much more there is."""
    text = bare(text)
    more = len(text) - limit
    return text if more <= 0 else f"{text[:limit]} … and {more:,} more characters: Details"


# --- below ---------------------------------------------------------------------------------------------------------


def _small_print(view: CardView, state: PlanState) -> list[Block]:
    what = "Bundle" if view.is_bundle else "Plan"
    line = f"{what} {escape(view.ref)} · digest {escape(view.digest[:8])} · {_moment(view, state)}"
    if view.is_bundle and state is PlanState.PROPOSED:
        line += "\nOne approval covers all of it: they go in order, and it stops at the first that fails."
    # verbatim: only tokens made here act.
    return [{"type": "context", "elements": [{"type": "mrkdwn", "text": line, "verbatim": True}]}]


def _moment(view: CardView, state: PlanState) -> str:
    record = _telling(view, state)
    if state in (PlanState.PROPOSED, *_UNDER_WAY):
        until = min(r.plan.expires_at for r in view.records)
        return f"open until {show_time(until, view.tz)}, for you {date_token(until)}"
    if state is PlanState.EXPIRED:
        return f"expired {show_time(record.plan.expires_at, view.tz)}"
    if record.decided_at is None:
        return f"settled {show_time(record.updated_at, view.tz)}"
    return f"decided {show_time(record.decided_at, view.tz)}"


def _buttons(view: CardView, state: PlanState) -> list[list[Block]]:
    value = view.key.text()
    details = button("Details", Action.DETAILS, value)
    if state is PlanState.PROPOSED:
        approve = button("Approve", Action.APPROVE, value, style="primary", ask=_ask(view))
        return [[approve, button("Decline", Action.DECLINE, value), details]]
    if state in _UNDER_WAY:
        return [[details]]
    undos = [_undo_button(view, record) for record in reversed(view.records) if _can_be_undone(record)]
    # Of a bundle each in a row of its own: an action's id may stand in a block only once.
    return [[*undos[:1], details], *([undo] for undo in undos[1:_UNDOS])]


def _can_be_undone(record: PlanRecord) -> bool:
    return record.state is PlanState.APPLIED and record.plan.undo is not None


def _undo_button(view: CardView, record: PlanRecord) -> Block:
    """A bundle is taken back plan by plan, the last one first."""
    name = f" {view.records.index(record) + 1}: {record.plan.warehouse}" if view.is_bundle else ""
    return button(f"Undo{name}", Action.UNDO, PlanKey(record.plan.id, record.digest).text())


def _ask(view: CardView) -> Block:
    plans = [record.plan for record in view.records]
    head = "It runs at once:" if len(plans) == 1 else f"{len(plans)} statements run at once, in order, from:"
    statement = shortened(bare(plans[0].statement), CONFIRM_TEXT - len(head) - 2)
    return confirm("Apply this change?", f"{head}\n{statement}", "Approve and apply", "Not now")
