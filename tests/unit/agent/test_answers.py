"""Answers are kept for those who ask later; one person has one opinion of each."""

from __future__ import annotations

from typing import Any

import pytest

from agent.store import AnswerRow, Rating, Store
from agent.store.answers import Answers
from tests.unit.agent.plans import START, HandClock
from tools.errors import BadArgument

TURN: dict[str, Any] = {"status": "ok", "answer": "**12.5** credits ❄", "facts": [{"id": "f1", "value": 12.5}]}


def keep(answers: Answers, trace: str, question: str = "credits?") -> None:
    answers.put(trace, thread="slack:T/C/1", person="slack:T/U1", question=question, turn=TURN)


def test_an_answer_is_read_back_whole(store: Store) -> None:
    assert store.answers.get("t1") is None
    keep(store.answers, "t1")
    assert store.answers.get("t1") == AnswerRow("t1", "slack:T/C/1", "slack:T/U1", "credits?", TURN, START)
    keep(store.answers, "t1", "again?")
    found = store.answers.get("t1")
    assert found is not None and found.question == "again?"


def test_the_last_word_of_each_person_counts(store: Store, clock: HandClock) -> None:
    keep(store.answers, "t1", "why?")
    keep(store.answers, "t2", "when?")
    store.answers.rate("t1", "slack:T/U1", "good")
    store.answers.rate("t1", "slack:T/U2", "good")
    clock.advance(seconds=1)
    store.answers.rate("t2", "slack:T/U1", "good")
    clock.advance(seconds=1)
    store.answers.rate("t1", "slack:T/U1", "bad")
    newest, second, third = store.answers.ratings()
    assert newest == Rating("t1", "slack:T/U1", "bad", clock.now(), "why?")
    assert (second.trace_id, second.question, third.person) == ("t2", "when?", "slack:T/U2")
    assert store.answers.ratings(limit=1) == (newest,)


@pytest.mark.parametrize(("trace", "value"), [("unknown", "good"), ("t1", "great"), ("t1", "")])
def test_what_is_no_rating_is_refused(store: Store, trace: str, value: Any) -> None:
    keep(store.answers, "t1")
    with pytest.raises(BadArgument):
        store.answers.rate(trace, "slack:T/U1", value)
    assert store.answers.ratings() == ()


def test_pruning_takes_the_ratings_along(store: Store, clock: HandClock) -> None:
    keep(store.answers, "old")
    store.answers.rate("old", "p", "good")
    clock.advance(seconds=1)
    keep(store.answers, "young")
    store.answers.rate("young", "p", "bad")
    store.answers.rate("old", "q", "bad")
    assert store.answers.prune(clock.now()) == 1
    assert store.answers.get("old") is None
    assert [r.trace_id for r in store.answers.ratings()] == ["young"]


def test_answers_of_another_account_are_not_seen(store: Store, clock: HandClock) -> None:
    other = Answers(store._engine, account="OTHER", clock=clock)
    keep(other, "t1")
    assert store.answers.get("t1") is None
    with pytest.raises(BadArgument):
        store.answers.rate("t1", "p", "good")
    other.rate("t1", "p", "good")
    assert store.answers.ratings() == () and store.answers.prune(START.replace(year=2030)) == 0


def test_text_that_no_database_takes_is_cleaned(store: Store) -> None:
    store.answers.put("t\x00", thread="\ud800", person="p\x00", question="a\x00b\udcff", turn={"k\x00": "\x00v"})
    store.answers.rate("t", "p\x00", "good")
    found = store.answers.get("t\x00")
    assert found is not None and (found.question, found.turn, found.thread) == ("ab?", {"k": "v"}, "?")
