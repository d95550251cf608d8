"""A window's workload on its warehouses: every statement's begin and end, and what the warehouses did meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tools.demo.generate.arrays import Arrays, Bools, Columns, Floats, Ints
from tools.demo.generate.catalog import Demo
from tools.demo.generate.days import HOUR_MS
from tools.demo.generate.live import Live, changes_of, owners, rules_of
from tools.demo.generate.simulate import simulate
from tools.demo.generate.states import Moment, Outcome
from tools.demo.generate.truth import Truth, memory_bytes
from tools.demo.generate.workload import ERROR_INDEX, Workload, table
from tools.domain import Size

__all__ = ["Ran", "Started", "memory_of", "run_milliseconds", "run_window"]


_ADAPTIVE_AS = Size.LARGE
"""An adaptive warehouse has no size; its statements run as on this one."""
_ADAPTIVE_RATE = 1.6
"""Credits per slot and hour of execution on the adaptive warehouse, which is billed by query."""
_TIMEOUT_MS = 300_000
_LONGEST_MS = 5_400_000
_GENERATION_2 = 0.75
_SNOWPARK_MEMORY = 4.0
SIZES = list(Size)

_STARTED: dict[str, type] = {
    "warehouse": np.int64,
    "begin": np.int64,
    "end": np.int64,
    "cluster": np.int64,
    "provisioning": np.int64,
    "overload": np.int64,
    "rank": np.int64,
    "cold": np.float64,
    "credits": np.float64,
}


@dataclass(frozen=True)
class Started(Arrays):
    """What has become of statements so far: parallel to a workload, ms since 1970, -1 where it has not happened.

    Columns: warehouse (id), begin, end (of the whole statement, also for those that never reach a warehouse),
    cluster, provisioning, overload, rank (of the size it runs on), cold, credits (attributed so far).
    """

    @classmethod
    def new(cls, count: int) -> Started:
        fresh: Columns = {name: np.full(count, -1, dtype=np.int64) for name in ("begin", "end", "cluster", "rank")}
        zero: Columns = {name: np.zeros(count, dtype=kind) for name, kind in _STARTED.items() if name not in fresh}
        return cls(fresh | zero)

    def __getitem__(self, name: str) -> Ints:
        return self.ints(name)

    def take(self, rows: Ints) -> Started:
        return Started({name: column[rows] for name, column in self.columns.items()})

    def joined(self, other: Started) -> Started:
        return Started({name: np.concatenate([column, other.columns[name]]) for name, column in self.columns.items()})


@dataclass(frozen=True)
class Ran:
    """One window, run."""

    since: int
    until: int
    work: Workload
    started: Started
    adaptive: Bools
    moments: dict[int, list[tuple[Moment, int]]]
    """By WAREHOUSE_ID: what it did, and the row of the query behind it, or -1."""
    stretches: pd.DataFrame
    """warehouse (id), cluster, start, end (ms), size, type, generation, resource_constraint, open; those that are
    open at `until` end there, and come again in the next window."""
    in_flight: Ints
    """Rows that the next window begins with, in order."""

    @property
    def finished(self) -> Bools:
        return (self.started["end"] >= 0) & (self.started["end"] <= self.until)

    @property
    def on_cluster(self) -> Bools:
        """Finished or not, it executed on a cluster of its own warehouse."""
        return (self.started["begin"] >= 0) & ~self.adaptive

    @property
    def adaptive_credits(self) -> Floats:
        """Of the whole statement."""
        slots = self.work.ints("slots")
        hours = np.where(self.adaptive, self.started["end"] - self.started["begin"], 0) / HOUR_MS
        return np.asarray(hours * slots * _ADAPTIVE_RATE, dtype=np.float64)


def run_window(
    demo: Demo,
    seed: int,
    first: int,
    lives: dict[int, Live],
    carried: tuple[Workload, Started] | None,
    drawn: Workload,
    since: int,
    until: int,
    tell: Callable[[float, str], None],
) -> Ran:
    """Run [since, until); the states of `lives` are moved on.

    Args:
        carried: what was in flight at `since`, as the window before left it.
    """
    work, started = _numbered(demo, lives, carried, drawn)
    executes, _reaches = work.executes, work.reaches
    never = np.flatnonzero(~executes)
    started["end"][never] = work.ints("at")[never] + work.ints("compile")[never]
    adaptive = executes & np.isin(started["warehouse"], [live.id for live in lives.values() if live.adaptive])
    moments: dict[int, list[tuple[Moment, int]]] = {}
    stretches: list[pd.DataFrame] = []
    in_flight: list[Ints] = []
    for index, live in enumerate(lives.values()):
        tell(index / len(lives), f"running {live.name}")
        rows = np.flatnonzero(executes & (started["warehouse"] == live.id))
        if live.adaptive:
            _run_adaptive(live, seed, rows, work, started)
            continue
        outcome, ordered = _run_one(demo, seed, first, live, rows, work, started, since, until)
        moments[live.id] = [(each, int(ordered[each.query]) if each.query >= 0 else -1) for each in outcome.moments]
        stretches.append(_frame(live, outcome))
        in_flight.append(ordered[outcome.in_flight])
    done = (started["end"] >= 0) & (started["end"] <= until)
    on_cluster = executes & ~adaptive
    in_flight.append(np.flatnonzero(~done & ~on_cluster))
    return Ran(
        since,
        until,
        work,
        started,
        adaptive,
        moments,
        pd.concat(stretches, ignore_index=True),
        np.concatenate(in_flight).astype(np.int64),
    )


def _numbered(
    demo: Demo, lives: dict[int, Live], carried: tuple[Workload, Started] | None, drawn: Workload
) -> tuple[Workload, Started]:
    """Statements in flight first, then what is sent; nothing of warehouses that do not exist then."""
    names = tuple(sorted({habit.warehouse for habit in demo.habits}))
    of_habit = np.array([names.index(habit.warehouse) for habit in demo.habits])
    owner, alive = owners(lives, names, of_habit[drawn.ints("habit")], drawn.ints("at"))
    rows = np.flatnonzero(alive)
    drawn = drawn.take(rows)
    slots = table(demo).slots[drawn.ints("statement")].astype(np.int64)
    drawn = Workload(drawn.columns | {"slots": slots})
    fresh = Started.new(len(drawn))
    fresh.columns["warehouse"] = owner[rows]
    if carried is None:
        return drawn, fresh
    return Workload.joined([carried[0], drawn]), carried[1].joined(fresh)


def _run_adaptive(live: Live, seed: int, rows: Ints, work: Workload, started: Started) -> None:
    new = rows[started["begin"][rows] < 0]
    _, known = rules_of(live, seed)
    begin = work.reaches[new]
    started["begin"][new] = begin
    started["end"][new] = begin + run_milliseconds(work, new, live, known, _ADAPTIVE_AS.rank)


def _run_one(
    demo: Demo,
    seed: int,
    first: int,
    live: Live,
    rows: Ints,
    work: Workload,
    started: Started,
    since: int,
    until: int,
) -> tuple[Outcome, Ints]:
    """The outcome, and the rows its queries stand for."""
    reaches = work.reaches[rows]
    here = rows[reaches < since]
    later = rows[reaches >= since]
    ordered = np.concatenate([here, later[np.lexsort((work.ints("at")[later], work.reaches[later]))]])
    rules, known = rules_of(live, seed)
    changes = changes_of(demo, seed, first, live, since, until)
    ranks = {live.state.rank, *(change.rank for change in changes)}
    run_ms = {rank: run_milliseconds(work, ordered, live, known, rank).tolist() for rank in ranks}
    names = ("begin", "end", "cluster", "provisioning", "overload", "rank")
    known_so_far = {name: started[name][ordered].tolist() for name in names}
    out = Outcome(**known_so_far, cold=started.floats("cold")[ordered].tolist())
    simulate(
        rules,
        live.state,
        out,
        work.reaches[ordered].tolist(),
        work.ints("slots")[ordered].tolist(),
        run_ms,
        until,
        changes=changes,
        waiting=len(here),
    )
    for name in (*names, "cold"):
        started.columns[name][ordered] = getattr(out, name)
    if out.refused:
        refused = ordered[out.refused]
        started["end"][refused] = work.reaches[refused]
        work.ints("error")[refused] = ERROR_INDEX["000606"]
    return out, ordered


def _frame(live: Live, outcome: Outcome) -> pd.DataFrame:
    rows = [(live.id, s.cluster, s.start, s.end, SIZES[s.rank].value, s.open) for s in outcome.stretches]
    frame = pd.DataFrame(rows, columns=["warehouse", "cluster", "start", "end", "size", "open"])
    frame = frame.astype({"warehouse": "int64", "cluster": "int64", "start": "int64", "end": "int64", "open": bool})
    for name, value in zip(("type", "generation", "resource_constraint"), live.settings.setup, strict=True):
        frame[name] = pd.Series([value] * len(frame), dtype=object)
    return frame


# --- how long it runs where --------------------------------------------------------------------------------------


def memory_of(live: Live, rank: int) -> float:
    return memory_bytes(rank) * (_SNOWPARK_MEMORY if live.settings.type == "SNOWPARK-OPTIMIZED" else 1.0)


def run_milliseconds(work: Workload, rows: Ints, live: Live, known: Truth, rank: int) -> Ints:
    """Execution time of these statements on a warm cluster of this size, retries included."""
    seconds = work.floats("work")[rows]
    seconds = seconds * known.factor(seconds, rank)
    seconds = seconds * (_GENERATION_2 if live.settings.generation == "2" else 1.0)
    memory, intermediate = memory_of(live, rank), np.maximum(work.floats("intermediate")[rows], 1)
    spilled = np.maximum(1 - memory / intermediate, 0)
    remote = np.maximum(1 - 6 * memory / intermediate, 0)
    seconds = seconds * (1 + 0.4 * spilled + 1.2 * remote) * work.floats("done")[rows]
    milliseconds = np.minimum(np.maximum(seconds * 1000, 4), _LONGEST_MS) + work.ints("retry")[rows]
    milliseconds = np.where(work.ints("error")[rows] == ERROR_INDEX["000630"], _TIMEOUT_MS, milliseconds)
    forced = work.ints("forced")[rows]
    return np.where(forced > 0, forced, milliseconds).astype(np.int64)
