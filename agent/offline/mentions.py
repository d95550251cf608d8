"""Names of the account inside a sentence: exact as people write them, near misses, and what only looks like a name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rapidfuzz.distance import OSA

from agent.offline.words import Token, is_known, known_words, mend, metric_words, tokens
from tools.names import nearest

__all__ = ["Mention", "Unknown", "close_to", "find_mentions", "name_key"]

_ENDINGS = ("warehouse", "vwh", "wh")
_WAREHOUSE_WORDS = frozenset({"warehouse", "warehouses", "wh", "vwh", "whs"})
_QUOTED = re.compile(r"[`\"“”']([^`\"“”']{2,255})[`\"“”']")
_NOT_NAMES = frozenset({"usd", "utc", "mtd", "ytd", "qtd", "wtd", "sql", "id", "ids", "vs", "mom", "wow", "yoy", "sla"})


@dataclass(frozen=True)
class Mention:
    """A place in the text that means one known warehouse, or several alike (then `names` has more than one)."""

    start: int
    end: int
    written: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class Unknown:
    """A word that looks like a name and is none; `near` are the nearest warehouses, `close` at most a slip away."""

    start: int
    end: int
    written: str
    near: tuple[str, ...]
    close: tuple[str, ...]


_OF_ANY = re.compile(
    r"virtual|whole|same|other|entire|running|started|suspended|stopped|idle|unused|oversized|single|only|first|second|"
    r"third|last|next|new|old|big|bigger|small|smaller|large|larger|medium|right|wrong|busy|slow|default|top|most|least|"
    r"\w+est"
)
"""What may stand before 'warehouse' without naming one."""


def name_key(name: str) -> str:
    return re.sub(r"[^0-9a-z]", "", name.casefold()) or name.casefold()


def _stem(name: str) -> str:
    key = name_key(name)
    for ending in _ENDINGS:
        if key.endswith(ending) and len(key) > len(ending) + 1:
            return key[: -len(ending)]
        if key.startswith(ending) and len(key) > len(ending) + 1:
            return key[len(ending) :]
    return key


def find_mentions(text: str, warehouses: Sequence[str]) -> tuple[list[Mention], list[Unknown]]:
    """Known warehouses and name-like unknown words, left to right, not overlapping."""
    words = tokens(text)
    found: list[Mention] = []
    unknown: list[Unknown] = []
    place = 0
    while place < len(words):
        hit = _known_at(text, words, place, warehouses)
        if hit is not None:
            found.append(hit[0])
            place = hit[1]
            continue
        if _looks_like_a_name(text, words, place):
            word = words[place]
            unknown.append(
                Unknown(
                    word.start, word.end, word.text, nearest(word.text, warehouses), close_to(word.text, warehouses)
                )
            )
        place += 1
    return found, unknown


def _known_at(text: str, words: list[Token], place: int, warehouses: Sequence[str]) -> tuple[Mention, int] | None:
    for count in (5, 4, 3, 2, 1):
        part = words[place : place + count]
        if len(part) < count:
            continue
        key = name_key("".join(word.text for word in part))
        exact = [name for name in warehouses if name_key(name) == key]
        alike = exact or [name for name in warehouses if _stem(name) == key]
        if not alike and count == 1 and _is_called(words, place):
            alike = [name for name in warehouses if _stem(name) == key.removesuffix("ing")]
        if alike and (_is_sure(text, words, place, count, alike if exact else ()) or _is_beside(words, place, count)):
            written = text[part[0].start : part[-1].end]
            spelled = [name for name in alike if name == written]
            return Mention(part[0].start, part[-1].end, written, tuple(spelled or alike)), place + count
    return None


def _is_sure(text: str, words: list[Token], place: int, count: int, exact: Sequence[str]) -> bool:
    """A common word is a name only where it is written exactly like one, quoted, or beside 'warehouse'."""
    part = words[place : place + count]
    if count > 1:
        return bool(exact) or not all(word.low in known_words() for word in part)
    word = part[0]
    if word.low not in known_words() and mend(word.text) is None:
        return True
    if word.text in exact and not word.text.islower():
        return True
    return _is_quoted(text, word) or (word.text.isupper() and len(word.text) > 1 and word.low not in known_words())


def _is_beside(words: list[Token], place: int, count: int) -> bool:
    after = words[place + count].low if place + count < len(words) else ""
    before = words[place - 1].low if place else ""
    if after in ("warehouse", "wh", "vwh") or before in ("warehouse", "wh", "vwh"):
        return True
    return before in ("for", "of", "on", "did", "does", "has", "will") and not _has_a_meaning(words[place].low)


def _is_called(words: list[Token], place: int) -> bool:
    """'the loading warehouse': one that is meant by what stands before the word."""
    before = words[place - 1].low if place else ""
    after = words[place + 1].low if place + 1 < len(words) else ""
    word = words[place].low
    plain = _OF_ANY.fullmatch(word) is not None or _has_a_meaning(word)
    return after in ("warehouse", "vwh") and before in ("the", "our", "my") and not plain


def _has_a_meaning(word: str) -> bool:
    """A word of a metric, a breakdown or a time: 'for compute', 'of users', 'on Monday' name no warehouse."""
    return word in metric_words()


def _is_quoted(text: str, word: Token) -> bool:
    return text[word.start - 1 : word.start] in tuple("`\"“'") and text[word.end : word.end + 1] in tuple("`\"”'")


def _looks_like_a_name(text: str, words: list[Token], place: int) -> bool:
    word = words[place]
    if _is_called(words, place):
        return True
    if word.low in known_words() or word.low in _NOT_NAMES or _is_date_like(word.low):
        return False
    if "_" in word.text or "$" in word.text or _is_quoted(text, word):
        return True
    if any(c.isdigit() for c in word.text):
        return word.text[0].isalpha() and len(word.text) >= 4
    if word.text.isupper() and len(word.text) >= 3 and not text.isupper():
        return True
    return _is_beside(words, place, 1) and not is_known(word.text)


def _is_date_like(word: str) -> bool:
    return re.fullmatch(r"\d.*|q[1-4]|(?:\d+)?(?:xl|xs|xlarge|x-?small|x-?large)|\d*x-\w+", word) is not None


def close_to(word: str, names: Iterable[str]) -> tuple[str, ...]:
    """Names one slip away from the word (two from 9 letters on), by full name or without 'wh'."""
    key = name_key(word)
    if len(key) < 4:
        return ()
    most = 2 if len(key) >= 9 else 1

    def distance(name: str) -> int:
        return min(OSA.distance(key, name_key(name)), OSA.distance(key, _stem(name)) if len(_stem(name)) >= 4 else 99)

    found = sorted((distance(name), name) for name in names)
    if not found or found[0][0] > most:
        return ()
    return tuple(name for d, name in found if d == found[0][0])
