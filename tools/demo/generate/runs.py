"""The workload on its warehouses: every statement's begin and end, and what the warehouses did meanwhile."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from tools.demo.generate.arrivals import HOUR_MS, Calendar
from tools.demo.generate.habits import Demo
from tools.demo.generate.model import Warehouse
from tools.demo.generate.simulate import Outcome, Rules, provisioner, simulate
from tools.demo.generate.workload import Workload, run_milliseconds
from tools.demo.load import Progress
from tools.domain import Size

__all__ = ["Ran", "run_all"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_ADAPTIVE_AS = Size.LARGE
"""An adaptive warehouse has no size; its statements run as on this one."""
_ADAPTIVE_RATE = 1.6
"""Credits per slot and hour of execution on the adaptive warehouse, which is billed by query."""


@dataclass(frozen=True)
class Ran:
    """What became of each statement (parallel to the workload, ms after the start, -1: not yet), and the rest."""

    work: Workload
    now: int
    begin: Ints
    end: Ints
    """End of the whole statement; also set for those that never reach a warehouse."""
    cluster: Ints
    provisioning: Ints
    overload: Ints
    rank: Ints
    """Rank of the size it ran on."""
    cold: Bools
    adaptive: Bools
    adaptive_credits: Floats
    outcomes: dict[int, Outcome]
    """By WAREHOUSE_ID."""
    sizes: dict[int, tuple[Size, ...]]
    """What the size indexes of an outcome mean."""
    stretches: pd.DataFrame
    """warehouse (id), cluster, start, end (ms), size."""

    @property
    def finished(self) -> Bools:
        return (self.end >= 0) & (self.end <= self.now)

    @property
    def on_cluster(self) -> Bools:
        """Finished or not, it executed on a cluster of its own warehouse."""
        return (self.begin >= 0) & ~self.adaptive


def run_all(demo: Demo, work: Workload, calendar: Calendar, rng: np.random.Generator, progress: Progress) -> Ran:
    count = len(work.at)
    columns = {name: np.full(count, -1, dtype=np.int64) for name in ("begin", "end", "cluster", "rank")}
    columns |= {name: np.zeros(count, dtype=np.int64) for name in ("provisioning", "overload")}
    cold, adaptive = np.zeros(count, dtype=bool), np.zeros(count, dtype=bool)
    executes = work.executes & (work.reaches <= calendar.end_ms)
    columns["end"][~work.executes] = (work.at + work.compile)[~work.executes]
    outcomes: dict[int, Outcome] = {}
    sizes: dict[int, tuple[Size, ...]] = {}
    # Each warehouse has a generator of its own: a change of one habit leaves the others as they were.
    for index, (warehouse, own) in enumerate(zip(demo.warehouses, rng.spawn(len(demo.warehouses)), strict=True)):
        progress(index / len(demo.warehouses), f"running {warehouse.name}")
        rows = np.flatnonzero(executes & (work.warehouse == warehouse.id))
        rows = rows[np.argsort(work.reaches[rows], kind="stable")]
        if warehouse.size is None:
            adaptive[rows] = True
            columns["begin"][rows] = work.reaches[rows]
            columns["end"][rows] = work.reaches[rows] + run_milliseconds(work, rows, warehouse, _ADAPTIVE_AS)
            continue
        outcome, known = _simulate(warehouse, warehouse.size, rows, work, calendar, own)
        outcomes[warehouse.id], sizes[warehouse.id] = outcome, known
        for name in ("begin", "end", "cluster", "provisioning", "overload"):
            columns[name][rows] = getattr(outcome, name)
        ranks = np.array([size.rank for size in known])
        columns["rank"][rows] = np.where(columns["begin"][rows] >= 0, ranks[np.array(outcome.size, dtype=int)], -1)
        cold[rows] = outcome.cold
    ran_adaptive = np.where(adaptive, columns["end"] - columns["begin"], 0)
    slots = np.array([statement.slots for statement in work.statements])[work.statement]
    return Ran(
        work=work,
        now=calendar.end_ms,
        **columns,
        cold=cold,
        adaptive=adaptive,
        adaptive_credits=ran_adaptive / HOUR_MS * slots * _ADAPTIVE_RATE,
        outcomes=outcomes,
        sizes=sizes,
        stretches=_stretches(demo, outcomes, sizes),
    )


def _simulate(
    warehouse: Warehouse, size: Size, rows: Ints, work: Workload, calendar: Calendar, rng: np.random.Generator
) -> tuple[Outcome, tuple[Size, ...]]:
    known = (size,) if warehouse.resizing is None else (size, warehouse.resizing.size)
    slots = np.array([statement.slots for statement in work.statements])[work.statement[rows]]
    rules = Rules(
        auto_suspend=None if warehouse.auto_suspend is None else warehouse.auto_suspend * 1000,
        min_clusters=warehouse.min_clusters,
        max_clusters=warehouse.max_clusters,
        provision=provisioner(warehouse.provisioning, rng),
        resizes=_resizes(warehouse, calendar, rng),
        poll_phase=int(rng.integers(0, 30_000)),
    )
    run_ms = [run_milliseconds(work, rows, warehouse, each).tolist() for each in known]
    return simulate(rules, work.reaches[rows].tolist(), slots.tolist(), run_ms, calendar.end_ms), known


def _resizes(warehouse: Warehouse, calendar: Calendar, rng: np.random.Generator) -> list[tuple[int, int]]:
    plan = warehouse.resizing
    if plan is None:
        return []
    found: list[tuple[int, int]] = []
    for hour in range(1, calendar.hours):
        if calendar.hour[hour] == calendar.hour[hour - 1]:
            continue
        at = hour * HOUR_MS + int(rng.integers(500, 4_000))
        if calendar.hour[hour] == plan.from_hour:
            found.append((at, 1))
        elif calendar.hour[hour] == plan.to_hour:
            found.append((at, 0))
    return found


def _stretches(demo: Demo, outcomes: dict[int, Outcome], sizes: dict[int, tuple[Size, ...]]) -> pd.DataFrame:
    rows = [
        (identifier, stretch.cluster, stretch.start, stretch.end, sizes[identifier][stretch.size].value)
        for identifier, outcome in outcomes.items()
        for stretch in outcome.stretches
    ]
    frame = pd.DataFrame(rows, columns=["warehouse", "cluster", "start", "end", "size"])
    for name in ("type", "generation", "resource_constraint"):
        frame[name] = frame["warehouse"].map({w.id: getattr(w, name) for w in demo.warehouses})
    return frame
