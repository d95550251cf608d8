"""Questions as a person typed them to a new installation, and what had been misread. Nothing is run here."""

from __future__ import annotations

import pytest

from agent.state import Clarify, Refuse
from tests.unit.agent_chat.test_planner import calls, decide


@pytest.mark.parametrize(
    "text",
    [
        "how much will we spend on Black Friday",
        "next 10000 days credits",
        "credits in the next 0 days",
        "forecast of the last month",
        "what will we spend at Christmas?",
    ],
)
def test_a_forecast_whose_time_was_not_read_is_asked_back(text: str) -> None:
    decision = decide(text)
    assert isinstance(decision, Clarify)
    assert "next month" in decision.template


def test_a_forecast_without_a_time_is_of_the_next_30_days() -> None:
    assert calls(decide("forecast credits by warehouse")) == [
        ("run_forecast", {"metric": "credits", "by": "warehouse"})
    ]
    assert calls(decide("which 3 warehouses will cost most, with 95 % intervals?"))


@pytest.mark.parametrize("time", ["5 years", "90 weeks", "60-month", "500 ms"])
def test_a_time_in_a_unit_that_auto_suspend_has_not_is_asked_back(time: str) -> None:
    decision = decide(f"set auto suspend of FLEX_WH to {time}")
    assert isinstance(decision, Clarify)
    assert decision.pending["slot"] == "seconds"


@pytest.mark.parametrize(("time", "seconds"), [("1 day", 86_400), ("1 minute 30 seconds", 90), ("60", 60)])
def test_a_time_of_several_parts_is_their_sum(time: str, seconds: int) -> None:
    wanted = [("set_auto_suspend", {"warehouse": "FLEX_WH", "seconds": seconds})]
    assert calls(decide(f"set auto suspend of FLEX_WH to {time}")) == wanted


@pytest.mark.parametrize(
    "text",
    ["snooze the ETL_WH finding for 2 days", "dismiss finding f99006dc26e1", "show me finding 2e8960723914"],
)
def test_a_single_finding_is_no_list_of_findings(text: str) -> None:
    decision = decide(text)
    assert isinstance(decision, Refuse)
    assert "frostline findings" in decision.template
