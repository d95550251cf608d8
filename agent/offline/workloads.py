"""Kinds of work said as if they were warehouses: 'what will ETL cost?' where no warehouse is called so."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from prompts import lexicon

__all__ = ["Workload", "find_workloads"]


@dataclass(frozen=True)
class Workload:
    """A place in the text, and the warehouses whose names speak of that kind of work."""

    start: int
    end: int
    written: str
    names: tuple[str, ...]


def find_workloads(text: str, warehouses: Sequence[str], taken: Sequence[tuple[int, int]]) -> list[Workload]:
    """In order; none where the words are part of a name (`taken`), or no warehouse's name fits."""
    found: list[Workload] = []
    for pattern, parts in _kinds():
        names = tuple(name for name in warehouses if parts & set(re.split(r"[^a-z]+", name.casefold())))
        for match in pattern.finditer(text):
            free = not any(match.start() < end and start < match.end() for start, end in taken)
            if names and free:
                found.append(Workload(match.start(), match.end(), match[0], names))
    return sorted(found, key=lambda one: one.start)


@cache
def _kinds() -> tuple[tuple[re.Pattern[str], frozenset[str]], ...]:
    kinds = lexicon("workloads").values()
    return tuple(
        (re.compile(rf"(?<![\w-])(?:{'|'.join(kind['said'])})(?![\w-])", re.IGNORECASE), frozenset(kind["parts"]))
        for kind in kinds
    )
