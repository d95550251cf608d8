"""The most that a warehouse can use: the rate of its size times its clusters, every hour of the day."""

from __future__ import annotations

from collections.abc import Mapping

from tools.context import FilterColumn
from tools.domain import Account, Warehouse
from tools.errors import BadArgument
from tools.history.fetch import TOTAL, Histories
from tools.history.measures import SeriesBy, SeriesMetric
from tools.ml.billing import credits_per_hour

__all__ = ["uppers"]

_CLOUD_SERVICES = 1.1
"""Cloud services come on top of compute and are no part of the rate; beyond a tenth of it nobody's usual hour lies."""
_COMPUTE: tuple[SeriesMetric, ...] = ("credits", "credits_compute", "credits_attributed", "credits_idle")
_MONEY: tuple[SeriesMetric, ...] = ("cost", "cost_idle")
_LOOK_BACK = 7


def uppers(
    metric: SeriesMetric,
    by: SeriesBy,
    filters: Mapping[FilterColumn, tuple[str, ...]],
    shown: Mapping[str, Warehouse],
    histories: Histories,
    account: Account,
) -> dict[str, float] | None:
    """The bound of each series that has one, in the metric's unit a step; None where none has.

    Adaptive warehouses have no rate. A bound that the last days have broken (the warehouse was larger until a moment
    ago) is none.
    """
    if metric not in _COMPUTE + _MONEY:
        return None
    price = account.credit_price if metric in _MONEY else 1.0
    hours = 24 if histories.step == "day" else 1
    found: dict[str, float] = {}
    for series, names in _owners(by, filters, histories.ids).items():
        rates = [_most(shown.get(name)) for name in names]
        known = [rate for rate in rates if rate is not None]
        if not names or len(known) < len(names):
            continue
        bound = price * hours * sum(known) * (1.0 if metric == "credits_compute" else _CLOUD_SERVICES)
        if _recent_peak(histories, series) <= bound:
            found[series] = bound
    return found or None


def _owners(
    by: SeriesBy, filters: Mapping[FilterColumn, tuple[str, ...]], ids: tuple[str, ...]
) -> dict[str, tuple[str, ...]]:
    """Series -> the warehouses whose usage it is; nothing where other columns cut through them."""
    if by == "warehouse" and set(filters) <= {"warehouse"}:
        return {name: (name,) for name in ids}
    if by == "total" and set(filters) == {"warehouse"}:
        return {TOTAL: filters["warehouse"]}
    return {}


def _most(warehouse: Warehouse | None) -> float | None:
    if warehouse is None or warehouse.size is None or warehouse.is_adaptive:
        return None
    try:
        rate = credits_per_hour(
            warehouse.size.value,
            type=warehouse.type,
            generation=warehouse.generation,
            resource_constraint=warehouse.resource_constraint,
        )
    except BadArgument:
        return None  # a type whose rate is in no table
    return rate * max(warehouse.max_clusters or 1, 1)


def _recent_peak(histories: Histories, name: str) -> float:
    steps = _LOOK_BACK * (24 if histories.step == "hour" else 1)
    return float(histories.series(name).tail(steps).max())
