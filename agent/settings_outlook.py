"""`[budget]`, `[forecast]` and `[anomalies]` of a profile: what tools know of budgets, holidays and planned work."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from tools.preferences import Contract, PlannedWork, Preferences

__all__ = ["AnomalySettings", "BudgetSettings", "ForecastSettings", "PlannedSettings", "preferences_of"]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class BudgetSettings(_Section):
    """docs/forecasts.md has examples."""

    monthly_usd: float | None = Field(default=None, gt=0)
    monthly_credits: float | None = Field(default=None, gt=0)
    contract_usd: float | None = Field(default=None, gt=0)
    contract_credits: float | None = Field(default=None, gt=0)
    contract_start: date | None = None
    contract_end: date | None = None
    """The last day of the term."""
    contract_used: float | None = Field(default=None, ge=0)
    """What was used of it by the end of contract_used_on, by the bill; the account's views keep a year only."""
    contract_used_on: date | None = None

    @model_validator(mode="after")
    def _whole(self) -> BudgetSettings:
        if self.monthly_usd is not None and self.monthly_credits is not None:
            raise ValueError("monthly_usd or monthly_credits, not both")
        self.contract()
        return self

    def contract(self) -> Contract | None:
        """
        Raises:
            ValueError: the contract is not whole, or its dates do not fit.
        """
        given = (self.contract_usd, self.contract_credits, self.contract_start, self.contract_end)
        if all(value is None for value in given):
            return None
        if self.contract_start is None or self.contract_end is None:
            raise ValueError("a contract needs contract_start and contract_end")
        return Contract(
            start=self.contract_start,
            end=self.contract_end,
            credits=self.contract_credits,
            usd=self.contract_usd,
            used=self.contract_used,
            used_on=self.contract_used_on,
        )


class ForecastSettings(_Section):
    country: str | None = Field(default=None, pattern=r"^[A-Za-z]{2}$")
    """ISO 3166 code, e.g. DE: its public holidays are known to forecasts and are no anomalies."""
    jobs: int = Field(default=1, ge=1, le=64)
    """Processes that fit series at the same time."""
    backend: Literal["loky", "threading", "multiprocessing", "dask", "ray"] = "loky"
    """joblib's; dask and ray need their package."""


class PlannedSettings(_Section):
    """Work that was announced: a migration, a backfill. Times without an offset are UTC."""

    start: datetime
    end: datetime
    warehouse: str | None = None
    note: str = Field(default="", max_length=200)

    @field_validator("start", "end")
    @classmethod
    def _aware(cls, value: datetime) -> datetime:
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> PlannedSettings:
        if self.end <= self.start:
            raise ValueError("planned work ends after it starts")
        return self


class AnomalySettings(_Section):
    threshold: float | None = Field(default=None, gt=0, lt=1)
    """What is raised: higher is calmer; None: the calibrated one."""
    false_alarms: float | None = Field(default=None, gt=0, le=10)
    """Findings per series and week that chance may raise; None: 0.01."""
    planned: tuple[PlannedSettings, ...] = ()


def preferences_of(budget: BudgetSettings, forecast: ForecastSettings, anomalies: AnomalySettings) -> Preferences:
    planned = tuple(PlannedWork(**_plain(item)) for item in anomalies.planned)
    return Preferences(
        country=forecast.country.upper() if forecast.country else None,
        monthly_credits=budget.monthly_credits,
        monthly_usd=budget.monthly_usd,
        contract=budget.contract(),
        planned=planned,
        threshold=anomalies.threshold,
        false_alarms=anomalies.false_alarms,
        forecast_jobs=forecast.jobs,
        forecast_backend=forecast.backend,
    )


def _plain(item: PlannedSettings) -> dict[str, Any]:
    return item.model_dump()
