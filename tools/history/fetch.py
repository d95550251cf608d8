"""Asking the reader for a metric's series, cut to the hours and days that are complete.

An hour or a day without a row is a true 0 once the view covers it; what is not covered yet is left out, since half an
hour of metering would look like a fall.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from tools.context import Coverage, FilterColumn, UsageQuery, UsageReader
from tools.history.measures import SeriesBy, SeriesMetric, Step, recipe_of
from tools.usage.metrics import METRICS, SOURCE_VIEW, Metric, Recipe
from tools.usage.span import view_coverage
from tools.windows.calendars import floor_hour, localize, midnight, slot_minutes, zone

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["NONE", "TOTAL", "Histories", "fetch_histories", "recipe_with_rows"]

TOTAL = "total"
"""The id of the only series where nothing is told apart."""
NONE = "(none)"
_DAY_MINUTES = 1440


@dataclass(frozen=True)
class Histories:
    """Series of one metric. `frame` has unique_id, ds and y, sorted; every series runs to `end` without a gap.

    `ds` is naive: UTC hours, or days of `tz` (of UTC for billed figures). `end` is where the complete part ends.
    """

    frame: pd.DataFrame
    step: Step
    tz: str
    start: datetime
    end: datetime
    coverage: Coverage
    recipe: Recipe
    query_ids: tuple[str, ...] = ()
    last_used: Mapping[str, datetime] = field(default_factory=dict)
    """Start of the last slot with anything in it, by id; ids without any are not in `frame`."""
    two_ids: tuple[str, ...] = ()

    @property
    def view(self) -> str:
        return self.coverage.view

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(str(name) for name in self.frame["unique_id"]))

    def series(self, name: str) -> pd.Series:
        """One series, indexed by `ds`."""
        rows = self.frame[self.frame["unique_id"] == name]
        return rows.set_index("ds")["y"]


def fetch_histories(
    reader: UsageReader,
    metric: SeriesMetric,
    by: SeriesBy,
    filters: Mapping[FilterColumn, tuple[str, ...]],
    *,
    step: Step,
    days: int,
    limit: int | None = None,
) -> Histories:
    """Up to `days` days of a metric, by name.

    Args:
        filters: exact names; '' stands for rows without one.
        limit: only the so many largest over the time read.

    Raises:
        BadArgument: no view has the metric by that breakdown.
        NoPermission: Frostline's role may not read the view.
    """
    recipe = recipe_with_rows(reader, metric, by, filters)
    coverage = view_coverage(reader, recipe)
    tz = "UTC" if recipe.source == "billed" else reader.account().timezone
    end = _complete_end(coverage, step, tz)
    start = _start(coverage, end, days, step, tz)
    rows, query_ids = _rows(reader, recipe, by, filters, start, end, step, tz) if start < end else ([], ())
    price = reader.account().credit_price if METRICS[cast("Metric", metric)].priced else 1.0
    frame, used, two_ids = _laid(rows, recipe, step, tz, start, end, price, limit)
    return Histories(frame, step, tz, start, end, coverage, recipe, query_ids, used, two_ids)


def recipe_with_rows(
    reader: UsageReader, metric: SeriesMetric, by: str, filters: Mapping[FilterColumn, tuple[str, ...]]
) -> Recipe:
    """The account's own services view may be missing from an export: then the warehouses' metering stands in."""
    recipe = recipe_of(metric, by, list(filters))
    if recipe.source == "services" and by == "total" and not filters:
        fallback = next((r for r in METRICS[cast("Metric", metric)].recipes if r.source == "metering"), None)
        if fallback is not None and reader.coverage(SOURCE_VIEW["services"]).first is None:
            return fallback
    return recipe


def _complete_end(coverage: Coverage, step: Step, tz: str) -> datetime:
    until = coverage.complete_until
    if step == "hour":
        return floor_hour(until)
    return midnight(localize(until, zone(tz)).date(), zone(tz))


def _start(coverage: Coverage, end: datetime, days: int, step: Step, tz: str) -> datetime:
    """The first whole slot of the view, at most `days` back."""
    if coverage.first is None:
        return end
    wanted = end - timedelta(days=days)
    first = max(coverage.first, wanted)
    if step == "hour":
        whole = floor_hour(first)
        return whole if whole >= first else whole + timedelta(hours=1)
    local = localize(first, zone(tz))
    day = midnight(local.date(), zone(tz))
    return day if day >= first else midnight(local.date() + timedelta(days=1), zone(tz))


def _rows(
    reader: UsageReader,
    recipe: Recipe,
    by: SeriesBy,
    filters: Mapping[FilterColumn, tuple[str, ...]],
    start: datetime,
    end: datetime,
    step: Step,
    tz: str,
) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    minutes = _minutes(recipe, start, end, step, tz)
    query = UsageQuery(source=recipe.source, start=start, end=end, by=by, slot_minutes=minutes, filters=filters)
    found = reader.usage(query)
    return cast("list[dict[str, Any]]", found.frame.to_dict("records")), (found.query_id,)


def _minutes(recipe: Recipe, start: datetime, end: datetime, step: Step, tz: str) -> int:
    """Slots as large as local days allow: in UTC the days themselves."""
    if recipe.source == "billed":
        return _DAY_MINUTES
    if step == "day" and tz in ("UTC", "Etc/UTC"):
        return _DAY_MINUTES
    return slot_minutes(start, end, zone(tz)) if step == "day" else 60


def _laid(
    rows: list[dict[str, Any]],
    recipe: Recipe,
    step: Step,
    tz: str,
    start: datetime,
    end: datetime,
    price: float,
    limit: int | None,
) -> tuple[pd.DataFrame, dict[str, datetime], tuple[str, ...]]:
    """Rows on a full grid of slots, each series from its first row on."""
    import pandas as pd

    values = [recipe.value(row) for row in rows]
    known = [(row, value) for row, value in zip(rows, values, strict=True) if value is not None]
    frame = pd.DataFrame(
        {
            "unique_id": [_name(row["key"]) for row, _ in known],
            "ds": pd.to_datetime([row["slot"] for row, _ in known], utc=True),
            "y": [price * value for _, value in known],
        }
    )
    index = _index(start, end, step, tz)
    if frame.empty or not len(index):
        empty = pd.DataFrame({"unique_id": pd.Series(dtype=str), "ds": index[:0], "y": pd.Series(dtype=float)})
        return empty, {}, ()
    frame["ds"] = _slots(frame["ds"], step, tz)
    table = frame.groupby(["ds", "unique_id"])["y"].sum().unstack("unique_id").reindex(index)
    names = table.fillna(0.0).abs().sum().sort_values(ascending=False, kind="stable").index
    kept = list(names[:limit] if limit is not None else names)
    used = {str(name): _moment(table[name].dropna().pipe(lambda s: s[s != 0]), step, tz) for name in kept}
    parts = [_from_first(table[name], str(name)) for name in sorted(kept, key=str)]
    twice = tuple(sorted({_name(r["key"]) for r in rows if int(r.get("warehouse_ids") or 0) > 1} - {TOTAL}))
    return pd.concat(parts, ignore_index=True), {k: v for k, v in used.items() if v is not None}, twice


def _name(key: Any) -> str:
    return NONE if key is None or key != key else str(key)


def _index(start: datetime, end: datetime, step: Step, tz: str) -> pd.DatetimeIndex:
    import pandas as pd

    if step == "hour":
        return pd.date_range(_naive(start), _naive(end), freq="h", inclusive="left")
    first, after = localize(start, zone(tz)).date(), localize(end, zone(tz)).date()
    return pd.date_range(first, after, freq="D", inclusive="left")


def _naive(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)


def _slots(stamps: pd.Series, step: Step, tz: str) -> pd.Series:
    import pandas as pd

    if step == "hour":
        return pd.Series(stamps.dt.tz_convert("UTC").dt.tz_localize(None).dt.floor("h"))
    return pd.Series(stamps.dt.tz_convert(tz).dt.tz_localize(None).dt.normalize())


def _from_first(column: pd.Series, name: str) -> pd.DataFrame:
    """From the first row on: before it the name was not there, after it a missing slot is a 0."""
    import pandas as pd

    begun = column.loc[column.first_valid_index() :].fillna(0.0)
    return pd.DataFrame({"unique_id": name, "ds": begun.index, "y": begun.to_numpy(dtype=float)})


def _moment(used: pd.Series, step: Step, tz: str) -> datetime | None:
    if not len(used):
        return None
    last = used.index[-1].to_pydatetime()
    return last.replace(tzinfo=UTC) if step == "hour" else midnight(last.date(), zone(tz))
