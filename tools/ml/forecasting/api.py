"""The public calls: what comes in is checked and laid on the wall clock, what goes out has the caller's stamps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from tools.errors import BadArgument
from tools.ml.calendar import Calendar
from tools.ml.forecasting.engine import Request, run
from tools.ml.forecasting.joint import Joint
from tools.ml.forecasting.outcome import Outcome
from tools.ml.forecasting.result import PanelForecast
from tools.ml.series import History, histories

__all__ = ["forecast", "forecast_panel", "study_panel"]

LEVELS = (80, 95)
FEWEST = 3
"""Known values without which nothing is said."""

Point = Literal["median", "mean"]
Upper = float | Mapping[str, float] | None
Backend = Literal["loky", "threading", "multiprocessing", "dask", "ray"]


def forecast(
    history: pd.Series,
    horizon: int,
    levels: Sequence[int] = LEVELS,
    *,
    upper: float | None = None,
    calendar: Calendar | None = None,
    point: Point = "median",
) -> pd.DataFrame:
    """The next `horizon` steps of one hourly or daily series.

    Args:
        history: numbers by a unique, sorted DatetimeIndex; naive stamps are UTC; gaps and NaN are missing values.
        horizon: steps ahead, at least 1.
        levels: percent of the intervals, each between 1 and 99.
        upper: the most a value can be, in the unit of the series.
        calendar: local time, holidays and month ends; None means the stamps' own clock and neither.
        point: what `mean` holds: the median (least absolute error), or the mean (unbiased sums: use it for money).

    Returns:
        mean, lo-L and hi-L of each level, indexed by the future stamps.

    Raises:
        BadArgument: infinity, unsorted or repeated stamps, fewer than 3 known values, and the like.
    """
    if not isinstance(history, pd.Series) or not isinstance(history.index, pd.DatetimeIndex):
        raise BadArgument("A history is a pandas Series with a DatetimeIndex.")
    if not history.index.is_monotonic_increasing:
        raise BadArgument("The history's stamps are not in order.")
    frame = pd.DataFrame({"unique_id": "series", "ds": history.index, "y": history.to_numpy()})
    study = study_panel(frame, horizon, levels, upper=upper, calendar=calendar, point=point)
    if study.refused:
        raise BadArgument(next(iter(study.refused.values())))
    return study.frame.drop(columns="unique_id").set_index("ds")


def forecast_panel(
    frame: pd.DataFrame,
    horizon: int,
    levels: Sequence[int] = LEVELS,
    *,
    upper: Upper = None,
    calendar: Calendar | None = None,
    point: Point = "median",
    backend: Backend = "loky",
    jobs: int = 1,
    state: dict[str, object] | None = None,
) -> pd.DataFrame:
    """Every series of a panel, `horizon` steps past its own end; models may learn across the series.

    Args:
        frame: unique_id, ds, y in any order; see `forecast` for stamps and gaps.
        upper: one bound for all, or one by unique_id.
        backend, jobs: joblib's; the result is the same on each.
        state: a dictionary that the call fills; given again with a longer frame, what still holds is not refitted.

    Returns:
        unique_id, ds, mean, lo-L and hi-L, sorted by unique_id and ds. A series that cannot be forecast has no rows
        (`study_panel` says why).

    Raises:
        BadArgument: as `forecast`; also when not one series can be forecast.
    """
    same = {"upper": upper, "calendar": calendar, "point": point, "backend": backend, "jobs": jobs, "state": state}
    study = study_panel(frame, horizon, levels, **same)  # type: ignore[arg-type]
    if not len(study.frame):
        name, why = next(iter(study.refused.items()))
        raise BadArgument(f"No series can be forecast. {name[:80]}: {why}")
    return study.frame.astype({"unique_id": frame["unique_id"].dtype})


def study_panel(
    frame: pd.DataFrame,
    horizon: int,
    levels: Sequence[int] = LEVELS,
    *,
    upper: Upper = None,
    calendar: Calendar | None = None,
    point: Point = "median",
    backend: Backend = "loky",
    jobs: int = 1,
    state: dict[str, object] | None = None,
) -> PanelForecast:
    """`forecast_panel` with everything that is known about it: choices, backtests, refusals, totals."""
    levels = _levels(levels)
    if point not in ("median", "mean"):
        raise BadArgument(f"{point!r} is no point of a distribution.", hint="Use median or mean.")
    read = histories(frame, horizon, calendar)
    refused = {h.id: why for h in read if (why := _refusal(h)) is not None}
    able = [h for h in read if h.id not in refused]
    bounds = np.array([_bound(upper, h.id) for h in able])
    if not able:
        return PanelForecast(_empty(levels), {}, {}, refused, Joint.none())
    outcome = run(able, bounds, Request(levels, calendar, point, backend, jobs, state))
    return _told(able, outcome, refused, levels)


def _levels(levels: Sequence[int]) -> tuple[int, ...]:
    if not levels or any(not isinstance(level, int | np.integer) or not 0 < level < 100 for level in levels):
        raise BadArgument(f"Levels {tuple(levels)!r} are not whole percents between 1 and 99.")
    return tuple(sorted({int(level) for level in levels}))


def _empty(levels: tuple[int, ...]) -> pd.DataFrame:
    columns = ["mean", *[f"{side}-{level}" for level in levels for side in ("lo", "hi")]]
    frame = pd.DataFrame({"unique_id": pd.Series([], dtype=object), "ds": pd.DatetimeIndex([])})
    return frame.assign(**{column: pd.Series([], dtype=np.float64) for column in columns})


def _bound(upper: Upper, name: str) -> float:
    found = upper.get(name) if isinstance(upper, Mapping) else upper
    if found is None:
        return float("inf")
    if not np.isfinite(found):
        raise BadArgument(f"The upper bound of {name[:80]} is not a finite number.")
    return float(found)


def _refusal(history: History) -> str | None:
    if history.known == 0:
        return "no value is known"
    if history.known < FEWEST:
        return f"only {history.known} known values; {FEWEST} are the least"
    return None


def _told(able: list[History], outcome: Outcome, refused: dict[str, str], levels: tuple[int, ...]) -> PanelForecast:
    """Rows at the caller's stamps, read from the wall-clock grid."""
    which = np.repeat(np.arange(len(able)), [len(h.ahead) for h in able]).astype(np.int64)
    slot = np.concatenate([h.ahead - 1 for h in able]) if able else np.zeros(0, dtype=np.int64)
    columns: dict[str, object] = {
        "unique_id": np.array([h.id for h in able], dtype=object)[which],
        "ds": _joined([h.future for h in able]),
        "mean": outcome.point[which, slot],
    }
    bands = {}
    for level in levels:
        low, high = outcome.bands[level]
        bands[level] = (low[which, slot], high[which, slot])
        columns[f"lo-{level}"], columns[f"hi-{level}"] = bands[level]
    joint = Joint(
        series=which,
        slot=_common(able, which, slot),
        spread=outcome.spread[which, slot],
        bands=bands,
        over_time=outcome.over_time,
        across=outcome.across,
        floor=outcome.floor[which],
        ceiling=outcome.ceiling[which],
        stretch=outcome.stretch,
    )
    named = [h.id for h in able]
    left_out = {
        h.id: tuple((h.first + int(at) * h.step).date() for at in slots)
        for h, slots in zip(able, outcome.left_out, strict=True)
        if len(slots)
    }
    return PanelForecast(
        frame=pd.DataFrame(columns),
        choices=dict(zip(named, outcome.choices, strict=True)),
        backtests={name: test for name, test in zip(named, outcome.backtests, strict=True) if test is not None},
        refused=refused,
        joint=joint,
        left_out=left_out,
    )


def _joined(futures: list[pd.DatetimeIndex]) -> pd.DatetimeIndex:
    if not futures:
        return pd.DatetimeIndex([])
    return pd.DatetimeIndex(futures[0].append(list(futures[1:])))


def _common(able: list[History], which: npt.NDArray[np.int64], slot: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Slots counted from the earliest end, so that equal times of different series meet."""
    if not able:
        return slot
    ends = [h.first + (len(h.values) - 1) * h.step for h in able]
    zero = min(ends)
    offset = np.array([int((end - zero) // able[0].step) for end in ends], dtype=np.int64)
    return offset[which] + slot
