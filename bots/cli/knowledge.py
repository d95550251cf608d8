"""`frostline knowledge ...`: the practices and people's own pages. No account is opened for any of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bots.cli.opening import settings_for
from bots.cli.output import Output

if TYPE_CHECKING:
    from knowledge.model import Passage
    from knowledge.search import Library

__all__ = ["build_index", "list_entries", "search_knowledge"]

_WHOSE = {"frostline": "Frostline's", "yours": "yours"}


@contextmanager
def _library(out: Output, profile: str | None) -> Iterator[Library]:
    from agent.library import LazyLibrary, in_our_tree

    lazy = LazyLibrary(settings_for(out, profile))
    try:
        with in_our_tree():
            yield lazy.library
    finally:
        lazy.close()


def search_knowledge(out: Output, profile: str | None, text: str, top: int, origin: str | None) -> None:
    where = {"origin": origin} if origin else None
    with out.edge(), _library(out, profile) as library:
        _ready(out, library)
        with out.working("Searching"):
            found = library.search(text, top, where=where)
        _warn(out, library)
        if out.as_json:
            out.json({"passages": [passage.as_json() for passage in found]})
        elif not found:
            out.say("Nothing speaks to that. `frostline knowledge list` shows what there is.")
        for passage in found if not out.as_json else ():
            _show(out, passage)


def list_entries(out: Output, profile: str | None) -> None:
    with out.edge(), _library(out, profile) as library:
        _ready(out, library)
        entries = library.entries()
        if out.as_json:
            shown = ("id", "title", "origin", "severity", "applies_to", "source", "checked", "tool")
            rows = [{name: getattr(entry, name) for name in shown} for entry in entries]
            out.json({"entries": rows, "warnings": list(library.warnings)})
            return
        _warn(out, library)
        columns = ("id", "title", "whose", "severity", "about", "source")
        out.table(
            columns,
            [(e.id, e.title, _WHOSE[e.origin], e.severity, ", ".join(e.applies_to), e.source) for e in entries],
        )


def build_index(out: Output, profile: str | None, force: bool) -> None:
    with out.edge(), _library(out, profile) as library:
        with out.progress("Indexing") as progress:
            state = library.refresh(progress, force=force)
        if out.as_json:
            warnings = list(library.warnings)
            out.json(
                {
                    "entries": state.entries,
                    "vectors": state.vectors,
                    "generation": state.generation,
                    "warnings": warnings,
                }
            )
            return
        _warn(out, library)
        by = "by words and meaning" if state.vectors else "by words alone"
        out.say(f"{state.entries} entries are indexed, searched {by}.")


def _ready(out: Output, library: Library) -> None:
    """The first index takes a while: say so."""
    with out.progress("Indexing") as progress:
        library.refresh(progress)


def _warn(out: Output, library: Library) -> None:
    for warning in library.warnings:
        out.note(f"Warning: {warning}")


def _show(out: Output, passage: Passage) -> None:
    about = f"{passage.id}  {passage.score:.2f}  {_WHOSE[passage.origin]}"
    out.say(f"{passage.title}\n  {about}  ({passage.source})")
    out.say("\n".join(f"  {line}" for line in passage.text.splitlines()))
    out.say()
