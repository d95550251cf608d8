"""Approval cards: one message for each plan or bundle, kept true wherever it was decided.

A card is a drawing of the plan's row. Whoever changes one holds the lease on the card's row and reads the plan
again inside it, so that of two processes none paints an older state over a newer one.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from agent.store.cards import Card
from bots.slack.render.card import CardView, card_message, fingerprint, told_message
from bots.slack.render.notes import error_message
from bots.slack.types import Message, Place
from tools.changes.words import describe
from tools.domain import PlanRecord, PlanState, Role
from tools.errors import ChannelRefused, FrostlineError, PlanConflict

if TYPE_CHECKING:
    from agent.state import PlanSummary
    from agent.store import BundleRecord
    from bots.slack.parts import Parts

__all__ = ["CardDesk"]

_log = logging.getLogger("frostline.slack.cards")

_LEASE = timedelta(seconds=60)
_MOST_OPEN = 1000
_LONGEST_PAUSE_S = 300.0
_NO_CARD = frozenset({"message_not_found", "cant_update_message", "edit_window_closed"})
"""Slack's codes for a message that cannot be changed any more; its thread may still be told."""
_NO_PLACE = frozenset(
    {
        "channel_not_found",
        "not_in_channel",
        "is_archived",
        "is_inactive",
        "team_not_found",
        "thread_not_found",
        "cannot_reply_to_message",
        "account_inactive",
        "team_access_not_granted",
    }
)
"""... and for one where nothing can be said any more."""
_PERHAPS = "?"
_MAY_EXPIRE = (PlanState.PROPOSED, PlanState.APPROVED)

_Where = tuple[str, str]
_Stamp = tuple[tuple[str, str, datetime], ...]


@dataclass
class _Trouble:
    """A card that could not be changed: when it is tried again, in ever longer steps."""

    pause_s: float
    until: float


