"""From an order in the person's words to calls of the changing tools, or the question that is still open. Pure.

Nothing is guessed: a warehouse's name is taken only as it is written (case, spaces and hyphens apart), a size or
a number only where it was said. Whatever is missing is asked for, and the next message answers it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from agent.offline.answers import seconds_in
from agent.offline.mentions import Mention, Unknown, find_mentions
from agent.offline.requests import bare_clause, clauses, is_order, verb_of
from agent.offline.slots import mended
from agent.state import Clarify, ToolCall, ToolCalls
from tools.domain import Size
from tools.errors import BadArgument

__all__ = ["Wish", "asked_again", "clusters_in", "decide_change", "wishes_in"]

_QUERY_ID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{8,12}\b", re.IGNORECASE)
_OF_QUERY = re.compile(rf"{_QUERY_ID.pattern}|\b(?:query|queries|statement)\b", re.IGNORECASE)
_AUTO = re.compile(r"\bauto[\s\-_]?(?:suspend|suspension|pause|stop)\w*\b", re.IGNORECASE)
_CLUSTERS = re.compile(
    r"\bclusters?\b|\bscaling policy\b|\bmulti[\s-]?cluster\b|\b(?:economy|standard) (?:policy|scaling|mode)\b", re.I
)
_WISHED = re.compile(r"\b(?:resized|suspended|paused|stopped|resumed|scaled|cancell?ed|killed)\b", re.IGNORECASE)
_UP = re.compile(r"\b(?:up(?:size|scale)?|bigger|larger|increase|grow|one size up|raise|bump|upgrade)\b", re.IGNORECASE)
_DOWN = re.compile(
    r"\b(?:down(?:size|scale)?|smaller|decrease|reduce|shrink|lower|downgrade|one size down)\b", re.IGNORECASE
)
_STEPS = re.compile(r"\b(?:two|three|four|2|3|4) (?:sizes?|steps?|notch(?:es)?)\b|\bdouble\b|\bhalve\b", re.IGNORECASE)
_RESIZING = ("resize", "upsize", "downsize", "upscale", "downscale", "scale")
_SUSPENDING = ("suspend", "pause", "stop", "shut", "shutdown", "kill", "abort", "terminate")
_RESUMING = ("resume", "unsuspend", "unpause", "start", "wake")
_SIZE = re.compile(
    r"(?<![\w-])(?:x-?small|extra[ -]?small|small|medium|med|large|extra[ -]?large|x-?large|xs|xl|xxl|xxxl|xx-?large|"
    r"xxx-?large|"
    r"[2-6] ?x-?l(?:arge)?|x[2-6]-?l(?:arge)?)(?![\w-])|(?:\bto|\bsize|=)\s+(?:an? |size )?(?P<letter>[sml])(?![\w-])",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Wish:
    """One change as it was said; None for what was not."""

    action: str
    warehouse: str | None = None
    """Exact name; None where none was said or none was certain."""
    written: str | None = None
    """What was written where no name was certain."""
    near: tuple[str, ...] = ()
    fields: tuple[tuple[str, Any], ...] = ()

    def args(self) -> dict[str, Any]:
        named = {} if self.action == "cancel_query" else {"warehouse": self.warehouse or ""}
        return named | dict(self.fields)


def decide_change(text: str, warehouses: Sequence[str], known: str | None = None) -> ToolCalls | Clarify | None:
    """The calls that an order means, or the question about what it leaves open; None where it orders nothing we do.

    `known`: a warehouse that the conversation spoke of, offered (never taken) where none is named.
    """
    wishes = wishes_in(text, tuple(warehouses))
    return asked_again([_plain(wish) for wish in wishes], warehouses, known) if wishes else None


def _plain(wish: Wish) -> dict[str, Any]:
    return {"action": wish.action, "args": wish.args(), "written": wish.written, "near": list(wish.near)}


# --- reading -----------------------------------------------------------------------------------------------------


def wishes_in(text: str, warehouses: tuple[str, ...]) -> list[Wish]:
    """Every change that the orders in a text ask for, in order."""
    text = mended(text, warehouses)
    found: list[Wish] = []
    names: list[Mention | Unknown] = []
    for segment in _segments(text):
        names = _names(segment, warehouses) or names or _names_before(text, segment, warehouses)
        found += _wishes(_action(segment), names, segment)
    if not found and _WISHED.search(text):
        found = _wishes(_wished_action(text), _names(text, warehouses), text)
    return [wish for wish in found if wish.action]


def _segments(text: str) -> list[str]:
    """An order with the clauses that go on with it: more names, a size, a number."""
    found: list[str] = []
    running = False
    for clause, supposed in clauses(text):
        if not supposed and is_order(clause):
            found.append(clause)
            running = True
        elif running and not supposed and not _reads_on(clause):
            found[-1] += f" and {clause}"
        else:
            running = False
    return found


def _wished_action(text: str) -> str:
    if re.search(r"\bresized\b|\bscaled\b", text, re.IGNORECASE):
        return "resize_warehouse"
    if re.search(r"\bcancell?ed\b|\bkilled\b", text, re.IGNORECASE) and _QUERY_ID.search(text):
        return "cancel_query"
    return "resume_warehouse" if re.search(r"\bresumed\b", text, re.IGNORECASE) else "suspend_idle"


def _names(text: str, warehouses: tuple[str, ...]) -> list[Mention | Unknown]:
    mentions, unknown = find_mentions(_QUERY_ID.sub(" ", text), warehouses)
    return sorted([*mentions, *unknown], key=lambda m: m.start)


def _names_before(text: str, clause: str, warehouses: tuple[str, ...]) -> list[Mention | Unknown]:
    """'On ETL_WH, set auto-suspend to 60': the name stands in an earlier clause."""
    place = text.find(clause.split(" and ")[0])
    return _names(text[: max(place, 0)], warehouses)[-1:]


def _reads_on(clause: str) -> bool:
    """A clause after an order that asks something instead of naming more warehouses."""
    return bool(
        re.match(r"\s*(?:what|how|which|show|list|tell|who|when|why|credits|cost|queries)\b", clause, re.IGNORECASE)
    )


def _action(clause: str) -> str:
    bare = bare_clause(clause)
    verb = verb_of(re.split(r"[\s,:]+", bare)[0])
    if _AUTO.search(clause):
        return "set_auto_suspend"
    if _CLUSTERS.search(clause):
        return "set_clusters"
    if verb in ("cancel", "kill", "abort", "terminate") and _OF_QUERY.search(clause):
        return "cancel_query"
    if _size(clause) or verb in _RESIZING:
        return "resize_warehouse"
    if verb in _SUSPENDING or _switched(bare, "off"):
        return "suspend_idle"
    if verb in _RESUMING or _switched(bare, "on"):
        return "resume_warehouse"
    return "resize_warehouse" if _STEPS.search(bare) else ""


def _switched(bare: str, where: str) -> bool:
    return bool(
        re.match(r"(?:turn|switch|put)\b", bare, re.IGNORECASE) and re.search(rf"\b{where}\b", bare, re.IGNORECASE)
    )


def _wishes(action: str, names: Sequence[Mention | Unknown], segment: str) -> list[Wish]:
    whole = _fields(action, segment)
    if action == "cancel_query":
        ids = _QUERY_ID.findall(segment)
        return [Wish(action, fields=(("query_id", one.lower()),)) for one in ids] or [Wish(action)]
    if not names:
        return [Wish(action, fields=whole)]
    return [
        _wish(action, name, _fields(action, _part_after(names, i, segment)) or whole) for i, name in enumerate(names)
    ]


def _part_after(names: Sequence[Mention | Unknown], number: int, segment: str) -> str:
    """What is said between a name and the next: 'A to small and B to large'."""
    start = segment.find(names[number].written)
    if len(names) < 2 or start < 0:
        return ""
    start += len(names[number].written)
    end = segment.find(names[number + 1].written, start) if number + 1 < len(names) else len(segment)
    return segment[start : max(end, start)]


def _wish(action: str, name: Mention | Unknown, fields: tuple[tuple[str, Any], ...]) -> Wish:
    if isinstance(name, Mention) and len(name.names) == 1:
        return Wish(action, name.names[0], fields=fields)
    near = name.names if isinstance(name, Mention) else name.near
    return Wish(action, None, name.written, tuple(near), fields)


def _fields(action: str, clause: str) -> tuple[tuple[str, Any], ...]:
    if action == "resize_warehouse":
        size = _size(clause)
        return (("size", size),) if size else ()
    if action == "set_auto_suspend":
        seconds = seconds_in(_after(_AUTO, clause))
        if seconds is None and re.search(r"\b(?:disable|turn off|switch off)\b", clause, re.IGNORECASE):
            seconds = 0
        return (("seconds", seconds),) if seconds is not None else ()
    return tuple(clusters_in(clause).items()) if action == "set_clusters" else ()


def _after(pattern: re.Pattern[str], clause: str) -> str:
    """What follows the property's name, without words that hold digits (names)."""
    match = pattern.search(clause)
    rest = clause[match.end() :] if match else clause
    return re.sub(r"\b\w*_\w*\b", " ", rest)


