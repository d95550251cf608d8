"""What can be measured: each metric's unit, and from which view it comes for which breakdown.

One table, read by `query_usage` (to choose the view) and by its error messages (to say what is possible).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from tools.context import UsageSource
from tools.errors import BadArgument
from tools.result import Unit

__all__ = ["BY_TIME", "METRICS", "SOURCE_VIEW", "Breakdown", "Measure", "Metric", "Recipe", "TimeBucket", "choose"]

Metric = Literal[
    "credits",
    "credits_compute",
    "credits_cloud_services",
    "credits_billed",
    "credits_attributed",
    "credits_idle",
    "idle_share",
    "cost",
    "cost_billed",
    "cost_idle",
    "queries",
    "failures",
    "failure_rate",
    "bytes_scanned",
    "bytes_written",
    "bytes_spilled",
    "bytes_spilled_remote",
    "queue_seconds",
    "execution_seconds",
    "average_seconds",
]
TimeBucket = Literal["hour", "day", "week", "month"]
Breakdown = Literal[
    "total",
    "warehouse",
    "user",
    "role",
    "database",
    "query_tag",
    "query_type",
    "service_type",
    "hour",
    "day",
    "week",
    "month",
]

BY_TIME: frozenset[str] = frozenset(get_args(TimeBucket))

SOURCE_VIEW: dict[UsageSource, str] = {
    "metering": "WAREHOUSE_METERING_HISTORY",
    "services": "METERING_HISTORY",
    "billed": "METERING_DAILY_HISTORY",
    "queries": "QUERY_HISTORY",
    "attribution": "QUERY_ATTRIBUTION_HISTORY",
}

_QUERY_COLUMNS = frozenset({"warehouse", "user", "role", "database", "query_tag", "query_type"})
_COLUMNS: dict[UsageSource, frozenset[str]] = {
    "metering": frozenset({"warehouse"}),
    "services": frozenset({"service_type"}),
    "billed": frozenset({"service_type"}),
    "queries": _QUERY_COLUMNS,
    "attribution": _QUERY_COLUMNS,
}
"""The columns a source can be split and filtered by (the view has them)."""


@dataclass(frozen=True)
class Recipe:
    """One way to get a metric: sum of `plus` less sum of `minus`, over the sum of `over` where it is a ratio."""

    source: UsageSource
    plus: tuple[str, ...]
    minus: tuple[str, ...] = ()
    over: tuple[str, ...] = ()
    scale: float = 1.0
    convention: str = ""
    """What the reply must say about the figure."""

    def value(self, row: Mapping[str, Any]) -> float | None:
        """None where the view holds NULL (adaptive warehouses have no attributed credits) or the base is 0."""
        parts = [_number(row[c]) for c in self.plus + self.minus]
        if any(part is None for part in parts) and (self.minus or self.over):
            return None
        if all(part is None for part in parts):  # columns that an export does not hold: not known is not 0
            return None
        plus = math.fsum(part or 0.0 for part in parts[: len(self.plus)])
        value = plus - math.fsum(part or 0.0 for part in parts[len(self.plus) :])
        if not self.over:
            return value
        base = math.fsum(_number(row[c]) or 0.0 for c in self.over)
        return self.scale * value / base if base else None

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self.plus + self.minus + self.over))

    def fits(self, by: str, filters: Collection[str]) -> bool:
        columns = _COLUMNS[self.source]
        split = by == "total" or by in columns or (by in BY_TIME and not (self.source == "billed" and by == "hour"))
        return split and set(filters) <= columns


@dataclass(frozen=True)
class Measure:
    """One metric: its name for people, unit, and recipes, best first."""

    title: str
    unit: Unit
    recipes: tuple[Recipe, ...]
    priced: bool = False
    """The recipes give credits; the metric is those times the price of a credit."""

    @property
    def is_ratio(self) -> bool:
        return bool(self.recipes[0].over)


_BEFORE = "Credits used are compute and cloud services together, before the cloud-services adjustment."
_ATTRIBUTED = (
    "Credits are metered by warehouse; these are the compute credits attributed to queries: idle time, cloud services "
    "and very short queries are not in them."
)
_ATTRIBUTED_RECIPE = Recipe("attribution", ("credits_attributed",), convention=_ATTRIBUTED)
_IDLE = "Idle is compute less what is attributed to queries, over hours that are old enough for both to be complete."
_BILLED = "Billed figures exist by UTC day only, after the cloud-services adjustment."

_CREDITS = (
    Recipe("services", ("credits_used",), convention=_BEFORE),
    Recipe("metering", ("credits_used",), convention=_BEFORE),
    _ATTRIBUTED_RECIPE,
)
_IDLE_RECIPES = (Recipe("metering", ("credits_compute",), minus=("credits_attributed",), convention=_IDLE),)
_BILLED_RECIPES = (Recipe("billed", ("credits_billed",), convention=_BILLED),)


def _of_queries(*columns: str, over: tuple[str, ...] = (), scale: float = 1.0, says: str = "") -> tuple[Recipe, ...]:
    return (Recipe("queries", columns, over=over, scale=scale, convention=says),)


METRICS: dict[Metric, Measure] = {
    "credits": Measure("credits used", "credits", _CREDITS),
    "credits_compute": Measure(
        "compute credits",
        "credits",
        (Recipe("services", ("credits_compute",)), Recipe("metering", ("credits_compute",)), _ATTRIBUTED_RECIPE),
    ),
    "credits_cloud_services": Measure(
        "cloud-services credits",
        "credits",
        tuple(
            Recipe(source, ("credits_cloud_services",), convention="Before the cloud-services adjustment.")
            for source in ("services", "metering", "queries")
        ),
    ),
    "credits_billed": Measure("credits billed", "credits", _BILLED_RECIPES),
    "credits_attributed": Measure("credits attributed to queries", "credits", (_ATTRIBUTED_RECIPE,)),
    "credits_idle": Measure("idle credits", "credits", _IDLE_RECIPES),
    "cost_idle": Measure("cost of idle time", "USD", _IDLE_RECIPES, priced=True),
    "idle_share": Measure(
        "idle share of compute",
        "%",
        (
            Recipe(
                "metering",
                ("credits_compute",),
                minus=("credits_attributed",),
                over=("credits_compute",),
                scale=100.0,
                convention=_IDLE,
            ),
        ),
    ),
    "cost": Measure("cost", "USD", _CREDITS, priced=True),
    "cost_billed": Measure("cost billed", "USD", _BILLED_RECIPES, priced=True),
    "queries": Measure("queries", "count", _of_queries("queries")),
    "failures": Measure(
        "failed queries", "count", _of_queries("failures", says="Cancelled statements count as failed.")
    ),
    "failure_rate": Measure(
        "failure rate",
        "%",
        _of_queries("failures", over=("queries",), scale=100.0, says="Cancelled statements count as failed."),
    ),
    "bytes_scanned": Measure("bytes scanned", "bytes", _of_queries("bytes_scanned")),
    "bytes_written": Measure("bytes written", "bytes", _of_queries("bytes_written")),
    "bytes_spilled": Measure(
        "bytes spilled",
        "bytes",
        _of_queries("bytes_spilled_local", "bytes_spilled_remote", says="Local and remote storage together."),
    ),
    "bytes_spilled_remote": Measure("bytes spilled to remote storage", "bytes", _of_queries("bytes_spilled_remote")),
    "queue_seconds": Measure(
        "time queued",
        "s",
        _of_queries(
            "queued_overload_s",
            "queued_provisioning_s",
            "queued_repair_s",
            says="Waiting for a busy warehouse, for one to start, or for repair, over all queries.",
        ),
    ),
    "execution_seconds": Measure("execution time", "s", _of_queries("execution_s", says="Summed over all queries.")),
    "average_seconds": Measure(
        "average time of a query",
        "s",
        _of_queries("elapsed_s", over=("queries",), says="From submission to the end, queueing included."),
    ),
}


def choose(metric: Metric, by: str, filters: Collection[str]) -> Recipe:
    """The best view that has the metric by that breakdown under those filters.

    Raises:
        BadArgument: no view has it; the message says what is possible.
    """
    for recipe in METRICS[metric].recipes:
        if recipe.fits(by, filters):
            return recipe
    asked = f"by {by}" if by != "total" else "as a total"
    under = f" with a filter on {' and '.join(sorted(filters))}" if filters else ""
    raise BadArgument(
        f"Snowflake keeps no {METRICS[metric].title} {asked}{under}. {_why(metric)}".rstrip(), hint=_possible(metric)
    )


def _why(metric: Metric) -> str:
    if METRICS[metric].recipes == _BILLED_RECIPES:
        return "The adjustment exists for the whole account and a UTC day, not for a warehouse, a user or an hour."
    return ""


def _possible(metric: Metric) -> str:
    columns: list[str] = []
    for recipe in METRICS[metric].recipes:
        times = ("day", "week", "month") if recipe.source == "billed" else ("hour", "day", "week", "month")
        columns += [*sorted(_COLUMNS[recipe.source]), *times]
    return f"Possible for {METRICS[metric].title}: total, " + ", ".join(dict.fromkeys(columns)) + "."


def _number(value: Any) -> float | None:
    if value is None:
        return None
    number = float(value)
    return None if math.isnan(number) else number
