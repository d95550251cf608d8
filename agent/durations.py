"""Lengths of time as people write them: `90s`, `2m`, `1h30m`, `7d`. Pure."""

from __future__ import annotations

import re
from datetime import timedelta

from tools.errors import BadArgument

__all__ = ["duration_of"]

_PART = re.compile(r"(\d{1,6})\s*(s|sec|seconds?|m|min|minutes?|h|hours?|d|days?|w|weeks?)(?![a-z])", re.IGNORECASE)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_LONGEST = timedelta(days=366)


def duration_of(text: str, *, least: timedelta = timedelta(seconds=1), most: timedelta = _LONGEST) -> timedelta:
    """
    Raises:
        BadArgument: it is no length of time, or not between `least` and `most`.
    """
    said = text.strip()
    parts = _PART.findall(said)
    if not parts or _PART.sub("", said).strip():
        raise BadArgument(f"{text[:40]!r} is not a length of time.", hint="E.g. 30s, 2m, 1h, 7d.")
    found = timedelta(seconds=sum(int(number) * _SECONDS[unit[0].lower()] for number, unit in parts))
    if not least <= found <= most:
        raise BadArgument(f"{text[:40]!r} is not between {least} and {most}.", hint="E.g. 30s, 2m, 1h, 7d.")
    return found
