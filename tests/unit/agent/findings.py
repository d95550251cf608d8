"""Findings put into a store without an account: what a scan would have seen, under its lease."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

from agent.findings import Sighting, reconcile
from agent.store import Store
from tools.charts import Chart, points
from tools.finding import FindingRecord, ScanStamp
from tools.result import Fact

T0 = datetime(2026, 3, 2, tzinfo=UTC)
SCOPE = "billing:credits:warehouse"
_numbers = itertools.count(1)


def at(hours: float) -> datetime:
    return T0 + timedelta(hours=hours)


def sighting(start: float = 0, end: float | None = None, seen: float | None = None, **changes: Any) -> Sighting:
    """Hours after T0; five times the credits that were expected, of ETL."""
    values: dict[str, Any] = {
        "kind": "spend_spike",
        "family": "credits:more",
        "scope": SCOPE,
        "metric": "credits",
        "warehouse": "ETL",
        "started_at": at(start),
        "ended_at": None if end is None else at(end),
        "seen_until": at(seen if seen is not None else end if end is not None else start + 1),
        "detected_at": at(start + 1),
        "visible_at": at(start + 4),
        "expected": 1.0,
        "actual": 5.0,
        "unit": "credits",
        "impact_credits_per_day": 10.0,
        "confidence": 0.9,
        "evidence": (
            Fact(id="f1", label="credits", value=5.0, unit="credits", entity="ETL", source="VIEW", as_of=at(start)),
        ),
    }
    return Sighting(**(values | changes))


def drawn(start: float = 0, **changes: Any) -> Sighting:
    """With a chart."""
    history = points((at(start + hour), 1.0 + hour) for hour in range(24))
    chart = Chart(title="Credits of ETL", unit="credits", timezone="UTC", history=history, alt="Credits of ETL rise.")
    return sighting(start, chart=chart, **changes)


def scanned(
    store: Store, hour: float, *seen: Sighting, looked: tuple[str, ...] = (SCOPE,)
) -> tuple[FindingRecord, ...]:
    """One scan as of then that has seen this; the findings of its changes."""
    holder = f"scan-{next(_numbers)}"
    assert store.leases.take("scan", holder, timedelta(minutes=1))
    stored = store.findings.list(limit=100_000)
    changes = reconcile(stored, seen, now=at(hour), looked=(SCOPE,), new_id=lambda: f"finding-{next(_numbers):04}")
    stamp = ScanStamp(as_of=at(hour), at=at(hour), seen=len(seen))
    assert store.findings.record(changes, stamp, lease="scan", holder=holder)
    store.leases.release("scan", holder)
    return tuple(change.record for change in changes)
