"""Every statement of a window before it runs: who sends what when, how much work it is, whether it fails.

Distributions follow reference 7.2, 7.3, 7.5 and 7.6: log-normal times with a long tail, bimodal cache hits,
repetition from none (analysts) to nearly all (services), failures of 1 to 4 %. Everything here is a pure function of
seed and day; only what a warehouse makes of it (runs.py) depends on configuration.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from tools.demo.generate.arrays import Arrays, Bools, Columns, Floats, Ints
from tools.demo.generate.arrivals import NORMALS, UNIFORMS, Sent, fill, send
from tools.demo.generate.catalog import Demo
from tools.demo.generate.chance import keyed
from tools.demo.generate.days import DAY_MS, Day, days_between
from tools.demo.generate.effects import Effects, effects
from tools.demo.generate.incidents import incidents, migration_at, sent_by
from tools.demo.generate.model import Staged, Statement
from tools.demo.generate.statements import METADATA_KINDS, WRITING_KINDS

__all__ = ["COMPILE_ERRORS", "ERRORS", "ERROR_INDEX", "Columns", "Table", "Workload", "draw", "table"]


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
    ("000606", "No active warehouse selected in the current session. Select an active warehouse with the 'use "
               "warehouse' command."),
)  # fmt: skip
"""Code and message; a workload's `error` is an index into it, 0 for none."""

COMPILE_ERRORS = frozenset({"002003", "001003", "000904", "002043"})
ERROR_INDEX = {code: index for index, (code, _) in enumerate(ERRORS)}
_COMPILE = np.array([code in COMPILE_ERRORS for code, _ in ERRORS])
_TYPOS = np.array([ERROR_INDEX[code] for code in ("002003", "001003", "000904")])
_INCIDENTS = 1e-4
_CACHED_REPEATS = 0.22
_U = {name: place for place, name in enumerate(UNIFORMS)}
_N = {name: place for place, name in enumerate(NORMALS)}


@dataclass(frozen=True)
class Table:
    """Fields of the catalog's statements and habits as columns: statements are numbered across habits."""

    demo: Demo

    @cached_property
    def statements(self) -> tuple[Statement, ...]:
        return tuple(statement for habit in self.demo.habits for statement in habit.statements)

    @cached_property
    def offset(self) -> Ints:
        """Number of each habit's first statement."""
        sizes = [len(habit.statements) for habit in self.demo.habits]
        return np.cumsum([0, *sizes])[:-1].astype(np.int64)

    def of(self, field: str) -> Floats:
        return np.array([float(getattr(s, field)) for s in self.statements])

    @cached_property
    def slots(self) -> Ints:
        return np.array([s.slots for s in self.statements])

    @cached_property
    def kinds(self) -> npt.NDArray[np.str_]:
        return np.array([s.kind for s in self.statements])

    @cached_property
    def metadata(self) -> Bools:
        return np.isin(self.kinds, list(METADATA_KINDS))

    @cached_property
    def writing(self) -> Bools:
        return np.isin(self.kinds, list(WRITING_KINDS))

    @cached_property
    def people(self) -> Bools:
        """By habit."""
        return np.array([habit.human for habit in self.demo.habits])

    @cached_property
    def mixes(self) -> list[Floats]:
        """By habit: cumulated weights of its statements."""
        shares = [np.cumsum([s.share for s in habit.statements]) for habit in self.demo.habits]
        return [share / share[-1] for share in shares]

    @cached_property
    def seats(self) -> list[Floats]:
        """By habit: cumulated weights of its users, the first the busiest."""
        ranks = [np.cumsum(1 / np.arange(1, len(habit.users) + 1)) for habit in self.demo.habits]
        return [rank / rank[-1] for rank in ranks]


_TABLES: dict[int, Table] = {}


def table(demo: Demo) -> Table:
    return _TABLES.setdefault(id(demo), Table(demo))


@dataclass(frozen=True)
class Workload(Arrays):
    """Statements in order of time; the columns are parallel, times in ms since 1970, bytes and seconds as floats.

    Columns: at, habit, statement, user, run, day (local ordinal), literal, compile, listing, blocked, work (seconds
    on an empty Medium cluster), scanned, intermediate, error, done (share of the work done when it failed), metadata
    (cloud services alone answer it), cached (the result cache does), forced (a given run time in ms, or 0), retry
    (ms spent on failed attempts), and the chance that describes it later: total, oddity, result, written, cache,
    cache_low, cache_high, network, id, tail, produced.
    """

    def __len__(self) -> int:
        return len(self.columns["at"])

    @property
    def executes(self) -> Bools:
        """Whether it reaches its warehouse."""
        reached: Bools = ~self.bools("metadata") & ~self.bools("cached") & ~_COMPILE[self.ints("error")]
        return reached

    @property
    def reaches(self) -> Ints:
        """When it does: compiled, its files listed, its locks taken."""
        return self.ints("at") + self.ints("compile") + self.ints("listing") + self.ints("blocked")

    def take(self, rows: Ints) -> Workload:
        return Workload({name: column[rows] for name, column in self.columns.items()})

    @staticmethod
    def joined(parts: Sequence[Workload]) -> Workload:
        names = parts[0].columns
        return Workload({name: np.concatenate([part.columns[name] for part in parts]) for name in names})


