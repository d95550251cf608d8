"""First: clean what was typed, and catch what tries to approve by words. Text never approves anything."""

from __future__ import annotations

import unicodedata

from langgraph.runtime import Runtime

from agent.offline.answers import answers_question
from agent.offline.approving import tries_to_approve
from agent.offline.requests import asks_for_change
from agent.state import ChatContext, ChatState

__all__ = ["MAX_LENGTH", "clean_text", "screen_input"]

MAX_LENGTH = 4000


def clean_text(text: str) -> str:
    """Composed characters, one space between words, nothing invisible, no control characters."""
    kept = "".join(" " if unicodedata.category(c) == "Cc" else c for c in unicodedata.normalize("NFKC", text))
    shown = "".join(c for c in kept if unicodedata.category(c) not in ("Cf", "Cs", "Co", "Cn"))
    return " ".join(shown.split())


def screen_input(state: ChatState, runtime: Runtime[ChatContext]) -> ChatState:
    text = state["text"]
    if len(text) > MAX_LENGTH:
        return {"screened": "too_long", "clean": "", "asked_for_change": False}
    clean = clean_text(text)
    if not any(c.isalnum() for c in clean):
        approves = tries_to_approve(clean)
        return _approval(state, runtime, clean) if approves else {"screened": "empty", "clean": clean}
    memory = dict(state.get("memory") or {})
    pending = memory.get("pending")
    if pending and pending.get("person") != runtime.context.person.id:
        pending = memory["pending"] = None  # a question is answered by the person it was put to
    answer = answers_question(clean, pending)
    if tries_to_approve(clean) and not answer:
        return _approval(state, runtime, clean)
    asked = asks_for_change(clean) or (answer and bool((pending or {}).get("change")))
    return {"screened": "ok", "clean": clean, "asked_for_change": asked, "memory": memory}


def _approval(state: ChatState, runtime: Runtime[ChatContext], clean: str) -> ChatState:
    detail = {"thread": state["thread"], "trace_id": state["trace_id"], "text": clean[:80]}
    runtime.context.audit("approval_by_text", detail)
    return {"screened": "approval", "clean": clean, "asked_for_change": False}
