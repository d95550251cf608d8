"""The offline planner as a table: what people type, and what it decides. Nothing is run here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from agent.offline.planner import OfflineThinker
from agent.offline.requests import asks_for_change
from agent.state import Clarify, Decision, Done, Refuse, ToolCalls, TurnView
from tests.doubles.account import NOW, FrameReader, account
from tools.context import FilterColumn
from tools.registry import lookup

HERE = Path(__file__).parent
WAREHOUSES = ("ETL_WH", "BI_WH", "BI_DEV_WH", "FLEX_WH", "data science", "FINANCE_WH")


class AllNames:
    """Names of the double; `viewer` sees no users."""

    def __init__(self, reader: FrameReader, *, users: bool = True) -> None:
        self._reader, self._users = reader, users

    def warehouses(self) -> tuple[str, ...]:
        return WAREHOUSES

    def column(self, column: FilterColumn) -> tuple[str, ...]:
        if column == "user" and not self._users:
            return ()
        return WAREHOUSES if column == "warehouse" else self._reader.names(column, NOW.replace(month=9), NOW)


NAMES = AllNames(account())


def decide(text: str, *, names: AllNames = NAMES, **memory: Any) -> Decision:
    view = TurnView(text, memory, (), names, NOW, "UTC", asks_for_change(text))
    return OfflineThinker().decide(view)


def calls(decision: Decision) -> list[tuple[str, dict[str, Any]]]:
    assert isinstance(decision, ToolCalls), decision
    return [(call.name, call.args) for call in decision.calls]


def table(name: str) -> list[Any]:
    entries = yaml.safe_load((HERE / f"{name}.yaml").read_text())
    return [pytest.param(e["text"], [(n, a) for n, a in e["calls"]], id=e["text"][:60]) for e in entries]


@pytest.mark.parametrize(("text", "wanted"), table("phrasings"))
def test_a_question_is_understood(text: str, wanted: list[tuple[str, dict[str, Any]]]) -> None:
    decision = decide(text)
    assert calls(decision) == wanted
    for name, args in wanted:
        lookup(name).args.model_validate(args)
        assert not lookup(name).proposes


@pytest.mark.parametrize(("text", "wanted"), table("outlook"))
def test_a_question_about_what_comes_or_was_odd_is_understood(
    text: str, wanted: list[tuple[str, dict[str, Any]]]
) -> None:
    assert calls(decide(text)) == wanted
    for name, args in wanted:
        lookup(name).args.model_validate(args)
        assert not lookup(name).proposes


@pytest.mark.parametrize(("text", "wanted"), table("orders"))
def test_an_order_is_understood(text: str, wanted: list[tuple[str, dict[str, Any]]]) -> None:
    assert calls(decide(text)) == wanted
    for name, args in wanted:
        lookup(name).args.model_validate(args)
        assert lookup(name).proposes


@pytest.mark.parametrize(
    "text",
    [
        *("resize BI_WH to large while suspending ETL_WH", "resize BI_WH to large and frobnicate ETL_WH"),
        *(
            "set max clusters of BI_WH to 2 and ETL_WH to 3",
            "suspend BI_WH tonight",
            "suspend BI_WH for the night",
            "suspend BI_WH for 2 hours",
            "resize BI_WH and auto suspend to 60",
        ),
        *("set auto suspend to 60 and 120 on BI_WH and ETL_WH respectively", "resize BI_WH to large and to small"),
        *("resize BI_WH to small and ETL_WH to large and suspend it", "resize BI_WH to small or large"),
    ],
)
def test_a_part_that_is_not_understood_makes_the_whole_message_a_question(text: str) -> None:
    assert isinstance(decide(text), Clarify)


@pytest.mark.parametrize(
    ("text", "args"),
    [
        ("cancel the longest query on BI_WH", {"names": ["BI_WH"], "statements": True}),
        ("cancel the query", {"statements": True}),
        ("suspend all idle warehouses", {"odd": ["running_idle"]}),
        ("suspend everything", {"odd": ["running_idle"]}),
    ],
)
def test_what_can_be_offered_is_read_before_it_is_asked_for(text: str, args: dict[str, Any]) -> None:
    assert calls(decide(text)) == [("list_warehouses", args)]


def test_a_question_and_an_order_in_one_message_are_both_met() -> None:
    assert calls(decide("credits yesterday, then suspend ETL_WH")) == [
        ("query_usage", {"metric": "credits", "window": "yesterday"}),
        ("suspend_idle", {"warehouse": "ETL_WH"}),
    ]


def test_the_tables_are_broad() -> None:
    assert len(table("phrasings")) + len(table("orders")) >= 180


# --- questions back ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "options", "named"),
    [
        ("resize ETL_HW to small", ("ETL_WH",), "ETL_HW"),
        ("suspend NIGHTLY_WH", ("ETL_WH", "BI_WH"), "NIGHTLY_WH"),
        ("suspend", (), None),
        ("suspend it", (), None),
        ("resize ETL_WH", ("ETL_WH",), None),
        ("bump ETL_WH two sizes", ("ETL_WH",), None),
        ("set auto suspend on ETL_WH", ("ETL_WH",), None),
        ("scale BI_WH to 3 clusters", ("BI_WH",), None),
        ("credits for NIGHTLY_WH yesterday", ("ETL_WH", "BI_WH"), "NIGHTLY_WH"),
        ("how many queries did carol run yesterday", (), "carol"),
    ],
)
def test_what_is_open_is_asked(text: str, options: tuple[str, ...], named: str | None) -> None:
    decision = decide(text)
    assert isinstance(decision, Clarify)
    assert decision.options == options
    assert decision.named == named


@pytest.mark.parametrize(
    "text",
    [
        *(
            "last week",
            "by user",
            "snowflake",
            "spend by team",
            "credits by schema",
            "credits by warehouse except ETL_WH",
        ),
        *("warehouses with more than 100 credits last week", "spend by warehouse and by day last week"),
        *("queries by role and user yesterday", "what did the marketing dashboard cost", "cost per query last week"),
        *("average credits per day last week", "credits in the last 17 fortnights"),
        *(
            "queries that did not fail yesterday",
            "credits since the big migration",
            "credits on 31/12",
            "top users p95",
        ),
        *("what will ETL_WH and BI_WH cost next month without BI_WH", "anything odd since Monday except on BI_WH?"),
        *("cost of the marketing warehouse last week", "tell me more about the first one", "which of these is worst?"),
        *(
            "what happened between 2am and 5am?",
            "anything odd since the migration?",
            "any spikes in the 3 days before it?",
        ),
        *("any critical findings on NIGHTLY_WH?", "what is open on NIGHTLY_WH?"),
        *("forecast by team next month", "what will each department cost next month?", "any anomalies by project?"),
        *("more queries than in August?", "did ETL_WH cost more than in March?"),
        *("credits on weekdays last month", "credits at night last week", "anything odd at night last week?"),
    ],
)
def test_what_no_call_can_express_is_said_and_not_left_out(text: str) -> None:
    assert isinstance(decide(text), Clarify)


@pytest.mark.parametrize(
    "text", ["show failures by user yesterday and resize BI_WH to small", "who failed yesterday, and suspend BI_WH"]
)
def test_an_order_behind_a_question_is_not_taken_and_that_is_said(text: str) -> None:
    decision = decide(text)
    assert calls(decision) == [("query_usage", {"metric": "failures", "by": "user", "window": "yesterday"})]
    assert isinstance(decision, ToolCalls) and "nothing is proposed" in decision.note


@pytest.mark.parametrize("last", ["run_forecast", "detect_anomalies", "budget"])
def test_a_follow_up_that_leaves_a_name_out_is_not_answered_for_that_name(last: str) -> None:
    kept = {"name": last, "args": {"filters": {"warehouse": ["ETL_WH", "BI_WH"]}}}
    assert isinstance(decide("and without BI_WH?", last=kept), Clarify)


def test_a_typo_in_a_question_is_read_and_said() -> None:
    decision = decide("credits of ETL_HW last week")
    assert isinstance(decision, ToolCalls)
    assert decision.calls[0].args["filters"] == {"warehouse": ["ETL_WH"]}
    assert decision.read_as == ("ETL_HW", "ETL_WH")
    assert "[[o1]]" in decision.note


def test_a_name_in_two_words_is_read_and_a_part_of_one_is_asked_back() -> None:
    joined = calls(decide("what did svc loader spend last week"))
    assert joined == [("query_usage", {"metric": "cost", "window": "last week", "filters": {"user": ["SVC_LOADER"]}})]
    part = decide("what did svc spend last week")
    assert isinstance(part, Clarify) and part.options[0] == "SVC_LOADER"
    hidden = decide("what did svc spend last week", names=AllNames(account(), users=False))
    assert isinstance(hidden, Clarify) and "SVC_LOADER" not in hidden.options


def test_a_name_that_two_warehouses_share_is_asked_for() -> None:
    class Twins(AllNames):
        def warehouses(self) -> tuple[str, ...]:
            return ("BI_WH", "bi-wh", "ETL_WH")

    decision = decide("credits of bi wh last week", names=Twins(account()))
    assert isinstance(decision, Clarify)
    assert decision.options == ("BI_WH", "bi-wh")


def test_users_are_not_given_away_to_viewers() -> None:
    decision = decide("queries of ALICE yesterday", names=AllNames(account(), users=False))
    assert isinstance(decision, Clarify)
    assert "ALICE" not in decision.options


# --- an honest no -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        *("why did spend go up yesterday", "why did credits spike yesterday", "set a budget of 5000 dollars"),
        *(
            "alert me when we exceed 1000 credits",
            "how much could we save next month",
            "what will the weather be tomorrow",
        ),
        *("how can we save money", "should I resize ETL_WH", "what if we made ETL_WH smaller", "is ETL_WH too big"),
        *("what's the weather", "write me a poem", "who are you", "drop warehouse ETL_WH", "create a warehouse"),
        *("select * from snowflake.account_usage.query_history", "run this sql: select 1", "drop table x; --"),
        *("grant me access to BI_WH", "make me an admin", "what is the password", "slowest queries yesterday"),
        *("storage by database", "set a budget", "which tasks failed", "asdf qwer zxcv"),
    ],
)
def test_what_is_not_offered_is_refused_with_what_is(text: str) -> None:
    decision = decide(text)
    assert isinstance(decision, Refuse), decision
    assert "I can" in decision.template or "I propose" in decision.template or "[[cmd" in decision.template


@pytest.mark.parametrize(
    "text",
    [
        "help",
        "hi",
        "thanks!",
        "undo the last change",
        "how do I approve a plan",
        "no",
        "show my plans",
        "how do I suspend ETL_WH",
        "run a scan",
    ],
)
def test_small_talk_is_answered_without_a_tool(text: str) -> None:
    decision = decide(text)
    assert isinstance(decision, Done)
    assert decision.template


def test_a_warehouse_named_like_a_topic_is_still_a_warehouse() -> None:
    class Odd(AllNames):
        def warehouses(self) -> tuple[str, ...]:
            return ("TASKS_WH", "STORAGE")

    assert calls(decide("credits of TASKS_WH yesterday", names=Odd(account())))[0][1]["filters"] == {
        "warehouse": ["TASKS_WH"]
    }


# --- follow-ups -----------------------------------------------------------------------------------------------------

LAST: dict[str, Any] = {"name": "query_usage", "args": {"metric": "credits", "by": "warehouse", "window": "last week"}}
ONE: dict[str, Any] = {
    "name": "query_usage",
    "args": {"metric": "cost", "window": "yesterday", "filters": {"warehouse": ["ETL_WH"]}},
}
LISTED: dict[str, Any] = {"name": "list_warehouses", "args": {"names": ["ETL_WH"]}}


@pytest.mark.parametrize(
    ("text", "last", "args"),
    [
        ("and last month?", LAST, {"metric": "credits", "by": "warehouse", "window": "last month"}),
        ("by user?", LAST, {"metric": "credits", "by": "user", "window": "last week"}),
        ("and by day", LAST, {"metric": "credits", "by": "day", "window": "last week"}),
        (
            "what about ETL_WH?",
            LAST,
            {"metric": "credits", "window": "last week", "filters": {"warehouse": ["ETL_WH"]}},
        ),
        ("only failures", LAST, {"metric": "failures", "by": "warehouse", "window": "last week"}),
        ("in dollars", LAST, {"metric": "cost", "by": "warehouse", "window": "last week"}),
        ("queries?", LAST, {"metric": "queries", "by": "warehouse", "window": "last week"}),
        ("top 3", LAST, {"metric": "credits", "by": "warehouse", "window": "last week", "top": 3}),
        (
            "compare ETL_WH and BI_WH yesterday",
            ONE,
            {"metric": "cost", "by": "warehouse", "window": "yesterday", "filters": {"warehouse": ["ETL_WH", "BI_WH"]}},
        ),
        ("compare with the week before", LAST, {**LAST["args"], "compare": True}),
        ("what about BI_WH?", ONE, {"metric": "cost", "window": "yesterday", "filters": {"warehouse": ["BI_WH"]}}),
        ("by user", ONE, {**ONE["args"], "by": "user"}),
        ("and this week", ONE, {**ONE["args"], "window": "this week"}),
        ("by warehouse", ONE, {"metric": "cost", "window": "yesterday", "by": "warehouse"}),
        ("and for all warehouses?", ONE, {"metric": "cost", "window": "yesterday", "by": "warehouse"}),
        ("how much did it cost last week?", LISTED, {"metric": "cost", "window": "last week"}),
        (
            "and its credits last week",
            LISTED,
            {"metric": "credits", "window": "last week", "filters": {"warehouse": ["ETL_WH"]}},
        ),
        ("which warehouses used most of it?", ONE, {"metric": "cost", "by": "warehouse", "window": "yesterday"}),
        ("most of that?", ONE, {**ONE["args"], "by": "warehouse"}),
        ("break it down by user", ONE, {**ONE["args"], "by": "user"}),
        ("how much of that is idle", LAST, {"metric": "credits_idle", "by": "warehouse", "window": "last week"}),
        ("credits by user yesterday", ONE, {"metric": "credits", "by": "user", "window": "yesterday"}),
    ],
)
def test_a_follow_up_keeps_what_it_does_not_say(text: str, last: dict[str, Any], args: dict[str, Any]) -> None:
    assert calls(decide(text, last=last)) == [("query_usage", args)]


SHOWN = {"by": "warehouse", "names": ["BI_WH", "ETL_WH", "data science"]}


@pytest.mark.parametrize(
    ("text", "args"),
    [
        ("the first one by day", {"metric": "credits", "by": "day", "window": "last week", "filters": ["BI_WH"]}),
        ("and the second one?", {"metric": "credits", "window": "last week", "filters": ["ETL_WH"]}),
        ("and the last of them", {"metric": "credits", "window": "last week", "filters": ["data science"]}),
        ("which one has the least?", {**LAST["args"], "ascending": True}),
        ("which of these is cheapest?", {**LAST["args"], "metric": "cost", "ascending": True}),
        ("which of them has the most queries?", {**LAST["args"], "metric": "queries"}),
        ("top 2 of them", {**LAST["args"], "top": 2}),
    ],
)
def test_a_part_of_the_last_answer_is_meant_by_its_place_or_rank(text: str, args: dict[str, Any]) -> None:
    wanted = {**args, "filters": {"warehouse": args["filters"]}} if "filters" in args else args
    assert calls(decide(text, last=LAST, shown=SHOWN)) == [("query_usage", wanted)]


def test_findings_and_forecasts_are_picked_from_too() -> None:
    one = {**ODD["args"], "filters": {"warehouse": ["BI_WH"]}}
    assert calls(decide("tell me more about the first one", last=ODD, shown=SHOWN)) == [("detect_anomalies", one)]
    worth = calls(decide("which of these is worth the most?", last=ODD, shown=SHOWN))
    assert worth == [("detect_anomalies", {**ODD["args"], "top": 1})]
    least = calls(decide("which of them is least?", last=AHEAD_BY, shown=SHOWN))
    assert least == [("run_forecast", {**AHEAD_BY["args"], "top": 50})]
    assert isinstance(decide("which one is worth the most?", last=AHEAD), Refuse | Clarify)


@pytest.mark.parametrize(
    "shown", [None, {"by": "warehouse", "names": ["BI_WH"]}, {"by": "user", "names": ["X", "ALICE"]}]
)
def test_what_was_not_listed_or_may_not_be_seen_is_not_picked(shown: dict[str, Any] | None) -> None:
    hidden = AllNames(account(), users=False)
    decision = decide("the second one by day", names=hidden, last=LAST, shown=shown)
    assert isinstance(decision, Clarify) and decision.options == ()


def test_what_is_to_be_changed_is_named_and_not_picked() -> None:
    assert isinstance(decide("suspend the first one", last=LAST, shown=SHOWN), Clarify)


@pytest.mark.parametrize(
    ("text", "last", "wanted"),
    [
        ("how much did it cost?", "ODD", [("detect_anomalies", {"window": "since Monday"})]),
        (
            "is that normal?",
            "ONE",
            [
                (
                    "detect_anomalies",
                    {"window": "yesterday", "filters": {"warehouse": ["ETL_WH"]}, "metrics": ["credits"]},
                )
            ],
        ),
        ("which day is the highest?", "AHEAD", [("run_forecast", "same")]),
        (
            "is that more than last month?",
            "AHEAD",
            [
                ("run_forecast", "same"),
                (
                    "query_usage",
                    {"metric": "cost", "filters": {"warehouse": ["ETL_WH"]}, "window": "last month"},
                ),
            ],
        ),
    ],
)
def test_that_is_what_the_last_answer_told(text: str, last: str, wanted: list[tuple[str, Any]]) -> None:
    told = {"ODD": ODD, "ONE": ONE, "AHEAD": AHEAD}[last]
    found = [(name, told["args"] if args == "same" else args) for name, args in wanted]
    assert calls(decide(text, last=told)) == found


AHEAD_BY: dict[str, Any] = {
    "name": "run_forecast",
    "args": {"metric": "cost", "window": "next month", "by": "warehouse"},
}
AHEAD: dict[str, Any] = {
    "name": "run_forecast",
    "args": {"metric": "cost", "window": "next month", "filters": {"warehouse": ["ETL_WH"]}},
}
ODD: dict[str, Any] = {"name": "detect_anomalies", "args": {"window": "since Monday"}}
LIMIT: dict[str, Any] = {"name": "budget", "args": {"amount": 5000.0, "unit": "USD"}}


@pytest.mark.parametrize(
    ("text", "last", "tool", "args"),
    [
        ("and next month?", ONE, "run_forecast", {**ONE["args"], "window": "next month"}),
        ("and next week by user", LAST, "run_forecast", {"metric": "credits", "by": "user", "window": "next week"}),
        ("and for BI_WH?", AHEAD, "run_forecast", {**AHEAD["args"], "filters": {"warehouse": ["BI_WH"]}}),
        ("by warehouse", AHEAD, "run_forecast", {"metric": "cost", "window": "next month", "by": "warehouse"}),
        ("as a chart", AHEAD, "run_forecast", AHEAD["args"]),
        ("in credits", AHEAD, "run_forecast", {**AHEAD["args"], "metric": "credits"}),
        ("and next quarter?", AHEAD, "run_forecast", {**AHEAD["args"], "window": "next quarter"}),
        ("and last month?", AHEAD, "query_usage", {**AHEAD["args"], "window": "last month"}),
        ("credits yesterday", AHEAD, "query_usage", {"metric": "credits", "window": "yesterday"}),
        ("list warehouses", AHEAD, "list_warehouses", {}),
        ("and last week?", ODD, "detect_anomalies", {"window": "last week"}),
        ("only queueing", ODD, "detect_anomalies", {"window": "since Monday", "metrics": ["queue_seconds"]}),
        ("and BI_WH?", ODD, "detect_anomalies", {"window": "since Monday", "filters": {"warehouse": ["BI_WH"]}}),
        ("and 6000 dollars?", LIMIT, "budget", {"amount": 6000.0, "unit": "USD"}),
        ("and next month?", LIMIT, "budget", {**LIMIT["args"], "window": "next month"}),
        ("and this quarter?", LIMIT, "budget", {**LIMIT["args"], "period": "quarter"}),
        ("what did it cost?", ODD, "detect_anomalies", ODD["args"]),
        ("and for ETL_WH?", LIMIT, "budget", {**LIMIT["args"], "filters": {"warehouse": ["ETL_WH"]}}),
    ],
)
def test_a_follow_up_on_what_comes_keeps_what_it_does_not_say(
    text: str, last: dict[str, Any], tool: str, args: dict[str, Any]
) -> None:
    assert calls(decide(text, last=last)) == [(tool, args)]


def test_storage_is_forecast_in_bytes_and_its_price_is_said_not_to_be_known() -> None:
    decision = decide("what will storage cost next month?")
    assert calls(decision) == [("run_forecast", {"metric": "storage_bytes", "window": "next month"})]
    assert isinstance(decision, ToolCalls) and "no amount of money" in decision.note
    plain = decide("how much storage will we have next month")
    assert isinstance(plain, ToolCalls) and plain.note == ""
    refused = decide("storage by database")
    assert isinstance(refused, Refuse)
    for example in ("storage by database next month", "did storage grow unusually"):
        assert example in refused.template and isinstance(decide(f"{example}?"), ToolCalls)


@pytest.mark.parametrize("text", ["forecast failure rate next week", "what will the idle share be tomorrow"])
def test_a_ratio_is_not_forecast(text: str) -> None:
    assert isinstance(decide(text), Clarify)


@pytest.mark.parametrize(
    ("text", "options", "named"),
    [
        ("forecast credits of ETL_HW next week", (), None),
        ("any anomalies in NIGHTLY_WH last week", ("ETL_WH", "BI_WH"), "NIGHTLY_WH"),
    ],
)
def test_an_unknown_name_is_asked_about_and_never_left_out(
    text: str, options: tuple[str, ...], named: str | None
) -> None:
    decision = decide(text)
    if named is None:  # a slip away from one name: read as that, and said
        assert isinstance(decision, ToolCalls) and "ETL_WH" in decision.read_as
    else:
        assert isinstance(decision, Clarify) and decision.options == options and decision.named == named


def test_a_follow_up_on_warehouses_stays_with_them() -> None:
    assert calls(decide("and BI_WH?", last=LISTED)) == [("list_warehouses", {"names": ["BI_WH"]})]


@pytest.mark.parametrize("text", ["and?", "hm", "top"])
def test_a_follow_up_that_says_nothing_is_not_guessed(text: str) -> None:
    assert not isinstance(decide(text, last=LAST), ToolCalls)


# --- answers ------------------------------------------------------------------------------------------------------


def answered(question: str, *answers: str) -> Decision:
    decision = decide(question)
    for answer in answers:
        assert isinstance(decision, Clarify)
        view = TurnView(answer, {"pending": decision.pending}, (), NAMES, NOW, "UTC", True)
        decision = OfflineThinker().decide(view)
    return decision


@pytest.mark.parametrize(
    ("question", "answers", "wanted"),
    [
        ("resize ETL_HW to small", ["yes"], ("resize_warehouse", {"warehouse": "ETL_WH", "size": "SMALL"})),
        ("resize", ["BI_WH", "medium"], ("resize_warehouse", {"warehouse": "BI_WH", "size": "MEDIUM"})),
        ("suspend NIGHTLY_WH", ["the second"], ("suspend_idle", {"warehouse": "BI_WH"})),
        ("set auto suspend on ETL_WH", ["2 minutes"], ("set_auto_suspend", {"warehouse": "ETL_WH", "seconds": 120})),
        (
            "scale BI_WH to 3 clusters",
            ["1 to 3"],
            ("set_clusters", {"warehouse": "BI_WH", "min_clusters": 1, "max_clusters": 3}),
        ),
        (
            "credits for NIGHTLY_WH yesterday",
            ["ETL_WH"],
            ("query_usage", {"metric": "credits", "window": "yesterday", "filters": {"warehouse": ["ETL_WH"]}}),
        ),
        ("last week", ["credits"], ("query_usage", {"metric": "credits", "window": "last week"})),
    ],
)
def test_the_next_message_answers_the_question(question: str, answers: list[str], wanted: tuple[str, Any]) -> None:
    assert calls(answered(question, *answers)) == [wanted]
