"""Block Kit drawn in a terminal, about as Slack would: for the tour, and for people without Slack."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from bots.slack.types import Message

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

__all__ = ["picture", "show"]

Value = Mapping[str, Any]
_TOKEN = re.compile(r"<([^<>]*)>")
_CODE = "bold #c7254e on #f4f2f0"
_LINK = "bold #1264a3"
_WIDTH = 78
_LINE = "#9a9a9a"
_BUTTON = "bold #1d1c1d on #e4e4e4"
_PRIMARY = "bold #ffffff on #007a5a"


def show(shown: Message | Value, *, title: str = "") -> RenderableType:
    """A message, or a modal or Home view, as a rich renderable. Text of it is never rich's markup."""
    from rich import box
    from rich.console import Group
    from rich.panel import Panel
    from rich.text import Text

    if isinstance(shown, Message):
        blocks, head = shown.blocks, title
        files: Sequence[Any] = shown.files
    else:
        blocks, files = shown["blocks"], ()
        head = title or shown.get("title", {}).get("text", "Home")
    drawn = [part for block in blocks for part in _block(block)]
    drawn += [Text(f"[file] {file.filename} ({len(file.content):,} bytes)", style="dim") for file in files]
    if not blocks and isinstance(shown, Message):
        drawn = [Text(_acted(shown.text)), *drawn]
    return Panel(
        Group(*drawn),
        box=box.ROUNDED,
        title=Text(head) if head else None,
        title_align="left",
        width=_WIDTH,
        border_style=_LINE,
    )


def _block(block: Value) -> list[RenderableType]:
    draw = _DRAWN.get(block["type"])
    return draw(block) if draw else []


def _header(block: Value) -> list[RenderableType]:
    from rich.text import Text

    return [Text(block["text"]["text"], style="bold underline"), Text("")]


def _section(block: Value) -> list[RenderableType]:
    from rich.text import Text

    texts = [block["text"]] if "text" in block else []
    return [Text(_words(text)) for text in [*texts, *block.get("fields", ())]]


def _context(block: Value) -> list[RenderableType]:
    from rich.text import Text

    return [Text("  ".join(_words(element) for element in block["elements"]), style="dim")]


def _rich_text(block: Value) -> list[RenderableType]:
    from rich.padding import Padding
    from rich.panel import Panel
    from rich.table import Table
    from rich.text import Text

    drawn: list[RenderableType] = []
    for element in block["elements"]:
        if element["type"] == "rich_text_list":
            grid = Table.grid(padding=(0, 1))
            for item in element["elements"]:
                grid.add_row(Text("•"), _line(item["elements"]))
            drawn.append(Padding(grid, (0, 0, 0, 1 + 2 * int(element.get("indent", 0)))))
        elif element["type"] == "rich_text_preformatted":
            drawn.append(Panel(_line(element["elements"]), border_style=_LINE))
        else:
            drawn.append(_line(element["elements"]))
    return [*drawn, Text("")]


def _line(elements: Sequence[Value]) -> Text:
    from rich.text import Text

    line = Text()
    for element in elements:
        if element["type"] == "user":
            line.append(f"@{element['user_id']}", style=_LINK)
        elif element["type"] == "usergroup":
            line.append(f"@{element['usergroup_id']}", style=_LINK)
        else:
            style = element.get("style", {})
            names = [_CODE if style.get("code") else "", "bold" if style.get("bold") else ""]
            names.append("italic" if style.get("italic") else "")
            line.append(element["text"], style=" ".join(filter(None, names)))
    return line


def _table(block: Value) -> list[RenderableType]:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    settings = [*block.get("column_settings", ()), *({} for _ in block["rows"][0])]
    table = Table(
        box=box.SQUARE,
        border_style=_LINE,
        show_lines=any(len(cell["text"]) > 30 for row in block["rows"] for cell in row),
    )
    head, *rows = block["rows"]
    for cell, setting in zip(head, settings, strict=False):
        right = setting.get("align") == "right"
        table.add_column(Text(cell["text"]), justify="right" if right else "left", overflow="fold", no_wrap=right)
    for row in rows:
        table.add_row(*(Text(cell["text"]) for cell in row))
    return [table, Text("")]


def _actions(block: Value) -> list[RenderableType]:
    from rich.text import Text

    line = Text()
    for element in block["elements"]:
        if element["type"] == "feedback_buttons":
            texts = [element[name]["text"]["text"] for name in ("positive_button", "negative_button")]
            line.append(f"( {texts[0]} ) ( {texts[1]} )", style="dim")
        else:
            style = _PRIMARY if element.get("style") == "primary" else _BUTTON
            line.append(f" {element['text']['text']} ", style=style)
            line.append("  ")
    return [line]


def _input(block: Value) -> list[RenderableType]:
    from rich.panel import Panel
    from rich.text import Text

    hint = block["element"].get("placeholder", {}).get("text", "")
    return [Text(block["label"]["text"], style="bold"), Panel(Text(hint, style="dim"))]


def _words(text: Value) -> str:
    return _acted(text["text"]) if text["type"] == "mrkdwn" else str(text["text"])


def _acted(text: str) -> str:
    """Our own tokens as a reader would see them, then the escapes."""
    shown = _TOKEN.sub(lambda match: match[1].partition("|")[2] or match[1].lstrip("!"), text)
    return shown.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _divider(block: Value) -> list[RenderableType]:
    from rich.rule import Rule

    return [Rule(style="dim")]


_DRAWN: dict[str, Callable[[Value], list[RenderableType]]] = {
    "header": _header,
    "section": _section,
    "context": _context,
    "rich_text": _rich_text,
    "table": _table,
    "actions": _actions,
    "context_actions": _actions,
    "input": _input,
    "divider": _divider,
}


# --- pictures --------------------------------------------------------------------------------------------------------

_SVG = """<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; \
font-size: {char_height}px; line-height: {line_height}px; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/>
</clipPath>
</defs>
<rect width="{width}" height="{height}" fill="#ffffff"/>
<g clip-path="url(#{unique_id}-clip-terminal)" transform="translate(8, 8)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""
"""No font or address from elsewhere: it looks the same wherever it is opened."""


def picture(shown: Message | Value, *, title: str = "") -> str:
    """The same as an SVG on white, without anything that has to be fetched."""
    import io

    from rich.console import Console
    from rich.terminal_theme import DEFAULT_TERMINAL_THEME

    console = Console(record=True, width=_WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(show(shown, title=title))
    svg = console.export_svg(title="", theme=DEFAULT_TERMINAL_THEME, code_format=_SVG, unique_id="frostline")
    return re.sub(r' clip-path="url\(#frostline-line-\d+\)"', "", svg)
