"""`make bench`: how well questions find their practice, by words alone, by vectors alone and by both. Never a gate.

The questions (tests/knowledge/questions.yaml) were written from the symptoms before any page. recall@5: the share whose
practice is among the first five; MRR: the mean of one over its place. `silent`: of questions that no practice
answers, the share to which nothing is answered; `kept`: of the others, the share that still gets its practice.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from knowledge.search import How, Library

__all__ = ["Score", "main", "measure", "questions"]

FILE = Path(__file__).parent.parent / "tests" / "knowledge" / "questions.yaml"
_FIRST = 5
_ALL = 100


@dataclass(frozen=True)
class Score:
    recall: float
    """At 5, 0 to 1."""
    mrr: float
    asked: int


def questions(half: str, *, kind: str = "questions") -> list[dict[str, Any]]:
    """The questions of a half, `development` or `held_out`; kind `nothing`: those without an answer."""
    import yaml

    table = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return [question for question in table[kind] if question["half"] == half]


def measure(library: Library, asked: Sequence[dict[str, Any]], how: How) -> Score:
    """Over questions with `text` and `expects`; the library's least score has to be 0."""
    places = [_place(library, question, how) for question in asked]
    found = sum(place is not None and place <= _FIRST for place in places)
    turned = sum(1 / place for place in places if place is not None)
    return Score(found / len(asked), turned / len(asked), len(asked))


def _place(library: Library, question: dict[str, Any], how: How) -> int | None:
    ids = [passage.id for passage in library.search(question["text"], _ALL, how=how)]
    return ids.index(question["expects"]) + 1 if question["expects"] in ids else None


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        everything = Library.open(Path(folder), min_score=0.0)
        usual = Library.open(Path(folder))
        entries = len(everything.entries())
        for warning in everything.warnings:
            _say(f"warning: {warning}")
        for half in ("development", "held_out"):
            asked = questions(half)
            for how in get_args(How):
                score = measure(everything, asked, how)
                _say(
                    f"retrieval {half:<12} {how:<8} recall@5 {score.recall:.2f}  MRR {score.mrr:.2f}  "
                    f"({score.asked} questions, {entries} practices)"
                )
            nothing = questions(half, kind="nothing")
            silent = sum(not usual.search(question["text"]) for question in nothing) / len(nothing)
            kept = sum(_first_five(usual, question) for question in asked) / len(asked)
            _say(f"retrieval {half:<12} silent {silent:.2f}, kept {kept:.2f} at {usual.min_score:.2f}")
        everything.close()
        usual.close()


def _first_five(library: Library, question: dict[str, Any]) -> bool:
    return question["expects"] in {passage.id for passage in library.search(question["text"], _FIRST)}


if __name__ == "__main__":
    main()
