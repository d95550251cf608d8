"""BM25 over the entries, by bm25s; in memory, made when an index is opened."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from knowledge.model import Entry

__all__ = ["Lexical", "words"]

_WORD = re.compile(r"[^\W_]+(?:[_$]\w+)*")
_COMMON = """
a about after all also am an and any are as at be because been before but by can could did do does doing for from get
had has have he her how i if in into is it its just me more most my no not of off on one or our out over own she should
so some than that the their them then there these they this those to too up us very was we were what when where which
while who why will with would you your advice advise best guidance practice practices recommend recommendation tip tips
"""
_STOP = frozenset(_COMMON.split())
_ENDINGS = ("ations", "ation", "ingly", "ions", "ion", "ings", "ing", "ies", "ers", "er", "ed", "es", "s", "e", "y")


def words(text: str) -> list[str]:
    """Stems in order, without the words that every question has; of WAREHOUSE_SIZE also its parts."""
    found: list[str] = []
    for match in _WORD.finditer(text.casefold()):
        whole = match[0]
        parts = [whole, *whole.split("_")] if "_" in whole else [whole]
        found += [_stem(part) for part in parts if part and part not in _STOP]
    return found


def _stem(word: str) -> str:
    """Crude on purpose: 'suspend', 'suspends', 'suspended', 'suspending' meet; four letters always stay."""
    for ending in _ENDINGS:
        if len(word) - len(ending) >= 4 and word.endswith(ending):
            return word[: -len(ending)]
    return word


class Lexical:
    """An index over entries, addressed by their place."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        import bm25s

        corpus = [words(_text(entry)) for entry in entries]
        self._sets = [frozenset(tokens) for tokens in corpus]
        self._count = len(entries)
        self._bm25: Any = None
        if any(corpus):
            self._bm25 = bm25s.BM25()
            self._bm25.index(corpus, show_progress=False)

    def ranked(self, text: str) -> list[tuple[int, float]]:
        """Places of the entries that hold a word of the text, best first, with their BM25 score."""
        asked = self._known(text)
        if not asked:
            return []
        scores = self._bm25.get_scores(asked)
        hits = [(place, float(score)) for place, score in enumerate(scores) if score > 0]
        return sorted(hits, key=lambda hit: (-hit[1], hit[0]))

    def coverage(self, text: str, place: int) -> float:
        """The share of the question's words that the entry holds, rare ones counting more; 0 to 1."""
        asked = set(words(text))
        weights = {word: self._weight(word) for word in asked}
        total = sum(weights.values())
        held = sum(weight for word, weight in weights.items() if word in self._sets[place])
        return held / total if total else 0.0

    def _known(self, text: str) -> list[str]:
        if self._bm25 is None:
            return []
        return [word for word in words(text) if word in self._bm25.vocab_dict]

    def _weight(self, word: str) -> float:
        import math

        having = sum(word in held for held in self._sets)
        return math.log(1 + (self._count - having + 0.5) / (having + 0.5))


def _text(entry: Entry) -> str:
    """The title counts more than the text, the check's statement as far as it names things."""
    check = entry.parts.get("check", "")
    return f"{entry.title}\n{entry.title}\n{' '.join(entry.applies_to)}\n{entry.text}\n{check}"
