"""A table that fits a phone, and the same as CSV where it is long."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass

from bots.slack.render.blocks import Block
from bots.slack.render.limits import PHONE_COLUMNS, TABLE_FILL, TABLE_SHOWN_ROWS
from bots.slack.render.markdown import Table
from bots.slack.render.text import shortened
from bots.slack.types import Attachment

__all__ = ["DrawnTable", "csv_of", "draw", "folded"]

_CELL = 400
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"[+-]?[\d.,]+( %| credits)?")


@dataclass(frozen=True)
class DrawnTable:
    block: Block
    shown: int
    """Rows in it, without the head."""
    whole: bool
    """False where rows or parts of cells are left out: attach `csv_of`."""


def draw(table: Table) -> DrawnTable:
    """At most three columns; the first rows where there are many."""
    narrow = folded(table)
    head = [_cell(cell) for cell in narrow.head]
    rows, room, cut = [head], TABLE_FILL - _length(head), False
    for row in narrow.rows[:TABLE_SHOWN_ROWS]:
        cells = [_cell(cell) for cell in row]
        room -= _length(cells)
        if room < 0 and len(rows) > 1:
            break
        cut = cut or any(len(cell) > _CELL for cell in row)
        rows.append(cells)
    settings = [{"align": "right"} if right else {"is_wrapped": True} for right in narrow.right]
    shown = len(rows) - 1
    block = {"type": "table", "rows": rows, "column_settings": settings}
    return DrawnTable(block, shown, whole=shown == len(table.rows) and not cut)


def folded(table: Table) -> Table:
    """Wider ones become: first column, "Head value · Head value", the main figure; nothing is dropped.

    The main figure is the one that the rows are sorted by, else the first one, else the last column.
    """
    width = len(table.head)
    if width <= PHONE_COLUMNS:
        return table
    main = _main(table)
    inner = [n for n in range(1, width) if n != main]
    rows = tuple(
        (row[0], " · ".join(f"{table.head[n]} {row[n]}".strip() for n in inner), row[main]) for row in table.rows
    )
    return Table((table.head[0], "Details", table.head[main]), rows, (table.right[0], False, table.right[main]))


def _main(table: Table) -> int:
    columns = [n for n in range(1, len(table.head)) if table.right[n]]
    figures = {n: [_figure(row[n]) for row in table.rows] for n in columns}
    known = {n: [value for value in values if value is not None] for n, values in figures.items()}
    falling = [n for n, v in known.items() if len(set(v)) > 1 and len(v) == len(table.rows) and v == sorted(v)[::-1]]
    numbers = [n for n in columns if len(known[n]) == len(table.rows)]
    return next(iter([*falling, *numbers, *columns]), len(table.head) - 1)


def _figure(text: str) -> float | None:
    if not _NUMBER.fullmatch(text):
        return None
    try:
        return float(text.partition(" ")[0].replace(",", ""))
    except ValueError:
        return None


def _cell(text: str) -> Block:
    return {"type": "raw_text", "text": shortened(text, _CELL) or " "}


def _length(cells: list[Block]) -> int:
    return sum(len(cell["text"]) for cell in cells)


def csv_of(table: Table, name: str) -> Attachment:
    """The table as it was, every row. A cell that a spreadsheet would compute is made text."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([_inert(cell) for cell in table.head])
    writer.writerows([_inert(cell) for cell in row] for row in table.rows)
    return Attachment(f"{name}.csv", f"{name}.csv", out.getvalue().encode("utf-8-sig"))


def _inert(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) and not _NUMBER.fullmatch(cell) else cell
