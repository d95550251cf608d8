"""What a tool may see: narrow Protocols and the frozen ToolContext made of them.

Tools get everything through a ToolContext: no module globals, no clock of their own, and no writer: there is
no field here through which a warehouse could be changed. `agent.store` and `agent.policy` implement
PlanStore and PolicyView; `tools.warehouse` implements UsageReader; `agent.runtime` wires them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, Protocol

from tools.domain import Account, ActionPlan, Bundle, LiveQuery, Person, PlanRecord, Verdict, Warehouse
from tools.finding import FindingRecord, FindingState, ScanStamp
from tools.preferences import Preferences

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "Clock",
    "Coverage",
    "FilterColumn",
    "FindingView",
    "GroupBy",
    "ModelUse",
    "PlanStore",
    "PolicyView",
    "Retriever",
    "Rows",
    "ToolContext",
    "UsageQuery",
    "UsageReader",
    "UsageSource",
    "WarehouseWriter",
    "WriteReceipt",
]

UsageSource = Literal["metering", "services", "billed", "queries", "attribution"]
"""WAREHOUSE_METERING_HISTORY, METERING_HISTORY, METERING_DAILY_HISTORY, QUERY_HISTORY, QUERY_ATTRIBUTION_HISTORY."""

GroupBy = Literal["total", "warehouse", "user", "role", "database", "query_tag", "query_type", "service_type"]
FilterColumn = Literal["warehouse", "user", "role", "database", "query_tag", "query_type", "service_type"]


@dataclass(frozen=True)
class UsageQuery:
    """One aggregation, pushed down as SQL. Rows belong to [start, end) by their start time.

    Result columns by source, beside `key` (str or NULL, always present; 'total' when by is total) and `slot`
    (UTC start of the slot, only when slot_minutes is set):
      metering     credits_used, credits_compute, credits_cloud_services, credits_attributed, warehouse_ids
      services     credits_used, credits_compute, credits_cloud_services
      billed       credits_used, credits_compute, credits_cloud_services, credits_adjustment, credits_billed
                   (slot is the UTC day; slot_minutes must be None or 1440)
      queries      queries, failures, bytes_scanned, bytes_written, bytes_spilled_local, bytes_spilled_remote,
                   queued_overload_s, queued_provisioning_s, queued_repair_s, execution_s, elapsed_s,
                   credits_cloud_services
      attribution  credits_attributed, queries
    Warehouse rows of the pseudo warehouse CLOUD_SERVICES_ONLY are left out when `by` or a filter names
    warehouses, and kept in totals.
    """

    source: UsageSource
    start: datetime
    end: datetime
    by: GroupBy = "total"
    slot_minutes: int | None = None
    filters: Mapping[FilterColumn, tuple[str, ...]] = field(default_factory=dict)
    """Exact values, bound as parameters; the empty string stands for NULL."""
    order_by: str | None = None
    """A result column, descending; ties by key."""
    limit: int | None = None


@dataclass(frozen=True)
class Rows:
    """A result with types already converted (float, int, str, aware datetimes, None), and the query's id."""

    frame: pd.DataFrame
    query_id: str


@dataclass(frozen=True)
class Coverage:
    """How far one view reaches, by the rules of design.md section 4."""

    view: str
    now: datetime
    """Account time this was computed at."""
    latency: timedelta
    first: datetime | None
    """Start of the first visible row; None when the view is empty."""
    newest_end: datetime | None
    complete_until: datetime
    """now - latency."""
    covered_until: datetime
    """The later of complete_until and the newest END_TIME, at most now."""


class Clock(Protocol):
    """Wall time: expiry, rate limits, locks, audit stamps. Account time comes from the reader."""

    def now(self) -> datetime:
        """Aware, UTC."""
        ...


class UsageReader(Protocol):
    """Everything Frostline may learn of an account; the identity behind it cannot write."""

    def account(self) -> Account: ...

    def now(self) -> datetime:
        """Account time (aware UTC): stored on the demo account, `now` of an import, CURRENT_TIMESTAMP live."""
        ...

    def warehouses(self) -> tuple[Warehouse, ...]:
        """SHOW WAREHOUSES, as far as this identity may see."""
        ...

    def known_warehouses(self) -> tuple[str, ...]:
        """Names in WAREHOUSE_METERING_HISTORY or QUERY_HISTORY of the last 90 days: usage without SHOW."""
        ...

    def coverage(self, view: str) -> Coverage: ...

    def usage(self, query: UsageQuery) -> Rows: ...

    def names(self, column: FilterColumn, start: datetime, end: datetime, limit: int = 500) -> tuple[str, ...]:
        """Distinct values of a column in the window, most queries first (warehouse: see known_warehouses)."""
        ...

    def sql(self, name: str, params: Mapping[str, Any]) -> Rows:
        """Run `tools/warehouse/sql/<name>.sql` with bound parameters."""
        ...

    def live_queries(self, warehouse: str | None = None) -> tuple[LiveQuery, ...]:
        """Running and queued statements (INFORMATION_SCHEMA.QUERY_HISTORY), newest first.

        Raises:
            NoPermission: without MONITOR on the warehouse; callers say "not known", never 0.
        """
        ...

    def live_query(self, query_id: str) -> LiveQuery | None:
        """The statement if it is running or queued now, else None."""
        ...

    def tasks_due(self, warehouse: str, within: timedelta) -> int:
        """Runs of tasks on it that are scheduled to begin within that time from the present (TASK_HISTORY's SCHEDULED
        rows; a task behind another one has none before that one has run).

        Raises:
            NoPermission: without MONITOR EXECUTION, or where a run's warehouse is not shown; callers say "not known",
                never 0.
        """
        ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class WriteReceipt:
    query_id: str
    message: str


