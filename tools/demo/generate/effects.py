"""What incidents do to the statements that habits send anyway: silence, drift, failures and their precursors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tools.demo.generate.catalog import Demo
from tools.demo.generate.days import DAY_MS, HOUR_MS
from tools.demo.generate.incidents import Incident, incidents

__all__ = ["RAMP_MS", "Effects", "effects"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

RAMP_MS = 20 * HOUR_MS
"""How long before failures their precursors rise."""


@dataclass(frozen=True)
class Effects:
    found: tuple[Incident, ...]
    precursors: bool

    def silenced(self, demo: Demo, at: Ints, habit: Ints) -> Bools:
        """Statements that a silent loader does not send."""
        gone = np.zeros(len(at), dtype=bool)
        for each in self._of("silence"):
            gone |= self._theirs(demo, each, habit) & (at >= each.start) & (at < each.end)
        return gone

    def of(self, demo: Demo, at: Ints, habit: Ints) -> tuple[Floats, Floats, Floats]:
        """By statement: factor of its work, chance to fail (0: its usual one), and how far precursors have risen."""
        more, failing, ramp = np.ones(len(at)), np.zeros(len(at)), np.zeros(len(at))
        for each in self._of("drift"):
            rows = self._theirs(demo, each, habit) & (at >= each.start) & (at < each.end)
            more[rows] *= np.exp(each.growth_per_day * (at[rows] - each.start) / DAY_MS)
        for each in self._of("failing_queries"):
            theirs = self._theirs(demo, each, habit)
            failing[theirs & (at >= each.start) & (at < each.end)] = each.chance
            if self.precursors:
                rows = theirs & (at >= each.start - RAMP_MS) & (at < each.end)
                ramp[rows] = np.minimum((at[rows] - each.start + RAMP_MS) / RAMP_MS, 1.0)
        return more, failing, ramp

    def forced(self, demo: Demo, at: Ints, habit: Ints) -> Ints:
        """Run time in ms of statements that run until somebody stops them; else 0."""
        given = np.zeros(len(at), dtype=np.int64)
        for each in self._of("runaway_query"):
            given[(habit == each.habit) & (at == each.start)] = each.end - each.start
        return given

    def _of(self, kind: str) -> list[Incident]:
        return [each for each in self.found if each.kind == kind]

    def _theirs(self, demo: Demo, incident: Incident, habit: Ints) -> Bools:
        """Rows of the services of the incident's warehouse."""
        services = [h.warehouse == incident.warehouse and not h.human for h in demo.habits]
        return np.array(services)[habit]


def effects(demo: Demo, seed: int, first: int, since: int, until: int, *, precursors: bool) -> Effects:
    """Those that reach into the local days of [since, until)."""
    return Effects(incidents(demo, seed, first, since - 2 * DAY_MS, until + DAY_MS), precursors)
