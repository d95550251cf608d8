"""What a conversation remembers of its turns: the last few as they went, of older ones the question alone. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

__all__ = ["remember"]

_MOST_TEXT = 300
_RECENT = 4
_OLDER = 12


def remember(
    talk: Iterable[Mapping[str, Any]], *, person: str, asked: str, did: Sequence[str], said: str
) -> list[dict[str, Any]]:
    """The conversation with one turn more; old turns keep their question only, the oldest are forgotten."""
    kept = [dict(turn) for turn in talk]
    kept.append({"person": person, "asked": asked[:_MOST_TEXT], "did": list(did)[:4], "said": said[:_MOST_TEXT]})
    older, recent = kept[:-_RECENT], kept[-_RECENT:]
    return [{"person": turn["person"], "asked": str(turn["asked"])[:80]} for turn in older][-_OLDER:] + recent
