"""Findings of one cause are one finding: a spike of credits, the queries behind it and the user who sent them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from tools.anomalies.detecting import Candidate

__all__ = ["grouped"]

_NEAR = timedelta(hours=2)
"""A queue builds up before the credits do, and metering hours round to the hour."""
_MOSTLY = 0.4
"""Of all the time that either of two findings takes, the part that they share."""
_LEADS = ("credits", "credits_cloud_services", "failures", "queue_seconds", "bytes_spilled", "queries")
"""Which metric of a group speaks for it: what costs first, then what hurts."""


def grouped(found: Iterable[Candidate]) -> tuple[Candidate, ...]:
    """One candidate a cause with the others in `related`; the most severe first.

    Two candidates have one cause where they go on at the same time in the same warehouse; what belongs to no warehouse
    (a user, a service, the account) joins the warehouse's finding that shares most of its time.
    """
    groups: list[list[Candidate]] = []
    ordered = sorted(found, key=lambda c: (c.warehouse is None, c.start, c.entity, c.metric))
    for candidate in ordered:
        home = _home(candidate, groups)
        if home is None:
            groups.append([candidate])
        else:
            home.append(candidate)
    return tuple(sorted((_led(group) for group in groups), key=_rank))


def _home(candidate: Candidate, groups: Sequence[list[Candidate]]) -> list[Candidate] | None:
    if candidate.warehouse is not None:
        same = [g for g in groups if g[0].warehouse == candidate.warehouse and any(_meets(candidate, c) for c in g)]
        return same[0] if same else None
    near = [(max(_shared(candidate, c) for c in g), g) for g in groups if any(_is_part(candidate, c) for c in g)]
    return max(near, key=lambda item: item[0])[1] if near else None


def _is_part(candidate: Candidate, other: Candidate) -> bool:
    """Whether what belongs to no warehouse may be another face of the other: the same hours, the same direction."""
    if candidate.watch.by == other.watch.by and candidate.entity != other.entity:
        return False
    if candidate.watch.step != other.watch.step:
        return False
    return candidate.is_more == other.is_more and _shared(candidate, other) >= _MOSTLY


def _meets(one: Candidate, other: Candidate) -> bool:
    return one.start < other.end + _NEAR and other.start < one.end + _NEAR


def _shared(one: Candidate, other: Candidate) -> float:
    """The common time as a share of all the time that either takes."""
    common = max(_length(max(one.start, other.start), min(one.end, other.end)), 0.0)
    either = _length(one.start, one.end) + _length(other.start, other.end) - common
    return common / either if either else 0.0


def _length(start: datetime, end: datetime) -> float:
    return (end - start).total_seconds()


def _led(group: Sequence[Candidate]) -> Candidate:
    first, *rest = sorted(group, key=lambda c: (_place(c), -(c.credits or 0.0), -c.anomaly.confidence, c.start))
    return first.also(rest)


def _place(candidate: Candidate) -> int:
    metric = candidate.watch.metric
    return _LEADS.index(metric) if metric in _LEADS else len(_LEADS)


def _rank(candidate: Candidate) -> tuple[float, float, datetime]:
    """Money first; what has no price by how sure it is."""
    return (-(candidate.credits or 0.0), -candidate.anomaly.confidence, candidate.start)
