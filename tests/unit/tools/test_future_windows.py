"""Phrases of the time to come: conventions, daylight saving, nonsense, and phrases inside sentences."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.errors import BadArgument
from tools.windows.calendars import localize, midnight, zone
from tools.windows.future import find_futures, read_future
from tools.windows.parse import describe

NOW = datetime(2026, 11, 23, 18, 20, tzinfo=UTC)  # a Monday, 10:20 in Los Angeles
LA = "America/Los_Angeles"


@pytest.mark.parametrize(
    ("phrase", "dates"),
    [
        ("tomorrow", "2026-11-24"),
        ("the day after tomorrow", "2026-11-25"),
        ("next 14 days", "2026-11-24 to 2026-12-07"),
        ("over the next seven days", "2026-11-24 to 2026-11-30"),
        ("next few weeks", "2026-11-24 to 2026-12-14"),
        ("next 24 hours", "2026-11-23 11:00 to 2026-11-24 11:00"),
        ("the rest of today", "2026-11-23 11:00 to 2026-11-24 00:00"),
        ("next week", "2026-11-30 to 2026-12-06"),
        ("the coming weekend", "2026-11-28 to 2026-11-29"),
        ("next month", "2026-12-01 to 2026-12-31"),
        ("next 2 months", "2026-12-01 to 2027-01-31"),
        ("next quarter", "2027-01-01 to 2027-03-31"),
        ("next year", "2027-01-01 to 2027-12-31"),
        ("this month", "2026-11-01 to 2026-11-30"),
        ("by the end of the month", "2026-11-01 to 2026-11-30"),
        ("EOM", "2026-11-01 to 2026-11-30"),
        ("until the end of the month", "2026-11-23 to 2026-11-30"),
        ("the rest of the year", "2026-11-23 to 2026-12-31"),
        ("end of this quarter", "2026-10-01 to 2026-12-31"),
        ("in December", "2026-12-01 to 2026-12-31"),
        ("in October", "2027-10-01 to 2027-10-31"),
        ("January 2027", "2027-01-01 to 2027-01-31"),
        ("Q1", "2027-01-01 to 2027-03-31"),
        ("until Friday", "2026-11-23 to 2026-11-27"),
        ("next Friday", "2026-11-27"),
        ("on Dec 5", "2026-12-05"),
        ("by 24 December", "2026-11-23 to 2026-12-24"),
        ("2026-12-01 to 2026-12-24", "2026-12-01 to 2026-12-24"),
        ("by the end of January", "2026-11-23 to 2027-01-31"),
        ("30 days ahead", "2026-11-24 to 2026-12-23"),
    ],
)
def test_a_phrase_is_read(phrase: str, dates: str) -> None:
    assert describe(read_future(phrase, NOW, LA).window) == dates


@pytest.mark.parametrize(
    "phrase",
    ["yesterday", "last week", "2026-11-01", "", "soon", "next 0 days", "next 99999 days", "31 February", "2029"],
)
def test_what_is_no_time_to_come_is_said(phrase: str) -> None:
    with pytest.raises(BadArgument):
        read_future(phrase, NOW, LA)


@pytest.mark.parametrize(
    ("sentence", "phrases"),
    [
        ("what will ETL cost next month?", ["next month"]),
        ("credits tomorrow and next week", ["tomorrow", "next week"]),
        ("what will we spend by the end of the month on BI_WH", ["by the end of the month"]),
        ("may we go over in May", ["in May"]),
        ("credits of 3 warehouses last week", []),
        ("what was used in 2020", []),
    ],
)
def test_phrases_are_found_inside_sentences(sentence: str, phrases: list[str]) -> None:
    assert [found.phrase for found in find_futures(sentence, NOW, LA)] == phrases


_moments = st.integers(1_577_836_800, 1_924_905_600).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
_zones = st.sampled_from(("UTC", LA, "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe", "America/Havana"))


@settings(deadline=None)
@given(now=_moments, tz=_zones, days=st.integers(1, 400))
def test_next_n_days_is_n_local_days_from_the_next_midnight(now: datetime, tz: str, days: int) -> None:
    window = read_future(f"next {days} days", now, tz).window
    today = localize(now, zone(tz)).date()
    assert window.start == midnight(today + timedelta(days=1), zone(tz))
    assert window.end == midnight(today + timedelta(days=days + 1), zone(tz))


@settings(deadline=None)
@given(
    now=_moments, tz=_zones, phrase=st.sampled_from(("this month", "next quarter", "tomorrow", "until Friday", "eoy"))
)
def test_every_window_ends_in_the_future_and_begins_before_it_ends(now: datetime, tz: str, phrase: str) -> None:
    window = read_future(phrase, now, tz).window
    assert now < window.end
    assert window.start < window.end


@pytest.mark.parametrize("phrase", ["end of March 0000", "Q1 0000", "in December 9999", "by the end of December 9999"])
def test_a_year_that_no_calendar_has_is_refused_and_breaks_nothing(phrase: str) -> None:
    with pytest.raises(BadArgument):
        read_future(phrase, NOW, LA)
    find_futures(f"what will ETL cost {phrase}", NOW, LA)
