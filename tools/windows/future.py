"""Phrases of the time to come: 'tomorrow', 'next 14 days', 'by the end of the month', 'until Friday'. Pure.

The mirror of tools.windows.parse: the same units, counted forwards. A month, week or quarter that is running already is
read whole ('this month', 'by the end of the month'): the part behind us is known and only the rest is forecast. 'until'
and 'the rest of' begin today.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from tools.errors import BadArgument
from tools.result import Window
from tools.windows.calendars import add_months, floor_hour, localize, midnight, monday, quarter_start, zone
from tools.windows.parse import FoundWindow
from tools.windows.points import DATE, MONTH_NAMES, NUMBER, WEEKDAY, Point, number, read_point, weekday

__all__ = ["DEFAULT_FUTURE", "Ahead", "find_futures", "read_future"]

DEFAULT_FUTURE = "next 30 days"
_EXAMPLES = "Try: tomorrow, next 14 days, next month, by the end of the month, next quarter, in December, until Friday."
_MOST_DAYS = 800
_MOST_HOURS = 24 * 31


@dataclass(frozen=True)
class Ahead:
    """A window that ends in the future; it may begin before now, where a running month was asked for."""

    window: Window
    label: str
    convention: str
    hourly: bool = False
    """It is not made of whole days."""


@dataclass(frozen=True)
class _Now:
    now: datetime
    today: date
    tz: ZoneInfo
    name: str

    def days(self, first: date, after: date, label: str, convention: str = "") -> Ahead:
        window = Window(start=midnight(first, self.tz), end=midnight(after, self.tz), tz=self.name)
        return Ahead(window, label, convention)

    def hours(self, start: datetime, end: datetime, label: str, convention: str) -> Ahead:
        window = Window(start=localize(start, self.tz), end=localize(end, self.tz), tz=self.name)
        return Ahead(window, label, convention, hourly=True)


_Reader = Callable[["re.Match[str]", _Now], "Ahead | None"]
_PATTERNS: list[tuple[re.Pattern[str], _Reader]] = []
_UNIT = r"(?P<unit>hour|hr|h|day|d|week|wk|month|mo|quarter|qtr|year|yr)s?"
_SHORT = {"h": "hour", "hr": "hour", "d": "day", "wk": "week", "mo": "month", "qtr": "quarter", "yr": "year"}
_PERIOD = r"(?P<unit>day|week|month|quarter|year)"
_LEAD = r"(?:(?:over|in|for|within|during|of|across|the) )*"
_FEW = {"few": 3, "several": 7}


def read_future(text: str, now: datetime, tz: str) -> Ahead:
    """Read a whole phrase against account time.

    Raises:
        BadArgument: the phrase is no window, lies in the past, or is longer than anybody can forecast.
    """
    frame = _frame(now, tz)
    phrase = " ".join(text.strip(" \t\n?!.,;:'\"").split())
    found = next((a for p, r in _PATTERNS if (m := p.fullmatch(phrase)) and (a := _ahead(r, m, frame))), None)
    if found is None or len(phrase) > 200:
        raise BadArgument(f"I cannot read {_shown(text)} as a time to come.", hint=_EXAMPLES)
    return _checked(found, frame, phrase)


def find_futures(text: str, now: datetime, tz: str) -> list[FoundWindow]:
    """Every phrase of the time to come inside a sentence, left to right; the longest of those at one place."""
    frame = _frame(now, tz)
    found: list[FoundWindow] = []
    position = 0
    while position < len(text):
        hit = min(_hits(text, position, frame), key=lambda h: (h[0], -h[1]), default=None)
        if hit is None:
            break
        found.append(FoundWindow(hit[0], hit[1], text[hit[0] : hit[1]]))
        position = max(hit[1], position + 1)
    return found


def _hits(text: str, position: int, frame: _Now) -> Iterator[tuple[int, int]]:
    for pattern, reader in _PATTERNS:
        for match in pattern.finditer(text, position):
            ahead = _ahead(reader, match, frame)
            if ahead is not None and ahead.window.end > frame.now:
                yield match.start(), match.end()
                break


def _ahead(reader: _Reader, match: re.Match[str], frame: _Now) -> Ahead | None:
    """None too where it would begin or end outside of the calendar: 'December 9999', 'Q1 0000'."""
    try:
        return reader(match, frame)
    except (ValueError, OverflowError):
        return None


def _frame(now: datetime, tz: str) -> _Now:
    local = localize(now, zone(tz))
    return _Now(local, local.date(), zone(tz), tz)


def _checked(ahead: Ahead, frame: _Now, phrase: str) -> Ahead:
    window = ahead.window
    if window.end <= frame.now:
        raise BadArgument(
            f"{_shown(phrase)} lies in the past: ask for the figures themselves.", hint="Try: credits last week."
        )
    if window.end - frame.now > timedelta(days=_MOST_DAYS):
        raise BadArgument(f"{_shown(phrase)} is further ahead than a forecast reaches.", hint=_EXAMPLES)
    return ahead


def _shown(text: str) -> str:
    clean = "".join(c for c in text if c.isprintable())
    return repr(clean if len(clean) <= 60 else clean[:57] + "...")


def _reads(pattern: str) -> Callable[[_Reader], _Reader]:
    def add(reader: _Reader) -> _Reader:
        compiled = re.compile(rf"(?<![\w.\-/])(?:{pattern})(?![\w\-/])", re.IGNORECASE)
        _PATTERNS.append((compiled, reader))
        return reader

    return add


# --- days and hours --------------------------------------------------------------------------------------------------


@_reads(rf"{_LEAD}(?:the )?day after tomorrow")
def _in_two_days(match: re.Match[str], frame: _Now) -> Ahead:
    day = frame.today + timedelta(days=2)
    return frame.days(day, day + timedelta(days=1), "the day after tomorrow")


@_reads(rf"{_LEAD}tomorrow(?: morning| night| evening)?")
def _tomorrow(match: re.Match[str], frame: _Now) -> Ahead:
    day = frame.today + timedelta(days=1)
    return frame.days(day, day + timedelta(days=1), "tomorrow", "Tomorrow is the next whole local day.")


@_reads(r"(?:the )?(?:rest|remainder) of (?:the day|today)|later today|tonight|by tonight|until midnight")
def _today(match: re.Match[str], frame: _Now) -> Ahead:
    start = _next_hour(frame)
    end = midnight(frame.today + timedelta(days=1), frame.tz)
    return frame.hours(start, max(end, start + timedelta(hours=1)), "the rest of today", "From the next full hour on.")


def _next_hour(frame: _Now) -> datetime:
    return floor_hour(frame.now) + timedelta(hours=1)


# --- next N ----------------------------------------------------------------------------------------------------------


@_reads(
    rf"{_LEAD}(?:next|coming|upcoming|following) (?P<n>{NUMBER}|few|several)[ -]?(?:full |whole |calendar )?{_UNIT}"
    rf"|(?:(?:for|over|within|in) )?(?:the )?(?P<n2>{NUMBER})[ -]?(?P<unit2>hour|hr|day|week|month)s?"
    r" (?:ahead|out|from now|forward)"
)
def _next_n(match: re.Match[str], frame: _Now) -> Ahead | None:
    word = (match["n"] or match["n2"]).lower()
    unit = (match["unit"] or match["unit2"]).lower()
    count, unit = _FEW.get(word) or number(word), _SHORT.get(unit, unit)
    if count < 1 or count > (_MOST_HOURS if unit == "hour" else _MOST_DAYS):
        return None
    return _counted(frame, count, unit)


def _counted(frame: _Now, count: int, unit: str) -> Ahead:
    plural = "" if count == 1 else "s"
    label = f"the next {count} {unit}{plural}" if count > 1 else f"the next {unit}"
    tomorrow = frame.today + timedelta(days=1)
    if unit == "hour":
        start = _next_hour(frame)
        return frame.hours(start, start + timedelta(hours=count), label, "From the next full hour on.")
    if unit == "day":
        return frame.days(
            tomorrow, tomorrow + timedelta(days=count), label, "Full days after today; today is not in it."
        )
    if unit == "week":
        text = "Full days after today, seven a week."
        return frame.days(tomorrow, tomorrow + timedelta(days=7 * count), label, text)
    first, months = _after(frame.today, unit)
    text = f"Calendar {unit}s after the running one."
    return frame.days(first, add_months(first, months * count), label, text)


def _after(day: date, unit: str) -> tuple[date, int]:
    """First day of the next month, quarter or year, and its length in months."""
    first, months = _running(day, unit)
    return add_months(first, months), months


def _running(day: date, unit: str) -> tuple[date, int]:
    if unit == "quarter":
        return quarter_start(day), 3
    return (day.replace(month=1, day=1), 12) if unit == "year" else (day.replace(day=1), 1)


@_reads(
    rf"{_LEAD}(?:next|coming|upcoming|following) (?:calendar |full |whole )?(?P<unit>hour|day|week|month|quarter|year)"
)
def _next_unit(match: re.Match[str], frame: _Now) -> Ahead | None:
    unit = match["unit"].lower()
    if unit == "hour":
        return _counted(frame, 1, "hour")
    if unit == "day":
        return _tomorrow(match, frame)
    if unit == "week":
        first = monday(frame.today) + timedelta(days=7)
        return frame.days(first, first + timedelta(days=7), "next week", "Monday to Sunday.")
    first, months = _after(frame.today, unit)
    return frame.days(first, add_months(first, months), f"next {unit}", f"The whole calendar {unit}.")


@_reads(rf"{_LEAD}(?P<unit>week|month|quarter|year) after next")
def _after_next(match: re.Match[str], frame: _Now) -> Ahead:
    unit = match["unit"].lower()
    if unit == "week":
        first = monday(frame.today) + timedelta(days=14)
        return frame.days(first, first + timedelta(days=7), "the week after next", "Monday to Sunday.")
    first, months = _after(frame.today, unit)
    first = add_months(first, months)
    return frame.days(first, add_months(first, months), f"the {unit} after next", f"The whole calendar {unit}.")


@_reads(r"(?:in|during|for|of|all of) (?:the )?(?:year )?(?P<year>20\d\d)")
def _year(match: re.Match[str], frame: _Now) -> Ahead:
    first = date(int(match["year"]), 1, 1)
    text = _RUNNING if first <= frame.today else "The whole year."
    return frame.days(first, add_months(first, 12), f"{first.year}", text)


@_reads(rf"{_LEAD}(?:next|coming|upcoming|this) weekend|(?:on|over) the weekend")
def _weekend(match: re.Match[str], frame: _Now) -> Ahead:
    first = monday(frame.today) + timedelta(days=5)
    if frame.today.weekday() >= 5:
        first += timedelta(days=7)
    return frame.days(first, first + timedelta(days=2), "the coming weekend", "Saturday and Sunday.")


# --- to the end of what is running -----------------------------------------------------------------------------------

_RUNNING = "From its first day: what is behind us is measured, the rest is forecast."


@_reads(
    rf"(?:(?:by|at|before|towards?) )?(?:the )?end of (?:the |this |current |the current )?{_PERIOD}"
    r"|(?:(?:by|at|before) )?(?P<unit2>month|quarter|year|week)[- ]?end"
    r"|(?:(?:by|at|before) )?(?P<abbr>eo[wmqy])"
    rf"|(?:for )?(?:this|the current|the whole|the full|the running) (?P<unit3>week|month|quarter|year)"
)
def _whole(match: re.Match[str], frame: _Now) -> Ahead | None:
    letters = {"w": "week", "m": "month", "q": "quarter", "y": "year"}
    unit = (match["unit"] or match["unit2"] or match["unit3"] or letters[(match["abbr"] or "eom")[-1].lower()]).lower()
    if unit == "day":
        return _today(match, frame)
    if unit == "week":
        first = monday(frame.today)
        return frame.days(first, first + timedelta(days=7), "this week to its end", _RUNNING)
    first, months = _running(frame.today, unit)
    return frame.days(first, add_months(first, months), f"this {unit} to its end", _RUNNING)


@_reads(
    r"(?:(?:for|over|in) )?(?:the )?(?:rest|remainder) of (?:the |this )?(?P<unit>week|month|quarter|year)"
    r"|(?:until|till|to|through) (?:the )?end of (?:the |this )?(?P<unit2>week|month|quarter|year)"
    r"|(?:until|till|to|through) (?P<unit3>month|quarter|year)[- ]?end"
    r"|(?P<unit4>week|month|quarter|year) (?:remaining|left)"
)
def _rest(match: re.Match[str], frame: _Now) -> Ahead:
    unit = (match["unit"] or match["unit2"] or match["unit3"] or match["unit4"]).lower()
    if unit == "week":
        after = monday(frame.today) + timedelta(days=7)
    else:
        first, months = _running(frame.today, unit)
        after = add_months(first, months)
    return frame.days(frame.today, after, f"the rest of this {unit}", "Today is in it.")


@_reads(rf"(?:(?:by|at|before) )?(?:the )?end of (?:next month|(?P<name>{MONTH_NAMES})(?: (?P<year>\d{{4}}))?)")
def _by_end_of(match: re.Match[str], frame: _Now) -> Ahead:
    first = _month_ahead(frame, match["name"], match["year"]) if match["name"] else _after(frame.today, "month")[0]
    after = add_months(first, 1)
    return frame.days(frame.today, after, f"up to the end of {first:%B %Y}", "Today is in it.")


# --- named days, months, quarters ------------------------------------------------------------------------------------


def _month_ahead(frame: _Now, name: str, year: str | None) -> date:
    """The named month that is running or comes next."""
    month = number(name)
    given = int(year) if year else frame.today.year + (month < frame.today.month)
    return date(given, month, 1)


@_reads(
    rf"(?P<prep>(?:in|during|for|of|next|all of) )?(?P<name>{MONTH_NAMES})(?:,? (?P<year>\d{{4}}))?"
    r"|(?:in |during |for )?(?P<iso>\d{4}-(?:0[1-9]|1[0-2]))(?!-)"
)
def _month(match: re.Match[str], frame: _Now) -> Ahead | None:
    if match["iso"]:
        first = date(int(match["iso"][:4]), int(match["iso"][5:]), 1)
    else:
        if match["name"].lower() in ("may", "march", "mar") and not (match["prep"] or match["year"]):
            return None
        first = _month_ahead(frame, match["name"], match["year"])
    text = _RUNNING if first <= frame.today else "The whole month."
    return frame.days(first, add_months(first, 1), f"{first:%B %Y}", text)


@_reads(
    r"(?:in |during |for )?q(?P<q>[1-4])(?: (?:of )?(?P<year>\d{4}))?|(?:in |for )?(?P<year2>\d{4})[- ]?q(?P<q2>[1-4])"
)
def _quarter(match: re.Match[str], frame: _Now) -> Ahead:
    quarter, given = int(match["q"] or match["q2"]), match["year"] or match["year2"]
    year = int(given) if given else frame.today.year + (3 * quarter < frame.today.month)
    first = date(year, 3 * quarter - 2, 1)
    text = _RUNNING if first <= frame.today else "The whole quarter."
    return frame.days(first, add_months(first, 3), f"Q{quarter} {year}", text)


@_reads(rf"(?P<which>(?:on|by|until|till|through|next|this|coming|for) (?:next |this |coming )?)(?P<day>{WEEKDAY})")
def _weekday(match: re.Match[str], frame: _Now) -> Ahead:
    forward = (weekday(match["day"]) - frame.today.weekday()) % 7 or 7
    day = frame.today + timedelta(days=forward)
    return _day_or_until(match["which"], day, frame, f"{day:%A} {day}")


def _day_or_until(which: str | None, day: date, frame: _Now, label: str) -> Ahead:
    if (which or "").split()[:1] in (["by"], ["until"], ["till"], ["through"]):
        return frame.days(frame.today, day + timedelta(days=1), f"up to {day}", "Today and that day are included.")
    return frame.days(day, day + timedelta(days=1), label)


@_reads(
    rf"(?:from )?(?P<a>{DATE})(?: (?:to|until|till|through) | ?(?:–|—|\.\.) ?| - )(?P<b>{DATE})"
    rf"|between (?P<a2>{DATE}) and (?P<b2>{DATE})"
)
def _range(match: re.Match[str], frame: _Now) -> Ahead | None:
    first = _point(match["a"] or match["a2"], frame)
    last = _point(match["b"] or match["b2"], frame)
    if first is None or last is None or last.end <= first.start:
        return None
    start, after = first.start.date(), (last.end - timedelta(seconds=1)).date() + timedelta(days=1)
    return frame.days(start, after, f"{start} to {after - timedelta(days=1)}", "Both days are included.")


@_reads(rf"(?P<which>(?:on|by|until|till|through|for|before) )?(?:the )?(?P<point>{DATE})")
def _date(match: re.Match[str], frame: _Now) -> Ahead | None:
    point = _point(match["point"], frame)
    if point is None:
        return None
    day = point.start.date()
    return _day_or_until(match["which"], day, frame, f"{day}")


def _point(text: str, frame: _Now) -> Point | None:
    """A date without a year is the next such day."""
    point = read_point(text, frame.today, frame.tz)
    if point is None or point.instant:
        return None
    return point.next_year(frame.tz) if point.yearless and point.end <= frame.now else point
