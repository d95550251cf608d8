"""Whether Slack would take a message or a view: every limit and shape of the reference, in words for people."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from bots.slack.render import limits
from bots.slack.render.blocks import text_length
from bots.slack.types import Message

__all__ = ["chunk_problems", "problems"]

Value = Mapping[str, Any]
_ELEMENTS = ("button",)
_RICH = ("rich_text_section", "rich_text_list", "rich_text_preformatted", "rich_text_quote")
_MESSAGES_ONLY = ("table", "context_actions", "markdown")


def problems(shown: Message | Value) -> list[str]:
    """What Slack would refuse in a message, or in a modal or Home view; empty where it would take it."""
    if isinstance(shown, Message):
        return list(_message(shown))
    return list(_view(shown))


def chunk_problems(chunks: Sequence[Value]) -> list[str]:
    """The same for the chunks of a stream."""
    return list(_chunks(chunks))


def _message(message: Message) -> Iterator[str]:
    yield from _length("text", message.text, limits.TOP_TEXT)
    yield from _blocks(message.blocks, limits.MESSAGE_BLOCKS)
    if (total := text_length(message.blocks)) > limits.MESSAGE_TEXT:
        yield f"{total} characters in the blocks; at most {limits.MESSAGE_TEXT}"
    if sum(block.get("type") == "table" for block in message.blocks) > 1:
        yield "more than one table in a message"
    for file in message.files:
        if not file.filename or not file.content:
            yield "an attachment without a name or content"


def _view(view: Value) -> Iterator[str]:
    if view.get("type") not in ("modal", "home"):
        yield f"a view of type {view.get('type')!r}"
    blocks = view.get("blocks", ())
    yield from _blocks(blocks, limits.VIEW_BLOCKS)
    if len(json.dumps(view, ensure_ascii=False).encode()) > limits.VIEW_BYTES:
        yield f"a view of more than {limits.VIEW_BYTES} bytes"
    yield from (f"{block['type']} stands in a view" for block in blocks if block.get("type") in _MESSAGES_ONLY)
    for name in ("title", "submit", "close"):
        if name in view:
            yield from _plain(f"view.{name}", view[name], limits.VIEW_TITLE)
    if view.get("type") == "modal" and "title" not in view:
        yield "a modal without a title"
    if "submit" not in view and any(block.get("type") == "input" for block in blocks):
        yield "an input without a submit button"
    for name, most in (("private_metadata", limits.PRIVATE_METADATA), ("callback_id", limits.CALLBACK_ID)):
        if name in view:
            yield from _length(name, view[name], most)


def _chunks(chunks: Sequence[Value]) -> Iterator[str]:
    total = 0
    for number, chunk in enumerate(chunks):
        kind = chunk.get("type")
        if kind == "markdown_text":
            total += len(chunk["text"])
            yield from _length(f"chunk {number}", chunk["text"], limits.CHUNK_TEXT)
        elif kind == "task_update":
            yield from _length("task title", chunk["title"], limits.TASK_TITLE)
            if chunk.get("status") not in ("pending", "in_progress", "complete", "error"):
                yield f"a task with status {chunk.get('status')!r}"
        else:
            yield f"a chunk of type {kind!r}"
    if total > limits.MARKDOWN_TEXT:
        yield f"{total} characters of Markdown; at most {limits.MARKDOWN_TEXT}"


# --- blocks --------------------------------------------------------------------------------------------------------


def _blocks(blocks: Sequence[Value], most: int) -> Iterator[str]:
    if not 1 <= len(blocks) <= most:
        yield f"{len(blocks)} blocks; 1 to {most}"
    ids = [block["block_id"] for block in blocks if "block_id" in block]
    if len(set(ids)) < len(ids):
        yield "a block_id stands twice"
    for block in blocks:
        rule = _RULES.get(str(block.get("type")))
        if rule is None:
            yield f"a block of type {block.get('type')!r}"
        else:
            yield from rule(block)
        yield from _length("block_id", block.get("block_id", "-"), limits.BLOCK_ID)


def _header(block: Value) -> Iterator[str]:
    yield from _plain("header", block["text"], limits.HEADER)


def _section(block: Value) -> Iterator[str]:
    if "text" not in block and not block.get("fields"):
        yield "a section without text or fields"
    if "text" in block:
        yield from _text("section", block["text"], limits.SECTION_TEXT)
    fields = block.get("fields", ())
    if len(fields) > limits.SECTION_FIELDS:
        yield f"{len(fields)} fields in a section"
    for field in fields:
        yield from _text("field", field, limits.FIELD_TEXT)


def _context(block: Value) -> Iterator[str]:
    if not 1 <= len(block["elements"]) <= limits.CONTEXT_ELEMENTS:
        yield f"{len(block['elements'])} elements in a context block"
    for element in block["elements"]:
        yield from _text("context", element, limits.CONTEXT_TEXT)


def _actions(block: Value) -> Iterator[str]:
    elements = block["elements"]
    if not 1 <= len(elements) <= limits.ACTIONS:
        yield f"{len(elements)} elements in an actions block"
    ids = [element.get("action_id") for element in elements]
    if len(set(ids)) < len(ids):
        yield "an action_id stands twice in one block"
    for element in elements:
        if element.get("type") not in _ELEMENTS:
            yield f"{element.get('type')!r} in an actions block"
        else:
            yield from _button(element)


def _button(button: Value) -> Iterator[str]:
    yield from _plain("button", button["text"], limits.BUTTON_TEXT)
    yield from _length("action_id", button.get("action_id", ""), limits.ACTION_ID)
    yield from _length("button value", button.get("value", "-"), limits.BUTTON_VALUE)
    if button.get("style", "primary") not in ("primary", "danger"):
        yield f"a button of style {button['style']!r}"
    if "confirm" in button:
        ask = button["confirm"]
        yield from _plain("confirm.title", ask["title"], limits.CONFIRM_TITLE)
        yield from _text("confirm.text", ask["text"], limits.CONFIRM_TEXT)
        yield from _plain("confirm.confirm", ask["confirm"], limits.CONFIRM_BUTTON)
        yield from _plain("confirm.deny", ask["deny"], limits.CONFIRM_BUTTON)


def _context_actions(block: Value) -> Iterator[str]:
    if not 1 <= len(block["elements"]) <= limits.CONTEXT_ACTIONS:
        yield f"{len(block['elements'])} elements in a context_actions block"
    for element in block["elements"]:
        if element.get("type") != "feedback_buttons":
            yield f"{element.get('type')!r} in a context_actions block"
            continue
        for name in ("positive_button", "negative_button"):
            choice = element[name]
            yield from _plain(name, choice["text"], limits.BUTTON_TEXT)
            yield from _length("feedback value", choice["value"], limits.BUTTON_VALUE)
            yield from _length("accessibility_label", choice["accessibility_label"], limits.BUTTON_TEXT)


def _input(block: Value) -> Iterator[str]:
    yield from _plain("input label", block["label"], limits.LABEL)
    if block["element"].get("max_length", 1) > limits.INPUT_LENGTH:
        yield "an input that takes too much"


def _table(block: Value) -> Iterator[str]:
    rows = block["rows"]
    if not 1 <= len(rows) <= limits.TABLE_ROWS:
        yield f"{len(rows)} rows in a table"
    if len({len(row) for row in rows}) > 1 or not 1 <= len(rows[0]) <= limits.TABLE_CELLS:
        yield "rows of different or impossible lengths in a table"
    if len(block.get("column_settings", ())) > limits.TABLE_CELLS:
        yield "too many column settings in a table"
    if (total := text_length(rows)) > limits.TABLE_TEXT:
        yield f"{total} characters in a table"
    for row in rows:
        for cell in row:
            if cell.get("type") != "raw_text":
                yield f"a cell of type {cell.get('type')!r}"
            elif not cell["text"]:
                yield "an empty cell"


def _rich(block: Value) -> Iterator[str]:
    if not block["elements"]:
        yield "an empty rich_text block"
    for element in block["elements"]:
        yield from _rich_element(element)


def _rich_element(element: Value) -> Iterator[str]:
    if element.get("type") not in _RICH:
        yield f"{element.get('type')!r} in a rich_text block"
        return
    if not element["elements"]:
        yield f"an empty {element['type']}"
    if element["type"] == "rich_text_list":
        if element.get("style") not in ("bullet", "ordered") or not 0 <= element.get("indent", 0) <= 8:
            yield "a list of unknown style or indent"
        for item in element["elements"]:
            yield from _rich_element(item)
        return
    for inner in element["elements"]:
        yield from _rich_leaf(inner)


def _rich_leaf(leaf: Value) -> Iterator[str]:
    if leaf.get("type") == "text":
        yield from _length("rich_text", leaf["text"], limits.RICH_TEXT)
    elif leaf.get("type") not in ("user", "usergroup"):
        yield f"{leaf.get('type')!r} in a rich_text section"


_RULES: dict[str, Callable[[Value], Iterator[str]]] = {
    "header": _header,
    "section": _section,
    "context": _context,
    "actions": _actions,
    "context_actions": _context_actions,
    "input": _input,
    "table": _table,
    "rich_text": _rich,
    "divider": lambda block: iter(()),
}


# --- texts ---------------------------------------------------------------------------------------------------------


def _length(what: str, text: str, most: int) -> Iterator[str]:
    if not 1 <= len(text) <= most:
        yield f"{what} of {len(text)} characters; 1 to {most}"


def _plain(what: str, text: Value, most: int) -> Iterator[str]:
    if text.get("type") != "plain_text":
        yield f"{what} is no plain_text"
    yield from _length(what, text["text"], most)


def _text(what: str, text: Value, most: int) -> Iterator[str]:
    if text.get("type") not in ("plain_text", "mrkdwn"):
        yield f"{what} is no text object"
    if text.get("type") == "mrkdwn" and not text.get("verbatim"):
        yield f"{what} is mrkdwn that links by itself"
    yield from _length(what, text["text"], most)
