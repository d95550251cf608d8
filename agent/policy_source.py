"""The file that a policy is read from: whether it has changed since, and whether another stands there by now."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TypeAlias

from tools.errors import BadSettings

__all__ = ["PolicySource"]

_Stamp: TypeAlias = tuple[int, int, int]
_NEVER_READ: _Stamp = (-1, -1, -1)


class PolicySource:
    """A file that is followed; None: what is awaited may still come, and until then nothing changes."""

    def __init__(self, path: Path | None = None, *, awaited: Path | None = None) -> None:
        """`awaited`, as soon as something stands there, is the file from then on."""
        self._path, self._awaited = path, awaited
        self._stamp = _stamp(path)  # before it is read: what is written meanwhile is a change

    def news(self) -> tuple[str, _Stamp | None] | None:
        """The text that stands there, and its stamp for `taken`; None where it is the one that was taken.

        Raises:
            BadSettings: it cannot be read.
        """
        # Whatever stands there counts, also what cannot be read: the policy of before may be the wider one.
        awaited = self._awaited
        if awaited is not None and os.path.lexists(awaited):
            self._stamp, self._path = _NEVER_READ, awaited
            self._awaited = None  # last: what another thread does here meanwhile is the same again
        if self._path is None or (stamp := _stamp(self._path)) == self._stamp:
            return None
        return self.read(self._path), stamp

    def taken(self, stamp: _Stamp | None) -> None:
        """The text could be used: until then, every look tries again."""
        self._stamp = stamp

    @staticmethod
    def read(path: Path) -> str:
        """
        Raises:
            BadSettings: it cannot be read.
        """
        try:
            return path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise BadSettings(f"The policy cannot be read ({type(error).__name__}).", hint=str(path)) from None


def _stamp(path: Path | None) -> _Stamp | None:
    """Changes when the file does, also when another is put in its place; None where there is none."""
    if path is None:
        return None
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size, found.st_ino)
