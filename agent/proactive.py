"""What Frostline does without being asked, on an opened runtime: the scan; and what people say about its findings."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from agent.durations import duration_of
from agent.scan import ScanContext, ScanReport, ScanRules, scan_once
from tools.errors import NotAllowed

if TYPE_CHECKING:
    from agent.runtime import Runtime
    from tools.domain import Person
    from tools.finding import FindingRecord

__all__ = ["check_may_quiet", "dismiss", "scan", "scan_context", "snooze"]


def scan(
    runtime: Runtime, progress: Callable[[float, str], None] | None = None, *, lookback: timedelta | None = None
) -> ScanReport:
    """One scan: it reads the account and keeps what it finds; it has no writer.

    Args:
        lookback: in place of the setting scan.lookback.

    Raises:
        Unreachable: the account or the store does not answer.
    """
    return scan_once(scan_context(runtime, lookback), progress=progress)


def scan_context(runtime: Runtime, lookback: timedelta | None = None) -> ScanContext:
    """All that one scan may use; its holder is new each time."""
    lines = runtime.settings.scan
    return ScanContext(
        reader=runtime.reader,
        findings=runtime.store.findings,
        leases=runtime.store.leases,
        clock=runtime.clock,
        new_id=runtime.new_id,
        holder=f"{socket.gethostname()}:{os.getpid()}:{runtime.new_id()}",
        rules=ScanRules(
            history=timedelta(days=lines.history_days),
            lookback=lookback or duration_of(lines.lookback),
            long_running=timedelta(minutes=lines.long_running_m),
            runaway=timedelta(minutes=lines.runaway_m),
            queued=timedelta(minutes=lines.queued_m),
            idle=timedelta(minutes=lines.idle_m),
        ),
        preferences=runtime.preferences,
        lease=timedelta(seconds=lines.lease_s),
    )


def snooze(runtime: Runtime, ref: str, until: datetime, reason: str, by: Person) -> FindingRecord:
    """Quiet until then (account time).

    Raises:
        NotAllowed: no proposer.
        UnknownName, BadArgument: as agent.store.Findings.
    """
    check_may_quiet(runtime, by, ref)
    return runtime.store.findings.snooze(ref, until, reason, by, runtime.reader.now())


def dismiss(runtime: Runtime, ref: str, reason: str, by: Person) -> FindingRecord:
    """It is none; raises as snooze."""
    check_may_quiet(runtime, by, ref)
    return runtime.store.findings.dismiss(ref, reason, by, runtime.reader.now())


def check_may_quiet(runtime: Runtime, by: Person, ref: str) -> None:
    """It is quiet for everybody then, so it takes more than reading; what is denied stands in the audit chain.

    Raises:
        NotAllowed: no proposer.
    """
    try:
        runtime.policy.check_role(by, "proposer", "snooze or dismiss findings")
    except NotAllowed as denied:
        detail = {"decision": "quiet", "why": denied.rule, "message": denied.message, "finding": ref[:64]}
        runtime.store.audit("denied", by.id, None, detail)
        raise
