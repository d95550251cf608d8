"""What all pictures share: the file, and text that a drawing library takes as text."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from tools.errors import BadArgument

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["SUFFIXES", "check_file", "safe", "save"]

SUFFIXES = (".png", ".svg")


def check_file(file: Path) -> None:
    """
    Raises:
        BadArgument: the file is no .png or .svg.
    """
    if file.suffix.lower() not in SUFFIXES:
        raise BadArgument(f"A chart is a {' or '.join(SUFFIXES)} file.", hint="--chart credits.png")


def save(figure: Figure, file: Path, *, title: str, alt: str = "", dpi: int = 160) -> None:
    """Write the figure; title and alternative text stand in the file's own metadata too.

    Raises:
        BadArgument: the file cannot be written.
    """
    metadata = {"Title": title, "Description": alt} if alt else {"Title": title}
    try:
        figure.savefig(file, dpi=dpi, metadata=metadata)
    except OSError as error:
        raise BadArgument(f"The chart cannot be written ({error.strerror}).", hint=str(file)) from None


def safe(text: str) -> str:
    """Text from an account as the library draws it literally: a "$" begins no formula, unknown letters become "?"."""
    known = _glyphs()
    return "".join(char if ord(char) in known else "?" for char in text).replace("$", r"\$")


@cache
def _glyphs() -> frozenset[int]:
    """Code points of the font that is drawn with; another would be a box, with a warning."""
    from matplotlib.font_manager import findfont, get_font

    return frozenset(get_font(findfont("DejaVu Sans")).get_charmap())
