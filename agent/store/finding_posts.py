"""Where findings were posted: one message for each finding and channel, claimed before it is sent."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Engine, delete, or_, select, update
from sqlalchemy.engine import RowMapping

from agent.store.engine import reading, writing
from agent.store.tables import finding_posts, meta
from tools.context import Clock

__all__ = ["FindingPost", "FindingPosts"]

_COUNTED = "counted"
_IS_COUNTED = finding_posts.c.ts.is_(None) & finding_posts.c.closed & finding_posts.c.shown.startswith(_COUNTED)


@dataclass(frozen=True)
class FindingPost:
    finding_id: str
    channel: str
    ts: str | None = None
    """None: claimed and not known to stand there, or told of in a message that is not its own."""
    shown: str = ""
    """Fingerprint of what the message shows."""
    closed: bool = False
    """Nothing about it will change any more."""
    attempts: int = 1
    """How often it was claimed without a message known: from the second on it is looked for before it is sent."""


class FindingPosts:
    """Posts of one account; safe in several threads and processes. Every method may raise Unreachable."""

    def __init__(self, engine: Engine, *, account: str, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self.account = account

    def claim(self, finding_id: str, channel: str, by: str, lease: timedelta) -> FindingPost | None:
        """The right to post or change this message until the lease lapses; None where another has it, or where
        nothing is to be said in it any more.
        """
        with writing(self._engine) as connection:
            now = self._clock.now()
            row = connection.execute(select(finding_posts).where(self._is(finding_id, channel))).mappings().first()
            mine = {"claimed_by": by, "claimed_until": now + lease}
            if row is None:
                new = {"account": self.account, "finding_id": finding_id, "channel": channel, "created_at": now}
                connection.execute(finding_posts.insert().values(**new, shown="", closed=False, attempts=1, **mine))
                return FindingPost(finding_id, channel)
            if row["closed"] or (row["claimed_until"] is not None and row["claimed_until"] > now):
                return None
            attempts = row["attempts"] + (row["ts"] is None)
            taken = update(finding_posts).where(self._is(finding_id, channel)).values(attempts=attempts, **mine)
            connection.execute(taken)
            return _post(row, attempts)

    def release(
        self,
        finding_id: str,
        channel: str,
        by: str,
        *,
        ts: str | None = None,
        shown: str | None = None,
        closed: bool | None = None,
    ) -> bool:
        """Give it back, with what is known now; False, and nothing is written, where another has taken it since."""
        given = {"ts": ts, "shown": shown, "closed": closed}
        values = {name: value for name, value in given.items() if value is not None}
        mine = self._is(finding_id, channel) & (finding_posts.c.claimed_by == by)
        with writing(self._engine) as connection:
            freed = update(finding_posts).where(mine).values(claimed_by=None, claimed_until=None, **values)
            return connection.execute(freed).rowcount == 1

    def told(self, severities: Mapping[str, str], channel: str) -> None:
        """These (finding's id -> severity) were counted in a message of several ('and 7 more'): none of them gets one
        of its own, unless it rises above the severity that was told.
        """
        with writing(self._engine) as connection:
            now = self._clock.now()
            for finding_id, severity in severities.items():
                shown = {"shown": f"{_COUNTED}:{severity}"}
                mine = self._is(finding_id, channel)
                if connection.execute(update(finding_posts).where(mine, _IS_COUNTED).values(**shown)).rowcount:
                    continue
                if connection.execute(select(finding_posts.c.closed).where(mine)).first():
                    continue
                new = {"account": self.account, "finding_id": finding_id, "channel": channel, "created_at": now}
                connection.execute(finding_posts.insert().values(**new, **shown, closed=True, attempts=0))

    def counted(self, channel: str) -> dict[str, str]:
        """Finding's id -> the severity with which it was counted; empty where that was not kept."""
        posts = self._posts((finding_posts.c.channel == channel) & _IS_COUNTED)
        return {post.finding_id: post.shown.partition(":")[2] for post in posts}

    def reopen(self, finding_id: str, channel: str) -> None:
        """What was only counted may have a message of its own."""
        counted = self._is(finding_id, channel) & _IS_COUNTED
        with writing(self._engine) as connection:
            connection.execute(update(finding_posts).where(counted).values(shown="", closed=False, attempts=0))

    def untold(self, finding_ids: tuple[str, ...], channel: str) -> None:
        """Take `told` back: the message was not sent."""
        table = finding_posts.c
        counted = (table.account == self.account) & (table.channel == channel) & table.finding_id.in_(finding_ids)
        with writing(self._engine) as connection:
            connection.execute(delete(finding_posts).where(counted, _IS_COUNTED))

    def at(self, channel: str, ts: str) -> FindingPost | None:
        found = self._posts((finding_posts.c.channel == channel) & (finding_posts.c.ts == ts))
        return found[0] if found else None

    def of(self, finding_id: str) -> tuple[FindingPost, ...]:
        return self._posts(finding_posts.c.finding_id == finding_id)

    def known(self, channel: str) -> frozenset[str]:
        """Ids of the findings that this channel has been told of, or is being told of."""
        stands = or_(finding_posts.c.ts.is_not(None), finding_posts.c.closed.is_(True))
        return frozenset(p.finding_id for p in self._posts((finding_posts.c.channel == channel) & stands))

    def open(self, channel: str) -> tuple[FindingPost, ...]:
        """Messages that may have to change, and those that may never have been sent; oldest first."""
        return self._posts((finding_posts.c.channel == channel) & finding_posts.c.closed.is_(False))

    def published(self, channel: str) -> datetime | None:
        """As of when (account time) the channel was last told of everything; None where it never was."""
        with reading(self._engine) as connection:
            kept = connection.execute(select(meta.c.value).where(meta.c.key == self._published_key(channel))).scalar()
        return datetime.fromisoformat(kept) if kept else None

    def keep_published(self, channel: str, as_of: datetime) -> None:
        key = self._published_key(channel)
        with writing(self._engine) as connection:
            connection.execute(delete(meta).where(meta.c.key == key))
            connection.execute(meta.insert().values(key=key, value=as_of.isoformat()))

    def _published_key(self, channel: str) -> str:
        return f"published:{hashlib.sha256(f'{self.account}:{channel}'.encode()).hexdigest()[:32]}"

    def prune(self, before: datetime) -> int:
        """Forget closed ones that were made before; returns how many."""
        old = finding_posts.c.closed.is_(True) & (finding_posts.c.created_at < before)
        with writing(self._engine) as connection:
            mine = finding_posts.c.account == self.account
            return connection.execute(delete(finding_posts).where(mine, old)).rowcount

    def _posts(self, where: ColumnElement[bool]) -> tuple[FindingPost, ...]:
        query = select(finding_posts).where(finding_posts.c.account == self.account, where)
        with reading(self._engine) as connection:
            rows = connection.execute(query.order_by(finding_posts.c.created_at, finding_posts.c.finding_id))
            return tuple(_post(row) for row in rows.mappings())

    def _is(self, finding_id: str, channel: str) -> ColumnElement[bool]:
        table = finding_posts.c
        return (table.account == self.account) & (table.finding_id == finding_id) & (table.channel == channel)


def _post(row: RowMapping, attempts: int | None = None) -> FindingPost:
    values = {name: row[name] for name in FindingPost.__dataclass_fields__}
    return FindingPost(**(values if attempts is None else values | {"attempts": attempts}))
