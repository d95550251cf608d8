"""What `detect_anomalies` takes and gives back."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from tools.charts import Chart
from tools.domain import Frozen
from tools.history.measures import SeriesBy, WatchMetric
from tools.ml.anomaly import Kind
from tools.result import Window
from tools.usage.model import UsageFilters

__all__ = ["DEFAULT_SINCE", "AnomaliesArgs", "AnomaliesData", "AnomalyRow", "LookedAt", "RelatedRow"]

DEFAULT_SINCE = "past 168 hours"
"""A week, up to the last hour that is loaded."""


class AnomaliesArgs(BaseModel):
    """Arguments of `detect_anomalies`."""

    model_config = ConfigDict(extra="forbid")

    window: Annotated[str, Field(max_length=200)] = Field(
        DEFAULT_SINCE, description="A phrase: 'since Monday', 'yesterday', 'last week', 'past 24 hours', ..."
    )
    metrics: list[WatchMetric] = Field(
        default=[], max_length=8, description="Only these, e.g. queue_seconds, failures; empty for all that is watched."
    )
    by: SeriesBy | None = Field(None, description="Only series of one kind: warehouse, user, service_type, total, ...")
    filters: UsageFilters = Field(default_factory=UsageFilters, description="Only these warehouses, users or services.")
    top: Annotated[int, Field(ge=1, le=30)] = Field(5, description="At most so many findings, the costliest first.")


class RelatedRow(Frozen):
    """Something else that was odd at the same time for the same cause."""

    metric: WatchMetric
    entity: str
    kind: Kind
    words: str
    figures: dict[str, str]


class AnomalyRow(Frozen):
    metric: WatchMetric
    entity: str
    warehouse: str | None
    kind: Kind
    start: AwareDatetime
    end: AwareDatetime
    open: bool
    """Still going on at the last hour that is loaded."""
    credits: float | None
    """Beyond the expected over the whole time, signed; None where the metric has no price."""
    words: str
    """What is odd about what, without names and figures."""
    figures: dict[str, str]
    """actual, expected, low, high, excess, credits, usd, longer (of the pace), duration, start, end,
    confidence, entity -> fact id."""
    related: tuple[RelatedRow, ...] = ()


class LookedAt(Frozen):
    title: str
    by: str
    series: int
    view: str
    until: AwareDatetime


class AnomaliesData(Frozen):
    rows: tuple[AnomalyRow, ...]
    """One a cause, the costliest first."""
    found: int
    """Before they were cut to `top`."""
    filters: dict[str, list[str]]
    label: str
    asked: Window
    convention: str
    notes: tuple[str, ...] = ()
    looked_at: tuple[LookedAt, ...]
    chart: Chart | None = None
    """Of the first finding."""
    figures: dict[str, str]
    """found, series, covered_until, credits, usd -> fact id."""
