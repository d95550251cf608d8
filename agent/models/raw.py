"""What one request comes to, before anybody knows its price; and how tokens are guessed from lengths."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from agent.models.errors import ModelFailure
from agent.models.reply import Stopped, ToolRequest
from agent.settings_llm import LlmModel

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

__all__ = ["AskFailed", "Asker", "RawReply", "estimated_tokens", "tokens_in"]

_BYTES_A_TOKEN = 3
"""On the safe side: English has about 4 bytes of UTF-8 a token, JSON about 3."""
_TOKENS_A_MESSAGE = 8


@dataclass(frozen=True)
class RawReply:
    text: str
    tool_calls: tuple[ToolRequest, ...]
    input_tokens: int
    output_tokens: int
    estimated: bool
    stopped: Stopped


class AskFailed(Exception):
    """No answer. `received_chars`: what had come by then; None: the request was turned away and costs nothing."""

    def __init__(
        self, failure: ModelFailure, *, retry_after: float | None = None, received_chars: int | None = None
    ) -> None:
        super().__init__(failure.detail)
        self.failure = failure
        self.retry_after = retry_after
        self.received_chars = received_chars


class Asker(Protocol):
    """agent.models.asking.ask_once."""

    def __call__(
        self,
        one: LlmModel,
        messages: Sequence[BaseMessage],
        tools: Sequence[Mapping[str, Any]],
        seconds: float,
        cancelled: Callable[[], bool],
    ) -> RawReply: ...


def tokens_in(size: int) -> int:
    """About how many tokens a text of so many bytes has; rather too many than too few."""
    return -(-size // _BYTES_A_TOKEN)


def estimated_tokens(messages: Sequence[BaseMessage], tools: Sequence[Mapping[str, Any]]) -> int:
    """About how many a request takes in."""
    size = sum(_size([m.content, getattr(m, "tool_calls", None) or ""]) for m in messages)
    size += _size(list(tools)) if tools else 0
    return tokens_in(size) + _TOKENS_A_MESSAGE * len(messages)


def _size(value: Any) -> int:
    return len(json.dumps(value, ensure_ascii=False, default=str).encode("utf-8", "replace"))
