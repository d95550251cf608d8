"""What a question holds: metric, breakdown, windows, names, top, comparison. Pure, but for names that Names reads."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from typing import cast, get_args

from agent.offline.columns import in_other_columns, named_filters, serverless
from agent.offline.mentions import Mention, Unknown, close_to, find_mentions
from agent.offline.words import Token, is_known, mend, phrase_pattern, tokens
from agent.offline.workloads import Workload, find_workloads
from agent.state import Names
from prompts import lexicon
from tools.context import FilterColumn
from tools.errors import BadArgument
from tools.usage.metrics import Breakdown, Metric
from tools.windows.parse import find_windows, read_window

__all__ = ["TOP", "Slots", "mended", "read_slots", "wants_least"]

_NUMBER_WORDS = {"three": 3, "five": 5, "ten": 10, "two": 2, "four": 4, "six": 6, "seven": 7, "eight": 8, "twenty": 20}
_NUMBER = r"\d{1,3}|" + "|".join(_NUMBER_WORDS)
_MOST = r"most|biggest|largest|highest|top|worst|priciest|costliest|heaviest|busiest|hungriest|slowest|longest"
_LEAST = r"(?<!\bat )least|cheapest|lowest|smallest|fewest|bottom|quietest|fastest|shortest"
TOP = re.compile(
    rf"\b(?:top|bottom|first|best|worst|biggest|largest) ({_NUMBER})\b|\b({_NUMBER}) (?:{_MOST}|{_LEAST})\b",
    re.IGNORECASE,
)
_UNUSED = re.compile(
    r"\bunused\b|\b(?:not|never|n't|nt) (?:been |being |in )?(?:used|use|active|queried)\b|\binactive\b|"
    r"\b(?:had|have|has|with|ran|run|used) (?:no|zero) (?:queries|credits|usage|activity|statements)\b",
    re.IGNORECASE,
)
"""What was not used stands first where the least stands first."""
_ASCENDING = re.compile(rf"\b(?:{_LEAST})\b|{_UNUSED.pattern}", re.IGNORECASE)
_COMPARE = re.compile(
    r"\bcompar\w*|\bvs\b|\bversus\b|\b(?:more|less|higher|lower|fewer)(?:\s+\w+){0,3}?\s+than\b|"
    r"\b(?:week|month|day|year)[- ](?:over|on)[- ]"
    r"(?:week|month|day|year)\b|\b(?:wow|mom|dod|yoy)\b|\bincreas\w*|\bdecreas\w*|\bgrow(?:n|th|ing)?\b|\bgrew\b|\bdifference\b|"
    r"\b(?:rise|rises|rising|rose|risen|falling|fell|climb\w*|dropped|shrinking|shrank)\b|"
    r"\b(?:went|gone|go|going) (?:up|down)\b|\bup or down\b|\b(?:week|month|day|period|window|quarter|year) before\b|"
    r"\bprevious (?:period|window)\b|\bchanged? (?:from|since|against)\b|\bagainst the\b",
    re.IGNORECASE,
)
_WITH_IDLE = re.compile(
    r"\b(?:with|including|include|incl\.?|plus) (?:the )?idle\b|\bidle (?:time )?included\b", re.IGNORECASE
)
_PART = re.compile(r"\bper ?cent(?:age)?\b|\bshare\b|\bfraction\b|\bratio\b|\brate\b|%")
_DOLLARS = re.compile(r"[$€]|\b(?:dollars?|usd|bucks|money)\b", re.IGNORECASE)
_COSTS = re.compile(r"\b(?:costs?|costing|spen[dt]|pay|paid|paying)\b")
_BY = r"(?:by|per|for each|for every|each|every|across(?: the| all)?)"


_BEFORE_NAMES = ("for", "of", "on", "did", "does", "has", "will", "by", "from", "in", "to", "about", "is")
_AFTER_NAMES = ("credits", "cost", "costs", "spend", "usage", "queries", "failures", "ran", "used", "spent")
"""After these an unknown word is taken for a name, and never just left out."""


@dataclass(frozen=True)
class Slots:
    """None and empty mean: not said."""

    text: str
    """The words with typos mended."""
    metric: Metric | None = None
    by: Breakdown | None = None
    windows: tuple[str, ...] = ()
    mentions: tuple[Mention, ...] = ()
    unknown: tuple[Unknown, ...] = ()
    workloads: tuple[Workload, ...] = ()
    filters: dict[FilterColumn, list[str]] = field(default_factory=dict)
    """Of other columns than warehouse."""
    top: int | None = None
    ascending: bool = False
    compare: bool = False
    include_idle: bool = False
    breakdowns: int = 0
    """How many different ones are asked for; more than one cannot be answered in a call."""
    rest: str = ""
    """The text with names and windows blanked out, lower case."""

    @property
    def is_empty(self) -> bool:
        return not (
            self.metric
            or self.by
            or self.windows
            or self.mentions
            or self.unknown
            or self.workloads
            or self.filters
            or self.top
            or self.compare
        )


def wants_least(text: str) -> bool:
    """Whether the smallest are asked for, which then stand first."""
    return _ASCENDING.search(text) is not None


def mended(text: str, warehouses: tuple[str, ...]) -> str:
    """The text with misspelt words of the lexicon corrected; names, and words a slip away from one, stay."""
    mentions, unknown = find_mentions(text, warehouses)
    kept = [(m.start, m.end) for m in mentions] + [(u.start, u.end) for u in unknown]
    pieces, place = [], 0
    for word in tokens(text):
        better = mend(word.text)
        inside = any(start <= word.start < end for start, end in kept)
        if better is None or inside or (word.text.isupper() and not text.isupper()) or close_to(word.text, warehouses):
            continue
        pieces += [text[place : word.start], better]
        place = word.end
    return "".join([*pieces, text[place:]])


def read_slots(text: str, names: Names, now: datetime, tz: str) -> Slots:
    """Everything the words say; what they do not say stays None."""
    warehouses = names.warehouses()
    text = mended(text, warehouses)
    mentions, unknown = find_mentions(text, warehouses)
    found = find_windows(_blank(text, [(m.start, m.end) for m in mentions]), now, tz)
    taken = [(m.start, m.end) for m in mentions] + [(u.start, u.end) for u in unknown]
    taken += [(w.start, w.end) for w in found]
    unknown += _misspelt(text, taken, warehouses)
    filters, used = named_filters(text, names)
    unknown = [u for u in unknown if not any(start <= u.start < end for start, end in used)]
    mentions = [m for m in mentions if not any(start <= m.start < end for start, end in used)]
    workloads = find_workloads(text, warehouses, [*((m.start, m.end) for m in mentions), *used])
    workloads, unknown = _workloads_or_slips(workloads, unknown)
    places = [(m.start, m.end) for m in mentions] + [(u.start, u.end) for u in unknown]
    places += [(w.start, w.end) for w in workloads]
    rest = _blank(text, [*places, *((w.start, w.end) for w in found), *used]).casefold()
    if re.search(r"\bserverless\b", rest):
        filters.setdefault("service_type", []).extend(serverless(names))
    filters, unknown = in_other_columns(filters, unknown, names, tokens(text))
    metric = _metric(rest, text)
    slots = Slots(
        text=text,
        metric=metric,
        by=(_breakdown(rest) if metric or not _WHO.search(rest) else None) or _peak(rest, text),
        windows=tuple(dict.fromkeys(_phrase(w.phrase, now, tz) for w in found)),
        mentions=tuple(mentions),
        unknown=tuple(unknown),
        workloads=tuple(workloads),
        filters=filters,
        compare=bool(_COMPARE.search(text)),
        breakdowns=_breakdowns(rest),
        include_idle=bool(_WITH_IDLE.search(rest)),
        rest=rest,
    )
    return _with_order(slots)


def _workloads_or_slips(workloads: list[Workload], unknown: list[Unknown]) -> tuple[list[Workload], list[Unknown]]:
    """A kind of work is no unknown name; a word that is a slip away from a name is no kind of work."""
    left = [u for u in unknown if u.close or not any(w.start <= u.start < w.end for w in workloads)]
    return [w for w in workloads if not any(u.start <= w.start < u.end for u in left)], left


def _phrase(phrase: str, now: datetime, tz: str) -> str:
    """The phrase without the preposition before it, where it can be read without."""
    bare = re.sub(r"^(?:for|on|in|over|during|of|at|from|the)\s+", "", phrase.strip(), flags=re.IGNORECASE)
    try:
        read_window(bare, now, tz)
    except BadArgument:
        return phrase.strip()
    return bare


def _blank(text: str, spans: list[tuple[int, int]]) -> str:
    for start, end in spans:
        text = text[:start] + " " * (end - start) + text[end:]
    return text


def _misspelt(text: str, taken: list[tuple[int, int]], warehouses: tuple[str, ...]) -> list[Unknown]:
    """Words that no lexicon knows: a slip away from a warehouse's name, or where a name would stand."""
    found: list[Unknown] = []
    words = tokens(text)
    for place, word in enumerate(words):
        if is_known(word.text) or any(start <= word.start < end for start, end in taken):
            continue
        close = close_to(word.text, warehouses) if len(word.text) >= 5 else ()
        if close or _stands_as_a_name(words, place):
            found.append(Unknown(word.start, word.end, word.text, close, close))
    return found


