"""Streams that Slack refuses, ends or limits: nothing of an answer is lost, and nothing stands there twice."""

from __future__ import annotations

from typing import Any

import pytest

from agent.store.inbox import ItemState
from bots.slack.types import Action
from tests.scenario.slack.conftest import OfficeMaker
from tests.scenario.slack.office import Office, live_in
from tests.slack_server.things import Posted

QUESTION = "credits by warehouse last week"


def is_whole(office: Office, ts: str) -> Posted:
    """One answer to the question, with its headline, its table and its buttons; beside it, streams that broke."""
    answer, *more = [each for each in office.slack.posted(office.cost, ts) if each.blocks]
    kinds = [block["type"] for block in answer.blocks]
    assert more == [] and "3,859.94 credits" in answer.all_text and kinds.count("table") == 1, answer.all_text
    assert kinds[-2:] == ["actions", "context_actions"] and answer.stream_state != "streaming"
    assert live_in(answer) == []
    return answer


@pytest.mark.parametrize("fault", [{"status": 429, "retry_after": 30}, {"error": "channel_type_not_supported"}])
def test_a_stream_that_is_refused_is_a_plain_message(make_office: OfficeMaker, fault: dict[str, Any]) -> None:
    """It does not wait for the limit: a plain message is allowed at once."""
    office = make_office().start()
    office.slack.fail("chat.startStream", **fault)
    ts = office.ask(office.vera, QUESTION)
    assert not is_whole(office, ts).streamed
    statuses = [call.args["status"] for call in office.slack.called("agents.sessions.setStatus")]
    assert statuses[-2:] == ["processing", "active"]  # what was being done was shown all the same
    assert office.slack.session(office.cost, ts)["status"] == "active"
    assert office.slack.violations == []


@pytest.mark.parametrize("method", ["chat.appendStream", "chat.stopStream"])
@pytest.mark.parametrize(
    "fault",
    [
        {"error": "message_not_in_streaming_state"},
        {"error": "internal_error"},
        {"drop": "before"},
        {"drop": "after"},
        {"status": 503},
        {"status": 429, "retry_after": 1},
    ],
    ids=str,
)
def test_a_stream_that_breaks(office: Office, method: str, fault: dict[str, Any]) -> None:
    office.slack.fail(method, **fault)
    is_whole(office, office.ask(office.vera, QUESTION))
    assert office.slack.violations == []


def test_a_stream_that_slack_has_ended_goes_on_in_another(office: Office) -> None:
    """Five minutes pass while the question is worked on."""
    passed = []

    def once(_: dict[str, Any]) -> bool:
        if not passed:
            passed.append(office.slack.clock.advance(301))
        return False

    office.slack.fail("chat.appendStream", when=once)
    ts = office.ask(office.vera, QUESTION)
    assert is_whole(office, ts).streamed
    states = [each.stream_state for each in office.slack.posted(office.cost, ts)]
    assert states == ["expired", "stopped"]
    office.slack.faults.clear()
    assert office.slack.violations == []


def test_an_old_stream_is_ended_and_begun_anew_before_slack_ends_it(make_office: OfficeMaker) -> None:
    office = make_office().start(stream_age_s=1)
    office.slack.fail("chat.appendStream", delay=1.5)
    ts = office.ask(office.vera, QUESTION)
    is_whole(office, ts)
    streams = [each for each in office.slack.posted(office.cost, ts) if each.streamed]
    assert len(streams) >= 2 and {each.stream_state for each in streams} == {"stopped"}
    assert office.slack.violations == []


def test_stop_ends_the_run_and_offers_to_ask_again(office: Office) -> None:
    office.slack.fail("chat.appendStream", delay=1.0)
    ts = office.slack.say(office.vera, office.cost, QUESTION)
    office.wait(lambda: [m for m in office.slack.posted(office.cost, ts) if m.stream_state == "streaming"])
    office.slack.stop(office.anna, office.cost, ts)
    assert office.finished(office.cost, ts).state is ItemState.DONE
    (said,) = office.said(office.cost, ts)
    assert "Stopped." in said.all_text and "TRANSFORM_WH" not in said.all_text
    assert office.slack.session(office.cost, ts)["status"] == "active"
    office.slack.click(office.vera, office.cost, said.ts, Action.AGAIN).wait()
    whole = office.wait(lambda: [m for m in office.slack.posted(office.cost, ts) if "TRANSFORM_WH" in m.all_text])
    assert len(whole) == 1
    follow = office.ask(office.vera, "and by role?", thread_ts=ts)
    assert office.turn(office.cost, follow).status == "ok"  # the thread is whole
    assert office.slack.violations == []


def test_stop_in_a_thread_where_nothing_runs(office: Office) -> None:
    ts = office.ask(office.vera, QUESTION)
    stopped = office.slack.stop(office.vera, office.cost, ts)
    assert stopped is not None
    stopped.wait()
    assert office.said(office.cost, office.ask(office.vera, "and by role?", thread_ts=ts))
    assert office.slack.violations == []
