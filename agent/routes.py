"""Where the chat graph goes next. Pure."""

from __future__ import annotations

from typing import Literal

from agent.state import ChatState

__all__ = ["after_check", "after_converse", "after_screen"]


def after_screen(state: ChatState) -> Literal["converse", "compose"]:
    return "converse" if state.get("screened") == "ok" else "compose"


def after_converse(state: ChatState) -> Literal["call_tools", "compose"]:
    decision = state["decision"]
    return "call_tools" if decision["kind"] == "tool_calls" and decision["calls"] else "compose"


def after_check(state: ChatState) -> Literal["compose", "reply"]:
    """A written reply that was refused is written once more; `check_answer` never asks for a third."""
    return "reply" if state.get("answer") else "compose"
