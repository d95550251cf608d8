"""Which part of a window can be answered from a view, and which window it may be compared with."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from tools.context import Coverage, UsageReader
from tools.coverage import Standing, classify
from tools.errors import BadArgument
from tools.result import Source, Window
from tools.usage.metrics import SOURCE_VIEW, Recipe
from tools.windows.calendars import floor_hour, localize, midnight, zone
from tools.windows.parse import Reading, describe, read_window

__all__ = ["AnsweredSpan", "same_utc_days", "source_of", "span_of", "view_coverage"]

_ATTRIBUTED_LATENCY = timedelta(hours=6)
"""CREDITS_ATTRIBUTED_COMPUTE_QUERIES of WAREHOUSE_METERING_HISTORY (reference 1.2): idle needs both columns."""
_HOURLY = ("metering", "services")


@dataclass(frozen=True)
class AnsweredSpan:
    """`window` is what the figures speak of; None where there is nothing to say."""

    asked: Reading
    standing: Standing
    window: Window | None
    complete: bool
    coverage: Coverage
    previous: Window | None = None
    """Of the same length as `window`, and kept whole in the view; else None."""
    previous_why: str = ""
    """Why there is no window to compare with."""

    @property
    def tz(self) -> str:
        return self.asked.window.tz


def view_coverage(reader: UsageReader, recipe: Recipe) -> Coverage:
    """The coverage of the recipe's view; stricter where it subtracts a column that is loaded later."""
    coverage = reader.coverage(SOURCE_VIEW[recipe.source])
    if recipe.source == "metering" and recipe.minus:
        until = min(coverage.complete_until, coverage.now - _ATTRIBUTED_LATENCY)
        return replace(coverage, latency=_ATTRIBUTED_LATENCY, complete_until=until, covered_until=until)
    return coverage


def source_of(coverage: Coverage) -> Source:
    return Source(
        view=coverage.view,
        as_of=coverage.now,
        covered_until=coverage.covered_until,
        latency_seconds=int(coverage.latency.total_seconds()),
    )


def span_of(phrase: str, coverage: Coverage, recipe: Recipe, tz: str) -> AnsweredSpan:
    """Read the phrase and cut it to what the view covers.

    Raises:
        BadArgument: the phrase is no window, or not one of whole days where only UTC days exist.
    """
    reading = read_window(phrase, coverage.now, tz, coverage.covered_until)
    if recipe.source == "billed":
        reading, coverage = _by_utc_day(reading, coverage)
    start, end = reading.window.start, reading.window.end
    if end <= start:
        return AnsweredSpan(reading, "not_loaded", None, False, coverage)
    judgement = classify(start, end, coverage)
    if judgement.covered is None:
        return AnsweredSpan(reading, judgement.standing, None, False, coverage)
    until = judgement.covered[1]
    if recipe.source in _HOURLY and until < end:
        until = max(floor_hour(until), start)
    elif recipe.source in _HOURLY and reading.to_date:
        until = max(floor_hour(end), start)
    if until <= start:
        return AnsweredSpan(reading, "not_loaded", None, False, coverage)
    cut = reading.cut(until) if until < end else reading
    span = AnsweredSpan(reading, judgement.standing, cut.window, judgement.complete, coverage)
    return _with_previous(span, cut)


def _with_previous(span: AnsweredSpan, cut: Reading) -> AnsweredSpan:
    first, before = span.coverage.first, cut.previous
    if first is None or before.start < first:
        since = f"{localize(first, zone(span.tz)):%Y-%m-%d %H:%M}" if first else "never"
        why = f"The window before ({describe(before)}) is not kept whole: {span.coverage.view} begins at {since}."
        return replace(span, previous_why=why)
    return replace(span, previous=before)


def _by_utc_day(reading: Reading, coverage: Coverage) -> tuple[Reading, Coverage]:
    """The UTC days that carry the dates of the window; the running UTC day is not billed yet."""
    window = reading.window
    if reading.step[0] == "hour" or not _starts_day(window.start, window.tz):
        raise BadArgument(
            "Billed figures exist by UTC day only; that window is not made of whole days.",
            hint="Ask for whole days, e.g. yesterday, last 7 days, last month.",
        )
    start = _utc_midnight(window.start)
    end = _utc_midnight(window.end)
    if not reading.to_date and not _starts_day(window.end, window.tz):
        end += timedelta(days=1)
    sure = _utc_midnight(coverage.complete_until.astimezone(UTC))
    coverage = replace(coverage, complete_until=sure, covered_until=sure)
    text = f"{reading.convention} Days are UTC days here.".strip()
    if reading.to_date:
        end = max(end, sure) + timedelta(days=1)  # the running day was asked for too: the answer is not complete
        end = min(end, _utc_midnight(coverage.now.astimezone(UTC)) + timedelta(days=1))
    utc = replace(reading, window=Window(start=start, end=end, tz="UTC"), convention=text)
    return utc, coverage


def _starts_day(moment: datetime, tz: str) -> bool:
    """Whether a local day begins at this instant (not always at 00:00: daylight saving may skip it)."""
    return moment == midnight(localize(moment, zone(tz)).date(), zone(tz))


def _utc_midnight(moment: datetime) -> datetime:
    """UTC midnight of the date that `moment` shows in its own offset."""
    return datetime(moment.year, moment.month, moment.day, tzinfo=UTC)


def same_utc_days(window: Window) -> Window | None:
    """The UTC days with the dates of a window of whole local days; None where it is not one."""
    if not (_starts_day(window.start, window.tz) and _starts_day(window.end, window.tz)):
        return None
    return Window(start=_utc_midnight(window.start), end=_utc_midnight(window.end), tz="UTC")
