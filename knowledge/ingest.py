"""From pages to entries: Frostline's practices, and people's own Markdown and text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from knowledge.files import Found, read_page, sections
from knowledge.model import Entry, Origin
from knowledge.practices import BadPractice, Practice, parse

__all__ = ["CHUNKING", "entries_of", "practice_entry"]

CHUNKING = 1
"""Raise it when the same page would make other entries: every index is then made anew."""
_PRACTICE = re.compile(r"\A---\n(?=.*?^id:)(?=.*?^applies_to:).*?^---$", re.DOTALL | re.MULTILINE)
_MOST_ENTRIES = 20_000


def entries_of(files: Iterable[Found], ours: Path) -> tuple[list[Entry], list[str]]:
    """All entries, and warnings about pages that are left out or were read as plain text.

    Raises:
        BadPractice: a page in `ours`, Frostline's own folder, is broken: that is our fault and no warning.
    """
    entries: list[Entry] = []
    warnings: list[str] = []
    taken: set[str] = set()
    for found in files:
        text, problem = read_page(found)
        if text is None:
            warnings.append(f"{found.name} {problem} and is left out.")
            continue
        if found.folder == ours:
            entries.append(practice_entry(parse(text, found.path.name), "frostline"))
            taken.add(entries[-1].id)
            continue
        for entry in _theirs(found, text, warnings):
            if len(entries) >= _MOST_ENTRIES:
                warnings.append(f"More than {_MOST_ENTRIES:,} sections: {found.name} and what follows is left out.")
                return entries, warnings
            entries.append(_unique(entry, taken))
    return entries, warnings


def practice_entry(page: Practice, origin: Origin, source: str | None = None) -> Entry:
    """A practice is one entry: found by what it is about or by what to do, shown whole."""
    parts = {
        "symptom": page.symptom,
        "check": page.check,
        "check_note": page.check_note,
        "action": page.action,
        "effect": page.effect,
        "caveat": page.caveat,
    }
    told = ("symptom", "action", "effect", "caveat")
    return Entry(
        id=page.id,
        title=page.title,
        text="\n\n".join(f"{name.capitalize()}: {parts[name]}" for name in told),
        source=source or page.source,
        origin=origin,
        severity=page.severity,
        applies_to=page.applies_to,
        tool=page.tool or None,
        checked=page.checked.isoformat(),
        parts=parts,
        views=(f"{page.title}. {page.symptom}", f"{page.title}. {page.action} {page.effect}"),
    )


def _theirs(found: Found, text: str, warnings: list[str]) -> list[Entry]:
    if found.path.suffix.lower() == ".md" and _PRACTICE.match(text):
        try:
            page = parse(text, found.path.name)
            return [practice_entry(page, "yours", f"{found.name} ({page.source})")]
        except BadPractice as error:
            warnings.append(f"{found.name}, line {error.line}: {error.what}; it is read as plain text.")
    return _sections(found, text)


def _sections(found: Found, text: str) -> list[Entry]:
    name = Path(found.name).stem.replace("_", " ").replace("-", " ")
    made = []
    for section in sections(text):
        title = section.heading or name
        made.append(
            Entry(
                id=f"{found.name}#{_slug(section.heading)}" if section.heading else found.name,
                title=title,
                text=section.text,
                source=found.name,
                origin="yours",
                views=(f"{title}. {section.text}",),
            )
        )
    return made


def _slug(heading: str) -> str:
    return re.sub(r"[^\w]+", "-", heading.split(" > ")[-1].casefold()).strip("-")[:60]


def _unique(entry: Entry, taken: set[str]) -> Entry:
    """An id that no other entry has: sections of one name are numbered."""
    name, number = entry.id, 2
    while name in taken:
        name, number = f"{entry.id}~{number}", number + 1
    taken.add(name)
    return entry if name == entry.id else Entry(**{**vars(entry), "id": name})
