"""The Block Kit pieces that messages and views are made of, and how long they are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from bots.slack.render.limits import (
    BUTTON_TEXT,
    CONFIRM_BUTTON,
    CONFIRM_TEXT,
    CONFIRM_TITLE,
    CONTEXT_TEXT,
    HEADER,
    RICH_TEXT,
)
from bots.slack.render.markdown import Bullets, Code, Item, Paragraph, Part, Span
from bots.slack.render.text import bare, chunks_of, plain
from bots.slack.types import Action

__all__ = [
    "Block",
    "actions",
    "bullets",
    "button",
    "confirm",
    "context",
    "header",
    "labelled",
    "literal",
    "preformatted",
    "rich",
    "rich_parts",
    "section_of",
    "strings_in",
    "text_length",
]

Block = dict[str, Any]
_ITEMS = 60
"""Bullets in one rich_text_list."""
_SPLIT = 2_500


# --- rich_text: everything in it is literal -----------------------------------------------------------------------


def literal(text: str, **style: bool) -> Block:
    """A rich_text `text` element; the caller keeps it within RICH_TEXT."""
    element: Block = {"type": "text", "text": bare(text) or " "}
    return element | ({"style": style} if style else {})


def rich(*elements: Block) -> Block:
    return {"type": "rich_text", "elements": list(elements)}


def section_of(elements: Sequence[Block]) -> Block:
    return {"type": "rich_text_section", "elements": list(elements)}


def bullets(lines: Iterable[Sequence[Block]], indent: int = 0) -> Block:
    items = [section_of(line) for line in lines]
    return {"type": "rich_text_list", "style": "bullet", "indent": indent, "elements": items}


def labelled(label: str, value: str) -> list[Block]:
    """`Label: value` with a bold label."""
    return [literal(f"{label}: ", bold=True), literal(value)]


def preformatted(text: str) -> list[Block]:
    """As code, in as many boxes as it takes."""
    pieces = chunks_of(bare(text), RICH_TEXT) or ["–"]
    return [{"type": "rich_text_preformatted", "elements": [literal(piece)]} for piece in pieces]


def rich_parts(parts: Sequence[Part]) -> list[Block]:
    """Blocks of an answer's parts, none longer than RICH_TEXT; tables are not for here.

    A list that belongs to the paragraph above stands in one block with it.
    """
    blocks: list[Block] = []
    for part in parts:
        for element in _elements(part):
            joins = isinstance(part, Bullets) and not part.apart and blocks and element["elements"]
            if joins and text_length(blocks[-1]) + text_length(element) <= RICH_TEXT:
                blocks[-1]["elements"].append(element)
            else:
                blocks.append(rich(element))
    return blocks


def _elements(part: Part) -> Iterator[Block]:
    match part:
        case Paragraph():
            for piece in _pieces(part.spans):
                yield section_of([_span(span) for span in piece])
        case Bullets():
            yield from _lists(part.items)
        case Code():
            yield from preformatted(part.text)
        case _:
            raise ValueError("A table is a block of its own.")


def _lists(items: Sequence[Item]) -> Iterator[Block]:
    """Runs of one indent; a run ends where it gets long."""
    run: list[list[Block]] = []
    indent, length = 0, 0
    for item in items:
        for piece in _pieces(_marked(item)):
            size = sum(len(span.text) for span in piece)
            if run and (item.indent != indent or length + size > _SPLIT or len(run) == _ITEMS):
                yield bullets(run, min(indent, 8))
                run, length = [], 0
            indent, length = item.indent, length + size
            run.append([_span(span) for span in piece])
    if run:
        yield bullets(run, min(indent, 8))


def _marked(item: Item) -> tuple[Span, ...]:
    return (Span(f"{item.marker} "), *item.spans) if item.marker else item.spans


def _pieces(spans: Sequence[Span]) -> Iterator[list[Span]]:
    """The spans in runs of at most _SPLIT characters; nothing for no text."""
    run: list[Span] = []
    length = 0
    for span in spans:
        for text in chunks_of(span.text, _SPLIT):
            if run and length + len(text) > _SPLIT:
                yield run
                run, length = [], 0
            run.append(replace(span, text=text))
            length += len(text)
    if run:
        yield run


def _span(span: Span) -> Block:
    styles = {"bold": span.bold, "italic": span.italic, "code": span.code}
    return literal(span.text, **{name: True for name, on in styles.items() if on})


# --- other blocks -------------------------------------------------------------------------------------------------


def header(text: str) -> Block:
    """Longer text loses its middle; it has to stand in full elsewhere."""
    return {"type": "header", "text": plain(text, HEADER)}


def context(text: str) -> list[Block]:
    """Small print, literal; as many blocks as it takes."""
    return [
        {"type": "context", "elements": [{"type": "plain_text", "text": piece, "emoji": False}]}
        for piece in chunks_of(bare(text).strip(), CONTEXT_TEXT)
        if piece.strip()
    ]


def button(text: str, action: Action, value: str, *, style: str | None = None, ask: Block | None = None) -> Block:
    made: Block = {"type": "button", "text": plain(text, BUTTON_TEXT), "action_id": action.value, "value": value}
    return made | ({"style": style} if style else {}) | ({"confirm": ask} if ask else {})


def confirm(title: str, text: str, yes: str, no: str) -> Block:
    """The dialog before a button acts. Longer text loses its middle: it stands in full behind the dialog."""
    return {
        "title": plain(title, CONFIRM_TITLE),
        "text": plain(text, CONFIRM_TEXT),
        "confirm": plain(yes, CONFIRM_BUTTON),
        "deny": plain(no, CONFIRM_BUTTON),
    }


def actions(*buttons: Block) -> Block:
    return {"type": "actions", "elements": list(buttons)}


# --- lengths ------------------------------------------------------------------------------------------------------

_TEXTS = ("text", "fallback", "title")


def strings_in(value: Any) -> Iterator[str]:
    """Every text that Slack would draw."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key in _TEXTS and isinstance(inner, str):
                yield inner
            else:
                yield from strings_in(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from strings_in(inner)


def text_length(value: Any) -> int:
    return sum(len(text) for text in strings_in(value))
