"""One reading tool called by a command: no conversation, no thinker, and its reply proven like any other."""

from __future__ import annotations

from typing import Any

from agent.nodes.call_tools import called
from agent.nodes.check_answer import proven
from agent.offline.composition import write_reply
from agent.replies.citations import render
from agent.replies.evidence import evidence_of
from agent.replies.fallback import listing
from agent.state import CallResult, ToolCall
from tools.context import ToolContext

__all__ = ["answer_directly"]


def answer_directly(context: ToolContext, name: str, args: dict[str, Any]) -> tuple[CallResult, str]:
    """The call's result and the reply in words; an error of the tool is a result too.

    Raises:
        FrostlineError: the account does not answer.
    """
    result = called(context, ToolCall(name=name, args=args))
    tz = context.reader.account().timezone
    evidence = evidence_of([result], tz=tz)
    text = proven(write_reply([result], tz), evidence, names=False, ours=True)
    return result, text if text is not None else render(listing([result]), evidence)
