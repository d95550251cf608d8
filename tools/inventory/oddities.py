"""What is odd about a warehouse as it stands: plain rules over its settings, its state and its last week. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from tools.domain import Frozen, Size, Warehouse

__all__ = ["OddKind", "Oddity", "odd_about"]

OddKind = Literal[
    "adaptive",
    "never_suspends",
    "suspends_late",
    "suspend_imprecise",
    "running_idle",
    "queued_now",
    "several_clusters_always",
    "mostly_idle",
    "large_little_used",
    "no_monitor",
    "not_visible",
]

_DEFAULT_SUSPEND = 600
_POLL = 30
"""Auto-suspend is checked about every 30 seconds (reference 2.3)."""
_IDLE_SHARE = 50.0
_LARGE = Size.XXLARGE


class Oddity(Frozen):
    kind: OddKind
    text: str
    """A sentence for people; its figures stand in the row's facts."""


def odd_about(warehouse: Warehouse, credits_7d: float | None, idle_share: float | None) -> tuple[Oddity, ...]:
    """Everything that stands out; empty for a warehouse about which nothing does."""
    if warehouse.is_adaptive:
        text = "Adaptive: billed by query; it has no size, clusters or auto-suspend to set."
        return (Oddity(kind="adaptive", text=text), *_monitor(warehouse))
    found = (
        *_suspension(warehouse),
        *_now(warehouse),
        *_week(warehouse, credits_7d, idle_share),
        *_monitor(warehouse),
    )
    return tuple(found)


def _suspension(warehouse: Warehouse) -> Iterator[Oddity]:
    seconds = warehouse.auto_suspend
    if not seconds:
        yield Oddity(kind="never_suspends", text="It never suspends by itself: auto-suspend is off.")
        return
    if seconds >= _DEFAULT_SUSPEND and not warehouse.is_interactive:
        text = f"It suspends after {seconds} s without work; that much idle time is paid at every pause."
        yield Oddity(kind="suspends_late", text=text)
    if seconds < _POLL or seconds % _POLL:
        text = f"Auto-suspend of {seconds} s is imprecise: Snowflake looks about every {_POLL} s."
        yield Oddity(kind="suspend_imprecise", text=text)


def _now(warehouse: Warehouse) -> Iterator[Oddity]:
    if warehouse.state == "STARTED" and not warehouse.running and not warehouse.queued:
        yield Oddity(kind="running_idle", text="It is started and nothing runs on it now.")
    if warehouse.queued:
        verb = "statement waits" if warehouse.queued == 1 else "statements wait"
        yield Oddity(kind="queued_now", text=f"{warehouse.queued} {verb} in its queue now.")
    if (warehouse.min_clusters or 1) > 1:
        text = f"It keeps at least {warehouse.min_clusters} clusters running whenever it is started."
        yield Oddity(kind="several_clusters_always", text=text)


def _week(warehouse: Warehouse, credits: float | None, idle_share: float | None) -> Iterator[Oddity]:
    if idle_share is not None and idle_share > _IDLE_SHARE:
        text = f"{idle_share:.1f} % of its compute credits of the last 7 days went to no query."
        yield Oddity(kind="mostly_idle", text=text)
    size = warehouse.size
    if size is not None and credits is not None and size.rank >= _LARGE.rank and credits < 2**size.rank:
        text = f"It is {size.shown} and used less in 7 days than that size costs in one hour ({credits:,.2f} credits)."
        yield Oddity(kind="large_little_used", text=text)


def _monitor(warehouse: Warehouse) -> Iterator[Oddity]:
    if (warehouse.resource_monitor or "null").casefold() == "null":
        yield Oddity(kind="no_monitor", text="No resource monitor watches it.")
