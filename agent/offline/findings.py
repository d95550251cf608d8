"""Questions about what scans have found. Pure."""

from __future__ import annotations

import re
from typing import Any

from agent.offline.slots import Slots
from agent.offline.words import patterns
from agent.state import ToolCall, ToolCalls

__all__ = ["decide_findings"]

_CRITICAL = re.compile(r"\bcritical\b|\b(?:urgent|severe)\b", re.IGNORECASE)
_WARNING = re.compile(r"\bwarnings?\b|\bserious\b|\bimportant\b", re.IGNORECASE)
_LOOK_ANEW = re.compile(r"\bplans?\b|\bapprovals?\b|\bfind out\b", re.IGNORECASE)


def decide_findings(slots: Slots) -> ToolCalls | None:
    """The call that reads them from the store; None where the question is another."""
    state = next((name for name, pattern in patterns("findings").items() if pattern.search(slots.text)), None)
    if state is None or _LOOK_ANEW.search(slots.text):
        return None
    args: dict[str, Any] = {} if state == "open" else {"state": state}
    names = [mention.names[0] for mention in slots.mentions if len(mention.names) == 1]
    if names:
        args["warehouses"] = list(dict.fromkeys(names))
    if _CRITICAL.search(slots.text):
        args["severity"] = "critical"
    elif _WARNING.search(slots.text):
        args["severity"] = "warning"
    return ToolCalls(calls=(ToolCall(name="list_findings", args=args),))
