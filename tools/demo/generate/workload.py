"""Every statement of the window before it runs: who sends what when, how much work it is, whether it fails.

Distributions follow reference 7.2, 7.3, 7.5 and 7.6: log-normal times with a long tail, bimodal cache hits,
repetition from none (analysts) to nearly all (services), failures of 1 to 4 %.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tools.demo.generate.arrivals import HOUR_MS, Calendar, arrivals
from tools.demo.generate.habits import Demo
from tools.demo.generate.model import Habit, InFlight, Statement, Warehouse
from tools.demo.generate.statements import METADATA_KINDS
from tools.domain import Size

__all__ = ["COMPILE_ERRORS", "ERRORS", "Workload", "draw", "memory_bytes", "run_milliseconds"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

ERRORS: tuple[tuple[str, str], ...] = (
    ("", ""),
    ("002003", "SQL compilation error:\nObject 'ANALYTICS.CORE.FCT_ORDER' does not exist or not authorized."),
    ("001003", "SQL compilation error:\nsyntax error line 1 at position 7 unexpected 'FORM'."),
    ("000904", "SQL compilation error: error line 1 at position 7\ninvalid identifier 'AMOUNTS'"),
    ("002043", "SQL compilation error:\nObject does not exist, or operation cannot be performed."),
    ("100038", "Numeric value 'n/a' is not recognized"),
    ("100069", "Error parsing JSON: incomplete object value, pos 312"),
    ("100051", "Division by zero"),
    ("100072", "NULL result in a non-nullable column"),
    ("100090", "Duplicate row detected during DML action"),
    ("100357", "Python Interpreter Error: ValueError: Input contains NaN"),
    ("000604", "SQL execution canceled"),
    ("000625", "Statement has locked a table in a transaction and this lock has not yet been released. Your statement "
               "was aborted because the number of waiters for this lock exceeds the 20 statements limit."),
    ("000630", "Statement reached its statement or warehouse timeout of 300 second(s) and was canceled."),
    ("000603", "SQL execution internal error:\nProcessing aborted due to error 300010:391167117; incident 4471902."),
)  # fmt: skip
"""Code and message; a workload's `error` is an index into it, 0 for none."""

COMPILE_ERRORS = frozenset({"002003", "001003", "000904", "002043"})
_CODE = {code: index for index, (code, _) in enumerate(ERRORS)}
_TIMEOUT_MS = 300_000
_LONGEST_MS = 5_400_000
_INCIDENTS = 1e-4
_CACHED_REPEATS = 0.22


@dataclass(frozen=True)
class Workload:
    """All statements of the account in order of time; arrays are parallel, times in ms after the start."""

    habits: tuple[Habit, ...]
    statements: tuple[Statement, ...]
    at: Ints
    habit: Ints
    statement: Ints
    user: Ints
    """Index into the habit's users."""
    run: Ints
    warehouse: Ints
    """WAREHOUSE_ID."""
    literal: Ints
    day: Ints
    """Local date, as an ordinal."""
    compile: Ints
    listing: Ints
    blocked: Ints
    work: Floats
    """Seconds on an empty Medium cluster."""
    scanned: Floats
    """Bytes."""
    intermediate: Floats
    """Bytes."""
    error: Ints
    done: Floats
    """Share of the work that was done when it failed."""
    metadata: Bools
    """Cloud services alone answer it."""
    cached: Bools
    """The result cache answers it."""
    forced: Ints
    """Run time in ms that is given and not drawn (statements that must be in flight at now); else 0."""

    @property
    def executes(self) -> Bools:
        """Whether it reaches its warehouse."""
        compiled = ~np.isin(self.error, [_CODE[code] for code in sorted(COMPILE_ERRORS)])
        return ~self.metadata & ~self.cached & compiled

    @property
    def reaches(self) -> Ints:
        """When it does: compiled, its files listed, its locks taken."""
        return self.at + self.compile + self.listing + self.blocked


