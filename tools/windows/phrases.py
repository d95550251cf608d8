"""The grammar of time phrases: one pattern and one reader a kind. Used through tools.windows.parse only."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta

from tools.windows.calendars import add_months, monday, shift
from tools.windows.clock import HOURS, NIGHT, PART, read_hours, read_night, read_part
from tools.windows.points import DATE, MONTH, MONTH_NAMES, NUMBER, POINT, WEEKDAY, number, pair_of, read_point, weekday
from tools.windows.spans import (
    Frame,
    Span,
    between,
    calendar_units,
    last_days,
    last_hours,
    month_unit,
    rolling_units,
    span_of_days,
    up_to_now,
    whole_months,
)

__all__ = ["match_at", "match_whole"]


_Reader = Callable[["re.Match[str]", Frame], "Span | None"]
_PATTERNS: list[tuple[re.Pattern[str], _Reader]] = []
_UNIT = r"(?P<unit>hour|hr|h|day|d|week|wk|w|month|mo|quarter|year|yr|y)s?"
_SHORT = {"h": "hour", "hr": "hour", "d": "day", "w": "week", "wk": "week", "mo": "month", "y": "year", "yr": "year"}


def _reads(pattern: str) -> Callable[[_Reader], _Reader]:
    def add(reader: _Reader) -> _Reader:
        compiled = re.compile(rf"(?<![\w.\-/])(?:{pattern})(?![\w\-/])", re.IGNORECASE)
        _PATTERNS.append((compiled, reader))
        return reader

    return add


def _read(reader: _Reader, match: re.Match[str], frame: Frame) -> Span | None:
    """None too where it would begin or end outside of the calendar: 'December 9999'."""
    try:
        return reader(match, frame)
    except (ValueError, OverflowError):
        return None


def _hits(text: str, position: int, frame: Frame) -> Iterator[tuple[int, int, Span]]:
    for pattern, reader in _PATTERNS:
        for match in pattern.finditer(text, position):
            span = _read(reader, match, frame)
            if span is not None:
                yield match.start(), match.end(), span
                break


def match_at(text: str, position: int, frame: Frame) -> tuple[int, int, Span] | None:
    """The first phrase from `position` on; the longest where several begin at one place."""
    return min(_hits(text, position, frame), key=lambda hit: (hit[0], -hit[1]), default=None)


def match_whole(text: str, frame: Frame) -> Span | None:
    """The reading of a text that is a phrase of time and nothing else."""
    for pattern, reader in _PATTERNS:
        match = pattern.fullmatch(text)
        span = _read(reader, match, frame) if match else None
        if span is not None:
            return span
    return None


# --- relative days ---------------------------------------------------------------------------------------


@_reads(r"(?:so far )?today(?: so far)?|(?:the )?(?:current|this) day")
def _today(match: re.Match[str], frame: Frame) -> Span:
    return up_to_now(frame, frame.today, "today so far", "Today means since local midnight.", ("day", 1))


@_reads(r"(?:the )?day before yesterday")
def _two_days_ago(match: re.Match[str], frame: Frame) -> Span:
    day = frame.today - timedelta(days=2)
    return span_of_days(frame, day, day + timedelta(days=1), "the day before yesterday", "", ("day", 1))


@_reads(r"yesterday|(?:the )?(?:last|previous|prior|past) day|(?:the )?(?:last|previous) full day")
def _yesterday(match: re.Match[str], frame: Frame) -> Span:
    day = frame.today - timedelta(days=1)
    return span_of_days(frame, day, frame.today, "yesterday", "Yesterday is the last full day.", ("day", 1))


_reads(NIGHT)(read_night)
_reads(PART)(read_part)
_reads(HOURS)(read_hours)


@_reads(r"tomorrow|(?:the )?(?:next|coming|upcoming) (?:\w+ )?(?:hour|day|week|month|quarter|year)s?")
def _future(match: re.Match[str], frame: Frame) -> Span:
    later = frame.now + timedelta(days=1)
    return Span(later, later + timedelta(days=1), match.group(0), "", ("day", 1))


@_reads(rf"(?P<n>{NUMBER})[ -]?{_UNIT} ago")
def _ago(match: re.Match[str], frame: Frame) -> Span | None:
    count, unit = number(match["n"]), _unit(match)
    if unit == "hour" or not 0 < count <= 1100:
        return None
    label = f"{match.group(0).lower()}"
    if unit == "day":
        day = frame.today - timedelta(days=count)
        return span_of_days(frame, day, day + timedelta(days=1), label, "", ("day", 1))
    if unit == "week":
        first = monday(frame.today) - timedelta(weeks=count)
        text = "That is the whole week, Monday to Sunday."
        return span_of_days(frame, first, first + timedelta(days=7), label, text, ("week", 1))
    first, months = month_unit(unit, frame.today)
    first = add_months(first, -count * months)
    return span_of_days(frame, first, add_months(first, months), label, f"That is the whole {unit}.", ("month", months))


def _unit(match: re.Match[str]) -> str:
    low = match["unit"].lower()
    return _SHORT.get(low, low)


# --- last N, past N ---------------------------------------------------------------------------------------


@_reads(
    r"(?:the |in the |over the |for the )?(?P<which>last|past|previous|prior|trailing) "
    rf"(?P<n>{NUMBER})[ -]?(?:full )?{_UNIT}"
)
def _last_n(match: re.Match[str], frame: Frame) -> Span | None:
    count, unit, rolling = number(match["n"]), _unit(match), match["which"].lower() in ("past", "trailing")
    if not 0 < count <= (26_400 if unit == "hour" else 1100):
        return None
    if unit == "hour":
        return last_hours(frame, count)
    if unit == "day":
        return last_days(frame, count)
    return rolling_units(frame, count, unit) if rolling else calendar_units(frame, count, unit)


@_reads(r"(?:the |in the |over the )?(?:last|past|previous) (?:hour|hr)")
def _last_hour(match: re.Match[str], frame: Frame) -> Span:
    return last_hours(frame, 1)


@_reads(r"(?:the )?(?P<which>last|previous|prior|past) (?P<unit>week|month|quarter|year)")
def _last_unit(match: re.Match[str], frame: Frame) -> Span:
    unit = match["unit"].lower()
    return rolling_units(frame, 1, unit) if match["which"].lower() == "past" else calendar_units(frame, 1, unit)


@_reads(r"(?:a |the )?(?:last |past )?fortnight")
def _fortnight(match: re.Match[str], frame: Frame) -> Span:
    return last_days(frame, 14)


@_reads(r"(?:the )?(?:last|past|previous) weekend|(?:over |at |on )?the weekend")
def _weekend(match: re.Match[str], frame: Frame) -> Span:
    first = monday(frame.today) - timedelta(days=2)
    return span_of_days(frame, first, first + timedelta(days=2), "last weekend", "Saturday and Sunday.", ("day", 7))


# --- to date ------------------------------------------------------------------------------------------------

_TO_DATE = {"mtd": "month", "wtd": "week", "qtd": "quarter", "ytd": "year"}


@_reads(
    r"(?:so far )?(?:this|the current|current) (?P<unit>week|month|quarter|year)(?: so far| to date)?"
    r"|(?P<unit2>week|month|quarter|year)[- ]to[- ]date|(?P<abbr>mtd|wtd|qtd|ytd)"
    r"|(?:since|from) (?:the )?(?:start|beginning) of (?:the |this )?(?P<unit3>week|month|quarter|year)"
)
def _this_unit(match: re.Match[str], frame: Frame) -> Span:
    unit = (match["unit"] or match["unit2"] or match["unit3"] or _TO_DATE[(match["abbr"] or "mtd").lower()]).lower()
    if unit == "week":
        text = "The week began on Monday; it runs up to what is loaded."
        return up_to_now(frame, monday(frame.today), "this week so far", text, ("week", 1))
    first, months = month_unit(unit, frame.today)
    text = f"From the first day of the {unit} up to what is loaded."
    return up_to_now(frame, first, f"this {unit} so far", text, ("month", months))


@_reads(
    rf"(?:since|from|starting) (?P<point>{POINT}|(?:last|this) (?:week|month|quarter|year))"
    r"(?: (?:on|onwards?|until now|to now))?"
)
def _since(match: re.Match[str], frame: Frame) -> Span | None:
    inner = read_point(match["point"], frame.today, frame.tz) or match_whole(match["point"], frame)
    if inner is None:
        return None
    days = max(1, (frame.today - inner.start.date()).days + 1)
    label = f"since {inner.start:%Y-%m-%d}" + (
        f" {inner.start:%H:%M}" if inner.start.hour or inner.start.minute else ""
    )
    text = "That day is included; it runs up to what is loaded."
    return Span(inner.start, max(frame.now, inner.start), label, text, ("day", days), to_date=True)


@_reads(r"all time|(?:for )?ever|all history|all of history")
def _all(match: re.Match[str], frame: Frame) -> Span:
    first = frame.today - timedelta(days=365)
    return up_to_now(frame, first, "the past year, all that is kept", "The views keep a year.", ("day", 366))


# --- ranges -----------------------------------------------------------------------------------------------


@_reads(
    rf"(?:between )(?P<a>{POINT}) and (?P<b>{POINT})"
    rf"|(?:from )?(?P<a2>{POINT})(?: (?:to|until|till|through|thru) | ?(?:–|—|\.\.) ?| - |/)(?P<b2>{POINT})"
)
def _range(match: re.Match[str], frame: Frame) -> Span | None:
    return _from_to(match, match["a"] or match["a2"], match["b"] or match["b2"], frame)


def _from_to(match: re.Match[str], first_text: str, last_text: str, frame: Frame) -> Span | None:
    """The range; None where one is no date, and where 'compare October to September' names two windows."""
    pair = pair_of(first_text, last_text, frame.today, frame.tz)
    if pair is None:
        return None
    first, last = pair
    if last.end <= first.start and re.search(r"\bcompar\w*\s+$", match.string[: match.start()], re.IGNORECASE):
        return None
    return between(first.start, last.end, last.instant, frame)


@_reads(
    rf"(?:between |from )?(?P<m>{MONTH})\.? (?P<a>\d{{1,2}})(?:st|nd|rd|th)? ?(?:to|until|through|and|-|–) ?"
    rf"(?P<b>\d{{1,2}})(?:st|nd|rd|th)?(?:,? (?P<y>\d{{4}}))?"
    rf"|(?:between |from )?(?P<a2>\d{{1,2}})(?:st|nd|rd|th)? ?(?:to|until|through|and|-|–) ?"
    rf"(?P<b2>\d{{1,2}})(?:st|nd|rd|th)? (?:of )?(?P<m2>{MONTH})\.?(?:,? (?P<y2>\d{{4}}))?"
)
def _short_range(match: re.Match[str], frame: Frame) -> Span | None:
    month, year = match["m"] or match["m2"], match["y"] or match["y2"] or ""
    first, last = (f"{day} {month} {year}".strip() for day in (match["a"] or match["a2"], match["b"] or match["b2"]))
    return _from_to(match, first, last, frame)


# --- named days, months, quarters, years ------------------------------------------------------------------


@_reads(rf"(?P<which>(?:on |for |during )?(?:(?:the )?(?:last|past|previous|this) )?)(?P<day>{WEEKDAY})")
def _weekday(match: re.Match[str], frame: Frame) -> Span | None:
    word, which = match["day"].lower(), match["which"].strip().lower()
    if len(word) <= 4 and not which:
        return None  # "sun", "mon", "sat" alone are words of other kinds too
    back = (frame.today.weekday() - weekday(word)) % 7
    if which.endswith("this"):
        day = monday(frame.today) + timedelta(days=weekday(word))
    else:
        day = frame.today - timedelta(days=back or 7)
    label = f"{day:%A} {day}"
    text = f"The most recent full {day:%A}." if day < frame.today else ""
    return Span(frame.at(day), frame.at(day + timedelta(days=1)), label, text, ("day", 7))


@_reads(r"(?:in |during |for |of )?(?:calendar |iso )?(?:week|cw|wk) ?(?P<n>\d{1,2})(?:,? (?:of )?(?P<year>20\d\d))?")
def _numbered_week(match: re.Match[str], frame: Frame) -> Span | None:
    given = match["year"]
    try:
        first = date.fromisocalendar(int(given or frame.today.isocalendar().year), int(match["n"]), 1)
        if not given and first > frame.today:
            first = date.fromisocalendar(frame.today.isocalendar().year - 1, int(match["n"]), 1)
    except ValueError:
        return None
    year, week, _ = first.isocalendar()
    text = "Weeks are numbered as in ISO 8601, and run from Monday to Sunday."
    return span_of_days(frame, first, first + timedelta(days=7), f"week {week} of {year}", text, ("week", 1))


@_reads(rf"(?:(?:the )?week (?:of|from|starting|beginning) )(?P<point>{DATE})")
def _week_of(match: re.Match[str], frame: Frame) -> Span | None:
    point = read_point(match["point"], frame.today, frame.tz)
    if point is None:
        return None
    first = monday(point.start.date())
    text = "The week from Monday to Sunday around that day."
    return span_of_days(frame, first, first + timedelta(days=7), f"the week of {first}", text, ("week", 1))


@_reads(
    rf"(?P<prep>(?:in|during|for|of|the month of|last|this) )?(?P<name>{MONTH_NAMES})(?:,? (?P<year>\d{{4}}))?"
    r"|(?:in |during |for )?(?P<iso>\d{4}-\d{2})"
)
def _month(match: re.Match[str], frame: Frame) -> Span | None:
    if match["iso"]:
        year, month = (int(part) for part in match["iso"].split("-"))
        if not 1 <= month <= 12 or year < 1970:
            return None
    else:
        if match["name"].lower() in ("may", "march", "mar") and not (match["prep"] or match["year"]):
            return None
        month = number(match["name"])
        year = int(match["year"]) if match["year"] else frame.today.year - (month > frame.today.month)
    first = date(year, month, 1)
    return whole_months(frame, first, 1, f"{first:%B %Y}")


@_reads(
    r"(?:in |during |for )?q(?P<q>[1-4])(?: (?:of )?(?P<year>\d{4}))?"
    r"|(?:in |during |for )?(?P<year2>\d{4})[- ]?q(?P<q2>[1-4])"
)
def _quarter(match: re.Match[str], frame: Frame) -> Span:
    month = 3 * (int(match["q"] or match["q2"]) - 1) + 1
    given = match["year"] or match["year2"]
    year = int(given) if given else frame.today.year - (month > frame.today.month)
    first = date(max(year, 1970), month, 1)
    return whole_months(frame, first, 3, f"Q{(month + 2) // 3} {year}")


@_reads(r"(?:in|during|for|year|of) (?P<year>20\d{2})|(?P<bare>20\d{2})")
def _year(match: re.Match[str], frame: Frame) -> Span:
    first = date(int(match["year"] or match["bare"]), 1, 1)
    return whole_months(frame, first, 12, f"{first.year}")


@_reads(rf"(?:on |for |during |in )?(?:the )?(?P<point>{DATE})")
def _date(match: re.Match[str], frame: Frame) -> Span | None:
    point = read_point(match["point"], frame.today, frame.tz)
    if point is None:
        return None
    if point.instant:
        return Span(
            point.start, shift(point.start, "hour", 1, frame.tz), f"{point.start:%Y-%m-%d %H:%M}", "", ("hour", 1)
        )
    return Span(point.start, point.end, f"{point.start.date()}", "", ("day", 1))
