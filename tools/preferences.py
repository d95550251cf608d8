"""What a profile says about budgets, holidays and planned work; agent.settings fills it, tools read it."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import AwareDatetime, Field, model_validator

from tools.domain import Frozen

__all__ = ["Contract", "PlannedWork", "Preferences"]


class Contract(Frozen):
    """Capacity bought for a term: `credits` or `usd`, from `start` to `end` (the last day of the term).

    The account's views keep a year. Of an older term, `used` says what was used of it by the end of `used_on`.
    """

    start: date
    end: date
    credits: float | None = Field(default=None, gt=0)
    usd: float | None = Field(default=None, gt=0)
    used: float | None = Field(default=None, ge=0)
    used_on: date | None = None

    @model_validator(mode="after")
    def _one_amount_over_a_term(self) -> Contract:
        if (self.credits is None) == (self.usd is None):
            raise ValueError("a contract has an amount in credits or in usd, and not in both")
        if self.end < self.start:
            raise ValueError("a contract ends after it starts")
        if (self.used is None) != (self.used_on is None):
            raise ValueError("what was used of a contract needs the day by which it was: used and used_on")
        if self.used_on is not None and not self.start <= self.used_on <= self.end:
            raise ValueError("used_on is a day of the contract")
        return self


class PlannedWork(Frozen):
    """Work that was announced: what happens in it is no anomaly."""

    start: AwareDatetime
    end: AwareDatetime
    warehouse: str | None = None
    """None: the whole account."""
    note: str = ""


class Preferences(Frozen):
    country: str | None = None
    """ISO 3166 code whose public holidays are known in advance."""
    monthly_credits: float | None = Field(default=None, gt=0)
    monthly_usd: float | None = Field(default=None, gt=0)
    contract: Contract | None = None
    planned: tuple[PlannedWork, ...] = ()
    threshold: float | None = Field(default=None, gt=0, lt=1)
    """Of `tools.ml.anomaly`; None: the calibrated one."""
    false_alarms: float | None = Field(default=None, gt=0, le=10)
    """Findings per series and week that chance may raise; None: the calibrated budget."""
    forecast_jobs: int = Field(default=1, ge=1, le=64)
    forecast_backend: Literal["loky", "threading", "multiprocessing", "dask", "ray"] = "loky"
