"""How the tests of models ask: settings for a provider on loopback, a chain, the tools that are offered."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage
from pydantic import SecretStr

from agent.models.breaker import Breaker
from agent.models.chain import ModelCall, ModelChain
from agent.models.errors import BudgetSpent, ModelFailure, ModelsUnavailable
from agent.models.meter import Limits, Meter, Spent, which_day_budget
from agent.settings_llm import LlmModel
from tests.llm_server import LlmServer

TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "query_usage",
            "description": "Credits by warehouse.",
            "parameters": {"type": "object", "properties": {"metric": {"type": "string"}}},
        },
    }
]
QUESTION: list[BaseMessage] = [SystemMessage("Use the tools."), HumanMessage("What did we spend?")]
WIDE = Limits(question_tokens=1_000_000, question_usd=100, day_tokens=10_000_000, day_usd=1000)


class Ticking:
    """A clock that moves when it is told to, and by what is slept."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept += seconds
        self.now += seconds


class Ledger:
    """agent.models.meter.DayLedger in memory."""

    def __init__(self, used: Spent | None = None) -> None:
        self.rows: dict[str, Spent] = {"before": used or Spent()}
        self._lock = threading.Lock()

    def reserve(self, model: str, most: Spent, *, tokens: int, usd: float) -> str:
        with self._lock:
            which = which_day_budget(self.today() + most, tokens, usd)
            if which:
                raise BudgetSpent(which)
            handle = f"{model} {len(self.rows)}"
            self.rows[handle] = most
            return handle

    def settle(self, handle: str, spent: Spent) -> None:
        self.rows[handle] = spent

    def today(self) -> Spent:
        return sum(self.rows.values(), Spent())


def model(server: LlmServer, /, **given: Any) -> LlmModel:
    """One that is asked once."""
    key = SecretStr(given.pop("key", server.key))
    base = {"provider": "compatible", "model": "small", "base_url": server.url, "api_key": key, "retries": 0}
    return LlmModel.model_validate(base | given)


def chain(
    *models: LlmModel,
    limits: Limits = WIDE,
    ledger: Ledger | None = None,
    breaker: Breaker | None = None,
    clock: Ticking | None = None,
    on_call: Callable[[ModelCall], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> ModelChain:
    clock = clock or Ticking()
    meter = Meter(limits, ledger or Ledger())
    return ModelChain(
        models,
        breaker or Breaker(clock),
        meter,
        clock=clock,
        sleep=clock.sleep,
        on_call=on_call,
        cancelled=cancelled,
    )


def failures(asking: ModelChain) -> tuple[ModelFailure, ...]:
    """Of a question that nobody answers."""
    try:
        answer = asking.ask(QUESTION, TOOLS)
    except ModelsUnavailable as error:
        return error.failures
    raise AssertionError(f"there was an answer: {answer}")
