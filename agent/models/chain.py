"""The models of a profile, asked in order: the second where the first does not answer.

Next in order after RateLimitError, APITimeoutError, APIConnectionError and InternalServerError only, each repeated
first as often as `retries` says. A key, model or request that the provider refuses ends the chain: the second model
would hide a mistake that a person has to mend. A model that has failed several times in a row is left out for a while
(agent.models.breaker). A content filter's no is an answer.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agent.models.asking import ask_once
from agent.models.breaker import Breaker
from agent.models.errors import Cancelled, ModelFailure, ModelsUnavailable
from agent.models.meter import DayLedger, Limits, Meter, Prices, Reservation, Spent
from agent.models.raw import Asker, AskFailed, RawReply, estimated_tokens, tokens_in
from agent.models.reply import ModelReply
from agent.settings_llm import LlmModel, LlmSettings

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

__all__ = ["ModelCall", "ModelChain", "Models"]

_log = logging.getLogger(__name__)

_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.5, 20.0
_POLL_S = 0.1


@dataclass(frozen=True)
class ModelCall:
    """One model as it was asked and ended, for traces."""

    model: str
    """LlmModel.label."""
    reply: ModelReply | None
    failure: ModelFailure | None
    """The reason where there is no reply."""
    attempts: int
    seconds: float


@dataclass(frozen=True)
class _Question:
    messages: Sequence[BaseMessage]
    tools: Sequence[Mapping[str, Any]]
    input_tokens: int
    """Estimated."""


class ModelChain:
    """For one question, whose budget `meter` holds.

    `clock`: seconds, monotonic. `on_call` is told of every model that was asked, in the asking thread. `cancelled` is
    asked about ten times a second while a request runs.
    """

    def __init__(
        self,
        models: Sequence[LlmModel],
        breaker: Breaker,
        meter: Meter,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        asker: Asker = ask_once,
        on_call: Callable[[ModelCall], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> None:
        self.models = tuple(models)
        self.meter = meter
        self._breaker = breaker
        self._clock = clock
        self._sleep = sleep
        self._asker = asker
        self._on_call = on_call
        self._cancelled = cancelled or (lambda: False)

    def ask(self, messages: Sequence[BaseMessage], tools: Sequence[Mapping[str, Any]] | None = None) -> ModelReply:
        """The first answer. `tools`: OpenAI function schemas, {"type": "function", "function": {...}}.

        Raises:
            ModelsUnavailable: none has answered, or none is set.
            BudgetSpent: of the question or of the day.
            Cancelled: `cancelled` has said so.
            Unreachable: the store does not answer.
        """
        question = _Question(messages, tools or (), estimated_tokens(messages, tools or ()))
        failures: list[ModelFailure] = []
        for position, one in enumerate(self.models):
            if not self._breaker.allows(_name(one)):
                failures.append(ModelFailure(one.label, "open", "left out after failing several times", False))
                continue
            answer = self._ask_one(one, question, fallback=position > 0)
            if isinstance(answer, ModelReply):
                return answer
            failures.append(answer)
            if not answer.passes_on:
                break
        raise ModelsUnavailable(tuple(failures))

    def _ask_one(self, one: LlmModel, question: _Question, *, fallback: bool) -> ModelReply | ModelFailure:
        """One model with its retries; the breaker is told how it went."""
        started = self._clock()
        attempts = _Attempts(one, started + one.timeout_s)
        told = False
        try:
            raw = self._repeat(attempts, question)
            told = True
            self._breaker.answered(_name(one))
            reply = _reply(one, raw, self._clock() - started, fallback)
            self._tell(ModelCall(one.label, reply, None, attempts.made, reply.seconds))
            return reply
        except AskFailed as failed:
            told = True
            (self._breaker.failed if failed.failure.passes_on else self._breaker.untold)(_name(one))
            _log.warning("language model %s: %s", one.label, failed.failure.detail)
            self._tell(ModelCall(one.label, None, failed.failure, attempts.made, self._clock() - started))
            return failed.failure
        finally:
            if not told:
                self._breaker.untold(_name(one))

    def _repeat(self, attempts: _Attempts, question: _Question) -> RawReply:
        while True:
            attempts.made += 1
            try:
                return self._attempt(attempts.one, question, attempts.until - self._clock())
            except AskFailed as failed:
                wait = attempts.wait_after(failed, self._clock())
                if wait is None:
                    raise
                self._pause(wait)

    def _attempt(self, one: LlmModel, question: _Question, seconds: float) -> RawReply:
        """One request, paid for."""
        prices = Prices(one.input_usd, one.output_usd)
        most = prices.spent(question.input_tokens, one.max_output_tokens)
        reservation = self.meter.reserve(one.label, most)
        spent = most  # what stands if the request ends in a way nobody has foreseen
        try:
            raw = self._asker(one, question.messages, question.tools, seconds, self._cancelled)
            spent = prices.spent(raw.input_tokens, raw.output_tokens)
            return raw
        except AskFailed as failed:
            counted = failed.received_chars is not None
            spent = prices.spent(question.input_tokens, tokens_in(failed.received_chars or 0)) if counted else Spent()
            raise
        finally:
            self._settle(reservation, spent)

    def _settle(self, reservation: Reservation, spent: Spent) -> None:
        self.meter.settle(reservation, spent)

    def _pause(self, seconds: float) -> None:
        """Short sleeps, so that a cancelled question does not sit out a Retry-After."""
        left = seconds
        while left > 0:
            if self._cancelled():
                raise Cancelled
            self._sleep(min(_POLL_S, left))
            left -= _POLL_S

    def _tell(self, call: ModelCall) -> None:
        if self._on_call is not None:
            self._on_call(call)


@dataclass
class _Attempts:
    one: LlmModel
    until: float
    made: int = 0

    def wait_after(self, failed: AskFailed, now: float) -> float | None:
        """Seconds until the next attempt; None: there is none.

        A Retry-After that outlasts what is left of the time means that asking sooner would be refused again: the next
        model is asked instead.
        """
        if failed.failure.lasting or self.made > self.one.retries:
            return None
        wait = _FIRST_WAIT_S * 2 ** (self.made - 1)
        if failed.retry_after is not None:
            wait = max(failed.retry_after, 0.0)
        return wait if wait <= _LONGEST_WAIT_S and now + wait < self.until else None


def _name(one: LlmModel) -> str:
    return f"{one.label} at {one.url}"


def _reply(one: LlmModel, raw: RawReply, seconds: float, fallback: bool) -> ModelReply:
    return ModelReply(
        text=raw.text,
        tool_calls=raw.tool_calls,
        model=one.label,
        input_tokens=raw.input_tokens,
        output_tokens=raw.output_tokens,
        usd=Prices(one.input_usd, one.output_usd).usd(raw.input_tokens, raw.output_tokens),
        seconds=seconds,
        stopped=raw.stopped,
        estimated=raw.estimated,
        fallback=fallback,
    )


class Models:
    """What lives as long as the process: the settings, the breaker, the day's ledger."""

    def __init__(
        self,
        settings: LlmSettings,
        day: DayLedger,
        *,
        clock: Callable[[], float] = time.monotonic,
        breaker: Breaker | None = None,
    ) -> None:
        self.settings = settings
        self.day = day
        self.breaker = breaker or Breaker(clock)
        self._clock = clock

    @property
    def offline(self) -> bool:
        """No model is set, or any is forbidden."""
        return not self.settings.models

    def warm(self) -> None:
        """Load now what is otherwise loaded by the first question, which would wait for it (2 s and more)."""
        from agent.models.chat import load_libraries

        if not self.offline:
            load_libraries()

    @property
    def limits(self) -> Limits:
        given = self.settings
        return Limits(given.question_tokens, given.question_usd, given.day_tokens, given.day_usd)

    def chain(
        self,
        *,
        on_call: Callable[[ModelCall], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> ModelChain:
        """A chain with a fresh question's budget; make one for each turn."""
        meter = Meter(self.limits, self.day)
        return ModelChain(
            self.settings.models, self.breaker, meter, clock=self._clock, on_call=on_call, cancelled=cancelled
        )
