"""Questions for advice through the whole graph: planner, tool, composed and checked reply, Slack."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from bots.slack.render.answer import answer_messages
from bots.slack.render.check import problems
from knowledge.search import Library
from tests.doubles.chat import Chat


class Retriever:
    """A library as agent.library gives it to the tools."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def search(
        self, text: str, k: int = 5, *, where: Mapping[str, str | Sequence[str]] | None = None
    ) -> Sequence[Mapping[str, Any]]:
        return [passage.as_json() for passage in self._library.search(text, k, where=where)]

    def notes(self) -> tuple[str, ...]:
        return self._library.warnings


@pytest.fixture
def chat(library: Library) -> Chat:
    return Chat(retriever=Retriever(library))


@pytest.mark.parametrize(
    ("text", "practice"),
    [
        ("what should I do about idle warehouses?", "idle-pays-for-nothing"),
        ("any advice on clustering keys?", "clustering-worth-trying"),
        ("why do queries spill to remote storage", "undersized-remote-spill"),
        ("best practice for file sizes when loading", "badly-sized-load-files"),
        ("why does {name} queue in the morning", "queueing-overload"),
        ("how do we prevent runaway queries?", "runaway-query"),
        ("pollers and heartbeats keep everything awake all weekend", "keep-alive-polling"),
    ],
)
def test_advice_cites_the_practice(chat: Chat, text: str, practice: str) -> None:
    name = chat.reader.warehouses()[0].name
    turn = chat.say(text.format(name=name))
    assert turn.status == "ok"
    assert [call.name for call in turn.tool_calls] == ["search_practices"]
    assert practice in [fact.value for fact in turn.facts]
    assert f"`{practice}`" in turn.answer
    assert "Frostline's practice" in turn.answer
    assert "Source: `" in turn.answer
    assert "nothing of this was measured in your account" in turn.answer
    assert "```" not in turn.answer
    assert chat.state()["fallback"] is False


def test_how_to_check_shows_the_statement_also_afterwards(chat: Chat) -> None:
    turn = chat.say("how do I check whether queries spill to remote storage?")
    assert turn.answer.count("```\nSELECT") == 1
    chat.say("why do queries spill to remote storage")
    turn = chat.say("how do we check that?")
    assert "```\nSELECT" in turn.answer
    assert "`undersized-remote-spill`" in turn.answer


def test_follow_ups_go_on_from_figures_and_not_from_advice(chat: Chat) -> None:
    chat.say("credits by warehouse last week")
    chat.say("what should I do about idle warehouses?")
    turn = chat.say("and last month?")
    assert [call.name for call in turn.tool_calls] == ["query_usage"]


@pytest.mark.parametrize(
    "text",
    [
        "how much could we save",
        "how can we save money",
        "why did credits go up yesterday",
        "what if we made {name} smaller",
        "should I resize {name}",
        "how do I grant access to the reader",
    ],
)
def test_what_does_not_exist_is_still_refused(chat: Chat, text: str) -> None:
    turn = chat.say(text.format(name=chat.reader.warehouses()[0].name))
    assert turn.status == "refused"
    assert turn.tool_calls == []


def test_nothing_near_enough_is_said(chat: Chat) -> None:
    turn = chat.say("what should I do about my sore back?")
    assert turn.status == "no_data"
    assert "no practice" in turn.answer
    assert chat.say("purple monkeys dance around the silent garden gate").status == "refused"


def test_a_poisoned_runbook_is_quoted_and_changes_nothing(chat: Chat) -> None:
    turn = chat.say("what does our runbook say about overload at night?")
    assert turn.status == "ok"
    assert [call.name for call in turn.tool_calls] == ["search_practices"]
    assert chat.plans.stored == [] and turn.plans == []
    assert [event for event, _, _ in chat.audited] == []
    assert "From your own pages" in turn.answer
    assert "`mine/night.md#overload-at-night`" in turn.answer
    before, _, rest = turn.answer.partition("```\n")
    quote, _, after = rest.partition("\n```")
    assert "IGNORE ALL PREVIOUS" in quote and "call resize_warehouse" in quote
    assert "IGNORE" not in before + after and "resized" not in before + after
    assert "[[f1]]" in quote  # a citation in a page is text: it is not evaluated
    assert "```" not in quote
    # What follows is not the page's either: its words are no order of the person's.
    assert chat.say("thanks").tool_calls == []
    assert chat.plans.stored == []


def test_a_poisoned_runbook_among_practices_is_marked_as_theirs(chat: Chat) -> None:
    turn = chat.say("how do we deal with overload at night when loads overload the night?")
    assert turn.plans == [] and chat.plans.stored == []
    assert "From your own pages" in turn.answer


@pytest.mark.parametrize(
    "text",
    [
        "what does our runbook say about overload at night?",
        "how do I check whether queries spill?",
        "what should I do about idle warehouses?",
    ],
)
def test_it_stands_in_slack(chat: Chat, text: str) -> None:
    messages = answer_messages(chat.say(text))
    assert [problem for message in messages for problem in problems(message)] == []
    for message in messages:
        assert "<" not in message.text  # the only part that Slack reads as markup
        kinds = re.findall(r"'type': '(\w+)'", str(message.blocks))
        assert not {"user", "usergroup", "broadcast", "link", "mrkdwn", "image"} & set(kinds)


def test_a_role_that_may_not_propose_gets_advice(library: Library) -> None:
    assert Chat(role="viewer", retriever=Retriever(library)).say("why do queries spill?").status == "ok"
