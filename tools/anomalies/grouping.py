"""Findings of one cause are one finding: a spike of credits, the queries behind it and the user who sent them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from tools.anomalies.detecting import Candidate
from tools.history.measures import beside_of

__all__ = ["grouped"]

_TOGETHER = 0.3
"""Of the time of both: what a user sent for an hour is no part of what a warehouse has done for a week."""
_APART = ("service_type", "database")
"""What runs beside the warehouses, and is no other view of what they do."""
_SURE_ALONE = 0.65
_UNPRICED = 10.0
_SMALL_SHARE = 0.015
_WORK = frozenset({"credits", "queries", "execution_seconds"})
"""Figures of work; the others hurt by themselves."""
_LEADS = (
    *("credits", "credits_cloud_services", "failures", "queue_seconds", "pace"),
    *("longest_statement", "execution_seconds", "queries"),
)
"""Which metric of a group speaks for it: what costs first, then what hurts."""


def grouped(found: Iterable[Candidate], *, credits_per_day: float = 0.0) -> tuple[Candidate, ...]:
    """One candidate a cause with the others in `related`; the most severe first.

    Two candidates have one cause where they go on at the same time in the same warehouse; what belongs to no warehouse
    (a user, a service, the account) joins the warehouse's finding that shares most of its time.

    Args:
        credits_per_day: of the account; a lasting step of a small share of it is a change of business and no finding.
    """
    groups: list[list[Candidate]] = []
    ordered = sorted(found, key=lambda c: (c.warehouse is None, c.start, c.entity, c.metric))
    for candidate in ordered:
        home = _home(candidate, groups)
        if home is None:
            groups.append([candidate])
        else:
            home.append(candidate)
    told = (group for group in groups if _worth_telling(group, credits_per_day))
    return tuple(sorted((_led(group) for group in told), key=_rank))


def _worth_telling(group: Sequence[Candidate], credits_per_day: float) -> bool:
    own = [c for c in group if not c.watch.supporting]
    return _is_sure(group) and not _is_business(own, credits_per_day)


def _is_sure(group: Sequence[Candidate]) -> bool:
    """What several figures show is sure; what only one shows must be surer: chance seldom strikes two at once."""
    own = [c for c in group if not c.watch.supporting]
    if not own:
        return False
    if len({(c.metric, c.entity) for c in group}) > 1:
        return True
    # What stopped was told from what rests already; what is watched closely is judged by its own threshold.
    return any(c.anomaly.confidence >= _SURE_ALONE or not c.is_more or c.watch.threshold is not None for c in own)


def _told_at(group: Sequence[Candidate]) -> datetime:
    """When a reader who sees no future would have told it: as soon as what was seen by then was sure."""
    for one in sorted(group, key=lambda c: c.detected_at):
        if _is_sure([c for c in group if c.detected_at <= one.detected_at]):
            return one.detected_at
    return max(c.detected_at for c in group)


def _is_business(own: Sequence[Candidate], credits_per_day: float) -> bool:
    """More work for longer than a day that costs next to nothing and hurts nobody: a report more, a team that grows."""
    if any(c.metric not in _WORK or not c.is_more for c in own):
        return False
    days = max(_length(c.start, c.end) for c in own) / 86_400
    return days >= 1 and sum(c.credits or 0.0 for c in own) / days < _SMALL_SHARE * credits_per_day


def _home(candidate: Candidate, groups: Sequence[list[Candidate]]) -> list[Candidate] | None:
    if candidate.warehouse is not None:
        same = [g for g in groups if g[0].warehouse == candidate.warehouse and any(_meets(candidate, c) for c in g)]
        return same[0] if same else None
    if beside_of(candidate.watch.metric) is not None or candidate.watch.by in _APART:
        return None
    near = [(max(_shared(candidate, c) for c in g), g) for g in groups if any(_is_part(candidate, c) for c in g)]
    return max(near, key=lambda item: item[0])[1] if near else None


def _is_part(candidate: Candidate, other: Candidate) -> bool:
    """Whether what belongs to no warehouse may be another face of the other: the same hours, the same direction."""
    if candidate.watch.by == other.watch.by and candidate.entity != other.entity:
        return False
    if candidate.watch.step != other.watch.step:
        return False
    return candidate.is_more == other.is_more and _shared(candidate, other) >= _TOGETHER


def _meets(one: Candidate, other: Candidate) -> bool:
    """At the same time; of what creeps for weeks only what has gone on for about as long."""
    if "creep" in (one.watch.judged, other.watch.judged):
        return _shared(one, other) >= _TOGETHER
    return one.start < other.end and other.start < one.end


def _shared(one: Candidate, other: Candidate) -> float:
    """The common time as a share of the time of both."""
    common = _length(max(one.start, other.start), min(one.end, other.end))
    whole = _length(min(one.start, other.start), max(one.end, other.end))
    return max(common, 0.0) / whole if whole else 0.0


def _length(start: datetime, end: datetime) -> float:
    return (end - start).total_seconds()


def _led(group: Sequence[Candidate]) -> Candidate:
    first, *rest = sorted(
        group, key=lambda c: (c.watch.supporting, _place(c), -(c.credits or 0.0), -c.anomaly.confidence, c.start)
    )
    return replace(first.also(rest), detected_at=_told_at(group))


def _place(candidate: Candidate) -> int:
    metric = candidate.watch.metric
    return _LEADS.index(metric) if metric in _LEADS else len(_LEADS)


def _rank(candidate: Candidate) -> tuple[float, float, datetime]:
    """By credits; what hurts without a price stands where a handful of them would, then by how sure it is."""
    return (
        -(_UNPRICED if candidate.credits is None else candidate.credits),
        -candidate.anomaly.confidence,
        candidate.start,
    )
