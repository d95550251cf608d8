"""Which model spoke for a series, and why, in words for people."""

from __future__ import annotations

import math

import pandas as pd

from tools.ml.forecasting.backtest import Blend
from tools.ml.forecasting.members import members_of
from tools.ml.forecasting.regime import Shift
from tools.ml.forecasting.result import Backtest, Choice
from tools.ml.series import DAY, History

__all__ = ["choice"]


def choice(
    history: History,
    blend: Blend,
    row: int,
    shifts: list[Shift],
    learned: bool,
    test: Backtest | None,
    seasons: tuple[int, int],
) -> Choice:
    """Model and reason."""
    values = history.values[~pd.isna(history.values)]
    if (values == values[0]).all():
        return Choice("constant", "every known value is the same")
    reasons = [_step_of(history, shift) for shift in shifts]
    if test is None:
        reasons.append("the history is too short for a backtest")
    elif math.isfinite(test.wape) and math.isfinite(test.naive_wape):
        reasons.append(
            f"least error in {test.folds} backtests: WAPE {100 * test.wape:.0f} %, "
            f"seasonal naive {100 * test.naive_wape:.0f} %"
        )
    return Choice(_model(history, blend, row, learned, seasons), "; ".join(reasons) or "least error in backtests")


def _model(history: History, blend: Blend, row: int, learned: bool, seasons: tuple[int, int]) -> str:
    unit = "d" if history.step == DAY else "h"
    share = float(blend.share[row]) if learned else 1.0
    best = members_of(seasons)[int(blend.weights[:, row].argmax())]
    simple = f"seasonal ensemble, led by {best}"
    net = f"learned seasonal model ({seasons[0]} {unit}, {seasons[1]} {unit})"
    if share >= 1:
        return simple
    return net if share <= 0 else f"{net} with {100 * share:.0f} % {simple}"


def _step_of(history: History, shift: Shift) -> str:
    day = (history.first + shift.at * history.step).date()
    if not math.isfinite(shift.ratio):
        return f"idle until {day}, only what came after is used"
    if shift.counted < 1:
        return (
            f"level shift on {day} (x{shift.ratio:.2g}), not a week old: the past before it is scaled a part of the way"
        )
    how = "scaled" if shift.added is None else "raised or lowered by the same amount a day"
    return f"level shift on {day} (x{shift.ratio:.2g}), the past before it is {how} to the level that holds now"
