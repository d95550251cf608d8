"""Generated streams of many kinds with labelled windows: servers, counts, prices, sensors, traffic.

What a detector of any stream meets: daily squares, quiet or busy processors, heavy-tailed counts, prices by the hour,
temperatures, loops in a road with gaps between stamps. Every stream has harmless oddities of its own kind, too. A
window is a tenth of the stream, shared by its anomalies and centred at their onsets, as the Numenta Anomaly Benchmark
labels. Everything follows from the seed; no measured series is in it, and nothing here knows how the detector works.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

__all__ = ["KINDS", "Stream", "streams"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Random = np.random.Generator

_DAY = 288
"""Five-minute values of a day."""

_FORTNIGHT = 14 * _DAY


@dataclass(frozen=True)
class Stream:
    kind: str
    group: str
    values: pd.Series
    windows: tuple[tuple[int, int], ...]
    """First and last row of each labelled window."""


@dataclass(frozen=True)
class _Made:
    values: Floats
    onsets: tuple[int, ...] = ()
    minutes: float = 5.0
    gaps: Ints | None = None
    """Steps between stamps, where they are not all one."""


# --- noise of several sorts ------------------------------------------------------------------------------------


def _ar(random: Random, size: int, memory: float, spread: float = 1.0) -> Floats:
    """AR(1) of the given stationary spread."""
    from scipy.signal import lfilter

    shocks = random.normal(0, spread * np.sqrt(1 - memory**2), size)
    out, _ = lfilter([1.0], [1.0, -memory], shocks, zi=[memory * random.normal(0, spread)])
    return np.asarray(out)


def _counts(random: Random, mean: Floats, shape: float) -> Floats:
    """Negative binomial: Poisson whose rate scatters by 1 / sqrt(shape)."""
    return random.poisson(mean * random.gamma(shape, 1 / shape, mean.size)).astype(float)


def _hump(size: int, per_day: int, peak: float = 14.0, width: float = 4.0) -> Floats:
    """Between 0 and 1, once a day, highest at the hour `peak`."""
    hour = 24 * (np.arange(size) % per_day) / per_day
    apart = np.minimum((hour - peak) % 24, (peak - hour) % 24)
    return np.exp(-0.5 * (apart / width) ** 2)


def _squares(size: int, low: float, high: float, first: int = 9, last: int = 18) -> Floats:
    hour = 24 * (np.arange(size) % _DAY) / _DAY
    return np.where((hour >= first) & (hour < last), high, low)


def _spikes(random: Random, size: int, each: float, height: Floats | float, longest: int = 2) -> Floats:
    """About one spike in `each` values, exponential in height."""
    out = np.zeros(size)
    for at in np.flatnonzero(random.random(size) < 1 / each).tolist():
        out[at : at + int(random.integers(1, longest + 1))] += random.exponential(height)
    return out


def _onsets(random: Random, size: int, count: int) -> tuple[int, ...]:
    """Anywhere after a fifth, each in a part of its own."""
    edges = np.linspace(0.2, 0.96, count + 1)
    return tuple(int(size * random.uniform(a, b - 0.1 / count)) for a, b in zip(edges[:-1], edges[1:], strict=True))


def _lasting(random: Random, shortest: int, longest: int) -> int:
    return int(np.exp(random.uniform(np.log(shortest), np.log(longest))))


# --- made by hand: squares, noise, spikes ----------------------------------------------------------------------


def _nothing(random: Random) -> _Made:
    kind = random.integers(0, 5)
    level = random.uniform(20, 80)
    values = np.full(_FORTNIGHT, level)
    if kind == 1:
        values = _squares(_FORTNIGHT, level, level * random.uniform(1.5, 4))
    if kind == 2:
        values = values + random.uniform(0, 20, _FORTNIGHT)
    if kind == 3:
        values = _squares(_FORTNIGHT, level, 2.5 * level) + random.uniform(-8, 8, _FORTNIGHT)
    if kind == 4:
        values = level * (1 + _hump(_FORTNIGHT, _DAY)) + random.normal(0, 2, _FORTNIGHT)
    return _Made(values)


def _odd_day(random: Random) -> _Made:
    """One busy spell is missing, flat, lower, higher, noisier, longer or late."""
    low, high, noise = random.uniform(18, 25), random.uniform(60, 90), random.uniform(0, 5)
    values = _squares(_FORTNIGHT, low, high)
    values = values + noise * random.uniform(-1, 1, _FORTNIGHT) * (values / high)
    day = int(random.integers(4, 13)) * _DAY
    at, end = day + 9 * _DAY // 24, day + 18 * _DAY // 24
    busy = slice(at, end)
    kind = random.integers(0, 7)
    if kind == 0:
        values[busy] = low + noise * random.uniform(-1, 1, end - at) * low / high
    if kind == 1:
        values[busy] = random.uniform(low, high)
    if kind == 2:
        values[busy] -= random.uniform(0.3, 0.6) * (high - low)
    if kind == 3:
        values[busy] += random.uniform(0.3, 1.0) * (high - low)
    if kind == 4:
        values[busy] += (4 * noise + 4) * random.uniform(-1, 1, end - at)
    if kind == 5:
        values[end : end + 6 * _DAY // 24] = high + noise * random.uniform(-1, 1, 6 * _DAY // 24)
        at = end
    if kind == 6:
        values[at : at + _DAY // 6] = low
    return _Made(values, (at,))


def _more_noise(random: Random) -> _Made:
    values = random.normal(0, 1, _FORTNIGHT)
    (at,) = _onsets(random, _FORTNIGHT, 1)
    values[at : at + _lasting(random, 100, 600)] *= random.choice([0.2, 2.0, 3.0])
    return _Made(40 + 3 * values, (at,))


def _spike_train(random: Random) -> _Made:
    """Spikes at random; then many more of them, or higher ones."""
    values = random.uniform(0, 1, _FORTNIGHT) * random.uniform(0.1, 2)
    each = random.uniform(40, 150)
    values += np.minimum(_spikes(random, _FORTNIGHT, each, 1e9, 1), 1) * random.uniform(18, 22, _FORTNIGHT)
    (at,) = _onsets(random, _FORTNIGHT, 1)
    length = _lasting(random, 100, 400)
    if random.random() < 0.5:
        denser = random.random(length) < random.uniform(4, 8) / each
        values[at : at + length] += 20 * denser * (values[at : at + length] < 10)
    else:
        values[at : at + length] *= random.uniform(1.6, 3)
    return _Made(values, (at,))


# --- servers -----------------------------------------------------------------------------------------------------


def _quiet_processor(random: Random) -> _Made:
    """Hardly anything, in steps of a third of a percent, and a spike now and then."""
    values = 0.1 + random.exponential(random.uniform(0.02, 0.2), _FORTNIGHT)
    values += _spikes(random, _FORTNIGHT, random.uniform(300, 1500), 0.8)
    onsets = _onsets(random, _FORTNIGHT, int(random.integers(1, 3)))
    for at in onsets:
        kind = random.integers(0, 3)
        if kind == 0:
            values[at : at + 2] += random.uniform(4, 30)
        if kind == 1:
            values[at : at + _lasting(random, 12, 200)] += random.uniform(1, 4)
        if kind == 2:
            values[at:] += random.uniform(0.3, 1)
    return _Made(np.round(3 * values, 1) / 3, onsets)


def _busy_processor(random: Random) -> _Made:
    level = random.uniform(35, 70)
    values = level + _ar(random, _FORTNIGHT, random.uniform(0.3, 0.97), random.uniform(1, 4))
    values += random.uniform(0, 8) * _hump(_FORTNIGHT, _DAY) - _spikes(random, _FORTNIGHT, 800, 5)
    onsets = _onsets(random, _FORTNIGHT, int(random.integers(1, 3)))
    for at in onsets:
        kind = random.integers(0, 4)
        if kind == 0:
            values[at : at + _lasting(random, 2, 40)] = random.uniform(0, 5)
        if kind == 1:
            values[at : at + _lasting(random, 50, 400)] += random.choice([-1, 1]) * random.uniform(12, 25)
        if kind == 2:
            values[at : at + 3] += random.uniform(20, 30)
        if kind == 3:
            values[at:] += random.choice([-1, 1]) * random.uniform(10, 18)
    return _Made(np.clip(values, 0, 100), onsets)


def _stuck_processor(random: Random) -> _Made:
    """Jobs by the clock; then one of them never ends, or none begins."""
    period = int(random.choice([12, 24, 72, _DAY]))
    size = _FORTNIGHT
    on = (np.arange(size) + random.integers(0, period)) % period < period * random.uniform(0.2, 0.5)
    values = np.where(on, random.uniform(50, 90), random.uniform(2, 15)) + _ar(random, size, 0.5, random.uniform(1, 4))
    (at,) = _onsets(random, size, 1)
    length = int(max(2.5 * period, 30))
    values[at : at + length] = random.choice([99.0, values.min() + 1]) + random.normal(0, 0.5, length)
    return _Made(np.clip(values, 0, 100), (at,))


def _network(random: Random) -> _Made:
    """Log-normal bytes and a copy at the same time of day; then a flood, a long rise or silence."""
    size = _FORTNIGHT
    values = random.lognormal(0, random.uniform(0.2, 0.9), size) * 2e5
    copy = (np.arange(size) - random.integers(0, _DAY)) % _DAY < random.integers(2, 8)
    values = np.where(copy, values + random.uniform(2e6, 8e6) * random.uniform(0.8, 1.2, size), values)
    onsets = _onsets(random, size, int(random.integers(1, 3)))
    for at in onsets:
        kind = random.integers(0, 3)
        if kind == 0:
            values[at : at + _lasting(random, 1, 6)] += random.uniform(2e7, 6e7)
        if kind == 1:
            values[at : at + _lasting(random, 40, 300)] += random.uniform(1e6, 4e6)
        if kind == 2:
            values[at : at + _lasting(random, 40, 200)] = 0
    return _Made(np.round(values), onsets)


def _disk(random: Random) -> _Made:
    """Zeros with bursts; then one far larger, one far longer, or many in a row."""
    size = _FORTNIGHT
    values = _spikes(random, size, random.uniform(15, 200), 1e6, 4)
    onsets = _onsets(random, size, int(random.integers(1, 3)))
    for at in onsets:
        kind = random.integers(0, 3)
        if kind == 0:
            values[at : at + 3] += random.uniform(1.2e7, 4e7)
        if kind == 1:
            length = _lasting(random, 40, 200)
            values[at : at + length] += random.uniform(2e6, 4e6) * random.uniform(0.7, 1.3, length)
        if kind == 2:
            values[at : at + 100] += _spikes(random, values[at : at + 100].size, 5, 2e6, 4)
    return _Made(np.round(values), onsets)


def _requests(random: Random) -> _Made:
    """Counts that follow the day, coarse and heavy-tailed; then a rush or an outage."""
    size = _FORTNIGHT
    mean = random.uniform(20, 120) * (0.2 + _hump(size, _DAY, random.uniform(8, 20), random.uniform(3, 5)))
    onsets = _onsets(random, size, int(random.integers(1, 3)))
    factor = np.ones(size)
    for at in onsets:
        high = random.random() < 0.8
        factor[at : at + _lasting(random, 3, 60)] = random.uniform(4, 9) if high else 0.0
    return _Made(_counts(random, mean * factor, random.uniform(1.5, 8)), onsets)


def _scaling_group(random: Random) -> _Made:
    """Whole servers, stepped up and down with the day."""
    size = _FORTNIGHT
    load = random.uniform(10, 40) * (0.5 + _hump(size, _DAY)) * (1 + _ar(random, size, 0.995, 0.1))
    onsets = _onsets(random, size, int(random.integers(1, 3)))
    for at in onsets:
        load[at : at + _lasting(random, 12, 150)] *= random.choice([0.1, 2.2, 3.5])
    held = np.repeat(load[::6], 6)[:size]
    return _Made(np.ceil(held), onsets)


def _database(random: Random) -> _Made:
    """A level with small spikes each hour; now and then maintenance; then another level, or a climb."""
    size = _FORTNIGHT
    values = random.uniform(5, 20) + _ar(random, size, 0.9, 0.7)
    values[:: int(random.choice([6, 12]))] += random.uniform(1, 4)
    values += _spikes(random, size, 1200, 4, 3)
    onsets = _onsets(random, size, int(random.integers(1, 3)))
    for at in onsets:
        kind = random.integers(0, 3)
        if kind == 0:
            values[at:] += random.uniform(5, 10)
        if kind == 1:
            values[at : at + 150] += np.linspace(0, random.uniform(8, 20), values[at : at + 150].size)
        if kind == 2:
            values[at : at + _lasting(random, 2, 12)] += random.uniform(15, 40)
    return _Made(values, onsets)


def _latency(random: Random) -> _Made:
    size = _FORTNIGHT
    values = 45 + 2 * random.gamma(2, 1, size) + _spikes(random, size, 150, 4)
    onsets = _onsets(random, size, int(random.integers(1, 4)))
    for at in onsets:
        values[at : at + _lasting(random, 2, 40)] += random.uniform(20, 50)
    return _Made(values, onsets)


def _rare_use(random: Random) -> _Made:
    """A key's hold time: next to constant, a few uses; irregular stamps. Then use by somebody else."""
    size = 1900
    values = 0.05 + 0.02 * random.random(size) + _spikes(random, size, 40, 0.05)
    onsets = _onsets(random, size, 2)
    for at in onsets:
        length = _lasting(random, 5, 60)
        values[at : at + length] += random.exponential(0.25, values[at : at + length].size)
    return _Made(values, onsets, gaps=1 + random.geometric(0.3, size))


