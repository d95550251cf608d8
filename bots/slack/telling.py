"""What one person is told about a button they pressed: seen by them alone, by whichever way is still open."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from bots.slack.render.notes import error_message, not_for_you, said
from bots.slack.types import Action, Author, Click, Ignored, Message, Place, PlanKey
from tools.domain import Person, PlanRecord
from tools.errors import ChannelRefused, FrostlineError, PlanConflict

if TYPE_CHECKING:
    from bots.slack.parts import Parts

__all__ = ["Teller", "as_click"]

_log = logging.getLogger("frostline.slack.deciding")
_NOT_HERE = "Guests, bots and people of other organisations decide nothing here. Nothing was done."
_UNKNOWN = "Slack does not say who you are just now, so nothing was done. Try again in a minute."
_LATE = ("expired_trigger_id", "trigger_expired", "exchanged_trigger_id", "trigger_exchanged", "invalid_trigger_id")


class Teller:
    """Answers to clicks and submissions. Nothing here raises FrostlineError: it is told or logged."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def tell(self, click: Click, message: Message) -> None:
        """To who pressed, in the thread of the message; else by the click's response_url."""
        ways: list[Callable[[], None]] = []
        place, api = click.place, self._parts.api
        if place is not None:
            ways.append(lambda: api.ephemeral(place, click.author.user, message))
        if click.response_url:
            url = click.response_url
            ways.append(lambda: api.respond(url, message))
        if place is None and click.trigger_id:
            ways.append(lambda: api.open_view(click.trigger_id, _window(message)))
        for way in ways:
            try:
                return way()
            except FrostlineError as error:
                _log.warning("%s was not told what became of %s: %s", click.author.user, click.action, error.message)

    def tell_error(self, click: Click, error: FrostlineError) -> None:
        self.tell(click, error_message(error))

    def open(self, click: Click, view: Mapping[str, Any]) -> None:
        """A window for who pressed; Slack gives it three seconds from the press.

        Raises:
            FrostlineError: for any other reason than that they are over.
        """
        try:
            self._parts.api.open_view(click.trigger_id, view)
        except ChannelRefused as refused:
            if refused.reason not in _LATE:
                raise
            self.tell(click, said("That took too long for Slack to open a window; press the button again."))

    def asker(self, click: Click) -> Person | None:
        """Who pressed, if they get answers at all; else they were told that they do not."""
        found = self._parts.people.person(click.author)
        if isinstance(found, Ignored):
            _log.info("%s by %s: %s", click.action, click.author.user, found.reason)
            self.tell(click, not_for_you(found.reason))
            return None
        return found

    def decider(self, click: Click, key: PlanKey, decision: str) -> Person | None:
        """Who pressed, if they may decide anything here; else they were told, and it stands in the audit trail."""
        about = {"ref": key.ref[:64], "digest": key.digest[:64]}
        return self.changer(click, decision, about, self._plan_id(key.ref))

    def changer(
        self, click: Click, decision: str, about: Mapping[str, str], plan_id: str | None = None
    ) -> Person | None:
        """As decider, for whatever changes something for everybody; `about` goes into the audit trail."""
        me = self._parts.me
        found = self._parts.people.person_for_decision(click.author)
        # In an organisation the workspace may be any of its own; there the person's organisation decides.
        if me.enterprise is None and click.team not in (None, me.team):
            found = Ignored("other_team")
        if not isinstance(found, Ignored):
            return found
        words = _UNKNOWN if found.reason == "unknown_user" else _NOT_HERE
        self._denied(click.author, decision, found.reason, words, about, plan_id)
        self.tell(click, said(words))
        return None

    def denied(self, author: Author, key: PlanKey, decision: str, why: str, message: str) -> None:
        """Into the audit trail, as `agent.approvals` does for people whom it knows."""
        about = {"ref": key.ref[:64], "digest": key.digest[:64]}
        self._denied(author, decision, why, message, about, self._plan_id(key.ref))

    def _denied(
        self, author: Author, decision: str, why: str, message: str, about: Mapping[str, str], plan_id: str | None
    ) -> None:
        team = author.team or author.enterprise or self._parts.me.team
        detail = {"decision": decision, "why": why, "message": message, **about}
        self._parts.runtime.store.audit("denied", f"slack:{team}/{author.user}"[:200], plan_id, detail)

    def _plan_id(self, ref: str) -> str | None:
        try:
            found = self._parts.runtime.store.resolve(ref)
        except PlanConflict:
            return None
        return found.plan.id if isinstance(found, PlanRecord) else found.plans[0].plan.id


def _window(message: Message) -> dict[str, Any]:
    """The same for a button that stands in no channel (the Home tab)."""
    texts = {name: {"type": "plain_text", "text": text} for name, text in (("title", "Frostline"), ("close", "Close"))}
    return {"type": "modal", **texts, "blocks": list(message.blocks)}


def as_click(author: Author, place: Place | None, message_ts: str | None) -> Click:
    """For telling somebody who sent a modal that a button of this message has opened."""
    return Click(
        team=None,
        author=author,
        action=Action.DECLINE_FORM.value,
        value="",
        action_ts="",
        place=place,
        message_ts=message_ts,
        trigger_id="",
    )
