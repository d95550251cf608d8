"""What is watched, and its hourly series."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tools.context import FilterColumn, UsageReader
from tools.history.fetch import Histories, fetch_histories
from tools.history.measures import SeriesBy, SeriesMetric, Step, beside_of, title_of, unit_of
from tools.result import Unit

__all__ = ["HISTORY_DAYS", "WATCHES", "Watch", "Watched", "fetch_watched", "watches_for"]

HISTORY_DAYS = 63
"""Nine weeks: enough of every hour of a week to tell what is ordinary, and at least one month end."""
_DAILY_DAYS = 180
_MOST_SERIES = {"warehouse": 2_000, "user": 200, "role": 200, "database": 200, "query_tag": 200, "service_type": 60}


@dataclass(frozen=True)
class Watch:
    """One metric by one kind of name. `unit_credits`: what one unit of it is in credits; None: no price."""

    metric: SeriesMetric
    by: SeriesBy
    step: Step = "hour"
    least: float = 0.0
    """A finding whose sum beyond the expected is less than this, in the metric's unit, is not worth a word."""
    upward: bool = False
    """Only more than usual is odd: fewer failures or less waiting worry nobody."""

    @property
    def unit(self) -> Unit:
        return unit_of(self.metric)

    @property
    def title(self) -> str:
        return title_of(self.metric)

    @property
    def in_credits(self) -> bool:
        return self.unit == "credits"


@dataclass(frozen=True)
class Watched:
    watch: Watch
    histories: Histories


WATCHES: tuple[Watch, ...] = (
    Watch("credits", "warehouse", least=0.5),
    Watch("queries", "warehouse", least=50),
    Watch("queue_seconds", "warehouse", least=600, upward=True),
    Watch("failures", "warehouse", least=10, upward=True),
    Watch("bytes_spilled", "warehouse", least=20e9, upward=True),
    Watch("credits", "service_type", least=0.5),
    Watch("credits_cloud_services", "total", least=0.5, upward=True),
    Watch("execution_seconds", "user", least=7_200, upward=True),
    Watch("failed_logins", "total", least=10, upward=True),
    Watch("storage_bytes", "database", step="day", least=50e9, upward=True),
)
"""What `detect_anomalies` and the scan look at where nothing narrower is asked for."""


def watches_for(
    metrics: Sequence[SeriesMetric], by: SeriesBy | None, filters: Mapping[FilterColumn, tuple[str, ...]]
) -> tuple[Watch, ...]:
    """The watches of a question: of these metrics, by this kind of name; the default ones where nothing is said."""
    found = [w for w in WATCHES if (not metrics or w.metric in metrics) and (by is None or w.by == by)]
    found = [w for w in found if set(filters) <= _columns(w)]
    if found or not metrics:
        return tuple(found)
    return tuple(_watch(metric, by, filters) for metric in metrics)


def _watch(metric: SeriesMetric, by: SeriesBy | None, filters: Mapping[FilterColumn, tuple[str, ...]]) -> Watch:
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
    most = _MOST_SERIES.get(watch.by)
    days = max(days, _DAILY_DAYS) if watch.step == "day" else days
    found = fetch_histories(reader, watch.metric, watch.by, filters or {}, step=watch.step, days=days, limit=most)
    return Watched(watch, found)
