"""The buttons under an answer: evidence, chart, feedback; and Ask again under one that broke off.

An answer stands in its channel for all to read. What is behind it (figures by user) is shown by the role of who
presses, as if they had asked themselves.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from bots.slack.pictures import facts_picture
from bots.slack.render.modals import evidence_view
from bots.slack.render.notes import said, thanks_message
from bots.slack.telling import Teller
from bots.slack.types import Click, Place

if TYPE_CHECKING:
    from agent.store import AnswerRow
    from bots.slack.parts import Parts

__all__ = ["AnswerButtons", "holds_figures_by_user"]

_log = logging.getLogger("frostline.slack.deciding")
_VALUES: Mapping[str, Literal["good", "bad"]] = {"good": "good", "bad": "bad"}
_FORGOTTEN = "This answer is not kept any more; ask again."


class AnswerButtons:
    """May raise FrostlineError: the caller tells it."""

    def __init__(self, parts: Parts, teller: Teller) -> None:
        self._parts, self._teller = parts, teller

    def evidence(self, click: Click) -> None:
        row = self._row(click, click.value)
        if row is not None:
            self._teller.open(click, evidence_view(row.turn, row.question))

    def chart(self, click: Click) -> None:
        row = self._row(click, click.value)
        if row is None or click.place is None:
            return
        title = " ".join(row.question.split())[:100]
        file = facts_picture(row.turn.get("facts") or [], title)
        if file is None:
            self._teller.tell(click, said("There is nothing to draw in this answer: it takes two figures of a kind."))
            return
        place = Place(click.place.channel, click.place.thread_ts or click.message_ts)
        self._parts.api.upload(place, file)

    def feedback(self, click: Click) -> None:
        value, _, trace_id = click.value.partition(":")
        person = self._teller.asker(click)
        if person is None:
            return
        if value not in _VALUES:
            _log.warning("feedback by %s that is neither good nor bad", click.author.user)
            return
        self._parts.runtime.store.answers.rate(trace_id, person.id, _VALUES[value])  # it refuses what it never gave
        self._teller.tell(click, thanks_message(value))

    def again(self, click: Click) -> None:
        """Queue the same question once more; once for each that broke off, and for nobody but who asked."""
        if self._teller.asker(click) is None:
            return
        runtime = self._parts.runtime
        item = runtime.store.inbox.get(click.value)
        if item is None:
            self._teller.tell(click, said("That question is not kept any more; please write it again."))
        elif (item.body.get("author") or {}).get("user") != click.author.user:
            self._teller.tell(click, said("Only the person who asked can have it asked again."))
        elif not runtime.store.inbox.again(item.id, f"again:{runtime.new_id()}", f"again:{item.id}"):
            self._teller.tell(click, said("It is being asked again already."))

    def _row(self, click: Click, trace_id: str) -> AnswerRow | None:
        """The answer, if who pressed may see what is behind it; else they were told why not."""
        person = self._teller.asker(click)
        row = self._parts.runtime.store.answers.get(trace_id) if person else None
        if person is None:
            return None
        self._parts.runtime.policy.check_role(person, "viewer", "see what is behind an answer")
        if row is None or not _was_given_in(row, click):
            self._teller.tell(click, said(_FORGOTTEN))
            return None
        if holds_figures_by_user(row.turn) and not self._parts.runtime.policy.may_see_text(person):
            self._teller.tell(
                click, said("What is behind this answer has figures by user; those are shown to analysts and above.")
            )
            return None
        return row


def _was_given_in(row: AnswerRow, click: Click) -> bool:
    """Whether the button stands where the answer does: what was said in a direct message stays there."""
    _, _, place = row.thread.partition("/")
    return click.place is not None and place.partition("/")[0] == click.place.channel


def holds_figures_by_user(turn: Mapping[str, Any]) -> bool:
    """Whether a call broke figures down by user or looked at single users, or a fact names one."""
    calls = [call.get("args") or {} for call in turn.get("tool_calls") or ()]
    if any(args.get("by") == "user" or "user" in (args.get("filters") or {}) for args in calls):
        return True
    return any(fact.get("label") == "user" for fact in turn.get("facts") or ())
