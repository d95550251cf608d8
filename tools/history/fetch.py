"""Asking the reader for a metric's series, cut to the hours and days that are complete.

An hour or a day without a row is a true 0 once the view covers it; what is not covered yet is left out, since half an
hour of metering would look like a fall.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from tools.context import Coverage, FilterColumn, UsageQuery, UsageReader
from tools.errors import BadArgument
from tools.history.measures import Beside, SeriesBy, Step, WatchMetric, beside_of, is_priced, recipe_of
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
    view: str
    convention: str
    """What a reply must say about the figure."""
    query_ids: tuple[str, ...] = ()
    last_used: Mapping[str, datetime] = field(default_factory=dict)
    """Start of the last slot with anything in it, by id; ids without any are not in `frame`."""
    two_ids: tuple[str, ...] = ()

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(str(name) for name in self.frame["unique_id"]))

    def series(self, name: str) -> pd.Series:
        """One series, indexed by `ds`."""
        rows = self.frame[self.frame["unique_id"] == name]
        return rows.set_index("ds")["y"]


def fetch_histories(
    reader: UsageReader,
    metric: WatchMetric,
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
    beside = beside_of(metric)
    if beside is not None:
        return fetch_beside(reader, beside, by, filters, step=step, days=days, limit=limit)
    recipe = recipe_with_rows(reader, metric, by, filters)
    coverage = view_coverage(reader, recipe)
    tz = "UTC" if recipe.source == "billed" else reader.account().timezone
    end = complete_end(coverage, step, tz)
    start = first_slot(coverage, end, days, step, tz)
    rows, query_ids = _rows(reader, recipe, by, filters, start, end, step, tz) if start < end else ([], ())
    price = reader.account().credit_price if is_priced(metric) else 1.0
    values = [(row["key"], row["slot"], _times(recipe.value(row), price)) for row in rows]
    frame, used = laid(values, step, tz, start, end, limit)
    twice = {_name(r["key"]) for r in rows if int(r.get("warehouse_ids") or 0) > 1} - {TOTAL}
    view = SOURCE_VIEW[recipe.source]
    return Histories(
        frame, step, tz, start, end, coverage, view, recipe.convention, query_ids, used, tuple(sorted(twice))
    )


def fetch_beside(
    reader: UsageReader,
    beside: Beside,
    by: SeriesBy,
    filters: Mapping[FilterColumn, tuple[str, ...]],
    *,
    step: Step,
    days: int,
    limit: int | None,
) -> Histories:
    """A metric that no usage query has. Daily views stay daily, by UTC day.

    Raises:
        BadArgument: its view does not tell this apart.
    """
    if by not in beside.statements or not set(filters) <= {by}:
        can = ", ".join(beside.statements)
        raise BadArgument(f"Snowflake keeps no {beside.title} by that.", hint=f"Possible for {beside.title}: {can}.")
    view, statement = beside.statements[by]
    coverage = reader.coverage(view)
    step = "day" if beside.step == "day" else step
    tz = "UTC" if beside.step == "day" else reader.account().timezone
    end = complete_end(coverage, step, tz)
    start = first_slot(coverage, end, days, step, tz)
    found: list[dict[str, Any]] = []
    query_ids: tuple[str, ...] = ()
    if start < end:
        times = {"start": start, "end": end, "first_day": start.date(), "end_day": end.date()}
        rows = reader.sql(statement, times)
        found, query_ids = cast("list[dict[str, Any]]", rows.frame.to_dict("records")), (rows.query_id,)
    wanted = {name or NONE for names in filters.values() for name in names}
    values = [
        (row["key"], row["slot"], float(row[beside.column]))
        for row in found
        if not wanted or _name(row["key"]) in wanted
    ]
    frame, used = laid(values, step, tz, start, end, limit, stock=beside.stock)
    return Histories(frame, step, tz, start, end, coverage, view, beside.convention, query_ids, used)


def _times(value: float | None, price: float) -> float | None:
    return None if value is None else price * value


def recipe_with_rows(
    reader: UsageReader, metric: WatchMetric, by: str, filters: Mapping[FilterColumn, tuple[str, ...]]
) -> Recipe:
    """The account's own services view may be missing from an export: then the warehouses' metering stands in."""
    recipe = recipe_of(metric, by, list(filters))
    if recipe.source == "services" and by == "total" and not filters:
        fallback = next((r for r in METRICS[cast("Metric", metric)].recipes if r.source == "metering"), None)
        if fallback is not None and reader.coverage(SOURCE_VIEW["services"]).first is None:
            return fallback
    return recipe


def complete_end(coverage: Coverage, step: Step, tz: str) -> datetime:
    until = coverage.complete_until
    if step == "hour":
        return floor_hour(until)
    return midnight(localize(until, zone(tz)).date(), zone(tz))


def first_slot(coverage: Coverage, end: datetime, days: int, step: Step, tz: str) -> datetime:
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


def laid(
    values: Sequence[tuple[Any, datetime, float | None]],
    step: Step,
    tz: str,
    start: datetime,
    end: datetime,
    limit: int | None,
    *,
    stock: bool = False,
) -> tuple[pd.DataFrame, dict[str, datetime]]:
    """(key, slot, value) rows on a full grid of slots, each series from its first row on; and when each was last used.

    A slot without a row is a 0; of a `stock` it is what stood before.
    """
    import pandas as pd

    known = [item for item in values if item[2] is not None]
    frame = pd.DataFrame(
        {
            "unique_id": [_name(key) for key, _, _ in known],
            "ds": pd.to_datetime([slot for _, slot, _ in known], utc=True),
            "y": [value for _, _, value in known],
        }
    )
    index = _index(start, end, step, tz)
    if frame.empty or not len(index):
        empty = pd.DataFrame({"unique_id": pd.Series(dtype=str), "ds": index[:0], "y": pd.Series(dtype=float)})
        return empty, {}
    frame["ds"] = _slots(frame["ds"], step, tz)
    table = frame.groupby(["ds", "unique_id"])["y"].sum().unstack("unique_id").reindex(index)
    names = table.fillna(0.0).abs().sum().sort_values(ascending=False, kind="stable").index
    kept = list(names[:limit] if limit is not None else names)
    used = {str(name): _moment(table[name].dropna().pipe(lambda s: s[s != 0]), step, tz) for name in kept}
    parts = [_from_first(table[name].ffill() if stock else table[name], str(name)) for name in sorted(kept, key=str)]
    return pd.concat(parts, ignore_index=True), {k: v for k, v in used.items() if v is not None}


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
