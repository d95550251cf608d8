"""Which metrics can be a series: sums over hours or days, never ratios of them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal, cast

from tools.errors import BadArgument
from tools.usage.metrics import METRICS, Metric, Recipe, choose

__all__ = ["SeriesBy", "SeriesMetric", "Step", "recipe_of"]

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
]
SeriesBy = Literal["total", "warehouse", "user", "role", "database", "query_tag", "query_type", "service_type"]


def recipe_of(metric: SeriesMetric, by: str, filters: Collection[str]) -> Recipe:
    """The view that has the metric as a series by that breakdown.

    Raises:
        BadArgument: no view has it, or it is a ratio, which does not add up over time.
    """
    if METRICS[cast("Metric", metric)].is_ratio:
        title = METRICS[cast("Metric", metric)].title
        raise BadArgument(f"The {title} is a ratio: it does not add up over time.", hint="Ask for what it is made of.")
    return choose(cast("Metric", metric), by, filters)
