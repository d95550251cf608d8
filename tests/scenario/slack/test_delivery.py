"""What Slack delivers twice, late, in another order or over a connection that breaks; and what it takes badly."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from agent.store.inbox import ItemState
from tests import account
from tests.scenario.slack.conftest import OfficeMaker, new_slack
from tests.scenario.slack.office import PATIENCE_S, Office
from tests.slack_server.delivery import Delivery

QUESTION = "credits by warehouse last week"


def deliveries_of(office: Office, ts: str) -> list[Delivery]:
    return [each for each in office.slack.deliveries if each.event.get("ts") == ts]


def answered_once(office: Office, *asked: str, root: str | None = None) -> None:
    """Nothing waits any more once all of them are finished, and each has one answer."""
    for ts in asked:
        office.finished(office.cost, ts)
    office.acknowledged()
    assert office.runtime.store.inbox.waiting().count == 0
    for ts in asked:
        assert len(office.said(office.cost, ts)) == 1
        thread = [each for each in office.slack.posted(office.cost, root or ts) if each.blocks]
        assert root is not None or len(thread) == 1


# --- twice -----------------------------------------------------------------------------------------------------------


def test_a_mention_comes_as_two_events_and_is_answered_once(office: Office) -> None:
    ts = office.slack.say(office.vera, office.cost, QUESTION)
    kinds = {each.event["type"]: each.payload["event_id"] for each in deliveries_of(office, ts)}
    assert set(kinds) == {"app_mention", "message"} and len(set(kinds.values())) == 2
    answered_once(office, ts)
    assert office.slack.violations == []


@pytest.mark.parametrize("only", ["app_mention", "message"])
def test_either_of_the_two_is_enough(office: Office, only: str) -> None:
    """Some installs are sent one of them alone."""
    answered_once(office, office.slack.say(office.vera, office.cost, QUESTION, only=only))
    assert office.slack.violations == []


def test_the_same_event_again_while_it_is_worked_on_and_after(office: Office) -> None:
    ts = office.slack.say(office.vera, office.cost, QUESTION)
    first = deliveries_of(office, ts)
    for each in first * 2:
        office.slack.deliver_again(each)
    answered_once(office, ts)
    for each in first:
        office.slack.deliver_again(each).wait()
    answered_once(office, ts)
    assert office.slack.violations == []


def test_the_same_event_again_after_a_restart(make_office: OfficeMaker) -> None:
    office = make_office().start()
    ts = office.ask(office.vera, QUESTION)
    first = deliveries_of(office, ts)
    office.stop()
    office.start()
    for each in first:
        office.slack.deliver_again(each).wait()
    answered_once(office, ts)
    assert office.slack.violations == []


def test_the_same_command_again(office: Office) -> None:
    command = office.slack.command(office.vera, office.other, QUESTION)
    office.slack.deliver_again(command)
    office.acknowledged()
    (asked,) = office.wait(lambda: [m for m in office.slack.posted(office.other) if "asked:" in m.text])
    office.finished(office.other, asked.ts)
    assert len([m for m in office.slack.posted(office.other) if "asked:" in m.text]) == 1
    assert office.slack.violations == []


# --- in order --------------------------------------------------------------------------------------------------------


def test_a_thread_that_arrives_last_first_is_answered_first_first(office: Office) -> None:
    """Both wait while an earlier question is worked on: then the order of writing counts."""
    root = office.ask(office.vera, QUESTION)
    with slow_answers(office, 1.0):
        running = office.slack.say(office.vera, office.cost, "and by role?", root)
        office.wait(lambda: (item := office.item(office.cost, running)) and item.state is ItemState.CLAIMED)
        with office.slack.out_of_order():
            one = office.slack.say(office.vera, office.cost, "credits by day last week", root)
            two = office.slack.say(office.vera, office.cost, "and the week before?", root)
        office.acknowledged()
    answered_once(office, two, one, root=root)
    assert office.turn(office.cost, two).tool_calls[0].args["by"] == "day"  # it goes on from the one before it
    (first,), (second,) = office.said(office.cost, one), office.said(office.cost, two)
    assert first.ts < second.ts
    assert office.slack.violations == []


@contextmanager
def slow_answers(office: Office, seconds: float) -> Iterator[None]:
    """Slack takes its time to begin a stream, so that questions pile up."""
    fault = office.slack.fail("chat.startStream", times=1, delay=seconds)
    yield
    fault.times = fault.hits


# --- Slack says no, or nothing ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 429, "retry_after": 1, "times": 2},
        {"drop": "before"},
        {"drop": "after"},
        {"drop": "body"},
        {"status": 503},
        {"error": "internal_error"},
    ],
    ids=str,
)
def test_a_message_that_has_to_be_posted_is_posted_once(office: Office, fault: dict[str, Any]) -> None:
    office.slack.fail("chat.startStream", error="channel_type_not_supported")  # so that the answer is a plain message
    office.slack.fail("chat.postMessage", **fault)
    answered_once(office, office.slack.say(office.vera, office.cost, QUESTION))
    assert office.slack.violations == []


def test_who_somebody_is_is_asked_again(office: Office) -> None:
    office.bot.parts.people.forget(office.vera)
    office.slack.fail("users.info", status=429, retry_after=1)
    office.slack.fail("users.info", drop="before")
    answered_once(office, office.slack.say(office.vera, office.cost, QUESTION))
    assert office.slack.violations == []


def test_a_channel_that_no_longer_takes_messages_ends_the_question(office: Office) -> None:
    closed = office.slack.add_channel("closed", [office.vera])
    with office.slack.holding():
        ts = office.slack.say(office.vera, closed, QUESTION)
        office.slack.channel(closed).archived = True
    item = office.finished(closed, ts)
    assert item.state is ItemState.DROPPED and item.progress["reason"] == "is_archived"
    assert office.said(office.cost, office.ask(office.vera, QUESTION))  # and nothing else
    assert office.slack.violations == []


def test_a_question_whose_message_was_deleted(office: Office) -> None:
    """Slack refuses a reply to what is gone; nobody else's thread gets it."""
    with office.slack.holding():
        ts = office.slack.say(office.vera, office.cost, QUESTION)
        office.slack.delete(office.cost, ts)
    item = office.finished(office.cost, ts)
    assert item.state in (ItemState.DROPPED, ItemState.DONE) and office.said(office.cost, ts) == []
    assert office.slack.violations == []


