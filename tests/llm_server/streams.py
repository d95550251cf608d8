"""Answers as events: `(name, data)` pairs; a name only in the responses API. `None` marks the place after a piece."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.llm_server.answers import Say

Event = tuple[str | None, dict[str, Any]]


def _pieces(text: str, size: int) -> list[str]:
    return [text[i : i + size] for i in range(0, len(text), size)]


def chat_events(say: Say, model: str, number: int, *, azure: bool) -> Iterator[Event | None]:
    """chat.completion.chunk objects; Azure begins with one that has no choices."""
    base = {"id": f"chatcmpl-{number}", "object": "chat.completion.chunk", "created": 1700000000, "model": model}

    def chunk(delta: dict[str, Any], finish: str | None = None) -> Event:
        return None, base | {"choices": [{"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}]}

    if azure:
        yield None, base | {"choices": [], "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": {}}]}
    yield chunk({"role": "assistant", "content": "", "refusal": None})
    for piece in _pieces(say.text, say.piece):
        yield chunk({"content": piece})
        yield None
    for piece in _pieces(say.refusal, say.piece):
        yield chunk({"refusal": piece})
        yield None
    for index, call in enumerate(say.calls):
        head = {"index": index, "id": call.id or f"call_{number}_{index}", "type": "function"}
        yield chunk({"tool_calls": [head | {"function": {"name": call.name, "arguments": ""}}]})
        for piece in _pieces(call.raw, say.piece):
            yield chunk({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})
            yield None
    if say.end_early:
        return
    yield chunk({}, say.stopped)
    if say.usage:
        used = {"prompt_tokens": say.usage[0], "completion_tokens": say.usage[1], "total_tokens": sum(say.usage)}
        yield None, base | {"choices": [], "usage": used}


def responses_events(say: Say, model: str, number: int) -> Iterator[Event | None]:
    """response.* events with their sequence numbers."""
    for sequence, event in enumerate(_responses(say, model, number)):
        if event is None:
            yield None
        else:
            yield event["type"], event | {"sequence_number": sequence}


def _responses(say: Say, model: str, number: int) -> Iterator[dict[str, Any] | None]:
    output: list[dict[str, Any]] = []
    yield {"type": "response.created", "response": _response(say, model, number, "in_progress", [])}
    yield {"type": "response.in_progress", "response": _response(say, model, number, "in_progress", [])}
    if say.text or say.refusal or not say.calls:
        yield from _message(say, number, output)
    for call in say.calls:
        index = len(output)
        item = {
            "type": "function_call",
            "id": f"fc_{number}_{index}",
            "call_id": call.id or f"call_{number}_{index}",
            "name": call.name,
            "arguments": "",
            "status": "in_progress",
        }
        at = {"output_index": index, "item_id": item["id"]}
        yield {"type": "response.output_item.added", "output_index": index, "item": item}
        for piece in _pieces(call.raw, say.piece):
            yield {"type": "response.function_call_arguments.delta", "delta": piece, **at}
            yield None
        done = item | {"arguments": call.raw, "status": "completed"}
        yield {"type": "response.function_call_arguments.done", "arguments": call.raw, "name": call.name, **at}
        yield {"type": "response.output_item.done", "output_index": index, "item": done}
        output.append(done)
    if say.end_early:
        return
    status = "incomplete" if say.stopped in ("length", "content_filter") else "completed"
    yield {"type": f"response.{status}", "response": _response(say, model, number, status, output)}


def _message(say: Say, number: int, output: list[dict[str, Any]]) -> Iterator[dict[str, Any] | None]:
    item = {"type": "message", "id": f"msg_{number}", "role": "assistant", "status": "in_progress", "content": []}
    kind, text = ("refusal", say.refusal) if say.refusal else ("output_text", say.text)
    field = "refusal" if say.refusal else "text"
    part: dict[str, Any] = {"type": kind, field: ""} | ({} if say.refusal else {"annotations": []})
    at = {"output_index": 0, "content_index": 0, "item_id": item["id"]}
    yield {"type": "response.output_item.added", "output_index": 0, "item": item}
    yield {"type": "response.content_part.added", "part": part, **at}
    for piece in _pieces(text, say.piece):
        yield {"type": f"response.{kind}.delta", "delta": piece, **at} | ({} if say.refusal else {"logprobs": []})
        yield None
    yield {"type": f"response.{kind}.done", field: text, **at} | ({} if say.refusal else {"logprobs": []})
    whole = part | {field: text}
    yield {"type": "response.content_part.done", "part": whole, **at}
    done = item | {"status": "completed", "content": [whole]}
    yield {"type": "response.output_item.done", "output_index": 0, "item": done}
    output.append(done)


def _response(say: Say, model: str, number: int, status: str, output: list[dict[str, Any]]) -> dict[str, Any]:
    reason = {"length": "max_output_tokens", "content_filter": "content_filter"}.get(say.stopped)
    ended = status != "in_progress"
    used = (
        {
            "input_tokens": say.usage[0],
            "output_tokens": say.usage[1],
            "total_tokens": sum(say.usage),
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens_details": {"reasoning_tokens": 0},
        }
        if say.usage and ended
        else None
    )
    return {
        "id": f"resp_{number}",
        "object": "response",
        "created_at": 1700000000,
        "model": model,
        "status": status,
        "output": output,
        "error": None,
        "incomplete_details": {"reason": reason} if status == "incomplete" else None,
        "instructions": None,
        "metadata": {},
        "parallel_tool_calls": True,
        "temperature": 0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1,
        "usage": used,
    }
