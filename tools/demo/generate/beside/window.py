"""The window that is to be filled, and the small change of making rows for it.

A row belongs to the window in which its time ends (the `end` column of `tools.warehouse.views`):
`since < end <= until`. So 83 days and then 7 are the same rows as 90 days at once, whatever hour lies between.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from tools.demo.generate.beside.chance import Floats, Ints
from tools.demo.generate.model import Beside
from tools.warehouse.views import ALL_VIEWS, ColumnType

__all__ = ["DAY_US", "HOUR_US", "Window", "moments", "rows", "words"]

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
_EPOCH_ORDINAL = 719_163
"""1970-01-01."""

_ARROW: dict[ColumnType, pa.DataType] = {
    "V": pa.string(),
    "N": pa.int64(),
    "F": pa.float64(),
    "B": pa.bool_(),
    "TS": pa.timestamp("us", tz="UTC"),
    "D": pa.date32(),
    "A": pa.string(),
    "VAR": pa.string(),
}


_COLUMNS = (
    *("QUERY_ID", "QUERY_TEXT", "QUERY_TYPE", "QUERY_TAG", "QUERY_HASH", "QUERY_HASH_VERSION"),
    *("QUERY_PARAMETERIZED_HASH", "QUERY_PARAMETERIZED_HASH_VERSION", "DATABASE_ID", "DATABASE_NAME", "SCHEMA_ID"),
    *("SCHEMA_NAME", "SESSION_ID", "USER_NAME", "WAREHOUSE_ID", "WAREHOUSE_NAME", "WAREHOUSE_SIZE", "WAREHOUSE_TYPE"),
    *("EXECUTION_STATUS", "ERROR_CODE", "ERROR_MESSAGE", "START_TIME", "END_TIME", "TOTAL_ELAPSED_TIME"),
    *("EXECUTION_TIME", "COMPILATION_TIME", "TRANSACTION_BLOCKED_TIME", "QUEUED_OVERLOAD_TIME", "BYTES_SCANNED"),
    *("BYTES_READ_FROM_RESULT", "BYTES_SPILLED_TO_REMOTE_STORAGE", "PARTITIONS_SCANNED", "PARTITIONS_TOTAL"),
    "TRANSACTION_ID",
)


@dataclass(frozen=True)
class Window:
    """A `Beside` as the writers of views see it: whole hours and days, in numbers since 1970."""

    beside: Beside

    @property
    def seed(self) -> int:
        return self.beside.seed

    @cached_property
    def queries(self) -> pa.Table:
        """Those that ended in the window."""
        found = self.all_queries
        ended = found.column("END_TIME").cast(pa.timestamp("us", tz="UTC"))
        return found.filter(pc.greater(ended, pa.scalar(self.beside.since, type=ended.type)))

    @cached_property
    def all_queries(self) -> pa.Table:
        """Those of the window and of the day before it: for sessions, attempts and hourly sums that span its border.

        With the columns that the views are made from: moving the others about would take most of the time.
        """
        return self.beside.queries.select(list(_COLUMNS))

    @cached_property
    def since_us(self) -> int:
        return _microseconds(self.beside.since)

    @cached_property
    def until_us(self) -> int:
        return _microseconds(self.beside.until)

    @cached_property
    def first_day(self) -> int:
        """Days since 1970."""
        return self.beside.first.toordinal() - _EPOCH_ORDINAL

    @cached_property
    def hours(self) -> Ints:
        """Every hour that ends in the window, in hours since 1970."""
        return np.arange(self.since_us // HOUR_US, self.until_us // HOUR_US, dtype=np.int64)

    @cached_property
    def days(self) -> Ints:
        """Every UTC day that ends in the window, in days since 1970."""
        return np.arange(self.since_us // DAY_US, self.until_us // DAY_US, dtype=np.int64)

    @cached_property
    def touched_hours(self) -> Ints:
        """Every hour that the window touches; for events, which are then cut to the window."""
        return np.arange(self.since_us // HOUR_US, -(-self.until_us // HOUR_US), dtype=np.int64)

    def ends_inside(self, end_us: Ints) -> Any:
        return (end_us > self.since_us) & (end_us <= self.until_us)

    def local(self, hours: Ints) -> tuple[Ints, Ints]:
        """Hour of the day and weekday (0 is Monday) in the account's zone, of hours since 1970."""
        zone = ZoneInfo(self.beside.timezone)
        stamps = pd.to_datetime(hours * 3600, unit="s", utc=True).tz_convert(zone)
        return stamps.hour.to_numpy().astype(np.int64), stamps.day_of_week.to_numpy().astype(np.int64)

    def office(self, hours: Ints) -> Floats:
        """How busy people are, 1 at a weekday's best hours."""
        hour, weekday = self.local(hours)
        return _OFFICE[hour] * np.where(weekday >= 5, 0.12, 1.0)


_BUSY = "0.02 0.01 0.01 0.01 0.02 0.05 0.15 0.4 0.8 1 1 0.95 0.7 0.8 0.95 0.9 0.8 0.5 0.25 0.15 0.1 0.07 0.05 0.03"
_OFFICE = np.array([float(share) for share in _BUSY.split()])
"""By local hour."""


def _microseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1e6)


def moments(us: Ints | Sequence[int | None]) -> pa.Array:
    """Microseconds since 1970 as UTC timestamps."""
    return pa.array(us, type=pa.int64()).cast(pa.timestamp("us", tz="UTC"))


def words(codes: Ints, values: Sequence[str | None]) -> pa.Array:
    """Text with few distinct values: `values[code]`."""
    return pa.array(list(values), type=pa.string()).take(pa.array(codes))


def rows(view: str, columns: Mapping[str, Any], count: int | None = None) -> pa.Table:
    """Rows of the view with all of its columns in order; a column that is not given is NULL, a single value repeats.

    Timestamps are given as microseconds since 1970, dates as days since 1970, arrays and variants as JSON text.
    """
    spec = ALL_VIEWS[view].columns
    unknown = set(columns) - set(spec)
    if unknown:
        raise KeyError(f"{view} has no {sorted(unknown)}")
    if count is None:
        count = next(len(value) for value in columns.values() if not isinstance(value, _SINGLE))
    arrays = [_column(columns.get(name), kind, count) for name, kind in spec.items()]
    return pa.table(dict(zip(spec, arrays, strict=True)))


_SINGLE = (str, int, float, bool, type(None))


def _column(value: Any, kind: ColumnType, count: int) -> pa.Array | pa.ChunkedArray:
    wanted = _ARROW[kind]
    if value is None:
        return pa.nulls(count, wanted)
    if isinstance(value, _SINGLE):
        return pa.repeat(pa.scalar(value, type=wanted), count)
    if isinstance(value, np.ma.MaskedArray):
        value = pa.array(value.data, mask=np.ma.getmaskarray(value))
    elif not isinstance(value, pa.Array | pa.ChunkedArray):
        value = pa.array(value, from_pandas=True) if len(value) else pa.nulls(0, wanted)
    if value.type == wanted:
        return value
    if kind in ("TS", "D") and not pa.types.is_temporal(value.type):
        value = value.cast(pa.int32() if kind == "D" else pa.int64())
    return value.cast(wanted)
