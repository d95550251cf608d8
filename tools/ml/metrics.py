"""Measures of forecasts. Arrays are 1-D, finite and of equal length; a measure without a base is nan, not zero.

Sources: Hyndman and Koehler (2006) for MASE; Gneiting and Raftery (2007) for the interval score; Makridakis, Spiliotis
and Assimakopoulos (2020, the M4 competition) for sMAPE, OWA and MSIS; Koenker and Bassett (1978) for the pinball loss.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["coverage", "mase", "msis", "owa", "pinball", "seasonal_scale", "smape", "wape"]

Floats = npt.NDArray[np.float64]


def wape(actual: Floats, forecast: Floats) -> float:
    """Sum of absolute errors over the sum of absolute actuals (0.15 is 15 %); nan where all actuals are 0."""
    base = float(np.abs(actual).sum())
    return float(np.abs(actual - forecast).sum()) / base if base > 0 else float("nan")


def seasonal_scale(history: Floats, season: int) -> float:
    """Mean absolute error of the seasonal naive forecast inside `history`, by one season; NaN values are left out."""
    if len(history) <= season:
        return float("nan")
    steps = np.abs(history[season:] - history[:-season])
    steps = steps[np.isfinite(steps)]
    scale = float(steps.mean()) if len(steps) else 0.0
    return scale if scale > 0 else float("nan")


def mase(actual: Floats, forecast: Floats, history: Floats, season: int) -> float:
    """Mean absolute error in units of `seasonal_scale`; nan where the history never moves."""
    return float(np.abs(actual - forecast).mean()) / seasonal_scale(history, season)


def smape(actual: Floats, forecast: Floats) -> float:
    """Symmetric absolute percentage error, 0 to 200; a pair of zeros counts as 0."""
    base = np.abs(actual) + np.abs(forecast)
    error = np.abs(actual - forecast)
    return float(np.divide(200 * error, base, out=np.zeros_like(error), where=base > 0).mean())


def owa(smape_: float, mase_: float, naive_smape: float, naive_mase: float) -> float:
    """M4's overall weighted average against Naive2; each argument is a mean over the series."""
    return 0.5 * (smape_ / naive_smape + mase_ / naive_mase)


def msis(actual: Floats, low: Floats, high: Floats, history: Floats, season: int, level: int = 95) -> float:
    """Mean interval score of the `level` % interval in units of `seasonal_scale`."""
    penalty = 2 / (1 - level / 100)
    score = (high - low) + penalty * np.maximum(low - actual, 0) + penalty * np.maximum(actual - high, 0)
    return float(score.mean()) / seasonal_scale(history, season)


def coverage(actual: Floats, low: Floats, high: Floats) -> float:
    """Share of actuals inside [low, high], in % (0 to 100)."""
    return 100 * float(((actual >= low) & (actual <= high)).mean())


def pinball(actual: Floats, forecast: Floats, quantile: float) -> float:
    """Mean pinball loss of a forecast of the given quantile (0 to 1), in the unit of the actuals."""
    miss = actual - forecast
    return float(np.maximum(quantile * miss, (quantile - 1) * miss).mean())
