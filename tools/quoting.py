"""Text from an account, made safe to stand in a reply: one line, no control characters, inside a code span."""

from __future__ import annotations

import unicodedata

__all__ = ["clean", "code"]

_LONGEST = 120


def clean(text: str, limit: int = _LONGEST) -> str:
    """Controls, line breaks and characters that turn the direction of text become '?'; cut to `limit`."""
    shown = "".join("?" if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp", "Co", "Cn") else c for c in text)
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def code(text: str | None, limit: int = _LONGEST) -> str:
    """A code span that its content cannot leave: backticks and pipes are replaced by look-alikes."""
    if text is None or text == "":
        return "`(none)`"
    return "`" + clean(text, limit).replace("`", "ˋ").replace("|", "¦") + "`"