def draw(demo: Demo, calendar: Calendar, rng: np.random.Generator) -> Workload:
    lifetimes = _lifetimes(demo.warehouses, calendar)
    statements: list[Statement] = []
    parts: list[dict[str, Any]] = []
    habits = (*demo.habits, *(_as_habit(flight) for flight in demo.in_flight))
    for index, habit in enumerate(habits):
        came = arrivals(habit, calendar, rng)
        warehouse, alive = _owner(lifetimes[habit.warehouse], came.at)
        columns = {"at": came.at, "statement": came.statement, "user": came.user, "run": came.run}
        part = {name: column[alive] for name, column in columns.items()} | {"warehouse": warehouse[alive]}
        part["habit"] = np.full(len(part["at"]), index)
        part["statement"] = part["statement"] + len(statements)
        parts.append(part)
        statements.extend(habit.statements)
    merged = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    order = np.argsort(merged["at"], kind="stable")
    base = {name: column[order].astype(np.int64) for name, column in merged.items()}
    base["day"] = calendar.day[base["at"] // HOUR_MS]
    return _detail(habits, tuple(statements), base, rng)


def _as_habit(flight: InFlight) -> Habit:
    return Habit(flight.warehouse, (flight.user,), flight.role, flight, (flight.statement,))


def _lifetimes(warehouses: tuple[Warehouse, ...], calendar: Calendar) -> dict[str, list[tuple[int, int, int]]]:
    """By name: (id, from, until) of each life."""
    day = 24 * HOUR_MS
    found: dict[str, list[tuple[int, int, int]]] = {}
    for item in warehouses:
        since = calendar.end_ms - int(item.created_days_ago * day)
        # Nobody uses it in the two hours before it is dropped, so that nothing is cut off.
        gone = item.dropped_days_ago
        until = calendar.end_ms if gone is None else calendar.end_ms - int(gone * day) - 2 * HOUR_MS
        found.setdefault(item.name, []).append((item.id, since, until))
    return found


def _owner(lives: list[tuple[int, int, int]], at: Ints) -> tuple[Ints, Bools]:
    owner, alive = np.zeros(len(at), dtype=np.int64), np.zeros(len(at), dtype=bool)
    for identifier, since, until in lives:
        inside = (at >= since) & (at < until)
        owner[inside], alive = identifier, alive | inside
    return owner, alive


def _detail(
    habits: tuple[Habit, ...], statements: tuple[Statement, ...], base: dict[str, Ints], rng: np.random.Generator
) -> Workload:
    given = [int(h.arrivals.runs_for * 1000) if isinstance(h.arrivals, InFlight) else 0 for h in habits]
    forced = np.array(given)[base["habit"]]
    which, count = base["statement"], len(base["at"])

    def of(field: str) -> Floats:
        return np.array([float(getattr(s, field)) for s in statements])[which]

    variety = of("variety")
    literal = (variety * rng.random(count) ** 2).astype(np.int64)
    copies = np.array([s.kind == "COPY" for s in statements])[which]
    writes = np.array([s.kind in ("MERGE", "UPDATE", "DELETE") for s in statements])[which]
    metadata = np.array([s.kind in METADATA_KINDS for s in statements])[which]
    common = rng.standard_normal(count)
    heavy = 0.6 * common + 0.8 * rng.standard_normal(count)
    scanned = of("megabytes") * 1e6 * np.exp(1.9 * heavy)
    error, done = _failures(habits, statements, base, metadata, rng)
    error, done = np.where(forced > 0, 0, error), np.where(forced > 0, 1.0, done)
    compile_ms = rng.lognormal(np.where(metadata, 4.0, 5.4), np.where(metadata, 0.6, 0.8), count)
    listing = np.where(copies, rng.lognormal(6.9, 0.9, count), 0)
    blocked = np.where(writes & (rng.random(count) < 0.02), rng.lognormal(8.5, 1.0, count), 0)
    quick = (error > 0) & np.isin(error, [_CODE[code] for code in sorted(COMPILE_ERRORS)])
    return Workload(
        habits=habits,
        statements=statements,
        **base,
        literal=literal,
        compile=np.maximum(compile_ms, 5).astype(np.int64),
        listing=np.where(quick, 0, listing).astype(np.int64),
        blocked=np.where(quick, 0, np.minimum(blocked, 120_000)).astype(np.int64),
        work=np.exp(np.log(np.maximum(of("seconds"), 1e-3)) + of("spread") * common),
        scanned=scanned,
        intermediate=scanned * of("intermediate") * np.exp(0.9 * rng.standard_normal(count)),
        error=error,
        done=done,
        metadata=metadata,
        cached=_cached(statements, base, literal, error, rng) & (forced == 0),
        forced=forced,
    )


def _failures(
    habits: tuple[Habit, ...],
    statements: tuple[Statement, ...],
    base: dict[str, Ints],
    metadata: Bools,
    rng: np.random.Generator,
) -> tuple[Ints, Floats]:
    which, count = base["statement"], len(base["at"])
    usual = np.array([_CODE[s.failure] for s in statements])[which]
    chance = np.array([s.fails for s in statements])[which]
    people = np.array([not habit.users[0].endswith("_SVC") for habit in habits])[base["habit"]]
    # People mistype what they compile; jobs fail on data.
    mistyped = ~metadata & (rng.random(count) < np.where(people, 0.5, 0.06))
    typo = np.array([_CODE[code] for code in ("002003", "001003", "000904")])[rng.integers(0, 3, count)]
    error = np.where(rng.random(count) < chance, np.where(mistyped, typo, usual), 0)
    incident = ~metadata & (error == 0) & (rng.random(count) < _INCIDENTS)
    error = np.where(incident, _CODE["000603"], error)
    return error.astype(np.int64), np.where(error > 0, rng.uniform(0.02, 1.0, count), 1.0)


def _cached(
    statements: tuple[Statement, ...], base: dict[str, Ints], literal: Ints, error: Ints, rng: np.random.Generator
) -> Bools:
    """Some repeats of a read within the day are answered by the result cache."""
    reads = np.array([s.kind == "SELECT" and s.megabytes > 0 for s in statements])[base["statement"]]
    key = (base["statement"] * 1_000_000 + literal) * 4_000_000 + base["day"]
    first = np.zeros(len(key), dtype=bool)
    first[np.unique(key, return_index=True)[1]] = True
    repeat: Bools = reads & ~first & (error == 0) & (rng.random(len(key)) < _CACHED_REPEATS)
    return repeat


# --- how long it runs where --------------------------------------------------------------------------------------


def memory_bytes(size: Size) -> float:
    """What one statement may hold before it spills to local disk."""
    return 2e9 * 2.0**size.rank


def run_milliseconds(work: Workload, rows: Ints, warehouse: Warehouse, size: Size) -> Ints:
    """Execution time of these statements on a warm cluster of this size.

    Doubling does not halve (reference 7.3): the shorter the work, the less a larger size helps.
    """
    seconds = work.work[rows]
    gain = np.select([seconds < 0.5, seconds < 2, seconds < 5, seconds < 20], [0.99, 0.96, 0.86, 0.70], 0.60)
    seconds = seconds * gain ** (size.rank - Size.MEDIUM.rank)
    seconds = seconds * (0.75 if warehouse.generation == "2" else 1.0)
    spilled = np.maximum(1 - memory_bytes(size) / np.maximum(work.intermediate[rows], 1), 0)
    remote = np.maximum(1 - 6 * memory_bytes(size) / np.maximum(work.intermediate[rows], 1), 0)
    seconds = seconds * (1 + 0.4 * spilled + 1.2 * remote) * work.done[rows]
    milliseconds = np.minimum(np.maximum(seconds * 1000, 4), _LONGEST_MS)
    milliseconds = np.where(work.error[rows] == _CODE["000630"], _TIMEOUT_MS, milliseconds)
    return np.where(work.forced[rows] > 0, work.forced[rows], milliseconds).astype(np.int64)
