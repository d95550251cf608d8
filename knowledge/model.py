"""What the library holds and hands out: entries, passages, and the one error of this package."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

__all__ = ["Entry", "KnowledgeError", "Origin", "Passage", "Progress", "Where"]

Origin = Literal["frostline", "yours"]
"""Whose page it is: shipped with Frostline, or from a folder of the people who run it."""

Progress = Callable[[float, str], None]
"""(share done from 0 to 1, what is being done)."""

Where = Mapping[str, str | Sequence[str]]
"""applies_to, severity, origin -> the value, or the values any of which will do."""


class KnowledgeError(Exception):
    """A folder, page, index or server of pages that cannot be used; `hint` says what to do."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


@dataclass(frozen=True)
class Entry:
    """One thing that a search can find: a practice, or one section of somebody's own page."""

    id: str
    title: str
    text: str
    """The whole text, Markdown; of a page of theirs, as it was written."""
    source: str
    """Where it comes from: a document for a practice, folder and file for a page of theirs."""
    origin: Origin
    severity: str = "info"
    applies_to: tuple[str, ...] = ()
    tool: str | None = None
    """The tool of Frostline's that reads or changes what the practice is about."""
    checked: str | None = None
    parts: dict[str, str] = field(default_factory=dict)
    """Of a practice: symptom, check (SQL), action, effect, caveat."""
    views: tuple[str, ...] = ()
    """What is embedded; the entry is as near to a question as the nearest of these."""

    def digest(self) -> str:
        """SHA-256 (hex) over everything that a search returns or ranks by."""
        return hashlib.sha256(repr(sorted(asdict(self).items())).encode()).hexdigest()

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Entry:
        """An entry from its stored JSON."""
        tuples = {name: tuple(stored[name]) for name in ("applies_to", "views")}
        return cls(**{**stored, **tuples})


@dataclass(frozen=True)
class Passage:
    """One hit."""

    id: str
    title: str
    text: str
    source: str
    score: float
    """How near it is to the question, 0 to 1: the cosine of their vectors, or, without vectors, the share of the
    question's words (by weight) that it holds. No passage scores higher than the one before it."""
    origin: Origin
    severity: str
    applies_to: tuple[str, ...]
    tool: str | None
    checked: str | None = None
    parts: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {**asdict(self), "applies_to": list(self.applies_to), "parts": dict(self.parts)}
