"""A thinker that misbehaves: what it may propose, what is sent of what it says, and where it is cut off."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from agent.nodes.converse import MAX_ROUNDS
from agent.state import Clarify, Decision, Done, ToolCall, ToolCalls, TurnView
from tests.doubles.chat import Chat


@dataclasses.dataclass
class Scripted:
    """Stands where a language model will: decides and writes what a test says."""

    decisions: list[Decision]
    template: str | Callable[[TurnView], str] = "[[r1.message]]"
    name: str = "scripted"
    seen: list[TurnView] = dataclasses.field(default_factory=list)

    def decide(self, turn: TurnView) -> Decision:
        self.seen.append(turn)
        return self.decisions[min(len(self.seen), len(self.decisions)) - 1]

    def write(self, turn: TurnView) -> str:
        return self.template if isinstance(self.template, str) else self.template(turn)


def call(name: str, **args: Any) -> ToolCalls:
    return ToolCalls(calls=(ToolCall(name=name, args=args),))


@pytest.mark.parametrize(
    "text",
    [
        "should I suspend BI_WH?",
        "credits yesterday",
        "what if we resized BI_WH",
        "do not suspend BI_WH",
        "how do I suspend BI_WH",
    ],
)
@pytest.mark.parametrize(
    ("tool", "args"),
    [
        ("suspend_idle", {"warehouse": "BI_WH"}),
        ("propose_changes", {"changes": [{"action": "suspend_idle", "warehouse": "BI_WH"}]}),
    ],
)
def test_no_thinker_can_propose_what_the_person_did_not_ask_for(text: str, tool: str, args: dict[str, Any]) -> None:
    chat = Chat(thinker=Scripted([call(tool, **args), Done()]))
    turn = chat.say(text)
    assert turn.status == "refused"
    assert turn.plans == []
    assert chat.plans.stored == []
    assert all(not context.asked_for_change for context in chat.contexts)


def test_a_thinker_may_propose_what_was_asked_for() -> None:
    chat = Chat(thinker=Scripted([call("suspend_idle", warehouse="BI_WH"), Done()]))
    assert chat.say("please suspend BI_WH").status == "needs_approval"


@pytest.mark.parametrize(
    "lie",
    [
        "You used 42 credits.",
        "ETL_WH is the culprit.",
        "I have suspended it. [[r1.message]]",
        "[[f9999]]",
        "Twice as much as before: [[f1]].",
        "[[diff(f1,f2)]] more",
        "Done.",
    ],
)
def test_what_is_not_proven_is_not_sent(lie: str) -> None:
    chat = Chat(thinker=Scripted([call("query_usage", window="yesterday", metric="cost"), Done()], lie))
    turn = chat.say("how much did we spend yesterday")
    assert turn.status == "ok"
    assert chat.state()["fallback"]
    assert lie not in turn.answer
    assert "306" in turn.answer


def test_a_proven_reply_of_a_thinker_is_sent_as_written() -> None:
    chat = Chat(thinker=Scripted([call("query_usage", window="yesterday"), Done()], "It was [[f1]] in [[f1.window]]."))
    assert chat.say("credits yesterday").answer == "It was 102.00 credits in 2026-11-22 UTC."
    assert not chat.state()["fallback"]


def test_errors_of_arguments_can_be_mended() -> None:
    thinker = Scripted(
        [call("query_usage", window="whenever"), call("query_usage", window="yesterday"), Done()], "[[f1]]"
    )
    turn = Chat(thinker=thinker).say("credits")
    assert [c.status for c in turn.tool_calls] == ["error", "ok"]
    first = thinker.seen[1].results[0]
    assert first.error == "bad_argument"
    assert first.hint is not None
    assert "last 7 days" in first.hint
    assert turn.status == "ok"


@pytest.mark.parametrize(
    ("name", "args", "code"),
    [
        ("no_such_tool", {}, "unknown_name"),
        ("apply", {"statement": "ALTER WAREHOUSE ETL_WH SUSPEND"}, "unknown_name"),
        ("query_usage", {"sql": "select 1"}, "bad_argument"),
        ("query_usage", {"metric": "secret-token-123"}, "bad_argument"),
        ("list_warehouses", {"names": "x"}, "bad_argument"),
    ],
)
def test_wrong_calls_become_results_that_repeat_no_value(name: str, args: dict[str, Any], code: str) -> None:
    thinker = Scripted([call(name, **args), Done()])
    turn = Chat(thinker=thinker).say("credits")
    assert turn.status == "error"
    assert thinker.seen[1].results[0].error == code
    assert "secret-token-123" not in turn.answer


def test_a_thinker_that_never_stops_is_cut_off() -> None:
    thinker = Scripted([call("query_usage", window="yesterday")])
    turn = Chat(thinker=thinker).say("credits yesterday")
    assert len(turn.tool_calls) == MAX_ROUNDS
    assert turn.status == "ok"


def test_a_question_back_with_a_made_up_name_falls_back_to_its_options() -> None:
    clarify = Clarify(template="Is it SECRET_WH or 42?", options=("ETL_WH", "BI_WH"))
    turn = Chat(thinker=Scripted([clarify])).say("credits")
    assert turn.status == "clarify"
    assert "SECRET_WH" not in turn.answer
    assert "`ETL_WH`" in turn.answer
