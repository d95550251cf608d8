"""Answers to our own questions: the slot they fill, or nothing where they are something else. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from agent.offline.mentions import name_key
from tools.domain import Size
from tools.errors import BadArgument

__all__ = ["answer_to", "answers_question", "seconds_in"]

_ORDINALS = {
    "first": 0,
    "1": 0,
    "one": 0,
    "1st": 0,
    "second": 1,
    "2": 1,
    "two": 1,
    "2nd": 1,
    "third": 2,
    "3": 2,
    "three": 2,
    "3rd": 2,
}
_YES = re.compile(
    r"(?:yes|yep|yeah|yup|y|right|correct|exactly|that one|that's it|sure|ok(?:ay)?)(?: please| that one)?[.! ]*",
    re.IGNORECASE,
)
_SECONDS = re.compile(
    r"(?<![\w.])(\d{1,6}|an?|one|two|three|five|ten|fifteen|twenty|thirty|sixty)[ \-]?(s|secs?|seconds?|m|"
    r"mins?|minutes?|h|hrs?|hours?|d|days?)?(?!\w|\.\d)",
    re.IGNORECASE,
)
_NUMBERS = {
    "a": 1,
    "an": 1,
    "one": 1,
    "two": 2,
    "three": 3,
    "five": 5,
    "ten": 10,
    "fifteen": 15,
    "twenty": 20,
    "thirty": 30,
    "sixty": 60,
}


def answers_question(text: str, pending: Mapping[str, Any] | None) -> bool:
    """Whether the text is an answer to the open question, and not a new request."""
    return answer_to(text, pending) is not None


def answer_to(text: str, pending: Mapping[str, Any] | None) -> str | int | None:
    """The value that the answer gives to the slot that was asked for; None where it is something else."""
    if not pending or len(text.split()) > 10:
        return None
    kind = pending.get("kind")
    if kind == "name":
        return _chosen(text, list(pending.get("options") or []), list(pending.get("known") or []))
    if kind == "query":
        found = re.search(str(pending["pattern"]), text, re.IGNORECASE)
        options = list(pending.get("options") or [])
        low = re.sub(r"\blongest\b", "first", text, flags=re.IGNORECASE)
        return found[0].lower() if found else _chosen(low, options, [])
    if kind == "size":
        return _size(text)
    if kind == "seconds":
        return seconds_in(text)
    if kind == "text":
        return text.strip() if pending.get("pattern") and re.search(str(pending["pattern"]), text) else None
    return None


def _chosen(text: str, options: list[str], known: list[str]) -> str | None:
    low = re.sub(
        r"^(?:i (?:mean|meant)|it'?s|the|use|for|on|no,?|yes,?|sorry,?|ah,?)\s+", "", text.casefold().strip(" .!?`'\"")
    )
    if len(options) == 1 and _YES.fullmatch(low):
        return options[0]
    ordinal = re.sub(r"^(?:the|number|option|no\.?)\s+|\s+(?:one|option)$", "", low)
    if ordinal in _ORDINALS and _ORDINALS[ordinal] < len(options):
        return options[_ORDINALS[ordinal]]
    wanted = name_key(re.sub(r"^the\s+|(?:\s+(?:please|pls|warehouse|one))+$", "", low))
    for names in (options, known):
        same = [name for name in names if name_key(name) == wanted]
        same = same or [name for name in names if name_key(name).removesuffix("wh") == wanted]
        if len(same) == 1:
            return same[0]
    return None


def _size(text: str) -> str | None:
    low = re.sub(
        r"^(?:to|make it|resize (?:it )?to|size|a|an|the|use)\s+|\s+(?:please|size|pls)$",
        "",
        text.casefold().strip(" .!?`'\""),
    )
    low = re.sub(r"^(?:to|a|an)\s+", "", low)
    try:
        return Size.parse(low).value
    except BadArgument:
        return {"up": "up", "bigger": "up", "larger": "up", "down": "down", "smaller": "down"}.get(low)


_NEXT_PART = re.compile(r"\s+")
_OTHER_UNIT = re.compile(r"[ \-]?(?:ms|milli\w*|w|wks?|weeks?|months?|quarters?|y|yrs?|years?)\b", re.IGNORECASE)
"""'5 years' is not 5 seconds: better asked back than a plan for another time."""
_NEGATIVE = re.compile(r"(?:^|\s)(?:-|−|minus\s+)\s?\d", re.IGNORECASE)


def seconds_in(text: str) -> int | None:
    """'60', '60 s', '5 minutes', 'a minute', 'never' (0); None where no time is said."""
    if re.search(r"\b(?:never|off|disabled?|none|no auto)\b", text, re.IGNORECASE):
        return 0
    if _NEGATIVE.search(text):
        return None  # to be asked for: no time is less than nothing
    match = _SECONDS.search(text)
    if match is None or (not match[2] and not match[1].isdigit()) or _OTHER_UNIT.match(text, match.end()):
        return None
    seconds, match_end = _part(match), match.end()
    while match[2] and (more := _NEXT_PART.match(text, match_end)) and (next_part := _SECONDS.match(text, more.end())):
        if not next_part[2]:
            break
        seconds, match_end = seconds + _part(next_part), next_part.end()
    return seconds


def _part(match: re.Match[str]) -> int:
    count = int(match[1]) if match[1].isdigit() else _NUMBERS[match[1].casefold()]
    return count * {"s": 1, "m": 60, "h": 3600, "d": 86_400}[(match[2] or "s")[0].casefold()]
