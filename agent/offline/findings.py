"""Questions about what scans have found. Pure."""

from __future__ import annotations

import re
from typing import Any

import prompts
from agent.offline.reading import filters_of, said, unclear_name
from agent.offline.slots import Slots
from agent.offline.words import patterns
from agent.state import Clarify, Refuse, ToolCall, ToolCalls

__all__ = ["decide_findings"]

_CRITICAL = re.compile(r"\bcritical\b|\b(?:urgent|severe)\b", re.IGNORECASE)
_WARNING = re.compile(r"\bwarnings?\b|\bserious\b|\bimportant\b", re.IGNORECASE)
_MOVES = re.compile(
    r"^\W*(?:please |can you |could you )?(?:snooze|dismiss|mute|silence|acknowledge|ack|close|resolve)\b", re.I
)
_ONE = re.compile(r"\bfindings? (?:[\w#:]+ )?[0-9a-f]{4,12}\b", re.IGNORECASE)
"""A finding by its id."""
_LOOK_ANEW = re.compile(r"\bplans?\b|\bapprovals?\b|\bfind out\b", re.IGNORECASE)


def decide_findings(slots: Slots) -> ToolCalls | Clarify | Refuse | None:
    """The call that reads them from the store, or where one is looked at and quieted; None: the question is another."""
    about = re.search(r"\b(?:findings?|alerts?)\b", slots.text, re.IGNORECASE)
    if about and (_MOVES.match(slots.text) or _ONE.search(slots.text)):
        return Refuse(template=prompts.text("one_finding"), code="not_supported")
    state = next((name for name, pattern in patterns("findings").items() if pattern.search(slots.text)), None)
    if state is None or _LOOK_ANEW.search(slots.text):
        return None
    unclear = unclear_name(slots)
    if unclear is not None:
        return unclear
    args: dict[str, Any] = {} if state == "open" else {"state": state}
    names = filters_of(slots).get("warehouse")
    if names:
        args["warehouses"] = names
    if _CRITICAL.search(slots.text):
        args["severity"] = "critical"
    elif _WARNING.search(slots.text):
        args["severity"] = "warning"
    return said(slots, (ToolCall(name="list_findings", args=args),))
