"""/frostline: what only its author sees becomes a message in the channel, and a question in that message's thread."""

from __future__ import annotations

import logging
from collections.abc import Callable

from agent.store.inbox import ItemState
from bots.slack.claims import Claim
from bots.slack.incoming import message_key, question_body
from bots.slack.parts import Parts
from bots.slack.render.blocks import literal, rich, section_of
from bots.slack.render.limits import RICH_TEXT
from bots.slack.render.notes import error_message, not_for_you
from bots.slack.render.text import chunks_of, mention, mention_token, top_text
from bots.slack.types import Message, Place, Question
from tools.errors import ChannelRefused, FrostlineError

__all__ = ["Commands"]

_log = logging.getLogger("frostline.slack")
_NOTIFICATION = 1000


class Commands:
    """Works on claimed items of kind command; keeps nothing between them."""

    def __init__(self, parts: Parts, wake: Callable[[], None]) -> None:
        """`wake`: called when there is a new item in the inbox."""
        self._parts, self._wake = parts, wake

    def open_thread(self, claim: Claim, question: Question) -> None:
        """A command is seen by nobody else: its words are posted, and answered in that message's thread.

        Raises:
            ClaimLost: somebody else has it.
            Unreachable: Slack or the store does not answer.
        """
        api, channel = self._parts.api, Place(question.place.channel)
        key = f"asked:{claim.id}"
        refusal = self._refusal(channel)
        if refusal is not None:
            self._refuse(claim, *refusal)
            return
        try:
            ts = api.find(channel, key) if claim.is_repeated else None
            if ts is None:
                claim.note()
                ts = api.post(channel, _asked(question), key=key)
        except ChannelRefused as refused:
            self._refuse(claim, refused.reason, error_message(refused))
            return
        asked = Question(
            team=question.team,
            author=question.author,
            place=Place(channel.channel, ts),
            ts=ts,
            text=question.text,
            event_id=key,
            kind="direct" if channel.is_direct else "mention",
        )
        self._put(asked)
        claim.finish(ItemState.DONE)
        self._wake()

    def _refusal(self, place: Place) -> tuple[str, Message] | None:
        """Why nothing is said there in public, and what its person is told.

        A command does not say, as an event does, that another organisation reads along: Slack is asked. Where it
        does not say either, it may be so.
        """
        if place.is_direct or self._parts.may_be_overheard(place.channel):
            return None
        try:
            shared = self._parts.api.is_shared(place.channel)
        except ChannelRefused as refused:
            unknown = refused.reason == "missing_scope"
            return refused.reason, not_for_you("perhaps_shared") if unknown else error_message(refused)
        return ("shared", not_for_you("shared")) if shared else None

    def _refuse(self, claim: Claim, reason: str, message: Message) -> None:
        _log.info("%s: %s", claim.id, reason)
        self.respond(claim, message)
        claim.finish(ItemState.DROPPED, {"reason": reason})

    def _put(self, asked: Question) -> None:
        item_id = message_key(asked)
        self._parts.runtime.store.inbox.put(
            item_id,
            (item_id, asked.event_id),
            kind=asked.kind,
            conversation=asked.conversation,
            order=asked.ts,
            body=question_body(asked),
        )

    def respond(self, claim: Claim, message: Message) -> None:
        """To whoever typed the command, and to nobody else."""
        url = claim.item.body.get("response_url")
        if not isinstance(url, str) or not url:
            return
        try:
            self._parts.api.respond(url, message)
        except FrostlineError as error:
            _log.info("%s: %s", claim.id, error.message)


def _asked(question: Question) -> Message:
    """What somebody asked by command, for the channel to read: their words literally, they themselves as a mention."""
    words = [literal(piece) for piece in chunks_of(question.text, RICH_TEXT)]
    head = mention_token(question.author.user)
    block = rich(section_of([mention(question.author.user), literal(" asked: "), *words]))
    return Message(f"{head} asked: {top_text(question.text, _NOTIFICATION)}", (block,))
