"""The columns of QUERY_HISTORY's rows as numpy arrays."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tools.demo.generate.beside.chance import Ints

__all__ = ["Bools", "code_is", "codes", "floats", "marks", "moments_of", "numbers"]

Bools = npt.NDArray[np.bool_]


def _one(queries: pa.Table, name: str) -> pa.Array:
    column = queries.column(name)
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def numbers(queries: pa.Table, name: str) -> Ints:
    """NULL is 0."""
    found: Ints = _one(queries, name).cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
    return found


def floats(queries: pa.Table, name: str) -> npt.NDArray[np.float64]:
    """NULL is 0."""
    found: npt.NDArray[np.float64] = _one(queries, name).cast(pa.float64()).fill_null(0.0).to_numpy()
    return found


def moments_of(queries: pa.Table, name: str) -> Ints:
    """Microseconds since 1970."""
    column = _one(queries, name).cast(pa.timestamp("us", tz="UTC"))
    found: Ints = column.cast(pa.int64()).to_numpy(zero_copy_only=False)
    return found


def codes(queries: pa.Table, name: str) -> tuple[Ints, list[str]]:
    """Place of each row's text in the list of distinct texts; -1 for NULL."""
    column = _one(queries, name)
    if not pa.types.is_dictionary(column.type):
        column = column.cast(pa.string()).dictionary_encode()
    places: Ints = column.indices.cast(pa.int64()).fill_null(-1).to_numpy(zero_copy_only=False)
    return places, column.dictionary.to_pylist()


def code_is(queries: pa.Table, name: str, wanted: Sequence[str]) -> Bools:
    """Whether the row's text is one of these."""
    places, values = codes(queries, name)
    flags = np.array([*(value in wanted for value in values), False])
    found: Bools = flags[places]
    return found


def marks(queries: pa.Table) -> Ints:
    """A number for each statement that stays with it in whatever window it comes, to draw chance by."""
    start, elapsed = moments_of(queries, "START_TIME"), numbers(queries, "TOTAL_ELAPSED_TIME")
    return start * 8191 + elapsed * 127 + numbers(queries, "SESSION_ID")
