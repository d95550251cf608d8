"""What is odd, in words without names and figures: they go round the facts of a reply."""

from __future__ import annotations

from tools.anomalies.detecting import Candidate
from tools.ml.anomaly import Kind

__all__ = ["kind_words", "words_of"]

_MORE: dict[Kind, str] = {
    "spike": "a spike",
    "level_shift": "a lasting step up",
    "drift": "a slow rise",
    "silence": "unusual silence",
    "seasonality_change": "another rhythm than usual",
    "variance_change": "more scatter than usual",
}
_LESS: dict[Kind, str] = {
    "spike": "a dip",
    "level_shift": "a lasting step down",
    "drift": "a slow fall",
    "silence": "unusual silence",
    "seasonality_change": "another rhythm than usual",
    "variance_change": "less scatter than usual",
}


def kind_words(kind: Kind, *, more: bool) -> str:
    return (_MORE if more else _LESS)[kind]


def words_of(candidate: Candidate) -> str:
    """'credits used, a spike'."""
    return f"{candidate.watch.title}, {kind_words(candidate.kind, more=candidate.is_more)}"