def _size(clause: str) -> str | None:
    match = _SIZE.search(clause)
    if match:
        text = match["letter"] or match[0]
        try:
            return Size.parse(re.sub(r"^(?:to|size|=)\s+", "", text)).value
        except BadArgument:
            return None
    bare = bare_clause(clause)
    if _STEPS.search(bare):
        return None
    if _UP.search(bare):
        return "up"
    return "down" if _DOWN.search(bare) else None


def clusters_in(clause: str) -> dict[str, Any]:
    """min_clusters, max_clusters and scaling_policy, as far as they are said."""
    found: dict[str, Any] = {}
    span = re.search(r"\b(\d{1,3}) ?(?:-|–|to|and|\.\.) ?(\d{1,3})\b", clause)
    least = re.search(r"\b(?:min(?:imum)?|at least|least)\b\D{0,25}?(\d{1,3})\b", clause, re.IGNORECASE)
    most = re.search(r"\b(?:max(?:imum)?|at most|up to|most)\b\D{0,25}?(\d{1,3})\b", clause, re.IGNORECASE)
    if least or most:
        found |= {"min_clusters": int(least[1])} if least else {}
        found |= {"max_clusters": int(most[1])} if most else {}
    elif span:
        found = {"min_clusters": int(span[1]), "max_clusters": int(span[2])}
    policy = re.search(r"\b(economy|standard)\b", clause, re.IGNORECASE)
    return found | ({"scaling_policy": policy[1].upper()} if policy else {})


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
        pending |= {"kind": "text", "slot": "query_id", "pattern": _QUERY_ID.pattern}
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
