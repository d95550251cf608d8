"""What `budget` takes and gives back."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from tools.charts import Chart
from tools.domain import Frozen
from tools.result import Window
from tools.usage.model import UsageFilters

__all__ = ["BudgetArgs", "BudgetData", "MoneyUnit", "Period"]

MoneyUnit = Literal["USD", "credits"]
Period = Literal["month", "quarter", "year", "contract"]


class BudgetArgs(BaseModel):
    """Arguments of `budget`."""

    model_config = ConfigDict(extra="forbid")

    amount: Annotated[float, Field(gt=0, le=1e12)] | None = Field(
        None, description="The budget, where the person names one; else the one in the settings."
    )
    unit: MoneyUnit = Field("USD", description="What `amount` is in.")
    period: Period = Field(
        "month", description="The running month, quarter or year; 'contract' for the capacity contract in the settings."
    )
    window: SkipJsonSchema[str | None] = None
    """A time to come instead of what is running, e.g. 'next month', 'in December'. Models are not offered it yet."""
    filters: UsageFilters = Field(default_factory=UsageFilters, description="Only these warehouses.")


class BudgetData(Frozen):
    period: Period
    unit: MoneyUnit
    title: str
    filters: dict[str, list[str]]
    label: str
    asked: Window
    level: str = "80 % interval"
    convention: str
    notes: tuple[str, ...] = ()
    verdict: Literal["over", "likely_over", "open", "likely_within", "within", "not_known", "no_budget"]
    """By the probability of running over: above 97.5 %, 80 %, 20 %, 2.5 %, below; not_known where the term began before
    the view does and what is known of it does not run over by itself; no_budget without an amount."""
    overrun_percent: float | None = None
    """Probability of running over, 0 to 100."""
    runs_out_at: AwareDatetime | None = None
    """When the expected course passes the amount; None where it does not."""
    days: dict[str, str] = Field(default_factory=dict)
    """runs_out, earliest, latest -> the local day (ISO) on which the sum passes the amount: as expected, and by the
    ends of the 80 % interval."""
    chart: Chart | None = None
    figures: dict[str, str]
    """budget, actual, ahead, total, low, high, low95, high95, difference, overrun, runs_out, earliest, latest, a_day,
    share, wape, accuracy, from, covered_until -> fact id; only those that there are."""
