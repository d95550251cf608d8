"""The messages that a model is sent: our instructions, the conversation, what the tools returned. All of it masked.

Everything that does not stand in `prompts/` goes through the mask, string by string: the person's words, names, memory,
arguments, results and what was wrong with a reply.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage

import prompts
from agent.models.compacting import compact_results, names_in, relevant, remembered
from agent.models.masking import Mask
from agent.models.reply import ModelReply
from agent.replies.figures import show_time
from agent.state import TurnView
from tools.context import FilterColumn
from tools.registry import TOOLS, schemas

__all__ = ["again", "conversation", "digest", "learn_names", "mending", "offered", "writing"]

_COLUMNS: tuple[tuple[str, FilterColumn], ...] = (
    ("USER", "user"),
    ("WAREHOUSE", "warehouse"),
    ("DATABASE", "database"),
    ("ROLE", "role"),
    ("TAG", "query_tag"),
)


def learn_names(mask: Mask, turn: TurnView) -> None:
    """Give the mask every name that may turn up: the account's, and those in memory, arguments and results."""
    for kind, column in _COLUMNS:
        if mask.hides(kind):
            mask.learn(kind, turn.names.warehouses() if column == "warehouse" else turn.names.column(column))
    seen: list[Any] = [turn.memory.get("last"), *(part for r in turn.results for part in (r.args, r.data, r.detail))]
    found: dict[str, list[str]] = {}
    for kind, name in names_in(seen):
        found.setdefault(kind, []).append(name)
    for kind, names in found.items():
        mask.learn(kind, names)


def conversation(turn: TurnView, mask: Mask) -> list[BaseMessage]:
    """The whole of a turn so far; the same turn gives the same messages."""
    warehouses = turn.names.warehouses()
    context: dict[str, Any] = {
        "account_time": show_time(turn.now, turn.timezone),
        "change_asked_for": turn.asked_for_change,
        "warehouses": relevant(warehouses, turn.text),
        "more_warehouses": max(0, len(warehouses) - 40),
        "conversation": remembered(turn.memory),
    }
    said = f"Context, as data:\n{_json(mask.hide_all(context))}\n\nThe person's message:\n{mask.hide(turn.text)}"
    messages: list[BaseMessage] = [SystemMessage(prompts.text("model_system")), HumanMessage(said)]
    for result, compact in zip(turn.results, compact_results(turn.results, turn.timezone), strict=True):
        call = {"name": result.name, "args": mask.hide_all(result.args), "id": f"call_{compact['result']}"}
        messages.append(AIMessage(content="", tool_calls=[call]))
        messages.append(ToolMessage(_json(mask.hide_all(compact)), tool_call_id=call["id"]))
    return messages


def mending(reply: ModelReply, problems: Sequence[str], mask: Mask) -> list[BaseMessage]:
    """What could not be used of a reply, as text: a provider refuses to be sent its own broken calls."""
    wrong = [mask.hide(problem) for problem in problems]
    names = ", ".join(dict.fromkeys(request.name[:60] for request in reply.tool_calls)) or "no tool"
    return [
        AIMessage(f"(I tried to call: {mask.hide(mask.reveal(names))})"),
        HumanMessage(f"{prompts.text('model_mend')}\n{_json(wrong)}"),
    ]


def writing() -> list[BaseMessage]:
    return [HumanMessage(prompts.text("model_write"))]


def again(written: str, problems: Sequence[str], mask: Mask) -> list[BaseMessage]:
    """A reply that was refused, and why."""
    wrong = [mask.hide(problem) for problem in problems]
    return [AIMessage(mask.hide(written)), HumanMessage(f"{prompts.text('model_again')}\n{_json(wrong)}")]


def offered(*, changes: bool) -> list[dict[str, Any]]:
    """The tools' schemas; those that propose changes only where one was asked for."""
    return [schema for schema in _slim_schemas() if changes or not TOOLS[str(schema["function"]["name"])].proposes]


@cache
def _slim_schemas() -> list[dict[str, Any]]:
    return [_slim(_inlined(schema, schema["function"]["parameters"].get("$defs", {}))) for schema in schemas()]


def _inlined(value: Any, defined: Mapping[str, Any]) -> Any:
    """Without references: some compatible servers cannot resolve them inside a tool's parameters."""
    if isinstance(value, list):
        return [_inlined(item, defined) for item in value]
    if not isinstance(value, Mapping):
        return value
    whole = {key: _inlined(item, defined) for key, item in value.items() if key not in ("$ref", "$defs")}
    if "$ref" in value:
        whole = {**_inlined(defined[str(value["$ref"]).rsplit("/", 1)[-1]], defined), **whole}
    return whole


def _slim(value: Any) -> Any:
    """Without the titles that say the field's own name again; a field called `title` has an object there."""
    if isinstance(value, Mapping):
        return {key: _slim(item) for key, item in value.items() if not (key == "title" and isinstance(item, str))}
    return [_slim(item) for item in value] if isinstance(value, list) else value


def digest(messages: Sequence[BaseMessage]) -> str:
    """First 12 hex digits of a SHA-256 over what was sent: for traces, which hold no words."""
    total = hashlib.sha256()
    for message in messages:
        calls = getattr(message, "tool_calls", None) or []
        total.update(_json([message.type, message.content, calls]).encode("utf-8", "replace") + b"\0")
    return total.hexdigest()[:12]


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
