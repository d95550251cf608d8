"""What there is to know of one account view; `views` and `further_views` list them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

__all__ = ["ColumnType", "View", "columns_of"]

ColumnType = Literal["V", "N", "F", "B", "TS", "D", "A", "VAR"]
"""V varchar, N number, F float, B boolean, TS timestamp_ltz, D date, A array, VAR variant."""


@dataclass(frozen=True)
class View:
    """One ACCOUNT_USAGE view; `start` and `end` name the columns a row's time is read from.

    Both are empty for a view that shows the present and keeps no history, and `database_role` is empty where the
    documentation's table of database roles leaves the view out.
    """

    name: str
    latency: timedelta
    database_role: str
    start: str
    end: str
    columns: dict[str, ColumnType]

    @property
    def full_name(self) -> str:
        return f"SNOWFLAKE.ACCOUNT_USAGE.{self.name}"


def columns_of(spec: str) -> dict[str, ColumnType]:
    """`NAME:T NAME:T ...`, T left out means V."""
    table: dict[str, ColumnType] = {}
    for item in spec.split():
        name, _, kind = item.partition(":")
        table[name] = kind or "V"  # type: ignore[assignment]  # the spec below is ours and tested
    return table
