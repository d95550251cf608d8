"""What the server can be told to answer."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Finish = Literal["stop", "tool_calls", "length", "content_filter"]


@dataclass(frozen=True)
class Call:
    """A tool call; `args` may be a string, to be sent as it is."""

    name: str
    args: Mapping[str, Any] | str = field(default_factory=dict)
    id: str | None = None

    @property
    def raw(self) -> str:
        return self.args if isinstance(self.args, str) else json.dumps(self.args)


@dataclass(frozen=True)
class Say:
    """An answer, streamed. Seconds are real."""

    text: str = ""
    calls: Sequence[Call] = ()
    finish: Finish | None = None
    """None: tool_calls where there are calls, else stop."""
    refusal: str = ""
    """Said in the field for refusals."""
    usage: tuple[int, int] | None = (120, 30)
    """Input and output tokens; None: not reported."""
    piece: int = 12
    """Characters an event."""
    before: float = 0
    """Before the headers."""
    first: float = 0
    """Between the headers and the first event."""
    between: float = 0
    """Between the events."""
    stall_after: int | None = None
    """After so many pieces nothing comes any more, and the connection stays."""
    keep_alive: float | None = None
    """While waiting or stalling, a comment line every so many seconds."""
    cut_after: int | None = None
    """After so many pieces the connection is closed."""
    end_early: bool = False
    """The stream ends properly, but says neither why it stopped nor [DONE]."""

    @property
    def stopped(self) -> Finish:
        return self.finish or ("tool_calls" if self.calls else "stop")


@dataclass(frozen=True)
class Fail:
    """An error as the provider writes it."""

    status: int
    code: str | None = None
    message: str = "It did not work."
    headers: Mapping[str, str] = field(default_factory=dict)
    param: str | None = None
    before: float = 0
    in_stream: bool = False
    """Status 200, and the error as an event of the stream."""


@dataclass(frozen=True)
class Body:
    content: bytes
    content_type: str = "text/event-stream"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


Answer = Say | Fail | Body
