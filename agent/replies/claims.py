"""What a reply may not say in its own words: figures, names from the account, and changes that were made.

Read from the literal parts of a template, before citations are filled in. Deliberately strict: a harmless reply
that is refused costs its wording (the composed fallback is sent), a false figure that passes costs trust.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

from agent.replies.citations import Evidence, literals
from tools.warehouse.views import VIEWS

__all__ = ["problems_in"]

_NUMBER_WORDS = (
    r"zero|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|"
    r"eighteen|nineteen|(?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)(?:-\w+)?|hundreds?|thousands?|"
    r"millions?|billions?|trillions?|dozens?|half|halves|halved|thirds?|quarters? of|twice|thrice|doubl(?:e|ed|ing)|"
    r"tripl(?:e|ed|ing)|quadrupl(?:e|ed|ing)|\w+fold|"
    r"one (?:percent|credit|dollar|warehouse|query|user|day|hour|week|month)"
)
_FIGURE = re.compile(rf"\b(?:{_NUMBER_WORDS})\b", re.IGNORECASE)

_VERBS = (
    r"resized?|suspended|resumed|changed|cancell?ed|killed|stopped|started|restarted|applied|approved|executed|scaled|"
    r"upgraded|downgraded|updated|turned|dropped|created|granted|deleted|disabled|enabled|fixed|altered|modified|"
    r"reverted|undone|paused|shut|set|done|completed|made"
)
_STEMS = r"resiz|suspend|resum|chang|cancel|kill|stop|start|apply|appl|approv|execut|scal|paus|shut|alter|modif|set"
_CLAIMS = re.compile(
    rf"\b(?:i|we|it|frostline)(?:'ve|’ve| have|'s|’s| has|'d| had)?(?: \w+){{0,2}} (?:{_VERBS})\b"
    rf"|\b(?:has|have|had|was|were|is|are|been|got)"
    rf"(?: (?:now|been|already|just|successfully|all|also)){{0,3}} (?:{_VERBS})\b"
    rf"|\b(?:i|we)(?:'ll|’ll| will|'m|’m| am|'re|’re| are)(?: \w+){{0,2}} (?:{_STEMS})\w*"
    rf"|(?:^|[.!?:\n]\s*|\*\*)(?:all )?(?:{_VERBS})\b"
    r"|\bsuccessfully\b|\bis now\b|\bare now\b|\btook effect\b|\bin effect now\b",
    re.IGNORECASE,
)
_ALLOWED = re.compile(r"\bnothing (?:has been|is|was) (?:changed|stored|proposed)\b", re.IGNORECASE)
_SHOUTED = re.compile(r"(?<![\w$])[A-Za-z][\w$]*_[\w$]*[\w$](?![\w$])")
_OURS = frozenset(VIEWS) | {"ACCOUNT_USAGE"}


def problems_in(template: str, evidence: Evidence, *, names: bool = True) -> list[str]:
    """What the literal text claims without evidence; empty when it may be sent.

    `names=False` leaves out the look for names that are plain words, for texts composed by code of ours: an
    account may call a warehouse 'Credits'.
    """
    found: list[str] = []
    for part in literals(template):
        found += _in_literal(part, evidence.names if names else ())
    return found


def _in_literal(part: str, names: Iterable[str]) -> Iterator[str]:
    if any(unicodedata.category(c) in ("Cf", "Cs", "Co", "Cn") or (c < " " and c not in "\n\t") for c in part):
        yield "a control or invisible character"
    text = unicodedata.normalize("NFKC", part)
    if any(c.isnumeric() for c in text) or any(c.isnumeric() for c in part):
        yield f"a figure: {_around(text)}"
    figure = _FIGURE.search(text)
    if figure:
        yield f"a figure in words: {figure[0]}"
    if "`" in text or "://" in text:
        yield "a code span or an address of its own"
    claim = _CLAIMS.search(_ALLOWED.sub("", text))
    if claim:
        yield f"a claim of action: {claim[0].strip()}"
    for shouted in _SHOUTED.findall(text):
        if shouted not in _OURS:
            yield f"a name: {shouted[:60]}"
    for name in names:
        if _says(text, name):
            yield f"a name: {name[:60]}"


def _says(text: str, name: str) -> bool:
    """Names that are plain words count as they are written, others in any case."""
    plain = name.isalpha()
    flags = re.NOFLAG if plain else re.IGNORECASE
    return len(name) > 1 and re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text, flags) is not None


def _around(text: str) -> str:
    place = next((i for i, c in enumerate(text) if c.isnumeric()), 0)
    return text[max(0, place - 10) : place + 10].replace("\n", " ")
