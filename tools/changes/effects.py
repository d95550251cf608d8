"""What a change is expected to do to the bill, as bounds over the warehouse's last 30 days of metering.

Bounds, not quantiles (level 100): each end follows from one stated assumption, and the truth lies between as
long as the next 30 days ask for the same work. None means not known, which is not zero.

| change       | one end                                   | other end                                            |
|--------------|-------------------------------------------|------------------------------------------------------|
| resize       | run time unchanged: compute x (ratio - 1) | busy time scales with size: idle x (ratio - 1)       |
| auto-suspend | every pause as long as the old limit      | no pause reaches the limits                          |
| clusters     | always at the old bound, now at the new   | never at a bound: 0                                  |
| suspend      | idle until auto-suspend would have acted  | resumed at once: one more 60 s minimum               |
| resume       | the 60 s minimum                          | idle until auto-suspend acts                         |

Idle credits are compute less what is attributed to queries (reference 2.8). Rates: tools.ml.billing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta

from tools.context import UsageQuery, UsageReader
from tools.domain import (
    CancelQuery,
    Change,
    Effect,
    ResizeWarehouse,
    ResumeWarehouse,
    SetAutoSuspend,
    SetClusters,
    Size,
    SuspendWarehouse,
    Warehouse,
)
from tools.errors import BadArgument, NoPermission, StatementFailed, Unreachable
from tools.ml.billing import credits_per_hour

__all__ = ["Usage30d", "expected_effect", "hourly_rate", "usage_30d"]

_DAYS = 30
_HOURS = 24.0 * _DAYS
_VIEW = "WAREHOUSE_METERING_HISTORY"


@dataclass(frozen=True)
class Usage30d:
    """Credits of 30 days; scaled up where the view reaches back less than that."""

    compute: float
    attributed: float | None
    days: float
    """How many days it was measured over."""

    @property
    def idle(self) -> float | None:
        return None if self.attributed is None else max(0.0, self.compute - self.attributed)


def hourly_rate(warehouse: Warehouse, size: Size | None = None) -> float | None:
    """Credits one cluster costs in an hour at `size` (its own by default); None where no rate is known."""
    wanted = size or warehouse.size
    if wanted is None:
        return None
    try:
        return credits_per_hour(
            wanted.value,
            type="INTERACTIVE" if warehouse.is_interactive else warehouse.type,
            generation=warehouse.generation,
            resource_constraint=warehouse.resource_constraint,
        )
    except BadArgument:
        return None


def usage_30d(reader: UsageReader, warehouse: str) -> Usage30d | None:
    """Metering of the last 30 days that are sure to be loaded; None where that cannot be known."""
    try:
        coverage = reader.coverage(_VIEW)
        end = coverage.complete_until.replace(minute=0, second=0, microsecond=0)
        if coverage.first is None or coverage.first >= end:
            return None
        start = max(end - timedelta(days=_DAYS), coverage.first)
        rows = reader.usage(UsageQuery("metering", start, end, filters={"warehouse": (warehouse,)}))
    except (NoPermission, StatementFailed, Unreachable):
        return None
    days = (end - start) / timedelta(days=1)
    if days < 1:
        return None
    first = rows.frame.iloc[0].to_dict() if len(rows.frame) else {"credits_compute": 0.0, "credits_attributed": 0.0}
    compute, attributed = _number(first.get("credits_compute")), _number(first.get("credits_attributed"))
    if compute is None:
        return None
    scale = _DAYS / days
    return Usage30d(compute * scale, None if attributed is None else attributed * scale, days)


def expected_effect(reader: UsageReader, warehouse: Warehouse, change: Change) -> Effect:
    """Bounds on the change of credits over 30 days; negative is a saving. Never raises for missing data."""
    match change:
        case SuspendWarehouse():
            return _suspend(warehouse)
        case ResumeWarehouse():
            return _resume(warehouse)
        case CancelQuery():
            return _unknown("What the statement would still have used is not known.")
    used = usage_30d(reader, warehouse.name)
    if used is None:
        return _unknown("The warehouse's metering of the last 30 days could not be read.")
    match change:
        case ResizeWarehouse():
            return _resize(warehouse, change.size, used)
        case SetAutoSuspend():
            return _auto_suspend(warehouse, change.seconds or None, used)
        case SetClusters():
            return _clusters(warehouse, change, used)


def _resize(warehouse: Warehouse, size: Size, used: Usage30d) -> Effect:
    old, new = hourly_rate(warehouse), hourly_rate(warehouse, size)
    if not old or not new:
        return _unknown("No rate is known for this type and size.")
    share = new / old - 1
    idle = used.idle or 0.0
    return _bounds(
        used.compute * share,
        idle * share,
        f"From run time unchanged ({new:g} instead of {old:g} credits an hour) to busy time that changes in "
        f"proportion to the size (then only idle time costs {'less' if share < 0 else 'more'}); {_basis(used)}, "
        "taken as if it had run at today's size.",
    )


def _auto_suspend(warehouse: Warehouse, seconds: int | None, used: Usage30d) -> Effect:
    rate, old = hourly_rate(warehouse), warehouse.auto_suspend or None
    if used.idle is None or not rate:
        return _unknown("Credits attributed to queries or the rate are not known, so idle credits are not either.")
    if seconds is not None and (old is None or seconds < old):
        cut = 1.0 if old is None else 1 - seconds / old
        return _bounds(
            -used.idle * cut,
            0.0,
            "From every pause lasting as long as the old limit to no pause reaching the new one; idle credits "
            f"(compute less attributed to queries) of {_basis(used)}.",
        )
    most = max(0.0, rate * (warehouse.min_clusters or 1) * _HOURS - used.compute)
    if seconds is not None and old is not None:
        most = min(most, used.idle * (seconds / old - 1))
    return _bounds(0.0, most, f"From no pause reaching the old limit to idling up to the new one; {_basis(used)}.")


def _clusters(warehouse: Warehouse, change: SetClusters, used: Usage30d) -> Effect:
    old_min, old_max = warehouse.min_clusters, warehouse.max_clusters
    if not old_min or not old_max:
        return _unknown("The clusters it has now are not known.")
    if change.scaling_policy and change.scaling_policy != (warehouse.scaling_policy or "").upper():
        return _unknown("What another scaling policy does to the bill cannot be bounded from metering.")
    factors = (1.0, change.min_clusters / old_min, change.max_clusters / old_max)
    return _bounds(
        used.compute * (min(factors) - 1),
        used.compute * (max(factors) - 1),
        f"From never running at the bounds that change to always running at them; {_basis(used)}.",
    )


def _suspend(warehouse: Warehouse) -> Effect:
    rate = hourly_rate(warehouse)
    if not rate:
        return _unknown("No rate is known for this type and size.")
    clusters = warehouse.started_clusters or warehouse.min_clusters or 1
    hours = min(_HOURS, warehouse.auto_suspend / 3600) if warehouse.auto_suspend else _HOURS
    until = (
        f"auto-suspend after {warehouse.auto_suspend} s" if warehouse.auto_suspend else "30 days (it never suspends)"
    )
    return _bounds(
        -rate * clusters * hours,
        rate * clusters / 60,
        f"From idling until {until} without this, to being resumed at once, which costs one more 60 s minimum.",
    )


def _resume(warehouse: Warehouse) -> Effect:
    rate = hourly_rate(warehouse)
    if not rate:
        return _unknown("No rate is known for this type and size.")
    clusters = warehouse.min_clusters or 1
    hours = min(_HOURS, max(60, warehouse.auto_suspend) / 3600) if warehouse.auto_suspend else _HOURS
    until = (
        f"auto-suspend after {warehouse.auto_suspend} s" if warehouse.auto_suspend else "30 days (it never suspends)"
    )
    return _bounds(
        rate * clusters / 60,
        rate * clusters * hours,
        f"From the 60 s minimum to idling until {until}; the work that will run on it is not counted.",
    )


def _bounds(one: float, other: float, method: str) -> Effect:
    low, high = sorted((one, other))
    # + 0.0 turns -0.0 into 0.0
    return Effect(credits_30d_low=low + 0.0, credits_30d_high=high + 0.0, level=100, method=method)


def _unknown(method: str) -> Effect:
    return Effect(credits_30d_low=None, credits_30d_high=None, level=100, method=method)


def _basis(used: Usage30d) -> str:
    measured = "" if used.days >= _DAYS else f", scaled up from the {used.days:.1f} days there are"
    return f"{used.compute:,.1f} compute credits in 30 days{measured}"


def _number(value: object) -> float | None:
    return None if not isinstance(value, (int, float)) or math.isnan(value) else float(value)
