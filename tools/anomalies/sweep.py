"""`candidates`: fetch what is watched, judge it, group what has one cause; shared by chat and scan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from tools.anomalies.detecting import Candidate, judge
from tools.anomalies.grouping import grouped
from tools.anomalies.series import HISTORY_DAYS, WATCHES, Watch, Watched, fetch_watched
from tools.context import FilterColumn, UsageReader
from tools.errors import NoPermission
from tools.history.calendars import calendar_for
from tools.preferences import Preferences

if TYPE_CHECKING:
    from tools.ml.calendar import Calendar

__all__ = ["Candidate", "Sweep", "candidates", "found_in"]


@dataclass(frozen=True)
class Sweep:
    """What was looked at, and what was found in it."""

    candidates: tuple[Candidate, ...]
    """One a cause, the most severe first."""
    watched: tuple[Watched, ...]
    since: datetime
    until: datetime
    """End of what every series covers; the views differ, and each `Watched` knows its own."""
    refused: Mapping[str, NoPermission] = field(default_factory=dict)
    """Watches whose view may not be read, by title."""

    @property
    def series(self) -> int:
        return sum(len(w.histories.ids) for w in self.watched)

    @property
    def series_weeks(self) -> float:
        """How much was looked at: the false-alarm budget is a rate over this."""
        spans = [(min(self.until, w.histories.end) - self.since).total_seconds() for w in self.watched]
        counts = [len(w.histories.ids) for w in self.watched]
        return sum(max(s, 0.0) * n for s, n in zip(spans, counts, strict=True)) / (7 * 86_400)


def candidates(
    reader: UsageReader,
    *,
    since: datetime,
    until: datetime | None = None,
    watches: Sequence[Watch] = WATCHES,
    filters: Mapping[FilterColumn, tuple[str, ...]] | None = None,
    preferences: Preferences | None = None,
    days: int = HISTORY_DAYS,
) -> Sweep:
    """What was odd between `since` and `until` (aware; `until` defaults to the end of what is complete).

    A finding belongs here where it was going on in that time, whenever it began. A view that may not be read is left
    out and named in `refused`; an empty one has no series.

    Raises:
        BadArgument: a watch that no view has.
        NoPermission: a view may not be read, and no other has anything to look at.
    """
    preferences = preferences or Preferences()
    watched, refused = _fetched(reader, watches, filters or {}, days)
    end = max((w.histories.end for w in watched), default=reader.now())
    stop = min(until, end) if until is not None else end
    calendar = calendar_for(reader, preferences, stop)
    found = found_in(watched, calendar, preferences, reader.account().credit_price)
    inside = tuple(c for c in found if c.start < stop and c.end > since)
    return Sweep(inside, tuple(watched), since, stop, refused)


def found_in(
    watched: Sequence[Watched], calendar: Calendar, preferences: Preferences, price: float
) -> tuple[Candidate, ...]:
    """Everything odd in series that were fetched: one a cause, the most severe first.

    Args:
        price: USD a credit.
    """
    found = judge(watched, price, calendar, preferences)
    return grouped(found, credits_per_day=_credits_per_day(watched))


def _credits_per_day(watched: Sequence[Watched]) -> float:
    """Of all warehouses together, over what was fetched; 0 where it was not."""
    for one in watched:
        histories = one.histories
        if one.watch.metric == "credits" and one.watch.by == "warehouse" and histories.start < histories.end:
            days = (histories.end - histories.start).total_seconds() / 86_400
            return float(histories.frame["y"].sum()) / days
    return 0.0


def _fetched(
    reader: UsageReader, watches: Sequence[Watch], filters: Mapping[FilterColumn, tuple[str, ...]], days: int
) -> tuple[list[Watched], dict[str, NoPermission]]:
    watched: list[Watched] = []
    refused: dict[str, NoPermission] = {}
    for watch in watches:
        try:
            watched.append(fetch_watched(reader, watch, filters, days=days))
        except NoPermission as error:
            refused[watch.name] = error
    if refused and all(one.histories.frame.empty for one in watched):
        raise next(iter(refused.values()))
    return watched, refused
