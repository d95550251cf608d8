"""How answers came about (agent.tracing), kept for 30 days, and what they come to in sum."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, delete, select

from agent.store.engine import reading, writing
from agent.store.tables import traces
from tools.context import Clock

__all__ = ["KEPT", "TraceDay", "TraceStats", "Traces"]

KEPT = timedelta(days=30)


@dataclass(frozen=True)
class TraceDay:
    """One UTC day."""

    day: str
    replies: int
    input_tokens: int
    output_tokens: int
    usd: float


@dataclass(frozen=True)
class TraceStats:
    replies: int
    refused: int
    """Replies of which check_answer refused at least one wording."""
    mended: int
    """... and the second wording was proven."""
    replaced: int
    """... and the composed reply was sent instead."""
    fallbacks: int
    """Replies that the planner gave because no model answered, or a budget was used up."""
    p50_ms: int
    p95_ms: int
    days: tuple[TraceDay, ...]
    """Newest first."""


class Traces:
    """Traces of one account; safe in several threads and processes. Every method may raise Unreachable."""

    def __init__(self, engine: Engine, *, account: str, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self.account = account

    def put(self, trace: Mapping[str, Any]) -> None:
        """Keep a trace (agent.tracing.Tracer.finished); one of the same id is written over."""
        body = dict(trace)
        found = (traces.c.account == self.account) & (traces.c.id == body["id"])
        with writing(self._engine) as connection:
            connection.execute(delete(traces).where(found))
            row = {"account": self.account, "id": body["id"], "at": self._clock.now(), "body": body}
            connection.execute(traces.insert().values(**row, ms=body["ms"]))

    def get(self, trace_id: str) -> dict[str, Any] | None:
        """With `at`, ISO-8601; None where there is none (any more)."""
        found = (traces.c.account == self.account) & (traces.c.id == trace_id)
        with reading(self._engine) as connection:
            row = connection.execute(select(traces.c.at, traces.c.body).where(found)).first()
        return {**row[1], "at": row[0].isoformat()} if row else None

    def stats(self) -> TraceStats:
        """Over all that is kept."""
        query = select(traces.c.at, traces.c.ms, traces.c.body).where(traces.c.account == self.account)
        with reading(self._engine) as connection:
            rows = connection.execute(query.order_by(traces.c.at.desc())).all()
        bodies = [row[2] for row in rows]
        times = sorted(int(row[1]) for row in rows)
        days = dict.fromkeys(row[0].date().isoformat() for row in rows)
        return TraceStats(
            replies=len(rows),
            refused=_having(bodies, "refused"),
            mended=_having(bodies, "mended"),
            replaced=_having(bodies, "replaced"),
            fallbacks=sum(bool(body["planner_took_over"]) for body in bodies),
            p50_ms=_quantile(times, 50),
            p95_ms=_quantile(times, 95),
            days=tuple(_day(day, [row[2] for row in rows if row[0].date().isoformat() == day]) for day in days),
        )

    def prune(self, before: datetime) -> int:
        with writing(self._engine) as connection:
            old = (traces.c.account == self.account) & (traces.c.at < before)
            return connection.execute(delete(traces).where(old)).rowcount


def _having(bodies: Sequence[dict[str, Any]], what: str) -> int:
    return sum(bool(body["proof"].get(what)) for body in bodies)


def _quantile(times: Sequence[int], percent: int) -> int:
    """The nearest rank; 0 of nothing."""
    return times[max(0, -(-len(times) * percent // 100) - 1)] if times else 0


def _day(day: str, bodies: Sequence[dict[str, Any]]) -> TraceDay:
    tokens = [body["tokens"] for body in bodies]
    return TraceDay(
        day=day,
        replies=len(bodies),
        input_tokens=sum(each["input"] for each in tokens),
        output_tokens=sum(each["output"] for each in tokens),
        usd=round(sum(body["usd"] for body in bodies), 6),
    )
