"""From what one look at the account saw to findings that live on: dedupe, update, resolve, reopen, snooze. Pure.

    (nothing) -> new -> open -> resolved          a new one that is over already when it is first seen: resolved at once
    resolved -> open                              the same cause, again within REOPEN of its end
    new | open -> snoozed -> open                 a person asks for quiet; it wakes when the time is over
    new | open | snoozed -> resolved (dismissed)  a person says it is none; it stays so, however long it goes on

Times are account time. A finding that a later scan has seen is left alone by a scan of an earlier time.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from tools.charts import Chart
from tools.domain import Frozen, Person
from tools.errors import BadArgument
from tools.finding import SEVERITIES, Draft, Finding, FindingKind, FindingRecord, Severity
from tools.result import Fact, Unit

__all__ = [
    "MERGED",
    "REOPEN",
    "Change",
    "Event",
    "Sighting",
    "cause_of",
    "dismissed",
    "fingerprint_of",
    "reconcile",
    "severity_of",
    "snoozed",
    "woken",
]

REOPEN = timedelta(hours=12)
"""The same cause again within this time of its end is the same finding; later it is another one."""
_CRITICAL_CREDITS, _WARNING_CREDITS = 20.0, 2.0
"""A day: what is critical and worth a warning in any account..."""
_CRITICAL_SHARE, _WARNING_SHARE = 0.10, 0.01
"""... and as a share of the account's own day, whichever is more."""
_SURE, _LIKELY = 0.8, 0.5
_LONGEST_REASON = 500
_AT_LEAST: dict[FindingKind, Severity] = {
    "silence": "warning",
    "queueing": "warning",
    "failing_queries": "warning",
    "retry_storm": "warning",
    "failing_task": "warning",
    "login_failures": "warning",
    "runaway_query": "critical",
    "long_running_query": "warning",
    "left_running": "warning",
    "resize_forgotten": "warning",
}
"""What hurts without costing credits by itself."""
_AT_MOST: Severity = "warning"
"""Of advice: it waits till tomorrow."""

MERGED = "part of a later one"
"""Detail of `resolved`: it is not over, it goes on in that one."""
Event = Literal["found", "changed", "resolved", "reopened", "woke", "snoozed", "dismissed"]


class Sighting(Frozen):
    """One thing that one look at the account saw."""

    kind: FindingKind
    family: str
    """What stays when the kind is seen more clearly: a spike of credits that lasts becomes a level shift."""
    scope: str
    metric: str
    warehouse: str | None
    object: str | None = None
    started_at: datetime
    ended_at: datetime | None = None
    """None: it goes on at the end of what was seen."""
    seen_until: datetime
    detected_at: datetime
    visible_at: datetime
    expected: float | None = None
    actual: float | None = None
    unit: Unit
    impact_credits_per_day: float = 0.0
    confidence: float = 1.0
    evidence: tuple[Fact, ...] = ()
    practice: str | None = None
    draft: Draft | None = None
    chart: Chart | None = None


@dataclass(frozen=True)
class Change:
    """What becomes of one finding; None as event: seen again, and nothing about it is worth a word."""

    record: FindingRecord
    event: Event | None
    detail: str = ""


# --- what it is -----------------------------------------------------------------------------------------------------


