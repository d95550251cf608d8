"""Series that are no sums of usage: failed logins by hour, growth of storage by day, the size of each warehouse."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal, get_args

from tools.context import Coverage, UsageReader
from tools.history.fetch import Histories
from tools.history.measures import Step
from tools.result import Unit
from tools.usage.metrics import Recipe
from tools.windows.calendars import floor_hour

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["BESIDE", "BesideMetric", "Measured", "fetch_beside"]

BesideMetric = Literal["failed_logins", "storage_growth", "size_above", "size_below"]


@dataclass(frozen=True)
class Measured:
    """Where a series comes from. A slot without a row is 0 unless said otherwise."""

    title: str
    unit: Unit
    view: str
    statement: str
    step: Step
    growth: bool = False
    """What is watched is how much the value has grown since the slot before; without a row it is not known."""
    size: Literal[1, 0, -1] = 0
    """What is watched is how far a size is above (below) the usual one of its warehouse; it stays until changed."""


BESIDE: dict[BesideMetric, Measured] = {
    "failed_logins": Measured("failed logins", "count", "LOGIN_HISTORY", "watch_logins", "hour"),
    "storage_growth": Measured(
        "growth of storage", "bytes", "DATABASE_STORAGE_USAGE_HISTORY", "watch_storage", "day", growth=True
    ),
    "size_above": Measured("steps above its usual size", "count", "QUERY_HISTORY", "watch_sizes", "hour", size=1),
    "size_below": Measured("steps below its usual size", "count", "QUERY_HISTORY", "watch_sizes", "hour", size=-1),
}
assert set(BESIDE) == set(get_args(BesideMetric))


def fetch_beside(reader: UsageReader, metric: BesideMetric, *, days: int) -> Histories:
    """Up to `days` days of the metric, by name, in UTC hours or days.

    Raises:
        NoPermission: Frostline's role may not read the view.
    """
    measured = BESIDE[metric]
    coverage = reader.coverage(measured.view)
    start, end = _span(coverage, measured.step, days)
    frame, query_ids = _empty(), ()
    if coverage.first is not None and start < end:
        found = reader.sql(measured.statement, {"start": start, "end": end})
        frame, query_ids = _laid(found.frame, measured, start, end), (found.query_id,)
    return Histories(frame, measured.step, "UTC", start, end, coverage, _NO_RECIPE, query_ids)


_NO_RECIPE = Recipe("queries", ())


def _span(coverage: Coverage, step: Step, days: int) -> tuple[datetime, datetime]:
    """Whole slots that are complete, from the first whole one of the view."""
    floor = floor_hour if step == "hour" else _floor_day
    end = floor(coverage.complete_until)
    first = max(coverage.first or end, end - timedelta(days=days))
    start = floor(first)
    if start < first:
        start += timedelta(hours=1) if step == "hour" else timedelta(days=1)
    return start, end


def _floor_day(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _empty() -> pd.DataFrame:
    import pandas as pd

    stamps = pd.DatetimeIndex([])
    return pd.DataFrame({"unique_id": pd.Series(dtype=str), "ds": stamps, "y": pd.Series(dtype=float)})


def _laid(rows: pd.DataFrame, measured: Measured, start: datetime, end: datetime) -> pd.DataFrame:
    """On a full grid, each name from its first row on."""
    import pandas as pd

    if rows.empty:
        return _empty()
    stamps = pd.to_datetime(rows["slot"], utc=True).dt.tz_localize(None)
    flat = pd.DataFrame({"ds": stamps, "key": rows["key"].astype(str), "y": rows["value"].astype(float)})
    if measured.size:
        flat["y"] = _beyond_usual(rows, measured.size)
    index = pd.date_range(
        start.replace(tzinfo=None),
        end.replace(tzinfo=None),
        freq="h" if measured.step == "hour" else "D",
        inclusive="left",
    )
    table = flat.groupby(["ds", "key"])["y"].sum().unstack("key").reindex(index)
    if measured.growth:
        table = table.diff()
    elif measured.size:
        table = table.ffill()
    else:
        table = table.fillna(0.0)
    parts = []
    for name in sorted(map(str, table.columns)):
        known = table[name].dropna()
        parts.append(pd.DataFrame({"unique_id": name, "ds": known.index, "y": known.to_numpy(dtype=float)}))
    return pd.concat(parts, ignore_index=True)


def _beyond_usual(rows: pd.DataFrame, way: int) -> pd.Series:
    """Dropped and made anew under the same name, a warehouse is another one, with a usual size of its own."""
    usual = rows.groupby(["key", "id"])["value"].transform("median")
    return (way * (rows["value"].astype(float) - usual)).clip(lower=0.0)
