"""How a model is measured: which questions, who answered, and what is counted."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_evals import Case

from evals.model import CaseInputs, CaseMetadata, Outcome
from evals.models import Answered, By, answered_by, main, spread, summary
from evals.runner import CaseResult


def cases(count: int) -> list[Case[CaseInputs, Outcome, CaseMetadata]]:
    return [Case(name=f"c{number}", inputs=CaseInputs(turns=["a"])) for number in range(count)]


@given(count=st.integers(0, 60), wanted=st.integers(1, 60))
def test_questions_are_spread_and_none_comes_twice(count: int, wanted: int) -> None:
    names = [str(case.name) for case in spread(cases(count), wanted)]
    assert len(names) == len(set(names)) == min(count, wanted)
    assert names == sorted(names, key=lambda name: int(name[1:]))
    if names:
        assert names[0] == "c0"
        assert int(names[-1][1:]) >= count - count // len(names) - 1


def trace(**changed: Any) -> dict[str, Any]:
    proof = {"refused": 0, "mended": 0, "replaced": 0}
    values = {"thinking": [{}], "planner_took_over": False, "model": "compatible/m", "fallback": False, "proof": proof}
    return values | changed


@pytest.mark.parametrize(
    ("given", "by"),
    [
        (trace(), "model"),
        (trace(proof={"refused": 1, "mended": 1, "replaced": 0}), "model"),
        (trace(fallback=True, proof={"refused": 2, "mended": 0, "replaced": 1}), "composed"),
        (trace(planner_took_over=True), "planner"),
        (trace(model="offline (compatible/m did not answer)"), "planner"),
        (trace(thinking=[]), "planner"),
        (None, "planner"),
    ],
)
def test_who_answered(given: dict[str, Any] | None, by: By) -> None:
    assert answered_by(given) == by


def one(passed: bool, by: By, status: str = "ok", seconds: float = 2.0) -> Answered:
    return Answered(CaseResult("c", "gate", passed, (), seconds), status, by, ("query_usage",), 2, 1)


def test_the_summary_counts() -> None:
    said = summary([one(True, "model"), one(True, "composed", seconds=4.0), one(False, "model", seconds=9.0),
                    one(False, "planner", "refused")])  # fmt: skip
    assert (said["questions"], said["right"], said["answered_not_right"]) == (4, 2, 1)
    assert said["right_by"] == {"model": 1, "composed": 1}
    assert said["answered_by"] == {"model": 2, "composed": 1, "planner": 1}
    assert said["status"] == {"ok": 3, "refused": 1}
    assert (said["median_s"], said["longest_s"], said["model_calls"]) == (3.0, 9.0, 8)
    assert summary([])["questions"] == 0


def test_without_a_model_there_is_nothing_to_measure(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--questions", "3"]) == 2
    assert "docs/models.md" in capsys.readouterr().err
