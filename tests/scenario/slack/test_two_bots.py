"""Two bot processes on one store and one app: Slack gives each payload to either of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.store.inbox import ItemState
from tests.scenario.slack.desk import Desk, deciding
from tests.scenario.slack.office import key_of
from tests.scenario.slack.processes import running
from tests.slack_server.things import Posted

THREADS, EACH = 10, 4
QUESTIONS = ("credits yesterday", "and last week?", "by warehouse", "credits by warehouse yesterday")


@pytest.fixture(scope="module")
def desk(template_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """Its own bot is not connected: it looks into the store, and processes do the work."""
    with deciding(template_home, tmp_path_factory.mktemp("two-bots")) as made:
        made.slack.retry_delays = (0.0, 1.0, 2.0, 4.0)
        made.open()
        yield made


def ask_everywhere(desk: Desk, channel: str, count: int) -> dict[str, list[str]]:
    """Root -> the ts of every message of the thread, in the order in which they were written."""
    roots = [desk.slack.say(desk.anna, channel, QUESTIONS[0]) for _ in range(count)]
    threads = {root: [root] for root in roots}
    for question in QUESTIONS[1:EACH]:
        desk.slack.settle()  # people do not write twice within a millisecond: what overtakes on the way is no order
        for root in roots:
            threads[root].append(desk.slack.say(desk.anna, channel, question, root))
    return threads


def words_for(desk: Desk, channel: str, ts: str) -> list[Posted]:
    """The bot's messages for one question: by their keys, and a stream that broke and was made the answer."""
    item = desk.item(channel, ts)
    assert item is not None
    stream = item.progress.get("stream")
    made = [m for m in desk.slack.posted(channel) if m.ts == stream and m.edits and not key_of(m)]
    return [*desk.said(channel, ts), *made]


def check_order(desk: Desk, channel: str, asked: list[str]) -> None:
    """One message for each question of a thread, in the order in which they were asked."""
    found = [[m.ts for m in words_for(desk, channel, ts)] for ts in asked]
    assert [len(each) for each in found] == [1] * len(asked)
    assert found == sorted(found)


def takers(desk: Desk) -> set[str]:
    """The sockets over which something was acknowledged."""
    return {each.attempts[-1].by for each in desk.slack.deliveries if each.acked and each.attempts}


@pytest.mark.timeout(300)
def test_each_question_is_answered_once_and_in_order_also_where_one_of_them_is_killed(desk: Desk) -> None:
    with running(desk) as one, running(desk) as two:
        place = desk.channel()
        for asked in ask_everywhere(desk, place, THREADS).values():
            states = [desk.finished(place, ts).state for ts in asked]
            assert states == [ItemState.DONE] * EACH, (one.words, two.words)
            check_order(desk, place, asked)
        assert len(takers(desk)) == 2
        # One plan, one card, one approval: whoever gets the click and whoever asked.
        change = desk.propose()
        desk.approve(change.card)
        desk.wait(lambda: desk.notes(change.card))
        assert len(desk.cards_in(change.card.channel)) == len(desk.notes(change.card)) == 1
        assert desk.alters(change.warehouse).count(change.statement) == 1
        # Each question has one word of the bot from now on too: an answer, or that it broke off.
        other = desk.channel()
        threads = ask_everywhere(desk, other, THREADS // 2)
        desk.wait(lambda: sum(key_of(m).startswith("answer:") for m in desk.slack.posted(other)) >= THREADS // 2)
        one.kill()
        desk.acknowledged()
        for asked in threads.values():
            for ts in asked:
                is_interrupted = desk.finished(other, ts).state is ItemState.INTERRUPTED
                (said,) = words_for(desk, other, ts)
                assert ("restarted" in said.all_text) is is_interrupted, two.words
            check_order(desk, other, asked)
        assert [m for m in desk.slack.posted(other) if m.stream_state == "streaming"] == []
        assert two.terminate()[0] == 0
    assert desk.slack.violations == []
