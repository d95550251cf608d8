"""Whether the person's own words ask for a change. Pure.

This decides before any thinker speaks, and no thinker can overrule it: a changing tool runs only where
`asks_for_change` is true of what the person typed in this very turn.
"""

from __future__ import annotations

import re
from functools import cache

from agent.offline.words import mend
from prompts import lexicon

__all__ = ["asks_for_change", "bare_clause", "clauses", "is_order", "verb_of"]

_POLITE = re.compile(
    r"^(?:please|pls|plz|hey|hi|hello|frostline|ok|okay|so|now|also|then|and|but|just|kindly|go ahead and|"
    r"first|next|finally|"
    r"afterwards|after that|yes|yep|sure|can you|could you|would you|will you|can u|would you mind|"
    r"could we|can we|i want you to|"
    r"i need you to|i want to|i would like to|i'd like to|id like to|we want to|we would like to|"
    r"we'd like to|i need to|"
    r"we need to|let's|lets|let us|i want|i'd like you to|would like to|you should|you must|you can|you may|go and|"
    r"<@\w+>|@\w+)(?=[\s,:]|$)[\s,:]*",
    re.IGNORECASE,
)
_SPOKEN_TO = re.compile(r"^[\w$`\"'\-]+:\s+")
_HYPOTHETICAL = re.compile(
    r"^(?:should|shall|would|what|why|when|who|which|where|how|is|are|was|were|did|does|do (?:you|we|i|"
    r"they|people)|has|have|had|"
    r"can i|may i|might|could i|could it|can it|if|unless|suppose|supposing|assuming|imagine|whether|"
    r"i wonder|wondering|"
    r"thinking (?:of|about)|i am thinking|i'm thinking|maybe|perhaps|explain|tell me|show me|list|show|in case)\b",
    re.IGNORECASE,
)
_WISHED = re.compile(
    r"\b(?:i|we)(?:'d| would)? (?:want|need|like) (?:to have |have )?(?:\S+ ){1,6}?(?:resized|suspended|"
    r"resumed|stopped|paused|"
    r"cancell?ed|killed|scaled (?:up|down))\b",
    re.IGNORECASE,
)
_OF_TALK = ("cancel", "stop", "start", "abort", "kill", "terminate", "pause", "resume")
_AUTO_ORDER = re.compile(r"auto[\s-]?suspend\b(?! of| on| for| is| was).*\b(?:after|to|at|in)\s+\d", re.IGNORECASE)
_SPLIT = re.compile(
    r",|;| / | \+ |&|\band then\b|\band also\b|\band\b|\bthen\b|\bplus\b|\bbut\b|\bwhile\b|\bas well as\b|"
    r"\bwith\b(?= (?:an? |its )?(?:auto|max|min|\d+ clusters|clusters))",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"[\"“]([^\"”]*\s[^\"”]*)[\"”]")
_MOST_WORDS_OF_A_NAME = 5


@cache
def _words() -> tuple[frozenset[str], frozenset[str], frozenset[str], frozenset[str]]:
    table = lexicon("requests")
    sure, vague, things, nouns = (frozenset(map(str, table[k])) for k in ("sure", "vague", "object", "noun"))
    return sure, vague, things, nouns


def clauses(text: str) -> list[tuple[str, bool]]:
    """The clauses of a text with whether each stands in a hypothetical sentence; quoted sentences are left out."""
    found: list[tuple[str, bool]] = []
    for sentence in re.split(r"(?<=[.!?;])\s+|\n+", _QUOTED.sub(_unquoted, text)):
        supposed = bool(_HYPOTHETICAL.match(bare_clause(sentence)))
        found += [(part.strip(), supposed) for part in _SPLIT.split(sentence) if part.strip()]
    return found


def _unquoted(match: re.Match[str]) -> str:
    """What may be a name with blanks stays, bare; quoted orders and sentences are talk about words."""
    inner = match[1].strip()
    words = inner.split()
    is_name = 0 < len(words) <= _MOST_WORDS_OF_A_NAME and len(_SPLIT.split(inner)) == 1
    return inner if is_name and not any(is_order(" ".join(words[n:])) for n in range(len(words))) else " "


def bare_clause(clause: str) -> str:
    """The clause without what is said out of politeness before it."""
    clause = _SPOKEN_TO.sub("", clause.strip())
    while match := _POLITE.match(clause):
        clause = clause[match.end() :]
    return clause.strip()


def asks_for_change(text: str) -> bool:
    """Whether these words order a change: 'suspend X', 'can you resize X to L'; never 'should I' or 'what if'."""
    if _WISHED.search(_QUOTED.sub(_unquoted, text)) and not _HYPOTHETICAL.match(bare_clause(text)):
        return True
    return any(not supposed and is_order(clause) for clause, supposed in clauses(text))


def is_order(clause: str) -> bool:
    """A verb of change in its plain form at the start of a clause, with something to change."""
    bare = bare_clause(clause)
    if _HYPOTHETICAL.match(bare):
        return False
    if _AUTO_ORDER.match(bare):
        return True
    words = re.findall(r"[^\s,.;:!?()`\"]+", bare)
    if not words:
        return False
    sure, vague, _, nouns = _words()
    verb = verb_of(words[0])
    rest = [word.casefold() for word in words[1:]]
    if verb in ("cancel", "stop", "start", "abort", "kill", "terminate", "pause", "resume") and rest[:1] in (
        [],
        ["that"],
        ["please"],
    ):
        return False  # 'stop', 'cancel that': of the conversation
    if rest and (rest[0] in nouns or rest[0] == "of"):
        return False
    if verb in sure:
        return bool(rest) or verb in ("resize", "suspend")
    return verb in vague and _speaks_of_a_thing(words[1:])


def verb_of(word: str) -> str:
    """The verb of change that a word is or, mended, means; else the word itself."""
    low = word.casefold()
    sure, vague, _, _ = _words()
    if low in sure | vague or low.endswith(("ed", "ing")):
        return low
    mended = mend(low) if len(low) >= 5 else None
    return mended if mended in sure else low


def _speaks_of_a_thing(words: list[str]) -> bool:
    """An object of change: a warehouse, a size, a query, or a name as accounts write them."""
    if words and words[0].casefold().endswith("ing"):
        return False  # 'stop showing me that'
    things = _words()[2]
    if any(word.casefold() in things or re.fullmatch(r"\d+x?-?(?:l|large)", word.casefold()) for word in words):
        return True
    return any("_" in word or (word.isupper() and len(word) > 1) for word in words)
