"""What others would use, as scores in the same run: at t from values up to t (statsforecast and Prophet by blocks)."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pandas as pd

__all__ = ["Peer", "peers"]

Floats = npt.NDArray[np.float64]
Peer = Callable[[pd.Series], Floats]

_FIRST = 168
_BLOCK = 168


def _squash(distance: Floats) -> Floats:
    """Into [0, 1): the order is what counts, each peer's threshold is chosen for it."""
    distance = np.nan_to_num(np.maximum(distance, 0.0), nan=0.0, posinf=1e9)
    return np.asarray(distance / (1 + distance))


def rolling_z(values: pd.Series) -> Floats:
    past = values.shift(1).rolling(336, min_periods=48)
    return _squash(((values - past.mean()).abs() / past.std().clip(lower=1e-9)).to_numpy(dtype=float))


def seasonal_median(values: pd.Series) -> Floats:
    """Distance to the median of the same hour of the seven days before, in mean absolute residuals."""
    day = _day(values)
    usual = pd.concat([values.shift(day * back) for back in range(1, 8)], axis=1).median(axis=1)
    residual = (values - usual).abs()
    scale = residual.shift(1).rolling(500, min_periods=48).quantile(0.75)
    return _squash((residual / scale.clip(lower=1e-9 + 1e-3 * float(values.abs().iloc[:_FIRST].mean()))).to_numpy())


def isolation_forest(values: pd.Series) -> Floats:
    """On the last four values and those of a day and a week ago, fitted again every week on what came before."""
    from sklearn.ensemble import IsolationForest  # heavy

    day = _day(values)
    lags = np.stack([values.shift(lag).to_numpy() for lag in (0, 1, 2, 3, day, 7 * day)], axis=1)
    scores = np.zeros(len(values))
    usable = np.isfinite(lags).all(axis=1)
    for begin in range(_FIRST + 7 * day, len(values), _BLOCK * max(1, day // 24)):
        past, block = usable.copy(), slice(begin, begin + _BLOCK * max(1, day // 24))
        past[begin:] = False
        if past.sum() < 64:
            continue
        forest = IsolationForest(n_estimators=50, random_state=0).fit(lags[past][-2000:])
        scores[block] = np.where(usable[block], -forest.score_samples(np.nan_to_num(lags[block])), 0.0)
    return np.clip(scores, 0, 1)


def mstl_interval(values: pd.Series) -> Floats:
    """statsforecast's MSTL, forecast a week ahead at a time: distance in half widths of its 95 % interval."""
    from statsforecast.models import MSTL

    def ahead(past: Floats, count: int) -> tuple[Floats, Floats]:
        day = _day(values)
        seasons = [day, 7 * day] if past.size >= 21 * day else [day]
        found = MSTL(season_length=seasons).forecast(past, h=count, level=[95])
        return np.asarray(found["mean"]), np.asarray(found["hi-95"]) - np.asarray(found["mean"])

    return _by_blocks(values, ahead)


def prophet_interval(values: pd.Series) -> Floats:
    """Prophet, forecast a week ahead at a time: distance in half widths of its 95 % interval."""
    from prophet import Prophet

    def ahead(past: Floats, count: int) -> tuple[Floats, Floats]:
        stamps = values.index[: past.size]
        model = Prophet(interval_width=0.95).fit(pd.DataFrame({"ds": stamps, "y": past}))
        found = model.predict(pd.DataFrame({"ds": values.index[past.size : past.size + count]}))
        middle = found["yhat"].to_numpy()
        return middle, found["yhat_upper"].to_numpy() - middle

    return _by_blocks(values, ahead)


def _by_blocks(values: pd.Series, ahead: Callable[[Floats, int], tuple[Floats, Floats]]) -> Floats:
    array = values.to_numpy(dtype=float)
    scores = np.zeros(array.size)
    for begin in range(4 * _FIRST, array.size, _BLOCK):
        end = min(begin + _BLOCK, array.size)
        middle, half = ahead(array[:begin], end - begin)
        scores[begin:end] = np.abs(array[begin:end] - middle) / np.maximum(half, 1e-9)
    return _squash(scores)


def _day(values: pd.Series) -> int:
    seconds = float(np.median(np.diff(values.index.to_numpy()) / np.timedelta64(1, "s")))
    return max(1, round(86_400 / seconds))


def peers() -> dict[str, Peer]:
    """By name; statsforecast and Prophet only where they are installed."""
    found: dict[str, Peer] = {
        "rolling z-score": rolling_z,
        "seasonal-median residual": seasonal_median,
        "isolation forest on lags": isolation_forest,
    }
    if importlib.util.find_spec("statsforecast"):
        found["statsforecast MSTL interval"] = mstl_interval
    if importlib.util.find_spec("prophet"):
        found["Prophet interval"] = prophet_interval
    return found
