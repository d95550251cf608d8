"""From a phrase of time to a window: 'yesterday', 'last 7 days', 'since Monday', 'Nov 3 to Nov 9', 'in October'.

Pure: account time and zone are arguments. The conventions are those of design.md section 4; each reading
carries the sentence that names its convention, for the reply. Dates are the account's local days, also where
daylight saving makes a day 23 or 25 hours long.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from tools.errors import BadArgument
from tools.result import Window
from tools.windows.calendars import Unit, floor_hour, localize, midnight, shift, zone
from tools.windows.phrases import match_at, match_whole
from tools.windows.spans import Frame, Span

__all__ = [
    "DEFAULT_WINDOW",
    "FoundWindow",
    "ParsedWindow",
    "Reading",
    "describe",
    "find_windows",
    "parse_window",
    "previous_window",
    "read_window",
]

DEFAULT_WINDOW = "last 7 days"
_EXAMPLES = (
    "Try: yesterday, last 7 days, past 24 hours, this month, last week, since Monday, 2026-11-03, Nov 3 to Nov 9."
)
_MAX_DAYS = 1100


class ParsedWindow(NamedTuple):
    window: Window
    label: str
    """In words, for people: 'the last 7 days'."""
    convention: str
    """One sentence that says how the phrase was read; may be empty."""


@dataclass(frozen=True)
class Reading:
    """A phrase as it was understood, with what a comparison and a cut at the freshness border need."""

    window: Window
    label: str
    convention: str
    step: tuple[Unit, int]
    """What the window before it is shifted by."""
    to_date: bool = False
    """It runs up to now: 'this month', 'since Monday'."""

    @property
    def previous(self) -> Window:
        return _shifted(self.window, *self.step)

    def cut(self, end: datetime) -> Reading:
        """The same reading, answered only up to `end`; `previous` then has the same length."""
        tz = zone(self.window.tz)
        return replace(self, window=Window(start=self.window.start, end=localize(end, tz), tz=self.window.tz))


class FoundWindow(NamedTuple):
    start: int
    end: int
    phrase: str


def parse_window(text: str, now: datetime, tz: str, covered_until: datetime | None = None) -> ParsedWindow:
    """Read a whole phrase.

    Args:
        text: the phrase, e.g. "last 7 days"; case and surrounding punctuation do not matter.
        now: account time, aware.
        tz: IANA zone whose days are meant.
        covered_until: where given, "past N hours" ends at the last full hour before it, else before `now`.

    Raises:
        BadArgument: the phrase is no window, lies wholly in the future, ends before it starts, or is too long.
    """
    reading = read_window(text, now, tz, covered_until)
    return ParsedWindow(reading.window, reading.label, reading.convention)


def read_window(text: str, now: datetime, tz: str, covered_until: datetime | None = None) -> Reading:
    """As parse_window, with the step to the window before. Raises BadArgument as it does."""
    frame = _frame(now, tz, covered_until)
    phrase = " ".join(text.strip(" \t\n?!.,;:'\"").split())
    span = match_whole(phrase, frame) if len(phrase) <= 200 else None
    if span is None:
        raise BadArgument(f"I cannot read {_shown(text)} as a time window.", hint=_EXAMPLES)
    return _checked(span, frame, phrase)


def find_windows(text: str, now: datetime, tz: str) -> list[FoundWindow]:
    """Every phrase of time inside a sentence, left to right, not overlapping; longest first at one place."""
    frame = _frame(now, tz, None)
    found: list[FoundWindow] = []
    position = 0
    while position < len(text):
        hit = match_at(text, position, frame)
        if hit is None:
            break
        found.append(FoundWindow(hit[0], hit[1], text[hit[0] : hit[1]]))
        position = max(hit[1], position + 1)
    return found


def previous_window(window: Window) -> Window:
    """The window just before: calendar months before months, the same number of days before days, else hours."""
    tz = zone(window.tz)
    start, end = localize(window.start, tz), localize(window.end, tz)
    whole_days = start == _midnight_of(start, window.tz) and end == _midnight_of(end, window.tz)
    if not whole_days:
        return Window(start=localize(start - (end - start), tz), end=start, tz=window.tz)
    if start.day == 1 and end.day == 1:
        months = (end.year - start.year) * 12 + end.month - start.month
        return _shifted(window, "month", months)
    return _shifted(window, "day", (end.date() - start.date()).days)


def describe(window: Window) -> str:
    """Dates for people: '2026-11-22', '2026-11-16 to 2026-11-22', '2026-11-22 00:00 to 07:00'; always local."""
    tz = zone(window.tz)
    start, end = localize(window.start, tz), localize(window.end, tz)
    if start == _midnight_of(start, window.tz) and end == _midnight_of(end, window.tz) and end > start:
        last = end.date() - timedelta(days=1)
        return f"{start.date()}" if start.date() == last else f"{start.date()} to {last}"
    until = f"{end:%H:%M}" if end.date() == start.date() else f"{end:%Y-%m-%d %H:%M}"
    return f"{start:%Y-%m-%d %H:%M} to {until}"


def _frame(now: datetime, tz: str, covered_until: datetime | None) -> Frame:
    local = localize(now, zone(tz))
    limit = min(covered_until, now) if covered_until is not None else now
    return Frame(
        now=local, today=local.date(), tz=zone(tz), tz_name=tz, hours_until=localize(floor_hour(limit), zone(tz))
    )


def _checked(span: Span, frame: Frame, phrase: str) -> Reading:
    if span.start >= frame.now:
        raise BadArgument(
            f"{_shown(phrase)} lies in the future: there is nothing to report yet.",
            hint="Ask about a window up to now. " + _EXAMPLES,
        )
    if span.end <= span.start:
        raise BadArgument(f"{_shown(phrase)} ends before it starts.", hint=_EXAMPLES)
    if span.end - span.start > timedelta(days=_MAX_DAYS):
        raise BadArgument(f"{_shown(phrase)} is longer than the views reach back.", hint="They keep 365 days.")
    window = Window(start=span.start, end=min(span.end, frame.now), tz=frame.tz_name)
    to_date = span.to_date or span.end > frame.now
    return Reading(window, span.label, span.convention, span.step, to_date)


def _shifted(window: Window, unit: Unit, count: int) -> Window:
    tz = zone(window.tz)
    start = shift(window.start, unit, -count, tz)
    end = min(shift(window.end, unit, -count, tz), window.start)
    return Window(start=start, end=localize(end, tz), tz=window.tz)


def _midnight_of(moment: datetime, tz: str) -> datetime:
    return midnight(moment.date(), zone(tz))


def _shown(text: str) -> str:
    clean = "".join(c for c in text if c.isprintable())
    return repr(clean if len(clean) <= 60 else clean[:57] + "...")