def _stands_as_a_name(words: list[Token], place: int) -> bool:
    word = words[place].text
    before = words[place - 1].low if place else ""
    after = words[place + 1].low if place + 1 < len(words) else ""
    return word.isalpha() and len(word) > 2 and (before in _BEFORE_NAMES or after in _AFTER_NAMES)


# --- metric and breakdown -------------------------------------------------------------------------------------------


@cache
def _metric_patterns() -> tuple[tuple[Metric, re.Pattern[str]], ...]:
    table = lexicon("metrics")
    order = [name for name in table if name in get_args(Metric)]
    return tuple((cast("Metric", name), phrase_pattern(tuple(map(str, table[name])))) for name in order)


def _metric(rest: str, text: str) -> Metric | None:
    rest = _WITH_IDLE.sub(" ", rest)
    metric = next((name for name, pattern in _metric_patterns() if pattern.search(rest)), None)
    if metric == "failures" and _PART.search(rest):
        return "failure_rate"
    if metric == "bytes_spilled" and "remote" in rest:
        return "bytes_spilled_remote"
    if metric == "credits_billed" and _DOLLARS.search(text):
        return "cost_billed"
    if metric == "credits_idle" and (_DOLLARS.search(text) or _COSTS.search(rest)):
        return "cost_idle"
    if metric in ("credits", None) and _DOLLARS.search(text):
        return "cost"
    return metric


