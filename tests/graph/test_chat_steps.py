"""What a waiting person is told of a turn, how they stop it, and how a channel with cards is answered."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from agent.state import Decision, Done, Step, Stopped, ToolCall, ToolCalls, TurnView
from tests.doubles.chat import Chat

USAGE = ToolCall(name="query_usage", args={"metric": "credits", "window": "last week"})
SUSPEND = ToolCall(name="suspend_idle", args={"warehouse": "ETL_WH"})
RESIZE = ToolCall(name="resize_warehouse", args={"warehouse": "ETL_WH", "size": "medium"})


@dataclass
class Told:
    """Keeps the steps; stops the turn at the one that is `stop_at`."""

    stop_at: tuple[int, str] | None = None
    steps: list[Step] = field(default_factory=list)

    def __call__(self, step: Step) -> None:
        self.steps.append(step)
        if (step.number, step.state) == self.stop_at:
            raise Stopped

    def seen(self) -> list[tuple[int, str, str]]:
        return [(s.number, s.tool, s.state) for s in self.steps]


@dataclass
class Calls:
    """A thinker that makes these calls, all at once or one a round."""

    calls: tuple[ToolCall, ...]
    together: bool = True
    name: str = "script"

    def decide(self, turn: TurnView) -> Decision:
        left = self.calls[len(turn.results) :]
        if not left or (self.together and turn.results):
            return Done()
        return ToolCalls(calls=left if self.together else left[:1])

    def write(self, turn: TurnView) -> str:
        return " ".join(f"[[r{n}.message]]" for n in range(1, len(turn.results) + 1))


def test_each_call_is_told_as_it_begins_and_as_it_ends() -> None:
    told = Told()
    chat = Chat(on_step=told)
    chat.say("compare credits in October and August by warehouse")
    assert told.seen() == [
        *((1, "query_usage", "started"), (1, "query_usage", "done")),
        *((2, "query_usage", "started"), (2, "query_usage", "done")),
    ]
    assert {s.title for s in told.steps} == {"Reading usage"}


@pytest.mark.parametrize("together", [True, False])
def test_numbers_go_on_over_rounds_and_a_call_that_fails_is_told_so(together: bool) -> None:
    told = Told()
    bad = ToolCall(name="query_usage", args={"metric": "nonsense"})
    Chat(on_step=told, thinker=Calls((USAGE, bad, USAGE), together)).say("credits last week")
    assert [(n, state) for n, _, state in told.seen()] == [
        *((1, "started"), (1, "done"), (2, "started"), (2, "failed"), (3, "started"), (3, "done"))
    ]


def test_a_tool_without_words_of_its_own_is_named_as_it_is() -> None:
    told = Told()
    Chat(on_step=told, thinker=Calls((ToolCall(name="no_such_tool", args={}),))).say("credits last week")
    assert [(s.title, s.state) for s in told.steps] == [("No such tool", "started"), ("No such tool", "failed")]


def test_what_needs_no_tool_tells_nothing() -> None:
    told = Told()
    Chat(on_step=told).say("hello")
    assert told.steps == []


@pytest.mark.parametrize("stop_at", [(1, "started"), (1, "done"), (2, "started"), (2, "done")])
def test_a_stopped_turn_comes_out_as_stopped_and_the_conversation_goes_on(stop_at: tuple[int, str]) -> None:
    chat = Chat()
    chat.say("credits by warehouse last week")
    chat.on_step = Told(stop_at)
    with pytest.raises(Stopped):
        chat.say("compare credits in October and August by warehouse")
    chat.on_step = told = Told()
    turn = chat.say("and the week before?")  # speaks of the turn before the stopped one
    assert turn.status == "ok" and turn.tool_calls[0].args["by"] == "warehouse"
    assert told.seen() == [(1, "query_usage", "started"), (1, "query_usage", "done")]
    assert [f.id for f in turn.facts][:1] == ["f1"]


def test_a_stop_before_a_plan_is_stored_stores_none() -> None:
    chat = Chat(on_step=Told((1, "started")))
    with pytest.raises(Stopped):
        chat.say("please resize ETL_WH to medium")
    assert chat.plans.stored == []


@pytest.mark.parametrize("stop_at", [(1, "done"), (2, "started")])
def test_a_plan_that_was_stored_is_shown_whoever_stops(stop_at: tuple[int, str]) -> None:
    """It may be approved from now on: nobody would know of it if the turn ended without a word."""
    told = Told(stop_at)
    chat = Chat(on_step=told, thinker=Calls((RESIZE, SUSPEND)))
    turn = chat.say("please resize ETL_WH to medium and suspend it")
    assert turn.status == "needs_approval"
    assert [p.id for p in turn.plans] == [p.id for p in chat.plans.stored]
    assert [p.action for p in chat.plans.stored] == ["resize_warehouse"]
    assert told.seen()[-1][:1] == stop_at[:1] and told.steps[-1].state == stop_at[1]


def test_other_errors_of_the_listener_are_not_swallowed() -> None:
    def broken(_: Step) -> None:
        raise RuntimeError("the channel is gone")

    with pytest.raises(RuntimeError, match="gone"):
        Chat(on_step=broken).say("credits last week")


# --- cards -----------------------------------------------------------------------------------------------------------


def test_where_a_card_shows_the_plan_the_reply_does_not() -> None:
    plain, carded = Chat().say("please resize ETL_WH to medium"), Chat(cards=True).say("please resize ETL_WH to medium")
    assert carded.status == plain.status == "needs_approval"
    assert carded.answer.startswith("**Waiting for approval: nothing is changed.**")
    plan = carded.plans[0]
    for absent in (plan.digest[:8], plan.statement, plan.id, "frostline", "Statement"):
        assert absent not in carded.answer and (absent in plain.answer or absent == plan.id)


def test_what_to_be_aware_of_stands_in_the_reply_as_well() -> None:
    chat = Chat(cards=True)
    turn = chat.say("suspend ETL_WH")
    warnings = chat.state()["results"][0]["data"]["warnings"]
    assert warnings and all(f"- {warning}" in turn.answer for warning in warnings)


def test_a_bundle_is_announced_once() -> None:
    turn = Chat(cards=True).say("suspend BI_WH and set auto suspend of ETL_WH to 60s")
    assert len(turn.plans) == 2 and turn.answer.count("Waiting for approval") == 1


@pytest.mark.parametrize("text", ["yes, approve it", "how do I approve a plan?", "undo the last change"])
def test_buttons_are_named_in_place_of_commands(text: str) -> None:
    plain, carded = Chat().say(text), Chat(cards=True).say(text)
    assert carded.status == plain.status
    assert "frostline plans" in plain.answer and "frostline plans" not in carded.answer
    assert "card" in carded.answer
