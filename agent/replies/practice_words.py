"""Passages of the knowledge base as texts that a reply may cite. What people wrote is quoted, its markup inert."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from tools.quoting import clean, code

__all__ = ["practice_texts"]

_LONGEST = 2_000
_LONGEST_QUOTE = 900
_FENCE = "```"


def practice_texts(data: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """`practice.0.title`, `.action`, `.effect`, `.caveat`, `.check_note`, `.check`, `.source`, `.quote`, ..."""
    for number, passage in enumerate(data.get("passages") or ()):
        key = f"practice.{number}"
        ours = passage["origin"] == "frostline"
        yield f"{key}.title", clean(passage["title"], 200) if ours else code(passage["title"], 200)
        yield f"{key}.source", _source(passage)
        yield f"{key}.quote", quoted(passage["text"])
        for part, text in passage.get("parts", {}).items():
            if part == "check":
                yield f"{key}.check", _fenced(text, _LONGEST)
            elif text:
                yield f"{key}.{part}", _prose(text) if ours else quoted(text)
            else:
                yield f"{key}.{part}", ""


def _source(passage: dict[str, Any]) -> str:
    checked = passage.get("checked")
    return code(passage["source"], 200) + (f", checked {clean(checked)}" if checked else "")


def _prose(text: str) -> str:
    """Our own Markdown; control characters cannot be in it, but nothing is taken for granted."""
    return "\n".join(clean(line, _LONGEST) for line in text.strip().split("\n"))


def quoted(text: str) -> str:
    """A block that its content cannot leave and in which no link, mention or markup works."""
    return _fenced(text.strip(), _LONGEST_QUOTE)


def _fenced(text: str, longest: int) -> str:
    """Line by line; backticks become look-alikes, so that no line closes the block. It names no language: a channel
    that cannot colour would show the name as a line of the text.
    """
    shown = text if len(text) <= longest else f"{text[:longest].rstrip()} …"
    lines = [re.sub("`", "ˋ", clean(line.expandtabs(4), _LONGEST)) for line in shown.split("\n")]
    return "\n".join((_FENCE, *lines, _FENCE))
