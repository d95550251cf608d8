"""What is odd, in words without names and figures: they go round the facts of a reply."""

from __future__ import annotations

from tools.anomalies.detecting import Candidate
from tools.anomalies.titles import SIZES
from tools.ml.anomaly import Kind

__all__ = ["kind_words", "what_words", "words_of"]

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

_JUMP = ("a jump", "a drop")


def kind_words(kind: Kind, *, more: bool) -> str:
    return (_MORE if more else _LESS)[kind]


def what_words(candidate: Candidate) -> str:
    """What came of the figure: 'a spike'; of one that has words of its own, those."""
    metric = candidate.metric
    if metric in SIZES and candidate.is_more:
        return f"{SIZES[metric]} than usual"
    if metric == "longest_statement":
        return "longer than any in the weeks before"
    if metric == "pace" and candidate.is_more:
        return "slower and slower" if candidate.kind == "drift" else "slower than usual"
    if candidate.watch.judged == "growth" and candidate.kind == "spike":
        return _JUMP[0 if candidate.is_more else 1]  # what it grew in a day was a spike; what is stored stays
    return kind_words(candidate.kind, more=candidate.is_more)


def words_of(candidate: Candidate) -> str:
    """'credits used, a spike', 'larger than usual', 'a statement longer than any in the weeks before'."""
    metric, what = candidate.metric, what_words(candidate)
    if metric in SIZES and candidate.is_more:
        return what
    if metric == "longest_statement":
        return f"a statement, {what}"
    if metric == "pace":
        kind = kind_words(candidate.kind, more=candidate.is_more)
        return f"the same statements take {'longer' if candidate.is_more else 'less time'} than usual, {kind}"
    return f"{candidate.watch.title}, {what}"
