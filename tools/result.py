"""The one envelope every tool answers with, and the facts that replies are made of.

A number is a claim: whatever a reply says stands in a `Fact` with its source view, window, unit and "as of".
Zero, no data, no permission and not yet loaded are four different statuses.
"""

from __future__ import annotations

from typing import Generic, Literal, TypeVar

from pydantic import AwareDatetime, BaseModel, Field

from tools.domain import Frozen

__all__ = ["Fact", "Source", "Status", "ToolResult", "Unit", "Window"]

Status = Literal["ok", "no_data", "no_permission", "not_loaded", "needs_approval", "error"]
Unit = Literal["credits", "USD", "%", "count", "s", "bytes", "name", "time"]


class Window(Frozen):
    """Half-open [start, end); `tz` is the zone whose days it was cut by."""

    start: AwareDatetime
    end: AwareDatetime
    tz: str


class Fact(Frozen):
    """One claim. Times are ISO-8601 with offset, % is 0-100, values are unrounded."""

    id: str
    label: str
    value: float | int | str | None
    unit: Unit
    entity: str | None = None
    """The warehouse, user, day, ... the value belongs to; None for a total."""
    window: Window | None = None
    source: str
    """View, SHOW command or formula over other facts' ids."""
    as_of: AwareDatetime


class Source(Frozen):
    """Where figures came from and how fresh that is."""

    view: str
    as_of: AwareDatetime
    covered_until: AwareDatetime | None = None
    latency_seconds: int = 0
    """The documented maximum latency of the view."""


DataT = TypeVar("DataT", bound=BaseModel)


class ToolResult(Frozen, Generic[DataT]):
    status: Status
    data: DataT | None = None
    window: Window | None = None
    complete: bool = True
    """False where the window reaches past what is sure to be loaded."""
    sources: tuple[Source, ...] = ()
    query_ids: tuple[str, ...] = ()
    facts: tuple[Fact, ...] = ()
    message: str = ""
    """For people; figures and names in it stand in `facts` too."""
    hint: str | None = Field(default=None)
    """What the caller could change: a nearer name, another window, the GRANT that is missing."""
