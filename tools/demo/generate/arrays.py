"""Columns side by side, each of the type that its name stands for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Arrays", "Bools", "Columns", "Floats", "Ints"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Columns = dict[str, npt.NDArray[np.generic]]


@dataclass(frozen=True)
class Arrays:
    """Parallel arrays by name; a column that is asked for as another type is a mistake of ours."""

    columns: Columns

    def ints(self, name: str) -> Ints:
        column = self.columns[name]
        assert column.dtype == np.int64
        return column  # type: ignore[return-value]

    def floats(self, name: str) -> Floats:
        column = self.columns[name]
        assert column.dtype == np.float64
        return column  # type: ignore[return-value]

    def bools(self, name: str) -> Bools:
        column = self.columns[name]
        assert column.dtype == np.bool_
        return column  # type: ignore[return-value]
