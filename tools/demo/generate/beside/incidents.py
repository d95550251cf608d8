"""When something goes wrong outside the warehouses: drawn from the seed and the account's first day alone.

Each stretch of 45 days, the first beginning two weeks into the history, brings one of each kind. So an account that
lives on meets new ones, and nothing that has been written changes. The labels (tools.demo.labels) say the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from tools.demo.generate.beside.chance import uniform, whole

__all__ = ["LEAD", "STRETCH", "Incident", "Kind", "incidents"]

Kind = Literal["clustering_storm", "login_failures", "storage_growth"]
LEAD = 14
"""Days before the first stretch, so that there is something ordinary to compare with."""
STRETCH = 45
_MARGIN = 4
_KEPT = 38
"""Days until somebody drops the forgotten copy."""


@dataclass(frozen=True)
class Incident:
    """Times in hours since 1970, `end` exclusive."""

    kind: Kind
    start: int
    end: int
    size: float
    """Storm: times the ordinary credits. Burst: failed logins an hour. Storage: TiB."""
    object: str


def incidents(seed: int, first_day: int, last_day: int) -> list[Incident]:
    """Those that begin before `last_day`, in order of kind and time; days since 1970."""
    count = max((last_day - first_day - LEAD) // STRETCH + 1, 0)
    found: list[Incident] = []
    for number in range(count):
        found.append(_storm(seed, number, _begin(seed, "storm", number, first_day)))
        found.append(_burst(seed, number, _begin(seed, "burst", number, first_day)))
        found.append(_copy(seed, number, _begin(seed, "copy", number, first_day)))
    known = [each for each in found if each.start < last_day * 24]
    return sorted(known, key=lambda each: (each.kind, each.start))


def _begin(seed: int, stream: str, number: int, first_day: int) -> int:
    """The UTC day, well inside its stretch."""
    offset = int(whole(seed, f"incident/{stream}", np.array([number]), STRETCH - 2 * _MARGIN)[0])
    return first_day + LEAD + number * STRETCH + _MARGIN + offset


def _draw(seed: int, stream: str, number: int, low: float, high: float) -> float:
    return low + (high - low) * float(uniform(seed, f"incident/{stream}", np.array([number]))[0])


def _storm(seed: int, number: int, day: int) -> Incident:
    start = day * 24 + int(_draw(seed, "storm/hour", number, 9, 20))
    hours = int(_draw(seed, "storm/hours", number, 40, 76))
    return Incident(
        "clustering_storm", start, start + hours, _draw(seed, "storm/size", number, 5, 9), "EVENTS.STREAM.RAW_EVENTS"
    )


def _burst(seed: int, number: int, day: int) -> Incident:
    start = day * 24 + int(_draw(seed, "burst/hour", number, 2, 22))
    hours = int(_draw(seed, "burst/hours", number, 1, 3.99))
    address = f"185.220.{101 + number % 100}.{int(_draw(seed, 'burst/ip', number, 4, 250))}"
    return Incident("login_failures", start, start + hours, _draw(seed, "burst/size", number, 110, 260), address)


def _copy(seed: int, number: int, day: int) -> Incident:
    start = day * 24
    name = f"RAW.BACKUP.CLICKS_{np.datetime64(day, 'D').item():%Y%m%d}"
    return Incident("storage_growth", start, start + 24 * _KEPT, _draw(seed, "copy/size", number, 4.2, 6.5), name)
