"""Intervals cut into slots of equal width, and credits shared among what runs at the same time."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tools.demo.generate.days import HOUR_MS
from tools.demo.generate.runs import Ran
from tools.ml.billing import credits_per_hour

__all__ = ["cut", "share"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def cut(start: Ints, end: Ints, width: int) -> tuple[Ints, Ints, Ints]:
    """(row, slot, milliseconds) of every overlap of a row's interval with a slot."""
    first = start // width
    count = np.where(end > start, (end - 1) // width - first + 1, 0)
    row = np.repeat(np.arange(len(start)), count)
    slot = first[row] + np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    return row, slot, np.minimum(end[row], (slot + 1) * width) - np.maximum(start[row], slot * width)


def share(ran: Ran) -> dict[tuple[int, int], float]:
    """Add to each statement its credits in this window: its part of its cluster's rate, by slots, while it executed.

    Returns:
        Credits by (WAREHOUSE_ID, hour since 1970) of the time in which something executed.
    """
    busy: dict[tuple[int, int], float] = {}
    began = np.maximum(ran.started["begin"], ran.since)
    until = np.minimum(ran.started["end"], ran.until)
    slots, query = ran.work.ints("slots").astype(float), ran.started.floats("credits")
    executed = np.flatnonzero(ran.on_cluster & (until > began))
    place = ran.started["warehouse"][executed] * 1000 + ran.started["cluster"][executed]
    order = np.argsort(place, kind="stable")
    executed, place = executed[order], place[order]
    on_place = (ran.stretches["warehouse"] * 1000 + ran.stretches["cluster"]).to_numpy()
    rates = _rates(ran)
    start = np.maximum(ran.stretches["start"].to_numpy(), ran.since)
    end = ran.stretches["end"].to_numpy()
    for each in np.unique(on_place).tolist():
        rows = executed[np.searchsorted(place, each) : np.searchsorted(place, each, side="right")]
        on = np.flatnonzero(on_place == each)
        points = np.unique(np.concatenate([began[rows], until[rows], start[on], end[on]]))
        load = _level(points, began[rows], until[rows], slots[rows])
        rate = _level(points, start[on], end[on], rates[on])
        hours = np.diff(points) / HOUR_MS
        density = np.divide(rate, load, out=np.zeros(len(points)), where=load > 0.5)[:-1] * hours
        total = np.concatenate([[0.0], np.cumsum(density)])
        gained = total[np.searchsorted(points, until[rows])] - total[np.searchsorted(points, began[rows])]
        query[rows] += slots[rows] * gained
        used = np.concatenate([[0.0], np.cumsum(np.where(load > 0.5, rate, 0.0)[:-1] * hours)])
        _add_hours(busy, each // 1000, points, used)
    return busy


def _rates(ran: Ran) -> Floats:
    """Credits an hour of each stretch."""
    rows = ran.stretches[["size", "type", "generation", "resource_constraint"]]
    known: dict[tuple[str, ...], float] = {}
    found = []
    for size, kind, generation, constraint in rows.itertuples(index=False):
        key = (size, kind, generation, constraint)
        if key not in known:
            known[key] = credits_per_hour(size, type=kind, generation=generation, resource_constraint=constraint)
        found.append(known[key])
    return np.array(found, dtype=float)


def _level(points: Ints, start: Ints, end: Ints, height: Floats) -> Floats:
    """Sum of the heights that cover [point, next point)."""
    change = np.zeros(len(points))
    np.add.at(change, np.searchsorted(points, start), height)
    np.subtract.at(change, np.searchsorted(points, end), height)
    level: Floats = np.cumsum(change).round(9).astype(np.float64)
    return level


def _add_hours(busy: dict[tuple[int, int], float], identifier: int, points: Ints, used: Floats) -> None:
    hours = np.arange(points[0] // HOUR_MS, points[-1] // HOUR_MS + 1)
    gained = np.diff(np.interp(np.append(hours, hours[-1] + 1) * HOUR_MS, points, used))
    for hour, credits in zip(hours[gained > 0].tolist(), gained[gained > 0].tolist(), strict=True):
        busy[identifier, hour] = busy.get((identifier, hour), 0.0) + credits
