"""The spans that phrases stand for: days, hours and calendar units, up to now or before it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from tools.windows.calendars import Unit, add_months, midnight, monday, quarter_start, shift

__all__ = [
    "Frame",
    "Span",
    "between",
    "calendar_units",
    "last_days",
    "last_hours",
    "month_unit",
    "rolling_units",
    "span_of_days",
    "up_to_now",
    "whole_months",
]


@dataclass(frozen=True)
class Frame:
    """What a phrase is read against."""

    now: datetime
    today: date
    tz: ZoneInfo
    tz_name: str
    hours_until: datetime
    """Where "past N hours" ends."""

    def at(self, day: date) -> datetime:
        return midnight(day, self.tz)


@dataclass(frozen=True)
class Span:
    start: datetime
    end: datetime
    label: str
    convention: str
    step: tuple[Unit, int]
    to_date: bool = False


def span_of_days(frame: Frame, first: date, after: date, label: str, convention: str, step: tuple[Unit, int]) -> Span:
    return Span(frame.at(first), frame.at(after), label, convention, step)


def up_to_now(frame: Frame, first: date, label: str, convention: str, step: tuple[Unit, int]) -> Span:
    return Span(frame.at(first), frame.now, label, convention, step, to_date=True)


def month_unit(unit: str, day: date) -> tuple[date, int]:
    """First day of the running month, quarter or year, and its length in months."""
    if unit == "month":
        return day.replace(day=1), 1
    if unit == "quarter":
        return quarter_start(day), 3
    return day.replace(month=1, day=1), 12


def last_hours(frame: Frame, count: int) -> Span:
    end = frame.hours_until
    label = "the last full hour" if count == 1 else f"the past {count} hours"
    if count > 24 and count % 24 == 0:
        label = f"the past {count // 24} days to the hour"  # nobody counts to 168
    return Span(
        shift(end, "hour", -count, frame.tz),
        end,
        label,
        "It ends at the last full hour that is loaded.",
        ("hour", count),
    )


def last_days(frame: Frame, count: int) -> Span:
    if count == 1:
        return span_of_days(frame, frame.today - timedelta(days=1), frame.today, "yesterday", "", ("day", 1))
    label, text = f"the last {count} days", "Full days before today; today is not in it."
    return span_of_days(frame, frame.today - timedelta(days=count), frame.today, label, text, ("day", count))


def rolling_units(frame: Frame, count: int, unit: str) -> Span:
    """'past 2 weeks', 'past month': full days up to yesterday, not calendar units."""
    label = f"the past {unit}" if count == 1 else f"the past {count} {unit}s"
    if unit == "week":
        first = frame.today - timedelta(weeks=count)
        step: tuple[Unit, int] = ("day", 7 * count)
    else:
        months = count * month_unit(unit, frame.today)[1]
        first, step = add_months(frame.today, -months), ("month", months)
    return span_of_days(frame, first, frame.today, label, "Full days up to and including yesterday.", step)


def calendar_units(frame: Frame, count: int, unit: str) -> Span:
    """'last week', 'last 2 months': the whole calendar units before the running one."""
    label = f"last {unit}" if count == 1 else f"the last {count} {unit}s"
    if unit == "week":
        after = monday(frame.today)
        text = "Weeks run from Monday to Sunday."
        return span_of_days(frame, after - timedelta(weeks=count), after, label, text, ("week", count))
    after, months = month_unit(unit, frame.today)
    text = f"Calendar {unit}s, without the running one."
    return span_of_days(frame, add_months(after, -months * count), after, label, text, ("month", months * count))


def between(start: datetime, end: datetime, instant: bool, frame: Frame) -> Span:
    days = (end.date() - start.date()).days
    step: tuple[Unit, int] = ("day", max(1, days))
    if instant and start.time() != end.time():
        step = ("hour", max(1, -int(-(end - start).total_seconds() // 3600)))
    elif start.day == 1 and end.day == 1 and days > 0:
        step = ("month", (end.year - start.year) * 12 + end.month - start.month)
    text = "The end is not included." if instant else "Both days are included."
    last = f"{end:%Y-%m-%d %H:%M}" if instant else f"{end.date() - timedelta(days=1)}"
    first = f"{start:%Y-%m-%d %H:%M}" if instant else f"{start.date()}"
    return Span(start, end, f"{first} to {last}", text, step)


def whole_months(frame: Frame, first: date, months: int, label: str) -> Span:
    after = add_months(first, months)
    return span_of_days(frame, first, after, label, "", ("month", months))
