"""What a workload is made of: statements, when they arrive, and the warehouses they run on. Data only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from tools.domain import Size

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Batch", "Beside", "Every", "Habit", "InFlight", "Resizing", "Statement", "Stream", "Warehouse"]


@dataclass(frozen=True)
class Statement:
    """One kind of statement. Times are those of a Medium warehouse; sizes are medians of log-normals."""

    key: str
    """What it is about; equal keys have one parameterized hash."""
    kind: str
    """QUERY_TYPE."""
    text: str
    """`{n}` and `{day}` are replaced by literals."""
    seconds: float = 1.0
    spread: float = 1.25
    """Standard deviation of the log of the seconds."""
    megabytes: float = 100.0
    slots: int = 1
    """Share of a cluster's 8 slots it takes."""
    variety: int = 1000
    """How many literals there are: 1 is a statement that always reads the same."""
    fails: float = 0.01
    failure: str = "100038"
    """The usual error of its run-time failures."""
    database: str = "ANALYTICS"
    schema: str = "CORE"
    share: float = 1.0
    """Weight in its habit's mix."""
    intermediate: float = 0.15
    """Median of intermediate data over bytes scanned; what does not fit into memory spills."""


Profile = Literal["office", "long", "mornings"]


@dataclass(frozen=True)
class Stream:
    """People and services that come as they please: over-dispersed, with the rhythm of day and week."""

    per_day: float
    weekend: float = 0.15
    profile: Profile = "office"
    month_end: float = 1.0


@dataclass(frozen=True)
class Batch:
    """A scheduled job: at these local hours and minutes, `count` statements within `seconds`."""

    hours: tuple[int, ...]
    minute: int
    count: int
    seconds: float
    weekdays_only: bool = False
    in_order: bool = False
    """Statements one after the other as listed, not drawn."""
    month_end: float = 1.0


@dataclass(frozen=True)
class Every:
    """A poller."""

    minutes: float
    jitter_seconds: float = 2.0


@dataclass(frozen=True)
class InFlight:
    """A statement that must be running or waiting at the account's now."""

    warehouse: str
    user: str
    role: str
    statement: Statement
    seconds_ago: float
    runs_for: float


@dataclass(frozen=True)
class Habit:
    warehouse: str
    users: tuple[str, ...]
    role: str
    arrivals: Stream | Batch | Every | InFlight
    statements: tuple[Statement, ...]
    tag: Literal["", "dbt", "bi", "job"] = ""
    tag_text: str = ""


@dataclass(frozen=True)
class Resizing:
    """A scheduled resize and its way back, every day at these local hours."""

    size: Size
    from_hour: int
    to_hour: int
    user: str
    role: str


@dataclass(frozen=True)
class Warehouse:
    """One warehouse, or one life of it: a re-created warehouse is two with the same name."""

    id: int
    name: str
    size: Size | None
    """None for an adaptive one."""
    auto_suspend: int | None
    """Seconds; None is never."""
    type: str = "STANDARD"
    generation: str | None = "1"
    resource_constraint: str | None = None
    min_clusters: int = 1
    max_clusters: int = 1
    provisioning: float = 1.3
    """Median seconds to resume."""
    owner: str = "SYSADMIN"
    comment: str = ""
    created_days_ago: float = 400.37
    dropped_days_ago: float | None = None
    resizing: Resizing | None = None


@dataclass(frozen=True)
class Beside:
    """What the views that do not follow from warehouse queries are written from: one window of the account.

    Rows are a pure function of (seed, UTC day[, queries of the window]), so that 90 days at once equal 83 and
    then 7: a row belongs to the window in which it ends (the day's rows of a daily view: to the window that holds
    the end of that UTC day; what is a snapshot, not a history, is written whole for `until` and replaces the rows
    of the window before).
    """

    seed: int
    first: datetime
    """UTC midnight of the day the account's history begins; the same for every window of an account."""
    since: datetime
    """UTC. A row with `since` < its end <= `until` belongs to this window."""
    until: datetime
    """UTC; for the last window the account's now."""
    timezone: str
    """The people's zone: office hours, weekends and holidays are theirs."""
    queries: pa.Table
    """The QUERY_HISTORY rows that ended in the window, in order of START_TIME, with the columns of
    tools.warehouse.views (all that the generator fills; text columns may be dictionaries: cast where needed).
    Rows of tasks carry QUERY_TAG {"task": NAME} and ROLE_NAME TASKS."""
    warehouses: tuple[Warehouse, ...]
    """The warehouses as the catalog has them, all lives; names repeat."""
    precursors: bool = False
    """Whether failures of this account announce themselves."""
