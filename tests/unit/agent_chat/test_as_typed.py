"""Questions as a person typed them to a new installation, and what had been misread. Nothing is run here."""

from __future__ import annotations

from typing import Any

import pytest

from agent.state import Clarify, Done, Refuse
from tests.doubles.account import account
from tests.unit.agent_chat.test_planner import AllNames, calls, decide
from tools.context import FilterColumn


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
    assert "findings snooze" in decision.template


ETL: dict[str, Any] = {"warehouse": ["ETL_WH"]}
USED: dict[str, Any] = {"name": "query_usage", "args": {"metric": "credits", "by": "warehouse", "window": "last week"}}
OF_ETL: dict[str, Any] = {"name": "query_usage", "args": {"metric": "cost", "filters": ETL, "window": "last week"}}


@pytest.mark.parametrize(
    ("text", "tool", "wanted"),
    [
        ("what will it cost next month?", "run_forecast", {"metric": "cost", "window": "next month", "filters": ETL}),
        ("will it stay under 5000 dollars?", "budget", {"amount": 5000.0, "unit": "USD", "filters": ETL}),
        ("did it spike yesterday?", "detect_anomalies", {"window": "yesterday", "filters": ETL}),
    ],
)
def test_it_is_what_the_last_question_was_about(text: str, tool: str, wanted: dict[str, Any]) -> None:
    assert calls(decide(text, last=OF_ETL)) == [(tool, wanted)]


def test_only_a_name_after_figures_asks_for_its_figures() -> None:
    wanted = {"metric": "credits", "window": "last week", "filters": {"warehouse": ["ETL_WH"]}}
    assert calls(decide("only ETL_WH", last=USED)) == [("query_usage", wanted)]
    assert calls(decide("and is ETL_WH running", last=USED)) == [("list_warehouses", {"names": ["ETL_WH"]})]


@pytest.mark.parametrize(
    ("text", "amount", "unit"),
    [
        ("how much of our 60000 budget is left?", 60_000.0, "USD"),
        ("when will we have used up 30000 dollars?", 30_000.0, "USD"),
        ("when will 30k be gone?", 30_000.0, "USD"),
        ("will 5000 credits last the month?", 5000.0, "credits"),
        ("will we exceed 1000 credits this month?", 1000.0, "credits"),
    ],
)
def test_an_amount_that_was_named_is_the_budget(text: str, amount: float, unit: str) -> None:
    assert calls(decide(text)) == [("budget", {"amount": amount, "unit": unit})]


@pytest.mark.parametrize(
    "text",
    [
        "were we over budget last month?",
        "will we stay under 50000 dollars by Friday?",
    ],
)
def test_a_budget_of_another_time_is_not_answered_for_this_month(text: str) -> None:
    decision = decide(text)
    assert isinstance(decision, Clarify)
    assert "running month" in decision.template


@pytest.mark.parametrize("window", ["this week", "next month", "next quarter"])
def test_a_budget_of_another_time_is_looked_at_for_that_time(window: str) -> None:
    wanted = {"amount": 1000.0, "unit": "credits", "window": window}
    assert calls(decide(f"will we exceed 1000 credits {window}?")) == [("budget", wanted)]


def test_a_year_has_its_budget() -> None:
    wanted = {"amount": 900_000.0, "unit": "USD", "period": "year"}
    assert calls(decide("will we stay under 900000 dollars by the end of the year?")) == [("budget", wanted)]


def test_what_is_pending_are_plans_and_no_spending() -> None:
    assert isinstance(decide("what is pending?"), Done)


def test_query_tags_are_a_breakdown_and_no_single_queries() -> None:
    assert calls(decide("which query tags cost the most"))[0][1]["by"] == "query_tag"


def test_two_windows_that_are_listed_are_both_answered_whole() -> None:
    listed = calls(decide("how much did ETL_WH cost yesterday and today"))
    assert [args["window"] for _, args in listed] == ["yesterday", "today"]
    assert not any("compare" in args for _, args in listed)
    compared = calls(decide("how much more did we spend this week than last week"))
    assert [(args["window"], args["compare"]) for _, args in compared] == [("this week", True)]


class Metered(AllNames):
    """The double's names, of an account that uses serverless services."""

    def column(self, column: FilterColumn) -> tuple[str, ...]:
        return ("PIPE", "AUTO_CLUSTERING", "SERVERLESS_TASK") if column == "service_type" else super().column(column)


@pytest.mark.parametrize(
    ("text", "service", "window"),
    [
        ("what did snowpipe cost last month?", "PIPE", "last month"),
        ("how much did automatic clustering cost this month?", "AUTO_CLUSTERING", "this month"),
        ("credits of serverless tasks yesterday", "SERVERLESS_TASK", "yesterday"),
    ],
)
def test_a_service_is_known_by_what_people_call_it(text: str, service: str, window: str) -> None:
    ((name, args),) = calls(decide(text, names=Metered(account())))
    assert (name, args["filters"], args["window"]) == ("query_usage", {"service_type": [service]}, window)


def test_failed_tasks_and_advice_are_no_service() -> None:
    names = Metered(account())
    assert isinstance(decide("show me failed tasks", names=names), Refuse)
    assert calls(decide("how do I reduce the cost of automatic clustering?", names=names))[0][0] == "search_practices"


@pytest.mark.parametrize(
    "text",
    [
        "Wie viele Credits hat ETL_WH letzte Woche verbraucht?",
        "combien avons-nous d\u00e9pens\u00e9 hier ?",
        "\u00bfcu\u00e1ntos cr\u00e9ditos gastamos ayer?",
    ],
)
def test_another_language_is_told_and_its_words_are_no_names(text: str) -> None:
    decision = decide(text)
    assert isinstance(decision, Refuse)
    assert "English" in decision.template


@pytest.mark.parametrize(
    "text", ["is anything weird going on right now?", "what happened over the weekend?", "what happened?"]
)
def test_what_goes_on_is_looked_for_in_the_figures(text: str) -> None:
    assert calls(decide(text))[0][0] == "detect_anomalies"


def test_what_changed_is_answered_by_warehouse_against_the_time_before() -> None:
    by = {"metric": "credits", "by": "warehouse", "compare": True}
    assert calls(decide("what changed?")) == [("query_usage", by)]
    assert calls(decide("what changed since Monday?")) == [("query_usage", {**by, "window": "since Monday"})]
    assert calls(decide("what changed since Monday?", last=OF_ETL)) == calls(decide("what changed since Monday?"))
    one = {"metric": "credits", "compare": True, "window": "yesterday", "filters": {"warehouse": ["ETL_WH"]}}
    assert calls(decide("did anything change in ETL_WH yesterday?")) == [("query_usage", one)]


@pytest.mark.parametrize("text", ["are there queries waiting right now?", "is anything running?"])
def test_what_runs_or_waits_now_is_listed_by_statement(text: str) -> None:
    assert calls(decide(text)) == [("list_warehouses", {"statements": True})]
