"""`budget`: where the month ends, how likely it runs over, and when; the contract's burn-down."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from agent.offline.compose_budget import budget_lines
from agent.state import CallResult
from tests.doubles.account import NOW, FrameReader
from tests.doubles.outlook import context, rhythmic
from tools.budget.model import BudgetArgs, BudgetData
from tools.budget.tool import budget
from tools.errors import BadArgument
from tools.preferences import Contract
from tools.result import ToolResult


@pytest.fixture(scope="module")
def reader() -> FrameReader:
    return rhythmic()


def asked(reader: FrameReader, preferences: dict[str, Any] | None = None, **args: Any) -> ToolResult[BudgetData]:
    return budget(context(reader, **(preferences or {})), BudgetArgs.model_validate(args))


def values(result: ToolResult[BudgetData]) -> dict[str, Any]:
    assert result.data is not None
    by_id = {fact.id: fact.value for fact in result.facts}
    return {role: by_id[fact] for role, fact in result.data.figures.items()}


def test_a_month_is_what_was_measured_and_what_comes(reader: FrameReader) -> None:
    result = asked(reader)
    found = values(result)
    assert result.status == "ok" and result.data is not None
    assert found["actual"] + found["ahead"] == pytest.approx(found["total"])
    assert found["low95"] <= found["low"] <= found["total"] <= found["high"] <= found["high95"]
    assert result.data.verdict == "no_budget" and "overrun" not in found
    assert any("No amount is set" in note for note in result.data.notes)


def test_days_that_were_not_learned_from_are_said(reader: FrameReader) -> None:
    odd = asked(rhythmic(incident=True, now=NOW + timedelta(days=3)))
    assert odd.data is not None
    assert "1 day with unusual use was left out of what was learned: 2026-11-21." in odd.data.notes
    usual = asked(reader)
    assert usual.data is not None and not any("left out" in note for note in usual.data.notes)


def test_the_probability_falls_with_the_amount(reader: FrameReader) -> None:
    total = values(asked(reader))["total"]
    percents = [values(asked(reader, amount=total * share))["overrun"] for share in (0.8, 1.0, 1.2)]
    assert percents[0] > 97.5 and percents[2] < 2.5 and percents == sorted(percents, reverse=True)
    assert asked(reader, amount=total * 0.8).data.verdict == "over"  # type: ignore[union-attr]
    assert asked(reader, amount=total * 1.2).data.verdict == "within"  # type: ignore[union-attr]


def test_the_day_on_which_it_is_used_up(reader: FrameReader) -> None:
    result = asked(reader, amount=values(asked(reader))["total"] * 0.9)
    assert result.data is not None and result.data.runs_out_at is not None
    days = result.data.days
    assert days["earliest"] <= days["runs_out"] <= days["latest"]
    assert "2026-11-23" <= days["runs_out"] <= "2026-11-30"
    assert asked(reader, amount=1e9).data.runs_out_at is None  # type: ignore[union-attr]


def test_the_amount_of_the_settings_is_used_where_none_is_said(reader: FrameReader) -> None:
    found = values(asked(reader, {"monthly_credits": 5_000.0}))
    assert found["budget"] == 5_000.0
    said = asked(reader, {"monthly_credits": 5_000.0}, amount=7_000)
    assert values(said)["budget"] == 7_000.0 and said.data is not None and said.data.unit == "USD"


def test_the_chart_rises_towards_the_line(reader: FrameReader) -> None:
    result = asked(reader, amount=9_000)
    assert result.data is not None and result.data.chart is not None
    chart = result.data.chart
    sums = [point.value for point in (*chart.history, *chart.forecast)]
    assert sums == sorted(sums) and chart.limit == 9_000
    assert chart.forecast[0] == chart.history[-1], "what is expected begins where the measured line ends, no day later"
    assert all(band.time == tuple(p.time for p in chart.forecast) and band.lo[0] == band.hi[0] for band in chart.bands)
    assert sums[-1] == pytest.approx(values(result)["total"])


def contract(**more: Any) -> dict[str, Any]:
    return {"contract": Contract(start=date(2026, 10, 1), end=date(2027, 9, 30), **({"credits": 20_000.0} | more))}


def worded(result: ToolResult[BudgetData]) -> str:
    assert result.data is not None
    data = result.data.model_dump(mode="json")
    call = CallResult(name="budget", args={}, status="ok", data=data, facts=tuple(result.facts))
    return "\n".join(budget_lines(1, call))


def test_a_day_that_is_past_is_told_as_past(reader: FrameReader) -> None:
    found = values(asked(reader))
    assert "was used up on" in worded(asked(reader, amount=found["actual"] * 0.5))
    assert "is used up on" in worded(asked(reader, amount=found["actual"] + found["ahead"] * 0.5))


def test_within_is_not_said_of_a_term_whose_beginning_is_not_known(reader: FrameReader) -> None:
    known = values(asked(reader, period="year"))["total"]
    within, over = asked(reader, period="year", amount=known * 2), asked(reader, period="year", amount=known / 2)
    assert within.data is not None and over.data is not None
    assert within.data.verdict == "not_known" and "Not known" in worded(within)
    assert over.data.verdict == "over"


def test_a_contract_burns_down_to_a_day(reader: FrameReader) -> None:
    result = asked(reader, contract(), period="contract")
    found = values(result)
    assert result.data is not None and result.data.runs_out_at is not None
    assert found["budget"] == 20_000.0 and found["overrun"] > 50
    assert "2026-11-24" < result.data.days["runs_out"] < "2027-09-30"
    assert result.complete is False and any("The history allows" in note for note in result.data.notes)


def test_a_contract_older_than_the_views_needs_what_was_used_of_it(reader: FrameReader) -> None:
    old = Contract(start=date(2026, 1, 1), end=date(2026, 12, 31), usd=90_000.0)
    with pytest.raises(BadArgument, match="begins on"):
        asked(reader, {"contract": old}, period="contract")
    known = Contract(**{**old.model_dump(), "used": 60_000.0, "used_on": date(2026, 10, 31)})
    found = values(asked(reader, {"contract": known}, period="contract"))
    assert found["actual"] > 60_000.0


def test_a_contract_that_is_not_there_is_said(reader: FrameReader) -> None:
    with pytest.raises(BadArgument):
        asked(reader, period="contract")
    over = Contract(start=date(2025, 1, 1), end=date(2025, 12, 31), usd=1.0)
    with pytest.raises(BadArgument):
        asked(reader, {"contract": over}, period="contract")


@pytest.mark.parametrize(
    "given",
    [
        {"start": date(2026, 1, 1), "end": date(2026, 12, 31)},
        {"start": date(2026, 1, 1), "end": date(2026, 12, 31), "usd": 1.0, "credits": 1.0},
        {"start": date(2026, 2, 1), "end": date(2026, 1, 31), "usd": 1.0},
        {"start": date(2026, 1, 1), "end": date(2026, 12, 31), "usd": 1.0, "used": 1.0},
    ],
)
def test_a_contract_is_whole(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Contract(**given)
