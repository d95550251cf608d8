"""What is watched, and its hourly series."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from tools.anomalies.titles import title_of
from tools.context import FilterColumn, UsageReader
from tools.history.fetch import Histories, fetch_histories
from tools.history.measures import SeriesBy, Step, WatchMetric, beside_of, unit_of
from tools.result import Unit

__all__ = ["HISTORY_DAYS", "WATCHES", "Judged", "Watch", "Watched", "fetch_watched", "watches_for", "witnesses_for"]

HISTORY_DAYS = 63
"""Nine weeks: enough of every hour of a week to tell what is ordinary, and at least one month end."""
_DAILY_DAYS = 180
_WAREHOUSE_SERVICES = frozenset({"WAREHOUSE_METERING", "WAREHOUSE_METERING_READER"})
"""As services they are the sum of what each warehouse shows by itself."""
_MOST_SERIES = {"warehouse": 2_000, "user": 200, "role": 200, "database": 200, "query_tag": 200, "service_type": 60}


Judged = Literal["hours", "growth", "creep", "record"]
"""How: against the same hours of the weeks before; a level by what it has grown since the slot before, so that one that
rises is ordinary; what is steady by nature by whether it has risen over days and weeks; what has no usual level by
whether it exceeds everything in the weeks before by a margin, and `least`."""


@dataclass(frozen=True)
class Watch:
    """One metric by one kind of name. `unit_credits`: what one unit of it is in credits; None: no price."""

    metric: WatchMetric
    by: SeriesBy
    step: Step = "hour"
    least: float = 0.0
    """A finding whose sum beyond the expected is less than this, in the metric's unit, is not worth a word."""
    grain: float = 0.0
    """How far one slot may differ from another for no reason at all, in the metric's unit."""
    way: Literal["more", "silence", "both"] = "both"
    """What is odd. more: less waiting or spending worries nobody; silence: of less, only that a feed has died."""
    threshold: float | None = None
    """Of confidence; None: the detector's own. Lower where few series are watched and little is said of small sums."""
    lasting: int = 1
    """Slots that a finding lasts at least."""
    judged: Judged = "hours"
    supporting: bool = False
    """Evidence only: never a finding by itself, but part of one that something else has raised."""

    @property
    def unit(self) -> Unit:
        return unit_of(self.metric)

    @property
    def title(self) -> str:
        return title_of(self.metric)

    @property
    def name(self) -> str:
        return f"{self.title} by {self.by.replace('_', ' ')}"

    @property
    def in_credits(self) -> bool:
        return self.unit == "credits"


@dataclass(frozen=True)
class Watched:
    watch: Watch
    histories: Histories


WATCHES: tuple[Watch, ...] = (
    Watch("credits", "warehouse", least=4.0, grain=0.1, way="more"),
    Watch("credits_cloud_services", "warehouse", least=1.0, grain=0.02, way="more"),
    Watch("size_above", "warehouse", least=3, grain=0.2, way="more", threshold=0.5, lasting=2),
    Watch("size_below", "warehouse", least=3, grain=0.2, way="more", threshold=0.5, lasting=2),
    Watch("queries", "warehouse", least=40, grain=3, way="silence"),
    Watch("execution_seconds", "warehouse", least=3_600, grain=120, way="more"),
    Watch("queue_seconds", "warehouse", least=100_000, grain=120, way="more", lasting=2),
    Watch("failures", "warehouse", least=10, grain=1, way="more"),
    Watch("longest_statement", "warehouse", least=7_200, way="more", threshold=0.5, judged="record"),
    Watch("pace", "warehouse", "day", way="more", threshold=0.5, judged="creep"),
    Watch("bytes_spilled", "warehouse", least=100e9, grain=5e9, way="more", supporting=True),
    Watch("credits", "service_type", least=25.0, grain=0.1, way="more", threshold=0.3),
    Watch("execution_seconds", "user", least=7_200, grain=120, way="more", supporting=True),
    Watch("failed_logins", "total", least=20, grain=1, way="more"),
    Watch("storage_bytes", "database", "day", least=200e9, grain=20e9, way="more", judged="growth"),
)
"""What `detect_anomalies` and the scan look at where nothing narrower is asked for."""


def watches_for(
    metrics: Sequence[WatchMetric], by: SeriesBy | None, filters: Mapping[FilterColumn, tuple[str, ...]]
) -> tuple[Watch, ...]:
    """The watches of a question: of these metrics, by this kind of name; the default ones where nothing is said."""
    found = [w for w in WATCHES if (not metrics or w.metric in metrics) and (by is None or w.by == by)]
    found = [w for w in found if set(filters) <= _columns(w)]
    if metrics or by is not None:
        # Asked for by name, it is no longer mere evidence.
        found = [replace(w, supporting=False) for w in found]
    if found or not metrics:
        return tuple(found)
    return tuple(_watch(metric, by, filters) for metric in metrics)


_WITNESSES = frozenset({"credits", "size_above", "queries", "execution_seconds", "queue_seconds", "failures"})


def witnesses_for(asked: Sequence[Watch]) -> tuple[Watch, ...]:
    """What else is looked at so that a question about one figure of warehouses is answered as one about all is.

    What two figures show is surer than what one does: without the others, credits that rose for a week with the
    statements behind them would be found where everything is asked for, and not where credits are. Evidence only.
    """
    judged = {watch.metric for watch in asked if watch.by == "warehouse" and watch.judged == "hours"}
    if not judged & _WITNESSES:
        return ()
    others = (w for w in WATCHES if w.by == "warehouse" and w.metric in _WITNESSES - judged)
    return tuple(replace(w, supporting=True) for w in others)


def _watch(metric: WatchMetric, by: SeriesBy | None, filters: Mapping[FilterColumn, tuple[str, ...]]) -> Watch:
    """By what the filters name, else the total; as fine as its view is."""
    named = next((column for column in filters), None)
    beside = beside_of(metric)
    return Watch(metric, by or named or "total", step=beside.step if beside else "hour")


def _columns(watch: Watch) -> set[str]:
    """Filters that keep a watch meaningful: of the column it is told apart by, or of one its view has beside it."""
    if watch.by == "user":
        return {"user", "warehouse"}
    return {watch.by}


def fetch_watched(
    reader: UsageReader,
    watch: Watch,
    filters: Mapping[FilterColumn, tuple[str, ...]] | None = None,
    *,
    days: int = HISTORY_DAYS,
) -> Watched:
    """The hourly series of one watch, up to the last hour that is complete.

    Raises:
        BadArgument, NoPermission: as `tools.history.fetch.fetch_histories`.
    """
    given = dict(filters or {})
    most = _MOST_SERIES.get(watch.by)
    days = max(days, _DAILY_DAYS) if watch.step == "day" and watch.judged != "creep" else days
    found = fetch_histories(reader, watch.metric, watch.by, given, step=watch.step, days=days, limit=most)
    if watch.by == "service_type" and "service_type" not in given:
        found = _without(found, _WAREHOUSE_SERVICES)
    return Watched(watch, found)


def _without(histories: Histories, names: Collection[str]) -> Histories:
    frame = histories.frame
    return replace(histories, frame=frame[~frame["unique_id"].isin(names)])
