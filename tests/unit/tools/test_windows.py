"""Phrases of time: the conventions of the design, daylight saving, nonsense, and phrases inside sentences."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.errors import BadArgument
from tools.result import Window
from tools.windows.calendars import add_months, midnight, slot_minutes, zone
from tools.windows.parse import describe, find_windows, parse_window, previous_window, read_window

NOW = datetime(2026, 11, 23, 18, 20, tzinfo=UTC)  # a Monday, 10:20 in Los Angeles
LA = "America/Los_Angeles"
ZONES = (
    "UTC",
    LA,
    "Europe/Berlin",
    "Asia/Kolkata",
    "America/Sao_Paulo",
    "Australia/Lord_Howe",
    "America/Havana",
    "Pacific/Apia",
)

PHRASES = [
    ("yesterday", "2026-11-22"),
    ("YESTERDAY?", "2026-11-22"),
    ("the day before yesterday", "2026-11-21"),
    ("last night", "2026-11-22 20:00 to 2026-11-23 06:00"),
    ("overnight", "2026-11-22 20:00 to 2026-11-23 06:00"),
    ("during the night", "2026-11-22 20:00 to 2026-11-23 06:00"),
    ("this morning", "2026-11-23 06:00 to 10:20"),
    ("yesterday evening", "2026-11-22 18:00 to 2026-11-23 00:00"),
    ("in the morning of Nov 7", "2026-11-07 06:00 to 12:00"),
    ("on Friday afternoon", "2026-11-20 12:00 to 18:00"),
    ("yesterday between 8am and 5pm", "2026-11-22 08:00 to 17:00"),
    ("from 22:00 to 24:00 on 2026-11-07", "2026-11-07 22:00 to 2026-11-08 00:00"),
    ("yesterday at 3am", "2026-11-22 03:00 to 04:00"),
    ("at 23:00 on Nov 7", "2026-11-07 23:00 to 2026-11-08 00:00"),
    ("week 46", "2026-11-09 to 2026-11-15"),
    ("CW 50", "2025-12-08 to 2025-12-14"),
    ("week 1 of 2026", "2025-12-29 to 2026-01-04"),
    ("3.11.2026", "2026-11-03"),
    ("13/11/2026", "2026-11-13"),
    ("11/13/2026", "2026-11-13"),
    ("3.11.2026 to 9.11.2026", "2026-11-03 to 2026-11-09"),
    ("today", "2026-11-23 00:00 to 10:20"),
    ("today so far", "2026-11-23 00:00 to 10:20"),
    ("last 7 days", "2026-11-16 to 2026-11-22"),
    ("the last seven days", "2026-11-16 to 2026-11-22"),
    ("past week", "2026-11-16 to 2026-11-22"),
    ("last 30 days", "2026-10-24 to 2026-11-22"),
    ("past 24 hours", "2026-11-22 10:00 to 2026-11-23 10:00"),
    ("last 24h", "2026-11-22 10:00 to 2026-11-23 10:00"),
    ("past 7d", "2026-11-16 to 2026-11-22"),
    ("last 2w", "2026-11-09 to 2026-11-22"),
    ("since the start of the month", "2026-11-01 00:00 to 2026-11-23 10:20"),
    ("last hour", "2026-11-23 09:00 to 10:00"),
    ("this week", "2026-11-23 00:00 to 10:20"),
    ("last week", "2026-11-16 to 2026-11-22"),
    ("the previous week", "2026-11-16 to 2026-11-22"),
    ("last 2 weeks", "2026-11-09 to 2026-11-22"),
    ("2 weeks ago", "2026-11-09 to 2026-11-15"),
    ("3 days ago", "2026-11-20"),
    ("this month", "2026-11-01 00:00 to 2026-11-23 10:20"),
    ("month to date", "2026-11-01 00:00 to 2026-11-23 10:20"),
    ("mtd", "2026-11-01 00:00 to 2026-11-23 10:20"),
    ("last month", "2026-10-01 to 2026-10-31"),
    ("last 3 months", "2026-08-01 to 2026-10-31"),
    ("past month", "2026-10-23 to 2026-11-22"),
    ("this quarter", "2026-10-01 00:00 to 2026-11-23 10:20"),
    ("last quarter", "2026-07-01 to 2026-09-30"),
    ("Q3", "2026-07-01 to 2026-09-30"),
    ("q4 2025", "2025-10-01 to 2025-12-31"),
    ("this year", "2026-01-01 00:00 to 2026-11-23 10:20"),
    ("last year", "2025-01-01 to 2025-12-31"),
    ("last Tuesday", "2026-11-17"),
    ("on Monday", "2026-11-16"),
    ("on fri", "2026-11-20"),
    ("last weekend", "2026-11-21 to 2026-11-22"),
    ("2026-11-03", "2026-11-03"),
    ("3 Nov", "2026-11-03"),
    ("3rd of November", "2026-11-03"),
    ("November 3, 2026", "2026-11-03"),
    ("Nov 30", "2025-11-30"),
    ("Feb 29", "2024-02-29"),
    ("Nov 3 to Nov 9", "2026-11-03 to 2026-11-09"),
    ("Nov 3-9", "2026-11-03 to 2026-11-09"),
    ("3 to 9 November", "2026-11-03 to 2026-11-09"),
    ("between 2026-11-03 and 2026-11-09", "2026-11-03 to 2026-11-09"),
    ("2026-11-03..2026-11-09", "2026-11-03 to 2026-11-09"),
    ("2026-11-03/2026-11-09", "2026-11-03 to 2026-11-09"),
    ("Dec 20 to Jan 5", "2025-12-20 to 2026-01-05"),
    ("Nov 20 to Nov 30", "2026-11-20 00:00 to 2026-11-23 10:20"),
    ("2026-11-03T10:00..2026-11-03T12:00", "2026-11-03 10:00 to 12:00"),
    ("2026-11-03T18:00Z..2026-11-03T20:00Z", "2026-11-03 10:00 to 12:00"),
    ("since Monday", "2026-11-16 00:00 to 2026-11-23 10:20"),
    ("since 1 November", "2026-11-01 00:00 to 2026-11-23 10:20"),
    ("since March", "2026-03-01 00:00 to 2026-11-23 10:20"),
    ("in October", "2026-10-01 to 2026-10-31"),
    ("October 2026", "2026-10-01 to 2026-10-31"),
    ("in December", "2025-12-01 to 2025-12-31"),
    ("2026-10", "2026-10-01 to 2026-10-31"),
    ("week of Nov 4", "2026-11-02 to 2026-11-08"),
]


@pytest.mark.parametrize(("phrase", "dates"), PHRASES)
def test_a_phrase_is_read_by_the_convention(phrase: str, dates: str) -> None:
    window, label, _ = parse_window(phrase, NOW, LA)
    assert describe(window) == dates
    assert label
    assert window.tz == LA


@pytest.mark.parametrize(
    "nonsense",
    [
        "",
        "gibberish",
        "2026-13-01",
        "Nov 31",
        "11/03/2026",
        "31.11.2026",
        "week 54",
        "week 0",
        "yesterday from 5pm to 8am",
        "yesterday between 13pm and 15pm",
        "past 30 minutes",
        "last 99999 days",
        "last 0 days",
        "\x00",
        "x" * 10_000,
        "last 7 days; DROP TABLE x",
        "٣ days ago and",
    ],
)
def test_nonsense_is_a_bad_argument_with_examples(nonsense: str) -> None:
    with pytest.raises(BadArgument) as caught:
        parse_window(nonsense, NOW, LA)
    assert "last 7 days" in (caught.value.hint or "")
    assert len(caught.value.message) < 200


@pytest.mark.parametrize(
    "phrase", ["tomorrow", "next week", "2027-01-01", "this evening", "next 3 days", "2026-12-01 to 2026-12-05"]
)
def test_the_future_is_refused_and_named(phrase: str) -> None:
    with pytest.raises(BadArgument, match="future"):
        parse_window(phrase, NOW, LA)


def test_many_hours_are_told_as_days() -> None:
    labels = [parse_window(f"past {n} hours", NOW, LA).label for n in (1, 24, 36, 48, 168)]
    assert labels[:3] == ["the last full hour", "the past 24 hours", "the past 36 hours"]
    assert labels[3:] == ["the past 2 days to the hour", "the past 7 days to the hour"]


def test_last_night_is_ten_hours_of_the_clock_and_ends_at_now_before_dawn() -> None:
    after_the_change = datetime(2026, 11, 1, 18, tzinfo=UTC)  # the clocks went back in that night
    window, _, convention = parse_window("last night", after_the_change, LA)
    assert describe(window) == "2026-10-31 20:00 to 2026-11-01 06:00"
    assert window.end - window.start == timedelta(hours=11)
    assert convention == "Last night is from yesterday 20:00 to today 06:00."
    early = datetime(2026, 11, 23, 11, tzinfo=UTC)
    assert describe(parse_window("last night", early, LA).window) == "2026-11-22 20:00 to 2026-11-23 03:00"


def test_a_reversed_range_is_refused() -> None:
    with pytest.raises(BadArgument, match="before it starts"):
        parse_window("Nov 9 2026 to Nov 3 2026", NOW, LA)


def test_an_unknown_zone_is_a_bad_argument() -> None:
    with pytest.raises(BadArgument):
        parse_window("yesterday", NOW, "Mars/Olympus")


def test_past_hours_end_at_the_last_covered_hour() -> None:
    covered = datetime(2026, 11, 23, 15, 20, tzinfo=UTC)
    window, _, convention = parse_window("past 6 hours", NOW, "UTC", covered)
    assert window.start == datetime(2026, 11, 23, 9, tzinfo=UTC)
    assert window.end == datetime(2026, 11, 23, 15, tzinfo=UTC)
    assert "loaded" in convention


PREVIOUS = [
    ("yesterday", "2026-11-21"),
    ("last 7 days", "2026-11-09 to 2026-11-15"),
    ("last week", "2026-11-09 to 2026-11-15"),
    ("last month", "2026-09-01 to 2026-09-30"),
    ("last quarter", "2026-04-01 to 2026-06-30"),
    ("past 24 hours", "2026-11-21 10:00 to 2026-11-22 10:00"),
    ("this month", "2026-10-01 00:00 to 2026-10-23 10:20"),
    ("today", "2026-11-22 00:00 to 10:20"),
    ("last Tuesday", "2026-11-10"),
    ("Nov 3 to Nov 9", "2026-10-27 to 2026-11-02"),
]


@pytest.mark.parametrize(("phrase", "dates"), PREVIOUS)
def test_the_window_before_has_the_same_calendar_shape(phrase: str, dates: str) -> None:
    assert describe(read_window(phrase, NOW, LA).previous) == dates


def test_a_cut_reading_is_compared_with_the_same_part_of_the_window_before() -> None:
    reading = read_window("this month", NOW, "UTC").cut(datetime(2026, 11, 20, 7, tzinfo=UTC))
    assert describe(reading.previous) == "2026-10-01 00:00 to 2026-10-20 07:00"


@pytest.mark.parametrize(
    ("start", "end", "before"),
    [
        (date(2026, 10, 1), date(2026, 11, 1), (date(2026, 9, 1), date(2026, 10, 1))),
        (date(2026, 3, 1), date(2026, 4, 1), (date(2026, 2, 1), date(2026, 3, 1))),
        (date(2026, 11, 16), date(2026, 11, 23), (date(2026, 11, 9), date(2026, 11, 16))),
    ],
)
def test_previous_window_of_whole_months_and_days(start: date, end: date, before: tuple[date, date]) -> None:
    tz = zone(LA)
    window = Window(start=midnight(start, tz), end=midnight(end, tz), tz=LA)
    assert previous_window(window) == Window(start=midnight(before[0], tz), end=midnight(before[1], tz), tz=LA)


def test_a_daylight_saving_day_is_one_day() -> None:
    spring, autumn = parse_window("2026-03-08", NOW, LA), parse_window("2026-11-01", NOW, LA)
    assert _hours(spring.window) == 23
    assert _hours(autumn.window) == 25


def test_a_skipped_midnight_starts_the_day_when_it_really_begins() -> None:
    window, _, _ = parse_window("2018-11-04", NOW, "America/Sao_Paulo")
    assert window.start.astimezone(UTC) == datetime(2018, 11, 4, 3, tzinfo=UTC)
    assert _hours(window) == 23


def test_slots_are_quarters_where_the_offset_is_not_whole_hours() -> None:
    day = timedelta(days=7)
    assert slot_minutes(NOW - day, NOW, ZoneInfo("Asia/Kolkata")) == 15
    assert slot_minutes(NOW - day, NOW, ZoneInfo("Australia/Lord_Howe")) == 60  # +11:00 in summer
    june = datetime(2026, 6, 1, tzinfo=UTC)
    assert slot_minutes(june, june + day, ZoneInfo("Australia/Lord_Howe")) == 15  # +10:30 in winter
    assert slot_minutes(NOW - day, NOW, ZoneInfo(LA)) == 60


@pytest.mark.parametrize(
    ("sentence", "phrases"),
    [
        ("how many credits did ETL_WH use last week?", ["last week"]),
        ("may I see what it did in May 2026", ["in May 2026"]),
        ("compare October and September 2026", ["October", "September 2026"]),
        ("top 3 users on Sun", ["on Sun"]),
        ("queries between Nov 3 and Nov 9 by day", ["between Nov 3 and Nov 9"]),
        ("credits of 3 warehouses", []),
        ("resize ETL_2026 to medium", []),
        ("show me the sun", []),
        ("will we spend more next month", ["next month"]),
    ],
)
def test_phrases_are_found_inside_sentences(sentence: str, phrases: list[str]) -> None:
    assert [found.phrase for found in find_windows(sentence, NOW, LA)] == phrases


_moments = st.integers(1_577_836_800, 1_924_905_600).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


@settings(deadline=None)
@given(now=_moments, tz=st.sampled_from(ZONES), days=st.integers(1, 400))
def test_last_n_days_is_n_local_days_that_end_at_the_last_midnight(now: datetime, tz: str, days: int) -> None:
    window, _, _ = parse_window(f"last {days} days", now, tz)
    local = zone(tz)
    today = now.astimezone(local).date()
    assert window.end == midnight(today, local)
    assert window.start == midnight(today - timedelta(days=days), local)
    assert window.end <= now < midnight(today + timedelta(days=1), local)


@settings(deadline=None)
@given(now=_moments, tz=st.sampled_from(ZONES), phrase=st.sampled_from([p for p, _ in PHRASES]))
def test_no_reading_reaches_past_now_and_the_one_before_never_overlaps(now: datetime, tz: str, phrase: str) -> None:
    try:
        reading = read_window(phrase, now, tz)
    except BadArgument:
        return  # a named date that lies in the future of this `now`
    assert reading.window.start < reading.window.end <= now
    assert reading.previous.end <= reading.window.start
    assert reading.previous.start < reading.previous.end


@settings(deadline=None)
@given(now=_moments, tz=st.sampled_from(ZONES), months=st.integers(1, 24))
def test_last_n_months_are_calendar_months(now: datetime, tz: str, months: int) -> None:
    window, _, _ = parse_window(f"last {months} months", now, tz)
    first = now.astimezone(zone(tz)).date().replace(day=1)
    assert window.end == midnight(first, zone(tz))
    assert window.start == midnight(add_months(first, -months), zone(tz))


@settings(deadline=None)
@given(text=st.text(max_size=60))
def test_any_text_is_a_window_or_a_bad_argument(text: str) -> None:
    try:
        parse_window(text, NOW, LA)
    except BadArgument as error:
        assert error.hint


@settings(deadline=None)
@given(text=st.text(max_size=60))
def test_any_sentence_can_be_searched(text: str) -> None:
    for found in find_windows(text, NOW, LA):
        assert text[found.start : found.end] == found.phrase


def _hours(window: Window) -> float:
    return (window.end - window.start).total_seconds() / 3600


@pytest.mark.parametrize("phrase", ["between Nov 9 and Nov 3", "from October to September", "Nov 9 to 3"])
def test_a_range_that_ends_before_it_begins_is_not_taken_into_the_next_year(phrase: str) -> None:
    with pytest.raises(BadArgument, match="ends before it starts"):
        read_window(phrase, NOW, LA)


def test_months_that_are_compared_are_two_windows() -> None:
    found = find_windows("compare October to September", NOW, LA)
    assert [f.phrase for f in found] == ["October", "September"]


@pytest.mark.parametrize("phrase", ["December 9999", "in December 9999", "9999-12", "Q4 9999", "since December 9999"])
@pytest.mark.parametrize("tz", ["UTC", LA, "Pacific/Apia"])
def test_a_year_at_the_end_of_the_calendar_is_refused_and_breaks_nothing(phrase: str, tz: str) -> None:
    with pytest.raises(BadArgument):
        read_window(phrase, NOW, tz)
    assert find_windows(f"credits {phrase}", NOW, tz) == []
