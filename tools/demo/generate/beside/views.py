"""All views of a window, gathered."""

from __future__ import annotations

import pyarrow as pa

from tools.demo.generate.beside import (
    acceleration,
    catalog,
    governance,
    insights,
    intelligence,
    loads,
    logins,
    reads,
    refreshes,
    services,
    storage,
    tasks,
    users,
)
from tools.demo.generate.beside.window import Window
from tools.warehouse.views import FURTHER_VIEWS

__all__ = ["SNAPSHOTS", "write"]

SNAPSHOTS = frozenset(name for name, view in FURTHER_VIEWS.items() if not view.end)
"""Views without a time of their own."""


def write(window: Window) -> dict[str, pa.Table]:
    credits = services.service_credits(window)
    return {
        **services.histories(window, credits),
        **intelligence.histories(window),
        **storage.histories(window),
        **catalog.snapshots(window),
        **logins.histories(window),
        **users.snapshots(window),
        **tasks.histories(window),
        **refreshes.histories(window),
        **loads.histories(window, credits),
        **reads.histories(window, reads.touched(window)),
        **insights.histories(window),
        **governance.histories(window),
        **governance.snapshots(window),
        "QUERY_ACCELERATION_ELIGIBLE": acceleration.eligible(window),
    }
