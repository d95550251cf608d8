"""How a forecast fared on its own past, over all series of an answer, and what it did not learn from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tools.forecast.study import Outlook
from tools.history.fetch import NONE
from tools.quoting import code

if TYPE_CHECKING:
    from tools.ml.forecasting import Backtest

__all__ = ["Fit", "accuracy_words", "fit_of", "left_out_words"]

_PROMISED = 85.0
"""Percent: the accuracy that people ask about; it is confirmed or denied, never implied."""
_WEIGHT_DAYS = 28
_MOST_DATES, _MOST_NAMES = 5, 4


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
    if round(accuracy, 1) >= _PROMISED:
        return f"This is not quite {_PROMISED:.0f} % accurate: 1 - WAPE was a little less in the backtest."
    return f"This is not {_PROMISED:.0f} % accurate: 1 - WAPE was {accuracy:.1f} % in the backtest."


def left_out_words(outlook: Outlook) -> str | None:
    """Days of unusual use that were not learned from, with their dates or names; None where there are none."""
    found = {name: days for name, days in outlook.panel.left_out.items() if days}
    dates = [day.isoformat() for days in found.values() for day in days]
    if not dates:
        return None
    begin = f"{len(dates)} day{'s' * (len(dates) > 1)} with unusual use {'were' if len(dates) > 1 else 'was'} left out"
    if len(outlook.ids) == 1:
        latest = "the latest " if len(dates) > _MOST_DATES else ""
        return f"{begin} of what was learned: {latest}{', '.join(dates[-_MOST_DATES:])}."
    most = sorted(found, key=lambda name: (-len(found[name]), name))
    names = ", ".join(f"{code(name or NONE)} {len(found[name])}" for name in most[:_MOST_NAMES])
    more = f" and more of {len(most) - _MOST_NAMES} other names" if len(most) > _MOST_NAMES else ""
    return f"{begin} of what was learned, counted by name: {names}{more}."


def _weight(outlook: Outlook, name: str) -> float:
    steps = _WEIGHT_DAYS * (24 if outlook.histories.step == "hour" else 1)
    return float(outlook.histories.series(name).tail(steps).abs().sum())


def _pooled(usable: Sequence[tuple[Backtest, float]], values: Sequence[float]) -> float:
    pairs = [(value, weight) for value, (_, weight) in zip(values, usable, strict=True) if not math.isnan(value)]
    whole = math.fsum(weight for _, weight in pairs)
    return math.fsum(value * weight for value, weight in pairs) / whole if whole else math.nan
