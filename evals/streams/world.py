"""Streams of prices, sensors, people and roads."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from evals.streams.parts import DAY, Ints, Made, Random, ar, counted, hump, lasting, some_onsets, spikes

__all__ = ["WORLD"]


def _price(random: Random) -> Made:
    """Hourly, log-normal with a memory and its own tail; some spikes stand out."""
    size = 1620
    logs = ar(random, size, random.uniform(0.5, 0.95), random.uniform(0.15, 0.35)) + 0.2 * hump(size, 24)
    values = 0.5 * np.exp(logs) * (1 + spikes(random, size, 120, 0.4))
    onsets = some_onsets(random, size, int(random.integers(1, 4)))
    for at in onsets:
        values[at : at + lasting(random, 1, 12)] *= random.uniform(3, 10)
    return Made(values, onsets, 60)


def _room_temperature(random: Random) -> Made:
    size = 7000
    values = 70 + 3 * np.sin(np.arange(size) / size * 2 * np.pi) + random.uniform(1, 3) * hump(size, 24, 16)
    values += ar(random, size, 0.98, 1.5) + random.normal(0, 0.5, size)
    onsets = some_onsets(random, size, 2)
    for at in onsets:
        length = lasting(random, 24, 150)
        values[at : at + length] += random.choice([-1, 1]) * np.linspace(4, 9, values[at : at + length].size)
    gaps = np.ones(size, dtype=np.int64)
    gaps[random.integers(1000, size, 4)] = random.integers(10, 200, 4)
    return Made(values, onsets, 60, gaps)


def _machine_temperature(random: Random) -> Made:
    """Slow and smooth; then it plunges, or climbs away over a day."""
    size = 8000
    values = 85 + ar(random, size, 0.998, 6) + ar(random, size, 0.9, 0.8)
    onsets = some_onsets(random, size, int(random.integers(2, 4)))
    for at in onsets:
        length = lasting(random, 40, 300)
        depth = random.uniform(30, 60) if random.random() < 0.7 else -random.uniform(14, 20)
        values[at : at + length] -= depth * np.minimum(np.arange(values[at : at + length].size) / 20, 1)
    return Made(values, onsets)


def _taxis(random: Random) -> Made:
    """Half-hourly, a day and a week; then a holiday, a storm, or a festive night."""
    size, per_day = 7000, 48
    day = np.arange(size) // per_day
    week = np.array([1, 1.02, 1.05, 1.08, 1.1, 1.12, 0.9])[day % 7]
    shape = 0.25 + 0.5 * hump(size, per_day, 11, 4) + 0.9 * hump(size, per_day, 19, 3)
    shape += np.where(day % 7 >= 4, 0.35, 0.0) * hump(size, per_day, 24, 2)
    values = 16000 * shape * week * (1 + ar(random, size, 0.9, 0.04))
    onsets = tuple(at // per_day * per_day for at in some_onsets(random, size, 4))
    for at in onsets:
        if random.random() < 0.7:
            values[at : at + per_day * int(random.integers(1, 3))] *= random.uniform(0.3, 0.7)
        else:
            values[at : at + 8] *= random.uniform(1.8, 3)
    return Made(np.round(values), onsets, 30)


def _tweets(random: Random) -> Made:
    size = 12000
    mean = random.choice([8.0, 20.0, 60.0]) * (0.3 + hump(size, DAY, 16, 5))
    mean *= 1 + spikes(random, size, random.uniform(300, 900), 1.5, 3)
    onsets = some_onsets(random, size, int(random.integers(2, 5)))
    for at in onsets:
        length = lasting(random, 4, 120)
        fade = np.exp(-np.arange(mean[at : at + length].size) / (length / 2))
        mean[at : at + length] *= 1 + random.uniform(5, 20) * fade
    return Made(counted(random, mean, random.uniform(2, 6)), onsets)


def _loop_gaps(random: Random, size: int) -> Ints:
    """Mostly one or two steps; hours without a word now and then."""
    gaps = random.geometric(0.6, size)
    gaps[random.random(size) < 0.01] = int(random.integers(10, 80))
    return np.asarray(gaps, dtype=np.int64)


def _occupancy(random: Random) -> Made:
    size = 2400
    gaps = _loop_gaps(random, size)
    clock = np.cumsum(gaps) % DAY
    rush = hump(DAY, DAY, 8, 1.2) + 1.3 * hump(DAY, DAY, 17, 1.8)
    values = (2 + random.uniform(4, 10) * rush[clock]) * random.lognormal(0, 0.3, size)
    onsets = some_onsets(random, size, int(random.integers(1, 3)))
    for at in onsets:
        values[at : at + lasting(random, 4, 40)] += random.uniform(15, 30)
    return Made(np.round(values, 2), onsets, gaps=gaps)


def _speed(random: Random) -> Made:
    size = 2400
    gaps = _loop_gaps(random, size)
    rush = hump(DAY, DAY, 17, 1.5)[np.cumsum(gaps) % DAY]
    values = 68 - random.uniform(0, 20) * rush * random.random(size) + random.normal(0, 3, size)
    onsets = some_onsets(random, size, int(random.integers(1, 4)))
    for at in onsets:
        values[at : at + lasting(random, 3, 30)] -= random.uniform(30, 50)
    return Made(np.round(np.maximum(values, 3.0)).astype(np.float64), onsets, gaps=gaps)


def _travel_time(random: Random) -> Made:
    size = 2400
    gaps = _loop_gaps(random, size)
    rush = hump(DAY, DAY, 17, 2)[np.cumsum(gaps) % DAY]
    values = 200 * random.lognormal(0, 0.25, size) * (1 + rush) + spikes(random, size, 60, 250)
    onsets = some_onsets(random, size, int(random.integers(1, 4)))
    for at in onsets:
        values[at : at + lasting(random, 2, 25)] += random.uniform(1500, 4000)
    return Made(np.round(values), onsets, gaps=gaps)


WORLD: dict[str, tuple[str, Callable[[Random], Made]]] = {
    "price": ("prices", _price),
    "room temperature": ("sensors", _room_temperature),
    "machine temperature": ("sensors", _machine_temperature),
    "taxis": ("people", _taxis),
    "tweets": ("people", _tweets),
    "occupancy": ("roads", _occupancy),
    "speed": ("roads", _speed),
    "travel time": ("roads", _travel_time),
}
