"""Inputs are refused here, with the place and the reason, before any detector sees them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from tools.errors import BadArgument

__all__ = ["Floats", "finite"]

Floats = npt.NDArray[np.float64]


def finite(values: pd.Series) -> Floats:
    """The series' values as floats.

    Raises:
        BadArgument: a value is missing, infinite or no number.
    """
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise BadArgument(f"The values of an anomaly score must be numbers: {error}") from error
    bad = np.flatnonzero(~np.isfinite(array))
    if bad.size:
        raise BadArgument(
            f"Value {array[bad[0]]} at row {bad[0]} ({values.index[bad[0]]}) cannot be scored.",
            hint="Fill or drop missing and infinite values first: a gap is not a zero.",
        )
    return array
