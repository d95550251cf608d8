"""Replies that a new user's questions got: the composed words must be provable, or a list of facts is sent instead."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from agent.offline.compose_anomalies import anomaly_lines
from agent.state import CallResult, Turn
from tests.doubles.account import NOW, FrameReader
from tests.doubles.chat import Chat
from tests.doubles.outlook import rhythmic
from tests.unit.agent.findings import sighting
from tests.unit.tools.test_findings_tool import Kept
from tools.domain import LiveQuery
from tools.result import Fact


class Busy:
    """An account on which two statements run."""

    def __init__(self, reader: FrameReader) -> None:
        self._reader = reader

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reader, name)

    def live_queries(self, warehouse: str | None = None) -> tuple[LiveQuery, ...]:
        times = (("ETL_WH", "RUNNING", 5), ("BI_WH", "QUEUED", 1))
        return tuple(
            LiveQuery(query_id=f"q{n}", warehouse=name, user="ALICE", status=status, started=NOW - timedelta(minutes=m))
            for n, (name, status, m) in enumerate(times)
        )


SEEN = (
    sighting(0, seen=500, warehouse="ETL_WH", kind="resize_forgotten"),
    sighting(0, 3, warehouse="BI_WH", kind="resize_forgotten"),
)


@pytest.fixture(scope="module")
def chat() -> Chat:
    return Chat(reader=Busy(rhythmic()), findings=Kept(*SEEN))  # type: ignore[arg-type]


def ask(chat: Chat, text: str) -> Turn:
    thread = re.sub(r"\W+", "-", text)
    turn = chat.say(text, thread=thread)
    assert not chat.state(thread).get("fallback"), turn.answer
    return turn


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("is anything running?", "**2 statements running or waiting now**"),
        ("any findings on BI_WH?", "**Nothing is open on `BI_WH`**"),
        ("any critical findings on BI_WH?", "**Nothing critical is open on `BI_WH`**"),
        ("any serious findings on BI_WH?", "**Nothing of severity warning or above is open on `BI_WH`**"),
        ("what is open?", "**`ETL_WH` was made larger and has stayed so**"),
        ("which findings are resolved?", "**`BI_WH` was larger than usual**"),
        ("how much will we spend till christmas?", "I cannot read that time"),
        ("credits since the big migration", "Times read like"),
        ("credits at night last week", "not the same hours of many days"),
        ("credits of all but ETL_WH", "I cannot leave names out"),
        ("show failures by user last week and suspend ETL_WH", "Only the question is answered"),
        ("credits overnight", "Last night is from yesterday 20:00 to today 06:00"),
        ("credits yesterday between 8am and 5pm", "2026-11-22 08:00 to 17:00"),
        ("queries yesterday evening", "The evening is from 18:00 to 24:00"),
        ("what broke overnight?", "failed queries"),
        ("what did we pay yesterday in euros?", "Amounts are in US dollars"),
        ("will we stay under €40k this month?", "I know prices in US dollars only"),
        ("credits in week 46", "ISO"),
        ("any anomalies?", "series, the past 7 days to the hour"),
        ("which warehouse will cost most next month?", "**`ETL_WH`: $"),
        ("which warehouse will cost most next month?", "Services that no warehouse runs come on top."),
        ("which day next week will be the most expensive?", "; the highest day: `2026-1"),
        ("will we exceed 9000000 credits in december?", "Within budget"),
        ("will we exceed 10 dollars next month?", "Probability of running over: 100.0 %"),
        ("will we stay under 100 dollars this month?", "The amount was used up on"),
        ("will we stay under 9000000 dollars this year?", "Not known whether it holds"),
    ],
)
def test_the_composed_reply_is_sent(chat: Chat, text: str, said: str) -> None:
    assert said in ask(chat, text).answer


def test_of_what_has_not_begun_nothing_is_said_to_be_measured(chat: Chat) -> None:
    answer = ask(chat, "will we exceed 9000000 credits in december?").answer
    assert "Measured so far" not in answer and "Used so far" not in answer
    assert "December 2026 (2026-12-01 to 2026-12-31 UTC)" in answer


def test_where_figures_are_compared_what_changed_most_is_named() -> None:
    answer = ask(Chat(reader=rhythmic(incident=True)), "what changed last week?").answer
    assert re.search(r"\nLargest differences: `ETL_WH` up by 7\d\.\d\d credits", answer)


def test_an_ordinary_range_stands_only_where_what_came_lies_beyond_it() -> None:
    def told(actual: float) -> str:
        roles = ("actual", "expected", "low", "high", "start", "duration", "series", "found", "covered_until")
        values = (actual, 9.28, 3.45, 15.1, 0, 0, 1, 1, 0)
        facts = tuple(
            Fact(id=role, label=role, value=value, unit="credits", entity="ETL_WH", source="V", as_of=NOW)
            for role, value in zip(roles, values, strict=True)
        )
        row = {"metric": "credits", "entity": "ETL_WH", "open": False, "related": [], "figures": {r: r for r in roles}}
        data = {"rows": [row], "found": 1, "figures": row["figures"], "notes": [], "filters": {}}
        result = CallResult(name="detect_anomalies", args={}, status="ok", data=data, facts=facts)
        return anomaly_lines(1, result)[2]

    assert "(ordinary: [[low]] to [[high]])" in told(19.5)
    assert "ordinary" not in told(13.81)
