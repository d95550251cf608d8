"""One question from the inbox to the thread, against a strict Slack on loopback, whatever goes wrong on the way."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from agent.state import Step
from agent.store.inbox import ItemState
from bots.slack.claims import Claim, ClaimLost, stop_id
from bots.slack.incoming import question_body
from bots.slack.streams import Stream
from bots.slack.types import Action, Author, Place, Question
from tests.slack_server.server import SlackServer
from tests.unit.bots.slack.scripted import Bot, bot_on, simple
from tools.errors import Unreachable

Opener = Callable[..., AbstractContextManager[Bot]]


@pytest.fixture(scope="module")
def server() -> Iterator[SlackServer]:
    with SlackServer(scopes=None) as slack:
        yield slack


@pytest.fixture
def slack(server: SlackServer) -> Iterator[SlackServer]:
    yield server
    assert server.violations == []


@pytest.fixture
def opened(slack: SlackServer, tmp_path: Path, store_template: Path) -> Opener:
    def make(**options: Any) -> AbstractContextManager[Bot]:
        return bot_on(slack, tmp_path, store_template, **options)

    return make


def button_ids(bot: Bot, ts: str) -> list[str]:
    return [
        element["action_id"]
        for message in bot.slack.posted(bot.room, ts)
        for block in message.blocks
        if block["type"] == "actions"
        for element in block["elements"]
    ]


def test_an_answer_is_streamed_with_what_is_being_done(opened: Opener) -> None:
    with opened() as bot:
        ts = bot.ask("what did we spend?")
        bot.ends(ts)
        (answer,) = bot.slack.posted(bot.room, ts)
        assert answer.stream_state == "stopped"
        assert "**12 credits** for: what did we spend?" in answer.text
        assert [c["status"] for c in answer.chunks if c["type"] == "task_update"] == ["in_progress", "complete"]
        assert bot.parts.api.find(Place(bot.room, ts), f"answer:{bot.item_id(ts)}:0") == answer.ts
        row = bot.runtime.store.answers.get(f"trace-slack:{bot.slack.team}/{bot.room}/{ts}-1")
        assert row is not None
        assert row.person == f"slack:{bot.slack.team}/{bot.ann}"


def test_a_direct_message_gets_a_title(opened: Opener) -> None:
    with opened() as bot:
        direct = bot.slack.direct(bot.ann)
        ts = bot.ask("what did we spend?", channel=direct)
        bot.ends(ts, channel=direct)
        assert bot.slack.session(direct, ts) == {"status": "active", "title": "what did we spend?"}


def test_plain_messages_where_slack_takes_no_more_streams(opened: Opener, slack: SlackServer) -> None:
    slack.fail("chat.startStream", status=429, retry_after=30)
    with opened() as bot:
        ts = bot.ask("first")
        bot.ends(ts)
        (answer,) = bot.slack.posted(bot.room, ts)
        assert not answer.streamed
        assert "12 credits" in str(answer.blocks)
        assert slack.session(bot.room, ts).get("status") == "active"


def test_a_stream_that_slack_ended_is_begun_anew(opened: Opener, slack: SlackServer) -> None:
    def long(text: str, on_step: Callable[[Step], None]) -> str:
        on_step(Step(1, "t", "Reading usage", "started"))
        slack.clock.advance(400)
        on_step(Step(1, "t", "Reading usage", "done"))
        return "the answer"

    with opened(script=long) as bot:
        ts = bot.ask("long")
        bot.ends(ts)
        first, second = bot.slack.posted(bot.room, ts)
        assert first.stream_state == "expired"
        assert second.stream_state == "stopped"
        assert "the answer" in second.text
        assert slack.session(bot.room, ts)["status"] == "active"


def test_a_stream_is_begun_anew_before_slack_ends_it(opened: Opener, slack: SlackServer) -> None:
    def slow(text: str, on_step: Callable[[Step], None]) -> str:
        on_step(Step(1, "t", "Reading usage", "started"))
        threading.Event().wait(1.2)
        on_step(Step(1, "t", "Reading usage", "done"))
        return "the answer"

    with opened(script=slow, stream_age_s=1) as bot:
        ts = bot.ask("slow")
        bot.ends(ts)
        assert [m.stream_state for m in bot.slack.posted(bot.room, ts)] == ["stopped", "stopped"]


def test_a_stream_that_cannot_be_begun_anew_ends_in_a_message(opened: Opener, slack: SlackServer) -> None:
    def long(text: str, on_step: Callable[[Step], None]) -> str:
        on_step(Step(1, "t", "Reading usage", "started"))
        slack.clock.advance(400)
        slack.fail("chat.startStream", status=429, retry_after=30)
        on_step(Step(1, "t", "Reading usage", "done"))
        return "the answer"

    with opened(script=long) as bot:
        ts = bot.ask("long")
        bot.ends(ts)
        broken, answer = bot.slack.posted(bot.room, ts)
        assert broken.stream_state == "expired"
        assert not answer.streamed
        assert "the answer" in str(answer.blocks)
        assert slack.session(bot.room, ts)["status"] == "active"


@pytest.mark.parametrize("drop", ["before", "after", "body"])
def test_a_lost_end_of_a_stream_gives_one_answer(opened: Opener, slack: SlackServer, drop: str) -> None:
    slack.fail("chat.stopStream", drop=drop)  # type: ignore[arg-type]
    with opened() as bot:
        ts = bot.ask("once")
        bot.ends(ts)
        (answer,) = bot.slack.posted(bot.room, ts)
        assert answer.stream_state == "stopped"
        assert "12 credits" in answer.text + str(answer.blocks)


def test_a_long_answer_is_posted_whole_and_in_order(opened: Opener) -> None:
    def long(text: str, on_step: Callable[[Step], None]) -> str:
        return "\n\n".join(f"Paragraph {n}: " + "words " * 120 for n in range(60))

    with opened(script=long) as bot:
        ts = bot.ask("everything")
        bot.ends(ts)
        shown = " ".join(m.text + str(m.blocks) for m in bot.slack.posted(bot.room, ts))
        files = str([u.title for u in bot.slack.uploads])
        assert "Paragraph 0:" in shown
        assert "Paragraph 59:" in shown or files != "[]"


def test_our_errors_are_told_in_the_thread(opened: Opener) -> None:
    def away(text: str, on_step: Callable[[Step], None]) -> str:
        raise Unreachable("Snowflake does not answer.", hint="Try again.")

    with opened(script=away) as bot:
        ts = bot.ask("anything")
        bot.ends(ts)
        (answer,) = bot.slack.posted(bot.room, ts)
        assert "Snowflake does not answer." in str(answer.blocks)


def test_a_fault_of_ours_is_told_with_the_name_it_has_in_the_log(
    opened: Opener, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(text: str, on_step: Callable[[Step], None]) -> str:
        raise ZeroDivisionError("secret detail")

    caplog.set_level(logging.INFO, "frostline.slack")
    with opened(script=broken) as bot:
        ts = bot.ask("a confidential question")
        bot.ends(ts, "interrupted")
        shown = str([m.blocks for m in bot.slack.posted(bot.room, ts)])
        assert "secret detail" not in shown
        item = bot.runtime.store.inbox.get(bot.item_id(ts))
        assert item is not None
        name = item.progress["reason"].removeprefix("failed ")
        assert name in shown
        assert name in caplog.text
        assert not [r for r in caplog.records if "confidential" in r.getMessage()]
        bot.runtime.script = simple
        again = bot.ask("next", thread=ts)  # and the conversation goes on
        bot.ends(again)


def test_stop_is_heard_by_whoever_works_on_it(opened: Opener) -> None:
    reached, go = threading.Event(), threading.Event()

    def waits(text: str, on_step: Callable[[Step], None]) -> str:
        on_step(Step(1, "t", "Reading usage", "started"))
        reached.set()
        go.wait(5)
        on_step(Step(1, "t", "Reading usage", "done"))
        return "never"

    with opened(script=waits) as bot:
        ts = bot.ask("long work")
        assert reached.wait(5)
        bot.slack.stop(bot.ann, bot.room, ts)
        stop = stop_id(bot.item_id(ts))
        bot.runtime.store.inbox.put(stop, (stop,), kind="stop", conversation=stop, order="1", body={})
        go.set()
        bot.ends(ts)
        shown = str([m.blocks for m in bot.slack.posted(bot.room, ts)])
        assert "Stopped." in shown
        assert "never" not in shown
        assert Action.AGAIN in button_ids(bot, ts)
        assert bot.slack.session(bot.room, ts)["status"] == "active"


def test_guests_get_silence(opened: Opener, slack: SlackServer) -> None:
    with opened() as bot:
        guest = slack.add_user("guest", guest=True)
        slack.channel(bot.room).members.add(guest)
        ts = bot.ask("hello?", user=guest)
        bot.ends(ts, "dropped")
        assert bot.said(ts) == []
        assert bot.runtime.asked == []


def test_a_person_whom_slack_cannot_name_now_is_answered_later(opened: Opener, slack: SlackServer) -> None:
    slack.fail("users.info", times=3, drop="before")
    with opened() as bot:
        ts = bot.ask("hello?")
        bot.ends(ts, timeout=15)
        assert len(bot.said(ts)) == 1


# --- /frostline ------------------------------------------------------------------------------------------------------


def command(bot: Bot, channel: str, text: str, url: str = "") -> str:
    question = Question(
        team=bot.slack.team,
        author=Author(bot.ann, bot.slack.team),
        place=Place(channel),
        ts="",
        text=text,
        event_id="c1",
        kind="command",
    )
    body = question_body(question) | {"response_url": url}
    item = f"command:{bot.slack.team}/1"
    bot.runtime.store.inbox.put(item, (item,), kind="command", conversation=item, order="1", body=body)
    bot.dispatcher.wake()
    return item


def test_a_command_is_posted_and_answered_in_its_thread(opened: Opener) -> None:
    with opened() as bot:
        command(bot, bot.room, "credits of <!channel> & co")
        answer = bot.slack.wait_for(lambda: [m for m in bot.slack.posted(bot.room) if m.stream_state == "stopped"])[0]
        root = bot.slack.message(bot.room, answer.thread_ts or "")
        assert root.text == f"<@{bot.ann}> asked: credits of &lt;!channel&gt; &amp; co"
        assert bot.runtime.asked == ["credits of <!channel> & co"]
        conversation = f"slack:{bot.slack.team}/{bot.room}/{root.ts}"
        latest = bot.runtime.store.inbox.latest(conversation)
        assert latest is not None
        assert latest.body["author"]["user"] == bot.ann


def test_a_command_where_the_bot_is_not_is_answered_to_its_person(opened: Opener, slack: SlackServer) -> None:
    with opened() as bot:
        outside = slack.add_channel("outside", [bot.ann], bot=False)
        sent = slack.command(bot.ann, outside, "credits")
        command(bot, outside, "credits", sent.payload["response_url"])
        (told,) = slack.wait_for(lambda: [e for e in slack.ephemerals if e.channel == outside])
        assert "/invite" in str(told.blocks)
        assert bot.runtime.asked == []


# --- what breaks off -------------------------------------------------------------------------------------------------


def claimed(bot: Bot, ts: str, by: str = "gone") -> Claim:
    """As a process that then dies."""
    item = bot.runtime.store.inbox.claim(by, timedelta(seconds=0.2))
    assert item is not None
    assert item.id == bot.item_id(ts)
    return Claim(bot.runtime.store.inbox, item, by)


def test_an_interrupted_question_is_told_and_its_stream_ended(opened: Opener) -> None:
    with opened(start=False) as bot:
        ts = bot.ask("what did we spend?")
        dead = claimed(bot, ts)
        stream = bot.parts.api.start_stream(Place(bot.room, ts), Author(bot.ann, bot.slack.team))
        dead.note(phase="asking", stream=stream)
        bot.dispatcher.start()
        bot.ends(ts, "interrupted")
        bot.dispatcher.stop(5)
        first, second = bot.slack.posted(bot.room, ts)
        assert first.stream_state == "stopped"
        assert "restarted" in str(second.blocks)
        assert button_ids(bot, ts) == [Action.AGAIN]
        assert bot.runtime.asked == []
        with pytest.raises(ClaimLost):  # the one that was thought dead wakes up
            dead.note(phase="posting")


def test_an_answer_that_was_ready_is_delivered_by_whoever_comes_next(opened: Opener) -> None:
    from tests.unit.bots.slack.scripted import turn_of

    with opened(start=False) as bot:
        ts = bot.ask("what did we spend?")
        dead = claimed(bot, ts)
        thread = f"slack:{bot.slack.team}/{bot.room}/{ts}"
        stream = bot.parts.api.start_stream(Place(bot.room, ts), Author(bot.ann, bot.slack.team))
        turn = turn_of("**7 credits**", thread, "t7")
        bot.runtime.store.answers.put(
            "t7", thread=thread, person="slack:T/U", question="q", turn=turn.model_dump(mode="json")
        )
        dead.note(phase="answered", trace_id="t7", stream=stream)
        bot.dispatcher.start()
        bot.ends(ts, "done")
        bot.dispatcher.stop(5)
        (answer,) = bot.slack.posted(bot.room, ts)
        assert answer.ts == stream
        assert "7 credits" in answer.text + str(answer.blocks)


def test_what_was_posted_before_the_end_is_not_posted_again(opened: Opener) -> None:
    from bots.slack.render.answer import answer_messages
    from tests.unit.bots.slack.scripted import turn_of

    with opened(start=False) as bot:
        ts = bot.ask("what did we spend?")
        dead = claimed(bot, ts)
        thread = f"slack:{bot.slack.team}/{bot.room}/{ts}"
        turn = turn_of("**7 credits**", thread, "t8")
        bot.runtime.store.answers.put(
            "t8", thread=thread, person="slack:T/U", question="q", turn=turn.model_dump(mode="json")
        )
        dead.note(phase="posting", trace_id="t8", streamed=False, posted=0)
        bot.parts.api.post(Place(bot.room, ts), answer_messages(turn)[0], key=f"answer:{bot.item_id(ts)}:0")
        bot.dispatcher.start()
        bot.ends(ts, "done")
        bot.dispatcher.stop(5)
        assert len(bot.slack.posted(bot.room, ts)) == 1


def test_a_question_that_nobody_began_is_simply_answered(opened: Opener) -> None:
    with opened(start=False) as bot:
        ts = bot.ask("what did we spend?")
        claimed(bot, ts)
        bot.dispatcher.start()
        bot.ends(ts, "done")
        bot.dispatcher.stop(5)
        assert len(bot.said(ts)) == 1


def test_a_process_that_slept_past_its_lease_posts_nothing(opened: Opener, tmp_path: Path) -> None:
    reached, go = threading.Event(), threading.Event()

    def sleeps(text: str, on_step: Callable[[Step], None]) -> str:
        reached.set()
        go.wait(10)
        return "too late"

    with opened(script=sleeps, start=False, lease_s=1.0) as bot:
        ts = bot.ask("what did we spend?")
        item = bot.runtime.store.inbox.claim("p1", timedelta(seconds=0.1))
        assert item is not None
        late = Claim(bot.runtime.store.inbox, item, "p1")
        failed: list[BaseException] = []

        def work() -> None:
            try:
                bot.answering.work(late)
            except ClaimLost as lost:
                failed.append(lost)

        thread = threading.Thread(target=work)
        thread.start()
        assert reached.wait(5)
        with opened(by="p2") as other:
            other.ends(ts, "interrupted", channel=bot.room)
        go.set()
        thread.join(5)
        assert failed
        shown = str([m.text + str(m.blocks) for m in bot.slack.posted(bot.room, ts)])
        assert "too late" not in shown
        assert "restarted" in shown


def test_who_wakes_up_too_late_begins_no_stream(opened: Opener, slack: SlackServer) -> None:
    """Slack has ended the stream meanwhile, as whoever took over asked it to."""
    reached, go = threading.Event(), threading.Event()

    def sleeps(text: str, on_step: Callable[[Step], None]) -> str:
        reached.set()
        assert go.wait(10)
        return simple(text, on_step)

    with opened(script=sleeps, start=False) as bot:
        ts = bot.ask("what did we spend?")
        late = claimed(bot, ts, "p1")

        def work() -> None:
            with pytest.raises(ClaimLost):
                bot.answering.work(late)

        thread = threading.Thread(target=work)
        thread.start()
        assert reached.wait(5)
        with opened(by="p2") as other:
            other.ends(ts, "interrupted", channel=bot.room)
        go.set()
        thread.join(5)
        assert [m.stream_state for m in bot.slack.posted(bot.room, ts)] == ["stopped", None]
        slack.world.violations.clear()  # its line came too late for the stream, which is how it noticed


@pytest.mark.parametrize("drop", ["before", "after", "body"])
def test_a_lost_beginning_of_a_stream_leaves_no_empty_message(opened: Opener, slack: SlackServer, drop: str) -> None:
    with opened() as bot:
        slack.fail("chat.startStream", drop=drop)  # type: ignore[arg-type]
        ts = bot.ask("what did we spend?")
        bot.ends(ts)
        (answer,) = bot.slack.posted(bot.room, ts)
        assert answer.stream_state == (None if drop == "before" else "stopped")
        assert "12 credits" in answer.all_text


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_stream_that_nobody_would_know_of_is_not_left_open(opened: Opener, moment: str) -> None:
    with opened(start=False) as bot:
        ts = bot.ask("what did we spend?")

        def lost(*_: object) -> None:
            raise ClaimLost

        hooks: dict[str, Any] = {"on_start": lost} if moment == "after" else {"on_start": print, "may_start": lost}
        author = Author(bot.ann, bot.slack.team)
        stream = Stream(bot.parts.api, Place(bot.room, ts), author, age_s=200, **hooks)
        with pytest.raises(ClaimLost):
            stream.begin()
        assert [m.stream_state for m in bot.slack.posted(bot.room, ts)] == (["stopped"] if moment == "after" else [])


def test_an_item_that_always_kills_is_told_and_not_tried_again(opened: Opener) -> None:
    with opened(start=False) as bot:
        ts = bot.ask("poison")
        dead = claimed(bot, ts)
        dead.note(phase="asking")
        time.sleep(0.25)  # its lease
        for _ in range(9):
            (item,) = bot.runtime.store.inbox.take_over("gone", timedelta(seconds=-1))
        bot.answering.recover(Claim(bot.runtime.store.inbox, item, "gone"))
        assert bot.state(ts) == ItemState.INTERRUPTED
        assert button_ids(bot, ts) == [Action.AGAIN]
        assert bot.runtime.asked == []


@pytest.mark.parametrize("method", ["users.info", "chat.postMessage"])
def test_an_absence_of_slack_however_long_costs_no_answer(
    opened: Opener, slack: SlackServer, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bots.slack.calls._TRIES", 1)
    monkeypatch.setattr("bots.slack.api._POSTS", 1)
    with opened(start=False) as bot:
        slack.fail("chat.startStream", times=1, error="channel_type_not_supported")
        slack.fail(method, times=12, error="service_unavailable")
        ts = bot.ask("what did we spend?")
        claim = claimed(bot, ts)
        time.sleep(0.25)  # its lease
        step = bot.answering.work
        for _ in range(12):
            with pytest.raises(Unreachable):
                step(claim)
            bot.answering.broke_off(claim)
            (item,) = bot.runtime.store.inbox.take_over("gone", timedelta(seconds=-1))
            claim, step = Claim(bot.runtime.store.inbox, item, "gone"), bot.answering.recover
        bot.answering.recover(claim)
        assert bot.state(ts) == "done"
        assert len(bot.said(ts)) == 1


def test_what_is_given_up_is_old(opened: Opener) -> None:
    with opened(start=False) as bot:
        ts = bot.ask("what did we spend?")
        item = claimed(bot, ts).item
        claim = Claim(bot.runtime.store.inbox, replace(item, created_at=item.created_at - timedelta(days=2)), "gone")
        bot.answering.broke_off(claim)
        assert bot.state(ts) == ItemState.INTERRUPTED


def test_a_rate_limit_that_outlasts_patience_loses_no_answer(
    opened: Opener, slack: SlackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bots.slack.api._POST_PATIENCE_S", 0.5)
    with opened() as bot:
        slack.fail("chat.startStream", times=1, status=429, retry_after=1)
        slack.fail("chat.postMessage", times=2, status=429, retry_after=1)
        ts = bot.ask("what did we spend?")
        bot.ends(ts, "done", timeout=20)
        assert len(bot.said(ts)) == 1
        assert bot.runtime.asked == ["what did we spend?"]


def test_an_answer_that_slack_does_not_take_is_told(opened: Opener, slack: SlackServer) -> None:
    with opened() as bot:
        slack.fail("chat.startStream", times=1, error="channel_type_not_supported")
        slack.fail("chat.postMessage", times=1, error="msg_blocks_too_long")
        ts = bot.ask("what did we spend?")
        bot.ends(ts, "dropped")
        (told,) = bot.said(ts)
        assert "msg_blocks_too_long" in told
