"""The inbox: what people have sent, kept before it is acknowledged, worked on once and in order.

    queued -> claimed -> done | dropped | interrupted          claimed, lease lapsed -> claimed by somebody else

Within a conversation at most one item is claimed, whoever works on it. One whose lease has lapsed keeps its
conversation closed until it is taken over: what comes after it must not be answered before people were told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Engine, Select, delete, exists, func, literal, select, update
from sqlalchemy.engine import RowMapping

from agent.store.engine import reading, writing
from agent.store.rows import storable
from agent.store.tables import inbox_items as items
from agent.store.tables import inbox_keys as keys_
from tools.context import Clock

__all__ = ["Inbox", "Item", "ItemState", "Waiting"]

_PRUNED_AT_ONCE = 500


class ItemState(StrEnum):
    QUEUED = "queued"
    CLAIMED = "claimed"
    DONE = "done"
    DROPPED = "dropped"
    """Wanted no answer, or nobody may have one."""
    INTERRUPTED = "interrupted"
    """Its process stopped while it was worked on, and people were told so."""


Finished = Literal[ItemState.DONE, ItemState.DROPPED, ItemState.INTERRUPTED]
_FINISHED = (ItemState.DONE, ItemState.DROPPED, ItemState.INTERRUPTED)


@dataclass(frozen=True)
class Item:
    id: str
    kind: str
    conversation: str
    order: str
    """Sorts the items of a conversation, as text: the ts of its message."""
    body: dict[str, Any]
    state: ItemState
    claimed_by: str | None
    """Kept when it is finished: who worked on it last."""
    claimed_until: datetime | None
    attempts: int
    """How often it was claimed or taken over."""
    progress: dict[str, Any]
    """Where its reply stands, for whoever takes it over."""
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True)
class Waiting:
    count: int
    """Queued items."""
    oldest: datetime | None
    """Since when the one that has waited longest does."""
    claimed: int


class Inbox:
    """Items of one account; safe in several threads and processes. `by` names a worker, as one process sees it.

    Bodies and progress are dicts of plain JSON values. Every method may raise Unreachable.
    """

    def __init__(self, engine: Engine, *, account: str, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self.account = account

    # --- coming in -----------------------------------------------------------------------------------------------

    def put(
        self, item_id: str, keys: Sequence[str], *, kind: str, conversation: str, order: str, body: Mapping[str, Any]
    ) -> bool:
        """Queue what came in, once: False where its id or one of its keys is known.

        The keys are then remembered as that item's too, so that a third copy with yet another pair is known.
        """
        with writing(self._engine) as connection:
            known = self._known(connection, item_id, keys)
            self._remember(connection, known or item_id, keys)
            if not known:
                self._insert(connection, item_id, kind=kind, conversation=conversation, order=order, body=dict(body))
        return not known

    def again(self, item_id: str, new_id: str, by_key: str) -> bool:
        """Queue the same body once more, as kind `again` and behind everything that was sent until now.

        `by_key` is what asked for it, e.g. a click: False where it has done so already, or the item is gone.
        """
        with writing(self._engine) as connection:
            row = connection.execute(select(items).where(self._is(item_id))).mappings().first()
            if row is None or self._known(connection, new_id, (by_key,)):
                return False
            self._remember(connection, new_id, (by_key,))
            order = f"{self._clock.now().timestamp():.6f}"
            again = {"kind": "again", "conversation": row["conversation"], "order": order, "body": row["body"]}
            self._insert(connection, new_id, **again)
        return True

    # --- being worked on -----------------------------------------------------------------------------------------

    def claim(self, by: str, lease: timedelta) -> Item | None:
        """The next one: the smallest order among those whose conversation is not being worked on.

        Cheap where there is none, and no writer then: it is asked for all the time.
        """
        query = self._next()
        with reading(self._engine) as connection:
            if connection.execute(query).first() is None:
                return None
        with writing(self._engine) as connection:
            found = connection.execute(query).scalars().first()
            return None if found is None else self._hand_to(connection, found, by, lease)

    def renew(self, ids: Iterable[str], by: str, lease: timedelta) -> frozenset[str]:
        """Start their leases anew; returns those that are still `by`'s, also where a lease had lapsed unseen."""
        wanted = frozenset(ids)
        if not wanted:
            return wanted
        with writing(self._engine) as connection:
            mine = self._claimed() & (items.c.claimed_by == by) & items.c.id.in_(wanted)
            connection.execute(update(items).where(mine).values(claimed_until=self._clock.now() + lease))
            return frozenset(connection.execute(select(items.c.id).where(mine)).scalars())

    def note(self, item_id: str, by: str, progress: Mapping[str, Any]) -> bool:
        """Merge into its progress; False, and nothing is written, where it is not `by`'s (any more)."""
        return self._write(item_id, by, progress)

    def finish(self, item_id: str, by: str, state: Finished, progress: Mapping[str, Any] | None = None) -> bool:
        """claimed by `by` -> done, dropped or interrupted; False where it is not `by`'s (any more)."""
        return self._write(item_id, by, progress or {}, state=ItemState(state).value, claimed_until=None)

    def take_over(self, by: str, lease: timedelta) -> tuple[Item, ...]:
        """Everything whose lease has lapsed, in order; of many callers one gets each.

        `by`'s own are among them: renew first what is really being worked on.
        """
        lapsed = self._claimed() & (items.c.claimed_until <= self._clock.now())
        query = select(items.c.id).where(lapsed).order_by(items.c.place, items.c.id)
        with reading(self._engine) as connection:
            if connection.execute(query).first() is None:
                return ()
        with writing(self._engine) as connection:
            found = connection.execute(query).scalars().all()
            return tuple(self._hand_to(connection, item_id, by, lease) for item_id in found)

    # --- looking -------------------------------------------------------------------------------------------------

    def get(self, item_id: str) -> Item | None:
        with reading(self._engine) as connection:
            row = connection.execute(select(items).where(self._is(item_id))).mappings().first()
        return _item(row) if row else None

    def latest(self, conversation: str) -> Item | None:
        """What came in last in a conversation, less what was dropped; None: it is none that was ever answered."""
        ours = (items.c.account == self.account) & (items.c.conversation == conversation)
        answered = ours & (items.c.state != _spelled_out(ItemState.DROPPED))
        newest = select(items).where(answered).order_by(items.c.place.desc(), items.c.id.desc()).limit(1)
        with reading(self._engine) as connection:
            row = connection.execute(newest).mappings().first()
        return _item(row) if row else None

    def running(self, conversation: str) -> Item | None:
        """What a conversation's claimed item is, if it has one."""
        mine = self._claimed() & (items.c.conversation == conversation)
        with reading(self._engine) as connection:
            row = connection.execute(select(items).where(mine)).mappings().first()
        return _item(row) if row else None

    def waiting(self) -> Waiting:
        queued = select(func.count(), func.min(items.c.created_at)).where(self._queued())
        claimed = select(func.count()).select_from(items).where(self._claimed())
        with reading(self._engine) as connection:
            count, oldest = connection.execute(queued).one()
            return Waiting(count, oldest, connection.execute(claimed).scalar_one())

    def prune(self, before: datetime) -> int:
        """Forget items that were finished before, with their keys; returns how many.

        In small transactions: an acknowledgement that waits for a writer has three seconds.
        """
        old = (items.c.account == self.account) & items.c.state.in_(_FINISHED) & (items.c.updated_at < before)
        query = select(items.c.id).where(old).limit(_PRUNED_AT_ONCE)
        pruned = 0
        while True:
            with writing(self._engine) as connection:
                ids = connection.execute(query).scalars().all()
                connection.execute(delete(keys_).where(keys_.c.account == self.account, keys_.c.item_id.in_(ids)))
                connection.execute(delete(items).where(items.c.account == self.account, items.c.id.in_(ids)))
            pruned += len(ids)
            if len(ids) < _PRUNED_AT_ONCE:
                return pruned

    # --- inside --------------------------------------------------------------------------------------------------

    def _known(self, connection: Connection, item_id: str, keys: Sequence[str]) -> str | None:
        """The id of the item that has this id or one of these keys."""
        of_key = select(keys_.c.item_id).where(keys_.c.account == self.account, keys_.c.key.in_(keys)).limit(1)
        known: str | None = connection.execute(of_key).scalar()
        return known or connection.execute(select(items.c.id).where(self._is(item_id))).scalar()

    def _remember(self, connection: Connection, item_id: str, keys: Sequence[str]) -> None:
        given = {str(storable(key)) for key in keys}
        known = select(keys_.c.key).where(keys_.c.account == self.account, keys_.c.key.in_(given))
        for key in sorted(given.difference(connection.execute(known).scalars())):
            connection.execute(keys_.insert().values(account=self.account, key=key, item_id=item_id))

    def _insert(self, connection: Connection, item_id: str, *, order: str, **values: Any) -> None:
        now = self._clock.now()
        new = {"state": ItemState.QUEUED.value, "attempts": 0, "progress": {}, "created_at": now, "updated_at": now}
        connection.execute(items.insert().values(account=self.account, id=item_id, place=order, **new, **values))

    def _next(self) -> Select[str]:
        busy = items.alias()
        being_worked_on = exists().where(
            busy.c.account == items.c.account,
            busy.c.conversation == items.c.conversation,
            busy.c.state == _spelled_out(ItemState.CLAIMED),
        )
        free = self._queued() & ~being_worked_on
        return select(items.c.id).where(free).order_by(items.c.place, items.c.id).limit(1)

    def _hand_to(self, connection: Connection, item_id: str, by: str, lease: timedelta) -> Item:
        now = self._clock.now()
        values = {"state": ItemState.CLAIMED.value, "claimed_by": by, "claimed_until": now + lease, "updated_at": now}
        mine = update(items).where(self._is(item_id)).values(attempts=items.c.attempts + 1, **values)
        connection.execute(mine)
        return _item(connection.execute(select(items).where(self._is(item_id))).mappings().one())

    def _write(self, item_id: str, by: str, progress: Mapping[str, Any], **values: Any) -> bool:
        mine = self._is(item_id) & self._claimed() & (items.c.claimed_by == by)
        with writing(self._engine) as connection:
            row = connection.execute(select(items.c.progress).where(mine)).first()
            if row is None:
                return False
            merged = {**row.progress, **progress}
            changed = update(items).where(self._is(item_id))
            connection.execute(changed.values(progress=merged, updated_at=self._clock.now(), **values))
        return True

    def _is(self, item_id: str) -> ColumnElement[bool]:
        return (items.c.account == self.account) & (items.c.id == item_id)

    def _queued(self) -> ColumnElement[bool]:
        return (items.c.account == self.account) & (items.c.state == _spelled_out(ItemState.QUEUED))

    def _claimed(self) -> ColumnElement[bool]:
        return (items.c.account == self.account) & (items.c.state == _spelled_out(ItemState.CLAIMED))


def _spelled_out(state: ItemState) -> ColumnElement[str]:
    """In the statement itself: a partial index is not chosen for a value that comes as a parameter."""
    return literal(state.value, literal_execute=True)


def _item(row: RowMapping) -> Item:
    values = {name: value for name, value in row.items() if name not in ("account", "place", "state")}
    return Item(**values, order=row["place"], state=ItemState(row["state"]))
