"""One question from the inbox to the thread, against a strict Slack on loopback, whatever goes wrong on the way."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

import pytest

from agent.state import Step
from bots.slack.claims import stop_id
from bots.slack.incoming import question_body
from bots.slack.types import Action, Author, Place, Question
from tests.slack_server.server import SlackServer
from tests.unit.bots.slack.scripted import Bot, Opener, button_ids, simple
from tools.errors import Unreachable


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
