"""The warehouses of an account as they stand between two windows: how they are set, and what they are doing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import partial
from math import exp
from typing import Any

import numpy as np
import numpy.typing as npt

from tools.demo.generate.catalog import Demo
from tools.demo.generate.chance import normal
from tools.demo.generate.days import DAY_MS, HOUR_MS
from tools.demo.generate.incidents import Resize, resizes
from tools.demo.generate.model import Warehouse
from tools.demo.generate.states import Change, Rules, State
from tools.demo.generate.truth import Truth, truth
from tools.domain import Size

__all__ = ["Live", "Settings", "changes_of", "owners", "rules_of", "settings_of", "start_of"]

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_LEAST_RANK = {"SNOWPARK-OPTIMIZED": Size.MEDIUM.rank}
_LARGEST_RANK = Size.X4LARGE.rank
_LEVEL = 8
"""MAX_CONCURRENCY_LEVEL unless it is set: the true slots stand for it."""


@dataclass(frozen=True)
class Settings:
    """How a warehouse is set, as SHOW WAREHOUSES and SHOW PARAMETERS tell."""

    size: str | None
    """As SHOW spells it, without what scheduled and forgotten resizes add; None for an adaptive one."""
    type: str
    generation: str | None
    resource_constraint: str | None
    auto_suspend: int | None
    """Seconds; None is never."""
    min_clusters: int = 1
    max_clusters: int = 1
    scaling_policy: str = "STANDARD"
    auto_resume: bool = True
    concurrency: int = _LEVEL

    @property
    def rank(self) -> int:
        return -1 if self.size is None else Size.parse(self.size).rank

    @property
    def setup(self) -> tuple[str, str | None, str | None]:
        """What decides its rate besides the size."""
        return self.type, self.generation, self.resource_constraint


@dataclass
class Live:
    id: int
    name: str
    serves: str
    """Name under which habits know it: the one it was created with. Who renames a warehouse takes its work along."""
    settings: Settings
    provisioning: float
    created: int
    dropped: int | None
    state: State
    void_before: int
    """Somebody has set its size since: resizes that began earlier are forgotten."""

    @property
    def adaptive(self) -> bool:
        return self.settings.size is None

    def to_json(self) -> dict[str, Any]:
        return {**self.__dict__, "settings": asdict(self.settings), "state": self.state.to_json()}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Live:
        parts = {"settings": Settings(**values["settings"]), "state": State.from_json(values["state"])}
        return cls(**(dict(values) | parts))


def settings_of(warehouse: Warehouse) -> Settings:
    return Settings(
        size=None if warehouse.size is None else warehouse.size.shown,
        type=warehouse.type,
        generation=warehouse.generation,
        resource_constraint=warehouse.resource_constraint,
        auto_suspend=warehouse.auto_suspend,
        min_clusters=warehouse.min_clusters,
        max_clusters=warehouse.max_clusters,
        scaling_policy=warehouse.scaling_policy,
    )


def start_of(demo: Demo, seed: int, first: int, configured: Mapping[int, Settings] | None = None) -> dict[int, Live]:
    """The catalog's warehouses when the history begins, by WAREHOUSE_ID; `configured` stands for some settings."""
    found = {}
    for each in demo.warehouses:
        settings = (configured or {}).get(each.id) or settings_of(each)
        live = Live(
            each.id,
            each.name,
            each.name,
            settings,
            each.provisioning,
            first + int(each.created * DAY_MS),
            None if each.dropped is None else first + int(each.dropped * DAY_MS),
            State(settings.rank),
            -1,
        )
        live.state.rank = _rank_at(live, _planned(demo, seed, first, live, first, first + 1), first)
        found[each.id] = live
    return found


def owners(lives: Mapping[int, Live], names: tuple[str, ...], name: Ints, at: Ints) -> tuple[Ints, Bools]:
    """WAREHOUSE_ID of the warehouse of that name at that time, and whether there was one.

    Args:
        name: index into `names`, the catalog's names.
    """
    owner, alive = np.zeros(len(at), dtype=np.int64), np.zeros(len(at), dtype=bool)
    for live in lives.values():
        if live.serves not in names:
            continue
        # Nobody uses it in the two hours before it is dropped, so that nothing is cut off.
        until = np.iinfo(np.int64).max if live.dropped is None else live.dropped - 2 * HOUR_MS
        inside = (name == names.index(live.serves)) & (at >= live.created) & (at < until)
        owner[inside], alive = live.id, alive | inside
    return owner, alive


def rules_of(live: Live, seed: int) -> tuple[Rules, Truth]:
    told, known = live.settings, truth(seed, live.id, live.provisioning)
    slots = max(1, round(known.slots * told.concurrency / _LEVEL))
    auto_suspend = None if told.auto_suspend is None else told.auto_suspend * 1000
    rules = Rules(
        auto_suspend=auto_suspend,
        min_clusters=max(told.min_clusters, 1),
        max_clusters=max(told.max_clusters, told.min_clusters, 1),
        economy=told.scaling_policy == "ECONOMY",
        auto_resume=told.auto_resume,
        slots=slots,
        cold=known.cold,
        warm_ms=known.warm_ms,
        provision=partial(_provision, seed, live.id, known.provisioning),
        poll_phase=known.poll_phase,
    )
    return rules, known


def _provision(seed: int, warehouse: int, median_seconds: float, at: int) -> int:
    """Log-normal around the median, at least 200 ms; a pure function of the moment."""
    return max(200, int(1000 * median_seconds * exp(0.35 * normal(seed, warehouse, at))))


# --- resizes -----------------------------------------------------------------------------------------------------


def _planned(demo: Demo, seed: int, first: int, live: Live, since: int, until: int) -> list[Resize]:
    known = {each.id: each for each in demo.warehouses}
    if live.id not in known or live.adaptive:
        return []
    found = resizes(demo, seed, first, known[live.id], since, until)
    return [each for each in found if each.start >= live.void_before]


def _rank_at(live: Live, planned: list[Resize], at: int) -> int:
    if live.adaptive:
        return -1
    steps = sum(each.steps for each in planned if each.start <= at < each.end)
    least = _LEAST_RANK.get(live.settings.type, 0)
    return int(
        np.clip(live.settings.rank + steps, min(least, live.settings.rank), max(_LARGEST_RANK, live.settings.rank))
    )


def changes_of(demo: Demo, seed: int, first: int, live: Live, since: int, until: int) -> list[Change]:
    """Resizes of the window, as they come out on top of how the warehouse is set."""
    planned = _planned(demo, seed, first, live, since, until)
    points = [(each.start, each.user, each.role) for each in planned] + [(each.end, *each.again) for each in planned]
    until = until if live.dropped is None else min(until, live.dropped)
    inside = sorted({(at, user, role) for at, user, role in points if max(since, live.created) <= at < until})
    return [Change(at, _rank_at(live, planned, at), user, role) for at, user, role in inside]
