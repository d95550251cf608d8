"""Words as people type them: tokens with their places, and typos mended against the lexicon."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import get_args

from rapidfuzz.distance import OSA

from prompts import lexicon
from tools.usage.metrics import Metric

__all__ = ["Token", "is_known", "known_words", "mend", "metric_words", "patterns", "phrase_pattern", "tokens"]

_TOKEN = re.compile(r"[^\W_](?:[\w$'’\-]*[\w$])?|[_$][\w$\-]*", re.UNICODE)


@dataclass(frozen=True)
class Token:
    text: str
    start: int
    end: int

    @property
    def low(self) -> str:
        return self.text.casefold()


def tokens(text: str) -> list[Token]:
    """Words in order; a genitive's 's is left out."""
    found = []
    for match in _TOKEN.finditer(text):
        word = re.sub(r"['’]s$", "", match[0])
        found.append(Token(word, match.start(), match.start() + len(word)))
    return found


@cache
def known_words() -> dict[str, int]:
    """Every word of the lexicon -> rank: lower is preferred where two are equally near to a typo."""
    metrics, groups, requests, words = (lexicon(n) for n in ("metrics", "groups", "requests", "words"))
    phrases = [p for name in get_args(Metric) for p in metrics.get(name, ())]
    phrases += [p for group in groups.values() for p in group]
    phrases += [*requests["sure"], *requests["vague"], *requests["object"], words["time"], words["plain"]]
    ranked: dict[str, int] = {}
    for phrase in phrases:
        for word in str(phrase).casefold().split():
            ranked.setdefault(word, len(ranked))
    return ranked


@cache
def metric_words() -> frozenset[str]:
    """Single words that name a metric, a breakdown or a time."""
    phrases = [p for name in ("metrics", "groups") for group in lexicon(name).values() for p in group]
    words = {word for phrase in phrases for word in str(phrase).split()}
    return frozenset(words | set(lexicon("words")["time"].split()))


def is_known(word: str) -> bool:
    """A word of the lexicon, in any form, or one that a typo away is."""
    low = word.casefold()
    return low in known_words() or _is_inflected(low, known_words()) or mend(word) is not None


@cache
def mend(word: str) -> str | None:
    """The lexicon's word that a typo means: distance 1, from 8 letters on 2 (swapped neighbours count as 1).

    None for words that are right, too short, name-like (digits, underscores), or near to nothing.
    """
    low = word.casefold()
    known = known_words()
    if low in known or len(low) < 3 or not low.isalpha() or not low.isascii() or _is_inflected(low, known):
        return None
    most = 2 if len(low) >= 8 else 1
    near = [(_distance(low, w, most), rank, w) for w, rank in known.items() if _may_mean(low, w)]
    near = [hit for hit in near if hit[0] <= most]
    return min(near)[2] if near else None


def _is_inflected(low: str, known: Mapping[str, int]) -> bool:
    """'suspended', 'costing', 'roles': right forms of words that are known."""
    for ending in ("ed", "d", "ing", "es", "s", "er", "ers", "ly", "ally"):
        stem = low.removesuffix(ending)
        if stem != low and (stem in known or f"{stem}e" in known):
            return True
    return False


def _distance(low: str, word: str, most: int) -> int:
    if len(low) >= 5 and sorted(low) == sorted(word):
        return 1  # the right letters in another order
    return OSA.distance(low, word, score_cutoff=most)


def _may_mean(low: str, word: str) -> bool:
    """Short words are mended only by a missing or swapped letter: 'cst', 'lst', 'waht', but not 'cat' to 'cut'."""
    if not word.isalpha() or len(word) < 4 or abs(len(word) - len(low)) > 2:
        return False
    if len(low) == 3:
        return len(word) == 4 and word[0] == low[0]
    if len(low) == 4 and len(word) == 4:
        return sorted(word) == sorted(low)
    return word[0] == low[0] or sorted(word)[: len(low)] == sorted(low) or low[1:2] == word[0]


@cache
def phrase_pattern(phrases: tuple[str, ...]) -> re.Pattern[str]:
    """Any of the phrases as whole words, the longest first."""
    ordered = sorted(phrases, key=len, reverse=True)
    return re.compile(r"(?<![\w\-])(?:" + "|".join(re.escape(p) for p in ordered) + r")(?![\w\-])", re.IGNORECASE)


@cache
def patterns(lexicon_name: str) -> dict[str, re.Pattern[str]]:
    """`prompts/intents/<name>.yaml` as one pattern a key, in the file's order."""
    table = lexicon(lexicon_name)
    return {str(k): re.compile("|".join(f"(?:{p})" for p in v), re.IGNORECASE) for k, v in table.items()}
