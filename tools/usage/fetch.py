"""Asking the reader for a metric's figures: totals, groups, time buckets, and idle spread over its causes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, cast

from tools.context import FilterColumn, GroupBy, UsageQuery, UsageReader
from tools.result import Window
from tools.usage.buckets import bucket_of, buckets, fold
from tools.usage.metrics import BY_TIME, Breakdown, Recipe, TimeBucket
from tools.windows.calendars import slot_minutes, zone

__all__ = ["NO_QUERIES", "Fetch", "Measured"]

NO_QUERIES = "(no queries)"
"""Key of the idle credits of warehouses that nobody's queries used."""
_MOST_GROUPS = 1000
_WAREHOUSE_SERVICES = ("WAREHOUSE_METERING", "WAREHOUSE_METERING_READER")


@dataclass
class Measured:
    """Figures of one window."""

    total: float | None
    groups: list[tuple[str | None, float | None]] = field(default_factory=list)
    buckets: list[tuple[datetime, float | None]] = field(default_factory=list)
    all_groups: bool = True
    """False where there are more groups than were fetched."""
    warehouses: float | None = None
    """How much of an account total is warehouses."""
    two_ids: tuple[str, ...] = ()
    """Names that stand for more than one warehouse."""
    unknown: tuple[str, ...] = ()
    """Warehouses whose figure the view does not hold (adaptive)."""


