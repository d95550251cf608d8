"""From what Snowflake returns to plain values: the one place where types are converted.

Numbers arrive as Decimal, int8..int64 or double depending on the data (connector and server choose), times with
the session's zone, SHOW values as strings that mean booleans or nothing. After this module there are float,
int, str, bool, aware UTC datetimes and None.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tools.domain import Size, Warehouse
from tools.errors import BadArgument

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

__all__ = ["frame_of", "utc", "warehouse_of"]


def frame_of(table: pa.Table) -> pd.DataFrame:
    """Column names in lower case; by column:

    whole numbers int64 (object of int and None where some are NULL), other numbers float64 (NaN for NULL), times
    datetime64[us, UTC] (NaT for NULL), dates and text object with None, booleans bool or object with None.
    """
    import pandas as pd

    columns = {name.lower(): _series(table.column(name)) for name in table.column_names}
    return pd.DataFrame(columns)


def _series(column: pa.ChunkedArray) -> pd.Series:
    import pandas as pd
    import pyarrow as pa

    kind = column.type
    if pa.types.is_timestamp(kind):
        return pd.Series(pd.to_datetime(pd.Series(column.to_pandas()), utc=True)).astype("datetime64[us, UTC]")
    values = column.to_pylist()
    if pa.types.is_decimal(kind) and kind.scale > 0:
        return pd.Series([None if v is None else float(v) for v in values], dtype="float64")
    if pa.types.is_floating(kind):
        return pd.Series(values, dtype="float64")
    if pa.types.is_integer(kind) or pa.types.is_decimal(kind):
        whole = [None if v is None else int(v) for v in values]
        return pd.Series(whole, dtype="object" if column.null_count else "int64")
    if pa.types.is_boolean(kind) and not column.null_count:
        return pd.Series(values, dtype="bool")
    return pd.Series(values, dtype="object")


def utc(value: object) -> datetime | None:
    """A datetime as aware UTC; None for NULL. A naive one is taken as UTC: sessions run in UTC."""
    if not isinstance(value, datetime):
        return None
    plain = value.to_pydatetime() if hasattr(value, "to_pydatetime") else value
    aware: datetime = plain.replace(tzinfo=UTC) if plain.tzinfo is None else plain.astimezone(UTC)
    return aware


# --- SHOW WAREHOUSES -------------------------------------------------------------------------------------------


def warehouse_of(row: Mapping[str, Any]) -> Warehouse:
    """One row of SHOW WAREHOUSES by column name; absent columns are None (editions differ, reference 1.4)."""
    cells = {str(key).lower(): value for key, value in row.items()}

    def text(name: str) -> str | None:
        return _text(cells.get(name))

    return Warehouse(
        name=str(cells["name"]),
        state=(text("state") or "").upper(),
        type=(text("type") or "STANDARD").upper(),
        size=_size(text("size")),
        min_clusters=_whole(cells.get("min_cluster_count")),
        max_clusters=_whole(cells.get("max_cluster_count")),
        started_clusters=_whole(cells.get("started_clusters")),
        running=_whole(cells.get("running")) or 0,
        queued=_whole(cells.get("queued")) or 0,
        auto_suspend=_whole(cells.get("auto_suspend")) or None,  # 0 and NULL both mean never
        auto_resume=_flag(cells.get("auto_resume")),
        scaling_policy=_upper(text("scaling_policy")),
        generation=text("generation"),
        resource_constraint=_upper(text("resource_constraint")),
        resource_monitor=text("resource_monitor"),
        owner=text("owner"),
        comment=text("comment"),
        is_interactive=_flag(cells.get("is_interactive")) or False,
        enable_query_acceleration=_flag(cells.get("enable_query_acceleration")),
        created_on=utc(cells.get("created_on")),
        resumed_on=_happened(cells.get("resumed_on")),
        updated_on=utc(cells.get("updated_on")),
    )


def _text(value: object) -> str | None:
    """SHOW prints nothing as '', 'null' or NULL."""
    if value is None:
        return None
    plain = str(value).strip()
    return None if plain.lower() in ("", "null") else plain


def _upper(value: str | None) -> str | None:
    return value.upper() if value is not None else None


def _whole(value: object) -> int | None:
    plain = _text(value)
    try:
        return int(float(plain)) if plain is not None else None
    except (ValueError, OverflowError):
        return None


def _flag(value: object) -> bool | None:
    if isinstance(value, bool):
        return value
    return {"true": True, "y": True, "yes": True, "false": False, "n": False, "no": False}.get(
        (_text(value) or "").lower()
    )


def _size(value: str | None) -> Size | None:
    """None where the account prints none, or ADAPTIVE, or a size that is not known here yet."""
    try:
        return Size.parse(value) if value is not None else None
    except BadArgument:
        return None


def _happened(value: object) -> datetime | None:
    """A warehouse that was never resumed shows the epoch."""
    moment = utc(value)
    return None if moment is None or moment.year < 1980 else moment
