"""From a question about the future to forecast series: which steps, which history, which bounds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from tools.context import FilterColumn, UsageReader
from tools.domain import Warehouse
from tools.errors import BadArgument, NoPermission
from tools.forecast.bounds import uppers
from tools.history.calendars import calendar_for
from tools.history.fetch import Histories, fetch_histories
from tools.history.measures import SeriesBy, SeriesMetric, Step, beside_of, is_stock, recipe_of
from tools.preferences import Preferences
from tools.windows.calendars import floor_hour, localize, midnight, zone
from tools.windows.future import Ahead

if TYPE_CHECKING:
    import pandas as pd

    from tools.ml.forecasting import PanelForecast, Total

__all__ = ["LEVELS", "Outlook", "look_ahead"]

LEVELS = (80, 95)
_HOURLY_AHEAD = timedelta(days=3)
"""Up to here the course of the day matters; further on whole days are steadier and cheaper."""
_HOURLY_DAYS = 63
_DAILY_DAYS = 400
_REACH = 3
"""How many times as far as the history goes back a forecast may reach."""
_LEAST_REACH = 14
_GONE_AFTER = timedelta(days=14)
_MOST_SERIES = 200


@dataclass(frozen=True)
class Outlook:
    """Forecast series, and how much of the window is behind us."""

    histories: Histories
    ahead: Ahead
    panel: PanelForecast
    refused: Mapping[str, str]
    """Name -> why it is not in the figures."""
    stock: bool = False
    """A level: of a stretch of time its last step counts, and nothing of it is added up."""

    @property
    def begins(self) -> datetime:
        """The first moment that is forecast."""
        return self.histories.end

    @property
    def ids(self) -> tuple[str, ...]:
        """Names that were forecast, in the panel's order."""
        return tuple(str(name) for name in self.panel.choices)

    def actual(self, start: datetime, end: datetime, ids: Iterable[str] | None = None) -> float:
        """The measured sum of the part of [start, end) that is behind us."""
        frame = self.histories.frame
        names = set(self.ids if ids is None else ids)
        inside = (frame["ds"] >= self._ds(start)) & (frame["ds"] < self._ds(end)) & frame["unique_id"].isin(names)
        return float(frame.loc[inside, "y"].sum())

    def total(self, start: datetime, end: datetime, ids: Iterable[str] | None = None) -> Total:
        """Measured part plus forecast over [start, end); the interval is the forecast part's, moved by the measured."""
        from tools.ml.forecasting import Total

        names = list(self.ids if ids is None else ids)
        if self.stock:
            start = max(start, end - (timedelta(hours=1) if self.histories.step == "hour" else timedelta(days=1)))
        known = self.actual(start, min(end, self.begins), names)
        if end <= self.begins or not names:
            return Total(known, dict.fromkeys(LEVELS, (known, known)))
        ahead = self.panel.total(self._ds(max(start, self.begins)), self._ds(end), names)
        moved = {level: (known + low, known + high) for level, (low, high) in ahead.intervals.items()}
        return Total(known + ahead.mean, moved)

    def probability_above(self, amount: float, start: datetime, end: datetime) -> float:
        """P(measured part plus forecast > amount), 0 to 1."""
        known = self.actual(start, min(end, self.begins))
        if end <= self.begins:
            return float(known > amount)
        return self.panel.probability_above(amount - known, self._ds(max(start, self.begins)), self._ds(end))

    def _ds(self, moment: datetime) -> pd.Timestamp:
        """A moment as the series' own stamp."""
        import pandas as pd

        if self.histories.step == "hour":
            return pd.Timestamp(floor_hour(moment).replace(tzinfo=None))
        return pd.Timestamp(localize(moment, zone(self.histories.tz)).date())

    def moment(self, stamp: pd.Timestamp) -> datetime:
        """A series' stamp as the moment at which that hour or day begins."""
        tz = zone(self.histories.tz)
        if self.histories.step == "hour":
            return localize(stamp.to_pydatetime().replace(tzinfo=UTC), tz)
        return midnight(stamp.date(), tz)


