"""Block Kit by Slack's limits: what fits exactly is taken, one more is refused."""

from __future__ import annotations

from typing import Any

import pytest

from tests.slack_server.blocks import check_blocks, check_length, check_view
from tests.slack_server.errors import Refused

Block = dict[str, Any]


def plain(text: str) -> Block:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str) -> Block:
    return {"type": "mrkdwn", "text": text}


def button(number: int = 0, **more: Any) -> Block:
    return {"type": "button", "action_id": f"a{number}", "text": plain("Go"), **more}


def section(size: int = 10, **more: Any) -> Block:
    return {"type": "section", "text": mrkdwn("x" * size), **more}


def actions(*elements: Block, **more: Any) -> Block:
    return {"type": "actions", "elements": list(elements), **more}


def cell(text: str) -> Block:
    return {"type": "raw_text", "text": text}


def table(rows: int = 1, cells: int = 1, size: int = 1, **more: Any) -> Block:
    return {"type": "table", "rows": [[cell("x" * size)] * cells] * rows, **more}


def rich(*spans: Block) -> Block:
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": list(spans)}]}


def confirm(**more: Any) -> Block:
    return {"title": plain("t"), "text": plain("x"), "confirm": plain("y"), "deny": plain("n"), **more}


def feedback() -> Block:
    sides = {f"{side}_button": {"text": plain("Good"), "value": side} for side in ("positive", "negative")}
    return {"type": "context_actions", "elements": [{"type": "feedback_buttons", "action_id": "f", **sides}]}


TAKEN: list[list[Block]] = [
    [{"type": "divider"}] * 50,
    [section(3_000), {"type": "section", "fields": [plain("x" * 200)] * 10, "accessory": button()}],
    [{"type": "header", "text": plain("x" * 150)}],
    [{"type": "context", "elements": [mrkdwn("x")] * 10}],
    [actions(*[button(number) for number in range(25)])],
    [actions(button(value="x" * 2_000, style="danger", confirm=confirm(title=plain("x" * 100))))],
    [actions(button(url="https://example.com/" + "x" * 2_900))],
    [actions(button()), actions(button())],
    [table(100, 1, 100)],
    [table(2, 20, column_settings=[{"align": "right", "is_wrapped": True}, None])],
    [
        {
            "type": "table",
            "rows": [[{"type": "raw_number", "value": 1.5, "text": "$1.50"}, rich({"type": "text", "text": "x"})]],
        }
    ],
    [{"type": "markdown", "text": "x" * 12_000}],
    [feedback()],
    [rich({"type": "text", "text": "x", "style": {"bold": True}}, {"type": "user", "user_id": "U1"})],
    [{"type": "image", "image_url": "https://example.com/a.png", "alt_text": "a"}],
]