@dataclass(frozen=True)
class Fetch:
    """One metric's way of asking; `query_ids` collects what was run."""

    reader: UsageReader
    recipe: Recipe
    by: Breakdown
    filters: Mapping[FilterColumn, tuple[str, ...]]
    ascending: bool = False
    include_idle: bool = False
    query_ids: list[str] = field(default_factory=list)

    def measure(self, window: Window) -> Measured:
        if self.include_idle:
            return self._with_idle(window)
        if self.recipe.minus:
            return self._idle(window)
        if self.by in BY_TIME:
            return self._by_time(window)
        if self.by == "total":
            return self._total(window)
        return self._grouped(window)

    # --- asking -------------------------------------------------------------------------------------------

    def _rows(self, window: Window, by: GroupBy, **more: Any) -> list[dict[str, Any]]:
        query = UsageQuery(
            source=more.pop("source", self.recipe.source),
            start=window.start,
            end=window.end,
            by=by,
            filters=more.pop("filters", self.filters),
            **more,
        )
        rows = self.reader.usage(query)
        self.query_ids.append(rows.query_id)
        return cast("list[dict[str, Any]]", rows.frame.to_dict("records"))

    def _total(self, window: Window) -> Measured:
        if self.recipe.source == "services" and not self.filters:
            rows = self._rows(window, "service_type")
            of_warehouses = [row for row in rows if row["key"] in _WAREHOUSE_SERVICES]
            return Measured(self._sum(rows), warehouses=self._sum(of_warehouses))
        rows = self._rows(window, "total")
        ids = int(rows[0].get("warehouse_ids") or 0) if rows else 0
        named = self.filters.get("warehouse", ())
        return Measured(self._sum(rows), two_ids=tuple(named) if ids > len(named) == 1 else ())

    def _grouped(self, window: Window) -> Measured:
        by = cast("GroupBy", self.by)
        limit: dict[str, Any] = {"limit": _MOST_GROUPS}
        if len(self.recipe.plus) == 1 and not self.recipe.over and not self.ascending:
            limit["order_by"] = self.recipe.plus[0]
        rows = self._rows(window, by, **limit)
        groups = [(_text(row["key"]), self.recipe.value(row)) for row in rows]
        whole = len(rows) < _MOST_GROUPS
        total = self._sum(rows) if whole else self._sum(self._rows(window, "total"))
        return Measured(total, self._with_zeros(groups), all_groups=whole, two_ids=_two_ids(rows))

    def _with_zeros(self, groups: list[tuple[str | None, float | None]]) -> list[tuple[str | None, float | None]]:
        """A name that was asked for and has no rows is a true 0, and so is an idle warehouse among the least used."""
        if self.recipe.over:
            return groups
        expected = list(self.filters.get(cast("FilterColumn", self.by), ()))
        if self.by == "warehouse" and self.ascending and not self.filters:
            expected = [warehouse.name for warehouse in self.reader.warehouses()]
        seen = {key for key, _ in groups}
        return groups + [(name or None, 0.0) for name in expected if (name or None) not in seen]

    def _by_time(self, window: Window) -> Measured:
        bucket, tz = cast("TimeBucket", self.by), zone(window.tz)
        minutes = 1440 if self.recipe.source == "billed" else slot_minutes(window.start, window.end, tz)
        starts = buckets(window, bucket, tz)
        rows = self._rows(window, "total", slot_minutes=minutes)
        return self._folded(rows, starts, bucket, window)

    def _folded(
        self, rows: list[dict[str, Any]], starts: list[datetime], bucket: TimeBucket, window: Window
    ) -> Measured:
        tz = zone(window.tz)
        sums = fold(rows, self.recipe.columns, bucket, tz)
        empty = dict.fromkeys(self.recipe.columns, 0.0)
        values = [(start, self.recipe.value(sums.get(bucket_of(start, bucket, tz), empty))) for start in starts]
        return Measured(self._sum(rows), buckets=values)

    def _sum(self, rows: Iterable[Mapping[str, Any]]) -> float | None:
        """The metric over several rows: of sums, never a sum of ratios."""
        rows = list(rows)
        if not rows:
            return None if self.recipe.over else 0.0
        return self.recipe.value({column: _total(row[column] for row in rows) for column in self.recipe.columns})

    # --- idle -----------------------------------------------------------------------------------------------

    def _idle(self, window: Window) -> Measured:
        """Compute less attributed; adaptive warehouses have no attributed credits and are left out, by name."""
        rows = self._rows(window, "warehouse")
        known = [row for row in rows if _total([row[self.recipe.minus[0]]]) is not None]
        unknown = tuple(str(row["key"]) for row in rows if row not in known)
        groups = [(_text(row["key"]), self.recipe.value(row)) for row in known]
        done = Measured(self._sum(known), groups, two_ids=_two_ids(rows), unknown=unknown)
        if self.by == "warehouse":
            return replace(done, groups=self._with_zeros(groups))
        if self.by == "total" or not known:
            return replace(done, groups=[])
        only = replace(self, filters={"warehouse": tuple(str(row["key"]) for row in known)}, query_ids=self.query_ids)
        return replace(done, groups=[], buckets=only._by_time(window).buckets)

    def _with_idle(self, window: Window) -> Measured:
        """Each warehouse's compute credits, spread over keys by their share of what is attributed there."""
        chosen = {c: v for c, v in self.filters.items() if c == "warehouse"}
        sums: dict[str | None, float] = {}
        for row in self._rows(window, "warehouse", source="metering", filters=chosen):
            compute = float(row["credits_compute"])
            parts = self._rows(
                window, cast("GroupBy", self.by), source="attribution", filters={"warehouse": (str(row["key"]),)}
            )
            attributed = math.fsum(float(part["credits_attributed"]) for part in parts)
            if not attributed:
                sums[NO_QUERIES] = sums.get(NO_QUERIES, 0.0) + compute
                continue
            for part in parts:
                key = _text(part["key"])
                sums[key] = sums.get(key, 0.0) + compute * float(part["credits_attributed"]) / attributed
        wanted = self.filters.get(cast("FilterColumn", self.by))
        kept = {k: v for k, v in sums.items() if wanted is None or (k or "") in wanted}
        groups = sorted(kept.items(), key=lambda item: -item[1])
        return Measured(math.fsum(kept.values()), [(key, value) for key, value in groups])


def _text(value: Any) -> str | None:
    return None if value is None or value != value else str(value)


def _total(values: Iterable[Any]) -> float | None:
    items = list(values)
    if any(item is None or item != item for item in items):
        return None
    return math.fsum(float(item) for item in items)


def _two_ids(rows: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    return tuple(str(row["key"]) for row in rows if int(row.get("warehouse_ids") or 0) > 1)
