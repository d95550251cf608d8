"""What the engine hands back, on the wall-clock grid: one row a series, one column a slot ahead."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tools.ml.forecasting.result import Backtest, Choice

__all__ = ["Outcome"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Outcome:
    """Arrays of shape (series, slots) unless said otherwise; `floor` and `ceiling` have one element a series."""

    point: Floats
    bands: dict[int, tuple[Floats, Floats]]
    spread: Floats
    choices: list[Choice]
    left_out: list[Ints]
    """By series: slots of its history that were not learned from."""
    backtests: list[Backtest | None]
    over_time: Floats
    """By distance in slots."""
    across: float
    floor: Floats
    ceiling: Floats
    stretch: float
