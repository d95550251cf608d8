"""The clairvoyant optimum: for each warehouse the best settings that anyone could have chosen, by the true simulator.

It knows what no advisor can: every statement to come, the true slots, speed-ups and warmth. What an advisor saves
is measured against it. Slow on purpose (a few dozen simulations a warehouse): computed when asked for.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from itertools import product
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from tools.demo.generate.catalog import Demo
from tools.demo.generate.days import DAY_MS, moment
from tools.demo.generate.history import History
from tools.demo.generate.live import Live, Settings, start_of
from tools.demo.generate.runs import Ran, run_window
from tools.demo.generate.workload import Workload, draw
from tools.domain import Size
from tools.errors import BadArgument
from tools.ml.billing import meter

__all__ = ["Candidate", "Optimum", "optimum", "table"]

SUSPENDS = (60, 120, 300, 600)
CLUSTERS = (1, 2, 3)
_STEPS = (-3, -2, -1, 0, 1)


@dataclass(frozen=True)
class Candidate:
    """Settings, and what the window costs and feels like under them."""

    size: str
    auto_suspend: int | None
    max_clusters: int
    credits: float
    mean_ms: float
    """Mean of queueing, provisioning and execution."""
    p95_ms: float


@dataclass(frozen=True)
class Optimum:
    warehouse: str
    id: int
    actual: Candidate
    best: Candidate
    """The cheapest within the latency limit; the actual one where nothing is cheaper."""
    tried: int

    @property
    def saved(self) -> float:
        return self.actual.credits - self.best.credits


def optimum(
    simulation: Path, warehouse: int, *, days: int = 14, slower: float = 1.25, suspends: Iterable[int] = SUSPENDS
) -> Optimum:
    """The best of sizes x auto-suspend x clusters for the last `days` of the account's history.

    Args:
        simulation: the account's simulation.json.
        warehouse: WAREHOUSE_ID of one that is not adaptive.
        slower: how many times the actual mean and 95th percentile of waiting and running may become.

    Raises:
        BadArgument: no such warehouse, or an adaptive one.
    """
    history = History.load(simulation)
    live = history.lives.get(warehouse)
    if live is None or live.adaptive:
        raise BadArgument(f"Warehouse {warehouse} has no settings that could be better.")
    since = max(history.now - days * DAY_MS, history.first)
    work = _of_warehouse(history, live, since)
    actual = _try(history, live, live.settings, work, since)
    settings = list(_settings(live.settings, tuple(suspends)))
    tried = [_try(history, live, each, work, since) for each in settings]
    limit = slower * actual.mean_ms, slower * actual.p95_ms
    fine = [each for each in tried if each.mean_ms <= limit[0] and each.p95_ms <= limit[1]]
    best = min([actual, *fine], key=lambda each: (each.credits, each.mean_ms))
    return Optimum(live.name, live.id, actual, best, len(tried))


def _settings(actual: Settings, suspends: tuple[int, ...]) -> Iterable[Settings]:
    least = Size.MEDIUM.rank if actual.type == "SNOWPARK-OPTIMIZED" else 0
    ranks = sorted({actual.rank + step for step in _STEPS if least <= actual.rank + step <= Size.X4LARGE.rank})
    for rank, suspend, clusters in product(ranks, suspends, CLUSTERS):
        size = list(Size)[rank].shown
        yield replace(actual, size=size, auto_suspend=suspend, min_clusters=1, max_clusters=clusters)


def _of_warehouse(history: History, live: Live, since: int) -> Workload:
    work = draw(history.demo, history.seed, history.first, since, history.now, precursors=history.precursors)
    theirs = np.array([habit.warehouse == live.serves for habit in history.demo.habits])
    return work.take(np.flatnonzero(theirs[work.ints("habit")]))


def _try(history: History, live: Live, settings: Settings, work: Workload, since: int) -> Candidate:
    demo = history.demo
    fresh = _alone(demo, history, live, settings, since)
    ran = run_window(
        demo, history.seed, history.first, {live.id: fresh}, None, work, since, history.now, lambda done, text: None
    )
    took, credits = _felt(ran), _credits(ran)
    return Candidate(
        settings.size or "",
        settings.auto_suspend,
        settings.max_clusters,
        round(credits, 6),
        round(float(took.mean()), 1) if len(took) else 0.0,
        round(float(np.quantile(took, 0.95)), 1) if len(took) else 0.0,
    )


def _alone(demo: Demo, history: History, live: Live, settings: Settings, since: int) -> Live:
    """The warehouse asleep at `since`, with these settings and without anybody's resizes."""
    known = start_of(demo, history.seed, history.first).get(live.id, live)
    state = type(live.state)(settings.rank)
    return replace(known, settings=settings, state=state, void_before=history.now + 1, dropped=live.dropped)


def _felt(ran: Ran) -> npt.NDArray[np.int64]:
    done = np.flatnonzero(ran.finished & ran.on_cluster)
    return ran.started["end"][done] - ran.work.reaches[done]


def _credits(ran: Ran) -> float:
    runs = ran.stretches.drop(columns="open")
    for name in ("start", "end"):
        runs[name] = [moment(int(ms)) for ms in runs[name]]
    return float(meter(runs)["credits"].sum()) if len(runs) else 0.0


def table(found: Iterable[Optimum]) -> pd.DataFrame:
    """One row a warehouse: actual and best settings, credits, latency."""
    rows = [
        {"warehouse": each.warehouse, "saved": each.saved}
        | {f"actual_{name}": value for name, value in asdict(each.actual).items()}
        | {f"best_{name}": value for name, value in asdict(each.best).items()}
        for each in found
    ]
    return pd.DataFrame(rows)
