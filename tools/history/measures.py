"""Which metrics can be a series: sums over hours or days, and stocks as they stand; never ratios."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal, cast

from tools.result import Unit
from tools.usage.metrics import METRICS, Metric, Recipe, choose

__all__ = [
    "Beside",
    "SeriesBy",
    "SeriesMetric",
    "Step",
    "WatchMetric",
    "beside_of",
    "is_amount",
    "is_priced",
    "is_stock",
    "recipe_of",
    "title_of",
    "unit_of",
]

Step = Literal["hour", "day"]
SeriesMetric = Literal[
    "credits",
    "credits_compute",
    "credits_cloud_services",
    "credits_billed",
    "credits_attributed",
    "credits_idle",
    "cost",
    "cost_billed",
    "cost_idle",
    "queries",
    "failures",
    "bytes_scanned",
    "bytes_written",
    "bytes_spilled",
    "bytes_spilled_remote",
    "queue_seconds",
    "execution_seconds",
    "storage_bytes",
    "logins",
    "failed_logins",
]
WatchMetric = Literal[SeriesMetric, "size_above", "size_below", "pace", "longest_statement"]
"""... and what is only watched: peaks, indices and steps, which no sum or forecast makes sense of."""
SeriesBy = Literal["total", "warehouse", "user", "role", "database", "query_tag", "query_type", "service_type"]


@dataclass(frozen=True)
class Beside:
    """A metric that no usage query has: its statements are files of their own, by what they tell apart."""

    title: str
    unit: Unit
    column: str
    step: Step
    """The finest that the view has."""
    statements: Mapping[str, tuple[str, str]]
    """by -> (view, statement)."""
    convention: str
    stock: bool = False
    """A level as it stands, not an amount that adds up: of a window its last value counts."""
    peak: bool = False
    """The largest of its slot: no amount that adds up either, and nothing where there is nothing."""


_LOGINS = {"total": ("LOGIN_HISTORY", "series_logins"), "user": ("LOGIN_HISTORY", "series_logins_user")}
_SIZES = {"warehouse": ("QUERY_HISTORY", "series_sizes")}
_SIZE_SAYS = "The size is that of the statements' warehouse when they ran; it stays until it is changed."
_BESIDE: dict[str, Beside] = {
    "storage_bytes": Beside(
        "bytes stored",
        "bytes",
        "v",
        "day",
        {
            "total": ("STORAGE_USAGE", "series_storage"),
            "database": ("DATABASE_STORAGE_USAGE_HISTORY", "series_storage_database"),
        },
        "Storage is a level: the figure is what stands at the end of the window, by UTC day.",
        stock=True,
    ),
    "size_above": Beside("steps above its usual size", "count", "size_above", "hour", _SIZES, _SIZE_SAYS, stock=True),
    "size_below": Beside("steps below its usual size", "count", "size_below", "hour", _SIZES, _SIZE_SAYS, stock=True),
    "pace": Beside(
        "run time of the same statements",
        "%",
        "pace",
        "day",
        {"warehouse": ("QUERY_HISTORY", "series_pace")},
        "100 % is what the same statement takes on average on the same size of warehouse, by UTC day.",
        stock=True,
    ),
    "longest_statement": Beside(
        "longest statement",
        "s",
        "longest",
        "hour",
        {"warehouse": ("QUERY_HISTORY", "series_longest")},
        "A statement counts in the hour in which it started.",
        peak=True,
    ),
    "logins": Beside("sign-ins", "count", "logins", "hour", _LOGINS, "Failed sign-ins are counted too."),
    "failed_logins": Beside("failed sign-ins", "count", "failed_logins", "hour", _LOGINS, ""),
}


def beside_of(metric: WatchMetric) -> Beside | None:
    return _BESIDE.get(metric)


def title_of(metric: WatchMetric) -> str:
    beside = _BESIDE.get(metric)
    return beside.title if beside else METRICS[cast("Metric", metric)].title


def unit_of(metric: WatchMetric) -> Unit:
    beside = _BESIDE.get(metric)
    return beside.unit if beside else METRICS[cast("Metric", metric)].unit


def is_priced(metric: WatchMetric) -> bool:
    """Its recipes give credits, and the metric is those times the price of one."""
    return metric not in _BESIDE and METRICS[cast("Metric", metric)].priced


def is_stock(metric: WatchMetric) -> bool:
    beside = _BESIDE.get(metric)
    return beside is not None and beside.stock


def is_amount(metric: WatchMetric) -> bool:
    """Whether the values of several slots add up."""
    beside = _BESIDE.get(metric)
    return beside is None or not (beside.stock or beside.peak)


def recipe_of(metric: WatchMetric, by: str, filters: Collection[str]) -> Recipe:
    """The view that has a metric of usage as a series by that breakdown.

    Raises:
        BadArgument: no view has it.
    """
    return choose(cast("Metric", metric), by, filters)
