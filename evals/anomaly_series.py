"""Generated hourly credit series with labelled incidents, and with peaks that are no incidents.

Nothing here knows how the detector works. Archetypes, noise, levels and incidents are drawn widely from one seed, so
that a figure over a few hundred series does not hang on one shape. Credits never exceed what the warehouse's clusters
can burn in an hour, idle hours are true zeros, and whole days are busy or calm together.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from tools.ml.calendar import Calendar

__all__ = ["INCIDENTS", "Account", "Incident", "account"]

Floats = npt.NDArray[np.float64]

INCIDENTS = (
    "runaway",
    "resize_forgotten",
    "poller",
    "retry_storm",
    "clustering_storm",
    "backfill",
    "silence",
    "slow_drift",
    "variance",
)
ARCHETYPES = ("bi", "etl", "steady", "adhoc", "loader", "finance")
_MATTERS = 0.2
"""What an incident changes at least, in mean days of the series: less than that is nobody's incident."""

_TOUCHES = {
    "runaway": ARCHETYPES,
    "resize_forgotten": ("bi", "steady", "finance"),
    "poller": ("bi", "etl", "adhoc", "finance"),
    "retry_storm": ("etl", "loader", "steady"),
    "clustering_storm": ("etl", "steady", "loader"),
    "backfill": ("etl", "adhoc", "loader", "bi"),
    "silence": ("loader", "steady", "etl"),
    "slow_drift": ("steady", "loader", "bi"),
    "variance": ("steady", "loader"),
}


@dataclass(frozen=True)
class Incident:
    unique_id: str
    kind: str
    start: pd.Timestamp
    end: pd.Timestamp
    """Exclusive; the end of the series where it goes on."""


@dataclass(frozen=True)
class Account:
    frame: pd.DataFrame
    """unique_id, ds (UTC, naive, hourly), y (credits)."""
    incidents: list[Incident]
    calendar: Calendar
    known_jobs: list[tuple[pd.Timestamp, pd.Timestamp]]
    archetype: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Days:
    """What every series of one account shares."""

    stamps: pd.DatetimeIndex
    hour: npt.NDArray[np.int64]
    weekday: npt.NDArray[np.int64]
    day: npt.NDArray[np.int64]
    off: npt.NDArray[np.bool_]
    close: npt.NDArray[np.bool_]
    job: npt.NDArray[np.bool_]


def account(seed: int, series: int = 60, days: int = 90, incident_share: float = 0.6) -> Account:
    """`series` series of `days` days; about `incident_share` of them have one incident, after the first four weeks."""
    rng = np.random.default_rng(seed)
    zone = str(rng.choice(["UTC", "Europe/Berlin", "America/New_York", "America/Los_Angeles"]))
    first = pd.Timestamp("2026-01-05") + pd.Timedelta(days=int(rng.integers(0, 300)))
    stamps = pd.date_range(first, periods=24 * days, freq="h")
    holidays = frozenset(
        (first + pd.Timedelta(days=int(at))).date() for at in rng.choice(np.arange(20, days), 2, replace=False)
    )
    calendar = Calendar(zone, holidays)
    shared, job = _shared(rng, stamps, calendar)
    frames, incidents, kinds = [], [], {}
    for at in range(series):
        name = f"WH_{at:03d}"
        kind = ARCHETYPES[int(rng.integers(len(ARCHETYPES)))]
        values, cap = _ordinary(rng, kind, shared)
        if rng.random() < incident_share:
            values, found = _with_incident(rng, kind, values, cap, shared, name)
            incidents.append(found)
        kinds[name] = kind
        frames.append(pd.DataFrame({"unique_id": name, "ds": stamps, "y": np.round(values, 6)}))
    return Account(pd.concat(frames, ignore_index=True), incidents, calendar, [job], kinds)


def _shared(
    rng: np.random.Generator, stamps: pd.DatetimeIndex, calendar: Calendar
) -> tuple[_Days, tuple[pd.Timestamp, pd.Timestamp]]:
    local = calendar.local(stamps)
    day = np.asarray((local.normalize() - local[0].normalize()).days, dtype=np.int64)
    begin = int(rng.integers(35 * 24, len(stamps) - 48))
    job = np.zeros(len(stamps), dtype=bool)
    job[begin : begin + int(rng.integers(8, 30))] = True
    window = (stamps[job][0], stamps[job][-1] + pd.Timedelta(hours=1))
    weekday = local.day_of_week.to_numpy(dtype=np.int64)
    off = (weekday >= 5) | calendar.holiday(stamps)
    return _Days(stamps, calendar.hour(stamps), weekday, day, off, calendar.month_edge(stamps) == -1, job), window


