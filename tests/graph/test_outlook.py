"""Forecasts, oddities and budgets asked for in chat: proven replies, charts for the channels, memory for follow-ups."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pytest

from agent.direct import answer_directly
from agent.state import Turn
from tests.doubles.account import NOW, FrameReader
from tests.doubles.chat import Chat
from tests.doubles.outlook import context, rhythmic
from tests.graph.test_chat import KEYS
from tools.charts import Chart
from tools.context import Rows

MONTH = "what will ETL cost next month?"
ODD = "anything odd since Friday?"


@pytest.fixture(scope="module")
def chat() -> Chat:
    return Chat(reader=rhythmic(incident=True))


def ask(chat: Chat, text: str, thread: str | None = None) -> Turn:
    turn = chat.say(text, thread=thread or re.sub(r"\W+", "-", text))
    assert not chat.state(thread or re.sub(r"\W+", "-", text)).get("fallback"), turn.answer
    return turn


@pytest.mark.parametrize(
    ("text", "tool"),
    [
        (MONTH, "run_forecast"),
        ("forecast credits by warehouse for the next 14 days", "run_forecast"),
        ("credits tomorrow on BI_WH", "run_forecast"),
        ("how many queries in the next 24 hours", "run_forecast"),
        ("projected spend by the end of the month", "run_forecast"),
        (ODD, "detect_anomalies"),
        ("did queueing spike yesterday?", "detect_anomalies"),
        ("any anomalies in ETL_WH last week?", "detect_anomalies"),
        ("will we stay within 9000 dollars this month?", "budget"),
        ("anything odd for user ALICE?", "detect_anomalies"),
        ("are we on track", "budget"),
    ],
)
def test_a_reply_is_the_composed_one_and_every_part_of_it_proven(chat: Chat, text: str, tool: str) -> None:
    turn = ask(chat, text)
    assert turn.status == "ok", turn.answer
    assert [call.name for call in turn.tool_calls] == [tool]
    assert turn.facts and all(fact.source for fact in turn.facts)
    assert "covered until" in turn.answer


def test_a_forecast_says_interval_model_backtest_and_accuracy(chat: Chat) -> None:
    answer = ask(chat, MONTH).answer
    for part in ("expected", "Likely between", "80 % interval", "WAPE", "seasonal naive", "Model", "1 - WAPE"):
        assert part in answer, part
    assert "`ETL_WH`" in answer


def test_an_oddity_says_what_was_expected_since_when_and_what_it_cost(chat: Chat) -> None:
    turn = ask(chat, ODD)
    assert "`ETL_WH`" in turn.answer and "instead of" in turn.answer and "Looked at" in turn.answer
    usd = next(fact for fact in turn.facts if fact.label == "cost beyond the expected")
    assert f"${usd.value:,.2f}" in turn.answer


def test_charts_go_to_the_channel_and_not_into_the_json(chat: Chat) -> None:
    turn = ask(chat, MONTH)
    assert [type(chart) for chart in turn.charts] == [Chart]
    printed = json.loads(json.dumps(turn.model_dump(mode="json")))
    assert set(printed) == KEYS
    assert Turn.model_validate(turn.kept()).charts == turn.charts
    assert ask(chat, "credits yesterday").charts == []


def test_follow_ups_go_on_from_the_forecast(chat: Chat) -> None:
    ask(chat, MONTH, "f1")
    assert ask(chat, "and for BI_WH?", "f1").tool_calls[0].args["filters"] == {"warehouse": ["BI_WH"]}
    assert ask(chat, "by warehouse", "f1").tool_calls[0].args["by"] == "warehouse"
    assert ask(chat, "and last month?", "f1").tool_calls[0].name == "query_usage"


def test_what_cannot_be_forecast_is_a_question_back_or_an_honest_absence(chat: Chat) -> None:
    assert chat.say("credits for the next 700 days", thread="far").status == "clarify"
    assert chat.say("any anomalies in the past 1 hours", thread="near").status == "not_loaded"
    assert chat.say("contract burn-down", thread="none").status == "clarify"
    assert "does not add up" in chat.say("forecast the failure rate for next week", thread="rate").answer


def test_who_is_expected_to_use_least_stands_first_and_the_lowest_day_is_named(chat: Chat) -> None:
    least = ask(chat, "which warehouse will cost the least next week?")
    rows = [fact for fact in least.facts if fact.label == "cost, expected" and fact.entity]
    smallest = min(rows, key=lambda fact: float(str(fact.value)))
    assert least.answer.startswith(f"**`{smallest.entity}`:"), least.answer
    assert "; the lowest day: " in ask(chat, "which day next week will be the cheapest?").answer


def test_a_part_of_the_last_answer_is_picked(chat: Chat) -> None:
    listed = ask(chat, "credits by warehouse last week", "picked")
    second = [fact.entity for fact in listed.facts if fact.label == "credits used" and fact.entity][1]
    turn = ask(chat, "the second one by day", "picked")
    assert turn.tool_calls[0].args["filters"] == {"warehouse": [second]}
    assert ask(chat, "and by hour", "picked").status == "ok"
    found = ask(chat, ODD, "picked-odd")
    first = ask(chat, "tell me more about the first one", "picked-odd")
    assert first.tool_calls[0].name == "detect_anomalies" and found.status == "ok"


@pytest.mark.parametrize(
    ("first", "said"),
    [(MONTH, "backtest"), (ODD, "chance alone"), ("credits last week", "no estimates"), ("help", "no estimates")],
)
def test_how_sure_an_answer_is_depends_on_what_it_was(chat: Chat, first: str, said: str) -> None:
    ask(chat, first, f"sure-{said}-{first}")
    turn = ask(chat, "how sure are you?", f"sure-{said}-{first}")
    assert turn.status == "ok" and said in turn.answer and not turn.tool_calls


def test_a_remark_on_the_last_answer_is_answered_with_proven_words(chat: Chat) -> None:
    ask(chat, MONTH, "remarks")
    turn = ask(chat, "is that more than last month?", "remarks")
    assert [call.name for call in turn.tool_calls] == ["run_forecast", "query_usage"]
    assert turn.tool_calls[1].args["filters"] == turn.tool_calls[0].args["filters"]
    ask(chat, "credits of BI_WH last week", "remarks")
    turn = ask(chat, "is that normal?", "remarks")
    assert [call.name for call in turn.tool_calls] == ["detect_anomalies"]


def test_the_hour_of_a_day_is_not_added_up_over_days_and_that_is_said(chat: Chat) -> None:
    assert "do not add up" in ask(chat, "which hour of the day has the most queries?").answer
    assert "do not add up" not in ask(chat, "which hour had the most queries yesterday?").answer


def test_rows_of_warehouses_are_said_not_to_be_all(chat: Chat) -> None:
    assert "also has services without a warehouse" in ask(chat, "credits by warehouse last week").answer
    assert "also has services without a warehouse" not in ask(chat, "queries by warehouse last week").answer


def test_a_viewer_sees_no_single_users() -> None:
    turn = Chat(reader=rhythmic(incident=True), role="viewer").say(ODD)
    assert turn.status == "ok"
    assert not any(fact.entity in ("ALICE", "BOB", "SVC_LOADER") for fact in turn.facts)
    assert "ALICE" not in turn.answer


def test_a_command_gets_the_same_proven_words() -> None:
    result, text = answer_directly(context(rhythmic()), "budget", {"amount": 9000})
    assert result.status == "ok" and "budget" in text and "Probability of running over" in text
    spent, words = answer_directly(context(rhythmic()), "budget", {"amount": 10})
    assert spent.status == "ok" and words.startswith("**Over budget") and "The amount was used up on" in words
    refused, said = answer_directly(context(rhythmic()), "budget", {"period": "contract"})
    assert refused.error == "bad_argument" and said.startswith("No contract")


@dataclass
class Statements(FrameReader):
    """With series that are statements of their own: by name, its column and ETL_WH's values up to now."""

    series: dict[str, tuple[str, str, list[float]]] = field(default_factory=dict)

    def sql(self, name: str, params: Mapping[str, Any]) -> Rows:
        if name not in self.series:
            return super().sql(name, params)
        column, step, values = self.series[name]
        last = pd.Timestamp(NOW).floor("D" if step == "D" else "h") - pd.Timedelta(1, unit="D" if step == "D" else "h")
        slots = pd.date_range(end=last, periods=len(values), freq=step)
        frame = pd.DataFrame({"key": "ETL_WH", "slot": slots, column: values})
        if name == "series_sizes":
            frame["size_below"] = 0.0
        within = (frame["slot"] >= params["start"]) & (frame["slot"] < params["end"])
        return Rows(frame[within], f"q-{name}")


