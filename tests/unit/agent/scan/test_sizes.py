"""Which sizes were left in place: the rule alone."""

from __future__ import annotations

from typing import Any

import pytest

from agent.scan.sizes import SizeDay, forgotten
from tests.doubles.account import NOW
from tests.unit.agent.scan.looking import size_days
from tools.domain import Size

S, M, L = Size.SMALL, Size.MEDIUM, Size.LARGE


def _days(*runs: tuple[int, int, Size]) -> list[SizeDay]:
    return [SizeDay(r["day"], Size.parse(r["size"]), r["first_at"], r["last_at"]) for r in size_days("W", *runs)]


@pytest.mark.parametrize(
    ("runs", "now", "usual"),
    [
        (((30, 6, S), (5, 0, L)), L, S),
        (((30, 10, S), (9, 5, M), (4, 0, L)), L, S),
        (((30, 6, S), (5, 0, L)), S, None),  # taken back meanwhile
        (((30, 6, L), (5, 0, S)), S, None),  # made smaller
        (((30, 1, S), (0, 0, L)), L, None),  # today's job
        (((9, 6, S), (5, 0, L)), L, None),  # too little to tell what is usual
        (((30, 0, L),), L, None),
        (((30, 20, S), (19, 12, L), (11, 6, S), (5, 0, L)), L, None),  # large every other week: a habit
        ((), L, None),
        (((30, 6, S), (5, 0, L)), None, None),  # adaptive: no size
    ],
)
def test_what_is_forgotten(runs: Any, now: Size | None, usual: Size | None) -> None:
    found = forgotten(_days(*runs), now, NOW)
    assert (found.usual if found else None) is usual
