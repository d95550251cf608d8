"""What a forecast of a panel says: rows, choices, backtests, refusals, and totals with intervals of their own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from tools.errors import BadArgument, UnknownName
from tools.ml.forecasting.joint import Joint

__all__ = ["Backtest", "Choice", "PanelForecast", "Total"]


@dataclass(frozen=True)
class Backtest:
    """How the same method fared on the series' own past, at origins where it knew nothing of what came after.

    `wape` and `naive_wape` are shares (0.15 is 15 %), nan where the actuals are all 0; `naive_wape` is the seasonal
    naive forecast's at the same points. `coverage` is in %, 0 to 100, by level.
    """

    wape: float
    naive_wape: float
    mase: float
    coverage: dict[int, float]
    folds: int
    points: int


@dataclass(frozen=True)
class Choice:
    """Which model spoke and why, in words for people."""

    model: str
    why: str


@dataclass(frozen=True)
class Total:
    """A sum over rows; `intervals` is level -> (low, high)."""

    mean: float
    intervals: dict[int, tuple[float, float]]


@dataclass(frozen=True)
class PanelForecast:
    """The forecast of every series that can be forecast.

    `frame`: unique_id, ds, mean, and lo-L and hi-L of each level. `refused`: unique_id -> why it cannot be forecast.
    """

    frame: pd.DataFrame
    choices: Mapping[str, Choice]
    backtests: Mapping[str, Backtest]
    refused: Mapping[str, str]
    joint: Joint = field(repr=False)
    left_out: Mapping[str, tuple[date, ...]] = field(default_factory=dict)
    """unique_id -> local days of unusual use that ended and were not learned from; only series that have some."""

    def total(
        self,
        start: pd.Timestamp | None = None,
        end: pd.Timestamp | None = None,
        ids: Iterable[str] | None = None,
    ) -> Total:
        """The sum over the rows with start <= ds < end of the given series (default: all of them).

        The mean is the sum of the rows' means. The interval allows for errors that go together over time and across
        series, as they did in the backtests; over a single row it is the row's own.

        Raises:
            BadArgument: no row lies in the window.
            UnknownName: an id that was not forecast.
        """
        rows = self._rows(start, end, ids)
        mean = float(self.frame["mean"].to_numpy(dtype=np.float64)[rows].sum())
        return Total(mean, self.joint.intervals(rows, mean))

    def probability_above(
        self,
        amount: float,
        start: pd.Timestamp | None = None,
        end: pd.Timestamp | None = None,
        ids: Iterable[str] | None = None,
    ) -> float:
        """P(total > amount), 0 to 1, over the same rows and from the same distribution as `total`."""
        rows = self._rows(start, end, ids)
        mean = float(self.frame["mean"].to_numpy(dtype=np.float64)[rows].sum())
        return self.joint.probability_above(amount, rows, mean)

    def _rows(
        self, start: pd.Timestamp | None, end: pd.Timestamp | None, ids: Iterable[str] | None
    ) -> npt.NDArray[np.int64]:
        """Positions of the rows in `frame`."""
        chosen = np.ones(len(self.frame), dtype=bool)
        if ids is not None:
            wanted = list(ids)
            for name in wanted:
                if name not in self.choices:
                    raise UnknownName("forecast series", str(name), hint=self.refused.get(name))
            chosen &= self.frame["unique_id"].isin(wanted).to_numpy()
        if start is not None:
            chosen &= (self.frame["ds"] >= start).to_numpy()
        if end is not None:
            chosen &= (self.frame["ds"] < end).to_numpy()
        if not chosen.any():
            raise BadArgument(
                "No forecast row lies in that window.", hint="Forecast further ahead, or widen the window."
            )
        return np.flatnonzero(chosen).astype(np.int64)
