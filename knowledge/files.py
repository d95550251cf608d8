"""People's own folders: which files are read, and how a page becomes sections. What is skipped is said."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["LARGEST", "Found", "Section", "look", "read_page", "sections"]

LARGEST = 1_000_000
"""Bytes a page may have."""
_MOST_FILES = 5_000
_ENDINGS = (".md", ".markdown", ".txt")
_LONGEST_SECTION = 1_400
"""Characters; about what the embedding model reads of a text."""
_HEADING = re.compile(r"^(#{1,4})\s+(.+?)\s*#*\s*$")
_FENCE = re.compile(r"^\s*(```|~~~)")


@dataclass(frozen=True)
class Found:
    """A file that is or was there, as far as a look at the folder tells."""

    folder: Path
    path: Path
    size: int
    mtime_ns: int

    @property
    def name(self) -> str:
        """Folder and path inside it, with '/'."""
        return _short(self.folder, self.path)


@dataclass(frozen=True)
class Section:
    heading: str
    """Its heading under the headings above it, joined by ' > '; empty before the first."""
    text: str


def look(folder: Path) -> tuple[list[Found], list[str]]:
    """The pages of a folder, by name, and warnings about what is left out.

    Links are not followed: a link in a shared folder could show files of this machine to whoever asks.
    """
    if not folder.is_dir():
        return [], [f"Folder {folder} is not there or is no folder; its pages are left out."]
    found: list[Found] = []
    warnings: list[str] = []
    for path in _walk(folder, warnings):
        if path.suffix.lower() not in _ENDINGS or path.name.startswith("."):
            continue
        about = path.lstat()
        if stat.S_ISLNK(about.st_mode):
            warnings.append(f"{_short(folder, path)} is a link and is left out.")
        elif not stat.S_ISREG(about.st_mode):
            warnings.append(f"{_short(folder, path)} is no ordinary file and is left out.")
        elif about.st_size > LARGEST:
            size = about.st_size / 1_000_000
            warnings.append(f"{_short(folder, path)} has {size:,.1f} MB, more than 1 MB, and is left out.")
        elif len(found) == _MOST_FILES:
            warnings.append(f"{folder} has more than {_MOST_FILES:,} pages; the rest is left out.")
            break
        else:
            found.append(Found(folder, path, about.st_size, about.st_mtime_ns))
    return found, warnings


def _walk(folder: Path, warnings: list[str]) -> Iterator[Path]:
    def unreadable(error: OSError) -> None:
        name = os.fsencode(error.filename or folder).decode("utf-8", "replace")
        warnings.append(f"{name} cannot be read ({error.strerror}) and is left out.")

    for here, folders, files in os.walk(folder, onerror=unreadable, followlinks=False):
        links = [Path(here, name) for name in sorted(folders) if Path(here, name).is_symlink()]
        warnings.extend(f"{_short(folder, link)} is a link and is left out." for link in links)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(here, name) for name in sorted(files))


def _short(folder: Path, path: Path) -> str:
    """Names are bytes to the file system: what is no UTF-8 in one shows as '\ufffd', and could not be stored."""
    name = f"{folder.name}/{path.relative_to(folder).as_posix()}"
    return os.fsencode(name).decode("utf-8", "replace")


def read_page(found: Found) -> tuple[str | None, str]:
    """The text and "", or None and why there is none. What it is, is looked at again now that it is open."""
    try:
        descriptor = os.open(found.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with open(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return None, "is no ordinary file"
            raw = file.read(LARGEST + 1)
    except OSError as error:
        return None, f"cannot be read ({error.strerror})"
    if len(raw) > LARGEST:
        return None, "has more than 1 MB"
    if b"\0" in raw:
        return None, "is binary"
    try:
        return raw.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n"), ""
    except UnicodeDecodeError:
        return None, "is not UTF-8 text"


def sections(text: str) -> list[Section]:
    """A page cut at its headings (not at `#` inside fences); long sections are cut again between paragraphs."""
    above: list[tuple[int, str]] = []
    found: list[Section] = []
    lines: list[str] = []
    fence = None
    for line in _without_front_matter(text).split("\n"):
        mark = _FENCE.match(line)
        if mark:
            fence = None if fence == mark[1] else fence or mark[1]
        heading = None if fence else _HEADING.match(line)
        if heading is None:
            lines.append(line)
            continue
        found += _cut(above, lines)
        lines = []
        above = [*(item for item in above if item[0] < len(heading[1])), (len(heading[1]), heading[2])]
    return found + _cut(above, lines)


def _without_front_matter(text: str) -> str:
    return re.sub(r"\A---\n.*?\n---(?:\n|\Z)", "", text, count=1, flags=re.DOTALL)


def _cut(above: list[tuple[int, str]], lines: list[str]) -> list[Section]:
    heading = " > ".join(words for _, words in above)
    parts: list[str] = []
    for paragraph in re.split(r"\n\s*\n", "\n".join(lines).strip("\n")):
        for piece in _pieces(paragraph):
            if parts and len(parts[-1]) + len(piece) + 2 <= _LONGEST_SECTION:
                parts[-1] += f"\n\n{piece}"
            else:
                parts.append(piece)
    return [Section(heading, part) for part in parts if part.strip()]


def _pieces(paragraph: str) -> list[str]:
    """A paragraph longer than a section may be, in parts that end between words where there are any."""
    pieces = []
    while len(paragraph) > _LONGEST_SECTION:
        place = max(paragraph.rfind(space, 1, _LONGEST_SECTION) for space in "\n ")
        place = place if place > 0 else _LONGEST_SECTION
        pieces.append(paragraph[:place])
        paragraph = paragraph[place:].lstrip("\n ")
    return [*pieces, paragraph]