class WarehouseWriter(Protocol):
    """The one door to a change; held by the execute node alone and by no ToolContext."""

    def execute(self, statement: str) -> WriteReceipt:
        """Run exactly one statement.

        Raises:
            OutcomeUnknown: the network failed; the statement may or may not have run.
            NoPermission, StatementFailed, Unreachable: it did not run.
        """
        ...

    def close(self) -> None: ...


class PlanStore(Protocol):
    """What tools may do with plans: store new ones and read; never decide or apply."""

    def propose(self, plans: Sequence[ActionPlan], bundle: Bundle | None = None) -> None:
        """Store frozen plans in state `proposed`, with their audit entries, in one transaction."""
        ...

    def get(self, plan_id: str) -> PlanRecord:
        """
        Raises:
            PlanConflict: reason not_found.
        """
        ...

    def open_plans(self, warehouse: str | None = None) -> tuple[PlanRecord, ...]:
        """Plans that are not final, oldest first."""
        ...

    def applied_since(self, since: datetime) -> int:
        """How many plans were applied since then (wall time), for per-hour limits."""
        ...


class PolicyView(Protocol):
    """What policy says; pure functions of their arguments."""

    def verdict(
        self,
        *,
        action: str,
        warehouse: str,
        before: Mapping[str, Any],
        target: Mapping[str, Any],
        requester: Person,
        at: datetime,
        undo: bool = False,
    ) -> Verdict:
        """The first matching rule decides; default deny. `undo`: back to what the warehouse had before."""
        ...

    def may_see_text(self, person: Person) -> bool:
        """Query text and per-user figures (analyst and above)."""
        ...

    def may_propose(self, person: Person) -> bool: ...


class FindingView(Protocol):
    """What scans have found; reading only."""

    def list(
        self,
        states: Sequence[FindingState] | None = None,
        *,
        now: datetime | None = None,
        since: datetime | None = None,
        limit: int = 500,
    ) -> tuple[FindingRecord, ...]:
        """Newest first. `now`: account time, at which a snooze may be over; `since`: only what went on after it."""
        ...

    def last_scan(self) -> ScanStamp | None:
        """The last scan that came to its end; None where there was none."""
        ...


class Retriever(Protocol):
    """Best practices and people's own pages; `agent.library` opens the knowledge package behind it."""

    def search(
        self, text: str, k: int = 5, *, where: Mapping[str, str | Sequence[str]] | None = None
    ) -> Sequence[Mapping[str, Any]]:
        """The nearest passages, best first, as `knowledge.model.Passage.as_json`; empty where none is near enough.

        `where`: applies_to, severity, origin -> the value, or the values any of which will do.

        Raises:
            BadSettings: the knowledge base cannot be opened.
        """
        ...

    def notes(self) -> tuple[str, ...]:
        """What is left out or does not work in it, for people."""
        ...


@dataclass(frozen=True)
class ModelUse:
    """What language models have used in [start, end), a UTC day up to now; what is put aside for this turn included."""

    start: datetime
    end: datetime
    requests: int
    tokens: int
    usd: float


@dataclass(frozen=True)
class ToolContext:
    """All a tool may use. Frozen; made anew for each turn by agent.runtime."""

    reader: UsageReader
    plans: PlanStore
    policy: PolicyView
    clock: Clock
    person: Person
    thread: str | None
    new_id: Callable[[], str]
    """Random ids arrive from outside, so that tests can fix them."""
    asked_for_change: bool = False
    """Whether the person's own words of this turn ask for a change (decided before any model speaks)."""
    plan_ttl: timedelta = timedelta(minutes=30)
    retriever: Retriever | None = None
    model_use: Callable[[], ModelUse | None] | None = None
    """Today's language models; None: there are none."""
    findings: FindingView | None = None
    preferences: Preferences = field(default_factory=Preferences)
    """Budgets, holidays and planned work, by the profile."""
