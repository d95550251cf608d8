"""Write the reply as a template: the thinker's words about results, or a fixed text where there are none."""

from __future__ import annotations

from langgraph.runtime import Runtime

import prompts
from agent.nodes.converse import aside_of, thinking_of, view_of
from agent.state import ChatContext, ChatState

__all__ = ["compose"]

_SCREENED = {"empty": "empty", "too_long": "too_long", "approval": "approval_by_text"}


def compose(state: ChatState, runtime: Runtime[ChatContext]) -> ChatState:
    template = _template(state, runtime.context)
    return {"template": template + aside_of(runtime.context.thinker), "thinking": thinking_of(runtime.context.thinker)}


def _template(state: ChatState, context: ChatContext) -> str:
    screened = state.get("screened", "ok")
    if screened in _SCREENED:
        return prompts.text(_SCREENED[screened])
    decision = state["decision"]
    if decision["kind"] == "failed":
        return prompts.text("failed")
    if decision["kind"] == "clarify":
        options = "".join(f"\n- [[o{n}]]" for n in range(1, len(decision["options"]) + 1))
        listed = any(f"[[o{n}]]" in decision["template"] for n in range(1, len(decision["options"]) + 1))
        return str(decision["template"]) + ("" if listed else options)
    if decision["kind"] == "refuse" or decision.get("template"):
        return str(decision["template"])
    if not state.get("results"):
        return prompts.text("empty")
    written = context.thinker.write(view_of(state, context))
    note = state.get("note", "")
    return f"{note}\n\n{written}" if note else written
