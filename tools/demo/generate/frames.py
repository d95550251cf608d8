"""From numpy columns to Parquet files whose bytes depend on nothing but the columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

__all__ = ["Columns", "coded", "moments", "table", "write"]

Columns = dict[str, Any]
"""Name to a numpy array (masked where NULL), a list, or an Arrow array; all of one length."""


def coded(codes: npt.NDArray[np.int64], values: Sequence[str]) -> Any:
    """Text with few distinct values; a code below 0 is NULL."""
    # A dictionary that holds a value twice is written in an order that changes from run to run.
    distinct = {value: place for place, value in enumerate(dict.fromkeys(values))}
    places = np.array([distinct[value] for value in values], dtype=np.int32)
    indices = pa.array(places[np.maximum(codes, 0)], mask=codes < 0)
    return pa.DictionaryArray.from_arrays(indices, pa.array(list(distinct), type=pa.string()))


def moments(ms: npt.NDArray[np.int64], epoch_ms: int) -> Any:
    """Milliseconds after the window's start as UTC timestamps."""
    return pa.array((ms + epoch_ms) * 1000, type=pa.timestamp("us", tz="UTC"))


def write(folder: Path, name: str, columns: Mapping[str, Any]) -> None:
    pq.write_table(table(columns), folder / f"{name}.parquet", compression="snappy")


def table(columns: Mapping[str, Any]) -> pa.Table:
    return pa.table({key: _array(value) for key, value in columns.items()})


def _array(value: Any) -> Any:
    if isinstance(value, np.ma.MaskedArray):
        return pa.array(value.data, mask=np.ma.getmaskarray(value))
    if isinstance(value, list):
        return pa.array(value, type=pa.string() if not value or isinstance(value[0], str | None) else None)
    return value if isinstance(value, pa.Array | pa.ChunkedArray) else pa.array(value)
