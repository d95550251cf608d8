"""What a workload is made of: statements, when they arrive, and the warehouses they run on. Data only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from tools.domain import Size

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = [
    "Batch",
    "Beside",
    "Every",
    "Habit",
    "Planted",
    "Resizing",
    "Staged",
    "Statement",
    "Stream",
    "Warehouse",
]


@dataclass(frozen=True)
class Statement:
    """One kind of statement. Times are those of a Medium warehouse; sizes are medians of log-normals."""

    key: str
    """What it is about."""
    kind: str
    """QUERY_TYPE."""
    text: str
    """`{n}` and `{day}` are replaced by literals. Equal texts have one parameterized hash."""
    seconds: float = 1.0
    spread: float = 1.25
    """Standard deviation of the log of the seconds."""
    megabytes: float = 100.0
    slots: int = 1
    """How many of a cluster's slots it takes."""
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
    cloud: float = 0.0
    """Seconds of cloud services work beyond compiling."""
    rows: int | None = None
    """How many rows it writes; None: as many as its bytes hold."""


Profile = Literal["office", "long", "mornings", "flat"]


@dataclass(frozen=True)
class Stream:
    """People and services that come as they please: over-dispersed, with the rhythm of day and week."""

    per_day: float = 0.0
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
class Staged:
    """Statements that must be running or waiting at the account's now."""

    seconds_ago: tuple[float, ...]
    runs_for: float


@dataclass(frozen=True)
class Planted:
    """Statements that an incident sends; it says when and how many (incidents.py)."""


@dataclass(frozen=True)
class Habit:
    key: str
    """Names its source of chance: another key, other arrivals."""
    warehouse: str
    users: tuple[str, ...]
    role: str
    arrivals: Stream | Batch | Every | Staged | Planted
    statements: tuple[Statement, ...]
    tag: Literal["", "dbt", "bi", "job", "task"] = ""
    tag_text: str = ""
    migration: Literal["", "before", "after"] = ""
    """Which side of the planned migration it lives on."""

    @property
    def human(self) -> bool:
        return not (self.users[0].endswith("_SVC") or self.users[0] == "SYSTEM")


@dataclass(frozen=True)
class Resizing:
    """A scheduled resize and its way back, every day at these local hours."""

    steps: int
    from_hour: int
    to_hour: int
    user: str
    role: str


@dataclass(frozen=True)
class Warehouse:
    """One warehouse, or one life of it: a re-created warehouse is two with the same name."""

    id: int
    name: str
    size: Size | None = None
    """None for an adaptive one."""
    auto_suspend: int | None = None
    """Seconds; None is never."""
    type: str = "STANDARD"
    generation: str | None = "1"
    resource_constraint: str | None = None
    min_clusters: int = 1
    max_clusters: int = 1
    scaling_policy: str = "STANDARD"
    provisioning: float = 1.3
    """Median seconds to resume."""
    owner: str = "SYSADMIN"
    comment: str = ""
    created: float = -310.37
    """Days after the history begins."""
    dropped: float | None = None
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
    Before them stand those that ended in the 26 hours before the window, for what spans its border: sessions,
    attempts of a task, sums by hour.
    Rows of tasks carry QUERY_TAG {"task": NAME} and ROLE_NAME TASKS."""
    warehouses: tuple[Warehouse, ...]
    """The warehouses as the catalog has them, all lives; names repeat."""
    precursors: bool = False
    """Whether failures of this account announce themselves."""
