"""Search over practices and people's own pages: words (BM25) and meaning (vectors), fused by rank."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from knowledge.embedding import Embedding, MiniLm
from knowledge.index import Index, Server, State
from knowledge.lexical import Lexical
from knowledge.model import Entry, KnowledgeError, Passage, Progress, Where
from knowledge.practices import PAGES

if TYPE_CHECKING:
    from knowledge.vectors import VectorStore

__all__ = ["How", "Library", "fused"]

How = Literal["hybrid", "words", "vectors"]

_RECHECK_S = 20.0
"""How long pages are taken for unchanged; another process's new index is seen at once."""
_RETRY_S = 300.0
"""After vectors could not be made: how long to wait before they are tried again."""
_DEEP = 50
_RANK_CONSTANT = 60
"""Of reciprocal rank fusion; 60 is the constant of its authors (Cormack, Clarke, Büttcher 2009)."""
_WEIGHTS = {"vectors": 1.0, "words": 0.5}
"""Set on the development half of tests/knowledge/questions.yaml; see docs/knowledge.md."""
_WORDS_COUNT = 0.6
"""What holding all words of a question is worth against a cosine."""
_WORDS_MIN = 0.25
"""The least score where there are no vectors."""
_LONGEST = 1_000


@dataclass
class _Opened:
    generation: str
    entries: list[Entry]
    words: Lexical
    vectors: VectorStore | None