def cause_of(family: str, metric: str, warehouse: str | None, object_: str | None) -> str:
    """The same for the same thing at any time; names are told apart from their absence."""
    text = json.dumps([family, metric, warehouse, object_], ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _cause(sighting: Sighting) -> str:
    return cause_of(sighting.family, sighting.metric, sighting.warehouse, sighting.object)


def fingerprint_of(cause: str, started_at: datetime) -> str:
    """Of one occurrence of the cause."""
    return hashlib.sha256(f"{cause}@{int(started_at.timestamp())}".encode()).hexdigest()[:16]


def severity_of(
    kind: FindingKind, impact_credits_per_day: float, confidence: float, *, account_credits_per_day: float = 0.0
) -> Severity:
    """From what it costs a day (more or less than expected), how sure it is, and what its kind does to people.

    Less spending than expected is never more than information, unless the kind says otherwise.
    """
    impact = max(impact_credits_per_day, 0.0)
    level: Severity = "info"
    if impact >= max(_CRITICAL_CREDITS, _CRITICAL_SHARE * account_credits_per_day) and confidence >= _SURE:
        level = "critical"
    elif impact >= max(_WARNING_CREDITS, _WARNING_SHARE * account_credits_per_day) and confidence >= _LIKELY:
        level = "warning"
    if kind.startswith("advice_"):
        return min(level, _AT_MOST, key=SEVERITIES.index)
    return max(level, _AT_LEAST.get(kind, "info"), key=SEVERITIES.index)


# --- from scan to scan ----------------------------------------------------------------------------------------------


def reconcile(
    stored: Iterable[FindingRecord],
    sightings: Sequence[Sighting],
    *,
    now: datetime,
    looked: Collection[str],
    new_id: Callable[[], str],
    since: datetime | None = None,
    account_credits_per_day: float = 0.0,
) -> tuple[Change, ...]:
    """What this scan makes of the findings that are known.

    Args:
        stored: all of whose cause could be seen again; those that are over for longer than what is looked at need
            not be among them.
        sightings: what was seen, in any order; two of one cause that overlap or follow each other within REOPEN are
            one occurrence.
        now: account time of the scan.
        looked: scopes that were read whole; a finding of another scope is not touched.
        new_id: ids for new findings.
        since: what was over before then and is not known is no news (the past read anew), and is left out.
        account_credits_per_day: for severity.
    """
    known: dict[str, list[FindingRecord]] = {}
    for record in sorted(stored, key=lambda r: (r.finding.started_at, r.id)):
        known.setdefault(record.cause, []).append(record)
    changes: list[Change] = []
    seen: set[str] = set()
    for sighting in _joined(sightings):
        if sighting.started_at > now:
            continue
        cause = _cause(sighting)
        severity = severity_of(
            sighting.kind,
            sighting.impact_credits_per_day,
            sighting.confidence,
            account_credits_per_day=account_credits_per_day,
        )
        same = [r for r in known.get(cause, ()) if r.id not in seen and _is_same(r, sighting)]
        if same:
            record = same[-1]
            # The occurrences that this one turned out to be made of are told apart no longer.
            seen |= {r.id for r in same}
            changes += [_absorbed(r, now) for r in same[:-1] if not r.is_over and r.seen_at <= now]
            changes.append(_seen_again(record, sighting, severity, now))
        elif since is None or sighting.ended_at is None or sighting.ended_at >= since:
            changes.append(_found(sighting, cause, severity, now, new_id, known.get(cause, ())))
            seen.add(changes[-1].record.id)
    for records in known.values():
        changes += [_gone(r, now) for r in records if r.id not in seen and _is_gone(r, now, looked)]
    return tuple(changes)


def _joined(sightings: Sequence[Sighting]) -> list[Sighting]:
    """One for each occurrence, oldest first."""
    found: dict[str, list[Sighting]] = {}
    for sighting in sorted(sightings, key=lambda s: (s.started_at, s.seen_until)):
        cause = _cause(sighting)
        parts = found.setdefault(cause, [])
        if parts and _end(parts[-1]) + REOPEN >= sighting.started_at:
            parts[-1] = _joint(parts[-1], sighting)
        else:
            parts.append(sighting)
    return sorted((s for parts in found.values() for s in parts), key=lambda s: (s.started_at, s.metric))


def _end(sighting: Sighting) -> datetime:
    return sighting.ended_at if sighting.ended_at is not None else sighting.seen_until


def _joint(first: Sighting, second: Sighting) -> Sighting:
    """The later one as it stands, begun when the first did, and as much of a matter as the weightier of the two."""
    weightier = max(first, second, key=lambda s: abs(s.impact_credits_per_day))
    last = max(first, second, key=lambda s: (s.ended_at is None, _end(s)))
    update = {
        "started_at": first.started_at,
        "detected_at": min(first.detected_at, second.detected_at),
        "visible_at": min(first.visible_at, second.visible_at),
        "ended_at": last.ended_at,
        "seen_until": max(first.seen_until, second.seen_until),
        "confidence": max(first.confidence, second.confidence),
    }
    return weightier.model_copy(update=update)


def _is_same(record: FindingRecord, sighting: Sighting) -> bool:
    """Whether the occurrence seen is the one known: they overlap, or one follows the other within REOPEN."""
    end = record.finding.ended_at or record.seen_until
    return record.finding.started_at <= _end(sighting) + REOPEN and sighting.started_at <= end + REOPEN


def _found(
    sighting: Sighting,
    cause: str,
    severity: Severity,
    now: datetime,
    new_id: Callable[[], str],
    before: Sequence[FindingRecord],
) -> Change:
    """A new finding; quiet where a person has snoozed this cause and the time is not over."""
    over = sighting.ended_at is not None
    quiet = max((r.snoozed_until for r in before if r.snoozed_until and r.snoozed_until > now), default=None)
    asked = next((r for r in reversed(before) if quiet and r.snoozed_until == quiet), None)
    finding = Finding(
        id=new_id(),
        fingerprint=fingerprint_of(cause, sighting.started_at),
        severity=severity,
        started_at=sighting.started_at,
        detected_at=sighting.detected_at,
        visible_at=sighting.visible_at,
        state="resolved" if over else "snoozed" if quiet else "new",
        **_measured(sighting),
    )
    record = FindingRecord(
        finding=finding,
        cause=cause,
        scope=sighting.scope,
        metric=sighting.metric,
        confidence=sighting.confidence,
        seen_at=now,
        seen_until=sighting.seen_until,
        chart=sighting.chart,
        snoozed_until=quiet,
        reason=asked.reason if asked else "",
        by=asked.by if asked else "",
    )
    return Change(record, "found")


_MEASURED = (
    *("kind", "impact_credits_per_day", "warehouse", "object", "ended_at", "expected", "actual", "unit"),
    *("evidence", "practice", "draft"),
)


def _measured(sighting: Sighting) -> dict[str, object]:
    return {name: getattr(sighting, name) for name in _MEASURED}


def _seen_again(record: FindingRecord, sighting: Sighting, severity: Severity, now: datetime) -> Change:
    """Updated in place: id, fingerprint and when it was first detected stay."""
    if record.seen_at > now:
        return Change(record, None)
    before, over = record.finding, sighting.ended_at is not None
    awake = record.snoozed_until is not None and record.snoozed_until <= now
    event: Event | None = None
    if over:
        state, event = "resolved", None if record.is_over else "resolved"
    elif record.dismissed:
        state = "resolved"
    elif record.snoozed_until is not None and not awake:
        state, event = "snoozed", "reopened" if record.is_over else None
    else:
        state = "open"
        event = "reopened" if record.is_over else "woke" if before.state == "snoozed" else None
    update = _measured(sighting) | {
        "severity": severity,
        "started_at": min(before.started_at, sighting.started_at),
        "state": state,
    }
    finding = before.model_copy(update=update)
    if event is None and not record.dismissed and _differs(before, finding):
        event = "changed"
    changed = record.model_copy(
        update={
            "finding": finding,
            "confidence": sighting.confidence,
            "seen_at": now,
            "seen_until": max(record.seen_until, sighting.seen_until),
            "chart": sighting.chart or record.chart,
            "snoozed_until": None if awake else record.snoozed_until,
        }
    )
    return Change(changed, event, _what_changed(before, finding) if event == "changed" else "")


def _differs(before: Finding, after: Finding) -> bool:
    """Whether people should look again: another kind or weight, or another impact by half and a warning's worth."""
    if before.severity != after.severity or before.kind != after.kind:
        return True
    old, new = before.impact_credits_per_day, after.impact_credits_per_day
    return abs(new - old) > max(_WARNING_CREDITS, 0.5 * abs(old))


def _what_changed(before: Finding, after: Finding) -> str:
    if before.kind != after.kind:
        return f"{before.kind} -> {after.kind}"
    if before.severity != after.severity:
        return f"{before.severity} -> {after.severity}"
    return f"{before.impact_credits_per_day:,.1f} -> {after.impact_credits_per_day:,.1f} credits a day"


def _is_gone(record: FindingRecord, now: datetime, looked: Collection[str]) -> bool:
    return record.finding.ended_at is None and record.scope in looked and record.seen_at <= now


def _gone(record: FindingRecord, now: datetime) -> Change:
    """Not to be seen any more: over when it was seen last."""
    finding = record.finding.model_copy(update={"state": "resolved", "ended_at": record.seen_until})
    changed = record.model_copy(update={"finding": finding, "seen_at": now})
    return Change(changed, None if record.is_over else "resolved", "no longer seen")


def _absorbed(record: FindingRecord, now: datetime) -> Change:
    """An occurrence that turned out to be a part of a later one: what goes on goes on there."""
    finding = record.finding.model_copy(update={"state": "resolved", "ended_at": record.seen_until})
    return Change(record.model_copy(update={"finding": finding, "seen_at": now}), "resolved", MERGED)


# --- what people say ------------------------------------------------------------------------------------------------


def snoozed(record: FindingRecord, until: datetime, reason: str, by: Person, now: datetime) -> FindingRecord:
    """Quiet until then.

    Raises:
        BadArgument: no reason, a time that is over, or a finding that is.
    """
    if record.is_over:
        raise BadArgument("This finding is resolved: there is nothing to snooze.")
    if until <= now:
        raise BadArgument(f"Until {until.isoformat(timespec='minutes')} is over already.", hint="Account time counts.")
    finding = record.finding.model_copy(update={"state": "snoozed"})
    said = {"snoozed_until": until, "reason": _reason(reason), "by": by.name}
    return record.model_copy(update={"finding": finding, **said})


def dismissed(record: FindingRecord, reason: str, by: Person) -> FindingRecord:
    """None, says a person: it is shown no more while it goes on.

    Raises:
        BadArgument: no reason, or a finding that is over.
    """
    if record.is_over:
        raise BadArgument("This finding is resolved: there is nothing to dismiss.")
    finding = record.finding.model_copy(update={"state": "resolved"})
    said = {"dismissed": True, "snoozed_until": None, "reason": _reason(reason), "by": by.name}
    return record.model_copy(update={"finding": finding, **said})


def woken(record: FindingRecord, now: datetime) -> FindingRecord:
    """As it stands at `now`: a snooze that is over is none, whether or not a scan has run since."""
    if record.finding.state != "snoozed" or record.snoozed_until is None or record.snoozed_until > now:
        return record
    return record.model_copy(update={"finding": record.finding.model_copy(update={"state": "open"})})


def _reason(text: str) -> str:
    reason = " ".join(text.split())[:_LONGEST_REASON]
    if not reason:
        raise BadArgument("A reason is needed: others will ask why it is quiet.", hint="--reason TEXT")
    return reason
