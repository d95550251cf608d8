"""What a watched metric is called where something about it is odd. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from tools.history.measures import WatchMetric
from tools.history.measures import title_of as measured

__all__ = ["SIZES", "sizes", "title_of"]

SIZES: Mapping[str, str] = {"size_above": "larger", "size_below": "smaller"}
"""Steps of size that a warehouse is away from its usual one, and in which way."""
_TITLES: Mapping[str, str] = {metric: f"sizes {way} than usual" for metric, way in SIZES.items()}


def title_of(metric: WatchMetric) -> str:
    return _TITLES.get(metric) or measured(metric)


def sizes(value: float) -> tuple[str, str]:
    """What stands after an amount of steps and at the end: ('size', ''), or ('sizes', ' on average') of a mean."""
    return "size" if value == 1 else "sizes", "" if value == int(value) else " on average"
