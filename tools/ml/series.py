"""Series as the models want them: regular steps of the wall clock, NaN where nothing is known.

A frame comes in UTC (naive) or with a time zone, with gaps, in any order. Habits follow local time, so hourly stamps
are laid on the wall clock of the calendar's zone: the hour that spring skips is a gap, the hour that autumn repeats is
the mean of the two, and a day always has 24 slots. A forecast is made on that grid and read back at the stamps that
were asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from tools.errors import BadArgument
from tools.ml.calendar import Calendar

__all__ = ["DAY", "HOUR", "History", "histories", "history_of"]

HOUR = pd.Timedelta(hours=1)
DAY = pd.Timedelta(days=1)

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class History:
    """One series on a regular grid of the wall clock.

    `values`: from the first stamp to the last, NaN where missing. `future`: the stamps to forecast, as the caller wants
    to see them. `ahead`: for each of them its slot after the end of `values` (1 is the next one); it repeats or skips
    a slot where a daylight-saving day does.
    """

    id: str
    values: Floats
    first: pd.Timestamp
    step: pd.Timedelta
    future: pd.DatetimeIndex
    ahead: Ints

    @property
    def known(self) -> int:
        return int(np.isfinite(self.values).sum())

    def local(self, slots: int) -> pd.DatetimeIndex:
        """Local stamps of the grid, `slots` of them from the first."""
        return pd.date_range(self.first, periods=slots, freq=self.step)


def histories(frame: pd.DataFrame, horizon: int, calendar: Calendar | None) -> list[History]:
    """The series of a frame of unique_id, ds, y, in order of unique_id.

    Raises:
        BadArgument: a missing column, infinity, a stamp that stands twice, steps that are neither hourly nor daily.
    """
    for column in ("unique_id", "ds", "y"):
        if column not in frame.columns:
            raise BadArgument(f"Column {column} is missing.", hint="A panel has unique_id, ds and y.")
    if horizon < 1:
        raise BadArgument(f"A horizon of {horizon} steps is none.", hint="Use 1 or more.")
    if not len(frame):
        raise BadArgument("The frame has no rows.")
    stamps = _stamps(frame["ds"])
    values = _values(frame["y"])
    names = frame["unique_id"].astype(str).to_numpy(dtype=object)
    parts = list(_parts(names, stamps, values))
    step = _step(parts)
    return [_lay(name, at, numbers, horizon, step, calendar) for name, at, numbers in parts]


def history_of(series: pd.Series, horizon: int, calendar: Calendar | None) -> History:
    """The same for one series with a DatetimeIndex."""
    if not isinstance(series.index, pd.DatetimeIndex):
        raise BadArgument("The history has no DatetimeIndex.")
    frame = pd.DataFrame({"unique_id": "series", "ds": series.index, "y": series.to_numpy()})
    return histories(frame, horizon, calendar)[0]


def _stamps(column: pd.Series) -> pd.DatetimeIndex:
    if column.dtype.kind != "M" and not isinstance(column.dtype, pd.DatetimeTZDtype):
        raise BadArgument("Column ds does not hold times.", hint="Use timestamps; naive ones are UTC.")
    if column.isna().any():
        raise BadArgument("Column ds: a stamp is missing.")
    return pd.DatetimeIndex(column)


def _values(column: pd.Series) -> Floats:
    try:
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError):
        raise BadArgument("Column y does not hold numbers.") from None
    if np.isinf(values).any():
        raise BadArgument("Column y: infinity is not a measurement.", hint="Leave out what is not known, or use NaN.")
    return values


def _parts(
    names: npt.NDArray[np.object_], stamps: pd.DatetimeIndex, values: Floats
) -> Iterator[tuple[str, pd.DatetimeIndex, Floats]]:
    codes, labels = pd.factorize(names, sort=True)
    order = np.lexsort((stamps.asi8, codes))
    edges = np.flatnonzero(np.diff(codes[order])) + 1
    for label, rows in zip(labels, np.split(order, edges), strict=True):
        at = stamps[rows]
        if not at.is_unique:
            raise BadArgument(f"Series {str(label)[:80]}: the stamp {at[at.duplicated()][0]} stands twice.")
        yield str(label), at, values[rows]


def _step(parts: list[tuple[str, pd.DatetimeIndex, Floats]]) -> pd.Timedelta:
    """The step of the panel: a day where all stamps are whole days apart on their own wall clock, else an hour."""
    daily = True
    for name, at, _ in parts:
        wall = at.tz_localize(None)
        gaps = (wall - wall[0]).as_unit("ns").asi8
        if (gaps % DAY.value).any():
            daily = False
            true = (at - at[0]).as_unit("ns").asi8
            if (true % HOUR.value).any():
                raise BadArgument(f"Series {name[:80]}: steps are neither hours nor days.", hint="Resample it first.")
    return DAY if daily else HOUR


def _lay(
    name: str, at: pd.DatetimeIndex, values: Floats, horizon: int, step: pd.Timedelta, calendar: Calendar | None
) -> History:
    if step == DAY:
        wall = at.tz_localize(None)
        later = pd.date_range(wall[-1] + DAY, periods=horizon, freq="D")
        future = later
        if at.tz is not None:
            future = later.tz_localize(at.tz, nonexistent="shift_forward", ambiguous=np.ones(horizon, dtype=bool))
    else:
        future = pd.date_range(at[-1] + HOUR, periods=horizon, freq="h")
        wall = at if calendar is None else calendar.local(at)
        later = future if calendar is None else calendar.local(future)
        wall, later = wall.tz_localize(None), later.tz_localize(None)
    slots, ahead = _slots(wall, wall[0], step), _slots(later, wall[0], step)
    last = int(slots.max())
    return History(name, _gridded(slots, values, last + 1), wall[0], step, future, np.maximum(ahead - last, 1))


def _slots(wall: pd.DatetimeIndex, first: pd.Timestamp, step: pd.Timedelta) -> Ints:
    return np.asarray((wall - first) // step, dtype=np.int64)


def _gridded(slots: Ints, values: Floats, length: int) -> Floats:
    """Values by slot; two in one slot (autumn's repeated hour) are averaged."""
    known = np.isfinite(values)
    count = np.bincount(slots[known], minlength=length)[:length]
    total = np.bincount(slots[known], weights=values[known], minlength=length)[:length]
    out = np.full(length, np.nan)
    np.divide(total, count, out=out, where=count > 0)
    return out
