"""An answer's Markdown as parts, with nothing lost: what the parser would drop makes the whole text literal.

Answers are written by our own code, with account text in code spans. All the same nothing here trusts them: links
become their text and address, pictures their description and address, HTML stands as it was typed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

from bots.slack.render.text import bare

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

__all__ = ["Bullets", "Code", "Item", "Paragraph", "Part", "Span", "Table", "parse", "plain_of", "text_of"]


@dataclass(frozen=True)
class Span:
    text: str
    bold: bool = False
    italic: bool = False
    code: bool = False


Spans = tuple[Span, ...]


@dataclass(frozen=True)
class Paragraph:
    spans: Spans


@dataclass(frozen=True)
class Item:
    spans: Spans
    indent: int = 0
    marker: str = ""
    """`3.` of an ordered list."""


@dataclass(frozen=True)
class Bullets:
    items: tuple[Item, ...]
    apart: bool = True
    """An empty line stands before it: it does not belong to the paragraph above."""


@dataclass(frozen=True)
class Code:
    text: str


@dataclass(frozen=True)
class Table:
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    """Each as long as the head."""
    right: tuple[bool, ...]


Part = Paragraph | Bullets | Code | Table


def parse(answer: str) -> tuple[Part, ...]:
    """The parts in order; () for an empty answer. Every letter and digit of the answer stands in them."""
    text = bare(answer).expandtabs(4)
    parts = tuple(_Reader(text).parts())
    if _signs(plain_of(parts)) == _signs(text):
        return parts
    return (Paragraph((Span(text.strip("\n")),)),) if text.strip() else ()


def text_of(spans: Sequence[Span]) -> str:
    return "".join(span.text for span in spans)


def plain_of(parts: Sequence[Part]) -> str:
    """All text of the parts, without styles."""
    return "\n".join(_plain(part) for part in parts)


def _plain(part: Part) -> str:
    match part:
        case Paragraph():
            return text_of(part.spans)
        case Bullets():
            return "\n".join(f"{item.marker} {text_of(item.spans)}".strip() for item in part.items)
        case Code():
            return part.text
        case Table():
            return "\n".join(" | ".join(row) for row in (part.head, *part.rows))


def _signs(text: str) -> list[str]:
    """Letters, digits and symbols that carry meaning; not the marks that Markdown is made of."""
    return [c for c in text if c.isalnum() or c in "%$€<>@"]


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    # References and entities would take text out of the answer, autolinks would put addresses in.
    off = ["reference", "entity", "autolink", "html_inline", "html_block", "lheading"]
    return MarkdownIt("commonmark").enable("table").disable(off)


class _Reader:
    """Walks the parser's flat list of tokens once."""

    def __init__(self, text: str) -> None:
        self.lines = text.split("\n")
        self.tokens = _parser().parse(text)
        self.at = 0

    def parts(self) -> Iterator[Part]:
        while self.at < len(self.tokens):
            token = self.tokens[self.at]
            if token.type in ("bullet_list_open", "ordered_list_open"):
                yield from self._lists()
            elif token.type == "table_open":
                yield self._table()
            elif token.type == "inline":
                heading = self.tokens[self.at - 1].type == "heading_open"
                spans = _spans(token)
                yield Paragraph(tuple(replace(s, bold=True) for s in spans) if heading else spans)
            elif token.type in ("fence", "code_block"):
                yield Code("\n".join(filter(None, (token.info.strip(), token.content.rstrip("\n")))))
            self.at += 1

    def _lists(self) -> Iterator[Bullets]:
        """One list of Markdown; several where empty lines stand between its items."""
        items: list[Item] = []
        apart = self._after_gap(self.tokens[self.at])
        depth, marker = 0, ""
        while True:
            token = self.tokens[self.at]
            depth += token.nesting if token.type.endswith("list_open") or token.type.endswith("list_close") else 0
            if token.type == "list_item_open":
                marker = f"{token.info}{token.markup}" if token.info else ""
                if items and depth == 1 and self._after_gap(token):
                    yield Bullets(tuple(items), apart)
                    items, apart = [], True
            elif token.type == "inline":
                items.append(Item(_spans(token), depth - 1, marker))
                marker = ""
            elif token.type in ("fence", "code_block"):
                code = "\n".join(filter(None, (token.info.strip(), token.content.rstrip("\n"))))
                items.append(Item((Span(code, code=True),), depth - 1, marker))
                marker = ""
            if depth == 0:
                break
            self.at += 1
        if items:
            yield Bullets(tuple(items), apart)

    def _after_gap(self, token: Token) -> bool:
        line = token.map[0] if token.map else 0
        return line == 0 or not self.lines[line - 1].strip()

    def _table(self) -> Table:
        rows: list[list[str]] = []
        right: list[bool] = []
        while self.tokens[self.at].type != "table_close":
            token = self.tokens[self.at]
            if token.type == "tr_open":
                rows.append([])
            elif token.type == "th_open":
                right.append("right" in str(token.attrs.get("style", "")))
            elif token.type == "inline":
                rows[-1].append(" ".join(text_of(_spans(token)).split()))
            self.at += 1
        return Table(tuple(rows[0]), tuple(tuple(row) for row in rows[1:]), tuple(right))


_CLOSING = re.compile(r"(strong|em)_(open|close)")


def _spans(inline: Token) -> Spans:
    found: list[Span] = []
    bold = italic = 0
    address: list[str] = []

    def add(text: str, code: bool = False) -> None:
        if text:
            found.append(Span(text, bold > 0, italic > 0, code))

    for token in inline.children or ():
        style = _CLOSING.fullmatch(token.type)
        if style:
            bold += token.nesting if style[1] == "strong" else 0
            italic += token.nesting if style[1] == "em" else 0
        elif token.type == "link_open":
            address.append(f"{token.attrs.get('href', '')} {token.attrs.get('title', '')}".strip())
        elif token.type == "link_close":
            add(f" ({address.pop()})")
        elif token.type == "image":
            add(f"{token.content} ({token.attrs.get('src', '')} {token.attrs.get('title', '')})")
        elif token.type in ("softbreak", "hardbreak"):
            add("\n")
        else:
            add(token.content, code=token.type == "code_inline")
    return tuple(found)
