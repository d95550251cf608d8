"""From regular histories to forecasts on the same grid."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from tools.ml.calendar import Calendar
from tools.ml.forecasting.outcome import Outcome
from tools.ml.forecasting.result import Backtest, Choice
from tools.ml.metrics import coverage, mase, wape
from tools.ml.series import HOUR, History

__all__ = ["Outcome", "run"]

Floats = npt.NDArray[np.float64]


def run(
    able: list[History],
    bounds: Floats,
    levels: tuple[int, ...],
    calendar: Calendar | None,
    *,
    point: str,
    backend: str,
    jobs: int,
    state: dict[str, object] | None,
) -> Outcome:
    """A seasonal ensemble with intervals from its own errors."""
    slots = max((int(h.ahead.max()) for h in able), default=1)
    count = len(able)
    points, spread = np.zeros((count, slots)), np.zeros((count, slots))
    tests: list[Backtest | None] = []
    choices: list[Choice] = []
    floors = np.array([0.0 if np.nanmin(h.values) >= 0 else -np.inf for h in able])
    for row, history in enumerate(able):
        season = 24 if history.step == HOUR else 7
        points[row] = _ensemble(history.values, slots, season)
        test, error = _backtest(history.values, slots, season, levels)
        tests.append(test)
        spread[row] = error
        choices.append(Choice(f"seasonal ensemble ({season}, {7 * season})", "the only model so far"))
    points = np.clip(points, floors[:, None], bounds[:, None])
    bands = {}
    for level in levels:
        half = NormalDist().inv_cdf(0.5 + level / 200) * spread
        bands[level] = (
            np.clip(points - half, floors[:, None], bounds[:, None]),
            np.clip(points + half, floors[:, None], bounds[:, None]),
        )
    return Outcome(points, bands, spread, choices, tests, np.array([1.0, 0.3]), 0.1, floors, bounds, 1.0)


def _ensemble(values: Floats, slots: int, season: int) -> Floats:
    """Mean of what the last seasons of two lengths say."""
    filled = values[np.isfinite(values)] if not np.isfinite(values).all() else values
    said = [_repeat(filled, slots, m) for m in (season, 7 * season) if len(filled) >= 2 * m]
    return np.mean(said, axis=0) if said else np.full(slots, float(np.median(filled[-season:])))


def _repeat(values: Floats, slots: int, season: int) -> Floats:
    last = values[len(values) - (min(3, len(values) // season)) * season :].reshape(-1, season)
    return np.tile(np.median(last, axis=0), slots // season + 1)[:slots]


def _backtest(
    values: Floats, slots: int, season: int, levels: tuple[int, ...]
) -> tuple[Backtest | None, npt.NDArray[np.float64] | float]:
    width = min(slots, max(len(values) // 5, 1))
    past, actual = values[:-width], values[-width:]
    seen = np.isfinite(actual)
    if np.isfinite(past).sum() < 3 or not seen.any():
        return None, float(np.nanstd(values))
    said = _ensemble(past, width, season)
    error = float(np.sqrt(np.mean((actual - said)[seen] ** 2)))
    naive = _repeat(past[np.isfinite(past)], width, season) if len(past) >= season else np.full(width, past[-1])
    inside = {}
    for level in levels:
        half = NormalDist().inv_cdf(0.5 + level / 200) * error
        inside[level] = coverage(actual[seen], said[seen] - half, said[seen] + half)
    test = Backtest(
        wape(actual[seen], said[seen]),
        wape(actual[seen], naive[seen]),
        mase(actual[seen], said[seen], past[np.isfinite(past)], season),
        inside,
        1,
        int(seen.sum()),
    )
    return test, error
