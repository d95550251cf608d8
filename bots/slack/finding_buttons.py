"""The buttons under a finding: evidence, snooze, dismiss.

What is behind a finding is for those who may ask about the account; quiet is for everybody, so it takes a proposer of
our own workspace, and a reason.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from agent.durations import duration_of
from agent.proactive import check_may_quiet, dismiss, snooze
from bots.slack.findings import FindingDesk
from bots.slack.render.finding import EVIDENCE_OF, LENGTH_BLOCK, QuietForm, finding_view, quiet_form, quiet_view
from bots.slack.render.modals import REASON_BLOCK
from bots.slack.render.notes import said
from bots.slack.telling import Teller, as_click
from bots.slack.types import Click, Place, Submission
from tools.errors import FrostlineError, UnknownName

if TYPE_CHECKING:
    from bots.slack.parts import Parts
    from bots.slack.render.finding import Quiet
    from tools.domain import Person
    from tools.finding import FindingRecord

__all__ = ["FindingButtons", "is_about_a_finding"]

_log = logging.getLogger("frostline.slack.deciding")
_FORGOTTEN = "This finding is not kept any more."


def is_about_a_finding(click: Click) -> bool:
    """The button "Show the evidence" stands under answers, too."""
    return click.value.startswith(EVIDENCE_OF)


class FindingButtons:
    """May raise FrostlineError: the caller tells it."""

    def __init__(self, parts: Parts, teller: Teller) -> None:
        self._parts, self._teller = parts, teller

    def evidence(self, click: Click) -> None:
        person = self._teller.asker(click)
        if person is None:
            return
        runtime = self._parts.runtime
        runtime.policy.check_role(person, "viewer", "see what is behind a finding")
        record = self._record(click, click.value.removeprefix(EVIDENCE_OF))
        if record is not None:
            events = runtime.store.findings.events(record.id)
            self._teller.open(click, finding_view(record, events, runtime.account.timezone))

    def snooze(self, click: Click) -> None:
        self._ask(click, "snooze")

    def dismiss(self, click: Click) -> None:
        self._ask(click, "dismiss")

    def _ask(self, click: Click, what: Quiet) -> None:
        """Opens the form; the quiet comes with `on_form`."""
        person = self._quieter(click)
        record = self._record(click, click.value) if person else None
        if person is None or record is None or click.place is None or click.message_ts is None:
            return
        check_may_quiet(self._parts.runtime, person, record.id)
        self._teller.open(click, quiet_view(record, what, click.place.channel, click.message_ts))

    def on_form(self, sent: Submission) -> None:
        """Everything is read again: what the form was opened for may have moved on since."""
        form = quiet_form(sent.metadata)
        if form is None:
            _log.warning("a form about a finding by %s without a key of ours", sent.author.user)
            return
        click = as_click(sent.author, Place(form.channel), form.ts)
        person = self._quieter(click)
        record = self._record(click, form.finding_id) if person else None
        if person is None or record is None:
            return
        self._quiet(form, sent, person)
        self._refresh(record.id)

    def place_of(self, sent: Submission) -> tuple[Place | None, str | None]:
        form = quiet_form(sent.metadata)
        return (Place(form.channel), form.ts) if form else (None, None)

    def _quiet(self, form: QuietForm, sent: Submission, person: Person) -> None:
        runtime, reason = self._parts.runtime, sent.values.get(REASON_BLOCK, "")
        if form.what == "dismiss":
            dismiss(runtime, form.finding_id, reason, person)
        else:
            length = duration_of(sent.values.get(LENGTH_BLOCK, ""), least=timedelta(minutes=1))
            snooze(runtime, form.finding_id, runtime.reader.now() + length, reason, person)
        _log.info("%s of finding %s by %s", form.what, form.finding_id, person.id)

    def _refresh(self, finding_id: str) -> None:
        try:
            FindingDesk.of(self._parts.runtime, self._parts.api, self._parts.settings).refresh(finding_id)
        except FrostlineError as error:  # the next scan will do it; what was said stands
            _log.warning("the messages of finding %s are not refreshed: %s", finding_id, error.message)

    def _quieter(self, click: Click) -> Person | None:
        """Who pressed, asked anew, of our own workspace, never a guest; else they were told."""
        return self._teller.changer(click, "quiet", {"finding": click.value[:64]})

    def _record(self, click: Click, finding_id: str) -> FindingRecord | None:
        """The finding, if the button stands under its message: what a press says is no proof."""
        store = self._parts.runtime.store
        post = (
            store.finding_posts.at(click.place.channel, click.message_ts) if click.place and click.message_ts else None
        )
        if post is None or post.finding_id != finding_id:
            self._teller.tell(click, said(_FORGOTTEN))
            return None
        try:
            return store.findings.get(finding_id)
        except UnknownName:
            self._teller.tell(click, said(_FORGOTTEN))
            return None
