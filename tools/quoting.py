"""Text from an account, made safe to stand in a reply: one line, no control characters, inside a code span."""

from __future__ import annotations

import unicodedata

__all__ = ["clean", "code"]

_LONGEST = 120


def clean(text: str, limit: int = _LONGEST) -> str:
    """Controls, line breaks and characters that turn the direction of text become '?'.

    Text longer than `limit` loses its middle: names and tags that begin alike often differ at the end.
    """
    shown = "".join("?" if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp", "Co", "Cn") else c for c in text)
    if len(shown) <= limit:
        return shown
    tail = (limit - 1) // 3
    return f"{shown[: limit - 1 - tail]}…{shown[len(shown) - tail :]}"


def code(text: str | None, limit: int = _LONGEST) -> str:
    """A code span that its content cannot leave: backticks and pipes are replaced by look-alikes."""
    if text is None or text == "":
        return "`(none)`"
    return "`" + clean(text, limit).replace("`", "ˋ").replace("|", "¦") + "`"
