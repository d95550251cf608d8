"""One item of the inbox: who asks, what is being done, the answer, its cards; and what becomes of what broke off.

Everything that is posted carries a key made of the item's id, and the claim is proved right before: of two processes
that believe to be working on an item one posts, and each message stands there once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from agent.state import Step, Stopped, Turn
from agent.store.inbox import ItemState
from bots.slack.claims import Claim, ClaimLost
from bots.slack.commands import Commands
from bots.slack.incoming import question_of
from bots.slack.parts import Parts
from bots.slack.pictures import post_charts
from bots.slack.render.answer import answer_messages
from bots.slack.render.notes import error_message, interrupted_message, not_for_you, stopped_message
from bots.slack.streams import Shown, Stream, end_quietly, replace_stream, upload_files
from bots.slack.types import Ignored, Message, Place, Question
from tools.errors import Bug, ChannelRefused, FrostlineError, Unreachable

if TYPE_CHECKING:
    from tools.domain import Person

__all__ = ["Answering"]

_log = logging.getLogger("frostline.slack")
_MOST_CRASHES = 8
"""Whoever works on an item that broke off so often may die of it: people are told, and nothing else is tried."""
_GIVEN_UP_AFTER = timedelta(days=1)
"""Slack being away is no crash, and is waited for so long."""
_NO_PLACE = frozenset(
    {
        "account_inactive",
        "cannot_reply_to_message",
        "channel_not_found",
        "invalid_auth",
        "is_archived",
        "is_inactive",
        "not_in_channel",
        "team_access_not_granted",
        "team_not_found",
        "thread_not_found",
        "token_expired",
        "token_revoked",
    }
)
"""Slack's codes for a place where nothing can be said (any more)."""
_TITLE = 80


