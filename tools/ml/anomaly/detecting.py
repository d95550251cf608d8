"""`detect` and `detect_panel`: findings about regular series, each said once, from a `Watch` fed slot by slot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from tools.errors import BadArgument
from tools.ml.anomaly.checks import finite
from tools.ml.anomaly.types import DEFAULT, Anomaly, KnownJob
from tools.ml.anomaly.watch import FALSE_ALARMS, Watch

if TYPE_CHECKING:
    from tools.ml.calendar import Calendar

__all__ = ["FalseAlarms", "count_false_alarms", "detect", "detect_panel"]

_COLUMNS = ("unique_id", "ds", "y")


def detect(
    values: pd.Series,
    *,
    calendar: Calendar | None = None,
    threshold: float = DEFAULT,
    known_jobs: Sequence[KnownJob] = (),
    unit_price: float | None = None,
    false_alarms: float = FALSE_ALARMS,
) -> list[Anomaly]:
    """What is out of the ordinary in one series, each finding once, oldest first.

    A finding depends on the values up to its `detected_at` alone for being raised; its end, and with it its kind and
    means, grow while it goes on. The first findings come after about two and a half weeks of history.

    Args:
        values: sorted, unique stamps, evenly spaced (five minutes to a day); naive stamps are UTC. A stamp that is
            missing is a gap and no zero.
        calendar: the account's days; month ends and holidays are then no anomalies, and hours are local.
        threshold: in (0, 1); findings below this confidence are not raised.
        known_jobs: windows of announced work; nothing is raised in them.
        unit_price: what one unit of the series costs; severity is in units without it.
        false_alarms: findings a week that chance may raise at a threshold of 0.5.

    Raises:
        BadArgument: a value is missing or infinite; stamps that are no stamps, not sorted, or not evenly spaced; a
            threshold or budget that cannot be used.
    """
    array = finite(values)
    if not isinstance(values.index, pd.DatetimeIndex):
        raise BadArgument("A series to be watched needs stamps for its index.")
    zone = values.index.tz
    stamps = _naive(values.index)
    if array.size < 2:
        return []
    if not (stamps.is_monotonic_increasing and stamps.is_unique):
        raise BadArgument("The stamps must be sorted and each there once.", hint="Sum the values by hour first.")
    watch = Watch(
        ["values"],
        step=_step(stamps),
        calendar=calendar,
        threshold=threshold,
        known_jobs=known_jobs,
        unit_price=unit_price,
        false_alarms=false_alarms,
    )
    watch.take_all(stamps, array[:, None])
    found = watch.findings()["values"]
    return found if zone is None else [_zoned(one, str(zone)) for one in found]


def detect_panel(
    frame: pd.DataFrame,
    *,
    calendar: Calendar | None = None,
    threshold: float = DEFAULT,
    known_jobs: Sequence[KnownJob] = (),
    unit_price: float | None = None,
    false_alarms: float = FALSE_ALARMS,
    grain: float | Mapping[str, float] = 0.0,
) -> dict[str, list[Anomaly]]:
    """`detect` for many series at once, at a small part of the cost.

    Args:
        frame: unique_id, ds (naive stamps are UTC), y; all series have the same step. Series may begin and end at
            different times: what is not there is a gap.
        grain: how far one slot may differ from another for no reason at all, in the series' unit; of all series, or by
            name.

    Returns:
        One entry a series, also where nothing was found.

    Raises:
        BadArgument: as `detect`; a column is missing; one series has a stamp twice.
    """
    missing = [name for name in _COLUMNS if name not in frame.columns]
    if missing:
        raise BadArgument(f"The panel has no column {', '.join(missing)}.", hint=f"It needs {', '.join(_COLUMNS)}.")
    if frame.empty:
        return {}
    finite(frame["y"])
    flat = pd.DataFrame(
        {
            "unique_id": frame["unique_id"].astype(str).to_numpy(),
            "ds": _naive(pd.DatetimeIndex(frame["ds"])),
            "y": frame["y"].to_numpy(dtype=float),
        }
    )
    if flat.duplicated(["unique_id", "ds"]).any():
        raise BadArgument("A series has two values at one stamp.", hint="Sum the values by hour first.")
    wide = flat.pivot(index="ds", columns="unique_id", values="y")
    stamps = pd.DatetimeIndex(wide.index)
    if len(stamps) < 2:
        return {str(name): [] for name in wide.columns}
    watch = Watch(
        [str(name) for name in wide.columns],
        step=_step(stamps),
        calendar=calendar,
        threshold=threshold,
        known_jobs=known_jobs,
        unit_price=unit_price,
        false_alarms=false_alarms,
        grain=grain,
    )
    watch.take_all(stamps, wide.to_numpy(dtype=float))
    return watch.findings()


@dataclass(frozen=True)
class FalseAlarms:
    """What a labelled panel says about the budget."""

    findings: int
    false: int
    series_weeks: float

    @property
    def per_series_week(self) -> float:
        return self.false / self.series_weeks if self.series_weeks else 0.0


def count_false_alarms(
    found: dict[str, list[Anomaly]],
    labels: Sequence[tuple[str, pd.Timestamp, pd.Timestamp]],
    series_weeks: float,
    *,
    grace: pd.Timedelta | None = None,
) -> FalseAlarms:
    """How many findings were raised outside every label.

    Args:
        labels: unique_id, start and end of what had better be found.
        series_weeks: weeks of all series together.
        grace: how long after a label's end a finding raised still belongs to it; a day when left out.
    """
    grace = pd.Timedelta(days=1) if grace is None else grace
    false = 0
    for name, anomalies in found.items():
        windows = [(start, end + grace) for label, start, end in labels if label == name]
        false += sum(not any(start < one.detected_at <= end for start, end in windows) for one in anomalies)
    return FalseAlarms(sum(map(len, found.values())), false, series_weeks)


def _naive(stamps: pd.DatetimeIndex) -> pd.DatetimeIndex:
    return stamps if stamps.tz is None else stamps.tz_convert("UTC").tz_localize(None)


def _step(stamps: pd.DatetimeIndex) -> pd.Timedelta:
    """The smallest distance: larger ones are gaps."""
    return pd.Timedelta(np.diff(stamps.to_numpy()).min())


def _zoned(anomaly: Anomaly, zone: str) -> Anomaly:
    def there(stamp: pd.Timestamp) -> pd.Timestamp:
        return stamp.tz_localize("UTC").tz_convert(zone)

    return replace(anomaly, start=there(anomaly.start), end=there(anomaly.end), detected_at=there(anomaly.detected_at))
