"""What a model has said, whatever API it was asked through."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["ModelReply", "Stopped", "ToolRequest"]

Stopped = Literal["stop", "tools", "length", "filter"]


@dataclass(frozen=True)
class ToolRequest:
    """One native tool call, as the model wrote it; neither name nor arguments have been checked against a tool."""

    id: str
    """The provider's, to be repeated in the ToolMessage that answers it; made up where the provider gave none."""
    name: str
    args: dict[str, Any] | None
    """None: `raw` is no JSON object."""
    raw: str
    error: str | None
    """For the model: why `raw` is no JSON object, e.g. "Expecting ',' delimiter at character 14"."""


@dataclass(frozen=True)
class ModelReply:
    text: str
    tool_calls: tuple[ToolRequest, ...]
    model: str
    """LlmModel.label of the one that answered."""
    input_tokens: int
    output_tokens: int
    usd: float | None
    """None: no prices are set."""
    seconds: float
    stopped: Stopped
    """length: cut off at max_output_tokens, text and calls may be incomplete; filter: the provider withheld it."""
    estimated: bool = False
    """The provider did not report tokens; they were worked out from the texts' lengths."""
    fallback: bool = False
    """Another than the first model answered."""
