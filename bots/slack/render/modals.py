"""Windows: the evidence of an answer, everything about a plan, the form to decline."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent.replies.figures import show_time
from bots.slack.render.blocks import (
    Block,
    bullets,
    context,
    labelled,
    literal,
    preformatted,
    rich,
    section_of,
    text_length,
)
from bots.slack.render.card import CardView
from bots.slack.render.evidence import evidence_blocks
from bots.slack.render.limits import REASON_LENGTH, RICH_TEXT, VIEW_BLOCKS, VIEW_FILL, VIEW_TITLE
from bots.slack.render.plan_lines import (
    before_words,
    blast_words,
    changes,
    effect_words,
    headline,
    outcome_words,
    policy_words,
)
from bots.slack.render.text import chunks_of, mention, plain
from bots.slack.types import Action, PlanKey
from tools.domain import PlanRecord, PlanState

__all__ = [
    "REASON_BLOCK",
    "DeclineForm",
    "View",
    "decline_form",
    "decline_view",
    "details_view",
    "evidence_view",
    "fitting",
    "modal",
]

View = dict[str, Any]
REASON_BLOCK = "reason"
"""block_id of the reason in the form; `Submission.values[REASON_BLOCK]`."""


def evidence_view(turn: Mapping[str, Any], question: str) -> View:
    """Where an answer's figures come from. `turn`: a Turn as JSON, as AnswerRow keeps it."""
    rest = f"The rest: frostline ask --json, or the answer {turn.get('trace_id', '')} in the store."
    return modal("Evidence", fitting(evidence_blocks(turn, question), rest))


def details_view(view: CardView) -> View:
    """Everything that a card says in short; statements in full, and the whole digest."""
    blocks: list[Block] = [
        rich(section_of([literal(piece, bold=True) for piece in chunks_of(view.heading, RICH_TEXT)]))
    ]
    what = "Bundle" if view.is_bundle else "Plan"
    blocks.append(rich(section_of([*labelled(what, view.ref), literal("\n"), *labelled("Digest", view.digest)])))
    if view.approvers:
        people = [part for user in view.approvers for part in (mention(user), literal(" "))]
        blocks.append(rich(section_of([literal("May approve: ", bold=True), *people])))
    for number, record in enumerate(view.records, start=1):
        blocks += _plan_blocks(view, record, f"{number}. " if view.is_bundle else "")
    return modal("Details", fitting(blocks, f"The rest: frostline plans show {view.ref}"))


# --- declining -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class DeclineForm:
    """Which card the form was opened from."""

    key: PlanKey
    channel: str
    ts: str


def decline_view(card: CardView, channel: str, ts: str, *, withdraw: bool = False) -> View:
    """Says whose plan it is and what sending the form does; the reason is required and kept in the audit trail.

    `withdraw`: whoever asked takes the plan back before it is applied, which needs no approver.
    """
    about = f"{card.heading}. Asked for by {card.records[0].plan.requester.name}."
    if withdraw:
        about += " You do not decline it, you withdraw it before it is applied."
    asked = {
        "type": "plain_text_input",
        "action_id": REASON_BLOCK,
        "multiline": True,
        "max_length": REASON_LENGTH,
        "placeholder": plain("Kept in the audit trail", 150),
    }
    block = {
        "type": "input",
        "block_id": REASON_BLOCK,
        "optional": False,
        "label": plain("Why is it withdrawn?" if withdraw else "Why is it declined?", 2_000),
        "element": asked,
    }
    metadata = json.dumps({"ref": card.ref, "digest": card.digest, "channel": channel, "ts": ts})
    title = "Withdraw the plan" if withdraw else "Decline"
    return modal(title, [*context(about), block], close="Back") | {
        "submit": plain("Withdraw" if withdraw else "Decline", VIEW_TITLE),
        "callback_id": Action.DECLINE_FORM.value,
        "private_metadata": metadata,
    }


def decline_form(metadata: str) -> DeclineForm | None:
    """None for anything that `decline_view` did not write."""
    try:
        read = json.loads(metadata)
        ref, digest, channel, ts = (read[name] for name in ("ref", "digest", "channel", "ts"))
    except (ValueError, KeyError, TypeError):
        return None
    if not all(isinstance(value, str) for value in (ref, digest, channel, ts)):
        return None
    key = PlanKey.parse(f"{ref}:{digest}")
    return DeclineForm(key, channel, ts) if key else None


# --- parts ---------------------------------------------------------------------------------------------------------


def modal(title: str, blocks: Sequence[Block], *, close: str = "Close") -> View:
    return {
        "type": "modal",
        "title": plain(title, VIEW_TITLE),
        "close": plain(close, VIEW_TITLE),
        "blocks": list(blocks),
    }


def fitting(blocks: Iterable[Block], rest: str) -> list[Block]:
    """As many as a view holds; `rest` says where the others are."""
    kept: list[Block] = []
    room, left = VIEW_FILL, 0
    for block in blocks:
        room -= text_length(block) + 50
        if left or room < 0 or len(kept) >= VIEW_BLOCKS - 5:
            left += 1
        else:
            kept.append(block)
    return [*kept, *context(f"… and {left:,} more parts do not fit here. {rest}")] if left else kept


def _plan_blocks(view: CardView, record: PlanRecord, number: str) -> list[Block]:
    """At most three blocks as a rule, so that a bundle of many plans fits; long texts take more."""
    plan = record.plan
    statement = [rich(box) for box in preformatted(plan.statement)]
    undo = [rich(box) for box in preformatted(plan.undo)] if plan.undo else []
    lines = [
        labelled("State", record.state.value + (f": {done}" if (done := outcome_words(record)) else "")),
        labelled("Change", changes(plan)),
        labelled("Expected", f"{effect_words(plan.expected)}. {plan.expected.method}"),
        labelled("Who would notice", blast_words(plan.blast_radius)),
        labelled("Policy", policy_words(plan, view.two_people)),
        labelled("Asked by", plan.requester.name + (f": {plan.reason}" if plan.reason else "")),
        labelled("Plan", f"{plan.id}, digest {record.digest[:16]}, made {show_time(plan.created_at, view.tz)}"),
        labelled("Open until", show_time(plan.expires_at, view.tz)),
    ]
    if record.decided_by:
        at = f", {show_time(record.decided_at, view.tz)}" if record.decided_at else ""
        lines.append(labelled("Decided by", f"{record.decided_by.name}{at}"))
    if record.query_id:
        lines.append(labelled("Query id", record.query_id))
    if plan.undo_of:
        lines.append(labelled("Takes back", f"plan {plan.undo_of}"))
    lines.append(labelled("Read when it was proposed", before_words(plan) or "nothing"))
    lines.append(labelled("Undo", "as below" if undo else "none: it cannot be taken back"))
    if undo and record.state is PlanState.APPLIED:
        lines.append(labelled("To take it back", f"the card's button, or frostline plans undo {plan.id}"))
    if not number:  # the window's own heading says what it changes
        return [*statement, *_listed(lines), *undo]
    head = rich(section_of([literal(piece, bold=True) for piece in chunks_of(f"{number}{headline(plan)}", RICH_TEXT)]))
    return [head, *statement, *_listed(lines), *undo]


def _listed(lines: Sequence[Sequence[Block]]) -> list[Block]:
    """One list; texts longer than an element may be are given in pieces."""
    pieces = [[part for element in line for part in _pieces(element)] for line in lines]
    return [rich(bullets(pieces))]


def _pieces(element: Block) -> list[Block]:
    style = element.get("style", {})
    return [literal(piece, **style) for piece in chunks_of(element["text"], RICH_TEXT)]
