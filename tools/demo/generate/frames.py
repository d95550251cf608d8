"""Columns of a window as Arrow tables whose values depend on nothing but the columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

__all__ = ["Columns", "Sink", "as_table", "coded", "hexadecimal", "moments"]

Columns = dict[str, Any]
"""Name to a numpy array (masked where NULL), a list, or an Arrow array; all of one length."""

Sink = Callable[[str, pa.Table], None]
"""Takes rows of a view, to be added to what it has."""

_HEX = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)


def coded(codes: npt.NDArray[np.int64], values: Sequence[str]) -> Any:
    """Text with few distinct values; a code below 0 is NULL."""
    distinct = {value: place for place, value in enumerate(dict.fromkeys(values))}
    places = np.array([distinct[value] for value in values] or [0], dtype=np.int32)
    indices = pa.array(places[np.maximum(codes, 0)], mask=codes < 0)
    return pa.DictionaryArray.from_arrays(indices, pa.array(list(distinct), type=pa.string()))


def moments(ms: npt.NDArray[np.int64]) -> Any:
    """Milliseconds since 1970 as UTC timestamps."""
    return pa.array(ms.astype(np.int64) * 1000, type=pa.timestamp("us", tz="UTC"))


def hexadecimal(parts: Sequence[npt.NDArray[np.uint64] | bytes], widths: Sequence[int]) -> Any:
    """Text of the parts side by side: numbers as hexadecimal digits of a width, bytes as they are."""
    count = max(len(part) for part in parts if not isinstance(part, bytes))
    text = np.empty((count, sum(widths)), dtype=np.uint8)
    place = 0
    for part, width in zip(parts, widths, strict=True):
        if isinstance(part, bytes):
            text[:, place : place + width] = np.frombuffer(part, dtype=np.uint8)
        else:
            for digit in range(width):
                shift = np.uint64(4 * (width - 1 - digit))
                text[:, place + digit] = _HEX[((part >> shift) & np.uint64(15)).astype(np.int64)]
        place += width
    ends = np.arange(count + 1, dtype=np.int32) * sum(widths)
    return pa.StringArray.from_buffers(count, pa.py_buffer(ends.tobytes()), pa.py_buffer(text.tobytes()))


def as_table(columns: Mapping[str, Any]) -> pa.Table:
    return pa.table({key: _array(value) for key, value in columns.items()})


def _array(value: Any) -> Any:
    if isinstance(value, np.ma.MaskedArray):
        return pa.array(value.data, mask=np.ma.getmaskarray(value))
    if isinstance(value, list):
        return pa.array(value, type=pa.string() if not value or isinstance(value[0], str | None) else None)
    return value if isinstance(value, pa.Array | pa.ChunkedArray) else pa.array(value)
