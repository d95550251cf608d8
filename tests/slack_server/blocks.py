"""Block Kit as Slack takes it: messages, modals and Home tabs. Written from Slack's limits alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Literal

from tests.slack_server import limits
from tests.slack_server.elements import (
    ACCESSORIES,
    BUTTONS,
    CONTEXT_ACTIONS,
    INPUTS,
    element,
    image_element,
    image_source,
    rich_text,
)
from tests.slack_server.errors import breach
from tests.slack_server.shapes import Check, bad, fields, flag, identifier, many, one_of, string, text

Surface = Literal["message", "modal", "home"]


def _section(block: Any, where: str) -> None:
    fields(block, where, optional="block_id text fields accessory expand")
    if "text" not in block and "fields" not in block:
        raise bad(where, "either text or fields")
    if "text" in block:
        text(block["text"], f"{where}/text", limits.SECTION_TEXT)
    if "fields" in block:
        for number, each in enumerate(many(block["fields"], f"{where}/fields", limits.SECTION_FIELDS)):
            text(each, f"{where}/fields/{number}", limits.FIELD_TEXT)
    if "accessory" in block:
        element(block["accessory"], f"{where}/accessory", ACCESSORIES)
    flag(block, where, "expand")


def _header(block: Any, where: str) -> None:
    fields(block, where, required="text", optional="block_id level")
    text(block["text"], f"{where}/text", limits.HEADER_TEXT, plain=True)


def _divider(block: Any, where: str) -> None:
    fields(block, where, optional="block_id")


def _context(block: Any, where: str) -> None:
    fields(block, where, required="elements", optional="block_id")
    for number, each in enumerate(many(block["elements"], f"{where}/elements", limits.CONTEXT_ELEMENTS)):
        here = f"{where}/elements/{number}"
        if isinstance(each, dict) and each.get("type") == "image":
            image_element(each, here)
        else:
            text(each, here, limits.CONTEXT_TEXT)


def _actions(block: Any, where: str) -> None:
    fields(block, where, required="elements", optional="block_id")
    for number, each in enumerate(many(block["elements"], f"{where}/elements", limits.ACTIONS_ELEMENTS)):
        element(each, f"{where}/elements/{number}", BUTTONS)


def _context_actions(block: Any, where: str) -> None:
    fields(block, where, required="elements", optional="block_id")
    for number, each in enumerate(many(block["elements"], f"{where}/elements", limits.CONTEXT_ACTIONS_ELEMENTS)):
        element(each, f"{where}/elements/{number}", CONTEXT_ACTIONS)


def _image(block: Any, where: str) -> None:
    fields(block, where, required="alt_text", optional="block_id image_url slack_file title")
    string(block["alt_text"], f"{where}/alt_text", limits.ALT_TEXT)
    image_source(block, where)
    if "title" in block:
        text(block["title"], f"{where}/title", limits.IMAGE_TITLE, plain=True)


def _input(block: Any, where: str) -> None:
    fields(block, where, required="label element", optional="block_id hint optional dispatch_action")
    text(block["label"], f"{where}/label", limits.LABEL, plain=True)
    if "hint" in block:
        text(block["hint"], f"{where}/hint", limits.LABEL, plain=True)
    element(block["element"], f"{where}/element", INPUTS)
    flag(block, where, "optional", "dispatch_action")


def _markdown(block: Any, where: str) -> None:
    fields(block, where, required="text", optional="block_id")
    string(block["text"], f"{where}/text", limits.MARKDOWN_TEXT)


def _cell(cell: Any, where: str) -> None:
    kind = cell.get("type") if isinstance(cell, dict) else None
    if kind == "raw_text":
        fields(cell, where, required="text")
        string(cell["text"], f"{where}/text", limits.TABLE_TEXT)
    elif kind == "raw_number":
        fields(cell, where, required="value", optional="text")
        if isinstance(cell["value"], bool) or not isinstance(cell["value"], int | float):
            raise bad(f"{where}/value", "must be a number")
        if "text" in cell:
            string(cell["text"], f"{where}/text", limits.TABLE_TEXT)
    elif kind == "rich_text":
        rich_text(cell, where)
    else:
        raise bad(where, f"unsupported type: {kind}")


def _table(block: Any, where: str) -> None:
    fields(block, where, required="rows", optional="block_id column_settings")
    for at, row in enumerate(many(block["rows"], f"{where}/rows", limits.TABLE_ROWS)):
        for number, each in enumerate(many(row, f"{where}/rows/{at}", limits.TABLE_CELLS)):
            _cell(each, f"{where}/rows/{at}/{number}")
    settings = many(block.get("column_settings", []), f"{where}/column_settings", limits.TABLE_CELLS, least=0)
    for number, each in enumerate(settings):
        if each is None:
            continue
        here = f"{where}/column_settings/{number}"
        fields(each, here, optional="align is_wrapped")
        one_of(each.get("align", "left"), f"{here}/align", ("left", "center", "right"))
        flag(each, here, "is_wrapped")
    size = sum(len(each) for each in all_texts(block["rows"]))
    if size > limits.TABLE_TEXT:
        raise bad(where, f"{size} characters in all cells, more than {limits.TABLE_TEXT}")


def _card(block: Any, where: str) -> None:
    fields(block, where, optional="block_id hero_image icon title subtitle body actions")
    for name, limit in (("title", limits.CARD_TITLE), ("subtitle", limits.CARD_TITLE), ("body", limits.CARD_BODY)):
        if name in block:
            text(block[name], f"{where}/{name}", limit)
    actions = many(block.get("actions", []), f"{where}/actions", limits.CARD_ACTIONS, least=0)
    for number, each in enumerate(actions):
        element(each, f"{where}/actions/{number}", BUTTONS)


_EVERYWHERE: dict[str, Check] = {
    "section": _section,
    "header": _header,
    "divider": _divider,
    "context": _context,
    "actions": _actions,
    "image": _image,
    "input": _input,
    "rich_text": rich_text,
}
_IN_MESSAGES: dict[str, Check] = {
    "table": _table,
    "markdown": _markdown,
    "context_actions": _context_actions,
    "card": _card,
}


def all_texts(thing: Any) -> Iterator[str]:
    """Every text that counts towards the lengths: `text` strings and the values of number cells."""
    if isinstance(thing, list):
        for each in thing:
            yield from all_texts(each)
    elif isinstance(thing, dict):
        for key, value in thing.items():
            if key == "text" and isinstance(value, str):
                yield value
            elif thing.get("type") == "raw_number" and key == "value" and "text" not in thing:
                yield str(value)
            else:
                yield from all_texts(value)


def interactive(block: dict[str, Any]) -> list[dict[str, Any]]:
    """The elements of a block that have action ids."""
    found = [each for each in [*block.get("elements", []), *block.get("actions", [])] if isinstance(each, dict)]
    found += [block[name] for name in ("accessory", "element") if isinstance(block.get(name), dict)]
    return [each for each in found if "action_id" in each]


def _unique(blocks: list[dict[str, Any]], where: str) -> None:
    seen: set[str] = set()
    for at, block in enumerate(blocks):
        name = block.get("block_id")
        if name in seen:
            raise bad(f"{where}/{at}", f"block_id {name!r} already exists")
        seen.update([name] if name else [])
        actions: set[str] = set()
        for each in interactive(block):
            if each["action_id"] in actions:
                raise bad(f"{where}/{at}", f"action_id {each['action_id']!r} already exists for block")
            actions.add(each["action_id"])


def check_blocks(blocks: Any, surface: Surface = "message", where: str = "/blocks") -> list[dict[str, Any]]:
    """The blocks, or invalid_blocks with the place and the reason."""
    if not isinstance(blocks, list):
        raise breach("invalid_blocks_format", f"{where} must be a list")
    most = limits.BLOCKS_IN_MESSAGE if surface == "message" else limits.BLOCKS_IN_VIEW
    many(blocks, where, most, least=0)
    known = {**_EVERYWHERE, **(_IN_MESSAGES if surface == "message" else {})}
    for at, block in enumerate(blocks):
        kind = block.get("type") if isinstance(block, dict) else None
        if kind not in known:
            raise bad(f"{where}/{at}", f"unsupported type: {kind}")
        identifier(block, f"{where}/{at}", "block_id")
        known[kind](block, f"{where}/{at}")
    _unique(blocks, where)
    if sum(block["type"] == "table" for block in blocks) > 1:
        raise breach("invalid_attachments", "only_one_table_allowed")
    if sum(len(block["text"]) for block in blocks if block["type"] == "markdown") > limits.MARKDOWN_TEXT:
        raise breach("msg_blocks_too_long", "markdown blocks together")
    return blocks


def check_length(blocks: list[dict[str, Any]]) -> None:
    """All the text of one message's blocks together."""
    size = sum(len(each) for each in all_texts(blocks))
    if size > limits.TEXT_IN_BLOCKS:
        raise breach("msg_blocks_too_long", f"{size} characters of text in the blocks")