class Library:
    """One profile's pages, indexed. Threads may share one; close it when done."""

    def __init__(self, index: Index, min_score: float | None, warnings: tuple[str, ...]) -> None:
        self._index, self._min_score, self._own_warnings = index, min_score, warnings
        self._lock = threading.RLock()
        self._state: State | None = None
        self._opened: _Opened | None = None
        self._looked = float("-inf")
        self._trouble: tuple[str, ...] = ()

    @classmethod
    def open(
        cls,
        place: Path,
        folders: Sequence[Path] = (),
        *,
        ours: Path = PAGES,
        embedding: Callable[[], Embedding] | None = MiniLm,
        server: Server | None = None,
        min_score: float | None = None,
    ) -> Library:
        """Nothing is read before the first search.

        Args:
            place: folder of the index; made when it is needed.
            folders: people's own pages.
            ours: Frostline's practices.
            embedding: makes the embedding; None: search by words alone. Where it raises KnowledgeError (its files
                are absent or wrong), search goes by words and `warnings` says so.
            server: keeps the vectors, instead of the folder.
            min_score: below it a passage is not returned; None: the embedding's own.
        """
        made: Embedding | None = None
        warnings: tuple[str, ...] = ()
        if embedding is not None:
            try:
                made = embedding()
            except KnowledgeError as error:
                warnings = (f"{error.message} Search goes by words alone.",)
        return cls(Index(place, ours, [f.absolute() for f in folders], made, server), min_score, warnings)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is left out or does not work, for the people who run this."""
        with self._lock:
            stored = self._state.warnings if self._state else ()
            return tuple(dict.fromkeys((*self._own_warnings, *stored, *self._trouble)))

    @property
    def min_score(self) -> float:
        embedding = self._index.embedding
        fallback = embedding.min_score if embedding else _WORDS_MIN
        return fallback if self._min_score is None else self._min_score

    def refresh(self, progress: Progress | None = None, *, force: bool = False) -> State:
        """Bring the index up to the pages.

        Raises:
            KnowledgeError: the index's folder cannot be used, or a page of Frostline's own is broken.
        """
        with self._lock:
            if force:
                self._drop()
            self._state = self._index.refresh(progress, force=force)
            complete = self._state.vectors or self._index.embedding is None
            self._looked = time.monotonic() + (0.0 if complete else _RETRY_S)
            return self._state

    def entries(self) -> tuple[Entry, ...]:
        """Everything that can be found, practices first."""
        with self._lock:
            return tuple(self._fresh().entries)

    def search(self, text: str, k: int = 5, *, where: Where | None = None, how: How = "hybrid") -> tuple[Passage, ...]:
        """The passages nearest to the text, best first; empty where none reaches the least score.

        Raises:
            KnowledgeError: the index's folder cannot be used.
        """
        asked = text[:_LONGEST]
        with self._lock:
            opened = self._fresh()
            cosines = self._nearest(opened, asked, where) if how != "words" else {}
            hits = opened.words.ranked(asked) if how != "vectors" else []
            kept = [place for place, _ in hits if _fits(opened.entries[place], where)][:_DEEP]
            ranked = fused((list(cosines), _WEIGHTS["vectors"]), (kept, _WEIGHTS["words"]))
            return self._passages(opened, asked, ranked, cosines, k)

    def close(self) -> None:
        with self._lock:
            self._drop()
            if self._index.embedding is not None:
                self._index.embedding.close()

    # --- inside --------------------------------------------------------------------------------------------------

    def _passages(
        self, opened: _Opened, asked: str, ranked: list[int], cosines: dict[int, float], k: int
    ) -> tuple[Passage, ...]:
        least = self.min_score if cosines or self._min_score is not None else _WORDS_MIN
        found: list[Passage] = []
        highest = 1.0
        for place in ranked:
            held = opened.words.coverage(asked, place)
            score = max(cosines.get(place, 0.0), _WORDS_COUNT * held) if cosines else held
            if score < least:
                continue
            highest = min(highest, round(score, 4))
            found.append(_passage(opened.entries[place], highest))
            if len(found) == k:
                break
        return tuple(found)

    def _nearest(self, opened: _Opened, asked: str, where: Where | None) -> dict[int, float]:
        """Cosines by place, the nearest first; empty, with a warning, where the vectors do not answer."""
        if opened.vectors is None or not asked.strip():
            return {}
        try:
            found = dict(opened.vectors.nearest(asked, _DEEP, where))
        except KnowledgeError as error:
            self._trouble = (f"{error.message} This search went by words alone.",)
            return {}
        self._trouble = ()
        return found

    def _fresh(self) -> _Opened:
        """What counts now, opened; pages are looked at again after a while."""
        if time.monotonic() - self._looked > _RECHECK_S or self._state is None:
            self.refresh()
        state = self._index.state() or self._state
        assert state is not None
        if self._opened is None or self._opened.generation != state.generation:
            self._drop()
            self._opened = self._open_generation(state)
        self._state = state
        return self._opened

    def _open_generation(self, state: State) -> _Opened:
        """Open it; one that is damaged is made anew, once."""
        try:
            return self._read(state)
        except KnowledgeError:
            self._state = state = self._index.refresh(force=True)
            return self._read(state)

    def _read(self, state: State) -> _Opened:
        entries = self._index.entries(state.generation)
        vectors = None
        if state.vectors and self._index.embedding is not None:
            vectors = self._index.vectors(state.generation)
            try:
                whole = vectors.count() == sum(len(entry.views) for entry in entries)
            except KnowledgeError:
                vectors.close()
                raise
            if not whole:
                vectors.close()
                raise KnowledgeError("The index of the knowledge base has lost vectors.")
        return _Opened(state.generation, entries, Lexical(entries), vectors)

    def _drop(self) -> None:
        if self._opened is not None and self._opened.vectors is not None:
            self._opened.vectors.close()
        self._opened = None


def fused(*rankings: tuple[Sequence[int], float]) -> list[int]:
    """Reciprocal rank fusion of rankings with their weights: best first, ties in the order of the first ranking."""
    scores: dict[int, float] = {}
    for places, weight in rankings:
        for rank, place in enumerate(places, start=1):
            scores[place] = scores.get(place, 0.0) + weight / (_RANK_CONSTANT + rank)
    return sorted(scores, key=lambda place: -scores[place])


def _fits(entry: Entry, where: Where | None) -> bool:
    for name, wanted in (where or {}).items():
        values = {wanted} if isinstance(wanted, str) else set(wanted)
        has: Iterable[str] = entry.applies_to if name == "applies_to" else (str(getattr(entry, name)),)
        if values.isdisjoint(has):
            return False
    return True


def _passage(entry: Entry, score: float) -> Passage:
    return Passage(
        id=entry.id,
        title=entry.title,
        text=entry.text,
        source=entry.source,
        score=score,
        origin=entry.origin,
        severity=entry.severity,
        applies_to=entry.applies_to,
        tool=entry.tool,
        checked=entry.checked,
        parts=entry.parts,
    )