# --- drawing -------------------------------------------------------------------------------------------------------


def draw(
    demo: Demo, seed: int, first: int, since: int, until: int, *, precursors: bool, stage: bool = False
) -> Workload:
    """What is sent in [since, until).

    Args:
        first: when the account's history begins.
        precursors: whether failures announce themselves.
        stage: also send what must be in flight at `until`.
    """
    changed = effects(demo, seed, first, since, until, precursors=precursors)
    parts: list[tuple[int, int, Sent]] = []
    migrates = migration_at(demo, seed, first)
    # A batch may spill over midnight, and a repeat's first occurrence may lie before the window: whole days.
    days = days_between(max(since - DAY_MS, first - DAY_MS), until, demo.timezone)
    for index, habit in enumerate(demo.habits):
        for day in days:
            sent = send(habit, day, seed)
            if sent is not None:
                parts.append((index, day.ordinal, sent))
    near = incidents(demo, seed, first, since - DAY_MS, until)
    parts += [(each.habit, -1, sent_by(each, seed)) for each in near if each.habit >= 0]
    if stage:
        parts += [(index, -1, sent) for index, sent in _staged(demo, seed, until)]
    work = _detail(demo, parts, days, changed)
    at, habit_of = work.ints("at"), work.ints("habit")
    keep = (at >= since) & (at < until) & ~changed.silenced(demo, at, habit_of)
    keep &= _on_its_side(demo, at, habit_of, migrates)
    rows = np.flatnonzero(keep)
    return work.take(rows[np.argsort(at[rows], kind="stable")])