# --- connections -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["refresh", "abrupt", "too_many_websockets"])
def test_a_connection_that_ends_is_made_again_and_nothing_is_lost(make_office: OfficeMaker, kind: Any) -> None:
    office = make_office(slack=new_slack(retry_delays=(0.2, 0.5, 1.0, 2.0, 5.0))).start()
    asked = [office.slack.say(office.vera, office.cost, QUESTION)]
    opened = office.slack.counts["apps.connections.open"]
    office.slack.disconnect(kind)
    asked += [office.slack.say(user, office.cost, QUESTION) for user in (office.anna, office.pete)]
    office.wait(lambda: office.slack.counts["apps.connections.open"] > opened and office.slack.connections)
    asked.append(office.slack.say(office.alice, office.cost, QUESTION))
    answered_once(office, *asked)
    assert office.bot.connected()
    assert office.slack.violations == []


def test_an_envelope_whose_acknowledgement_was_lost_comes_again(make_office: OfficeMaker) -> None:
    """The event was kept when the connection broke: it is delivered a second time and answered once."""
    office = make_office(slack=new_slack(retry_delays=(0.1, 0.5, 2.0, 5.0))).start()
    kept, broken = threading.Event(), threading.Event()
    inbox = office.runtime.store.inbox
    put = inbox.put

    def put_and_wait(*args: Any, **kwargs: Any) -> bool:
        new = put(*args, **kwargs)
        kept.set()
        broken.wait(2.5)
        return new

    inbox.put = put_and_wait  # type: ignore[method-assign]
    ts = office.slack.say(office.vera, office.cost, QUESTION, only="app_mention")
    assert kept.wait(PATIENCE_S)
    office.slack.disconnect("abrupt")
    broken.set()
    answered_once(office, ts)
    (delivery,) = deliveries_of(office, ts)
    assert len(delivery.attempts) >= 2
    assert office.slack.violations == []


def test_slack_away_for_a_while(make_office: OfficeMaker) -> None:
    """New connections are refused for some time; the bot keeps trying."""
    office = make_office(slack=new_slack(retry_delays=(0.5, 1.0, 2.0, 5.0, 10.0))).start()
    office.slack.fail("apps.connections.open", times=2, status=503)
    office.slack.disconnect("abrupt")
    ts = office.slack.say(office.vera, office.cost, QUESTION)
    answered_once(office, ts)
    assert office.slack.violations == []


# --- nothing waits for the account -----------------------------------------------------------------------------------


def test_acknowledged_in_time_while_every_worker_is_busy(make_office: OfficeMaker) -> None:
    office = make_office().start(workers=2)
    reader, held = office.runtime.reader, threading.Event()
    usage = reader.usage

    def slow(query: Any) -> Any:
        held.wait(PATIENCE_S)
        return usage(query)

    reader.usage = slow  # type: ignore[method-assign]
    busy = [office.slack.say(office.vera, office.cost, QUESTION) for _ in range(2)]
    for ts in busy:
        office.wait(lambda ts=ts: (item := office.item(office.cost, ts)) and item.state is ItemState.CLAIMED)
    began = time.monotonic()
    waiting = [office.slack.say(user, office.cost, QUESTION) for user in office.people.values()]
    office.slack.command(office.vera, office.cost, QUESTION).wait()
    office.slack.command(office.vera, office.cost, "help").wait()
    office.acknowledged()
    assert time.monotonic() - began < PATIENCE_S / 4
    assert {len(each.attempts) for each in office.slack.deliveries} == {1}  # none came again: all within 3 s
    assert office.wait(lambda: office.slack.ephemerals)  # help is given though all are busy
    assert office.runtime.store.inbox.waiting().count >= len(waiting)
    held.set()
    for ts in busy + waiting:
        assert office.finished(office.cost, ts).state is ItemState.DONE and len(office.said(office.cost, ts)) == 1
    assert office.slack.violations == []


def test_an_account_that_is_away_is_said_in_the_thread(make_office: OfficeMaker) -> None:
    office = make_office(own_account=True).start()
    (office.home / "demo" / "account" / "account.toml").rename(office.home / "away")
    account.stop_server(office.home)
    ts = office.slack.say(office.vera, office.cost, QUESTION)
    assert office.finished(office.cost, ts).state is ItemState.DONE
    (said,) = office.said(office.cost, ts)
    assert said.stream_state == "stopped" and said.all_text and "Traceback" not in said.all_text
    assert "TRANSFORM_WH" not in said.all_text and "account" in said.all_text.lower()
    assert office.slack.session(office.cost, ts)["status"] == "active"
    (office.home / "away").rename(office.home / "demo" / "account" / "account.toml")
    again = office.ask(office.vera, QUESTION, thread_ts=ts, mention=False)
    assert office.turn(office.cost, again).status == "ok"  # it is back, and the thread goes on
    assert office.slack.violations == []
