from __future__ import annotations

from datetime import timedelta

import pytest

from agent.durations import duration_of
from tools.errors import BadArgument


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30s", 30), ("2m", 120), ("1h30m", 5400), (" 7 D ", 604_800), ("1 hour 5 min", 3900), ("1w", 604_800)],
)
def test_what_is_a_length_of_time(text: str, seconds: int) -> None:
    assert duration_of(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "soon", "2", "-2m", "2m!", "1.5h", "0s", "9999999d", "800d", "2mo", "m"])
def test_what_is_none(text: str) -> None:
    with pytest.raises(BadArgument):
        duration_of(text)
