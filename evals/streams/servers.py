"""Streams made by hand (squares, noise, spikes), and what servers report every five minutes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from evals.streams.parts import DAY, FORTNIGHT, Made, Random, ar, counted, hump, lasting, some_onsets, spikes, squares

__all__ = ["SERVERS"]


def _nothing(random: Random) -> Made:
    kind = random.integers(0, 5)
    level = random.uniform(20, 80)
    values = np.full(FORTNIGHT, level)
    if kind == 1:
        values = squares(FORTNIGHT, level, level * random.uniform(1.5, 4))
    if kind == 2:
        values = values + random.uniform(0, 20, FORTNIGHT)
    if kind == 3:
        values = squares(FORTNIGHT, level, 2.5 * level) + random.uniform(-8, 8, FORTNIGHT)
    if kind == 4:
        values = level * (1 + hump(FORTNIGHT, DAY)) + random.normal(0, 2, FORTNIGHT)
    return Made(values)


def _odd_day(random: Random) -> Made:
    """One busy spell is missing, flat, lower, higher, noisier, longer or late."""
    low, high, noise = random.uniform(18, 25), random.uniform(60, 90), random.uniform(0, 5)
    values = squares(FORTNIGHT, low, high)
    values = values + noise * random.uniform(-1, 1, FORTNIGHT) * (values / high)
    day = int(random.integers(4, 13)) * DAY
    at, end = day + 9 * DAY // 24, day + 18 * DAY // 24
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
        values[end : end + 6 * DAY // 24] = high + noise * random.uniform(-1, 1, 6 * DAY // 24)
        at = end
    if kind == 6:
        values[at : at + DAY // 6] = low
    return Made(values, (at,))


def _more_noise(random: Random) -> Made:
    values = random.normal(0, 1, FORTNIGHT)
    (at,) = some_onsets(random, FORTNIGHT, 1)
    values[at : at + lasting(random, 100, 600)] *= random.choice([0.2, 2.0, 3.0])
    return Made(40 + 3 * values, (at,))


def _spike_train(random: Random) -> Made:
    """Spikes at random; then many more of them, or higher ones."""
    values = random.uniform(0, 1, FORTNIGHT) * random.uniform(0.1, 2)
    each = random.uniform(40, 150)
    values += np.minimum(spikes(random, FORTNIGHT, each, 1e9, 1), 1) * random.uniform(18, 22, FORTNIGHT)
    (at,) = some_onsets(random, FORTNIGHT, 1)
    length = lasting(random, 100, 400)
    if random.random() < 0.5:
        denser = random.random(length) < random.uniform(4, 8) / each
        values[at : at + length] += 20 * denser * (values[at : at + length] < 10)
    else:
        values[at : at + length] *= random.uniform(1.6, 3)
    return Made(values, (at,))


# --- servers -----------------------------------------------------------------------------------------------------


def _quiet_processor(random: Random) -> Made:
    """Hardly anything, in steps of a third of a percent, and a spike now and then."""
    values = 0.1 + random.exponential(random.uniform(0.02, 0.2), FORTNIGHT)
    values += spikes(random, FORTNIGHT, random.uniform(300, 1500), 0.8)
    onsets = some_onsets(random, FORTNIGHT, int(random.integers(1, 3)))
    for at in onsets:
        kind = random.integers(0, 3)
        if kind == 0:
            values[at : at + 2] += random.uniform(4, 30)
        if kind == 1:
            values[at : at + lasting(random, 12, 200)] += random.uniform(1, 4)
        if kind == 2:
            values[at:] += random.uniform(0.3, 1)
    return Made(np.round(3 * values, 1) / 3, onsets)


def _busy_processor(random: Random) -> Made:
    level = random.uniform(35, 70)
    values = level + ar(random, FORTNIGHT, random.uniform(0.3, 0.97), random.uniform(1, 4))
    values += random.uniform(0, 8) * hump(FORTNIGHT, DAY) - spikes(random, FORTNIGHT, 800, 5)
    onsets = some_onsets(random, FORTNIGHT, int(random.integers(1, 3)))
    for at in onsets:
        kind = random.integers(0, 4)
        if kind == 0:
            values[at : at + lasting(random, 2, 40)] = random.uniform(0, 5)
        if kind == 1:
            values[at : at + lasting(random, 50, 400)] += random.choice([-1, 1]) * random.uniform(12, 25)
        if kind == 2:
            values[at : at + 3] += random.uniform(20, 30)
        if kind == 3:
            values[at:] += random.choice([-1, 1]) * random.uniform(10, 18)
    return Made(np.clip(values, 0, 100), onsets)


def _stuck_processor(random: Random) -> Made:
    """Jobs by the clock; then one of them never ends, or none begins."""
    period = int(random.choice([12, 24, 72, DAY]))
    size = FORTNIGHT
    on = (np.arange(size) + random.integers(0, period)) % period < period * random.uniform(0.2, 0.5)
    values = np.where(on, random.uniform(50, 90), random.uniform(2, 15)) + ar(random, size, 0.5, random.uniform(1, 4))
    (at,) = some_onsets(random, size, 1)
    length = min(int(max(2.5 * period, 30)), size - at)
    values[at : at + length] = random.choice([99.0, values.min() + 1]) + random.normal(0, 0.5, length)
    return Made(np.clip(values, 0, 100), (at,))


def _network(random: Random) -> Made:
    """Log-normal bytes and a copy at the same time of day; then a flood, a long rise or silence."""
    size = FORTNIGHT
    values = random.lognormal(0, random.uniform(0.2, 0.9), size) * 2e5
    copy = (np.arange(size) - random.integers(0, DAY)) % DAY < random.integers(2, 8)
    values = np.where(copy, values + random.uniform(2e6, 8e6) * random.uniform(0.8, 1.2, size), values)
    onsets = some_onsets(random, size, int(random.integers(1, 3)))
    for at in onsets:
        kind = random.integers(0, 3)
        if kind == 0:
            values[at : at + lasting(random, 1, 6)] += random.uniform(2e7, 6e7)
        if kind == 1:
            values[at : at + lasting(random, 40, 300)] += random.uniform(1e6, 4e6)
        if kind == 2:
            values[at : at + lasting(random, 40, 200)] = 0
    return Made(np.round(values), onsets)


def _disk(random: Random) -> Made:
    """Zeros with bursts; then one far larger, one far longer, or many in a row."""
    size = FORTNIGHT
    values = spikes(random, size, random.uniform(15, 200), 1e6, 4)
    onsets = some_onsets(random, size, int(random.integers(1, 3)))
    for at in onsets:
        kind = random.integers(0, 3)
        if kind == 0:
            values[at : at + 3] += random.uniform(1.2e7, 4e7)
        if kind == 1:
            length = lasting(random, 40, 200)
            values[at : at + length] += random.uniform(2e6, 4e6) * random.uniform(0.7, 1.3, length)
        if kind == 2:
            values[at : at + 100] += spikes(random, values[at : at + 100].size, 5, 2e6, 4)
    return Made(np.round(values), onsets)


def _requests(random: Random) -> Made:
    """Counts that follow the day, coarse and heavy-tailed; then a rush or an outage."""
    size = FORTNIGHT
    mean = random.uniform(20, 120) * (0.2 + hump(size, DAY, random.uniform(8, 20), random.uniform(3, 5)))
    onsets = some_onsets(random, size, int(random.integers(1, 3)))
    factor = np.ones(size)
    for at in onsets:
        high = random.random() < 0.8
        factor[at : at + lasting(random, 3, 60)] = random.uniform(4, 9) if high else 0.0
    return Made(counted(random, mean * factor, random.uniform(1.5, 8)), onsets)


def _scaling_group(random: Random) -> Made:
    """Whole servers, stepped up and down with the day."""
    size = FORTNIGHT
    load = random.uniform(10, 40) * (0.5 + hump(size, DAY)) * (1 + ar(random, size, 0.995, 0.1))
    onsets = some_onsets(random, size, int(random.integers(1, 3)))
    for at in onsets:
        load[at : at + lasting(random, 12, 150)] *= random.choice([0.1, 2.2, 3.5])
    held = np.repeat(load[::6], 6)[:size]
    return Made(np.ceil(held), onsets)


def _database(random: Random) -> Made:
    """A level with small spikes each hour; now and then maintenance; then another level, or a climb."""
    size = FORTNIGHT
    values = random.uniform(5, 20) + ar(random, size, 0.9, 0.7)
    values[:: int(random.choice([6, 12]))] += random.uniform(1, 4)
    values += spikes(random, size, 1200, 4, 3)
    onsets = some_onsets(random, size, int(random.integers(1, 3)))
    for at in onsets:
        kind = random.integers(0, 3)
        if kind == 0:
            values[at:] += random.uniform(5, 10)
        if kind == 1:
            values[at : at + 150] += np.linspace(0, random.uniform(8, 20), values[at : at + 150].size)
        if kind == 2:
            values[at : at + lasting(random, 2, 12)] += random.uniform(15, 40)
    return Made(values, onsets)


def _latency(random: Random) -> Made:
    size = FORTNIGHT
    values = 45 + 2 * random.gamma(2, 1, size) + spikes(random, size, 150, 4)
    onsets = some_onsets(random, size, int(random.integers(1, 4)))
    for at in onsets:
        values[at : at + lasting(random, 2, 40)] += random.uniform(20, 50)
    return Made(values, onsets)


def _rare_use(random: Random) -> Made:
    """A key's hold time: next to constant, a few uses; irregular stamps. Then use by somebody else."""
    size = 1900
    values = 0.05 + 0.02 * random.random(size) + spikes(random, size, 40, 0.05)
    onsets = some_onsets(random, size, 2)
    for at in onsets:
        length = lasting(random, 5, 60)
        values[at : at + length] += random.exponential(0.25, values[at : at + length].size)
    return Made(values, onsets, gaps=1 + random.geometric(0.3, size))


def _switched_on(random: Random) -> Made:
    """Zero for long, then at work for good or for a while."""
    size = FORTNIGHT
    (at,) = some_onsets(random, size, 1)
    values = np.zeros(size) if random.random() < 0.5 else spikes(random, size, 900, 0.1)
    until = at + (size if random.random() < 0.5 else lasting(random, 60, 400))
    values[at:until] += random.uniform(1, 9) + ar(random, values[at:until].size, 0.8, 0.4)
    return Made(np.maximum(values, 0), (at,))


SERVERS: dict[str, tuple[str, Callable[[Random], Made]]] = {
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
}
