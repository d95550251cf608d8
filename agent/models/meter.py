"""What a question may spend, and what a day may: tokens and money are put aside before a request and settled after it.

A request that ended without a report of its tokens is counted by what is known to have been sent and received; one
that was turned away (429, 401, no connection) costs nothing. A process that dies in between leaves its reservation
standing: the day's budget is then a little smaller, never larger.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Protocol

from agent.models.errors import BudgetKind, BudgetSpent

__all__ = ["DayLedger", "Limits", "Meter", "Prices", "Spent"]


@dataclass(frozen=True)
class Spent:
    input_tokens: int = 0
    output_tokens: int = 0
    usd: float = 0.0

    @property
    def tokens(self) -> int:
        return self.input_tokens + self.output_tokens

    def __add__(self, other: Spent) -> Spent:
        return Spent(
            self.input_tokens + other.input_tokens, self.output_tokens + other.output_tokens, self.usd + other.usd
        )

    def __sub__(self, other: Spent) -> Spent:
        return Spent(
            self.input_tokens - other.input_tokens, self.output_tokens - other.output_tokens, self.usd - other.usd
        )


@dataclass(frozen=True)
class Prices:
    """USD a million tokens; unknown unless both are set."""

    input_usd: float | None = None
    output_usd: float | None = None

    def usd(self, input_tokens: int, output_tokens: int) -> float | None:
        if self.input_usd is None or self.output_usd is None:
            return None
        return (input_tokens * self.input_usd + output_tokens * self.output_usd) / 1_000_000

    def spent(self, input_tokens: int, output_tokens: int) -> Spent:
        return Spent(input_tokens, output_tokens, self.usd(input_tokens, output_tokens) or 0.0)


@dataclass(frozen=True)
class Limits:
    question_tokens: int
    question_usd: float
    day_tokens: int
    day_usd: float


class DayLedger(Protocol):
    """The day's use by all processes; agent.store.usage.LlmUse."""

    def reserve(self, model: str, most: Spent, *, tokens: int, usd: float) -> str:
        """Put `most` aside if the day's sum stays within `tokens` and `usd`; returns a handle.

        Raises:
            BudgetSpent: it does not.
            Unreachable: the store does not answer.
        """
        ...

    def settle(self, handle: str, spent: Spent) -> None:
        """What it came to; unknown handles are ignored."""
        ...

    def today(self) -> Spent:
        """What was used and put aside since midnight UTC."""
        ...


@dataclass(frozen=True)
class Reservation:
    most: Spent
    handle: str


class Meter:
    """One question's budget, under the day's; safe in several threads."""

    def __init__(self, limits: Limits, day: DayLedger) -> None:
        self.limits = limits
        self.day = day
        self._spent = Spent()
        self._lock = threading.Lock()

    @property
    def spent(self) -> Spent:
        """By this question, what is put aside included."""
        return self._spent

    def reserve(self, model: str, most: Spent) -> Reservation:
        """Before a request; `most` is what it may come to.

        Raises:
            BudgetSpent: it would go beyond the question's or the day's budget; nothing is put aside then.
            Unreachable: the store does not answer.
        """
        with self._lock:
            after = self._spent + most
            if after.tokens > self.limits.question_tokens:
                raise BudgetSpent("question_tokens")
            if after.usd > self.limits.question_usd:
                raise BudgetSpent("question_usd")
            self._spent = after
        try:
            handle = self.day.reserve(model, most, tokens=self.limits.day_tokens, usd=self.limits.day_usd)
        except BaseException:
            self._give_back(most)
            raise
        return Reservation(most, handle)

    def settle(self, reservation: Reservation, spent: Spent) -> None:
        """After the request.

        Raises:
            Unreachable: the store does not answer; what was put aside then stays so.
        """
        self._give_back(reservation.most - spent)
        self.day.settle(reservation.handle, spent)

    def _give_back(self, what: Spent) -> None:
        with self._lock:
            self._spent = self._spent - what


def which_day_budget(after: Spent, tokens: int, usd: float) -> BudgetKind | None:
    """The budget that `after` would go beyond."""
    if after.tokens > tokens:
        return "day_tokens"
    return "day_usd" if after.usd > usd else None
