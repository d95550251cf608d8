"""Short messages, most of them for one person's eyes: errors, what was interrupted, what is out of date."""

from __future__ import annotations

from bots.slack.render.blocks import Block, actions, button, context, literal, rich, section_of
from bots.slack.render.limits import MESSAGE_FILL, RICH_TEXT
from bots.slack.render.text import bare, chunks_of, top_text
from bots.slack.types import Action, Message
from tools.errors import FrostlineError

__all__ = [
    "error_message",
    "interrupted_message",
    "not_for_you",
    "said",
    "stopped_message",
    "thanks_message",
]

_TEXT = 1_000
_QUESTION = 500
_IGNORED = {
    "guest": "Frostline does not answer guests of this workspace.",
    "outsider": "Frostline does not answer people of other organisations.",
    "other_team": "Frostline does not answer people of other workspaces.",
    "channel": "Frostline does not answer in this channel.",
    "shared": "This channel is shared with another organisation, which would read the answer. Ask in a direct message, "
    "or have the channel listed in slack.channels.",
    "perhaps_shared": "Slack does not say whether this channel is shared with another organisation, which would read "
    "the answer; it needs the scopes channels:read and groups:read. Mention Frostline, or ask in a direct message.",
    "unknown_user": "Frostline could not find out who you are, so it does nothing. Try again in a minute.",
}


def said(text: str, *, small: str = "") -> Message:
    """A literal text, and small print under it."""
    text, small = bare(text).strip() or "–", bare(small).strip()
    room = MESSAGE_FILL - min(len(small), MESSAGE_FILL // 3)
    blocks = [rich(section_of([literal(piece)])) for piece in chunks_of(_cut(text, room), RICH_TEXT)]
    return Message(top_text(text, _TEXT), (*blocks, *context(_cut(small, MESSAGE_FILL // 3))))


def error_message(error: FrostlineError) -> Message:
    """What went wrong, and what to do about it."""
    return said(error.message, small=error.hint or "")


def interrupted_message(question: str, item_id: str) -> Message:
    """After a restart, to whoever waits in vain."""
    text = "Frostline was restarted while it answered this, and the answer was lost."
    return _again(text, question, item_id)


def stopped_message(question: str = "", item_id: str = "") -> Message:
    """After the person pressed Stop."""
    return _again("Stopped.", question, item_id)


def not_for_you(reason: str) -> Message:
    """To somebody who gets no answer; `reason` is that of `Ignored`."""
    return said(_IGNORED.get(reason, "Frostline does not answer here."))


def thanks_message(value: str) -> Message:
    return said("Thank you. It is kept with the answer." if value == "good" else "Noted, with the answer. Thank you.")


def _again(text: str, question: str, item_id: str) -> Message:
    blocks: list[Block] = [rich(section_of([literal(text)]))]
    if question.strip():
        blocks += context(f"Question: {_cut(bare(question).strip(), _QUESTION)}")
    if item_id:
        blocks.append(actions(button("Ask again", Action.AGAIN, item_id)))
    return Message(top_text(text, _TEXT), tuple(blocks))


def _cut(text: str, limit: int) -> str:
    more = len(text) - limit
    return text if more <= 0 else f"{text[:limit]} … and {more:,} more characters"