class CardDesk:
    """Posts cards and keeps them true. Thread-safe; any number of processes may share the store."""

    def __init__(self, parts: Parts, *, now: Callable[[], float] = time.monotonic) -> None:
        self._parts, self._now = parts, now
        self._lock = threading.Lock()
        self._seen: dict[_Where, _Stamp] = {}
        """What the plans of a card looked like when the card was last found to be true."""
        self._unsure: dict[_Where, str] = {}
        """Cards of which it is not known what they show (where -> ref): painted anew, come what may."""
        self._trouble: dict[_Where, _Trouble] = {}

    # --- posting -------------------------------------------------------------------------------------------------

    def post_for(self, plans: Sequence[PlanSummary], place: Place, team: str, item_id: str) -> None:
        """One card for each plan, or for each bundle, in the thread; and in the channel for approvals.

        Again is harmless: a card that was posted before is found by its key.

        Raises:
            FrostlineError: the thread's card could not be posted; the other channel's is logged only.
        """
        for ref in dict.fromkeys(plan.bundle or plan.id for plan in plans):
            _log.info("card for %s (question %s)", ref, item_id)
            self.post(ref, place, team)

    def post(self, ref: str, place: Place, team: str) -> None:
        """As post_for, for one plan or bundle."""
        view = self.view(ref)
        self._post_once(view, place, team)
        elsewhere = self._parts.settings.approvals_channel
        if elsewhere and elsewhere != place.channel:
            try:
                self._post_once(view, Place(elsewhere), team)
            except FrostlineError as error:
                _log.warning("no card in the approvals channel %s: %s", elsewhere, error.message)

    def _post_once(self, view: CardView, place: Place, team: str) -> None:
        cards = self._parts.runtime.store.cards
        if any(card.channel == place.channel for card in cards.of(view.ref)):
            return
        message = card_message(view)
        ts = self._parts.api.post(place, message, key=f"card:{view.ref}:{place.channel}")
        cards.put(self._card(view.ref, team, place, ts, shown=fingerprint(message)))

    def pressed(self, ref: str, place: Place, ts: str, team: str, *, is_wrong: bool) -> None:
        """Somebody pressed a button of this message: if it is a card whose row was lost it is known from now on.

        `is_wrong`: it showed what is no longer true. What a press says is no proof: any message of ours could be
        named, so its row has to be of the same plan, or its key.

        Raises:
            FrostlineError: it cannot be found out now.
        """
        known = self._parts.runtime.store.cards.at(place.channel, ts)
        if known is None:
            is_ours = self._parts.api.find(place, f"card:{ref}:{place.channel}") == ts
        else:
            is_ours = known.ref == ref
        if not is_ours:
            _log.warning("%s/%s is no card of %s", place.channel, ts, ref[:64])
        elif known is None or is_wrong:
            self.adopt(ref, place, ts, team)

    def adopt(self, ref: str, place: Place, ts: str, team: str) -> None:
        """This message is a card of `ref`, and it may show what is no longer true."""
        where = (place.channel, ts)
        store = self._parts.runtime.store
        if store.cards.at(*where) is None:
            thread = place.thread_ts if place.thread_ts != ts else None
            store.cards.put(self._card(ref, team, replace(place, thread_ts=thread), ts, shown=""))
        with self._lock:
            self._unsure[where] = ref

    @staticmethod
    def _card(ref: str, team: str, place: Place, ts: str, *, shown: str) -> Card:
        return Card(ref=ref, team=team, channel=place.channel, ts=ts, thread_ts=place.thread_ts, shown=shown)

    # --- what a card shows ---------------------------------------------------------------------------------------

    def view(self, ref: str) -> CardView:
        """The plan or bundle as it is now.

        Raises:
            PlanConflict: not_found, digest.
        """
        runtime = self._parts.runtime
        found = runtime.store.resolve(ref)
        records = (found,) if isinstance(found, PlanRecord) else found.plans
        two_people = any(r.plan.verdict.two_people for r in records)
        return CardView(
            ref=ref,
            digest=found.digest,
            title=_title(found),
            records=records,
            tz=runtime.account.timezone,
            approvers=self._approvers(records, two_people),
            two_people=two_people,
            teams=tuple(team for team in (self._parts.me.team, self._parts.me.enterprise) if team),
        )

    def _approvers(self, records: Sequence[PlanRecord], two_people: bool) -> tuple[str, ...]:
        """Whom the card mentions; where it takes two people, not the one who asked."""
        policy = self._parts.runtime.policy
        highest: Role = "admin" if any(r.plan.verdict.approver_role == "admin" for r in records) else "approver"
        requester = records[0].plan.requester.id
        people = [e for e in policy.approvers(highest) if not (two_people and requester in e.ids)]
        return self._parts.people.mention_ids([*people, *policy.approver_groups(highest)])

    # --- keeping them true ---------------------------------------------------------------------------------------

    def refresh(self, ref: str | None = None) -> int:
        """Paint anew the cards of this plan or bundle, or all open ones, that show what is no longer true.

        Costs two queries where nothing has changed. Slack saying no or nothing is logged and tried again later.
        Returns how many messages were changed or sent.

        Raises:
            Unreachable: the store does not answer.
        """
        store = self._parts.runtime.store
        if ref is not None:
            return sum(self._paint(card, None) for card in store.cards.of(ref))
        stamps = self._stamps()
        cards = {(c.channel, c.ts): c for c in store.cards.open(_MOST_OPEN)}
        with self._lock:
            unsure = [where for where in self._unsure if where not in cards]
            self._seen = {where: stamp for where, stamp in self._seen.items() if where in cards}
            kept = self._unsure.keys() | cards.keys()
            self._trouble = {where: t for where, t in self._trouble.items() if where in kept}
        found = [*cards.values(), *(card for where in unsure if (card := store.cards.at(*where)))]
        return sum(self._paint(card, stamps.get(card.ref, ())) for card in found if self._is_due(card, stamps))

    def _stamps(self) -> dict[str, _Stamp]:
        """How each plan and bundle that is not final stands, by id: what is missing here is final."""
        store, now = self._parts.runtime.store, self._parts.runtime.clock.now()
        records = store.open_plans()
        if any(r.state in _MAY_EXPIRE and r.plan.expires_at <= now for r in records):
            store.expire_due()
            records = store.open_plans()
        stamps: dict[str, _Stamp] = {}
        for record in records:
            mark = (record.plan.id, record.state.value, record.updated_at)
            for name in {record.plan.id, record.plan.bundle or record.plan.id}:
                stamps[name] = (*stamps.get(name, ()), mark)
        return stamps

    def _is_due(self, card: Card, stamps: dict[str, _Stamp]) -> bool:
        where, stamp = (card.channel, card.ts), stamps.get(card.ref)
        with self._lock:
            trouble = self._trouble.get(where)
            if trouble and self._now() < trouble.until:
                return False
            return where in self._unsure or stamp is None or self._seen.get(where) != stamp

    def _paint(self, card: Card, stamp: _Stamp | None) -> int:
        """Under the card's lease: read the plan, change the message where it differs, tell the thread once."""
        where, cards = (card.channel, card.ts), self._parts.runtime.store.cards
        taken = cards.take(*where, self._parts.by, _LEASE)
        if taken is None:
            return 0  # another is at it; the next round looks again
        with self._lock:
            unsure = self._unsure.pop(where, None) is not None
        if unsure:
            taken = replace(taken, shown="")
        work = _Work(self._parts, taken, self.view)
        try:
            work.do()
        except FrostlineError as error:
            self._failed(where, error, card.ref if unsure else None)
        except BaseException:
            cards.release(*where, self._parts.by)
            raise
        else:
            with self._lock:
                self._trouble.pop(where, None)
                if stamp is not None:
                    self._seen[where] = stamp
        if not cards.release(*where, self._parts.by, shown=work.shown, told=work.told, closed=work.closed):
            # The lease ran out meanwhile: who took it may have painted before us what is newer than ours.
            with self._lock:
                self._unsure[where] = card.ref
        return work.sent

    def _failed(self, where: _Where, error: FrostlineError, unsure: str | None) -> None:
        with self._lock:
            if unsure is not None:
                self._unsure[where] = unsure
            before = self._trouble.get(where)
            pause = min(before.pause_s * 2 if before else self._parts.settings.refresh_s, _LONGEST_PAUSE_S)
            self._trouble[where] = _Trouble(pause, self._now() + pause)
        _log.warning("card %s/%s is not refreshed, next try in %.0f s: %s", *where, pause, error.message)

    def cards_of(self, ref: str) -> tuple[Card, ...]:
        """The cards of a plan or bundle; of a plan in a bundle the bundle's.

        Raises:
            PlanConflict: not_found, digest.
        """
        store = self._parts.runtime.store
        own = store.cards.of(ref)
        if own:
            return own
        found = store.resolve(ref)
        bundle = found.plan.bundle if isinstance(found, PlanRecord) else None
        return store.cards.of(bundle) if bundle else ()

    @contextmanager
    def holding(self, ref: str, patience_s: float = 5.0) -> Iterator[bool]:
        """The lease on one card of `ref`, so that two clicks do not do the same thing; False where it is not had."""
        cards = self._parts.runtime.store.cards
        found = next(iter(self.cards_of(ref)), None)
        if found is None:
            yield True
            return
        deadline = self._now() + patience_s
        while (taken := cards.take(found.channel, found.ts, self._name(), _LEASE)) is None and self._now() < deadline:
            time.sleep(0.05)
        try:
            yield taken is not None
        finally:
            if taken is not None:
                cards.release(found.channel, found.ts, self._name())

    def _name(self) -> str:
        return f"{self._parts.by}:{threading.get_ident()}"