@cache
def _group_patterns() -> tuple[tuple[Breakdown, re.Pattern[str], re.Pattern[str], re.Pattern[str]], ...]:
    """For each breakdown: after 'by', asked for ('which users', 'top 3 warehouses'), and as an adverb or plural."""
    found = []
    for name, words in lexicon("groups").items():
        any_of = "|".join(re.escape(str(w)) for w in sorted(words, key=len, reverse=True))
        plural = "|".join(re.escape(str(w)) for w in words if str(w).endswith(("s", "ly", "people", "types of query")))
        after_by = re.compile(rf"\b{_BY} (?:the |our |virtual |single |individual )?(?:{any_of})\b")
        asked = re.compile(
            rf"\b(?:which|what|whose|top|bottom|{_MOST}|{_LEAST}|most \w+|least \w+)"
            rf"(?: {_NUMBER})?(?: of (?:the|our))?(?: \w+)? (?:{any_of})\b"
        )
        found.append((cast("Breakdown", name), after_by, asked, re.compile(rf"\b(?:{plural})\b") if plural else asked))
    return tuple(found)


def _breakdown(rest: str) -> Breakdown | None:
    rest = _CLOUD.sub(" ", rest)
    for place in (1, 2, 3):
        for entry in _group_patterns():
            if cast("re.Pattern[str]", entry[place]).search(rest) and not _is_measure_of_time(entry[0], rest, place):
                return entry[0]
        if place == 1:
            special = _special_breakdown(rest)
            if special:
                return special
    return None


_CLOUD = re.compile(r"\bcloud[- ]services?\b")
"""A figure, and no breakdown by service."""


def _breakdowns(rest: str) -> int:
    """How many different breakdowns stand after 'by': 'by warehouse and by day', 'by role and user'."""
    joined = re.sub(r"\b(by|per) ((?:the )?[a-z ]{2,20}?)(?:,| and|,? then) (?!by\b|per\b)", r"\1 \2 and by ", rest)
    return sum(bool(entry[1].search(joined)) for entry in _group_patterns())


def _is_measure_of_time(name: Breakdown, rest: str, place: int) -> bool:
    """'in seconds and hours' or a window that was not read: plurals of time break nothing down."""
    return place == 3 and name in ("hour", "day", "week", "month") and not re.search(r"(?:hour|dai|week|month)ly", rest)


_WHO = re.compile(r"^\W*(?:and )?who(?:se)?\b|\bby whom\b|\b(?:tell|show) me who\b")


def _special_breakdown(rest: str) -> Breakdown | None:
    if re.search(rf"\b{_BY} (?:statement |sql )?types?\b", rest):
        return "query_type"
    if re.search(r"\b(?:over time|time series|trend|timeline|day by day|per diem)\b", rest):
        return "day"
    return "user" if _WHO.search(rest) else None


_PEAK = re.compile(
    rf"\bpeak(?:s|ed|ing)?\b|\b(?:when|what time|which time)\b.*\b(?:{_MOST}|maximum|max)\b|"
    r"\b(?:hour|day|week|month) (?:with|of|had|has) (?:the )?(?:most|highest|maximum)\b"
)
_ONE_DAY = re.compile(r"\b(?:yesterday|today|hours?|night)\b", re.IGNORECASE)


def _peak(rest: str, text: str) -> Breakdown | None:
    """'when did costs peak': by day, of a single day by hour; the reply names the highest."""
    if not _PEAK.search(rest):
        return None
    said = re.search(r"\b(hour|day|week|month)s?\b", rest)
    hourly = _ONE_DAY.search(text) or re.search(r"\btime\b", rest)
    return cast("Breakdown", said[1]) if said else "hour" if hourly else "day"


def _with_order(slots: Slots) -> Slots:
    match = TOP.search(slots.rest)
    top = None
    if match:
        word = (match[1] or match[2]).casefold()
        top = _NUMBER_WORDS.get(word) or int(word)
        top = min(max(top, 1), 100)
    return replace(slots, top=top, ascending=wants_least(slots.rest))