# --- ordinary days -------------------------------------------------------------------------------------------


def _ordinary(rng: np.random.Generator, kind: str, shared: _Days) -> tuple[Floats, float]:
    """Credits without incidents, and the most an hour can burn."""
    n = len(shared.stamps)
    rate = float(rng.choice([1, 1, 2, 4, 8, 16]))
    clusters = float(rng.choice([1, 1, 2, 4]))
    days = int(shared.day[-1]) + 1
    mood = np.exp(rng.normal(0, rng.uniform(0.05, 0.25), days))[shared.day]
    noise = np.exp(rng.normal(0, rng.uniform(0.08, 0.35), n))
    trend = np.linspace(1, rng.uniform(0.9, 1.25), n)
    cap = rate * clusters
    share = _SHAPES[kind](rng, shared)
    values = cap * share * mood * noise * trend
    if kind in ("bi", "finance", "etl"):
        values *= np.where(shared.close, rng.uniform(1.2, 2.5) if kind == "finance" else rng.uniform(1, 1.4), 1)
    values = np.where(shared.job, values + rng.uniform(0, 0.8) * cap, values)
    values[values < 0.004 * cap] = 0.0
    return np.clip(values, 0, cap), cap


def _bi(rng: np.random.Generator, shared: _Days) -> Floats:
    opens, closes = rng.integers(6, 10), rng.integers(16, 21)
    middle, width = (opens + closes) / 2, (closes - opens) / 2.2
    curve = np.exp(-(((shared.hour - middle) / width) ** 4))
    weekend = rng.choice([0.0, 0.05, 0.25])
    stray = (rng.random(len(curve)) < rng.uniform(0, 0.08)) * rng.uniform(0.02, 0.15, len(curve))
    shape: Floats = rng.uniform(0.25, 0.6) * curve * np.where(shared.off, weekend, 1) + stray
    return np.where(shape < 0.02, 0.0, shape)


def _etl(rng: np.random.Generator, shared: _Days) -> Floats:
    shape = np.zeros(len(shared.hour))
    for at in rng.choice(24, int(rng.integers(1, 5)), replace=False):
        shape[shared.hour == at] += rng.uniform(0.15, 0.6)
    if rng.random() < 0.4:
        shape[(shared.weekday == rng.integers(7)) & (shared.hour == rng.integers(24))] += rng.uniform(0.2, 0.5)
    if rng.random() < 0.5:
        shape += rng.uniform(0.01, 0.06)
    return shape * np.where(rng.random(len(shape)) < 0.02, 0.3, 1)


def _steady(rng: np.random.Generator, shared: _Days) -> Floats:
    swing = rng.uniform(0, 0.4)
    wave = 1 + swing * np.sin((shared.hour - rng.integers(24)) / 24 * 2 * np.pi)
    return np.asarray(rng.uniform(0.15, 0.5) * wave * np.where(shared.off, rng.uniform(0.5, 1), 1))


def _adhoc(rng: np.random.Generator, shared: _Days) -> Floats:
    busy = ~shared.off & (shared.hour >= 8) & (shared.hour < 19)
    odds = np.where(busy, rng.uniform(0.15, 0.6), rng.uniform(0, 0.05))
    size = np.minimum(rng.lognormal(-2.5, rng.uniform(0.4, 0.9), len(odds)), 0.6)
    return np.asarray((rng.random(len(odds)) < odds) * size)


def _loader(rng: np.random.Generator, shared: _Days) -> Floats:
    return np.full(len(shared.hour), rng.uniform(0.05, 0.35))


_SHAPES = {"bi": _bi, "finance": _bi, "etl": _etl, "steady": _steady, "adhoc": _adhoc, "loader": _loader}


# --- incidents -----------------------------------------------------------------------------------------------


