"""Questions as a person typed them to a new installation, and what had been misread. Nothing is run here."""

from __future__ import annotations

import pytest

from agent.state import Clarify
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
    assert calls(decide("forecast credits by warehouse")) == [("run_forecast", {"metric": "credits", "by": "warehouse"})]
    assert calls(decide("which 3 warehouses will cost most, with 95 % intervals?"))
