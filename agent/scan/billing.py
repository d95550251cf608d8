"""The billing tier: hourly series of ACCOUNT_USAGE through tools.anomalies; hours late, and exact."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from agent.findings import Sighting
from agent.scan.context import Look, ScanContext
from tools.anomalies import WATCHES, Candidate, Sweep, Watch, candidates, evidence
from tools.charts import Band, Chart, Mark, points, thinned
from tools.finding import FindingKind
from tools.warehouse.views import ALL_VIEWS

__all__ = ["look_at_billing"]

_WATCHES = tuple(watch for watch in WATCHES if watch.by != "user")
"""Figures of single users are for analysts and above; a finding is read by everybody."""
_WAREHOUSE_SERVICES = ("WAREHOUSE_METERING", "WAREHOUSE_METERING_READER")
"""As services they are the sum of what each warehouse shows by itself."""
_BEFORE, _AFTER = timedelta(days=9), timedelta(days=2)
"""What a chart shows around a finding."""
_OF_METRIC: dict[str, FindingKind] = {
    "queue_seconds": "queueing",
    "bytes_spilled": "spill",
    "credits_cloud_services": "cloud_services",
    "failed_logins": "login_failures",
    "storage_bytes": "storage_growth",
}
_PRACTICES: dict[FindingKind, str] = {
    "spend_spike": "spend-after-a-change",
    "level_shift": "spend-after-a-change",
    "drift": "spend-after-a-change",
    "queueing": "queueing-overload",
    "spill": "undersized-remote-spill",
    "failing_queries": "failing-and-retrying",
    "retry_storm": "failing-and-retrying",
    "cloud_services": "cloud-services-above-ten-percent",
    "clustering_storm": "clustering-that-does-not-pay",
}


def look_at_billing(context: ScanContext, now: datetime) -> Look:
    """Everything odd in credits, queries, queue time, failures and spill of the last weeks.

    Raises:
        NoPermission: no view of them may be read.
        Unreachable, StatementFailed: as the reader.
    """
    sweep = candidates(
        context.reader,
        since=now - context.rules.history,
        watches=_WATCHES,
        preferences=context.preferences,
        days=max(context.rules.history.days, 1),
    )
    tz = context.reader.account().timezone
    look = Look(credits_per_day=_credits_per_day(sweep))
    for candidate in sweep.candidates:
        sighting = _sighting(candidate, now, tz)
        if sighting is not None:
            look.sightings.append(sighting)
    look.looked |= {scope_of(one.watch) for one in sweep.watched if one.histories.ids}
    look.notes += [f"Not looked at: {name}. {error.message}" for name, error in sweep.refused.items()]
    empty = sorted({one.histories.view for one in sweep.watched if not one.histories.ids and one.watch.by != "total"})
    look.notes += [f"Nothing to look at: {view} has no rows that are complete." for view in empty]
    return look


def scope_of(watch: Watch) -> str:
    return f"billing:{watch.metric}:{watch.by}"


def _credits_per_day(sweep: Sweep) -> float:
    """Of all warehouses together, over the last week of what is complete."""
    for one in sweep.watched:
        if one.watch.metric == "credits" and one.watch.by == "warehouse" and one.histories.ids:
            frame = one.histories.frame
            last = frame["ds"].max()
            week = frame[frame["ds"] > last - timedelta(days=7)]
            return float(week["y"].sum()) / 7
    return 0.0


def kind_of(candidate: Candidate) -> FindingKind | None:
    """What people call it; None where it is nothing to be told of by itself."""
    metric, kind = candidate.metric, candidate.kind
    if metric == "failures":
        more = any(c.metric == "queries" and c.is_more for c in candidate.related)
        return "retry_storm" if more else "failing_queries"
    if metric in _OF_METRIC:
        return _OF_METRIC[metric]
    if candidate.watch.by == "service_type":
        if candidate.entity in _WAREHOUSE_SERVICES:
            return None
        if candidate.entity == "AUTO_CLUSTERING" and candidate.is_more:
            return "clustering_storm"
    if kind != "spike":
        return kind
    # More statements that cost no more, wait no longer and fail no oftener are no matter.
    return None if metric == "queries" else "spend_spike"


def _sighting(candidate: Candidate, now: datetime, tz: str) -> Sighting | None:
    kind = kind_of(candidate)
    if kind is None:
        return None
    anomaly = candidate.anomaly
    visible = candidate.detected_at + ALL_VIEWS[candidate.view].latency
    return Sighting(
        kind=kind,
        family=f"{candidate.metric}:{'more' if candidate.is_more else 'less'}",
        scope=scope_of(candidate.watch),
        metric=candidate.metric,
        warehouse=candidate.warehouse,
        object=candidate.object,
        started_at=candidate.start,
        ended_at=None if candidate.is_open else candidate.end,
        seen_until=candidate.end,
        detected_at=candidate.detected_at,
        visible_at=max(candidate.detected_at, min(visible, now)),
        expected=anomaly.expected,
        actual=anomaly.actual,
        unit=candidate.unit,
        impact_credits_per_day=_impact(candidate),
        confidence=min(max(anomaly.confidence, 0.0), 1.0),
        evidence=evidence(candidate, now, tz),
        practice=_PRACTICES.get(kind) if candidate.is_more else None,
        chart=_chart(candidate, kind, tz),
    )


def _impact(candidate: Candidate) -> float:
    """Credits beyond (below: negative) the expected for each day of it; what lasts less than a day counts as one."""
    if candidate.credits is None:
        return 0.0
    days = max((candidate.end - candidate.start) / timedelta(days=1), 1.0)
    return (1 if candidate.is_more else -1) * candidate.credits / days


def _chart(candidate: Candidate, kind: str, tz: str) -> Chart:
    """The days around it, what was ordinary in them, and the part that stands out."""
    shown = _around(candidate)
    low, high = candidate.anomaly.band
    stretch = (candidate.start, candidate.end)
    whose = candidate.warehouse or candidate.object or "the account"
    title = f"{candidate.watch.title} of {whose}, by hour"
    alt = (
        f"Line of the {candidate.watch.title} of {whose} for each hour; marked from "
        f"{candidate.start.isoformat(timespec='minutes')} to {candidate.end.isoformat(timespec='minutes')}: on average "
        f"{candidate.anomaly.actual:,.2f} where {candidate.anomaly.expected:,.2f} was expected."
    )
    return Chart(
        title=title,
        unit=candidate.unit,
        timezone=tz,
        history=thinned(points(shown)),
        bands=(Band(level=None, time=stretch, lo=(max(low, 0.0),) * 2, hi=(high,) * 2),),
        marks=(Mark(start=candidate.start, end=candidate.end, label=kind.replace("_", " ")),),
        source=candidate.view,
        alt=alt,
    )


def _around(candidate: Candidate) -> list[tuple[datetime, float]]:
    first, last = (_naive(moment) for moment in (candidate.start - _BEFORE, candidate.end + _AFTER))
    series: Any = candidate.series
    part = series[(series.index >= first) & (series.index < last)]
    return [(stamp.to_pydatetime().replace(tzinfo=UTC), float(value)) for stamp, value in part.items()]


def _naive(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)