def _with_incident(
    rng: np.random.Generator, kind: str, values: Floats, cap: float, shared: _Days, name: str
) -> tuple[Floats, Incident]:
    incident = str(rng.choice([one for one in INCIDENTS if kind in _TOUCHES[one]]))
    while True:
        changed, start, end = _drawn(rng, incident, values, cap, shared)
        if np.abs(changed - values).sum() >= _MATTERS * 24 * values.mean():
            break
    ends = shared.stamps[end] if end < len(values) else shared.stamps[-1] + pd.Timedelta(hours=1)
    return changed, Incident(name, incident, shared.stamps[start], ends)


def _drawn(
    rng: np.random.Generator, incident: str, values: Floats, cap: float, shared: _Days
) -> tuple[Floats, int, int]:
    n = len(values)
    earliest, latest = 28 * 24, n - (30 * 24 if incident == "slow_drift" else 7 * 24)
    start = int(rng.integers(earliest, latest))
    while shared.job[start - 24 : start + 48].any() or shared.close[start]:
        start = int(rng.integers(earliest, latest))
    if incident in ("resize_forgotten",):
        start += int((17 - shared.hour[start]) % 24)
    changed, end = _CHANGES[incident](rng, values.copy(), cap, start)
    return np.clip(changed, 0, 4 * cap if incident == "resize_forgotten" else cap), start, end


def _typical(values: Floats) -> float:
    """Mean credits of a busy hour."""
    busy = values[values > 0]
    return float(np.mean(busy)) if busy.size else 0.1


def _runaway(rng: np.random.Generator, y: Floats, cap: float, at: int) -> tuple[Floats, int]:
    end = at + int(rng.integers(2, 9))
    y[at:end] = np.maximum(y[at:end] + rng.uniform(0.6, 1) * cap, rng.uniform(0.8, 1) * cap)
    return y, end


def _resize_forgotten(rng: np.random.Generator, y: Floats, cap: float, at: int) -> tuple[Floats, int]:
    """The next size, or the one after, from the evening to the morning: idle hours are billed too until it suspends."""
    end = at + int(rng.integers(10, 17))
    y[at:end] = np.minimum(y[at:end] * rng.choice([2, 4]) + rng.uniform(0.3, 0.8) * cap, 4 * cap)
    return y, end


def _poller(rng: np.random.Generator, y: Floats, cap: float, at: int) -> tuple[Floats, int]:
    end = min(at + int(rng.integers(72, 24 * 21)), y.size)
    y[at:end] = np.maximum(y[at:end], rng.uniform(0.25, 1.0) * cap / max(1.0, cap / 16))
    return y, end


def _retry_storm(rng: np.random.Generator, y: Floats, cap: float, at: int) -> tuple[Floats, int]:
    end = at + int(rng.integers(4, 16))
    y[at:end] += rng.uniform(1.5, 4) * _typical(y) * rng.uniform(0.6, 1.4, end - at)
    return y, end


def _clustering_storm(rng: np.random.Generator, y: Floats, cap: float, at: int) -> tuple[Floats, int]:
    end = at + int(rng.integers(12, 40))
    y[at:end] += rng.uniform(1, 3) * _typical(y) * np.exp(rng.normal(0, 0.3, end - at))
    return y, end


def _backfill(rng: np.random.Generator, y: Floats, cap: float, at: int) -> tuple[Floats, int]:
    end = at + int(rng.integers(6, 30))
    y[at:end] = np.maximum(y[at:end], rng.uniform(0.7, 1) * cap)
    return y, end


def _silence(rng: np.random.Generator, y: Floats, cap: float, at: int) -> tuple[Floats, int]:
    end = at + int(rng.integers(26, 60))
    y[at:end] = 0.0
    return y, end


def _slow_drift(rng: np.random.Generator, y: Floats, cap: float, at: int) -> tuple[Floats, int]:
    length = y.size - at
    y[at:] *= 1 + np.linspace(0, length / 24 * rng.uniform(0.03, 0.06), length)
    return y, y.size


def _variance(rng: np.random.Generator, y: Floats, cap: float, at: int) -> tuple[Floats, int]:
    end = min(at + int(rng.integers(96, 240)), y.size)
    y[at:end] *= np.exp(rng.normal(0, rng.uniform(0.9, 1.3), end - at))
    return y, end


_CHANGES = {
    "runaway": _runaway,
    "resize_forgotten": _resize_forgotten,
    "poller": _poller,
    "retry_storm": _retry_storm,
    "clustering_storm": _clustering_storm,
    "backfill": _backfill,
    "silence": _silence,
    "slow_drift": _slow_drift,
    "variance": _variance,
}
