"""Tables of the benchmarks: printed, and kept in docs/benchmarks.md by sections.

A bench module has `run(out) -> list[Table]`, which writes its progress to `out`, and ends with

    if __name__ == "__main__":
        report("Forecasts", "python -m evals.bench_forecast", run)

A section is replaced whole when it is written again; other sections stay as they are.
"""

from __future__ import annotations

import argparse
import platform
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TextIO

__all__ = ["Table", "report", "show", "write_section"]

PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"
_TITLE = "# Benchmarks\n\nMeasured by `make bench`; each section says how and when. Figures, never a gate.\n"
_VERSIONS = ("numpy", "pandas", "scikit-learn", "statsmodels")


@dataclass(frozen=True)
class Table:
    """`rows` hold words and numbers, one element a column; `notes` are sentences that stand below the table."""

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[str | float | int | None, ...]]
    notes: tuple[str, ...] = field(default=())


def show(table: Table, out: TextIO) -> None:
    """For a terminal: aligned columns."""
    cells = [table.columns, *[tuple(_cell(value) for value in row) for row in table.rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(table.columns))]
    out.write(f"\n{table.title}\n")
    for row in cells:
        words = [
            word.ljust(width) if i == 0 else word.rjust(width)
            for i, (word, width) in enumerate(zip(row, widths, strict=True))
        ]
        out.write("  ".join(words).rstrip() + "\n")
    for note in table.notes:
        out.write(f"{note}\n")
    out.flush()


def write_section(section: str, command: str, tables: Sequence[Table], page: Path = PAGE) -> None:
    """Put the tables into the page under `## section`, in the place of what stood there."""
    parts = [f"## {section}\n", f"`{command}`, {datetime.now(UTC):%Y-%m-%d}; {_versions()}.\n"]
    for table in tables:
        parts += [f"### {table.title}\n", _markdown(table), *[f"{note}\n" for note in table.notes]]
    text = "\n".join(parts)
    old = page.read_text(encoding="utf-8") if page.exists() else _TITLE
    there = re.compile(rf"^## {re.escape(section)}\n.*?(?=^## |\Z)", re.DOTALL | re.MULTILINE)
    new = there.sub(lambda _: text + "\n", old) if there.search(old) else old.rstrip("\n") + "\n\n" + text
    page.write_text(new.rstrip("\n") + "\n", encoding="utf-8")


def report(section: str, command: str, run: Callable[[TextIO], list[Table]]) -> None:
    """The whole of a bench module's main: run, print, and with --write keep the tables in the page."""
    arguments = argparse.ArgumentParser(description=f"Benchmark: {section}")
    arguments.add_argument("--write", action="store_true", help="keep the tables in docs/benchmarks.md")
    wanted = arguments.parse_args()
    tables = run(sys.stdout)
    for table in tables:
        show(table, sys.stdout)
    if wanted.write:
        write_section(section, command, tables)


def _cell(value: str | float | int | None) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}" if abs(value) < 0.1 else f"{value:.3f}"
    return str(value)


def _markdown(table: Table) -> str:
    head = "| " + " | ".join(table.columns) + " |\n|" + "---|" * len(table.columns) + "\n"
    return head + "".join("| " + " | ".join(_cell(value) for value in row) + " |\n" for row in table.rows)


def _versions() -> str:
    found = [f"Python {platform.python_version()}"]
    for name in _VERSIONS:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return ", ".join(found)