_MODAL_FIELDS = "close submit private_metadata callback_id clear_on_close notify_on_close external_id submit_disabled"


def check_view(view: Any, surface: Literal["modal", "home"]) -> dict[str, Any]:
    """A view's body, or invalid_arguments / view_too_large."""
    if not isinstance(view, dict) or view.get("type") != surface:
        raise breach("invalid_arguments", f"the view has to be of type {surface}")
    if len(json.dumps(view, ensure_ascii=False).encode()) > limits.VIEW_BYTES:
        raise breach("view_too_large", "more than 250 KB")
    if surface == "modal":
        fields(view, "/view", required="title blocks", optional=_MODAL_FIELDS)
        for name in ("title", "close", "submit"):
            if name in view:
                text(view[name], f"/view/{name}", limits.MODAL_TITLE, plain=True)
        flag(view, "/view", "clear_on_close", "notify_on_close", "submit_disabled")
    else:
        fields(view, "/view", required="blocks", optional="private_metadata callback_id external_id")
    if "private_metadata" in view:
        string(view["private_metadata"], "/view/private_metadata", limits.PRIVATE_METADATA, least=0)
    for name in ("callback_id", "external_id"):
        if name in view:
            string(view[name], f"/view/{name}", limits.ID, least=0)
    many(view["blocks"], "/view/blocks", limits.BLOCKS_IN_VIEW, least=1 if surface == "modal" else 0)
    check_blocks(view["blocks"], surface, "/view/blocks")
    if surface == "modal" and any(each["type"] == "input" for each in view["blocks"]) and "submit" not in view:
        raise breach("invalid_arguments", "missing submit: the view has input blocks")
    return view
