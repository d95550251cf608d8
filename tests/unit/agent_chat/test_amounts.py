"""Amounts as people write them."""

from __future__ import annotations

import pytest

from agent.offline.amounts import amount_in, bare_amount, without_amounts


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("will we stay under $5,000 this month", (5_000, "USD")),
        ("5k dollars", (5_000, "USD")),
        ("a budget of 12k credits", (12_000, "credits")),
        ("2000 credits or less", (2_000, "credits")),
        ("over 1.5 million usd", (1_500_000, "USD")),
        ("budget of 40000", (40_000, "USD")),
        ("stay under 300.50", (300.5, "USD")),
        ("on track for $100k", (100_000, "USD")),
        ("how many credits are left of a budget of 20000", (20_000, "credits")),
        ("what do credits cost within a budget of 20000 dollars", (20_000, "USD")),
        ("in the last 30 days", None),
        ("within 14 days", None),
        ("is it 85 % accurate", None),
        ("no amount here", None),
        ("budget of 0", None),
    ],
)
def test_an_amount_is_read(text: str, found: tuple[float, str] | None) -> None:
    assert amount_in(text) == found


def test_an_amount_leaves_no_name_behind() -> None:
    text = "will we exceed $40,000 this month"
    assert "$" not in without_amounts(text) and len(without_amounts(text)) == len(text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        *(("30000", 30_000.0), ("30,000", 30_000.0), ("12k", 12_000.0), ("1.5M", 1_500_000.0), (" 10 ", 10.0)),
        *(("0", None), ("-5", None), ("12kg", None), ("12 k credits", None), ("", None), ("nan", None), ("1e9", None)),
    ],
)
def test_a_commands_amount_is_a_number_alone(text: str, found: float | None) -> None:
    assert bare_amount(text) == found
