"""The billing tier: series of ACCOUNT_USAGE by hour or day through tools.anomalies; hours late, and exact."""

from __future__ import annotations

from datetime import datetime, timedelta

from agent.findings import Sighting
from agent.scan.context import Look, ScanContext
from tools.anomalies import WATCHES, Candidate, Sweep, Watch, candidates, evidence
from tools.anomalies.chart import chart_of
from tools.finding import FindingKind

__all__ = ["look_at_billing"]

_WATCHES = tuple(watch for watch in WATCHES if watch.by != "user")
"""Figures of single users are for analysts and above; a finding is read by everybody."""
_KINDS: dict[str, FindingKind] = {
    "queue_seconds": "queueing",
    "bytes_spilled": "spill",
    "credits_cloud_services": "cloud_services",
    "failed_logins": "login_failures",
    "storage_bytes": "storage_growth",
}
"""What more of these is called, however it began."""
_MOST = 0.5
"""Of the credits, or of the statements: what they are made of."""
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
    """Everything odd in what tools.anomalies watches, of the last weeks; without figures of single users.

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
    late = {one.histories.view: one.histories.coverage.latency for one in sweep.watched}
    for candidate in sweep.candidates:
        sighting = _sighting(candidate, now, tz, late[candidate.view])
        if sighting is not None:
            look.sightings.append(sighting)
    look.looked |= {scope_of(one.watch) for one in sweep.watched if one.histories.ids}
    look.notes += [f"Not looked at: {name}. {error.message}" for name, error in sweep.refused.items()]
    empty = sorted({one.histories.view for one in sweep.watched if not one.histories.ids and one.watch.by != "total"})
    look.notes += [f"Nothing to look at: {view} has no rows that are complete." for view in empty]
    return look


def scope_of(watch: Watch) -> str:
    """`billing:METRIC:BY`, with `:day` where its values are of days."""
    return f"billing:{watch.metric}:{watch.by}" + (":day" if watch.step == "day" else "")


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
    cause = _cause(candidate)
    if cause is not None:
        return cause
    if metric in _KINDS:
        return _KINDS[metric]
    if candidate.watch.by == "service_type" and candidate.entity == "AUTO_CLUSTERING" and candidate.is_more:
        return "clustering_storm"
    if kind != "spike":
        return kind
    # More statements that cost no more, wait no longer and fail no oftener are no matter.
    return None if metric == "queries" else "spend_spike"


def _cause(candidate: Candidate) -> FindingKind | None:
    """What several figures together say it is, whichever of them costs most."""
    members = {c.metric: c for c in (candidate, *candidate.related) if c.is_more}
    if "size_above" in members:
        return "resize_forgotten"
    if "size_below" in members:
        return "spill" if "bytes_spilled" in members else "queueing" if "queue_seconds" in members else "level_shift"
    cloud, queries, failures = (members.get(name) for name in ("credits_cloud_services", "queries", "failures"))
    # Of the thousands of statements of a crawler some fail too: what costs comes before what fails.
    if cloud is not None and (cloud.credits or 0.0) >= _MOST * (candidate.credits or 0.0):
        return "cloud_services"
    if failures is not None and (queries is None or _beyond(failures) >= _MOST * _beyond(queries)):
        return "failing_queries" if queries is None else "retry_storm"
    if queries is not None and "queue_seconds" in members:
        return "queueing"
    if "longest_statement" in members:
        return "long_running_query"
    if candidate.metric == "execution_seconds" and candidate.kind == "spike" and "queries" not in members:
        return "long_running_query"
    return None


def _beyond(candidate: Candidate) -> float:
    """What came beyond the expected over the whole time, in the metric's unit."""
    return candidate.anomaly.severity


def _sighting(candidate: Candidate, now: datetime, tz: str, latency: timedelta) -> Sighting | None:
    kind = kind_of(candidate)
    if kind is None:
        return None
    anomaly = candidate.anomaly
    visible = candidate.detected_at + latency
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
        expected=anomaly.band[1] if candidate.watch.judged == "record" else anomaly.expected,
        actual=anomaly.actual,
        unit=candidate.unit,
        impact_credits_per_day=_impact(candidate),
        confidence=min(max(anomaly.confidence, 0.0), 1.0),
        evidence=evidence(candidate, now, tz),
        practice=_PRACTICES.get(kind) if candidate.is_more else None,
        chart=chart_of(candidate, tz, now),
    )


def _impact(candidate: Candidate) -> float:
    """Credits beyond (below: negative) the expected for each day of it; what lasts less than a day counts as one."""
    if candidate.credits is None:
        return 0.0
    days = max((candidate.end - candidate.start) / timedelta(days=1), 1.0)
    return (1 if candidate.is_more else -1) * candidate.credits / days
