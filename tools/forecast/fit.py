"""How a forecast fared on its own past, over all series of an answer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tools.forecast.study import Outlook

if TYPE_CHECKING:
    from tools.ml.forecasting import Backtest

__all__ = ["Fit", "accuracy_words", "fit_of"]

_PROMISED = 85.0
"""Percent: the accuracy that people ask about; it is confirmed or denied, never implied."""
_WEIGHT_DAYS = 28


@dataclass(frozen=True)
class Fit:
    """Backtests pooled: errors over actuals, each series by what it used of late. Shares, and coverage in percent."""

    wape: float
    naive: float
    coverage: dict[int, float]
    folds: int


def fit_of(outlook: Outlook) -> Fit | None:
    """None where no series has a backtest."""
    tests = outlook.panel.backtests
    weighted = [(tests[name], _weight(outlook, name)) for name in outlook.ids if name in tests]
    usable = [(test, weight) for test, weight in weighted if not math.isnan(test.wape) and weight > 0]
    if not usable:
        return None
    return Fit(
        wape=_pooled(usable, [test.wape for test, _ in usable]),
        naive=_pooled(usable, [test.naive_wape for test, _ in usable]),
        coverage={level: _pooled(usable, [t.coverage[level] for t, _ in usable]) for level in usable[0][0].coverage},
        folds=max(test.folds for test, _ in usable),
    )


def accuracy_words(accuracy: float) -> str:
    """What may be said about '85 % accurate'. `accuracy`: 100 % less WAPE, in percent."""
    if accuracy >= _PROMISED:
        return f"{_PROMISED:.0f} % accurate holds here, said as 1 - WAPE: {accuracy:.1f} % in the backtest."
    return f"This is not {_PROMISED:.0f} % accurate: 1 - WAPE was {accuracy:.1f} % in the backtest."


def _weight(outlook: Outlook, name: str) -> float:
    steps = _WEIGHT_DAYS * (24 if outlook.histories.step == "hour" else 1)
    return float(outlook.histories.series(name).tail(steps).abs().sum())


def _pooled(usable: Sequence[tuple[Backtest, float]], values: Sequence[float]) -> float:
    pairs = [(value, weight) for value, (_, weight) in zip(values, usable, strict=True) if not math.isnan(value)]
    whole = math.fsum(weight for _, weight in pairs)
    return math.fsum(value * weight for value, weight in pairs) / whole if whole else math.nan
