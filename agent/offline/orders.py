"""What the orders of one message ask for: every clause of change becomes a wish, or is said to be unread. Pure.

A change that was asked for and left out in silence is worse than a question, so nothing is dropped here: a clause
after an order is more names or values for it, an order of its own, or it makes the whole message unread.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeAlias

from agent.offline.answers import seconds_in
from agent.offline.mentions import Mention, Unknown, find_mentions
from agent.offline.requests import bare_clause, clauses, is_order, verb_of
from agent.offline.slots import mended
from tools.domain import Size
from tools.errors import BadArgument

__all__ = ["QUERY_ID", "Wish", "clusters_in", "wishes_in"]

Name: TypeAlias = Mention | Unknown
Fields: TypeAlias = tuple[tuple[str, Any], ...]

QUERY_ID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{8,12}\b", re.IGNORECASE)
_OF_QUERY = re.compile(rf"{QUERY_ID.pattern}|\b(?:query|queries|statements?)\b", re.IGNORECASE)
_AUTO = re.compile(
    r"\bauto[\s\-_]?(?:suspend|suspension|pause|stop)\w*\b|\bsuspends?\s+(?:itself |it )?(?:automatically )?after\b",
    re.IGNORECASE,
)
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
_SIZE_WORD = (
    r"x-?small|extra[ -]?small|small|medium|med|large|extra[ -]?large|x-?large|xs|xl|xxl|xxxl|xx-?large|"
    r"xxx-?large|[2-6] ?x-?l(?:arge)?|x[2-6]-?l(?:arge)?"
)
_SIZE = re.compile(
    rf"(?<![\w-])(?:{_SIZE_WORD})(?![\w-])|(?:\bto|\bsize|=)\s+(?:an? |size )?(?P<letter>[sml])(?![\w-])",
    re.IGNORECASE,
)
_FROM = re.compile(
    rf"\bfrom\s+(?:an? |size )?(?:(?:{_SIZE_WORD}|[sml])(?![\w-])|\d+ ?(?:s|secs?|seconds?|m|mins?|minutes?)?\b"
    r"(?! ?(?:-|–|to) ?\d+ clusters))",
    re.IGNORECASE,
)
"""What it is changed from is no new value: 'from small to large', 'from 300 to 60'."""
_DURATION = re.compile(r"\b\d+ ?(?:s|secs?|seconds?|mins?|minutes?|h|hours?)\b", re.IGNORECASE)
_LEFT_ALONE = re.compile(r"^(?:do not|don'?t|never|not|leave)\b", re.IGNORECASE)
_ASKS = re.compile(r"\s*(?:what|how|which|show|list|tell|who|when|why|credits|cost|queries)\b", re.IGNORECASE)
_ONE = re.compile(r"\b(?:it|its|that one|this one|that|this)\b", re.IGNORECASE)
_FILLING = re.compile(
    r"to|the|an?|of|on|for|in|at|by|with|and|both|all|also|too|as|well|please|pls|warehouses?|v?wh|sizes?|"
    r"s(?:ec(?:ond)?s?)?|m(?:in(?:ute)?s?)?|h(?:ours?)?|max(?:imum)?|minimum|least|most|clusters?|standard|economy|"
    r"policy|scaling|mode|up|down|one|bigger|smaller|larger|its?|their|them|these|those|auto|suspend|auto-?suspend|"
    r"limit|timeout|time|never|off|now|thanks|same|each|extra|between|from|or",
    re.IGNORECASE,
)
"""Words of a clause that goes on with an order; any other word means that it is not understood."""
_LATER = re.compile(
    r"\b(?:tonight|tomorrow|until|till|next (?:week|month|morning|night)|every (?:day|night|morning|evening|week\w*)|"
    r"at \d{1,2}(?: ?[ap]m\b|:\d\d)|for (?:the|this|an?|one|\d+) (?:night|evening|hour|day|week)\w*|respectively)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Wish:
    """One change as it was said; None for what was not. `unread` is a clause that was not understood."""

    action: str
    warehouse: str | None = None
    """Exact name; None where none was said or none was certain."""
    written: str | None = None
    """What was written where no name was certain."""
    near: tuple[str, ...] = ()
    fields: Fields = ()

    def args(self) -> dict[str, Any]:
        named = {} if self.action == "cancel_query" else {"warehouse": self.warehouse or ""}
        return named | dict(self.fields)


UNREAD = Wish("unread")


@dataclass(frozen=True)
class _Part:
    """A clause with the names that it holds; `bare` has blanks in their places."""

    text: str
    bare: str
    names: tuple[Name, ...]


def wishes_in(text: str, warehouses: tuple[str, ...]) -> list[Wish]:
    """Every change that the orders in a text ask for, in order; one without action for each part left unread."""
    text = mended(text, warehouses)
    orders = _orders(text, warehouses)
    found: list[Wish] = []
    before = _spoken_before(text, warehouses)
    for place, parts in enumerate(orders):
        own = [name for part in parts for name in part.names]
        names = own or _meant(parts, before or _names_after(orders[place + 1 :], parts))
        found += _wishes(parts, names, own)
        before = own or before
    if not found and _WISHED.search(text):
        part = _part(text, warehouses)
        found = _of_kind(_wished_action(text), [part], list(part.names), list(part.names))
    if found and _LATER.search(text):
        found.append(UNREAD)
    return found


# --- clauses -----------------------------------------------------------------------------------------------------


def _orders(text: str, warehouses: tuple[str, ...]) -> list[list[_Part]]:
    """Each order with the clauses that go on with it: more names, a size, a number."""
    found: list[list[_Part]] = []
    running = False
    for clause, supposed in clauses(text):
        for piece in _pieces(clause):
            if supposed or (running and _ASKS.match(piece)):
                running = False
            elif is_order(piece):
                found.append([_part(piece, warehouses)])
                running = True
            elif running and not _LEFT_ALONE.match(bare_clause(piece)):
                _go_on(found, _part(piece, warehouses))
    return found


def _pieces(clause: str) -> list[str]:
    """A clause cut before each verb of change that stands in it without an 'and': lines that were joined."""
    cuts = [
        match.start()
        for match in re.finditer(r"(?<=\s)[A-Za-z]+\b(?!-)", clause)
        if _starts_order(clause, match.start())
    ]
    places = [0, *cuts, len(clause)]
    return [piece for a, b in pairwise(places) if (piece := clause[a:b].strip())]


def _starts_order(clause: str, place: int) -> bool:
    before, after = clause[:place].split(), clause[place:]
    if (
        not before
        or not is_order(clause)
        or before[-1].endswith(":")
        or before[-1].casefold() in _NO_CUT
        or not bare_clause(clause[:place])
    ):
        return False
    verb = verb_of(after.split()[0])
    cuts = verb in (*_RESIZING, *_SUSPENDING, *_RESUMING, "set", "cancel", "bump", "make", "change", "reduce", "cut")
    return cuts and not _AUTO.match(after) and is_order(after)


_NO_CUT = ("auto", "to", "the", "a", "an", "not", "please", "you", "of", "and", "its", "their", "on")


def _go_on(found: list[list[_Part]], part: _Part) -> None:
    old, new = _said_kinds(found[-1]), _kinds(part.bare)
    verb = verb_of(re.split(r"[\s,:]+", bare_clause(found[-1][0].text))[0])
    kind = _verb_kind(found[-1][0].text)
    open_verb = verb == "scale" or kind == "" or new == [kind]
    if new and not set(new) <= set(old) and (old or not open_verb):
        found.append([part])
    else:
        found[-1].append(part)


def _part(clause: str, warehouses: tuple[str, ...]) -> _Part:
    mentions, unknown = find_mentions(QUERY_ID.sub(lambda m: " " * len(m[0]), clause), warehouses)
    found: list[Name] = [*mentions, *unknown]
    names = tuple(sorted(found, key=lambda m: m.start))
    bare = clause
    for name in names:
        bare = bare[: name.start] + " " * (name.end - name.start) + bare[name.end :]
    return _Part(clause, bare, names)


# --- whose -------------------------------------------------------------------------------------------------------


def _spoken_before(text: str, warehouses: tuple[str, ...]) -> list[Name]:
    """'On ETL_WH and BI_WH, set auto-suspend to 60': the names stand in clauses before the order."""
    first = next((c for c, supposed in clauses(text) if not supposed and is_order(c)), None)
    place = text.find(first) if first else 0
    return list(_part(text[: max(place, 0)], warehouses).names)


def _names_after(later: Sequence[list[_Part]], parts: list[_Part]) -> list[Name]:
    """'Set auto-suspend to 60 and max clusters to 3 on BI_WH': the name stands in a clause after."""
    if any(_ONE.search(part.bare) for part in parts):
        return []
    return next((names for order in later if (names := [n for part in order for n in part.names])), [])


def _meant(parts: list[_Part], names: list[Name]) -> list[Name]:
    """Of the names spoken of, those that a clause without a name means; 'it' with several names is open."""
    kinds = {n.names if isinstance(n, Mention) else (n.written,) for n in names}
    if len(kinds) > 1 and any(_ONE.search(part.bare) for part in parts):
        near = tuple(dict.fromkeys(name for n in names for name in (n.names if isinstance(n, Mention) else n.near)))
        return [Unknown(0, 0, "it", near, near)]
    return names


# --- what --------------------------------------------------------------------------------------------------------


def _wishes(parts: list[_Part], names: list[Name], own: list[Name]) -> list[Wish]:
    if any(_leftover(part.bare) for part in parts[1:]):
        return [UNREAD]
    kinds = _said_kinds(parts)
    verb = _verb_kind(parts[0].text)
    if verb == "cancel_query" or not kinds or (verb == "resume_warehouse" and kinds == ["resize_warehouse"]):
        kinds = [verb or _stepped(parts[0].text), *(kinds if verb == "resume_warehouse" else [])]
    return [wish for kind in kinds for wish in _of_kind(kind, parts, names, own)]


def _leftover(bare: str) -> bool:
    words = re.findall(r"[^\W\d][\w'\-]*", QUERY_ID.sub(" ", _SIZE.sub(" ", _DURATION.sub(" ", bare))))
    return any(_FILLING.fullmatch(word.removesuffix("'s")) is None for word in words)


def _said_kinds(parts: list[_Part]) -> list[str]:
    return list(dict.fromkeys(kind for part in parts for kind in _kinds(part.bare)))


def _kinds(bare: str) -> list[str]:
    """The properties that a clause names, in order: auto-suspend, clusters, a size."""
    patterns = (("set_auto_suspend", _AUTO), ("set_clusters", _CLUSTERS), ("resize_warehouse", _SIZE))
    found = [(match.start(), kind) for kind, pattern in patterns if (match := pattern.search(_FROM.sub(" ", bare)))]
    return [kind for _, kind in sorted(found)]


def _verb_kind(clause: str) -> str:
    bare = bare_clause(clause)
    verb = verb_of(re.split(r"[\s,:]+", bare)[0])
    if verb in ("cancel", "kill", "abort", "terminate", "stop") and _OF_QUERY.search(clause):
        return "cancel_query"
    if verb in _RESIZING:
        return "resize_warehouse"
    if verb in _SUSPENDING or _switched(bare, "off"):
        return "suspend_idle"
    return "resume_warehouse" if verb in _RESUMING or _switched(bare, "on") else ""


def _stepped(clause: str) -> str:
    bare = bare_clause(clause)
    return "resize_warehouse" if _STEPS.search(bare) or _UP.search(bare) or _DOWN.search(bare) else ""


def _switched(bare: str, where: str) -> bool:
    return bool(
        re.match(r"(?:turn|switch|put)\b", bare, re.IGNORECASE) and re.search(rf"\b{where}\b", bare, re.IGNORECASE)
    )


def _wished_action(text: str) -> str:
    if re.search(r"\bresized\b|\bscaled\b", text, re.IGNORECASE):
        return "resize_warehouse"
    if re.search(r"\bcancell?ed\b|\bkilled\b", text, re.IGNORECASE) and QUERY_ID.search(text):
        return "cancel_query"
    return "resume_warehouse" if re.search(r"\bresumed\b", text, re.IGNORECASE) else "suspend_idle"


# --- values ------------------------------------------------------------------------------------------------------


def _of_kind(kind: str, parts: list[_Part], names: list[Name], own: list[Name]) -> list[Wish]:
    if kind == "cancel_query":
        ids = [one for part in parts for one in QUERY_ID.findall(part.text)]
        return [Wish(kind, fields=(("query_id", one.lower()),)) for one in ids] or [_some_query(kind, names)]
    values = _values(kind, parts)
    if values is None:
        return [UNREAD]
    if not own:
        said = next((fields for _, fields in values if fields), ())
        return [_wish(kind, name, said) for name in names] or [Wish(kind, fields=said)]
    return [_wish(kind, name, fields) for name, fields in values if name is not None]


def _some_query(kind: str, names: list[Name]) -> Wish:
    named = [name for name in names if isinstance(name, Mention) and len(name.names) == 1]
    return Wish(kind, near=tuple(name.names[0] for name in named))


def _wish(action: str, name: Name, fields: Fields) -> Wish:
    if isinstance(name, Mention) and len(name.names) == 1:
        return Wish(action, name.names[0], fields=fields)
    near = name.names if isinstance(name, Mention) else name.near
    return Wish(action, None, None if name.end == 0 else name.written, tuple(near), fields)


def _values(kind: str, parts: list[_Part]) -> list[tuple[Name | None, Fields]] | None:
    """Each name with its value: its own clause's, else the next one's, else the last; None where it is not clear."""
    if kind == "set_clusters":
        return _cluster_values(parts)
    own = [_fields(kind, part.bare) for part in parts]
    if len({value for value in own if value}) > 1 and any(v and not p.names for v, p in zip(own, parts, strict=True)):
        return None
    found: list[tuple[Name | None, Fields]] = []
    for place, part in enumerate(parts):
        fields = own[place] or next((v for v in own[place + 1 :] if v), ())
        fields = fields or next((v for v in reversed(own[:place]) if v), ())
        several = _several(kind, part)
        if several is None:
            return None
        found += several or [(name, fields) for name in part.names or (None,)]
    return found


def _several(kind: str, part: _Part) -> list[tuple[Name | None, Fields]] | None:
    """Names of one clause with different values ('A small B large'); empty where one value is for all."""
    if not part.names:
        return []
    ends = [name.start for name in part.names[1:]] + [len(part.bare)]
    after = [_fields(kind, part.bare[n.end : end]) for n, end in zip(part.names, ends, strict=True)]
    before = _fields(kind, part.bare[: part.names[0].start]) if kind == "set_auto_suspend" else ()
    if len({value for value in after if value}) < 2:
        return []
    return list(zip(part.names, after, strict=True)) if all(after) and not before else None


def _cluster_values(parts: list[_Part]) -> list[tuple[Name | None, Fields]] | None:
    counted = [p for p in parts if p.names and re.search(r"\d|\beconomy\b|\bstandard\b", p.bare, re.IGNORECASE)]
    if len(counted) > 1:
        alone = [tuple(clusters_in(p.bare).items()) for p in parts]
        if not all(alone) or not all(p.names for p in parts):
            return None
        return [(name, fields) for p, fields in zip(parts, alone, strict=True) for name in p.names]
    whole = tuple(clusters_in(" and ".join(p.bare for p in parts)).items())
    names = [name for part in parts for name in part.names]
    return [(name, whole) for name in names or (None,)]


def _fields(kind: str, bare: str) -> Fields:
    bare = _FROM.sub(" ", bare)
    if kind == "resize_warehouse":
        size = _size(bare)
        return (("size", size),) if size else ()
    if kind == "set_auto_suspend":
        match = _AUTO.search(bare)
        seconds = seconds_in(bare[match.end() :] if match else bare)
        if seconds is None and re.search(r"\b(?:disable|turn off|switch off)\b", bare, re.IGNORECASE):
            seconds = 0
        return (("seconds", seconds),) if seconds is not None else ()
    return ()


def _size(clause: str) -> str | None:
    sizes = {_parsed(match) for match in _SIZE.finditer(clause)}
    if sizes:
        return sizes.pop() if len(sizes) == 1 else None
    bare = bare_clause(clause)
    if _STEPS.search(bare) or _AUTO.search(bare) or _CLUSTERS.search(bare):
        return None
    if _UP.search(bare):
        return "up"
    return "down" if _DOWN.search(bare) else None


def _parsed(match: re.Match[str]) -> str | None:
    try:
        return Size.parse(re.sub(r"^(?:to|size|=)\s+", "", match["letter"] or match[0])).value
    except BadArgument:
        return None


def clusters_in(clause: str) -> dict[str, Any]:
    """min_clusters, max_clusters and scaling_policy, as far as they are said."""
    clause = _DURATION.sub(" ", clause)
    if re.search(r"\bm(?:ax|in)(?:imum)?\b", clause, re.IGNORECASE):
        clause = re.sub(r"\bfrom \d{1,3}\b", " ", clause)
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
