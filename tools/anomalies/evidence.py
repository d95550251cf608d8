"""The figures of a candidate as facts: what came, what was expected, what it cost, and what else was odd with it."""

from __future__ import annotations

from datetime import datetime

from tools.anomalies.detecting import Candidate
from tools.facts import FactBook
from tools.history.measures import is_amount
from tools.result import Fact, Unit, Window

__all__ = ["ACCOUNT", "claim", "claim_related", "evidence"]

ACCOUNT = "the account"
"""Whose a finding about the total is."""
_FROM_MODEL = "= expected by tools.ml.anomaly over {view}"


def claim(candidate: Candidate, book: FactBook, tz: str) -> dict[str, str]:
    """Claim one candidate's figures; role -> fact id.

    Sums over the whole time of the finding (of a level its mean): actual, expected, low, high, excess (signed), and
    where they are known credits and usd (beyond the expected, signed); of the pace longer (in %); duration, start,
    end, detected_at, confidence.
    """
    window = Window(start=candidate.start, end=candidate.end, tz=tz)
    entity = entity_of(candidate)
    anomaly, title = candidate.anomaly, candidate.watch.title
    slots = _slots(candidate)
    model = _FROM_MODEL.format(view=candidate.view)
    excess = (anomaly.actual - anomaly.expected) * slots
    figures: dict[str, str] = {}

    def add(role: str, label: str, value: float | int | str | None, unit: Unit, source: str) -> None:
        figures[role] = book.add(label, value, unit, source, entity=entity, window=window)

    add("entity", "name", entity, "name", candidate.view)
    add("actual", title, anomaly.actual * slots, candidate.unit, candidate.view)
    add("expected", f"{title}, expected", anomaly.expected * slots, candidate.unit, model)
    add("low", f"{title}, least that is ordinary", max(anomaly.band[0], 0.0) * slots, candidate.unit, model)
    add("high", f"{title}, most that is ordinary", anomaly.band[1] * slots, candidate.unit, model)
    add("excess", f"{title}, beyond the expected", excess, candidate.unit, _minus(figures))
    if candidate.credits is not None:
        sign = 1 if excess >= 0 else -1
        add("credits", "credits beyond the expected", sign * candidate.credits, "credits", _minus(figures))
        add("usd", "cost beyond the expected", sign * (candidate.usd or 0.0), "USD", f"= {figures['credits']} * price")
    if candidate.metric == "pace" and anomaly.expected > 0:
        longer = 100.0 * (anomaly.actual / anomaly.expected - 1)
        formula = f"= 100 * ({figures['actual']} / {figures['expected']} - 1)"
        add("longer", "run time beyond the usual, of the same statements", longer, "%", formula)
    add("duration", "lasted", (candidate.end - candidate.start).total_seconds(), "s", "= end - start")
    add("start", "began", candidate.start.isoformat(), "time", candidate.view)
    add("end", "ended", candidate.end.isoformat(), "time", candidate.view)
    add("detected_at", "could be seen from", _iso(candidate.detected_at), "time", model)
    add("confidence", "confidence", 100.0 * anomaly.confidence, "%", model)
    return figures


def claim_related(candidate: Candidate, book: FactBook, tz: str, *, people: bool) -> list[dict[str, str]]:
    """The figures of what has the same cause, in order; without those of single users where `people` is False."""
    return [claim(one, book, tz) for one in candidate.related if people or one.watch.by != "user"]


def evidence(candidate: Candidate, as_of: datetime, tz: str, *, people: bool = False) -> tuple[Fact, ...]:
    """All figures of a candidate and of what is grouped with it, as facts f1, f2, ..."""
    book = FactBook(as_of)
    claim(candidate, book, tz)
    claim_related(candidate, book, tz, people=people)
    return book.facts


def entity_of(candidate: Candidate) -> str:
    return ACCOUNT if candidate.watch.by == "total" else candidate.entity


def _slots(candidate: Candidate) -> int:
    """How many values of the series lie in the finding; one where they do not add up."""
    if not is_amount(candidate.watch.metric):
        return 1
    import pandas as pd

    index = pd.DatetimeIndex(candidate.series.index)
    inside = (index >= candidate.anomaly.start) & (index < candidate.anomaly.end)
    return max(int(inside.sum()), 1)


def _minus(figures: dict[str, str]) -> str:
    return f"= {figures['actual']} - {figures['expected']}"


def _iso(moment: datetime) -> str:
    return moment.isoformat()
