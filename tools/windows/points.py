"""One point of time in a phrase: '2026-11-03', '3 Nov', 'Monday', 'yesterday', 'October', '2026-11-03T10:00Z'."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from tools.windows.calendars import add_months, localize, midnight

__all__ = [
    "DATE",
    "MONTH",
    "MONTH_NAMES",
    "NUMBER",
    "POINT",
    "WEEKDAY",
    "Point",
    "number",
    "pair_of",
    "read_point",
    "weekday",
]

_MONTH_LIST = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_WORDS = (
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
)  # fmt: skip

MONTH_NAMES = (
    r"january|february|march|april|may|june|july|august|september|october|november|december"
    r"|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec"
)
MONTH = rf"(?:{MONTH_NAMES})"
WEEKDAY = (
    r"(?:monday|tuesday|wednesday|thursday|friday|saturday|sunday|mondays?|tues?|weds?|thu(?:rs?)?|fri|sat|sun|mon)"
)
NUMBER = rf"\d{{1,6}}|couple of|couple|a|an|{'|'.join(_WORDS)}|thirty|ninety"
_ISO = r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?"
DATE = (
    rf"(?:{_ISO}|\d{{4}}/\d{{2}}/\d{{2}}|\d{{1,2}}\.\d{{1,2}}\.\d{{4}}|\d{{1,2}}[/-]\d{{1,2}}[/-]\d{{4}}"
    rf"|\d{{1,2}}(?:st|nd|rd|th)?(?: of)? {MONTH}\.?(?:,? \d{{4}})?"
    rf"|{MONTH}\.? \d{{1,2}}(?:st|nd|rd|th)?(?:,? \d{{4}})?(?!\d))"
)
POINT = rf"(?:{DATE}|yesterday|today|now|(?:last )?{WEEKDAY}|{MONTH}(?:,? \d{{4}})?|\d{{4}}-\d{{2}})"

_PARTS = re.compile(
    rf"(?P<d>\d{{1,2}})(?:st|nd|rd|th)?(?: of)? (?P<m>{MONTH})\.?(?:,? (?P<y>\d{{4}}))?"
    rf"|(?P<m2>{MONTH})\.? (?P<d2>\d{{1,2}})(?:st|nd|rd|th)?(?:,? (?P<y2>\d{{4}}))?"
    rf"|(?P<m3>{MONTH})(?:,? (?P<y3>\d{{4}}))?",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Point:
    start: datetime
    end: datetime
    """After the whole day or month; equal to start for an instant."""
    yearless: bool = False
    """The year was not said: the latest that is not in the future was taken."""
    instant: bool = False

    def next_year(self, tz: ZoneInfo) -> Point:
        start, end = (midnight(add_months(moment.date(), 12), tz) for moment in (self.start, self.end))
        return replace(self, start=start, end=end)


def number(word: str) -> int:
    """'7', 'seven', 'a', 'couple of'; for month names the number of the month."""
    low = word.lower()
    if low.isdigit():
        return int(low)
    if low in _WORDS:
        return _WORDS.index(low) + 1
    fixed = {"a": 1, "an": 1, "couple": 2, "couple of": 2, "thirty": 30, "ninety": 90}
    if low in fixed:
        return fixed[low]
    return next(i for i, name in enumerate(_MONTH_LIST, start=1) if name.startswith(low[:3]))


def weekday(word: str) -> int:
    """0 for Monday."""
    return next(i for i, name in enumerate(_DAYS) if name.startswith(word.lower()[:3]))


def read_point(text: str, today: date, tz: ZoneInfo) -> Point | None:
    """The point meant, in `tz`; None where it is no date (31 November, month 13)."""
    low = text.strip().lower()
    if low in ("yesterday", "today", "now"):
        return _day(today - timedelta(days=low == "yesterday"), tz)
    if re.fullmatch(rf"(?:last )?{WEEKDAY}", low):
        back = (today.weekday() - weekday(low.removeprefix("last "))) % 7
        return _day(today - timedelta(days=back or 7), tz)
    if re.fullmatch(r"\d{4}-\d{2}", low):
        return _month(int(low[:4]), int(low[5:]), tz, False) if 1 <= int(low[5:]) <= 12 and low > "1970" else None
    if low[:4].isdigit() and len(low) > 4 and low[4] in "-/":
        return _iso(low.replace("/", "-"), tz)
    if re.fullmatch(r"\d{1,2}[./-]\d{1,2}[./-]\d{4}", low):
        return _numbered(low, tz)
    return _named(low, today, tz)


_MOST_OVER_NEW_YEAR = timedelta(days=184)
"""'Dec 20 to Jan 5' goes over the new year; 'Nov 9 to Nov 3' is a slip, not a year less six days."""


def pair_of(first: str, last: str, today: date, tz: ZoneInfo) -> tuple[Point, Point] | None:
    """The two ends of a range, where need be over the new year; None where one of them is no date.

    The last may lie before the first: what was written is no range then.
    """
    start, end = read_point(first, today, tz), read_point(last, today, tz)
    if start is None or end is None:
        return None
    if end.end <= start.start and end.yearless:
        later = end.next_year(tz)
        end = later if later.end - start.start <= _MOST_OVER_NEW_YEAR else end
    return start, end


def _day(day: date, tz: ZoneInfo, yearless: bool = False) -> Point:
    return Point(midnight(day, tz), midnight(day + timedelta(days=1), tz), yearless)


def _month(year: int, month: int, tz: ZoneInfo, yearless: bool) -> Point:
    first = date(year, month, 1)
    return Point(midnight(first, tz), midnight(add_months(first, 1), tz), yearless)


def _iso(text: str, tz: ZoneInfo) -> Point | None:
    try:
        moment = datetime.fromisoformat(text.upper())
    except ValueError:
        return None
    if not 1970 <= moment.year < 2200:
        return None
    if len(text) == 10:
        return _day(moment.date(), tz)
    local = localize(moment if moment.tzinfo else moment.replace(tzinfo=tz), tz)
    return Point(local, local, instant=True)


def _numbered(low: str, tz: ZoneInfo) -> Point | None:
    """'3.11.2026' begins with the day; '13/11/2026' and '11/13/2026' can be read in one way only.

    None for '3/11/2026', which people in different countries mean differently.
    """
    day, month, year = (int(part) for part in re.split(r"[./-]", low))
    if "." not in low and day != month:
        if day <= 12 and month <= 12:
            return None
        day, month = max(day, month), min(day, month)
    try:
        wanted = date(year, month, day)
    except ValueError:
        return None
    return _day(wanted, tz) if 1970 <= wanted.year < 2200 else None


def _named(low: str, today: date, tz: ZoneInfo) -> Point | None:
    match = _PARTS.fullmatch(low)
    if match is None:
        return None
    month = number(match["m"] or match["m2"] or match["m3"])
    given = match["y"] or match["y2"] or match["y3"]
    day = int(match["d"] or match["d2"] or 1)
    try:
        year = int(given) if given else today.year - (date(today.year, month, day) > today)
        first = date(max(year, 1970), month, day)
    except ValueError:
        return _leap_day(month, day, today, tz) if not given else None
    return _month(year, month, tz, not given) if match["m3"] else _day(first, tz, not given)


def _leap_day(month: int, day: int, today: date, tz: ZoneInfo) -> Point | None:
    """29 February without a year: the latest one there was."""
    if (month, day) != (2, 29):
        return None
    year = next(y for y in range(today.year, today.year - 9, -1) if y % 4 == 0 and date(y, 2, 29) <= today)
    return _day(date(year, 2, 29), tz, True)