def told_of(text: str, name: str, column: str, step: str, values: list[float]) -> Turn:
    quiet = rhythmic()
    reader = Statements(quiet.frames, quiet.now_at, quiet.timezone, quiet.shown, series={name: (column, step, values)})
    return ask(Chat(reader=reader), text)


def test_sizes_paces_and_long_statements_are_told_in_words_of_their_own() -> None:
    larger = [0.0] * 1_400 + [2.0] * 20 + [0.0] * 20
    turn = told_of("anything odd in ETL_WH last week?", "series_sizes", "size_above", "h", larger)
    assert "**`ETL_WH`** — 2 sizes larger than usual, from " in turn.answer
    assert turn.charts[0].title.startswith("Sizes larger than usual on ETL_WH, by hour: larger than usual from ")
    noise = np.random.default_rng(1)
    pace = 100 * np.exp(noise.normal(0, 0.02, 62))
    pace[50:] *= 1.5
    turn = told_of("did the same statements get slower in the last 7 days?", "series_pace", "pace", "D", list(pace))
    assert re.search(r"the same statements take \d+\.\d % longer than usual \(\d+\.\d % of their", turn.answer), (
        turn.answer
    )
    assert "by day: slower than usual from " in turn.charts[0].title or "slower and slower" in turn.charts[0].title
    longest = noise.uniform(10, 1_500, 24 * 60)
    longest[-100] = 6 * 3_600
    turn = told_of("any unusually long statements last week?", "series_longest", "longest", "h", list(longest))
    assert re.search(r"a statement ran for 6 h \(the longest in the weeks before: 2\d min", turn.answer), turn.answer
    assert "6 hours, where the longest in the weeks before is 1," in turn.charts[0].alt
