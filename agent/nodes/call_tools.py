"""Run the calls that were decided on. Arguments are validated, changes are gated, errors become results.

Whoever asked is told of each call as it begins and ends, and may stop the turn there; a plan that was stored
before is shown all the same: nobody would know of it otherwise.
"""

from __future__ import annotations

import re
from typing import Any, Literal

from langgraph.runtime import Runtime

from agent.arguments import validated
from agent.replies.step_words import step_title
from agent.state import CallResult, ChatContext, ChatState, Step, Stopped, ToolCall, ToolCalls
from tools.context import ToolContext
from tools.errors import FrostlineError, NoPermission, NotAllowed, Refused, UnknownName
from tools.registry import TOOLS, lookup
from tools.result import Fact, ToolResult

__all__ = ["call_tools", "called", "effective", "renumbered"]

_MOST_CALLS = 8
_REFUSED = (Refused.code, NotAllowed.code, NoPermission.code)
_FACT_ID = re.compile(r"\bf\d+\b")


def call_tools(state: ChatState, runtime: Runtime[ChatContext]) -> ChatState:
    decision = ToolCalls.model_validate(state["decision"])
    context = runtime.context.make_tools(state["thread"], state.get("asked_for_change", False))
    results = [CallResult.model_validate(result) for result in state.get("results", [])]
    try:
        for call in decision.calls[:_MOST_CALLS]:
            _tell(runtime.context, len(results) + 1, call, "started")
            taken = sum(len(result.facts) for result in results)
            with runtime.context.tracer.call(call.name, call.args) as entry:
                result = called(context, call)
                entry |= {"status": result.error or result.status, "query_ids": list(result.query_ids)}
            _note_refusal(runtime.context, state["trace_id"], result)
            results.append(renumbered(result, taken))
            _tell(runtime.context, len(results), call, "failed" if result.error else "done")
    except Stopped:
        if all(result.status != "needs_approval" for result in results):
            raise
    return {"results": [result.model_dump(mode="json") for result in results]}


def _tell(context: ChatContext, number: int, call: ToolCall, state: Literal["started", "done", "failed"]) -> None:
    if context.on_step is not None:
        context.on_step(Step(number=number, tool=call.name, title=step_title(call.name), state=state))


def called(context: ToolContext, call: ToolCall) -> CallResult:
    """One call; every FrostlineError becomes a result that says what the caller could change."""
    try:
        tool = lookup(call.name)
        args = validated(tool.args, call.args)
        if tool.proposes and not context.asked_for_change:
            raise Refused(
                "No change was asked for in this message, so none is proposed.",
                hint="Ask for it in so many words, for example: suspend the warehouse named there.",
            )
        result: ToolResult[Any] = tool.run(context, args)
    except FrostlineError as error:
        return _failed(call, error)
    plain = result.model_dump(mode="json")
    return CallResult(
        name=call.name,
        args=effective(args.model_dump(mode="json", exclude_none=True)),
        status=result.status,
        data=plain["data"],
        window=result.window,
        complete=result.complete,
        sources=result.sources,
        query_ids=result.query_ids,
        facts=result.facts,
        message=result.message,
        hint=result.hint,
    )


def _note_refusal(context: ChatContext, trace_id: str, result: CallResult) -> None:
    """A change that was asked for and refused leaves an audit row, like a refused approval."""
    known = TOOLS.get(result.name)
    if known is None or not known.proposes or result.error not in _REFUSED:
        return
    detail = {"tool": result.name, "args": result.args, "why": result.detail.get("rule", result.error)}
    context.audit("change_refused", detail | {"message": result.message, "trace_id": trace_id})


def effective(args: dict[str, Any]) -> dict[str, Any]:
    """The arguments that a call ran with, defaults included; what was left empty or off is left out."""
    kept = {name: effective(value) if isinstance(value, dict) else value for name, value in args.items()}
    return {name: value for name, value in kept.items() if value is not False and value not in ({}, [], "")}


def _failed(call: ToolCall, error: FrostlineError) -> CallResult:
    detail: dict[str, Any] = {}
    if isinstance(error, UnknownName):
        detail = {"kind": error.kind, "name": error.name, "nearest": list(error.nearest)}
    elif isinstance(error, NotAllowed):
        detail = {"rule": error.rule}
    return CallResult(
        name=call.name,
        args=call.args,
        status="no_permission" if isinstance(error, NoPermission) else "error",
        message=error.message,
        hint=error.hint,
        error=error.code,
        detail=detail,
    )


def renumbered(result: CallResult, taken: int) -> CallResult:
    """The same result with fact ids that follow the `taken` ones of the turn; references move with them."""
    ids = {fact.id: f"f{number}" for number, fact in enumerate(result.facts, start=taken + 1)}
    facts = tuple(_moved(fact, ids) for fact in result.facts)
    return result.model_copy(update={"facts": facts, "data": _with_ids(result.data, ids)})


def _moved(fact: Fact, ids: dict[str, str]) -> Fact:
    source = fact.source
    if source.startswith("="):
        source = _FACT_ID.sub(lambda match: ids.get(match[0], match[0]), source)
    return fact.model_copy(update={"id": ids[fact.id], "source": source})


def _with_ids(value: Any, ids: dict[str, str]) -> Any:
    """References stand under the keys `fact`, `..._fact` and in the maps named `figures`."""
    if isinstance(value, list):
        return [_with_ids(item, ids) for item in value]
    if not isinstance(value, dict):
        return value
    moved: dict[str, Any] = {}
    for key, item in value.items():
        if key == "figures" and isinstance(item, dict):
            moved[key] = {role: ids.get(fact, fact) for role, fact in item.items()}
        elif (key == "fact" or key.endswith("_fact")) and isinstance(item, str):
            moved[key] = ids.get(item, item)
        else:
            moved[key] = _with_ids(item, ids)
    return moved
