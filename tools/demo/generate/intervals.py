"""Intervals cut into slots of equal width, and credits shared among what runs at the same time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tools.demo.generate.arrivals import HOUR_MS
from tools.demo.generate.runs import Ran
from tools.ml.billing import credits_per_hour

__all__ = ["Shared", "cut", "share"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def cut(start: Ints, end: Ints, width: int) -> tuple[Ints, Ints, Ints]:
    """(row, slot, milliseconds) of every overlap of a row's interval with a slot."""
    first = start // width
    count = np.where(end > start, (end - 1) // width - first + 1, 0)
    row = np.repeat(np.arange(len(start)), count)
    slot = first[row] + np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    return row, slot, np.minimum(end[row], (slot + 1) * width) - np.maximum(start[row], slot * width)


@dataclass(frozen=True)
class Shared:
    query: Floats
    """Credits of each statement: its part of its cluster's rate, by slots, while it executed."""
    busy: dict[tuple[int, int], float]
    """Credits by (WAREHOUSE_ID, hour) of the time in which something executed."""


def share(ran: Ran) -> Shared:
    slots = np.array([statement.slots for statement in ran.work.statements])[ran.work.statement].astype(float)
    query = np.zeros(len(slots))
    busy: dict[tuple[int, int], float] = {}
    ran_until = np.minimum(ran.end, ran.now)
    pairs = ran.stretches[["warehouse", "cluster"]].drop_duplicates()
    for identifier, cluster in pairs.itertuples(index=False):
        stretches = ran.stretches[(ran.stretches["warehouse"] == identifier) & (ran.stretches["cluster"] == cluster)]
        rows = np.flatnonzero(ran.on_cluster & (ran.work.warehouse == identifier) & (ran.cluster == cluster))
        first = stretches.iloc[0]
        rates = stretches["size"].map(
            {
                size: credits_per_hour(
                    size,
                    type=first["type"],
                    generation=first["generation"],
                    resource_constraint=first["resource_constraint"],
                )
                for size in stretches["size"].unique()
            }
        )
        on = stretches["start"].to_numpy(), stretches["end"].to_numpy(), rates.to_numpy(dtype=float)
        begin, end = ran.begin[rows], ran_until[rows]
        points = np.unique(np.concatenate([begin, end, on[0], on[1]]))
        load = _level(points, begin, end, slots[rows])
        rate = _level(points, *on)
        hours = np.diff(points) / HOUR_MS
        density = np.divide(rate, load, out=np.zeros(len(points)), where=load > 0.5)[:-1] * hours
        total = np.concatenate([[0.0], np.cumsum(density)])
        query[rows] = slots[rows] * (total[np.searchsorted(points, end)] - total[np.searchsorted(points, begin)])
        used = np.concatenate([[0.0], np.cumsum(np.where(load > 0.5, rate, 0.0)[:-1] * hours)])
        _add_hours(busy, int(identifier), points, used)
    return Shared(query, busy)


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
