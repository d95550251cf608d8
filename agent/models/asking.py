"""One request to one model: streamed, watched by deadlines, its failures told in words of ours.

It runs in an event loop of its own, because only a coroutine can be stopped in whatever it waits for: the connection,
the first token, the next one. The connection is not kept: a question is a handful of requests, seconds apart.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from agent.models.alone import run_alone
from agent.models.chat import chat_model, close
from agent.models.credentials import forget_tokens, token
from agent.models.errors import Cancelled, ModelFailure
from agent.models.failures import failure_of, is_filter, never_sent, retry_after
from agent.models.hearing import Heard
from agent.models.raw import AskFailed, RawReply, estimated_tokens
from agent.settings_llm import LlmModel

if TYPE_CHECKING:
    from langchain_core.messages import AIMessageChunk, BaseMessage
    from langchain_openai.chat_models.base import BaseChatOpenAI

__all__ = ["ask_once"]

T = TypeVar("T")
_POLL_S = 0.1


def ask_once(
    one: LlmModel,
    messages: Sequence[BaseMessage],
    tools: Sequence[Mapping[str, Any]],
    seconds: float,
    cancelled: Callable[[], bool],
) -> RawReply:
    """One request, at most `seconds` long; safe in several threads at once.

    Raises:
        AskFailed: no answer, and why.
        Cancelled: `cancelled` has said so.
    """
    secret = token(one) if one.kind == "azure" and one.azure_auth == "entra" else None
    return run_alone(lambda: _watched(_exchange(one, secret, messages, tools, seconds), cancelled))


async def _watched(work: Coroutine[Any, Any, T], cancelled: Callable[[], bool]) -> T:
    task = asyncio.ensure_future(work)
    try:
        while not task.done():
            if cancelled():
                raise Cancelled
            await asyncio.wait({task}, timeout=_POLL_S)
        return task.result()
    finally:
        if not task.done():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def _exchange(
    one: LlmModel,
    secret: str | None,
    messages: Sequence[BaseMessage],
    tools: Sequence[Mapping[str, Any]],
    seconds: float,
) -> RawReply:
    import openai
    from langsmith.run_helpers import tracing_context

    heard = Heard(one)
    model = chat_model(one, secret)
    try:
        # A stray LANGSMITH_TRACING must not send the question elsewhere; traces are agent.tracing's.
        with tracing_context(enabled=False):
            async with asyncio.timeout(seconds):
                await _listen(one, model, messages, tools, heard)
    except TimeoutError:
        failure = ModelFailure(one.label, "timeout", "did not answer in time", False)
        raise AskFailed(failure, received_chars=heard.chars) from None
    except (openai.OpenAIError, ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        # All but the first: langchain_openai, given what is no answer of this API.
        if is_filter(error):
            return heard.filtered(estimated_tokens(messages, tools))
        raise _failed(one, error, heard) from None
    finally:
        await close(model)
    return heard.reply(estimated_tokens(messages, tools))


def _failed(one: LlmModel, error: Exception, heard: Heard) -> AskFailed:
    failure = failure_of(one, error)
    if failure.cause == "key":
        forget_tokens()
    received = None if never_sent(error) else heard.chars
    return AskFailed(failure, retry_after=retry_after(error), received_chars=received)


async def _listen(
    one: LlmModel,
    model: BaseChatOpenAI,
    messages: Sequence[BaseMessage],
    tools: Sequence[Mapping[str, Any]],
    heard: Heard,
) -> None:
    """Read the stream; what says nothing (a keep-alive, a role) does not move the deadline."""
    bound = model.bind_tools([dict(tool) for tool in tools]) if tools else model
    stream: AsyncIterator[AIMessageChunk] = bound.astream(list(messages))  # type: ignore[assignment]  # its chunks
    patience = time.monotonic() + one.first_token_s
    try:
        while True:
            async with asyncio.timeout(max(patience - time.monotonic(), 0)):
                chunk = await anext(stream, None)
            if chunk is None or not heard.take(chunk):
                return
            if heard.moved:
                patience = time.monotonic() + one.between_tokens_s
    finally:
        await stream.aclose()  # type: ignore[attr-defined]  # an async generator
