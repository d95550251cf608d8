"""The buttons of a card: approve, decline, details, undo. The decision itself is `agent.approvals`'s.

Whatever is denied is told to the one who pressed. Where the card was wrong (its digest differs, the plan has moved
on), it is painted anew as well.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from agent.nodes.report import report_words
from bots.slack.render.blocks import context
from bots.slack.render.card import CardView
from bots.slack.render.modals import REASON_BLOCK, decline_form, decline_view, details_view
from bots.slack.render.notes import said
from bots.slack.telling import Teller, as_click
from bots.slack.types import Click, Place, PlanKey, Submission
from tools.domain import Person, PlanRecord, PlanState
from tools.errors import FrostlineError, NotAllowed, PlanConflict, Unreachable

if TYPE_CHECKING:
    from agent.policy import Decision
    from agent.store import AuditRow
    from bots.slack.parts import Parts

__all__ = ["PlanButtons"]

_log = logging.getLogger("frostline.slack.deciding")

_LONGEST_REASON = 1000
_MOST_ROWS = 40
_DONE: Mapping[str, tuple[PlanState, ...]] = {
    "approve": (PlanState.APPLIED,),
    "decline": (PlanState.DECLINED,),
    "cancel": (PlanState.CANCELLED,),
}


class PlanButtons:
    """What each button does, after the acknowledgement. May raise FrostlineError: the caller tells it."""

    def __init__(self, parts: Parts, teller: Teller) -> None:
        self._parts, self._teller = parts, teller

    # --- approve -------------------------------------------------------------------------------------------------

    def approve(self, click: Click) -> None:
        key = self._key(click)
        person = self._teller.decider(click, key, "approve") if key else None
        if key and person:
            self._decide(click, key, person, "approve")

    def _decide(self, click: Click, key: PlanKey, person: Person, decision: Decision, reason: str = "") -> None:
        """Through the one door; then the card says what became of it, and so do we where it is not what was meant."""
        try:
            outcome = self._parts.runtime.decide(key.ref, key.digest, person, decision, reason)
        except PlanConflict as conflict:
            self._correct(click, key, conflict)
        except FrostlineError as error:
            self._teller.tell_error(click, error)
        else:
            _log.info("%s of %s by %s: %s", decision, key.ref, person.id, outcome.state.value)
            if outcome.state not in _DONE[decision]:
                self._teller.tell(click, said(report_words(outcome.plan)))
            self._pressed(click, key, is_wrong=False)
        self._refresh(key.ref)

    def _correct(self, click: Click, key: PlanKey, conflict: PlanConflict) -> None:
        """The card showed what is no longer true."""
        self._teller.tell_error(click, conflict)
        self._pressed(click, key, is_wrong=True)
        self._refresh(key.ref)

    def _pressed(self, click: Click, key: PlanKey, *, is_wrong: bool) -> None:
        if not click.place or not click.message_ts or click.is_ephemeral:
            return
        team = click.team or self._parts.me.team
        try:
            self._parts.desk.pressed(key.ref, click.place, click.message_ts, team, is_wrong=is_wrong)
        except FrostlineError as error:  # what was decided stands; the next press tries again
            _log.warning("the card of %s that was pressed is not known: %s", key.ref, error.message)

    def _refresh(self, ref: str) -> None:
        try:
            self._parts.desk.refresh(ref)
        except FrostlineError as error:  # the refresher will do it; the decision stands
            _log.warning("cards of %s are not refreshed: %s", ref, error.message)

    # --- decline -------------------------------------------------------------------------------------------------

    def decline(self, click: Click) -> None:
        """Opens the form; the decision comes with `on_decline_form`."""
        key = self._key(click)
        person = self._teller.decider(click, key, "decline") if key else None
        if not key or not person or not click.place or not click.message_ts:
            return
        try:
            view = self._parts.desk.view(key.ref)
            decision = self._way(view, key, person)
        except PlanConflict as conflict:
            self._correct(click, key, conflict)
            return
        except NotAllowed as denied:
            self._teller.denied(click.author, key, "decline", denied.rule, denied.message)
            self._teller.tell_error(click, denied)
            return
        withdraw = decision != "decline"
        self._teller.open(click, decline_view(view, click.place.channel, click.message_ts, withdraw=withdraw))

    def _way(self, view: CardView, key: PlanKey, person: Person) -> Decision:
        """decline for approvers, cancel for who asked and for what was approved already.

        Raises:
            PlanConflict: the card's digest is not the plan's, or nothing is left to decide.
            NotAllowed: neither an approver nor the one who asked.
        """
        if view.digest != key.digest:
            raise PlanConflict("This card showed another version of the plan; look again.", reason="digest")
        states = {r.state for r in view.records}
        if not states & {PlanState.PROPOSED, PlanState.APPROVED}:
            raise self._parts.runtime.store.already(view.records[0])
        runtime, decision = self._parts.runtime, "decline"
        if PlanState.APPROVED in states or not runtime.policy.has_role(person, "approver"):
            decision = "cancel"
        way: Decision = "cancel" if decision == "cancel" else "decline"
        first = next(r for r in view.records if r.state in (PlanState.PROPOSED, PlanState.APPROVED))
        runtime.policy.may_decide(first, person, runtime.clock.now(), applied_last_hour=0, decision=way)
        return way

    def on_decline_form(self, sent: Submission) -> None:
        """Everything is read again: what the form was opened for may have moved on since."""
        form = decline_form(sent.metadata)
        if form is None:
            _log.warning("a decline form of %s without a key of ours", sent.author.user)
            return
        key = form.key
        click = as_click(sent.author, self._place(form.channel, form.ts), form.ts)
        reason = " ".join(sent.values.get(REASON_BLOCK, "").split())[:_LONGEST_REASON]
        if not reason:
            self._teller.tell(click, said("Nothing is declined: a reason is needed."))
            return
        person = self._teller.decider(click, key, "decline")
        if person is None:
            return
        try:
            decision = self._way(self._parts.desk.view(key.ref), key, person)
        except PlanConflict as conflict:
            self._correct(click, key, conflict)
        except NotAllowed as denied:
            self._teller.denied(sent.author, key, "decline", denied.rule, denied.message)
            self._teller.tell_error(click, denied)
        else:
            self._decide(click, key, person, decision, reason)

    def place_of(self, sent: Submission) -> tuple[Place | None, str | None]:
        """Where the card stands that the form was opened from, and its ts; None for no form of ours.

        A place without its thread where the store does not answer: this is asked for in order to tell people.
        """
        form = decline_form(sent.metadata)
        return (self._place(form.channel, form.ts), form.ts) if form else (None, None)

    def _place(self, channel: str, ts: str) -> Place:
        try:
            card = self._parts.runtime.store.cards.at(channel, ts)
        except Unreachable:
            card = None
        return Place(channel, card.thread_ts if card else None)

    # --- details, undo -------------------------------------------------------------------------------------------

    def details(self, click: Click) -> None:
        key = self._key(click)
        person = self._teller.asker(click) if key else None
        if key is None or person is None:
            return
        self._parts.runtime.policy.check_role(person, "viewer", "see a plan")
        try:
            view = self._parts.desk.view(key.ref)
        except PlanConflict as conflict:
            self._correct(click, key, conflict)
            return
        store = self._parts.runtime.store
        rows = [row for record in view.records for row in store.audit_rows(record.plan.id)]
        self._teller.open(click, _with_trail(details_view(view), sorted(rows, key=lambda row: row.seq)))

    def undo(self, click: Click) -> None:
        """A new plan with a card of its own, in the thread where the old one was asked for."""
        key = self._key(click)
        person = self._teller.decider(click, key, "undo") if key else None
        if not key or not person or not click.place:
            return
        with self._parts.desk.holding(key.ref) as alone:
            if not alone:
                self._teller.tell(click, said("Somebody else is at this card just now; try again in a moment."))
                return
            waiting, target = self._undo_of(key.ref)
            record = waiting or self._parts.runtime.undo(target, person)
            # Held until it stands there: whoever presses at the same time finds the card and posts no second one.
            self._parts.desk.post(record.plan.id, self._home(key.ref, click), click.team or self._parts.me.team)
        if waiting:
            self._teller.tell(click, said(f"The way back waits for a decision already: plan {waiting.plan.id}."))

    def _undo_of(self, ref: str) -> tuple[PlanRecord | None, str]:
        """An undo that waits already, and the plan to take back: of a bundle the last that still stands."""
        store = self._parts.runtime.store
        found = store.resolve(ref)
        if isinstance(found, PlanRecord):
            members = [found]
        else:
            members = [r for r in reversed(found.plans) if r.state is PlanState.APPLIED]
        waiting = {r.plan.undo_of: r for r in store.open_plans() if r.plan.undo_of}
        undone = {r.plan.undo_of for r in store.list((PlanState.APPLIED,), limit=1000) if r.plan.undo_of}
        for record in members:
            if record.plan.id in waiting or record.plan.id not in undone:
                return waiting.get(record.plan.id), record.plan.id
        return None, members[0].plan.id if members else ref

    def _home(self, ref: str, click: Click) -> Place:
        """The thread that the first card stands in; else the one that was pressed."""
        first = next((c for c in self._parts.desk.cards_of(ref) if c.thread_ts), None)
        if first is not None:
            return Place(first.channel, first.thread_ts)
        assert click.place is not None
        return Place(click.place.channel, click.place.thread_ts or click.message_ts)

    # --- inside --------------------------------------------------------------------------------------------------

    def _key(self, click: Click) -> PlanKey | None:
        key = PlanKey.parse(click.value)
        if key is None:
            _log.warning("%s by %s without a key of ours", click.action, click.author.user)
            self._teller.tell(click, said("This button belongs to no plan; ask for the change again."))
        return key


def _with_trail(view: Mapping[str, Any], rows: list[AuditRow]) -> dict[str, Any]:
    """The audit rows below the details, newest last; Slack takes 100 blocks in a modal."""
    kept = rows[-_MOST_ROWS:]
    left_out = len(rows) - len(kept)
    lines = [f"{left_out} earlier rows: frostline audit list"] if left_out else []
    lines += [_row(row) for row in kept]
    blocks = [*view["blocks"], *context("Audit trail\n" + "\n".join(lines))]
    return {**view, "blocks": blocks[:100]}


def _row(row: AuditRow) -> str:
    why = row.detail.get("message") or row.detail.get("reason") or ""
    return f"{row.seq}. {row.at[:19]}Z {row.event} by {row.actor}" + (f": {why}" if why else "")
