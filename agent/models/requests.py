"""From a model's tool calls to calls that may run: known tools, valid arguments, nothing twice. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent.arguments import validated
from agent.models.masking import Mask
from agent.models.reply import ToolRequest
from agent.nodes.call_tools import effective
from agent.state import CallResult, ToolCall, TurnView
from tools.errors import BadArgument, UnknownName
from tools.registry import TOOLS, lookup

__all__ = ["Read", "failed_for_good", "read_requests"]

_MOST_CALLS = 8
_QUERY_ID = re.compile(r"(?<![\w-])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{8,12}(?![\w-])", re.IGNORECASE)
_OWN_WORDS = ("reason", "title")
"""Fields of a plan that people read when they approve: a model's words do not stand there."""


@dataclass(frozen=True)
class Read:
    calls: tuple[ToolCall, ...]
    """Those that are new in this turn."""
    problems: tuple[str, ...]
    """What is wrong with the others, for the model."""
    repeated: bool
    """Some had run before with the very same arguments."""


def read_requests(requests: Sequence[ToolRequest], turn: TurnView, mask: Mask) -> Read:
    calls: list[ToolCall] = []
    problems: list[str] = []
    seen = {_key(result.name, result.args) for result in turn.results}
    repeated = False
    for request in requests[:_MOST_CALLS]:
        try:
            call = _call(request, turn, mask)
        except (BadArgument, UnknownName) as error:
            problems.append(f"{mask.reveal(request.name)[:60]}: {error.message}")
            continue
        key = _key(call.name, _effective(call))
        repeated = repeated or key in seen
        if key not in seen:
            seen.add(key)
            calls.append(call)
    return Read(tuple(calls), tuple(problems), repeated)


def _call(request: ToolRequest, turn: TurnView, mask: Mask) -> ToolCall:
    """
    Raises:
        UnknownName: no tool of that name.
        BadArgument: the arguments are no JSON object, do not fit, or name a warehouse that the person did not.
    """
    tool = lookup(request.name)
    if request.args is None:
        raise BadArgument(f"The arguments are no JSON object: {request.error or 'not readable'}.")
    args = mask.reveal_all(request.args)
    if tool.proposes:
        args = _without_words(args)
    validated(tool.args, args)
    if tool.proposes and turn.asked_for_change:
        _check_meant(args, turn)
        _check_kind(request.name, args, turn)
    return ToolCall(name=request.name, args=args)


def _without_words(args: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in args.items() if key not in _OWN_WORDS}
    if isinstance(kept.get("changes"), list):
        kept["changes"] = [_without_words(item) if isinstance(item, dict) else item for item in kept["changes"]]
    return kept


def _check_meant(args: Mapping[str, Any], turn: TurnView) -> None:
    """Text of the account may try to choose what is changed: where the person names warehouses or statements by
    their ids, only those.

    Raises:
        BadArgument: another is named.
    """
    said = f"{turn.text} {(turn.memory.get('pending') or {}).get('question', '')}"
    named = {_bare(name) for name in turn.names.warehouses() if _says(said, name)}
    ids = {found.casefold() for found in _QUERY_ID.findall(said)}
    for item in (args, *(args.get("changes") or ())):
        query_id = item.get("query_id")
        if ids and isinstance(query_id, str) and query_id.strip().casefold() not in ids:
            raise BadArgument("The person's message names another statement. Cancel only what the person names.")
        wanted = item.get("warehouse")
        if named and isinstance(wanted, str) and _bare(wanted) not in named:
            raise BadArgument("The person's message names another warehouse. Change only what the person names.")


_KINDS = {
    "set_auto_suspend": r"auto[\s_-]?suspend\w*|time-?\s?out|idle (?:time|for)|when idle",
    "suspend_idle": r"suspend\w*|stop\w*|pause|shut\w*|halt|(?:turn|switch)\w* (?:\S+ ){0,3}off",
    "resume_warehouse": r"resum\w*|start\w*|restart\w*|wake|unpause|(?:turn|switch)\w* (?:\S+ ){0,3}on",
    "resize_warehouse": r"resiz\w*|(?:down|up)?siz\w+|small\w*|bigger|large\w*|medium|[2-6]?x-?(?:s|l)\w*|scal\w+",
    "set_clusters": r"cluster\w*|scal\w+|multi-?cluster",
    "cancel_query": r"cancel\w*|kill\w*|abort\w*|terminat\w*|quer\w+|statements?",
}


def _check_kind(tool: str, args: Mapping[str, Any], turn: TurnView) -> None:
    """Where the person's words name a kind of change (suspend, resize, ...), a change of another kind is not taken.

    Raises:
        BadArgument: it is of another kind.
    """
    left = f"{turn.text} {(turn.memory.get('pending') or {}).get('question', '')}"
    for name in sorted(turn.names.warehouses(), key=len, reverse=True):
        if len(name) > 1:
            left = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", " ", left, flags=re.IGNORECASE)
    asked: set[str] = set()
    for kind, words in _KINDS.items():
        found = re.compile(rf"\b(?:{words})\b", re.IGNORECASE)
        asked |= {kind} if found.search(left) else set()
        left = found.sub(" ", left) if kind == "set_auto_suspend" else left
    wanted = {item.get("action") for item in args.get("changes") or ()} if tool == "propose_changes" else {tool}
    if asked and not wanted <= asked:
        raise BadArgument("The person's message asks for another kind of change. Propose that one, or ask back.")


def _says(text: str, name: str) -> bool:
    if len(name) < 2 or name.casefold() not in text.casefold():
        return False
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text, re.IGNORECASE) is not None


def _bare(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).casefold()


def _effective(call: ToolCall) -> dict[str, Any]:
    """As call_tools notes it down: defaults included, so that `{}` and its defaults are the same call."""
    model = validated(TOOLS[call.name].args, call.args)
    return effective(model.model_dump(mode="json", exclude_none=True))


def _key(name: str, args: Mapping[str, Any]) -> str:
    return json.dumps([name, args], sort_keys=True, default=str)


def failed_for_good(results: Sequence[CallResult]) -> bool:
    """Nothing was found out: every call has failed."""
    return bool(results) and all(result.error for result in results)
