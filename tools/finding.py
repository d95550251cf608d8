"""What a scan has found: `Finding` as it is shown to people and programs, and the row that the store keeps of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, get_args

from pydantic import AwareDatetime, Field

from tools.charts import Chart
from tools.domain import Frozen
from tools.result import Fact, Unit

__all__ = [
    "FINDING_KINDS",
    "SEVERITIES",
    "Draft",
    "Finding",
    "FindingKind",
    "FindingRecord",
    "FindingState",
    "ScanStamp",
    "Severity",
]

FindingKind = Literal[
    "spend_spike",
    "level_shift",
    "drift",
    "silence",
    "seasonality_change",
    "variance_change",
    "queueing",
    "spill",
    "runaway_query",
    "long_running_query",
    "failing_task",
    "failing_queries",
    "retry_storm",
    "login_failures",
    "resize_forgotten",
    "left_running",
    "keep_alive_poller",
    "cloud_services",
    "clustering_storm",
    "backfill",
    "storage_growth",
    "budget_risk",
    "monitor_near_limit",
    "regression",
    "failure_risk",
    "advice_oversized",
    "advice_undersized",
    "advice_auto_suspend",
    "advice_never_suspends",
    "advice_clusters",
    "advice_policy",
    "advice_generation",
    "advice_schedule",
    "advice_idle_poller",
    "advice_consolidate",
    "advice_query",
    "advice_storage",
    "advice_serverless",
]
FINDING_KINDS: tuple[FindingKind, ...] = get_args(FindingKind)

Severity = Literal["info", "warning", "critical"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)
"""In order."""

FindingState = Literal["new", "open", "resolved", "snoozed"]
"""new: seen by the last scan for the first time; open: seen before, and going on; resolved: over, or dismissed by a
person; snoozed: going on, and a person has asked for quiet."""


class Draft(Frozen):
    """A change that somebody may ask for; nothing is stored or changed by its standing here."""

    tool: str
    args: dict[str, Any]
    ask: str
    """What to write to Frostline, e.g. 'suspend ETL_WH'."""


class Finding(Frozen):
    """The contract of `scan --json` (design.md, section 4)."""

    id: str
    fingerprint: str
    """Of this occurrence: what it is about, and when it began. It stays when the finding is updated."""
    kind: FindingKind
    severity: Severity
    impact_credits_per_day: float
    """Above (or, negative, below) what was expected, while it goes on; 0 where it costs no credits by itself."""
    warehouse: str | None
    object: str | None = None
    """A statement's id or another thing in the account, where it is about one."""
    started_at: AwareDatetime
    ended_at: AwareDatetime | None = None
    """None while it goes on."""
    detected_at: AwareDatetime
    """When what was measured up to then first showed it."""
    visible_at: AwareDatetime
    """... and when that could be read in the account: later by the view's latency, the same for what is read live."""
    state: FindingState
    expected: float | None = None
    actual: float | None = None
    """Means for each hour (billing tier), or the value now (live tier), in `unit`."""
    unit: Unit
    evidence: tuple[Fact, ...] = ()
    practice: str | None = None
    """Id of a page of the knowledge base."""
    draft: Draft | None = None


class FindingRecord(Frozen):
    """A finding, and what the store keeps of it besides."""

    finding: Finding
    cause: str
    """Hash of what it is about (family of kinds, metric, warehouse, object): the same for the same thing again."""
    scope: str
    """Which look at the account would see it again, e.g. `billing:credits`: only that one can tell that it is over."""
    metric: str
    confidence: float = Field(ge=0, le=1)
    seen_at: AwareDatetime
    """Account time of the last scan that saw it."""
    seen_until: AwareDatetime
    """How far it had reached in what that scan saw."""
    chart: Chart | None = None
    """The series around it; None where it was seen live."""
    snoozed_until: AwareDatetime | None = None
    """Account time; None where it is not snoozed."""
    dismissed: bool = False
    reason: str = ""
    """Why it was snoozed or dismissed."""
    by: str = ""
    """Who did."""
    updated_at: datetime | None = None
    """Wall time; the store's."""

    @property
    def id(self) -> str:
        return self.finding.id

    @property
    def is_over(self) -> bool:
        return self.finding.state == "resolved"


class ScanStamp(Frozen):
    """The last scan that came to its end."""

    as_of: AwareDatetime
    """Account time that it spoke of."""
    at: AwareDatetime
    """Wall time of its end."""
    seen: int
    notes: tuple[str, ...] = ()
    """What it could not look at, and why."""
