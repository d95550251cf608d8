"""What language models have used, by UTC day: the day's budget is one for all processes on a store.

A reservation and the sum it is compared with are one transaction, alone among writers: two processes cannot both take
the last of the budget.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, delete, func, select, update

from agent.models.errors import BudgetSpent
from agent.models.meter import Spent, which_day_budget
from agent.store.engine import reading, writing
from agent.store.tables import llm_use
from tools.context import Clock, ModelUse

__all__ = ["DayUse", "LlmUse"]

KEPT_DAYS = 35


@dataclass(frozen=True)
class DayUse:
    """What one model has used on one UTC day, what is put aside included."""

    day: date
    model: str
    requests: int
    spent: Spent


class LlmUse:
    """agent.models.meter.DayLedger, of one account; safe in several threads and processes."""

    def __init__(self, engine: Engine, *, account: str, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self.account = account

    def reserve(self, model: str, most: Spent, *, tokens: int, usd: float) -> str:
        now = self._clock.now()
        handle = uuid.uuid4().hex
        with writing(self._engine) as connection:
            so_far = self._sum(connection, _day(now.date()))
            which = which_day_budget(so_far + most, tokens, usd)
            if which is not None:
                raise BudgetSpent(which)
            if not so_far.tokens:  # the first of its day tidies up
                self._prune(connection, now.date())
            row = {"id": handle, "account": self.account, "day": _day(now.date()), "at": now, "model": model}
            connection.execute(llm_use.insert().values(**row, **_columns(most), settled=False))
        return handle

    def settle(self, handle: str, spent: Spent) -> None:
        found = (llm_use.c.account == self.account) & (llm_use.c.id == handle)
        with writing(self._engine) as connection:
            connection.execute(update(llm_use).where(found).values(**_columns(spent), settled=True))

    def today(self) -> Spent:
        with reading(self._engine) as connection:
            return self._sum(connection, _day(self._clock.now().date()))

    def use_today(self) -> ModelUse:
        """All models of this UTC day together; raises Unreachable."""
        end = self._clock.now().astimezone(UTC)
        found = self.by_day(1)
        return ModelUse(
            start=end.replace(hour=0, minute=0, second=0, microsecond=0),
            end=end,
            requests=sum(use.requests for use in found),
            tokens=sum(use.spent.tokens for use in found),
            usd=sum(use.spent.usd for use in found),
        )

    def by_day(self, days: int = KEPT_DAYS) -> tuple[DayUse, ...]:
        """By day and model, newest first; raises Unreachable."""
        first = _day(self._clock.now().date() - timedelta(days=days - 1))
        columns = (llm_use.c.day, llm_use.c.model)
        query = (
            select(*columns, func.count(), *_sums())
            .where(llm_use.c.account == self.account, llm_use.c.day >= first)
            .group_by(*columns)
            .order_by(llm_use.c.day.desc(), llm_use.c.model)
        )
        with reading(self._engine) as connection:
            rows = connection.execute(query).all()
        return tuple(DayUse(date.fromisoformat(row[0]), row[1], row[2], _spent(row[3:])) for row in rows)

    def _sum(self, connection: Connection, day: str) -> Spent:
        query = select(*_sums()).where(llm_use.c.account == self.account, llm_use.c.day == day)
        return _spent(connection.execute(query).one())

    def _prune(self, connection: Connection, today: date) -> None:
        oldest = _day(today - timedelta(days=KEPT_DAYS))
        connection.execute(delete(llm_use).where(llm_use.c.account == self.account, llm_use.c.day < oldest))


def _day(day: date) -> str:
    return day.isoformat()


def _columns(spent: Spent) -> dict[str, float]:
    return {"input_tokens": spent.input_tokens, "output_tokens": spent.output_tokens, "usd": spent.usd}


def _sums() -> list[ColumnElement[Any]]:
    columns = (llm_use.c.input_tokens, llm_use.c.output_tokens, llm_use.c.usd)
    return [func.coalesce(func.sum(column), 0) for column in columns]


def _spent(sums: Sequence[Any]) -> Spent:
    inputs, outputs, usd = sums
    return Spent(int(inputs), int(outputs), float(usd))
