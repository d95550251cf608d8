"""What was answered, for those who ask for the evidence later, and what people thought of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Engine, Table, delete, select

from agent.store.engine import reading, writing
from agent.store.tables import answers, ratings
from tools.context import Clock
from tools.errors import BadArgument

__all__ = ["AnswerRow", "Answers", "Rating"]

_VALUES = ("good", "bad")


@dataclass(frozen=True)
class AnswerRow:
    trace_id: str
    thread: str
    person: str
    """Whom it was given to, by id."""
    question: str
    turn: dict[str, Any]
    """The Turn as JSON: what `ask --json` prints."""
    at: datetime


@dataclass(frozen=True)
class Rating:
    trace_id: str
    person: str
    value: Literal["good", "bad"]
    at: datetime
    question: str


class Answers:
    """Answers of one account; safe in several threads and processes. Every method may raise Unreachable."""

    def __init__(self, engine: Engine, *, account: str, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self.account = account

    def put(self, trace_id: str, *, thread: str, person: str, question: str, turn: Mapping[str, Any]) -> None:
        """Keep an answer (`turn`: plain JSON values); one of the same trace is written over."""
        row = {"thread": thread, "person": person, "question": question, "turn": dict(turn)}
        with writing(self._engine) as connection:
            self._replace(connection, answers, {"trace_id": trace_id}, row)

    def get(self, trace_id: str) -> AnswerRow | None:
        with reading(self._engine) as connection:
            found = select(answers).where(*self._keys(answers, {"trace_id": trace_id}))
            row = connection.execute(found).mappings().first()
        return AnswerRow(**{name: row[name] for name in AnswerRow.__dataclass_fields__}) if row else None

    def rate(self, trace_id: str, person: str, value: Literal["good", "bad"]) -> None:
        """What this person thinks of it; the last word counts.

        Raises:
            BadArgument: there is no such answer (any more), or no such value.
        """
        if value not in _VALUES:
            raise BadArgument(f"An answer is rated {' or '.join(_VALUES)}, not {value!r}.")
        with writing(self._engine) as connection:
            known = select(answers.c.trace_id).where(*self._keys(answers, {"trace_id": trace_id}))
            if not connection.execute(known).first():
                raise BadArgument("This answer is not kept any more, so it cannot be rated.")
            self._replace(connection, ratings, {"trace_id": trace_id, "person": person}, {"value": value})

    def ratings(self, limit: int = 100) -> tuple[Rating, ...]:
        """Newest first."""
        same = (answers.c.account == ratings.c.account) & (answers.c.trace_id == ratings.c.trace_id)
        query = select(ratings, answers.c.question).join(answers, same).where(ratings.c.account == self.account)
        newest = query.order_by(ratings.c.at.desc(), ratings.c.trace_id, ratings.c.person).limit(limit)
        with reading(self._engine) as connection:
            rows = connection.execute(newest).mappings().all()
        return tuple(Rating(**{name: row[name] for name in Rating.__dataclass_fields__}) for row in rows)

    def prune(self, before: datetime) -> int:
        """Forget answers that were given before, with their ratings; returns how many answers."""
        old = (answers.c.account == self.account) & (answers.c.at < before)
        with writing(self._engine) as connection:
            of_old = ratings.c.trace_id.in_(select(answers.c.trace_id).where(old))
            connection.execute(delete(ratings).where(ratings.c.account == self.account, of_old))
            return connection.execute(delete(answers).where(old)).rowcount

    def _replace(self, connection: Connection, table: Table, key: dict[str, str], row: dict[str, Any]) -> None:
        connection.execute(delete(table).where(*self._keys(table, key)))
        connection.execute(table.insert().values(account=self.account, **key, **row, at=self._clock.now()))

    def _keys(self, table: Table, key: dict[str, str]) -> list[ColumnElement[bool]]:
        return [table.c.account == self.account, *(table.c[name] == value for name, value in key.items())]
