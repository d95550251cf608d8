"""`frostline doctor`: which language models are set, where questions go, what is left of the day's budget."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.models.chain import Models
    from agent.runtime import Runtime
    from agent.settings import LlmModel, LlmSettings
    from tools.warehouse.checks import Check

__all__ = ["model_checks"]


def model_checks(runtime: Runtime, *, ask: bool) -> Iterator[Check]:
    """`ask`: a request of a few tokens to each model; else nothing is sent and nothing spent.

    Raises:
        FrostlineError: the store does not answer.
    """
    from tools.warehouse.checks import Check

    given = runtime.settings.llm
    if not given.models:
        yield Check("models", True, _offline(given))
        return
    from agent.models.chain import Models

    models = Models(given, runtime.store.llm_use)
    for one in given.models:
        yield _asked(models, one) if ask else _set(one)
    yield _budget(models)


def _offline(given: LlmSettings) -> str:
    if given.provider is None and given.api_key is not None:
        return "none: there is a key, but llm.model names no model; the planner answers"
    return "none: the planner answers, nothing leaves this machine"


def _set(one: LlmModel) -> Check:
    from tools.warehouse.checks import Check

    return Check(f"model {one.label}", True, f"set, at {one.url}; `frostline doctor --models` asks it")


def _asked(models: Models, one: LlmModel) -> Check:
    from agent.models.health import look_at
    from tools.warehouse.checks import Check

    health = look_at(models, one)
    return Check(f"model {one.label}", health.ok, f"{health.detail}, at {one.url}", health.remedy)


def _budget(models: Models) -> Check:
    from tools.warehouse.checks import Check

    limits, used = models.limits, models.day.today()
    told = f"{used.tokens:,} of {limits.day_tokens:,} tokens used today (UTC)"
    priced = [one.input_usd is not None and one.output_usd is not None for one in models.settings.models]
    if any(priced):
        told += f", {used.usd:,.2f} of {limits.day_usd:,.2f} USD"
    if not all(priced):
        told += "; without prices (llm.input_usd, llm.output_usd) tokens alone are limited"
    spent = used.tokens >= limits.day_tokens or used.usd >= limits.day_usd
    return Check(
        "model budget", not spent, told, "The planner answers until midnight UTC; llm.day_tokens, llm.day_usd."
    )