def _switched_on(random: Random) -> _Made:
    """Zero for long, then at work for good or for a while."""
    size = _FORTNIGHT
    (at,) = _onsets(random, size, 1)
    values = np.zeros(size) if random.random() < 0.5 else _spikes(random, size, 900, 0.1)
    until = at + (size if random.random() < 0.5 else _lasting(random, 60, 400))
    values[at:until] += random.uniform(1, 9) + _ar(random, values[at:until].size, 0.8, 0.4)
    return _Made(np.maximum(values, 0), (at,))


# --- prices, sensors, people, roads ------------------------------------------------------------------------------


def _price(random: Random) -> _Made:
    """Hourly, log-normal with a memory and its own tail; some spikes stand out."""
    size = 1620
    logs = _ar(random, size, random.uniform(0.5, 0.95), random.uniform(0.15, 0.35)) + 0.2 * _hump(size, 24)
    values = 0.5 * np.exp(logs) * (1 + _spikes(random, size, 120, 0.4))
    onsets = _onsets(random, size, int(random.integers(1, 4)))
    for at in onsets:
        values[at : at + _lasting(random, 1, 12)] *= random.uniform(3, 10)
    return _Made(values, onsets, 60)


def _room_temperature(random: Random) -> _Made:
    size = 7000
    values = 70 + 3 * np.sin(np.arange(size) / size * 2 * np.pi) + random.uniform(1, 3) * _hump(size, 24, 16)
    values += _ar(random, size, 0.98, 1.5) + random.normal(0, 0.5, size)
    onsets = _onsets(random, size, 2)
    for at in onsets:
        length = _lasting(random, 24, 150)
        values[at : at + length] += random.choice([-1, 1]) * np.linspace(4, 9, values[at : at + length].size)
    gaps = np.ones(size, dtype=np.int64)
    gaps[random.integers(1000, size, 4)] = random.integers(10, 200, 4)
    return _Made(values, onsets, 60, gaps)


