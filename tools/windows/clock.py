"""Parts of one day: 'overnight', 'this morning', 'yesterday evening', 'Monday between 8am and 5pm'. Pure."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta

from tools.windows.calendars import localize
from tools.windows.points import DATE, WEEKDAY, read_point
from tools.windows.spans import Frame, Span

__all__ = ["HOURS", "NIGHT", "PART", "RECURRING", "read_hours", "read_night", "read_part"]

_DUSK, _DAWN = 20, 6
"""Hours between which it is night."""
_PARTS = {"morning": (6, 12), "afternoon": (12, 18), "evening": (18, 24)}
"""What of a day is meant, as hours of the clock."""
_DAY = rf"(?:yesterday|today|(?:last |on )?(?:{WEEKDAY})|(?:on )?(?:{DATE}))"
_CLOCK = r"(?:[01]?\d|2[0-4])(?::00)? ?(?:am|pm|h|o'clock)?"
"""A full hour: metering knows no minutes."""
_BETWEEN = rf"(?:between|from) (?P<{{a}}>{_CLOCK}) ?(?:and|to|until|till|-|–) ?(?P<{{b}}>{_CLOCK})"

NIGHT = (
    r"(?:during |over |in )?(?:the )?(?:last|past|previous) night|over ?night|yesterday night|"
    r"(?:during|over|in) the night(?! (?:from|of|to|before|after|on))"
)
PART = (
    rf"(?:(?:this|today's) (?P<now>morning|afternoon|evening)"
    rf"|(?P<day>{_DAY})(?:'s)?,? (?:in the |during the )?(?P<part>morning|afternoon|evening)"
    rf"|(?:in |during )?the (?P<part2>morning|afternoon|evening) (?:of |on )?(?P<day2>{_DAY}))"
)
_HOUR = r"(?:[01]?\d|2[0-3])(?::00| ?(?:am|pm|o'clock))"
HOURS = (
    rf"(?:(?P<day>{_DAY}),? {_BETWEEN.format(a='a', b='b')}"
    rf"|{_BETWEEN.format(a='a2', b='b2')},? (?P<day2>{_DAY})"
    rf"|(?P<day3>{_DAY}),? at (?P<one>{_HOUR})|at (?P<one2>{_HOUR}),? (?P<day4>{_DAY}))"
)
RECURRING = re.compile(
    r"\b(?:at|by|each|every) night\b|\bnight(?:s|ly)\b|"
    r"\b(?:each|every|in the|at) (?:morning|afternoon|evening|noon)s?\b|"
    r"\b(?:mornings|afternoons|evenings)\b|\b(?:on |each |every )?(?:week ?days?|working days?|workdays?)\b|"
    r"\b(?:business|office|working|work|off[- ]peak) hours\b|\bweekends\b",
    re.IGNORECASE,
)
"""Hours of many days, which no one window is."""


def read_night(match: re.Match[str], frame: Frame) -> Span:
    yesterday = frame.today - timedelta(days=1)
    dawn = _at(frame, frame.today, _DAWN)
    text = f"Last night is from yesterday {_DUSK}:00 to today {_DAWN:02}:00."
    return Span(
        _at(frame, yesterday, _DUSK), min(dawn, frame.now), "last night", text, ("day", 1), to_date=frame.now < dawn
    )


def read_part(match: re.Match[str], frame: Frame) -> Span | None:
    """None where the day is no date."""
    part = (match["now"] or match["part"] or match["part2"]).lower()
    day = frame.today if match["now"] else _day(match["day"] or match["day2"], frame)
    if day is None:
        return None
    first, last = _PARTS[part]
    text = f"The {part} is from {first:02}:00 to {last:02}:00."
    return _of_day(frame, day, time(first), time(last % 24), f"{_name(day, frame, part)}", text)


def read_hours(match: re.Match[str], frame: Frame) -> Span | None:
    """None where the day is no date, a time is none, or they do not follow each other."""
    day = _day(match["day"] or match["day2"] or match["day3"] or match["day4"], frame)
    if one := match["one"] or match["one2"]:
        first = _clock(one)
        last = None if first is None else time((first.hour + 1) % 24)
    else:
        first, last = _clock(match["a"] or match["a2"]), _clock(match["b"] or match["b2"])
    if day is None or first is None or last is None or (last != time(0) and last <= first):
        return None
    label = f"{day} from {first:%H:%M} to {last:%H:%M}" if last != time(0) else f"{day} from {first:%H:%M} on"
    return _of_day(frame, day, first, last, label, "The end is not included.")


def _of_day(frame: Frame, day: date, first: time, last: time, label: str, convention: str) -> Span:
    """From one time to another of a day; midnight as the last one is the end of the day."""
    after = day if last != time(0) else day + timedelta(days=1)
    start = localize(datetime.combine(day, first, tzinfo=frame.tz), frame.tz)
    end = localize(datetime.combine(after, last, tzinfo=frame.tz), frame.tz)
    running = start < frame.now < end
    return Span(start, min(end, frame.now) if running else end, label, convention, ("day", 1), to_date=running)


def _at(frame: Frame, day: date, hour: int) -> datetime:
    return localize(datetime.combine(day, time(hour), tzinfo=frame.tz), frame.tz)


def _name(day: date, frame: Frame, part: str) -> str:
    if day == frame.today:
        return f"this {part}"
    return f"yesterday {part}" if day == frame.today - timedelta(days=1) else f"the {part} of {day}"


def _day(text: str, frame: Frame) -> date | None:
    point = read_point(re.sub(r"^on ", "", text.strip(), flags=re.IGNORECASE), frame.today, frame.tz)
    return None if point is None or point.instant else point.start.date()


def _clock(text: str) -> time | None:
    """'8', '8am', '17:00', '12 pm'; None for 13pm. Hour 24 is midnight."""
    found = re.fullmatch(r"(\d{1,2})(?::00)? ?(am|pm|h|o'clock)?", text.strip().lower())
    if found is None:
        return None
    hour = int(found[1])
    if found[2] in ("am", "pm"):
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if found[2] == "pm" else 0)
    return time(hour % 24)
