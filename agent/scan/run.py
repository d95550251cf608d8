"""One scan: look at both tiers, make findings of what was seen, keep them. Under a lease: of two at once, one works."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from agent.findings import Change, Sighting, reconcile
from agent.scan.billing import look_at_billing
from agent.scan.context import Look, ScanContext
from agent.scan.leasing import held
from agent.scan.live import look_at_statements, look_at_warehouses
from agent.scan.sizes import look_at_sizes
from tools.errors import NoPermission, StatementFailed
from tools.finding import SEVERITIES, FindingRecord, ScanStamp

__all__ = ["LEASE", "ScanReport", "scan_once", "weightiest"]

_log = logging.getLogger("frostline.scan")
LEASE = "scan"
_REMEMBERED = timedelta(days=30)
"""How long after its end a finding is compared with what is seen, beyond what the series reach back."""

Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class ScanReport:
    as_of: datetime
    """Account time."""
    findings: tuple[FindingRecord, ...]
    """Everything that is open or changed in this run, the weightiest first."""
    changes: tuple[Change, ...] = ()
    notes: tuple[str, ...] = ()
    """What could not be looked at, and why."""
    skipped: str = ""
    """Why nothing was done: another scan is at it, or took over; empty where this one worked."""

    def as_json(self) -> dict[str, Any]:
        """`scan --json`: `{findings, as_of}` of the contract, with what could not be looked at."""
        return {
            "findings": [record.finding.model_dump(mode="json") for record in self.findings],
            "as_of": self.as_of.isoformat(),
            "notes": list(self.notes),
            "skipped": self.skipped or None,
        }


def weightiest(record: FindingRecord) -> tuple[bool, int, float, float]:
    """For sorting: what goes on first, then the most severe, then the most credits, then the newest."""
    finding = record.finding
    return (
        record.is_over,
        -SEVERITIES.index(finding.severity),
        -abs(finding.impact_credits_per_day),
        -finding.started_at.timestamp(),
    )


def scan_once(context: ScanContext, *, progress: Progress | None = None) -> ScanReport:
    """Look, compare with what is known, remember.

    What Snowflake does not let us read is told in the notes and leaves the findings that hang on it as they are.

    Raises:
        Unreachable: the account or the store does not answer.
    """
    say: Progress = progress or (lambda done, text: None)
    now = context.reader.now()
    with held(context.leases, LEASE, context.holder, context.lease) as mine:
        if not mine:
            found = context.leases.holder(LEASE)
            who = f"{found[0]}, until {found[1].isoformat(timespec='seconds')} unless renewed" if found else "another"
            return _skipped(context, now, f"Another scan is at it ({who}); this one did nothing.")
        seen = _look(context, now, say)
        say(0.95, "comparing")
        changes = _compare(context, now, seen)
        stamp = ScanStamp(as_of=now, at=context.clock.now(), seen=len(seen.sightings), notes=tuple(seen.notes))
        if not context.findings.record(changes, stamp, lease=LEASE, holder=context.holder):
            return _skipped(context, now, "This scan lost its lease to another one, so nothing of it was kept.")
    say(1.0, "done")
    shown = [c.record for c in changes if c.event is not None or not c.record.is_over]
    known = {record.id for record in shown}
    # What could not be looked at is still open as far as anybody knows.
    shown += [r for r in context.findings.list(("new", "open", "snoozed"), now=now) if r.id not in known]
    report = ScanReport(now, tuple(sorted(shown, key=weightiest)), changes, tuple(seen.notes))
    _log.info("scan as of %s: %d seen, %d events", now, len(seen.sightings), sum(bool(c.event) for c in changes))
    return report


def _look(context: ScanContext, now: datetime, say: Progress) -> Look:
    whole = Look()
    looks: tuple[tuple[str, float, Callable[[], Look]], ...] = (
        ("hourly series", 0.05, lambda: look_at_billing(context, now)),
        ("warehouses", 0.75, lambda: look_at_warehouses(context, now)),
        ("running statements", 0.85, lambda: look_at_statements(context, now)),
        ("sizes", 0.9, lambda: look_at_sizes(context, now)),
    )
    for name, done, look in looks:
        say(done, name)
        try:
            whole.add(look())
        except (NoPermission, StatementFailed) as error:
            whole.notes.append(f"Not looked at: {name}. {error.message}")
            _log.warning("scan: %s not looked at: %s", name, error.message)
    whole.sightings = _once(whole.sightings)
    return whole


def _once(sightings: list[Sighting]) -> list[Sighting]:
    """A size that was left in place is told by what it was set to, not by its traces in the series, too."""
    told = {s.warehouse for s in sightings if s.family == "resize_forgotten"}

    def is_trace(one: Sighting) -> bool:
        return one.kind == "resize_forgotten" and one.family != "resize_forgotten" and one.warehouse in told

    return [one for one in sightings if not is_trace(one)]


def _compare(context: ScanContext, now: datetime, seen: Look) -> tuple[Change, ...]:
    stored = context.findings.list(since=now - context.rules.history - _REMEMBERED, limit=100_000)
    last = context.findings.last_scan()
    return reconcile(
        stored,
        seen.sightings,
        since=(last.as_of if last else now) - context.rules.lookback,
        now=now,
        looked=seen.looked,
        new_id=context.new_id,
        account_credits_per_day=seen.credits_per_day,
    )


def _skipped(context: ScanContext, now: datetime, why: str) -> ScanReport:
    _log.info("scan: %s", why)
    current = context.findings.list(("new", "open", "snoozed"), now=now)
    return ScanReport(now, tuple(sorted(current, key=weightiest)), skipped=why)
