"""How the command line speaks: one JSON object on stdout with --json, tables and prose without, errors on stderr."""

from __future__ import annotations

import json
import os
import sys
import traceback
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from tools.errors import FrostlineError

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

__all__ = ["Output", "readable", "visible"]

_UNSEEN = ("Cc", "Cf", "Cs", "Zl", "Zp")


def visible(text: str, keep: str = "") -> str:
    """Characters that a terminal obeys instead of showing (escapes, line breaks, a turned direction), escaped.

    A reason or a name must not paint over the statement that somebody is about to approve.
    """
    return "".join(
        ascii(char)[1:-1] if char not in keep and unicodedata.category(char) in _UNSEEN else char for char in text
    )


def readable(text: str | None) -> str | None:
    """Bytes of the command line that are not UTF-8 come in as lone surrogates, which no store and no JSON takes."""
    return None if text is None else text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


@dataclass
class Output:
    """One command's way of speaking."""

    as_json: bool = False
    state_dir: Path | None = None
    """Where a bug's traceback is kept; None before the settings are read."""
    failed: Callable[[dict[str, str | None]], dict[str, Any]] = field(default=lambda error: {"error": error})
    """What --json prints for an error; a command whose object has other fields keeps them all."""
    _progress_shown: dict[str, int] = field(default_factory=dict)

    @property
    def console(self) -> Console:
        from rich.console import Console

        # Beside a terminal nobody reflows: a pipe or a file gets whole lines.
        return Console(highlight=False) if sys.stdout.isatty() else Console(highlight=False, width=240)

    @property
    def stderr(self) -> Console:
        from rich.console import Console

        return Console(stderr=True, highlight=False, soft_wrap=True)

    def json(self, value: Any) -> None:
        typer.echo(readable(json.dumps(value, default=_plain, ensure_ascii=False)))

    def say(self, text: RenderableType = "") -> None:
        """Rich markup is off for plain strings: text from an account is never markup."""
        self.console.print(visible(text, "\n") if isinstance(text, str) else text, markup=False)

    def note(self, text: str) -> None:
        self.stderr.print(visible(text, "\n"), markup=False, style="dim")

    def markdown(self, text: str) -> None:
        if sys.stdout.isatty():
            from rich.markdown import Markdown

            self.console.print(Markdown(text))
        else:
            typer.echo(text)

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[object]], *, right: Sequence[str] = ()) -> None:
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, pad_edge=False, header_style="bold", show_header=any(columns))
        for column in columns:
            table.add_column(column, justify="right" if column in right else "left", overflow="fold")
        for row in rows:
            table.add_row(*(Text("" if cell is None else visible(str(cell))) for cell in row))
        console = self.console
        with console.capture() as drawn:
            console.print(table)
        typer.echo("\n".join(line.rstrip() for line in drawn.get().splitlines()))

    @contextmanager
    def edge(self) -> Iterator[None]:
        """The last catch before the person: every error becomes a clear message and an exit code."""
        try:
            yield
        except FrostlineError as error:
            self.error(error.as_json())
            raise typer.Exit(error.exit_code) from None
        except (typer.Exit, typer.Abort):
            raise
        except BrokenPipeError:
            raise typer.Exit(1) from None
        except Exception as error:
            kept = self._keep_traceback()
            where = f"Details are in {kept}." if kept else "Set FROSTLINE_HOME to keep details."
            self.error(
                {"code": "bug", "message": f"Frostline failed unexpectedly ({type(error).__name__}).", "hint": where}
            )
            raise typer.Exit(1) from None

    @contextmanager
    def progress(self, title: str) -> Iterator[ProgressCallback]:
        """A bar on a terminal, a line each quarter elsewhere; always on stderr."""
        if sys.stderr.isatty():
            from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

            columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
            with Progress(*columns, console=self.stderr, transient=True) as bar:
                task = bar.add_task(title, total=1.0)
                yield lambda done, text: bar.update(task, completed=done, description=f"{title}: {text}")
        else:
            yield lambda done, text: self._quarter(title, done, text)

    @contextmanager
    def working(self, text: str) -> Iterator[None]:
        """A spinner on a terminal while something takes its time."""
        if not sys.stderr.isatty() or self.as_json:
            yield
            return
        with self.stderr.status(text):
            yield

    def _quarter(self, title: str, done: float, text: str) -> None:
        step = int(done * 4)
        if self._progress_shown.get(title, -1) < step:
            self._progress_shown[title] = step
            self.note(f"{title}: {done:.0%} {text}")

    def error(self, error: dict[str, str | None]) -> None:
        if self.as_json:
            self.json(self.failed(error))
            return
        self.stderr.print(f"Error: {visible(error['message'] or '', chr(10))}", markup=False, style="red")
        if hint := error.get("hint"):
            self.stderr.print(f"  {visible(hint, chr(10))}", markup=False)

    def _keep_traceback(self) -> Path | None:
        if self.state_dir is None or not self.state_dir.is_dir():
            return None
        path = self.state_dir / "errors.log"
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        except OSError:  # full, read-only or somebody else's: the person is told the error all the same
            return None
        with open(descriptor, "a", encoding="utf-8") as log:
            # Frames and the type without its message: no secret and no query text gets into the file.
            kind, _, frames = sys.exc_info()
            name = kind.__name__ if kind else ""
            log.write(f"{datetime.now(UTC).isoformat()} {name}\n{''.join(traceback.format_tb(frames))}\n")
        return path


if TYPE_CHECKING:
    ProgressCallback = Callable[[float, str], None]


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    return str(value)
