"""Leases: what only one process may do at a time, and what is free again when that process is gone."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, Engine, delete, select, update

from agent.store.engine import reading, writing
from agent.store.tables import leases
from tools.context import Clock

__all__ = ["Leases", "is_held"]


class Leases:
    """Leases of one account, by wall time; safe in several threads and processes. Every method may raise Unreachable.

    `holder` is unique for each use, not only for each process: it cannot take what it holds twice.
    """

    def __init__(self, engine: Engine, *, account: str, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self.account = account

    def take(self, name: str, holder: str, lease: timedelta) -> bool:
        """The right to do it until the lease lapses; False where somebody has it."""
        with writing(self._engine) as connection:
            now = self._clock.now()
            free = self._is(name) & (leases.c.until <= now)
            connection.execute(delete(leases).where(free))
            if connection.execute(select(leases.c.holder).where(self._is(name))).first():
                return False
            row = {"account": self.account, "name": name, "holder": holder, "until": now + lease}
            connection.execute(leases.insert().values(**row))
        return True

    def renew(self, name: str, holder: str, lease: timedelta) -> bool:
        """Begin its time anew; False where it has lapsed or is another's: what is being done must not be finished."""
        with writing(self._engine) as connection:
            now = self._clock.now()
            mine = self._is(name) & (leases.c.holder == holder) & (leases.c.until > now)
            return connection.execute(update(leases).where(mine).values(until=now + lease)).rowcount == 1

    def release(self, name: str, holder: str) -> None:
        """Give it back; nothing happens where it is another's by now."""
        with writing(self._engine) as connection:
            connection.execute(delete(leases).where(self._is(name), leases.c.holder == holder))

    def holder(self, name: str) -> tuple[str, datetime] | None:
        """(who, until when); None where it is free."""
        with reading(self._engine) as connection:
            found = select(leases.c.holder, leases.c.until).where(self._is(name), leases.c.until > self._clock.now())
            row = connection.execute(found).first()
        return (row.holder, row.until) if row else None

    def _is(self, name: str) -> ColumnElement[bool]:
        return (leases.c.account == self.account) & (leases.c.name == name)


def is_held(connection: Connection, account: str, name: str, holder: str, now: datetime) -> bool:
    """Inside the transaction of what the lease is for: a process that slept past it writes nothing."""
    mine = (leases.c.account == account) & (leases.c.name == name) & (leases.c.holder == holder)
    return connection.execute(select(leases.c.name).where(mine, leases.c.until > now)).first() is not None
