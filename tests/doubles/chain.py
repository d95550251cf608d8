"""A chain of models that says what a test has written down, and keeps what it was sent."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from langchain_core.messages import BaseMessage

from agent.models.masking import Mask
from agent.models.reply import ModelReply, ToolRequest
from agent.models.thinker import ModelThinker
from agent.state import Turn
from tests.doubles.chat import Chat

Line = str | tuple[ToolRequest, ...] | ModelReply | Exception
Script = Callable[[Sequence[BaseMessage]], Line]

MODEL = "compatible/scripted"


def call(tool: str, **args: Any) -> tuple[ToolRequest, ...]:
    return (ToolRequest("c1", tool, args, json.dumps(args), None),)


def broken(tool: str, raw: str) -> tuple[ToolRequest, ...]:
    return (ToolRequest("c1", tool, None, raw, "Expecting value at character 1"),)


def said(line: Line, **more: Any) -> ModelReply:
    if isinstance(line, ModelReply):
        return line
    text, calls = (line, ()) if isinstance(line, str) else ("", line)
    values = {"model": MODEL, "input_tokens": 100, "output_tokens": 10, "usd": None, "seconds": 0.5} | more
    return ModelReply(text=text, tool_calls=calls, stopped="tools" if calls else "stop", **values)  # type: ignore[arg-type]


@dataclass
class Chain:
    """The lines in order (the last for ever), or a function of the messages."""

    script: Sequence[Line] | Script
    sent: list[list[BaseMessage]] = field(default_factory=list)
    tools: list[list[str] | None] = field(default_factory=list)

    def ask(self, messages: Sequence[BaseMessage], tools: Sequence[Mapping[str, Any]] | None = None) -> ModelReply:
        self.sent.append(list(messages))
        self.tools.append(None if tools is None else [tool["function"]["name"] for tool in tools])
        if callable(self.script):
            line = self.script(messages)
        else:
            line = self.script[min(len(self.sent), len(self.script)) - 1]
        if isinstance(line, Exception):
            raise line
        return said(line)

    def everything(self) -> str:
        """Every word that has left, arguments of calls included."""
        return "\n".join(f"{m.content} {getattr(m, 'tool_calls', '')}" for messages in self.sent for m in messages)


@dataclass
class ModelChat:
    """A conversation; each turn is thought by a new thinker, as in the runtime."""

    make: Callable[[], ModelThinker]
    chat: Chat = field(default_factory=Chat)

    def say(self, text: str) -> Turn:
        self.chat.thinker = self.make()
        return self.chat.say(text)


class Talk(ModelChat):
    """A conversation that is thought by the chain."""

    def __init__(self, chain: Chain, *, chat: Chat | None = None, users: bool = True, objects: bool = False) -> None:
        super().__init__(lambda: self._thinker(users, objects), chat or Chat())
        self.chain = chain

    def _thinker(self, users: bool, objects: bool) -> ModelThinker:
        return ModelThinker(self.chain, label=MODEL, mask=Mask(users=users, objects=objects))
