"""Several questions in one message, and a question with an order behind it. Pure."""

from __future__ import annotations

import re
from datetime import datetime

from agent.offline.mentions import find_mentions
from agent.offline.requests import clauses, is_order, verb_of
from prompts import lexicon
from tools.windows.future import find_futures
from tools.windows.parse import find_windows

__all__ = ["order_aside", "parts_of"]

_NEXT = re.compile(
    r"(?:\s*[,;]\s*|\s+)(?:and|but)\s+(?:also\s+|then\s+)?"
    r"(?=(?:what|how|which|who|when|where|is|are|was|were|will|did|does|do|has|have|any|anything|show|list|forecast)\b)|"
    r"\?\s+(?=\w)",
    re.IGNORECASE,
)
_IT = re.compile(r"\b(?:it|they|them)\b", re.IGNORECASE)
_STATE = re.compile(
    r"^(?:is|are)\b.*\b(?:running|suspended|started|up|on|off|idle|busy|queued|waiting)\b", re.IGNORECASE
)
_MOST_PARTS = 3


def parts_of(text: str, warehouses: tuple[str, ...], now: datetime, tz: str) -> tuple[list[str], bool]:
    """The questions of a message, where there are several and each stands by itself; else nothing.

    'What did we spend last week and what will we spend next week?' are two. So are 'How many queries ran and how many
    failed yesterday?', which share their time; the second value says so. 'It' in a later one is the one warehouse that
    the first names.
    """
    parts = [part.strip(" ?") for part in _NEXT.split(text) if part.strip(" ?")]
    if not 1 < len(parts) <= _MOST_PARTS:
        return [], False
    names = {m.names[0] for m in find_mentions(parts[0], warehouses)[0] if len(m.names) == 1}
    if len(names) == 1:
        parts[1:] = [_IT.sub(names.copy().pop(), part) for part in parts[1:]]
    if any(_IT.search(part) for part in parts[1:]):
        return [], False
    past = [find_windows(part, now, tz) for part in parts]
    stands = [bool(w or find_futures(p, now, tz) or _STATE.search(p)) for p, w in zip(parts, past, strict=True)]
    said = [window.phrase for windows in past for window in windows]
    if len(said) == 1 and sum(stands) == 1:
        return [part if stood else f"{part} {said[0]}" for part, stood in zip(parts, stands, strict=True)], True
    return (parts if all(stands) and said else []), False


def order_aside(text: str, warehouses: tuple[str, ...]) -> str:
    """A question with an order behind it ('show ... and resize X to small'), without the order; else nothing.

    An order is taken only where a sentence begins as one; here it would be lost, and X be taken for what is asked of.
    """
    found = clauses(text)
    sure = frozenset(map(str, lexicon("requests")["sure"]))
    orders = [
        clause
        for clause, _ in found[1:]
        if is_order(clause) and verb_of(clause.split()[0]) in sure and find_mentions(clause, warehouses)[0]
    ]
    kept = [clause for clause, _ in found if clause not in orders]
    return " and ".join(kept) if orders and kept else ""
