"""What is true of each warehouse and told to nobody: how many statements really run at once, what a size is worth.

Drawn per warehouse from the seed (reference 7.3: 5 to 8 slots, doubling does not halve, clusters start cold). The
replay model estimates these from the account's rows; it may not read them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from tools.demo.generate.chance import keyed
from tools.domain import Size

__all__ = ["Truth", "memory_bytes", "truth"]

Floats = npt.NDArray[np.float64]

_BENDS = (0.5, 2.0, 5.0, 20.0)
"""Seconds on a Medium at which a larger size begins to help more."""


@dataclass(frozen=True)
class Truth:
    slots: int
    """Weighted statements that run at once on a cluster."""
    gains: tuple[float, ...]
    """What doubling the size makes of the time of statements below each bend, and above the last."""
    best_rank: int
    """No larger size is faster."""
    beyond: float
    """What each size above it makes of the time: a little more."""
    provisioning: float
    """Median seconds a start takes."""
    cold: float
    """How much longer a statement takes on an empty cache: 0.5 is half as long again."""
    warm_ms: float
    """How quickly the cache fills."""
    poll_phase: int
    """When in each 30 s auto-suspend is looked at, in milliseconds."""

    def factor(self, seconds: Floats, rank: int) -> Floats:
        """Time on a size over the time on a Medium, for statements of these seconds on a Medium."""
        steps = min(rank, self.best_rank) - Size.MEDIUM.rank
        gain = np.select([seconds < bend for bend in _BENDS], self.gains[:-1], self.gains[-1])
        return np.asarray(gain**steps * self.beyond ** max(rank - self.best_rank, 0), dtype=np.float64)


@cache
def truth(seed: int, warehouse: int, provisioning: float) -> Truth:
    """
    Args:
        warehouse: WAREHOUSE_ID.
        provisioning: median seconds of its kind of warehouse.
    """
    rng = keyed(seed, "truth", warehouse)
    slots = int(rng.integers(5, 9))
    last = rng.uniform(0.55, 0.68)
    gains = (0.99, rng.uniform(0.93, 0.98), rng.uniform(0.82, 0.9), rng.uniform(0.66, 0.76), last)
    return Truth(
        slots=slots,
        gains=tuple(float(gain) for gain in gains),
        best_rank=int(rng.integers(Size.LARGE.rank, Size.XXXLARGE.rank)),
        beyond=float(rng.uniform(1.0, 1.12)),
        provisioning=float(provisioning * rng.lognormal(0, 0.25)),
        cold=float(rng.uniform(0.15, 0.8)),
        warm_ms=float(rng.uniform(15_000, 150_000)),
        poll_phase=int(rng.integers(0, 30_000)),
    )


def memory_bytes(rank: int) -> float:
    """What one statement may hold before it spills to local disk."""
    return float(2e9 * 2.0**rank)