class _Work:
    """One card being painted: what it shows and has told after each step that succeeded."""

    def __init__(self, parts: Parts, card: Card, view: Callable[[str], CardView]) -> None:
        self._parts, self._card, self._view = parts, card, view
        self.shown, self.told, self.closed = card.shown, card.told, card.closed
        self.sent = 0

    def do(self) -> None:
        try:
            self._paint()
        except ChannelRefused as refused:
            if refused.reason not in _NO_PLACE:
                raise
            _log.info("card %s/%s is gone: %s", self._card.channel, self._card.ts, refused.reason)
            self.closed = True

    def _paint(self) -> None:
        try:
            view = self._view(self._card.ref)
        except PlanConflict as conflict:
            # Not there for this account, or changed behind our back: no button may stay under it.
            self._show(error_message(conflict))
            self.closed = True
            return
        self._show(card_message(view))
        self._tell(view)
        self.closed = all(r.state.is_final for r in view.records)

    def _show(self, message: Message) -> None:
        mark = fingerprint(message)
        if mark == self.shown:
            return
        try:
            self._parts.api.update(self._card.channel, self._card.ts, message)
            self.sent += 1
        except ChannelRefused as refused:
            if refused.reason not in _NO_CARD:
                raise
            _log.info("card %s/%s cannot be changed: %s", self._card.channel, self._card.ts, refused.reason)
        self.shown = mark

    def _tell(self, view: CardView) -> None:
        """A short note in the thread it was asked in, since a message that changes notifies nobody."""
        message = None if self._is_copy() else told_message(view)
        states = ",".join(r.state.value for r in view.records)
        if message is None or states == self.told:
            return
        card, api = self._card, self._parts.api
        place, key = Place(card.channel, card.thread_ts or card.ts), f"told:{card.ref}:{card.channel}:{states}"
        # Whoever dies, or hears nothing from Slack, right after it was sent leaves the question mark.
        if self.told != _PERHAPS + states or api.find(place, key) is None:
            if not self._parts.runtime.store.cards.note(*self._where, self._parts.by, told=_PERHAPS + states):
                return  # the lease ran out: whoever has it now tells
            self.told = _PERHAPS + states
            api.post(place, message, key=key)
            self.sent += 1
        self.told = states

    @property
    def _where(self) -> _Where:
        return self._card.channel, self._card.ts

    def _is_copy(self) -> bool:
        """The card in the approvals channel of a plan that was asked for elsewhere."""
        card = self._card
        if card.thread_ts is not None or card.channel != self._parts.settings.approvals_channel:
            return False
        return any(c.channel != card.channel for c in self._parts.runtime.store.cards.of(card.ref))


def _title(found: PlanRecord | BundleRecord) -> str:
    return describe(found.plan).rstrip(".") if isinstance(found, PlanRecord) else found.bundle.title
