"""From the wishes of a message to calls of the changing tools, or the question that is still open. Pure.

Nothing is guessed: a warehouse's name is taken only as it is written (case, spaces and hyphens apart), a size or
a number only where it was said. Whatever is missing is asked for, and the next message answers it. A message of
which a part was not understood is asked back whole: all of its changes are proposed, or none.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from agent.offline.orders import QUERY_ID, Wish, wishes_in
from agent.state import Clarify, ToolCall, ToolCalls

__all__ = ["asked_again", "decide_change"]

_UNREAD = (
    "I did not understand every part of that, so I propose nothing of it. Say each change with its verb, the "
    "warehouse and the new value, joined by *and*; I propose changes for now, not for a later time."
)


def decide_change(text: str, warehouses: Sequence[str], known: str | None = None) -> ToolCalls | Clarify | None:
    """The calls that an order means, or the question about what it leaves open; None where it orders nothing we do.

    `known`: a warehouse that the conversation spoke of, offered (never taken) where none is named.
    """
    wishes = wishes_in(text, tuple(warehouses))
    if not any(wish.action for wish in wishes):
        return None
    if not all(wish.action and wish.action != "unread" for wish in wishes):
        return Clarify(template=_UNREAD)
    return asked_again([_plain(wish) for wish in dict.fromkeys(wishes)], warehouses, known)


def _plain(wish: Wish) -> dict[str, Any]:
    return {"action": wish.action, "args": wish.args(), "written": wish.written, "near": list(wish.near)}


# --- asking for what is missing -------------------------------------------------------------------------------------


def asked_again(
    wishes: list[dict[str, Any]], warehouses: Sequence[str], known: str | None = None
) -> ToolCalls | Clarify:
    """The calls, or a question about the first thing that is not certain; `wishes` as `_plain` makes them."""
    for number, wish in enumerate(wishes):
        question = _question(number, wish, wishes, list(warehouses), known)
        if question is not None:
            return question
    return ToolCalls(calls=_calls(wishes))


def _question(
    number: int, wish: dict[str, Any], wishes: list[dict[str, Any]], warehouses: list[str], known: str | None
) -> Clarify | None:
    args, action = wish["args"], wish["action"]
    pending = {"change": True, "wishes": wishes, "wish": number}
    if action == "cancel_query" and not args.get("query_id"):
        pending |= {"kind": "text", "slot": "query_id", "pattern": QUERY_ID.pattern}
        return Clarify(
            template="Which query? Give its id; a single running query can be cancelled by id only.", pending=pending
        )
    if "warehouse" in args and not args["warehouse"]:
        return _which_warehouse(wish, warehouses, known, pending)
    if action == "resize_warehouse" and "size" not in args:
        pending |= {"kind": "size", "slot": "size"}
        return Clarify(template="To which size should [[o1]] go?", options=(args["warehouse"],), pending=pending)
    if action == "set_auto_suspend" and "seconds" not in args:
        pending |= {"kind": "seconds", "slot": "seconds"}
        text = "After how long without work should [[o1]] suspend? Say the seconds or minutes, or never."
        return Clarify(template=text, options=(args["warehouse"],), pending=pending)
    if action == "set_clusters" and len(args) == 1:
        text = "How many clusters for [[o1]]? Say the least and the most, or the scaling policy."
        pending |= {"kind": "text", "slot": "clusters", "pattern": r"\d|economy|standard"}
        return Clarify(template=text, options=(args["warehouse"],), pending=pending)
    return None


def _which_warehouse(
    wish: dict[str, Any], warehouses: list[str], known: str | None, pending: dict[str, Any]
) -> Clarify:
    near = tuple(wish["near"]) or ((known,) if known and not wish["written"] else ())
    pending = pending | {"kind": "name", "slot": "warehouse", "options": list(near), "known": warehouses}
    if wish["written"] is None:
        text = "Which warehouse? Name it, and I store the plan." + (" Do you mean this?" if near else "")
        return Clarify(template=text, options=near, pending=pending)
    if near:
        text = "For a change I do not guess: [[named]] is not exactly the name of a warehouse. Which is meant?"
    else:
        text = "There is no warehouse like [[named]]. Which is meant?"
    return Clarify(template=text, options=near, named=wish["written"], pending=pending)


def _calls(wishes: list[dict[str, Any]]) -> tuple[ToolCall, ...]:
    if len(wishes) == 1:
        return (ToolCall(name=wishes[0]["action"], args=wishes[0]["args"]),)
    changes = [{"action": wish["action"], **wish["args"]} for wish in wishes]
    return (ToolCall(name="propose_changes", args={"changes": changes}),)
