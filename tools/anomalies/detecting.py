"""From watched series to candidates: what a detector raised, with the names and prices that belong to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from tools.anomalies.series import Watch, Watched
from tools.history.measures import Step
from tools.ml.anomaly import DEFAULT, FALSE_ALARMS, Anomaly, Kind, detect_creep, detect_panel, detect_records
from tools.preferences import PlannedWork, Preferences
from tools.result import Unit
from tools.windows.calendars import midnight, zone

if TYPE_CHECKING:
    import pandas as pd

    from tools.ml.calendar import Calendar

__all__ = ["Candidate", "judge"]


_STEADY_OVER = timedelta(days=14)
_STEADY = 0.95
"""Share of hours with something in them, of what never rests."""
_DEAD, _DEAD_SLOTS = 0.1, 2
_ALONE = ("creep", "record")
"""Ways to judge that look at one series by itself."""


@dataclass(frozen=True)
class Candidate:
    """One oddity of one series; after grouping, with what else has the same cause in `related`."""

    watch: Watch
    kind: Kind
    entity: str
    """The name the series belongs to; 'total' for the account."""
    anomaly: Anomaly
    series: pd.Series
    """The whole series that was judged, by naive UTC hours (or local days)."""
    start: datetime
    end: datetime
    """Aware; exclusive."""
    detected_at: datetime
    view: str
    credits: float | None
    """Credits beyond (or below) the expected over the whole time; None where the metric has no price."""
    usd: float | None
    related: tuple[Candidate, ...] = field(default=())

    @property
    def metric(self) -> str:
        return self.watch.metric

    @property
    def unit(self) -> Unit:
        return self.watch.unit

    @property
    def warehouse(self) -> str | None:
        return self.entity if self.watch.by == "warehouse" else None

    @property
    def object(self) -> str | None:
        """The name where it is no warehouse; None for the whole account."""
        return None if self.watch.by in ("warehouse", "total") else self.entity

    @property
    def is_open(self) -> bool:
        return self.anomaly.open

    @property
    def is_more(self) -> bool:
        return self.anomaly.actual >= self.anomaly.expected

    def also(self, related: Sequence[Candidate]) -> Candidate:
        return replace(self, related=tuple(related))


def judge(watched: Sequence[Watched], price: float, calendar: Calendar, preferences: Preferences) -> list[Candidate]:
    """Everything odd in these series, in the order of the watches, by name. `price`: USD a credit.

    Series of one step are judged together: a panel costs about as much as one of its series.
    """
    found: dict[tuple[int, str], list[Anomaly]] = {}
    dates = replace(calendar, timezone="UTC")  # stamps of days are dates already, whatever the zone
    for number, one in enumerate(watched):
        if one.watch.judged in _ALONE:
            found |= {(number, name): _by_itself(one, name, preferences) for name in one.histories.ids}
    for step in ("hour", "day"):
        for keys, known in _by_plan(watched, step, preferences.planned):
            found |= _panel(watched, keys, known, dates if step == "day" else calendar, preferences)
    ordered = sorted(found, key=lambda key: (key[0], key[1]))
    return [
        _candidate(watched[number], name, one, price)
        for number, name in ordered
        for one in _told_as(watched[number], name, found[number, name])
        if _matters(watched[number].watch, one, watched[number].histories.series(name))
    ]


_Key = tuple[int, str]
"""Which of the watched, and which of its series."""


def _by_plan(
    watched: Sequence[Watched], step: Step, planned: Sequence[PlannedWork]
) -> list[tuple[list[_Key], list[tuple[pd.Timestamp, pd.Timestamp]]]]:
    """Series that share a threshold and the planned work that concerns them."""
    groups: dict[tuple[float | None, tuple[PlannedWork, ...]], list[_Key]] = {}
    for number, one in enumerate(watched):
        together = one.histories.step == step and one.watch.judged not in _ALONE
        for name in one.histories.ids if together else ():
            by_name = one.watch.by == "warehouse"
            mine = tuple(p for p in planned if p.warehouse is None or (by_name and p.warehouse == name))
            groups.setdefault((one.watch.threshold, mine), []).append((number, name))
    return [(members, [(_naive(p.start), _naive(p.end)) for p in mine]) for (_, mine), members in groups.items()]


def _panel(
    watched: Sequence[Watched],
    keys: Sequence[_Key],
    known: Sequence[tuple[pd.Timestamp, pd.Timestamp]],
    calendar: Calendar,
    preferences: Preferences,
) -> dict[_Key, list[Anomaly]]:
    import pandas as pd

    parts = []
    for number in dict.fromkeys(number for number, _ in keys):
        names = {name for which, name in keys if which == number}
        frame = watched[number].histories.frame
        frame = frame[frame["unique_id"].isin(names)]
        frame = _growth(frame) if watched[number].watch.judged == "growth" else frame
        parts.append(frame.assign(unique_id=f"{number}:" + frame["unique_id"]))
    panel = detect_panel(
        pd.concat(parts, ignore_index=True),
        calendar=calendar,
        threshold=preferences.threshold or watched[keys[0][0]].watch.threshold or DEFAULT,
        known_jobs=known,
        grain={f"{number}:{name}": watched[number].watch.grain for number, name in keys},
        false_alarms=FALSE_ALARMS if preferences.false_alarms is None else preferences.false_alarms,
    )
    return {_key(unique): anomalies for unique, anomalies in panel.items()}


def _by_itself(watched: Watched, name: str, preferences: Preferences) -> list[Anomaly]:
    """A series that is not judged by its usual hours. Planned work says nothing."""
    watch, series = watched.watch, watched.histories.series(name)
    threshold = preferences.threshold or watch.threshold or DEFAULT
    # A day without a figure of its own repeats the one before.
    said = series.where(series.diff() != 0) if watch.judged == "creep" else series.copy()
    for plan in preferences.planned:
        if plan.warehouse is None or plan.warehouse == name:
            start = _naive(plan.start).floor("D" if watch.step == "day" else "h")
            said[(said.index >= start) & (said.index < _naive(plan.end))] = float("nan")
    if watch.judged == "creep":
        return detect_creep(said, threshold=threshold)
    return detect_records(said, least=watch.least, threshold=threshold)


def _growth(frame: pd.DataFrame) -> pd.DataFrame:
    grown = frame.assign(y=frame.groupby("unique_id")["y"].diff())
    return grown[grown["y"].notna()]


def _told_as(watched: Watched, name: str, found: Sequence[Anomaly]) -> list[Anomaly]:
    """Growth that is odd, as the level that it has led to; other findings as they are."""
    if watched.watch.judged != "growth":
        return list(found)
    return [_as_level(one, watched.histories.series(name)) for one in found]


def _as_level(anomaly: Anomaly, level: pd.Series) -> Anomaly:
    within = level[(level.index >= anomaly.start) & (level.index < anomaly.end)]
    stands, slots = float(within.iloc[-1]), len(within)
    beyond = (anomaly.actual - anomaly.expected) * slots
    half = (anomaly.band[1] - anomaly.expected) * slots
    expected = stands - beyond
    return replace(anomaly, actual=stands, expected=expected, band=(expected - half, expected + half))


def _key(unique: str) -> _Key:
    number, _, name = unique.partition(":")
    return int(number), name


def _naive(moment: datetime) -> pd.Timestamp:
    import pandas as pd

    return pd.Timestamp(moment.astimezone(UTC).replace(tzinfo=None))


def _matters(watch: Watch, anomaly: Anomaly, series: pd.Series) -> bool:
    within = series[(series.index >= anomaly.start) & (series.index < anomaly.end)]
    if anomaly.severity < watch.least or len(within) < watch.lasting:
        return False
    if watch.way == "both" or anomaly.actual >= anomaly.expected:
        return True
    return watch.way == "silence" and fell_silent(series, anomaly)


def fell_silent(series: pd.Series, anomaly: Anomaly) -> bool:
    """Whether something that never rests stopped: less work than usual is no trouble, a feed that is dead is one.

    What rests now and then (nights, days off, a job that moved) cannot be told from what has stopped.
    """
    before = series[(series.index < anomaly.start) & (series.index >= anomaly.start - _STEADY_OVER)]
    during = series[(series.index >= anomaly.start) & (series.index < anomaly.end)]
    if not len(before) or float((before > 0).mean()) < _STEADY:
        return False
    dead = (during <= _DEAD * anomaly.expected).to_numpy()
    longest = run = 0
    for one in dead:
        run = run + 1 if one else 0
        longest = max(longest, run)
    return longest >= _DEAD_SLOTS


def _seen_at(watch: Watch, anomaly: Anomaly, series: pd.Series) -> pd.Timestamp:
    """When it was large and long enough to be told: the end of the slot that made it so, or later where the figure is
    written down when a statement ends.
    """
    import pandas as pd

    within = series[(series.index >= anomaly.start) & (series.index < anomaly.end)]
    step = pd.Timedelta(1, unit="h" if watch.step == "hour" else "D")
    apart = within - anomaly.expected
    beyond = (apart if watch.judged == "growth" else apart.cumsum()).abs()
    large = (beyond.to_numpy() >= watch.least).nonzero()[0]
    slot = max(int(large[0]) if len(large) else len(within) - 1, watch.lasting - 1)
    seen: pd.Timestamp = within.index[min(slot, len(within) - 1)] + step
    if watch.metric == "execution_seconds":
        # As late as it could be: all of it one statement.
        longest = float(within[within.index < seen].max())
        seen = min(max(seen, anomaly.start + pd.Timedelta(seconds=round(longest))), series.index[-1] + step)
    return seen


def _candidate(watched: Watched, name: str, anomaly: Anomaly, price: float) -> Candidate:
    histories, watch = watched.histories, watched.watch
    series = histories.series(name)
    credits = anomaly.severity if watch.in_credits else None

    def aware(stamp: pd.Timestamp) -> datetime:
        moment = stamp.to_pydatetime()
        return moment.replace(tzinfo=UTC) if histories.step == "hour" else midnight(moment.date(), zone(histories.tz))

    return Candidate(
        watch=watch,
        kind=anomaly.kind,
        entity=name,
        anomaly=anomaly,
        series=series,
        start=aware(anomaly.start),
        end=aware(anomaly.end),
        detected_at=max(aware(anomaly.detected_at), aware(_seen_at(watch, anomaly, series))),
        view=histories.view,
        credits=credits,
        usd=None if credits is None else credits * price,
    )