def _machine_temperature(random: Random) -> _Made:
    """Slow and smooth; then it plunges, or climbs away over a day."""
    size = 8000
    values = 85 + _ar(random, size, 0.998, 6) + _ar(random, size, 0.9, 0.8)
    onsets = _onsets(random, size, int(random.integers(2, 4)))
    for at in onsets:
        length = _lasting(random, 40, 300)
        depth = random.uniform(30, 60) if random.random() < 0.7 else -random.uniform(14, 20)
        values[at : at + length] -= depth * np.minimum(np.arange(values[at : at + length].size) / 20, 1)
    return _Made(values, onsets)


def _taxis(random: Random) -> _Made:
    """Half-hourly, a day and a week; then a holiday, a storm, or a festive night."""
    size, per_day = 7000, 48
    day = np.arange(size) // per_day
    week = np.array([1, 1.02, 1.05, 1.08, 1.1, 1.12, 0.9])[day % 7]
    shape = 0.25 + 0.5 * _hump(size, per_day, 11, 4) + 0.9 * _hump(size, per_day, 19, 3)
    shape += np.where(day % 7 >= 4, 0.35, 0.0) * _hump(size, per_day, 24, 2)
    values = 16000 * shape * week * (1 + _ar(random, size, 0.9, 0.04))
    onsets = tuple(at // per_day * per_day for at in _onsets(random, size, 4))
    for at in onsets:
        if random.random() < 0.7:
            values[at : at + per_day * int(random.integers(1, 3))] *= random.uniform(0.3, 0.7)
        else:
            values[at : at + 8] *= random.uniform(1.8, 3)
    return _Made(np.round(values), onsets, 30)


def _tweets(random: Random) -> _Made:
    size = 12000
    mean = random.choice([8.0, 20.0, 60.0]) * (0.3 + _hump(size, _DAY, 16, 5))
    mean *= 1 + _spikes(random, size, random.uniform(300, 900), 1.5, 3)
    onsets = _onsets(random, size, int(random.integers(2, 5)))
    for at in onsets:
        length = _lasting(random, 4, 120)
        fade = np.exp(-np.arange(mean[at : at + length].size) / (length / 2))
        mean[at : at + length] *= 1 + random.uniform(5, 20) * fade
    return _Made(_counts(random, mean, random.uniform(2, 6)), onsets)


def _loop_gaps(random: Random, size: int) -> Ints:
    """Mostly one or two steps; hours without a word now and then."""
    gaps = random.geometric(0.6, size)
    gaps[random.random(size) < 0.01] = int(random.integers(10, 80))
    return np.asarray(gaps, dtype=np.int64)


def _occupancy(random: Random) -> _Made:
    size = 2400
    gaps = _loop_gaps(random, size)
    clock = np.cumsum(gaps) % _DAY
    rush = _hump(_DAY, _DAY, 8, 1.2) + 1.3 * _hump(_DAY, _DAY, 17, 1.8)
    values = (2 + random.uniform(4, 10) * rush[clock]) * random.lognormal(0, 0.3, size)
    onsets = _onsets(random, size, int(random.integers(1, 3)))
    for at in onsets:
        values[at : at + _lasting(random, 4, 40)] += random.uniform(15, 30)
    return _Made(np.round(values, 2), onsets, gaps=gaps)


def _speed(random: Random) -> _Made:
    size = 2400
    gaps = _loop_gaps(random, size)
    rush = _hump(_DAY, _DAY, 17, 1.5)[np.cumsum(gaps) % _DAY]
    values = 68 - random.uniform(0, 20) * rush * random.random(size) + random.normal(0, 3, size)
    onsets = _onsets(random, size, int(random.integers(1, 4)))
    for at in onsets:
        values[at : at + _lasting(random, 3, 30)] -= random.uniform(30, 50)
    return _Made(np.round(np.maximum(values, 3)), onsets, gaps=gaps)


def _travel_time(random: Random) -> _Made:
    size = 2400
    gaps = _loop_gaps(random, size)
    rush = _hump(_DAY, _DAY, 17, 2)[np.cumsum(gaps) % _DAY]
    values = 200 * random.lognormal(0, 0.25, size) * (1 + rush) + _spikes(random, size, 60, 250)
    onsets = _onsets(random, size, int(random.integers(1, 4)))
    for at in onsets:
        values[at : at + _lasting(random, 2, 25)] += random.uniform(1500, 4000)
    return _Made(np.round(values), onsets, gaps=gaps)


KINDS: dict[str, tuple[str, Callable[[Random], _Made]]] = {
    "nothing": ("made by hand", _nothing),
    "odd day": ("made by hand", _odd_day),
    "more noise": ("made by hand", _more_noise),
    "spike train": ("made by hand", _spike_train),
    "quiet processor": ("servers", _quiet_processor),
    "busy processor": ("servers", _busy_processor),
    "stuck processor": ("servers", _stuck_processor),
    "network": ("servers", _network),
    "disk": ("servers", _disk),
    "requests": ("servers", _requests),
    "scaling group": ("servers", _scaling_group),
    "database": ("servers", _database),
    "latency": ("servers", _latency),
    "rare use": ("servers", _rare_use),
    "switched on": ("servers", _switched_on),
    "price": ("prices", _price),
    "room temperature": ("sensors", _room_temperature),
    "machine temperature": ("sensors", _machine_temperature),
    "taxis": ("people", _taxis),
    "tweets": ("people", _tweets),
    "occupancy": ("roads", _occupancy),
    "speed": ("roads", _speed),
    "travel time": ("roads", _travel_time),
}


def streams(seed: int, each: int) -> list[Stream]:
    """`each` streams of every kind."""
    made = []
    for kind, (group, make) in KINDS.items():
        for number in range(each):
            random = np.random.default_rng([seed, number, zlib.crc32(kind.encode())])
            made.append(_labelled(kind, group, make(random)))
    return made


def _labelled(kind: str, group: str, made: _Made) -> Stream:
    size = made.values.size
    steps = np.ones(size, dtype=np.int64) if made.gaps is None else made.gaps
    minutes = (np.cumsum(steps) - steps[0]) * made.minutes
    index = pd.Timestamp("2026-01-05") + pd.to_timedelta(minutes, unit="min")
    half = int(0.05 * size / max(len(made.onsets), 1))
    windows = tuple((max(at - half, 0), min(at + half, size - 1)) for at in made.onsets)
    return Stream(kind, group, pd.Series(made.values, index=index), windows)
