"""The gate itself: what did not run has not passed, and a wrong figure fails."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic_evals import Case, Dataset

from evals import runner
from evals.evaluators import FigureFromSql, FitsSlack, NothingChanged, Status
from evals.model import CaseInputs, CaseMetadata, Drawn, Outcome
from tools.errors import BadArgument

NOW = datetime(2026, 11, 18, 17, 20, tzinfo=UTC)


def turn(value: float = 42.0, unit: str = "credits") -> dict[str, Any]:
    fact = {"id": "f1", "label": "credits", "value": value, "unit": unit, "entity": None}
    return {"status": "ok", "answer": "a", "facts": [fact], "tool_calls": [], "plans": []}


def harness(answer: dict[str, Any], *, changes: list[int] | None = None) -> runner.Harness:
    counts = iter(changes or [0] * 100)
    return runner.Harness(
        ask=lambda _text, _thread, _person: answer,
        sql=lambda _text, _params: [[42.0]],
        changes=lambda: next(counts),
        now=NOW,
        timezone="America/Los_Angeles",
        drawn=lambda _turn: Drawn(problems=[], shown="", live=[]),
        heard=str,
    )


@pytest.fixture
def one_case(monkeypatch: pytest.MonkeyPatch) -> None:
    case: Case[CaseInputs, Outcome, CaseMetadata] = Case(
        name="figure",
        inputs=CaseInputs(turns=["how many?"], key="SELECT 42"),
        metadata=CaseMetadata(),
        evaluators=(Status("ok"), FigureFromSql(unit="credits")),
    )
    dataset: Dataset[CaseInputs, Outcome, CaseMetadata] = Dataset(
        name="d", cases=[case], evaluators=[NothingChanged(), FitsSlack()]
    )
    monkeypatch.setattr(runner, "load_cases", lambda _tag=None: dataset)
    monkeypatch.setattr(runner, "manifest", lambda: {"gate": 1})


@pytest.mark.usefixtures("one_case")
def test_the_right_figure_passes() -> None:
    assert runner.run(harness(turn())).ok


@pytest.mark.usefixtures("one_case")
@pytest.mark.parametrize(
    "answer", [turn(42.001), turn(unit="USD"), turn() | {"status": "no_data"}, turn() | {"facts": []}]
)
def test_a_wrong_answer_fails_with_its_reason(answer: dict[str, Any]) -> None:
    result = runner.run(harness(answer))
    assert not result.ok
    assert result.failed[0].reasons


@pytest.mark.usefixtures("one_case")
def test_a_conversation_that_changed_something_fails() -> None:
    assert not runner.run(harness(turn(), changes=[0, 1])).ok


@pytest.mark.usefixtures("one_case")
@pytest.mark.parametrize(
    "drawn",
    [
        Drawn(problems=["51 blocks"], shown="42", live=[]),
        Drawn(problems=[], shown="42", live=["<!channel>"]),
        Drawn(problems=[], shown="nothing of the figure", live=[]),
    ],
)
def test_an_answer_that_slack_would_refuse_or_that_loses_a_figure_there_fails(drawn: Drawn) -> None:
    answer = turn() | {"answer": "42 credits"}
    good = replace(harness(answer), drawn=lambda _turn: Drawn(problems=[], shown="**42** credits", live=[]))
    assert runner.run(good).ok
    assert not runner.run(replace(good, drawn=lambda _turn: drawn)).ok


@pytest.mark.usefixtures("one_case")
def test_an_ask_that_raises_is_a_failed_case() -> None:
    def broken(_text: str, _thread: str, _person: str | None) -> dict[str, Any]:
        raise RuntimeError("boom")

    base = harness(turn())
    result = runner.run(replace(base, ask=broken))
    assert [r.passed for r in result.results] == [False]


@pytest.mark.usefixtures("one_case")
def test_fewer_cases_than_the_manifest_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "manifest", lambda: {"gate": 2})
    result = runner.run(harness(turn()))
    assert not result.ok
    assert result.as_json()["skipped"] == 1


def test_the_manifest_counts_the_cases_that_are_there() -> None:
    cases = runner.load_cases().cases
    assert sum(runner.manifest().values()) == len(cases) >= 25
    assert len({c.name for c in cases}) == len(cases)
    assert all(c.evaluators for c in cases)


def test_an_unknown_tag_is_said() -> None:
    with pytest.raises(BadArgument):
        runner.load_cases("no-such-tag")


def test_key_times_are_midnights_of_the_accounts_zone_over_a_change_of_clocks() -> None:
    params = runner.key_params(NOW, "America/Los_Angeles")
    assert params["today"] == datetime(2026, 11, 18, 8, tzinfo=UTC)
    assert params["month"] == datetime(2026, 11, 1, 7, tzinfo=UTC)  # still summer time at that midnight
    assert params["last_week"] == datetime(2026, 11, 9, 8, tzinfo=UTC)
