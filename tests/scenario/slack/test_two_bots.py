"""Two bot processes on one store and one app: Slack gives each payload to either of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.store.inbox import ItemState
from tests.scenario.slack.desk import Desk, deciding
from tests.scenario.slack.office import key_of
from tests.scenario.slack.processes import running

THREADS, EACH = 10, 4
QUESTIONS = ("credits yesterday", "and last week?", "by warehouse", "credits by warehouse yesterday")


@pytest.fixture(scope="module")
def desk(template_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """Its own bot is not connected: it looks into the store, and processes do the work."""
    with deciding(template_home, tmp_path_factory.mktemp("two-bots")) as made:
        made.slack.retry_delays = (0.0, 1.0, 2.0, 4.0)
        made.open()
        yield made


def ask_everywhere(desk: Desk, channel: str) -> dict[str, list[str]]:
    """Root -> the ts of every message of the thread, in the order in which they were written."""
    roots = [desk.slack.say(desk.anna, channel, QUESTIONS[0]) for _ in range(THREADS)]
    threads = {root: [root] for root in roots}
    for question in QUESTIONS[1:EACH]:
        for root in roots:
            threads[root].append(desk.slack.say(desk.anna, channel, question, root))
    return threads


def order_of(desk: Desk, channel: str, root: str) -> list[str]:
    """Which message of the thread each of the bot's messages is for, in the order in which they stand there."""
    prefix = desk.item_id(channel, "")
    keys = [key_of(each) for each in desk.slack.posted(channel, root)]
    return [key.split(prefix)[1].split(":")[0] for key in keys if prefix in key]


def takers(desk: Desk) -> set[str]:
    """The sockets over which something was acknowledged."""
    return {each.attempts[-1].by for each in desk.slack.deliveries if each.acked and each.attempts}


@pytest.mark.timeout(240)
def test_each_question_is_answered_once_and_in_order(desk: Desk) -> None:
    place = desk.channel()
    with running(desk) as one, running(desk) as two:
        threads = ask_everywhere(desk, place)
        for root, asked in threads.items():
            states = [desk.finished(place, ts).state for ts in asked]
            assert states == [ItemState.DONE] * EACH, (one.words, two.words)
            assert order_of(desk, place, root) == asked
        assert len(takers(desk)) == 2
        # One plan, one card, one approval: whoever gets the click and whoever asked.
        change = desk.propose()
        desk.approve(change.card)
        desk.wait(lambda: desk.notes(change.card))
        assert len(desk.cards_in(change.card.channel)) == len(desk.notes(change.card)) == 1
        assert desk.alters(change.warehouse).count(change.statement) == 1
        assert [bot.terminate()[0] for bot in (one, two)] == [0, 0]
    assert desk.slack.violations == []


@pytest.mark.timeout(240)
def test_one_of_them_is_killed_in_between(desk: Desk) -> None:
    """Each question has one word of the bot: an answer, or that it broke off."""
    place = desk.channel()
    with running(desk) as one, running(desk) as two:
        threads = ask_everywhere(desk, place)
        everything = [(root, ts) for root, asked in threads.items() for ts in asked]
        desk.wait(lambda: sum(key_of(m).startswith("answer:") for m in desk.slack.posted(place)) >= THREADS)
        one.kill()
        desk.acknowledged()
        for _, ts in everything:
            assert desk.finished(place, ts).state in (ItemState.DONE, ItemState.INTERRUPTED), two.words
        for root, asked in threads.items():
            assert order_of(desk, place, root) == asked
        for _, ts in everything:
            (said,) = desk.said(place, ts)
            interrupted = desk.finished(place, ts).state is ItemState.INTERRUPTED
            assert ("restarted" in said.all_text) is interrupted
        streams = [m for m in desk.slack.posted(place) if m.stream_state == "streaming"]
        assert streams == []
        assert two.terminate()[0] == 0
    assert desk.slack.violations == []
