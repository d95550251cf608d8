"""What breaks off: a process that dies or sleeps, Slack that is away; nothing is lost, and nothing is said twice."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from agent.state import Step
from agent.store.inbox import ItemState
from bots.slack.claims import Claim, ClaimLost
from bots.slack.streams import Stream
from bots.slack.types import Action, Author, Place
from tests.slack_server.server import SlackServer
from tests.unit.bots.slack.scripted import Bot, Opener, button_ids, simple
from tools.errors import Unreachable


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
