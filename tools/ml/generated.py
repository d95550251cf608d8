"""Series made up from the habits of usage: seasons, levels that wander, noise, idle hours, bursts, counts.

For tests, benchmarks and the network's first weights. Everything follows from the seed; no measured series is in it.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pandas as pd

__all__ = ["generated_panel", "generated_series"]

Floats = npt.NDArray[np.float64]


def generated_panel(seed: int, series: int, days: int, *, start: str = "2026-03-02") -> pd.DataFrame:
    """unique_id, ds (hourly, naive UTC), y for some made-up series of the given days."""
    stamps = pd.date_range(start, periods=24 * days, freq="h")
    parts = [
        pd.DataFrame({"unique_id": f"s{number:04d}", "ds": stamps, "y": values})
        for number, values in zip(range(series), generated_series(seed, 24 * days), strict=False)
    ]
    return pd.concat(parts, ignore_index=True)


def generated_series(seed: int, hours: int) -> Iterator[Floats]:
    """Hourly series without end, each of another character; none is negative."""
    random = np.random.default_rng(seed)
    while True:
        values = _one(random, hours)
        if np.isfinite(values).all() and values.max() > 0:
            yield values


def _one(random: np.random.Generator, hours: int) -> Floats:
    days = hours // 24 + 2
    shape = _shape(random, days)
    wander = _wander(random, days)
    noise = _noise(random, days * 24)
    strength = random.choice([0.15, 0.4, 0.8, 1.5]) * random.uniform(0.7, 1.3)
    logs = strength * shape + wander + noise
    values = np.exp(logs) if random.random() < 0.5 else np.maximum(1 + random.uniform(0.1, 1.0) * logs, 0)
    if random.random() < 0.15:
        values = _idle(random, values)
    if random.random() < 0.15:
        values = _bursts(random, values)
    if random.random() < 0.25:
        values = _counted(random, values)
    start = int(random.integers(0, 24))
    return np.asarray(values[start : start + hours] * 10 ** random.uniform(-1, 4))


def _profile(random: np.random.Generator) -> Floats:
    """A smooth day of mean 0 and spread 1."""
    hour = np.arange(24)
    out = np.zeros(24)
    if random.random() < 0.5:
        for k in range(1, int(random.integers(2, 6))):
            out += random.normal() / k * np.cos(2 * np.pi * k * hour / 24 + random.uniform(0, 2 * np.pi))
    else:
        for _ in range(int(random.integers(1, 4))):
            width, centre = random.uniform(0.7, 5), random.uniform(0, 24)
            apart = np.minimum((hour - centre) % 24, (centre - hour) % 24)
            out += random.normal(0.6, 0.6) * np.exp(-0.5 * (apart / width) ** 2)
        if random.random() < 0.3:
            first, length = random.integers(0, 24), random.integers(4, 15)
            out += random.normal(1, 0.5) * (((hour - first) % 24) < length)
    return np.asarray((out - out.mean()) / (out.std() + 1e-9))


def _shape(random: np.random.Generator, days: int) -> Floats:
    """Day and week together, hour by hour."""
    work, rest = _profile(random), _profile(random)
    kept = random.choice([0.0, 0.5, 0.8, 1.0])
    rest = kept * work + (1 - kept) * rest
    week = np.zeros(7)
    kind = random.random()
    if kind < 0.45:
        week[:2] = -abs(random.normal(0.8, 0.5)) * random.uniform(0.6, 1.2, 2)
    elif kind < 0.7:
        week = random.normal(0, 0.4, 7)
    week = week + random.normal(0, 0.08, 7) * (random.random() < 0.7)
    shrink = random.uniform(0.3, 1.0) if kind < 0.45 else 1.0
    first = int(random.integers(0, 7))
    place = (np.arange(days) + first) % 7
    free = (place < 2) & (kind < 0.7)
    swing = np.exp(_walk(random, days, random.choice([0, 0.05, 0.15]), random.uniform(0.3, 0.95)))
    table = np.where(free[:, None], shrink * rest, work) * swing[:, None] + week[place][:, None]
    return np.asarray(table.ravel())


def _walk(random: np.random.Generator, length: int, spread: float, memory: float) -> Floats:
    """AR(1) of the given stationary spread."""
    from scipy.signal import lfilter

    shocks = random.normal(0, spread * np.sqrt(1 - memory**2), length)
    out, _ = lfilter([1.0], [1.0, -memory], shocks, zi=[memory * random.normal(0, spread)])
    return np.asarray(out)


def _wander(random: np.random.Generator, days: int) -> Floats:
    """The level: trend, slow drift, days that differ, now and then a step."""
    daily = np.linspace(0, random.normal(0, 0.2) * (random.random() < 0.5), days)
    daily = daily + _walk(random, days, random.choice([0, 0.03, 0.1, 0.25]), random.uniform(0.6, 0.99))
    if random.random() < 0.1:
        daily[int(random.integers(5, days - 2)) :] += random.normal(0, 0.6)
    middle = np.arange(days) * 24 + 12
    smooth = np.interp(np.arange(days * 24), middle, daily)
    return smooth if random.random() < 0.7 else np.repeat(daily, 24)


def _noise(random: np.random.Generator, hours: int) -> Floats:
    slow = _walk(random, hours, random.choice([0, 0.02, 0.06, 0.2]), random.uniform(0.85, 0.99))
    fast = random.normal(0, random.choice([0.003, 0.02, 0.06, 0.2]), hours)
    if random.random() < 0.3:
        fast = fast * (1 + 3 * (random.random(hours) < 0.02))
    return np.asarray(slow + fast)


def _idle(random: np.random.Generator, values: Floats) -> Floats:
    """Nothing in the lowest hours, and in some others by chance."""
    still = values < np.quantile(values, random.uniform(0.2, 0.7))
    return np.where(still | (random.random(len(values)) < random.uniform(0, 0.2)), 0.0, values)


def _bursts(random: np.random.Generator, values: Floats) -> Floats:
    """A job at fixed hours of some days, much above the rest."""
    out = values.copy()
    hour, length = int(random.integers(0, 24)), int(random.integers(1, 4))
    size = random.uniform(1, 5) * values.mean()
    for day in range(len(values) // 24):
        if random.random() < 0.95:
            out[24 * day + hour : 24 * day + hour + length] += size * random.uniform(0.8, 1.2)
    return out


def _counted(random: np.random.Generator, values: Floats) -> Floats:
    """Whole numbers about the values."""
    mean = values / (values.mean() + 1e-12) * 10 ** random.uniform(0.3, 3)
    return np.asarray(random.poisson(np.clip(mean, 0, 1e6)).astype(np.float64))