def _staged(demo: Demo, seed: int, now: int) -> list[tuple[int, Sent]]:
    found = []
    for index, habit in enumerate(demo.habits):
        if isinstance(habit.arrivals, Staged):
            at = np.array([now - int(ago * 1000) for ago in habit.arrivals.seconds_ago], dtype=np.int64)
            found.append((index, fill(at, keyed(seed, habit.key, now // 1000))))
    return found


def _on_its_side(demo: Demo, at: Ints, habit: Ints, migrates: int) -> Bools:
    """Before the planned migration the old warehouse works, after it the new one, and for some days both do."""
    side = np.array([{"": 0, "before": 1, "after": 2}[each.migration] for each in demo.habits])[habit]
    parallel = migrates + demo.migration.parallel_days * DAY_MS
    kept: Bools = (side == 0) | ((side == 1) & (at < parallel)) | ((side == 2) & (at >= migrates))
    return kept


def _detail(demo: Demo, parts: list[tuple[int, int, Sent]], days: list[Day], changed: Effects) -> Workload:
    known = table(demo)
    sizes = [len(sent.at) for _, _, sent in parts]
    habit = np.repeat([index for index, _, _ in parts], sizes)
    at = np.concatenate([sent.at for _, _, sent in parts])
    u = np.concatenate([sent.uniforms for _, _, sent in parts])
    z = np.concatenate([sent.normals for _, _, sent in parts])
    place = np.concatenate([sent.place for _, _, sent in parts])
    statement, user = _who(known, habit, u, place)
    starts = np.array([day.start[0] for day in days])
    ordinals = np.array([day.ordinal for day in days])
    columns: Columns = {
        "at": at,
        "habit": habit,
        "statement": statement,
        "user": user,
        "run": np.concatenate([sent.run for _, _, sent in parts]),
        "day": ordinals[np.clip(np.searchsorted(starts, at, side="right") - 1, 0, len(days) - 1)],
    }
    columns |= _sizes(demo, known, columns, u, z, changed)  # type: ignore[arg-type]
    columns |= {name: np.ascontiguousarray(u[:, _U[name]]) for name in _KEPT} | {"produced": z[:, _N["produced"]]}
    return Workload(columns)


_KEPT = ("total", "oddity", "result", "written", "cache", "cache_low", "cache_high", "network", "id", "tail")


def _who(known: Table, habit: Ints, u: Floats, place: Ints) -> tuple[Ints, Ints]:
    statement, user = np.zeros(len(habit), dtype=np.int64), np.zeros(len(habit), dtype=np.int64)
    borders = np.flatnonzero(np.diff(habit, prepend=-1)).tolist()
    if not borders:
        return statement, user
    for begin, end in zip(borders, [*borders[1:], len(habit)], strict=True):
        rows, index = slice(begin, end), int(habit[begin])
        each = known.demo.habits[index]
        if getattr(each.arrivals, "in_order", False):
            chosen = place[rows] % len(each.statements)
        else:
            chosen = np.searchsorted(known.mixes[index], u[rows, _U["mix"]], side="right")
        statement[rows] = known.offset[index] + chosen
        user[rows] = np.searchsorted(known.seats[index], u[rows, _U["user"]], side="right")
    return statement, user


def _sizes(
    demo: Demo, known: Table, base: dict[str, Ints], u: Floats, z: Floats, changed: Effects
) -> dict[str, npt.NDArray[np.generic]]:
    which, at, habit = base["statement"], base["at"], base["habit"]
    more, failing, ramp = changed.of(demo, at, habit)
    metadata = known.metadata[which]
    literal = (known.of("variety")[which] * u[:, _U["literal"]] ** 2).astype(np.int64)
    common = z[:, _N["common"]]
    heavy = 0.6 * common + 0.8 * z[:, _N["own"]]
    scanned = known.of("megabytes")[which] * 1e6 * np.exp(1.9 * heavy) * more
    error, done = _failures(known, base, metadata, u, failing)
    forced = changed.forced(demo, at, habit)
    given = np.array([int(getattr(h.arrivals, "runs_for", 0) * 1000) for h in demo.habits])[habit]
    error, done = np.where(given > 0, 0, error), np.where((given > 0) | (forced > 0), 1.0, done)
    forced = np.maximum(forced, given)
    quick = _COMPILE[error]
    copies = known.kinds[which] == "COPY"
    locking = np.isin(known.kinds[which], ["MERGE", "UPDATE", "DELETE"]) & (u[:, _U["blocked"]] < 0.02) & (forced == 0)
    compile_ms = np.exp(np.where(metadata, 4.0, 5.4) + np.where(metadata, 0.6, 0.8) * z[:, _N["compile"]])
    listing = np.where(copies & ~quick, np.exp(6.9 + 0.9 * z[:, _N["listing"]]), 0)
    blocked = np.where(locking & ~quick, np.minimum(np.exp(8.5 + z[:, _N["wait"]]), 120_000), 0)
    work = np.maximum(known.of("seconds")[which], 1e-3) * np.exp(known.of("spread")[which] * common)
    again = u[:, _U["retry"]]
    spilling = known.of("intermediate")[which] * np.exp(0.9 * z[:, _N["intermediate"]])
    return {
        "literal": literal,
        "compile": np.maximum(compile_ms, 5).astype(np.int64),
        "listing": listing.astype(np.int64),
        "blocked": blocked.astype(np.int64),
        "work": work * more * (1 + 2.2 * ramp),
        "scanned": scanned,
        "intermediate": scanned * spilling * (1 + 14 * ramp),
        "error": error,
        "done": done,
        "metadata": metadata,
        "cached": _cached(known, base, literal, error, u) & (forced == 0),
        "forced": forced,
        "retry": np.where((ramp > 0.25) & (again < 0.3 * ramp), 4000 + 40_000 * again, 0).astype(np.int64),
    }


def _failures(known: Table, base: dict[str, Ints], metadata: Bools, u: Floats, failing: Floats) -> tuple[Ints, Floats]:
    which = base["statement"]
    usual = np.array([ERROR_INDEX[s.failure] for s in known.statements])[which]
    chance = np.maximum(known.of("fails")[which], failing)
    # People mistype what they compile; jobs fail on data.
    mistyped = ~metadata & (failing == 0) & (chance < 1)
    mistyped &= u[:, _U["mistyped"]] < np.where(known.people[base["habit"]], 0.5, 0.06)
    typo = _TYPOS[(u[:, _U["typo"]] * 3).astype(np.int64)]
    error = np.where(u[:, _U["fails"]] < chance, np.where(mistyped, typo, usual), 0)
    incident = ~metadata & (error == 0) & (u[:, _U["incident"]] < _INCIDENTS)
    error = np.where(incident, ERROR_INDEX["000603"], error).astype(np.int64)
    return error, np.where(error > 0, 0.02 + 0.98 * u[:, _U["done"]], 1.0)


def _cached(known: Table, base: dict[str, Ints], literal: Ints, error: Ints, u: Floats) -> Bools:
    """Some repeats of a read within the day are answered by the result cache."""
    reads = (known.kinds == "SELECT") & (known.of("megabytes") > 0)
    rows = np.flatnonzero(reads[base["statement"]] & (error == 0))
    key = (base["statement"][rows] * 1_000_000 + literal[rows]) * 4_000_000 + base["day"][rows]
    order = np.lexsort((base["at"][rows], key))
    first = np.zeros(len(rows), dtype=bool)
    first[order] = np.diff(key[order], prepend=-1) != 0
    answered = np.zeros(len(error), dtype=bool)
    answered[rows] = ~first & (u[rows, _U["cached"]] < _CACHED_REPEATS)
    return answered