def look_ahead(
    reader: UsageReader,
    preferences: Preferences,
    metric: SeriesMetric,
    by: SeriesBy,
    filters: Mapping[FilterColumn, tuple[str, ...]],
    ahead: Ahead,
    *,
    step: Step | None = None,
    clip: bool = False,
) -> Outlook | Histories:
    """Forecast the metric's series up to the window's end; the bare histories where there is nothing to forecast from.

    `step`: hourly or daily; None: by what serves. `clip`: a window that reaches further than the history allows is
    cut there instead of refused.

    Raises:
        BadArgument: no view has it, or the window reaches further than the history allows.
        NoPermission: Frostline's role may not read the view.
    """
    from tools.ml.forecasting import study_panel

    step = step or _step(reader, metric, by, filters, ahead)
    days = _HOURLY_DAYS if step == "hour" else _DAILY_DAYS
    histories = fetch_histories(reader, metric, by, filters, step=step, days=days, limit=_MOST_SERIES)
    if histories.frame.empty:
        return histories
    if clip:
        ahead = _clipped(histories, ahead)
    horizon = _horizon(histories, ahead.window.end)
    shown = _shown(reader)
    gone = _gone(histories, by, shown)
    frame = histories.frame[~histories.frame["unique_id"].isin(gone)]
    if frame.empty:
        return histories
    panel = study_panel(
        frame,
        max(horizon, 1),
        LEVELS,
        upper=uppers(metric, by, filters, shown, histories, reader.account()),
        calendar=calendar_for(reader, preferences, ahead.window.end),
        point="mean",
        backend=preferences.forecast_backend,
        jobs=preferences.forecast_jobs,
    )
    return Outlook(histories, ahead, panel, {**gone, **panel.refused}, is_stock(metric))


def _step(
    reader: UsageReader,
    metric: SeriesMetric,
    by: SeriesBy,
    filters: Mapping[FilterColumn, tuple[str, ...]],
    ahead: Ahead,
) -> Step:
    beside = beside_of(metric)
    daily = beside.step == "day" if beside else recipe_of(metric, by, list(filters)).source == "billed"
    if daily:
        if ahead.hourly:
            raise BadArgument("Those figures exist by UTC day only.", hint="Ask for whole days, e.g. tomorrow.")
        return "day"
    return "hour" if ahead.hourly or ahead.window.end - reader.now() <= _HOURLY_AHEAD else "day"


def _horizon(histories: Histories, end: datetime) -> int:
    """Steps from the end of the history to the end of the window.

    Raises:
        BadArgument: more than the history allows.
    """
    if histories.step == "hour":
        return int((end - histories.end).total_seconds() // 3600)
    tz = zone(histories.tz)
    steps = (localize(end, tz).date() - localize(histories.end, tz).date()).days
    most = _reach(histories)
    if steps > most:
        known = int(histories.frame["ds"].nunique())
        raise BadArgument(
            f"The account's history is {known} days long; from it I forecast at most {most} days ahead, not {steps}.",
            hint="Ask for a nearer window, e.g. next month.",
        )
    return steps


def _reach(histories: Histories) -> int:
    """Days ahead."""
    return max(_LEAST_REACH, _REACH * int(histories.frame["ds"].nunique()))


def _clipped(histories: Histories, ahead: Ahead) -> Ahead:
    tz = zone(ahead.window.tz)
    last = midnight(localize(histories.end, tz).date() + timedelta(days=_reach(histories)), tz)
    if histories.step == "hour" or ahead.window.end <= last:
        return ahead
    return replace(ahead, window=ahead.window.model_copy(update={"end": last}))


def _shown(reader: UsageReader) -> dict[str, Warehouse]:
    """Warehouses as they stand; empty where SHOW may not be used: then nothing is bounded and nothing is gone."""
    try:
        return {warehouse.name: warehouse for warehouse in reader.warehouses()}
    except NoPermission:
        return {}


def _gone(histories: Histories, by: SeriesBy, shown: Mapping[str, Warehouse]) -> dict[str, str]:
    """Warehouses that are not there any more: nothing that they used says what comes."""
    if by != "warehouse" or not shown:
        return {}
    found: dict[str, str] = {}
    for name in histories.ids:
        last = histories.last_used.get(name)
        if name not in shown and (last is None or histories.end - last > _GONE_AFTER):
            when = f"its last use was on {localize(last, zone(histories.tz)).date()}" if last else "it was not used"
            found[name] = f"it is not among the warehouses shown now, and {when}"
    return found
