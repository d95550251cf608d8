"""Local calendar arithmetic: midnights, weeks, months and shifts that respect daylight saving. Pure."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tools.errors import BadArgument

__all__ = [
    "Unit",
    "add_months",
    "floor_hour",
    "localize",
    "midnight",
    "monday",
    "quarter_start",
    "shift",
    "slot_minutes",
    "zone",
]

Unit = Literal["hour", "day", "week", "month"]


def zone(name: str) -> ZoneInfo:
    """
    Raises:
        BadArgument: no such IANA zone.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadArgument(f"{name[:60]!r} is not a time zone.", hint="Use an IANA name, e.g. Europe/Berlin.") from None


def localize(moment: datetime, tz: ZoneInfo) -> datetime:
    """The same instant with the local wall time that really exists, and a fixed offset.

    Two datetimes that share one ZoneInfo are subtracted and compared by wall time in Python: a daylight-saving
    day would be 24 hours long. A fixed offset makes both right.
    """
    local = moment.astimezone(UTC).astimezone(tz)
    return local.replace(tzinfo=timezone(local.utcoffset() or timedelta()), fold=0)


def midnight(day: date, tz: ZoneInfo) -> datetime:
    """The instant at which the local day begins."""
    return localize(datetime.combine(day, time(), tzinfo=tz), tz)


def floor_hour(moment: datetime) -> datetime:
    """The UTC hour that holds the instant: metering rows are UTC hours, whatever the local offset is. Result in UTC."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def quarter_start(day: date) -> date:
    return day.replace(month=3 * ((day.month - 1) // 3) + 1, day=1)


def add_months(day: date, months: int) -> date:
    """The same day of another month, or its last day where that month is shorter."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def shift(moment: datetime, unit: Unit, count: int, tz: ZoneInfo) -> datetime:
    """Move by calendar units at the same wall time; hours are absolute."""
    if unit == "hour":
        return localize(moment.astimezone(UTC) + timedelta(hours=count), tz)
    local = moment.astimezone(tz)
    if unit == "month":
        day = add_months(local.date(), count)
    else:
        day = local.date() + timedelta(days=count * (7 if unit == "week" else 1))
    return localize(datetime.combine(day, local.time(), tzinfo=tz), tz)


def slot_minutes(start: datetime, end: datetime, tz: ZoneInfo) -> int:
    """60 where every offset in the window is whole hours, else 15: local days then fall on slot borders."""
    moment, step = start.astimezone(UTC), timedelta(days=7)
    while moment < end + step:
        offset = moment.astimezone(tz).utcoffset() or timedelta()
        if offset.total_seconds() % 3600:
            return 15
        moment += step
    return 60
