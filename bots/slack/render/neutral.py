"""Parts of an answer as Markdown for a stream, in which nothing but our own styles acts.

Slack says nowhere whether `<!channel>` or a link is live in streamed Markdown, so it is taken to be (reference 5).
What would act is written with a look-alike: escapes might be shown as they are. This is done before the text is
cut into chunks, for a token can lie across two of them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby

from bots.slack.render.markdown import Bullets, Code, Paragraph, Part, Span, Table

__all__ = ["inert", "neutral_markdown"]

_ENTITY = re.compile(r"&(?=#?\w+;)")
_SHOUT = re.compile(r"@(?=channel|here|everyone)", re.IGNORECASE)
_MARKS = re.compile(r"([\\*~\[\]`|]|(?<!\w)_|_(?!\w))")
_LEADING = re.compile(r"^(\s*)([#>+-]|\d+[.)])(?=\s|$)", re.MULTILINE)
_SCHEME = re.compile(r"(\w)://")


def inert(text: str) -> str:
    """No token, entity or shouted mention of it acts, in code or outside."""
    text = text.replace("<", "‹").replace(">", "›")
    return _SHOUT.sub("＠", _ENTITY.sub("＆", text))


def neutral_markdown(parts: Sequence[Part]) -> str:
    """The parts, an empty line between them. Tables are not for here."""
    written = ""
    for part in parts:
        joined = isinstance(part, Bullets) and not part.apart
        written += ("" if not written else "\n" if joined else "\n\n") + _part(part)
    return written


def _part(part: Part) -> str:
    match part:
        case Paragraph():
            return _LEADING.sub(r"\1\\\2", _line(part.spans))
        case Bullets():
            return "\n".join(
                f"{'  ' * min(i.indent, 8)}- {i.marker + ' ' if i.marker else ''}{_line(i.spans)}" for i in part.items
            )
        case Code():
            return f"```\n{inert(part.text).replace('`', 'ˋ')}\n```"
        case Table():
            raise ValueError("A table is a block of its own.")


def _line(spans: Sequence[Span]) -> str:
    """Bold runs are set in one pair of marks, so that a code span in them is bold too."""
    runs = groupby(spans, key=lambda span: (span.bold, span.italic))
    return "".join(_run(list(run), ("**" if bold else "") + ("_" if italic else "")) for (bold, italic), run in runs)


def _run(spans: Sequence[Span], mark: str) -> str:
    text = "".join(_code(span.text) if span.code else _text(span.text) for span in spans)
    core = text.strip()
    if not mark or not core or "\n" in core:
        return text
    start = text.index(core)
    return f"{text[:start]}{mark}{core}{mark[::-1]}{text[start + len(core) :]}"


def _code(text: str) -> str:
    shown = inert(text).replace("`", "ˋ").replace("\n", " ")
    return f"`{shown}`" if shown.strip() else shown


def _text(text: str) -> str:
    # Two spaces at a line's end: a line break in every reading of Markdown.
    return _MARKS.sub(r"\\\1", _SCHEME.sub("\\1:\u2215\u2215", inert(text))).replace("\n", "  \n")
