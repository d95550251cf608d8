"""Where the cards of plans stand: which message shows which plan, and what it shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Engine, delete, select, update
from sqlalchemy.engine import RowMapping

from agent.store.engine import reading, writing
from agent.store.tables import cards
from tools.context import Clock

__all__ = ["Card", "Cards"]


@dataclass(frozen=True)
class Card:
    """A message of ours, named by channel and ts."""

    ref: str
    """Id of its plan or bundle."""
    team: str
    channel: str
    ts: str
    thread_ts: str | None = None
    shown: str = ""
    """Fingerprint of what it shows."""
    told: str = ""
    """The state that its thread was told last; with `?` before it, it is not known whether it was told."""
    closed: bool = False
    """Nothing about it will change any more."""
    created_at: datetime | None = None
    """`Cards.put` gives it the store's time."""


class Cards:
    """Cards of one account; safe in several threads and processes. Every method may raise Unreachable."""

    def __init__(self, engine: Engine, *, account: str, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self.account = account

    def put(self, card: Card) -> None:
        """Remember it; one that is known stays as it is."""
        values = {name: getattr(card, name) for name in ("ref", "team", "channel", "ts", "thread_ts", "shown", "told")}
        with writing(self._engine) as connection:
            if connection.execute(select(cards.c.ts).where(self._is(card.channel, card.ts))).first():
                return
            created = {"closed": card.closed, "created_at": card.created_at or self._clock.now()}
            connection.execute(cards.insert().values(account=self.account, **values, **created))

    def of(self, ref: str) -> tuple[Card, ...]:
        """All cards of a plan or bundle, oldest first."""
        return self._cards(cards.c.ref == ref)

    def at(self, channel: str, ts: str) -> Card | None:
        found = self._cards(self._is(channel, ts))
        return found[0] if found else None

    def open(self, limit: int = 200) -> tuple[Card, ...]:
        """Those that are not closed, oldest first."""
        return self._cards(cards.c.closed.is_(False), limit)

    def take(self, channel: str, ts: str, by: str, lease: timedelta) -> Card | None:
        """The right to change this message until the lease lapses; None where it is taken, or there is no such card.

        `by` cannot take it twice either: two threads of a process may well go by the same name.
        """
        now = self._clock.now()
        free = cards.c.claimed_until.is_(None) | (cards.c.claimed_until <= now)
        taken = update(cards).where(self._is(channel, ts), free).values(claimed_by=by, claimed_until=now + lease)
        with writing(self._engine) as connection:
            if not connection.execute(taken).rowcount:
                return None
            return _card(connection.execute(select(cards).where(self._is(channel, ts))).mappings().one())

    def note(self, channel: str, ts: str, by: str, *, told: str) -> bool:
        """Keep it, and write down what its thread is about to be told; False where another has taken it since."""
        mine = self._is(channel, ts) & (cards.c.claimed_by == by)
        with writing(self._engine) as connection:
            return connection.execute(update(cards).where(mine).values(told=told)).rowcount == 1

    def release(
        self,
        channel: str,
        ts: str,
        by: str,
        *,
        shown: str | None = None,
        told: str | None = None,
        closed: bool | None = None,
    ) -> bool:
        """Give it back, with what it shows now; False, and nothing is written, where another has taken it since."""
        given = {"shown": shown, "told": told, "closed": closed}
        values = {name: value for name, value in given.items() if value is not None}
        mine = self._is(channel, ts) & (cards.c.claimed_by == by)
        with writing(self._engine) as connection:
            freed = update(cards).where(mine).values(claimed_by=None, claimed_until=None, **values)
            return connection.execute(freed).rowcount == 1

    def prune(self, before: datetime) -> int:
        """Forget closed cards that were made before; returns how many."""
        old = (cards.c.account == self.account) & cards.c.closed.is_(True) & (cards.c.created_at < before)
        with writing(self._engine) as connection:
            return connection.execute(delete(cards).where(old)).rowcount

    def _cards(self, where: ColumnElement[bool], limit: int | None = None) -> tuple[Card, ...]:
        ordered = select(cards).order_by(cards.c.created_at, cards.c.channel, cards.c.ts)
        with reading(self._engine) as connection:
            rows = connection.execute(ordered.where(cards.c.account == self.account, where).limit(limit))
            return tuple(_card(row) for row in rows.mappings())

    def _is(self, channel: str, ts: str) -> ColumnElement[bool]:
        return (cards.c.account == self.account) & (cards.c.channel == channel) & (cards.c.ts == ts)


def _card(row: RowMapping) -> Card:
    return Card(**{name: row[name] for name in Card.__dataclass_fields__})
