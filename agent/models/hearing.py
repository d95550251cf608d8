"""A streamed answer, put together strictly: cut-off streams are no answers, and arguments are not repaired.

LangChain completes JSON that was cut off; a change that was asked for with half its arguments is not what the model
meant, so the arguments are taken as they came.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from agent.models.errors import ModelFailure
from agent.models.raw import AskFailed, RawReply, tokens_in
from agent.models.reply import Stopped, ToolRequest
from agent.settings_llm import LlmModel

if TYPE_CHECKING:
    from langchain_core.messages import AIMessageChunk

__all__ = ["Heard", "tool_request"]

_MAX_CHARS_A_TOKEN = 16
_STOPS: dict[str, Stopped] = {
    "stop": "stop",
    "completed": "stop",
    "tool_calls": "tools",
    "function_call": "tools",
    "length": "length",
    "max_output_tokens": "length",
    "content_filter": "filter",
}


class Heard:
    """What has come so far."""

    def __init__(self, one: LlmModel) -> None:
        self._one = one
        self._most = one.max_output_tokens * _MAX_CHARS_A_TOKEN
        self._message: AIMessageChunk | None = None
        self._finish: str | None = None
        self._tokens = {"input_tokens": 0, "output_tokens": 0}
        self._refusal = ""
        self.chars = 0
        """Of text and calls."""
        self.moved = False
        """Whether the last chunk said anything."""

    def take(self, chunk: AIMessageChunk) -> bool:
        """False: it has become longer than max_output_tokens can be, so the server does not keep to it."""
        size = len(str(chunk.text)) + sum(len(c["args"] or "") + len(c["name"] or "") for c in chunk.tool_call_chunks)
        self.chars += size
        self.moved = bool(size or chunk.content or chunk.additional_kwargs)
        self._refusal += _refusal(chunk.content)
        self._finish = _finish(chunk.response_metadata) or self._finish
        for name in self._tokens:
            # Some servers report with every chunk: the sum so far, each time.
            reported = dict(chunk.usage_metadata or {}).get(name)
            self._tokens[name] = max(self._tokens[name], reported if isinstance(reported, int) else 0)
        self._message = chunk if self._message is None else self._message + chunk
        if self.chars <= self._most:
            return True
        self._finish = "length"
        return False

    def reply(self, sent_tokens: int) -> RawReply:
        """The whole answer; `sent_tokens` is counted where the provider has not reported any.

        Raises:
            AskFailed: it was cut off.
        """
        if self._message is None or self._finish is None:
            failure = ModelFailure(self._one.label, "connection", "broke off before its answer was whole", False)
            raise AskFailed(failure, received_chars=self.chars)
        if self._finish not in _STOPS:
            failure = ModelFailure(self._one.label, "server", "could not finish its answer", False)
            raise AskFailed(failure, received_chars=self.chars)
        stopped = "filter" if self._refusal else _STOPS[self._finish]
        calls = tuple(tool_request(c, n) for n, c in enumerate(self._message.tool_call_chunks, 1))
        if calls and stopped == "stop":
            stopped = "tools"
        return self._counted(str(self._message.text) or self._refusal, calls, stopped, sent_tokens)

    def filtered(self, sent_tokens: int) -> RawReply:
        """The prompt was refused by the provider's filter."""
        return self._counted("", (), "filter", sent_tokens)

    def _counted(self, text: str, calls: tuple[ToolRequest, ...], stopped: Stopped, sent_tokens: int) -> RawReply:
        reported = any(self._tokens.values())
        return RawReply(
            text=text,
            tool_calls=calls,
            input_tokens=self._tokens["input_tokens"] if reported else sent_tokens,
            output_tokens=self._tokens["output_tokens"] if reported else tokens_in(self.chars),
            estimated=not reported,
            stopped=stopped,
        )


def _refusal(content: Any) -> str:
    """The responses API has blocks for it; of a chat completion LangChain drops it, and the answer is empty."""
    blocks = content if isinstance(content, list) else []
    return "".join(str(b.get("refusal") or "") for b in blocks if isinstance(b, dict) and b.get("type") == "refusal")


def tool_request(chunk: Mapping[str, Any], number: int) -> ToolRequest:
    """A call as the model wrote it. No arguments at all are an empty object: some servers leave it out."""
    raw = chunk.get("args") or ""
    args, error = _arguments(raw or "{}")
    return ToolRequest(chunk.get("id") or f"call_{number}", chunk.get("name") or "", args, raw, error)


def _arguments(raw: str) -> tuple[dict[str, Any] | None, str | None]:
    try:
        value = json.loads(raw, parse_constant=_no_constant)
    except RecursionError:
        return None, "The arguments are nested too deep."
    except json.JSONDecodeError as error:
        return None, f"The arguments are no JSON: {error.msg} at character {error.pos}."
    except ValueError as error:  # NaN, or a number of too many digits
        return None, f"The arguments are no JSON: {str(error)[:80]}."
    if not isinstance(value, dict):
        return None, "The arguments have to be a JSON object."
    return value, None


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def _finish(metadata: Mapping[str, Any]) -> str | None:
    """chat: finish_reason. responses: status, and the reason where it is incomplete."""
    reason: str | None = metadata.get("finish_reason")
    if reason:
        return reason
    status: str | None = metadata.get("status")
    if status == "incomplete":
        return str((metadata.get("incomplete_details") or {}).get("reason"))
    return status if status in ("completed", "failed", "cancelled") else None
