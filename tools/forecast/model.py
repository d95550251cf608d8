"""What `run_forecast` takes and gives back."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from tools.charts import Chart
from tools.domain import Frozen
from tools.history.measures import SeriesBy, SeriesMetric, Step
from tools.result import Unit, Window
from tools.usage.model import UsageFilters
from tools.windows.future import DEFAULT_FUTURE

__all__ = ["ForecastArgs", "ForecastData", "ForecastRow", "ModelNote", "NotForecast"]


class ForecastArgs(BaseModel):
    """Arguments of `run_forecast`."""

    model_config = ConfigDict(extra="forbid")

    metric: SeriesMetric = Field("credits", description="What to forecast; 'cost' is credits in USD.")
    by: SeriesBy = Field("total", description="One row for each of these; 'total' for one figure and its course.")
    window: Annotated[str, Field(max_length=200)] = Field(
        DEFAULT_FUTURE,
        description="A phrase of the future: 'tomorrow', 'next 14 days', 'next month', 'by the end of the month', ...",
    )
    filters: UsageFilters = Field(default_factory=UsageFilters, description="Only these warehouses, users, ...")
    top: Annotated[int, Field(ge=1, le=50)] | None = Field(None, description="How many names, largest first.")


class ForecastRow(Frozen):
    """One name, or one stretch of the window (its local start in `key`)."""

    key: str
    start: AwareDatetime | None = None
    value: float
    low: float
    """Of the 80 % interval, as `high`."""
    high: float
    wape: float | None = None
    """Percent, in the backtest of this name's series; None where it is not known."""
    figures: dict[str, str]
    """value, low, high, wape -> fact id."""


class ModelNote(Frozen):
    name: str
    model: str
    why: str


class NotForecast(Frozen):
    """A series that is left out of the figures."""

    name: str
    why: str


class ForecastData(Frozen):
    metric: SeriesMetric
    title: str
    unit: Unit
    by: SeriesBy
    step: Step
    """The step of the series that were forecast."""
    row_kind: str
    """What a row is: hour, day, week, month, or the column of `by`."""
    filters: dict[str, list[str]]
    """Exact names, resolved."""
    label: str
    """The window in words."""
    level: str = "80 % interval"
    """Which interval `low` and `high` are the ends of."""
    asked: Window
    convention: str
    notes: tuple[str, ...] = ()
    rows: tuple[ForecastRow, ...] = ()
    rows_in_all: int = 0
    models: tuple[ModelNote, ...] = ()
    refused: tuple[NotForecast, ...] = ()
    accuracy: float | None = None
    """100 % less WAPE in the backtest; None where it is not known."""
    chart: Chart | None = None
    figures: dict[str, str]
    """total, low, high, low95, high95, actual, ahead, credits, price, wape, naive, accuracy, coverage80, coverage95,
    folds, from, covered_until -> fact id; only those that there are."""
