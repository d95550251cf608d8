"""A finding as a chart: its series around it, what was ordinary, and the odd stretch marked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from tools.anomalies.detecting import Candidate
from tools.anomalies.evidence import entity_of
from tools.anomalies.titles import SIZES, sizes
from tools.anomalies.words import what_words
from tools.charts import Band, Chart, Mark, points, spoken
from tools.windows.calendars import midnight, zone

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["chart_of"]

_BEFORE, _AFTER = timedelta(days=7), timedelta(days=2)
_LONGEST = timedelta(days=28)
_ON = frozenset({*SIZES, "pace", "longest_statement"})
"""What is seen on a warehouse rather than a figure of it."""
_WEEKS, _LEAST_WEEKS = 4, 2
_USUAL = {
    "hour": "; usual: the range of the same hours in the four weeks before",
    "day": "; usual: the range of the same weekdays in the four weeks before",
}


def chart_of(candidate: Candidate, tz: str, as_of: datetime) -> Chart:
    """A week before the finding up to two days after it; of a long one its last four weeks."""
    start = max(candidate.start - _BEFORE, candidate.end - _LONGEST)
    end = candidate.end + _AFTER
    moments = [(_moment(candidate, stamp, tz), float(value)) for stamp, value in candidate.series.items()]  # type: ignore[arg-type]
    history = points((moment, value) for moment, value in moments if start <= moment < end)
    usual = _usual(candidate, [moment for moment, _ in moments], start, end)
    of = "on" if candidate.metric in _ON else "of"
    name = f"{candidate.watch.title[:1].upper()}{candidate.watch.title[1:]} {of} {entity_of(candidate)}"
    what = what_words(candidate)
    local = candidate.start.astimezone(ZoneInfo(tz))
    return Chart(
        title=f"{name}, by {candidate.watch.step}: {what} from {local:%Y-%m-%d %H:%M}",
        unit=candidate.unit,
        timezone=tz,
        history=history,
        bands=(usual,) if usual else (),
        marks=(Mark(start=candidate.start, end=candidate.end, label=what),),
        source=f"{candidate.view}, as of {as_of:%Y-%m-%d %H:%M} UTC" + (_USUAL[candidate.watch.step] if usual else ""),
        alt=_alt(candidate, name, what, local, tz),
    )


def _usual(candidate: Candidate, moments: list[datetime], start: datetime, end: datetime) -> Band | None:
    """From the least to the most of the same hours (or days) in the weeks before; None without two weeks of them."""
    import pandas as pd

    week = 168 if candidate.watch.step == "hour" else 7
    before = pd.concat([candidate.series.shift(week * n) for n in range(1, _WEEKS + 1)], axis=1)
    enough = (before.notna().sum(axis=1) >= _LEAST_WEEKS).to_numpy()
    low, high = before.min(axis=1).to_numpy(), before.max(axis=1).to_numpy()
    shown = [n for n, moment in enumerate(moments) if enough[n] and start <= moment < end]
    if len(shown) < 2:
        return None
    return Band(
        level=None,
        time=tuple(moments[n] for n in shown),
        lo=tuple(float(low[n]) for n in shown),
        hi=tuple(float(high[n]) for n in shown),
    )


def _moment(candidate: Candidate, stamp: pd.Timestamp, tz: str) -> datetime:
    if candidate.watch.step == "hour":
        return stamp.to_pydatetime().replace(tzinfo=UTC)
    return midnight(stamp.date(), zone(tz))


def _alt(candidate: Candidate, name: str, what: str, local: datetime, tz: str) -> str:
    step = candidate.watch.step
    until = candidate.end.astimezone(ZoneInfo(tz))
    ending = "and is still going on" if candidate.is_open else f"and ends at {until:%Y-%m-%d %H:%M}"
    return f"Line chart. {name} by {step}, {tz}: {what} begins at {local:%Y-%m-%d %H:%M} {ending}; {_came(candidate)}."


def _came(candidate: Candidate) -> str:
    """What came instead of what, in words that are read aloud."""
    anomaly, unit, metric = candidate.anomaly, candidate.unit, candidate.metric
    actual, expected = spoken(anomaly.actual, unit), spoken(anomaly.expected, unit)
    if metric in SIZES:
        noun, mean = sizes(anomaly.actual)
        return f"{actual} {noun} {SIZES[metric]}{mean}"
    if metric == "longest_statement":
        return f"{actual}, where the longest in the weeks before is {spoken(anomaly.band[1], unit)}"
    if metric == "pace":
        return f"{actual} of the average run time where {expected} were expected"
    return f"{actual} a {candidate.watch.step} on average where {expected} were expected"
