"""The Home tab, what a new conversation suggests, and the answer to "help"."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from agent.replies.figures import show_time
from bots.slack.render.blocks import (
    Block,
    actions,
    bullets,
    button,
    context,
    header,
    labelled,
    literal,
    preformatted,
    rich,
    section_of,
)
from bots.slack.render.limits import CARD_TEXT
from bots.slack.render.plan_lines import effect_words, headline
from bots.slack.render.text import bare, shortened
from bots.slack.types import Action, Message, PlanKey
from tools.domain import Person, PlanRecord

__all__ = ["PROMPTS", "help_message", "home_view"]

PROMPTS: Final[tuple[tuple[str, str], ...]] = (
    ("What did we use last week?", "How many credits did we use last week, compared with the week before?"),
    ("Which warehouses use most?", "credits by warehouse last week"),
    ("What looks odd?", "list warehouses"),
    ("Credits day by day", "credits per day last 10 days"),
)
"""(title, message), at most four."""
_PLANS = 15
_HELP = (
    ("Ask", "mention me in a channel, write to me directly, or use /frostline."),
    ("Go on", "reply in the thread: it is one conversation and keeps its memory."),
    ("Change", "ask for it (“set auto-suspend of … to 60 seconds”). It is proposed on a card, never made by itself."),
    ("Approve", "press the card's button. Only who policy allows can; a message that says yes approves nothing."),
    ("Check", "“Show the evidence” gives every figure's source, window and freshness."),
)


def home_view(person: Person, role: str, plans: Sequence[PlanRecord] | None, tz: str) -> dict[str, Any]:
    """`plans`: those that wait for a decision, newest first; None: they are not for this person."""
    name = shortened(bare(person.name).strip(), 80) or person.id
    blocks: list[Block] = [header("Frostline"), rich(section_of([literal(f"You are {name}; your role: {role}.")]))]
    blocks += context(f"In policy.toml you are {person.id}")
    blocks.append(rich(section_of([literal("Waiting for approval", bold=True)])))
    for record in (plans or ())[:_PLANS]:
        blocks += _plan(record, tz)
    if plans is None:
        blocks += context("Plans are shown to people with a role.")
    elif not plans:
        blocks += context("No plan waits.")
    elif len(plans) > _PLANS:
        blocks += context(f"… and {len(plans) - _PLANS:,} more: frostline plans list")
    blocks += [{"type": "divider"}, rich(section_of([literal("How to", bold=True)]), _help())]
    blocks.append(rich(section_of([literal("Try", bold=True)]), bullets([literal(text)] for _, text in PROMPTS)))
    return {"type": "home", "blocks": blocks}


def help_message() -> Message:
    """What can be asked, without a question."""
    examples = bullets([literal(text, code=True)] for _, text in PROMPTS)
    head = section_of([literal("Ask where Snowflake credits go, or for a change that the right person approves.")])
    text = "Ask where Snowflake credits go, or for a change that the right person approves."
    return Message(text, (rich(head, _help()), rich(section_of([literal("For example", bold=True)]), examples)))


def _help() -> Block:
    return bullets(labelled(label, text) for label, text in _HELP)


def _plan(record: PlanRecord, tz: str) -> list[Block]:
    plan = record.plan
    statement = bare(plan.statement)
    more = len(statement) - CARD_TEXT
    shown = statement if more <= 0 else f"{statement[:CARD_TEXT]} … and {more:,} more characters: Details"
    head = [literal(shortened(headline(plan), CARD_TEXT), bold=True)]
    line = f"Expected {effect_words(plan.expected)}. Asked by {shortened(bare(plan.requester.name), 80)}, "
    until = f"open until {show_time(plan.expires_at, tz)}."
    return [
        rich(section_of(head), *preformatted(shown)),
        *context(line + until),
        actions(button("Details", Action.DETAILS, PlanKey(plan.id, record.digest).text())),
    ]
