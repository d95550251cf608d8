"""Slots of a query folded into the account's local hours, days, weeks and months. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tools.errors import BadArgument
from tools.result import Window
from tools.usage.metrics import TimeBucket
from tools.windows.calendars import add_months, localize, midnight, monday

__all__ = ["MAX_BUCKETS", "bucket_of", "buckets", "fold", "label", "next_bucket"]

MAX_BUCKETS = 800
"""A month of hours, two years of days."""


def bucket_of(moment: datetime, bucket: TimeBucket, tz: ZoneInfo) -> datetime:
    """Start of the local hour, day, week (Monday) or month that holds the instant."""
    local = localize(moment, tz)
    if bucket == "hour":
        return local.replace(minute=0, second=0, microsecond=0)
    day = local.date()
    if bucket == "week":
        day = monday(day)
    elif bucket == "month":
        day = day.replace(day=1)
    return midnight(day, tz)


def next_bucket(start: datetime, bucket: TimeBucket, tz: ZoneInfo) -> datetime:
    if bucket == "hour":
        later = localize(start.astimezone(UTC) + timedelta(hours=1), tz)
        return later.replace(minute=0)
    day = start.date()
    if bucket == "month":
        return midnight(add_months(day, 1), tz)
    return midnight(day + timedelta(days=7 if bucket == "week" else 1), tz)


def buckets(window: Window, bucket: TimeBucket, tz: ZoneInfo) -> list[datetime]:
    """Starts of every bucket that the window touches, in order: one without rows is a true 0, not a gap.

    Raises:
        BadArgument: more than MAX_BUCKETS.
    """
    starts = [bucket_of(window.start, bucket, tz)]
    while (later := next_bucket(starts[-1], bucket, tz)) < window.end:
        starts.append(later)
        if len(starts) > MAX_BUCKETS:
            raise BadArgument(
                f"That window has more than {MAX_BUCKETS} {bucket}s.", hint="Ask for a shorter window or longer steps."
            )
    return starts


def fold(
    rows: Iterable[Mapping[str, Any]], columns: Iterable[str], bucket: TimeBucket, tz: ZoneInfo
) -> dict[datetime, dict[str, Any]]:
    """Sums of `columns` by the bucket in which each row's `slot` starts."""
    wanted = tuple(columns)
    sums: dict[datetime, dict[str, Any]] = {}
    for row in rows:
        place = sums.setdefault(bucket_of(row["slot"], bucket, tz), dict.fromkeys(wanted, 0.0))
        for column in wanted:
            place[column] = _plus(place[column], row[column])
    return sums


def _plus(total: float | None, value: Any) -> float | None:
    """NULL stays NULL: a sum with an unknown part is unknown."""
    if total is None or value is None or value != value:
        return None
    return total + float(value)


def label(start: datetime, bucket: TimeBucket) -> str:
    """'2026-11-22 07:00', '2026-11-22', '2026-11-16' (a week's Monday), '2026-11'."""
    form = {"hour": "%Y-%m-%d %H:%M", "day": "%Y-%m-%d", "week": "%Y-%m-%d", "month": "%Y-%m"}[bucket]
    return start.strftime(form)
