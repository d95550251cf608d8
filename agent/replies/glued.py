"""What may not touch a cited figure: a sign, a currency, a magnitude, another unit, a rate."""

from __future__ import annotations

import re
from collections.abc import Iterator

from agent.replies.citations import Evidence
from tools.result import Unit

__all__ = ["glued"]

_VALUE = re.compile(r"\[\[\s*(?:(f\d+)(?:\.bare)?|(\w+)\(\s*(f\d+)[^()\[\]]*\))\s*\]\]")
_BEFORE = re.compile(
    r"[-−–+±~≈<>≤≥$€£¥×^=\w]\Z|(?:\bminus|\bnegative|\bplus|\btimes|\bper|[−±×$€£¥])\s+\Z", re.IGNORECASE
)
_RANGE = re.compile(r"\]\]–\Z")
"""'1–3' clusters: a dash between two cited figures."""
_AFTER = re.compile(r"\A(?:[\w%‰°^$€£¥×/]|-\w|[.,'’]?\[\[)|\A\**\s*(?:[%‰$€£¥×÷]|x\b)|\A\**\s+[/*+]\s")
_RATE = re.compile(
    r"\A\**,?\s+(?:per \w+|(?:an?|each|every) (?:second|minute|hour|day|night|week|weekday|weekend|month|quarter|year|"
    r"annum|query|user|run|warehouse|cluster)|(?:hour|dai|night|week|month|quarter|year|annual)ly|times|fold)\b",
    re.IGNORECASE,
)
_UNIT = re.compile(
    r"\A\**\s+(?:of\s+)?(?P<credits>credits?)\b|\A\**\s+(?P<usd>usd|dollars?|bucks|cents?)\b|"
    r"\A\**\s+(?P<pct>percent|per ?cent|pct)\b|"
    r"\A\**\s+(?P<time>m?s|ms|secs?|seconds?|mins?|minutes?|hrs?|h|hours?|days?|weeks?|months?|years?)\b|"
    r"\A\**\s+(?P<bytes>bytes?|[kmgtp]i?b)\b|"
    r"\A\**\s+(?P<none>euros?|eur|gbp|pounds?|k|m|bn|mio|tsd)\b",
    re.IGNORECASE,
)
_KINDS: dict[str, Unit] = {"credits": "credits", "usd": "USD", "pct": "%"}
_OF_CREDIT = re.compile(r"\A\**\s+(?:per|an?|each|every) credit\b", re.IGNORECASE)


def glued(text: str, evidence: Evidence) -> Iterator[str]:
    """What touches a figure of this sentence or row and makes another figure of it."""
    for match in _VALUE.finditer(text):
        fact = evidence.facts.get(match[1] or match[3] or "")
        if fact is None or fact.unit == "name":
            continue
        unit: Unit = "%" if match[2] in ("pct", "change") else "count" if match[2] == "ratio" else fact.unit
        before, after = text[: match.start()], text[match.end() :]
        if _BEFORE.search(before) and not _RANGE.search(before):
            yield f"something glued to a figure: {_shown(before[-12:])}"
        if _AFTER.match(after) or (_RATE.match(after) and not (unit == "USD" and _OF_CREDIT.match(after))):
            yield f"something glued to a figure: {_shown(after[:16])}"
        said = _UNIT.match(after)
        if said and _KINDS.get(said.lastgroup or "") != unit:
            yield f"another unit: {_shown(said[0])}"


def _shown(text: str) -> str:
    return text.strip().replace("\n", " ")
