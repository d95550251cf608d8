"""What a reader of findings sees: `Anomaly`, its kinds, and the windows of work that somebody announced."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import pandas as pd

__all__ = ["DEFAULT", "KINDS", "Anomaly", "Kind", "KnownJob"]

Kind: TypeAlias = Literal["spike", "level_shift", "drift", "silence", "seasonality_change", "variance_change"]

KINDS: tuple[Kind, ...] = ("spike", "level_shift", "drift", "silence", "seasonality_change", "variance_change")

KnownJob: TypeAlias = tuple[pd.Timestamp, pd.Timestamp]
"""Start and end (exclusive) of work that was announced, in UTC: what happens in it is no anomaly."""

DEFAULT = 0.5
"""The threshold that `score` and `detect` are calibrated for (DECISIONS.md has the figures)."""


@dataclass(frozen=True)
class Anomaly:
    """One finding about one series. Stamps are UTC, naive where the series was; `end` is exclusive."""

    start: pd.Timestamp
    end: pd.Timestamp
    kind: Kind
    expected: float
    """Mean per slot over [start, end) of what was expected, in the series' unit."""
    band: tuple[float, float]
    """Mean per slot over [start, end) of the band in which a value is ordinary."""
    actual: float
    """Mean per slot over [start, end) of what came."""
    severity: float
    """|sum(actual - expected)| over [start, end) in the series' unit, times the unit's price where one was given."""
    confidence: float
    """0 to 1; never below the threshold that raised it."""
    detected_at: pd.Timestamp
    """End of the slot at which a reader who sees no future would first have raised it."""
    open: bool
    """Still going on at the last point."""
