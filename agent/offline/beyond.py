"""What no call can express, and would change the answer: names left out, limits, averages, hours of many days. Pure."""

from __future__ import annotations

import re

from agent.offline.slots import TOP, Slots
from agent.offline.words import metric_words
from agent.state import Clarify
from tools.windows.clock import RECURRING

__all__ = ["TIME_LEFT", "left_out", "of_many_days", "strange_breakdown", "time_lost", "what_is_beyond"]

_EXCEPT = re.compile(
    r"\b(?:except|excluding|exclude|without|other than|apart from|but not|but for|not including|besides)\b|"
    r"\b(?:all|everything|everybody|everyone|anything|any) but\b"
)
_LIMIT = re.compile(
    r"\b(?:more|less|longer|greater|fewer|higher|lower|bigger|larger|smaller) than \W?\d|"
    r"\b(?:above|below|exceed\w*|at least|at most) \W?\d"
)
_BY_WORD = re.compile(r"\b(?:by|per) (?:(?:the|our|each) )?(?!the\b|our\b|each\b)([a-z]\w+)")
_NO_BREAKDOWN = ("far", "now", "default", "then", "hand", "itself", "any", "chance", "accident", "way", "cent")
_PER = re.compile(r"\b(?:per|each) (?:query|queries|statement|second|minute|credit|dollar|byte|gb|tb|run)\b")
_MEAN = re.compile(r"\b(?:average|avg|mean|median|p\d\d|percentiles?)\b")
_NOT = re.compile(r"\bsuccess\w*|\bsucceed\w*|\b(?:not|never|didn'?t|don'?t|doesn'?t) (?:fail|queue|spill|wait|run)\w*")
TIME_LEFT = re.compile(r"\b(?:since|until|till|ago|last|past|previous|during)\b")
_OTHER = re.compile(
    r"\b(?:cortex|containers?|clustering|replication|materiali[sz]ed|search optimi[sz]ation)\b|"
    r"\b(?:teams?|departments?|projects?|schemas?|(?<!as a )(?<!in a )tables?|dashboards?|customers?|pipelines?|jobs?|"
    r"regions?|sessions?|applications?|clients?)\b"
)
_UNREAD = (
    "I did not understand the time or the number in that. Times read like: yesterday, last week, this month, "
    "since Monday, yesterday evening, or dates as year-month-day."
)
_MANY_DAYS = (
    "I take one stretch of time, not the same hours of many days. Ask for one, e.g. overnight, yesterday evening, or "
    "this morning; or by hour for a day, or by day."
)
_BREAKDOWNS = (
    "I can by: warehouse, user, role, database, query tag, query type, service type, hour, day, week or month."
)


def what_is_beyond(slots: Slots, *, state: bool) -> Clarify | None:
    """What would change the answer and cannot be asked for: said, never left out in silence.

    `state`: the question is about warehouses as they stand; numbers in it are no times.
    """
    if left_out(slots) is not None:
        return left_out(slots)
    if _LIMIT.search(slots.rest):
        return Clarify(template="I cannot filter by a limit in this version. Ask for the top ones, sorted, instead.")
    if slots.breakdowns > 1:
        return Clarify(template=f"I can break figures down by a single thing at a time. {_BREAKDOWNS} Which first?")
    if _PER.search(slots.rest) or (_MEAN.search(slots.rest) and slots.metric != "average_seconds"):
        return Clarify(
            template="I have totals, not averages or figures for each query, but for the average query time."
        )
    if _NOT.search(slots.rest):
        return Clarify(template="I can count all queries and failed ones. Ask for both, or for the failure rate.")
    return strange_breakdown(slots) or (None if state else _unread(slots))


def left_out(slots: Slots) -> Clarify | None:
    """'all but LOAD_WH': without this it would be answered for LOAD_WH alone, the very opposite."""
    if not _EXCEPT.search(slots.rest) or not (slots.mentions or slots.filters) or slots.include_idle:
        return None
    return Clarify(
        template="I cannot leave names out in this version. Each name has its own row where it is by warehouse."
    )


def of_many_days(slots: Slots) -> Clarify | None:
    """'at night last week', 'on weekdays': hours of many days are no window."""
    return Clarify(template=_MANY_DAYS) if RECURRING.search(slots.rest) else None


def time_lost(slots: Slots) -> Clarify | None:
    """'between 2am and 5am', 'since the migration' of what was odd: it would be answered for the past week."""
    left = TOP.sub(" ", slots.rest)
    lost = re.search(r"\d|\b(?:since|ago|during|between)\b", left) is not None
    return Clarify(template=_UNREAD) if lost and not slots.windows else None


def strange_breakdown(slots: Slots) -> Clarify | None:
    """'By team': without this it would be answered as the total."""
    word = _BY_WORD.search(slots.rest)
    strange = slots.by is None and word and word[1] not in _NO_BREAKDOWN and word[1] not in metric_words()
    if strange or _OTHER.search(slots.rest):
        return Clarify(template=f"I cannot tell figures apart by that. {_BREAKDOWNS}")
    return None


def _unread(slots: Slots) -> Clarify | None:
    """A number or a time that no slot holds: without it the answer would be to another question."""
    if (many := of_many_days(slots)) is not None:
        return many
    number = re.search(r"\d", TOP.sub(" ", slots.rest))
    if number or (TIME_LEFT.search(slots.rest) and not slots.compare and slots.metric):
        return Clarify(template=_UNREAD)
    return None
