"""Whether the models answer, for `frostline doctor --models`: a few tokens each, counted like any other request."""

from __future__ import annotations

from dataclasses import dataclass

from agent.models.chain import ModelChain, Models
from agent.models.errors import BudgetSpent, Cause, ModelsUnavailable
from agent.models.meter import Meter
from agent.models.reply import ModelReply
from agent.settings_llm import LlmModel

__all__ = ["Health", "look_at"]

_REMEDIES: dict[Cause, str] = {
    "connection": "Check its address, and proxies and certificates on the way.",
    "credentials": "Sign in (az login), or check azure_token_command and azure_token_file.",
    "key": "Check the key, and what it may do.",
    "not_found": "Check the model's or deployment's name, and the address (it ends in /v1 with most servers).",
    "rate_limit": "Wait, or ask the provider for more; without money there the planner answers.",
    "request": "This server does not know one of the parameters: try api = chat, or no temperature (docs/models.md).",
    "server": "Check that the address is the API's.",
    "timeout": "Try larger first_token_s and timeout_s, or a faster model.",
}


@dataclass(frozen=True)
class Health:
    """`ok` is None where it was not answered for another reason than the model."""

    ok: bool | None
    detail: str
    remedy: str | None = None


def look_at(models: Models, one: LlmModel) -> Health:
    """Ask one model to say ok, once.

    Raises:
        Unreachable: the store does not answer.
    """
    from langchain_core.messages import HumanMessage

    brief = one.model_copy(update={"retries": 0, "max_output_tokens": max(16, min(64, one.max_output_tokens))})
    meter = Meter(models.limits, models.day)
    try:
        return _answered(ModelChain((brief,), models.breaker, meter).ask([HumanMessage("Answer with: ok")]))
    except BudgetSpent as error:
        return Health(None, "not asked: " + error.message, error.hint)
    except ModelsUnavailable as error:
        failure = error.failures[0]
        return Health(False, failure.detail, _REMEDIES.get(failure.cause))


def _answered(reply: ModelReply) -> Health:
    tokens = reply.input_tokens + reply.output_tokens
    guessed = " (the server does not report them)" if reply.estimated else ""
    return Health(True, f"answered in {reply.seconds:.1f} s, {tokens} tokens{guessed}")