REFUSED: list[tuple[str, list[Any]]] = [
    ("no more than 50 items", [{"type": "divider"}] * 51),
    ("unsupported type: shout", [{"type": "shout"}]),
    ("invalid additional property: color", [{"type": "divider", "color": "red"}]),
    ("less than 3001", [section(3_001)]),
    ("more than 0 characters", [section(0)]),
    ("either text or fields", [{"type": "section"}]),
    ("no more than 10 items", [{"type": "section", "fields": [plain("x")] * 11}]),
    ("less than 2001", [{"type": "section", "fields": [plain("x" * 2_001)]}]),
    ("less than 151", [{"type": "header", "text": plain("x" * 151)}]),
    ("must be one of plain_text", [{"type": "header", "text": mrkdwn("x")}]),
    ("no more than 10 items", [{"type": "context", "elements": [mrkdwn("x")] * 11}]),
    ("no more than 25 items", [actions(*[button(number) for number in range(26)])]),
    ("no fewer than 1 items", [actions()]),
    ("less than 76", [actions(button(text=plain("x" * 76)))]),
    ("less than 2001", [actions(button(value="x" * 2_001))]),
    ("less than 3001", [actions(button(url="https://e.com/" + "x" * 3_000))]),
    ("must be a URL", [actions(button(url="javascript:alert(1)"))]),
    ("must be one of primary", [actions(button(style="default"))]),
    ("less than 256", [actions(button(action_id="x" * 256))]),
    ("less than 256", [section(block_id="x" * 256)]),
    ("less than 101", [actions(button(confirm=confirm(title=plain("x" * 101))))]),
    ("less than 301", [actions(button(confirm=confirm(text=plain("x" * 301))))]),
    ("less than 31", [actions(button(confirm=confirm(deny=plain("x" * 31))))]),
    ("action_id 'a0' already exists", [actions(button(), button())]),
    ("block_id 'b' already exists", [section(block_id="b"), section(block_id="b")]),
    ("no more than 100 items", [table(101)]),
    ("no more than 20 items", [table(1, 21)]),
    ("more than 10000", [table(100, 1, 101)]),
    ("more than 0 characters", [table(size=0)]),
    ("must be one of left", [table(column_settings=[{"align": "middle"}])]),
    ("only_one_table_allowed", [table(), table()]),
    ("together", [{"type": "markdown", "text": "x" * 6_001}] * 2),
    ("more than 0 characters", [rich({"type": "text", "text": ""})]),
    ("unsupported type: html", [rich({"type": "html", "text": "x"})]),
    ("invalid additional property: loud", [rich({"type": "text", "text": "x", "style": {"loud": True}})]),
    ("only with mrkdwn", [{"type": "section", "text": {**plain("x"), "verbatim": True}}]),
    ("unsupported type: button", [{"type": "context_actions", "elements": [button()]}]),
    ("either image_url or slack_file", [{"type": "image", "alt_text": "a"}]),
]


@pytest.mark.parametrize("blocks", TAKEN)
def test_what_fits_is_taken(blocks: list[Block]) -> None:
    assert check_blocks(blocks) == blocks


@pytest.mark.parametrize(("why", "blocks"), REFUSED)
def test_what_does_not_fit_is_refused(why: str, blocks: list[Block]) -> None:
    with pytest.raises(Refused) as caught:
        check_blocks(blocks)
    assert why in caught.value.detail
    assert caught.value.breach


def test_all_text_of_a_message_counts() -> None:
    check_length([section(2_825)] * 4)
    with pytest.raises(Refused, match="msg_blocks_too_long"):
        check_length([section(2_825), section(2_825), section(2_825), section(2_826)])
    with pytest.raises(Refused, match="msg_blocks_too_long"):
        check_length([table(100, 1, 100), section(1_301)])


def modal(**more: Any) -> Block:
    return {"type": "modal", "title": plain("T"), "blocks": [section()], **more}


ASKED = {"type": "input", "label": plain("Why"), "element": {"type": "plain_text_input"}}


@pytest.mark.parametrize(
    ("why", "view"),
    [
        ("less than 25", modal(title=plain("x" * 25))),
        ("less than 25", modal(submit=plain("x" * 25))),
        ("no more than 100", modal(blocks=[section()] * 101)),
        ("unsupported type: table", modal(blocks=[table()])),
        ("unsupported type: markdown", modal(blocks=[{"type": "markdown", "text": "x"}])),
        ("missing submit", modal(blocks=[ASKED])),
        ("less than 3001", modal(private_metadata="x" * 3_001)),
        ("less than 256", modal(callback_id="x" * 256)),
        ("250 KB", modal(blocks=[section(3_000)] * 90)),
        ("type modal", {"type": "home", "blocks": []}),
        ("missing required field: title", {"type": "modal", "blocks": [section()]}),
        ("between 1 and 3000", modal(blocks=[{**ASKED, "element": {"type": "plain_text_input", "max_length": 3_001}}])),
    ],
)
def test_modals(why: str, view: Block) -> None:
    with pytest.raises(Refused) as caught:
        check_view(view, "modal")
    assert why in caught.value.detail


def test_views_that_fit() -> None:
    check_view(modal(blocks=[ASKED] + [section()] * 99, submit=plain("Send"), private_metadata="x" * 3_000), "modal")
    check_view({"type": "home", "blocks": [actions(button())] * 100}, "home")
