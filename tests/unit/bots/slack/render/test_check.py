from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from bots.slack.render.answer import answer_messages
from bots.slack.render.card import card_message
from bots.slack.render.check import chunk_problems, problems
from bots.slack.render.modals import decline_view
from bots.slack.types import Message
from tests.unit.bots.slack.render.makers import record, turn, view

TEXT = {"type": "plain_text", "text": "x", "emoji": False}
RICH = {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "x"}]}]}


def rich(**element: Any) -> dict[str, Any]:
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [element]}]}


def table(rows: int, cells: int = 2, text: str = "x") -> dict[str, Any]:
    return {"type": "table", "rows": [[{"type": "raw_text", "text": text}] * cells] * rows}


def buttons(count: int, **changed: Any) -> dict[str, Any]:
    made = [{"type": "button", "text": TEXT, "action_id": f"a{n}", "value": "v"} | changed for n in range(count)]
    return {"type": "actions", "elements": made}


@pytest.mark.parametrize(
    "blocks",
    [
        [],
        [RICH] * 51,
        [rich(type="text", text="x" * 2_900)] * 4,
        [rich(type="text", text="x" * 3_001)],
        [rich(type="text", text="")],
        [rich(type="link", url="http://x.example")],
        [{"type": "rich_text", "elements": []}],
        [{"type": "header", "text": TEXT | {"text": "x" * 151}}],
        [{"type": "header", "text": TEXT | {"type": "mrkdwn"}}],
        [{"type": "section"}],
        [{"type": "section", "text": {"type": "mrkdwn", "text": "x"}}],
        [{"type": "section", "fields": [TEXT] * 11}],
        [{"type": "context", "elements": [TEXT] * 11}],
        [{"type": "context", "elements": []}],
        [buttons(26)],
        [buttons(2, action_id="same")],
        [buttons(1, value="x" * 2_001)],
        [buttons(1, style="green")],
        [buttons(1, confirm={"title": TEXT, "text": TEXT | {"text": "x" * 301}, "confirm": TEXT, "deny": TEXT})],
        [table(101)],
        [table(2, 21)],
        [table(50, 2, "x" * 101)],
        [table(2, 2, "")],
        [table(2), table(2)],
        [{"type": "table", "rows": [[{"type": "raw_text", "text": "x"}], []]}],
        [{"type": "divider", "block_id": "b"}, {"type": "divider", "block_id": "b"}],
        [{"type": "unheard_of"}],
    ],
)
def test_what_slack_refuses_is_a_problem(blocks: list[dict[str, Any]]) -> None:
    assert problems(Message("x", tuple(blocks)))


@pytest.mark.parametrize("text", ["", "x" * 4_001])
def test_top_level_text_is_neither_empty_nor_long(text: str) -> None:
    assert problems(Message(text, (RICH,)))


def _without_submit(form: dict[str, Any]) -> None:
    del form["submit"]


@pytest.mark.parametrize(
    "spoil",
    [
        _without_submit,
        lambda form: form.pop("title"),
        lambda form: form.update(type="sheet"),
        lambda form: form["title"].update(text="x" * 25),
        lambda form: form.update(private_metadata="x" * 3_001),
        lambda form: form["blocks"].append(table(2)),
        lambda form: form["blocks"].extend([RICH] * 100),
        lambda form: form["blocks"].extend([rich(type="text", text="漢" * 3_000)] * 90),
    ],
)
def test_what_slack_refuses_of_a_view_is_a_problem(spoil: Callable[[dict[str, Any]], object]) -> None:
    form = copy.deepcopy(decline_view(view(record()), "C1", "1.1"))
    assert problems(form) == []
    spoil(form)
    assert problems(form)


def test_chunks_have_limits_too() -> None:
    assert chunk_problems([{"type": "markdown_text", "text": "x"}]) == []
    for wrong in (
        [{"type": "markdown_text", "text": ""}],
        [{"type": "markdown_text", "text": "x" * 2_900}] * 5,
        [{"type": "task_update", "id": "1", "title": "x", "status": "done"}],
        [{"type": "blocks", "blocks": []}],
    ):
        assert chunk_problems(wrong)


def test_what_we_send_has_none() -> None:
    assert not any(problems(message) for message in answer_messages(turn("**1**")))
    assert problems(card_message(view(record()))) == []
