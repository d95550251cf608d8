"""Ask the thinker what to do next: call tools, ask back, say no, or answer."""

from __future__ import annotations

from typing import Any

from langgraph.runtime import Runtime

from agent.state import CallResult, ChatContext, ChatState, Done, Thinker, Traced, TurnView
from tools.errors import FrostlineError

__all__ = ["MAX_ROUNDS", "aside_of", "converse", "thinking_of", "view_of"]

MAX_ROUNDS = 4
"""Rounds of tool calls in one turn; a thinker that wants more is cut off and must answer."""


def converse(state: ChatState, runtime: Runtime[ChatContext]) -> ChatState:
    rounds = state.get("rounds", 0)
    if rounds >= MAX_ROUNDS:
        return {"decision": Done().model_dump(mode="json"), "rounds": rounds + 1}
    try:
        decision = runtime.context.thinker.decide(view_of(state, runtime.context))
    except FrostlineError as error:
        return {"decision": {"kind": "failed", "error": error.as_json()}, "rounds": rounds + 1}
    update: ChatState = {"decision": decision.model_dump(mode="json"), "rounds": rounds + 1}
    if decision.kind == "tool_calls":
        update["note"], update["note_names"] = decision.note, list(decision.read_as)
    update["thinking"] = thinking_of(runtime.context.thinker)
    return update


def thinking_of(thinker: Thinker) -> list[dict[str, Any]]:
    """What the turn has asked of language models so far; nothing where the planner thinks."""
    return thinker.thinking() if isinstance(thinker, Traced) else []


def aside_of(thinker: Thinker) -> str:
    """See Traced.aside; with the blank line before it."""
    said = thinker.aside() if isinstance(thinker, Traced) else ""
    return f"\n\n{said}" if said else ""


def view_of(state: ChatState, context: ChatContext) -> TurnView:
    """What the thinker may see of the state."""
    tools = context.make_tools(state["thread"], state.get("asked_for_change", False))
    memory = dict(state.get("memory") or {})
    # Who speaks is told of their own questions only: others may see figures that this person may not.
    memory["talk"] = [said for said in memory.get("talk") or () if said.get("person") == context.person.id]
    return TurnView(
        text=state.get("clean", ""),
        memory=memory,
        results=tuple(CallResult.model_validate(result) for result in state.get("results", [])),
        names=context.names,
        now=tools.reader.now(),
        timezone=tools.reader.account().timezone,
        asked_for_change=state.get("asked_for_change", False),
        note=state.get("note", ""),
        cards=context.cards,
        problems=tuple(state.get("problems") or ()),
    )
