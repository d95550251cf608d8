"""What `query_usage` takes and gives back."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from tools.context import FilterColumn
from tools.domain import Frozen
from tools.result import Unit, Window
from tools.usage.metrics import Breakdown, Metric
from tools.windows.parse import DEFAULT_WINDOW

__all__ = ["UsageArgs", "UsageData", "UsageFilters", "UsageRow"]

LONG_WINDOWS = {"week": "last 8 weeks", "month": "last 3 months"}
"""What is meant where no window is said with a breakdown by these."""
_Name = Annotated[str, Field(max_length=256)]
_Names = Annotated[list[_Name], Field(max_length=20)]


class UsageFilters(BaseModel):
    """Only rows of these; names as the person wrote them. '(none)' stands for rows without one."""

    model_config = ConfigDict(extra="forbid")

    warehouse: _Names = []
    user: _Names = []
    role: _Names = []
    database: _Names = []
    query_tag: _Names = []
    query_type: _Names = []
    service_type: _Names = []

    def given(self) -> dict[FilterColumn, list[str]]:
        """The filters that are set."""
        return {column: list(names) for column, names in self.model_dump().items() if names}  # type: ignore[misc]


class UsageArgs(BaseModel):
    """Arguments of `query_usage`."""

    model_config = ConfigDict(extra="forbid")

    metric: Metric = Field("credits", description="What to measure.")
    by: Breakdown = Field("total", description="One row for each of these; 'total' for one figure.")
    window: Annotated[str, Field(max_length=200)] = Field(
        DEFAULT_WINDOW,
        description="A phrase: 'yesterday', 'last 7 days', 'this month', 'since Monday', 'Nov 3 to Nov 9', ...",
    )
    filters: UsageFilters = Field(default_factory=UsageFilters, description="Only these warehouses, users, ...")
    top: Annotated[int, Field(ge=1, le=100)] | None = Field(
        None, description="How many rows, largest first; names default to 20, times to all in order."
    )
    ascending: bool = Field(False, description="Smallest first; known warehouses without usage count as 0.")
    compare: bool = Field(False, description="Also the window before, cut to the same length where this one is.")
    include_idle: bool = Field(
        False, description="Spread each warehouse's idle credits over its queries' owners (attributed credits only)."
    )

    @model_validator(mode="before")
    @classmethod
    def _reach_back(cls, given: Any) -> Any:
        """Weeks and months of the default window would be a single cut one."""
        if isinstance(given, dict) and "window" not in given and given.get("by") in LONG_WINDOWS:
            return {**given, "window": LONG_WINDOWS[given["by"]]}
        return given


class UsageRow(Frozen):
    key: str | None
    """A name (None: rows without one) or the bucket's local start, ISO."""
    start: AwareDatetime | None = None
    """Start of a time bucket."""
    value: float | None
    share: float | None = None
    """Percent of the total; None for ratios and a total of 0."""
    previous: float | None = None
    fact: str
    previous_fact: str | None = None


class UsageData(Frozen):
    """Rows and total with the ids of their facts; ids also in `figures` by what they are."""

    metric: Metric
    title: str
    unit: Unit
    by: Breakdown
    filters: dict[str, list[str]]
    """Exact names, resolved."""
    label: str
    """The window in words."""
    asked: Window
    """The window as asked, up to now; the result's `window` is the part that is answered."""
    convention: str
    """Sentences that name how the window and the metric were read."""
    notes: tuple[str, ...] = ()
    total: float | None
    rows: tuple[UsageRow, ...] = ()
    groups: int = 0
    """How many rows there are in all; more than len(rows) when cut by `top`."""
    all_groups: bool = True
    """False where there are more than `groups`; the remainder counts them all the same."""
    rest: float | None = None
    """The total of what `rows` leaves out."""
    previous: float | None = None
    previous_window: Window | None = None
    change: float | None = None
    """Percent against the window before; None without one or from 0."""
    figures: dict[str, str]
    """total, previous, rest, groups, credits, price, warehouses, billed, adjustment, covered_until -> fact id."""