class Answering:
    """Works on claimed items. Safe in several threads: it keeps nothing between items."""

    def __init__(self, parts: Parts, *, wake: Callable[[], None] = lambda: None) -> None:
        self._parts, self._commands = parts, Commands(parts, wake)

    # --- an item ---------------------------------------------------------------------------------------------------

    def work(self, claim: Claim) -> None:
        """A new item, or one of which nothing was said yet.

        Raises:
            ClaimLost: somebody else has it.
            Unreachable: Slack or the store does not answer; whoever takes it over goes on with it.
        """
        if claim.item.kind == "stop":  # its row is the message, to whoever works on what it names
            claim.finish(ItemState.DONE)
            return
        question = question_of(claim.item.body, claim.item.kind)
        person = self._parts.people.person(question.author)
        if isinstance(person, Ignored):
            if person.detail.get("why") == "unreachable":
                raise Unreachable("Slack does not say who this is.")
            _log.info("no answer to %s (%s)", question.author.user, person.reason)
            claim.finish(ItemState.DROPPED, {"reason": person.reason})
        elif self._is_overheard(question):
            self._whisper(question, not_for_you("shared"))
            claim.finish(ItemState.DROPPED, {"reason": "shared"})
        elif question.kind == "command":
            self._commands.open_thread(claim, question)
        else:
            self._answer(claim, question, person)

    def _is_overheard(self, question: Question) -> bool:
        """Another organisation reads along, and no setting says that it may: what is spent here is not for it."""
        return question.shared and not self._parts.may_be_overheard(question.place.channel)

    def _whisper(self, question: Question, message: Message) -> None:
        try:
            self._parts.api.ephemeral(question.place, question.author.user, message)
        except ChannelRefused as refused:
            _log.info("nothing said to %s: %s", question.author.user, refused.reason)

    def recover(self, claim: Claim) -> None:
        """An item of a process that is gone, or that could not go on.

        Raises:
            ClaimLost, Unreachable: as work.
        """
        crashed = claim.item.attempts - int(claim.progress.get("away") or 0) > _MOST_CRASHES
        if crashed and (self._is_old(claim) or claim.item.kind in ("command", "stop")):
            _log.error("given up: %s", claim.id)
            claim.finish(ItemState.INTERRUPTED, {"reason": "given up"})
        elif crashed:
            self._tell_interrupted(claim, question_of(claim.item.body, claim.item.kind))
        elif claim.progress.get("trace_id"):
            self._resume(claim, question_of(claim.item.body, claim.item.kind))
        elif claim.progress.get("phase"):
            self._tell_interrupted(claim, question_of(claim.item.body, claim.item.kind))
        else:
            self.work(claim)

    def broke_off(self, claim: Claim) -> None:
        """Slack or the store was away: that counts as no crash, and ends when the question is old.

        Raises:
            ClaimLost, Unreachable: as work.
        """
        if self._is_old(claim):
            _log.error("given up: %s", claim.id)
            claim.finish(ItemState.INTERRUPTED, {"reason": "given up"})
        else:
            claim.note(away=int(claim.progress.get("away") or 0) + 1)

    def _is_old(self, claim: Claim) -> bool:
        return self._parts.runtime.clock.now() - claim.item.created_at > _GIVEN_UP_AFTER

    def tell_failed(self, claim: Claim, name: str) -> None:
        """Our own fault, in the log under `name`: the person is told so."""
        if claim.item.kind == "stop":
            claim.finish(ItemState.INTERRUPTED)
            return
        question = question_of(claim.item.body, claim.item.kind)
        message = error_message(
            Bug(f"Something went wrong on our side (reference {name}).", hint="Ask again; the log says more.")
        )
        if question.kind == "command":
            self._commands.respond(claim, message)
        else:
            self._end_stream(claim, question.place)
            self._say(claim, question, message, "failed")
        claim.finish(ItemState.INTERRUPTED, {"reason": f"failed {name}"})

    # --- a question ------------------------------------------------------------------------------------------------

    def _answer(self, claim: Claim, question: Question, person: Person) -> None:
        claim.note(phase="asking")
        place = question.place
        stream = Stream(
            self._parts.api,
            place,
            question.author,
            age_s=self._parts.settings.stream_age_s,
            on_start=lambda ts: claim.note(stream=ts),
            may_start=claim.note,
        )
        stream.begin()
        if place.is_direct and question.ts == place.thread_ts:
            self._parts.api.title(place, question.text[:_TITLE])
        try:
            claim.check()
            turn = self._ask(claim, question, person, stream)
        except ClaimLost:
            raise
        except Stopped:
            self._close(claim, question, stream, stopped_message(question.text, claim.id), "stopped")
        except FrostlineError as error:
            _log.info("%s: %s", claim.id, error.code)
            self._close(claim, question, stream, error_message(error), "error")
        else:
            self._give(claim, question, person, turn, stream)

    def _ask(self, claim: Claim, question: Question, person: Person, stream: Stream) -> Turn:
        def on_step(step: Step) -> None:
            claim.check()
            stream.step(step)
            if stream.stopped_by_user:
                raise Stopped

        runtime = self._parts.runtime
        return runtime.ask(question.text, thread=question.conversation, person=person, on_step=on_step, cards=True)

    def _give(self, claim: Claim, question: Question, person: Person, turn: Turn, stream: Stream) -> None:
        self._parts.runtime.store.answers.put(
            turn.trace_id,
            thread=question.conversation,
            person=person.id,
            question=question.text,
            turn=turn.kept(),
        )
        claim.note(phase="answered", trace_id=turn.trace_id)
        try:
            shown = stream.show(turn, _key(claim, 0))
            claim.note(phase="posting", streamed=shown.streamed, posted=shown.count)
            self._post_rest(claim, question, turn, shown)
            post_charts(self._parts.api, claim, question.place, turn.charts)
            self._post_cards(claim, question, turn)
        except ChannelRefused as refused:
            self._undeliverable(claim, question, refused)
            return
        stream.rest()
        claim.finish(ItemState.DONE, {"phase": "done"})
        _log.info("answered %s: %s, %d plans", claim.id, turn.status, len(turn.plans))

    def _post_rest(self, claim: Claim, question: Question, turn: Turn, shown: Shown) -> None:
        """What does not stand there yet; searched for first where somebody else may have posted it."""
        messages = answer_messages(turn, streamed=shown.streamed)
        for number in range(shown.count, len(messages)):
            key = _key(claim, number)
            if claim.is_repeated and self._parts.api.find(question.place, key) is not None:
                # Its files come after it and have no key: rather twice than never.
                upload_files(self._parts.api, question.place, messages[number])
                continue
            claim.note(posted=number)
            self._parts.api.post(question.place, messages[number], key=key)

    def _post_cards(self, claim: Claim, question: Question, turn: Turn) -> None:
        if not turn.plans:
            return
        claim.note(phase="cards")
        if claim.is_repeated:
            self._missing_cards(question)
        else:
            self._parts.desk.post_for(turn.plans, question.place, question.team, claim.id)

    def _missing_cards(self, question: Question) -> None:
        """Cards of this conversation's open plans that nobody has seen."""
        store, desk, place = self._parts.runtime.store, self._parts.desk, question.place
        plans = [r.plan for r in store.open_plans() if r.plan.thread == question.conversation]
        for ref in dict.fromkeys(plan.bundle or plan.id for plan in plans):
            if any(card.channel == place.channel for card in store.cards.of(ref)):
                continue
            posted = self._parts.api.find(place, f"card:{ref}:{place.channel}")
            if posted is not None:  # and its row was not written any more
                desk.adopt(ref, place, posted, question.team)
            else:
                desk.post(ref, place, question.team)

    def _close(self, claim: Claim, question: Question, stream: Stream, message: Message, what: str) -> None:
        """An end without an answer; a plan that was stored all the same is shown."""
        claim.note(phase=what)
        try:
            if not stream.end_with(message, _key(claim, 0)):
                self._say(claim, question, message, what)
            self._missing_cards(question)
        except ChannelRefused as refused:
            self._undeliverable(claim, question, refused)
            return
        stream.rest()
        claim.finish(ItemState.DONE, {"phase": what})

    def _say(self, claim: Claim, question: Question, message: Message, what: str) -> None:
        key = f"{what}:{claim.id}"
        if claim.is_repeated and self._parts.api.find(question.place, key) is not None:
            return
        claim.note(phase=what)
        self._parts.api.post(question.place, message, key=key)

    def _undeliverable(self, claim: Claim, question: Question, refused: ChannelRefused) -> None:
        """Slack said no. A rate limit passes; what it does not take of us is told; else there is nobody to tell.

        Raises:
            Unreachable: later, that is.
        """
        if refused.reason == "ratelimited":
            raise Unreachable(refused.message) from refused
        _log.warning("not delivered, %s: %s", claim.id, refused.message)
        if refused.reason not in _NO_PLACE:
            self._tell_refused(claim, question, refused)
        claim.finish(ItemState.DROPPED, {"reason": refused.reason})

    def _tell_refused(self, claim: Claim, question: Question, refused: ChannelRefused) -> None:
        why = ChannelRefused(
            f"Slack did not take the whole answer ({refused.reason}).",
            reason=refused.reason,
            hint="Ask for less at once, or ask by frostline ask.",
        )
        try:
            self._end_stream(claim, question.place)
            self._say(claim, question, error_message(why), "refused")
            self._missing_cards(question)
        except ChannelRefused as again:
            _log.warning("nobody can be told of it: %s", again.message)

    # --- what broke off --------------------------------------------------------------------------------------------

    def _resume(self, claim: Claim, question: Question) -> None:
        """The answer was there: what has not been posted of it is posted now."""
        row = self._parts.runtime.store.answers.get(str(claim.progress["trace_id"]))
        if row is None:
            self._tell_interrupted(claim, question)
            return
        turn = Turn.model_validate(row.turn)
        claim.note(phase="resumed")
        try:
            self._post_rest(claim, question, turn, self._shown_before(claim, question, turn))
            post_charts(self._parts.api, claim, question.place, turn.charts)
            self._post_cards(claim, question, turn)
        except ChannelRefused as refused:
            self._undeliverable(claim, question, refused)
            return
        self._parts.api.status(question.place, "")
        claim.finish(ItemState.DONE, {"phase": "done"})
        _log.info("answer of %s completed", claim.id)

    def _shown_before(self, claim: Claim, question: Question, turn: Turn) -> Shown:
        """Where the one before us stopped."""
        progress = claim.progress
        if "streamed" in progress:
            return Shown(bool(progress["streamed"]), int(progress.get("posted") or 0))
        stream = progress.get("stream")
        if not stream:
            return Shown(streamed=False, count=0)
        if self._parts.api.find(question.place, _key(claim, 0)) is not None:
            for message in answer_messages(turn, streamed=True)[:1]:
                upload_files(self._parts.api, question.place, message)
            return Shown(streamed=True, count=1)
        shown = replace_stream(self._parts.api, question.place, str(stream), turn)
        claim.note(streamed=shown.streamed, posted=shown.count)
        return shown

    def _tell_interrupted(self, claim: Claim, question: Question) -> None:
        try:
            self._end_stream(claim, question.place)
            self._say(claim, question, interrupted_message(question.text, claim.id), "interrupted")
            self._missing_cards(question)
        except ChannelRefused as refused:
            self._undeliverable(claim, question, refused)
            return
        self._parts.api.status(question.place, "")
        claim.finish(ItemState.INTERRUPTED, {"reason": "interrupted"})
        _log.warning("told of an interrupted question: %s", claim.id)

    def _end_stream(self, claim: Claim, place: Place) -> None:
        stream = claim.progress.get("stream")
        if stream:
            end_quietly(self._parts.api, place.channel, str(stream))


def _key(claim: Claim, number: int) -> str:
    return f"answer:{claim.id}:{number}"
