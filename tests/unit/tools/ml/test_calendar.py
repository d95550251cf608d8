"""Local time, month ends and holidays behind UTC stamps."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from tools.errors import BadArgument
from tools.ml.calendar import Calendar, calendar_of


def stamps(*texts: str) -> pd.DatetimeIndex:
    return pd.DatetimeIndex([pd.Timestamp(text) for text in texts])


def test_naive_stamps_are_utc() -> None:
    angeles = Calendar("America/Los_Angeles")
    assert angeles.hour(stamps("2026-01-05 07:00", "2026-07-05 07:00")).tolist() == [23, 0]
    assert angeles.weekday(stamps("2026-01-05 07:00")).tolist() == [6]
    assert angeles.weekend(stamps("2026-01-05 07:00", "2026-01-05 09:00")).tolist() == [True, False]


def test_aware_stamps_mean_what_they_say() -> None:
    there = stamps("2026-01-05 07:00").tz_localize("Europe/Berlin")
    assert Calendar("Asia/Kolkata").local(there)[0] == pd.Timestamp("2026-01-05 11:30")


def test_the_hour_that_autumn_repeats_stands_twice_and_the_one_that_spring_skips_is_missing() -> None:
    berlin = Calendar("Europe/Berlin")
    autumn = pd.date_range("2026-10-25 00:00", periods=3, freq="h")
    spring = pd.date_range("2026-03-29 00:00", periods=3, freq="h")
    assert berlin.hour(autumn).tolist() == [2, 2, 3]
    assert berlin.hour(spring).tolist() == [1, 3, 4]


def test_month_edges_count_from_both_ends() -> None:
    days = stamps("2026-02-25", "2026-02-26", "2026-02-28", "2026-03-01", "2026-03-03", "2026-03-04")
    assert Calendar().month_edge(days).tolist() == [0, -3, -1, 1, 3, 0]
    assert Calendar(month_end=False).month_edge(days).tolist() == [0] * 6


def test_the_month_ends_by_local_time() -> None:
    assert Calendar("America/Los_Angeles").month_edge(stamps("2026-03-01 07:59", "2026-03-01 08:00")).tolist() == [
        -1,
        1,
    ]


def test_holidays_are_local_days() -> None:
    calendar = Calendar("America/New_York", frozenset({date(2026, 7, 4)}))
    seen = calendar.holiday(stamps("2026-07-04 03:00", "2026-07-04 05:00", "2026-07-05 03:00", "2026-07-05 05:00"))
    assert seen.tolist() == [False, True, True, False]


def test_a_country_brings_its_holidays() -> None:
    calendar = calendar_of("Europe/Berlin", "de", [2026])
    assert date(2026, 10, 3) in calendar.holidays
    assert calendar_of("Europe/Berlin").holidays == frozenset()


def test_american_offices_are_empty_on_the_day_after_thanksgiving() -> None:
    fridays = {date(2024, 11, 29), date(2025, 11, 28), date(2026, 11, 27)}
    assert fridays <= calendar_of("America/Los_Angeles", "us", range(2024, 2027)).holidays
    assert not fridays & calendar_of("America/Toronto", "ca", range(2024, 2027)).holidays


def test_what_is_not_known_is_refused() -> None:
    with pytest.raises(BadArgument, match="time zone"):
        Calendar("Mars/Olympus")
    with pytest.raises(BadArgument, match="country"):
        calendar_of("UTC", "zz", [2026])
