"""How well it finds, with the real model and the real pages, and at what cost."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from evals.retrieval import measure, questions
from knowledge.practices import load
from knowledge.search import Library

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def everything(library: Library, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    made = Library.open(tmp_path_factory.mktemp("all"), min_score=0.0)
    yield made
    made.close()


def test_every_question_expects_a_page_that_is_there() -> None:
    known = {page.id for page in load()}
    asked = [*questions("development"), *questions("held_out")]
    assert len(asked) == 60
    assert len(questions("development")) == len(questions("held_out")) == 30
    assert {question["expects"] for question in asked} <= known


def test_the_library_finds_no_worse_than_when_it_was_measured(everything: Library) -> None:
    """docs/knowledge.md has the figures; a little below them is the floor."""
    assert measure(everything, questions("development"), "hybrid").recall >= 0.80
    assert measure(everything, questions("held_out"), "hybrid").recall >= 0.60
    assert measure(everything, questions("held_out"), "hybrid").mrr >= 0.40


def test_what_no_practice_answers_mostly_gets_no_answer(library: Library) -> None:
    nothing = [*questions("development", kind="nothing"), *questions("held_out", kind="nothing")]
    assert sum(not library.search(question["text"]) for question in nothing) / len(nothing) >= 0.8


@pytest.mark.parametrize("how", ["hybrid", "words", "vectors"])
def test_the_same_question_has_the_same_answer(library: Library, how: str) -> None:
    asked = "queries wait in line in the morning"
    first, again = (library.search(asked, 10, how=how) for _ in range(2))  # type: ignore[arg-type]
    assert first == again


MEASURE = """
import sys
from pathlib import Path
from knowledge.search import Library
library = Library.open(Path(sys.argv[1]))
assert library.search("queries wait in line") and not library.warnings, library.warnings
library.close()
status = Path("/proc/self/status").read_text()  # getrusage counts what forked us too
print(int(status.split("VmHWM:")[1].split()[0]) // 1024)
"""


def test_indexing_and_searching_stay_below_400_mb(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, timeout=150
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 400
