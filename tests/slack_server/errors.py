"""A call that is refused: Slack's error code, and whether it was the caller's mistake."""

from __future__ import annotations

from typing import Any


class Refused(Exception):
    """`breach`: a client that keeps Slack's rules never causes it; it is noted as a violation."""

    def __init__(self, code: str, detail: str = "", *, breach: bool = False, **extra: Any) -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code, self.detail, self.breach, self.extra = code, detail, breach, extra


def breach(code: str, detail: str = "", **extra: Any) -> Refused:
    return Refused(code, detail, breach=True, **extra)
