"""Means for money: what a sum of skewed hours needs, and medians do not give.

The mean is the median plus so much of the predicted quantiles' skew as the past bears out. The more of a series is skew
(idle hours with a burst now and then), the less its newest days tell, and the more its mean over the last weeks speaks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Skew", "means", "skew_of"]

Floats = npt.NDArray[np.float64]

_WEIGHTS = np.array([0.0625, 0.2375, 0.4, 0.2375, 0.0625])
"""Trapezoids over the probability: the mean of a distribution from its five quantiles."""
_PANEL_WEIGHT = 0.25
_MOST_LEAN = 1.5
_SKEWED = 0.02
"""Of the series' size. With less skew the lean is 1: it makes no difference, and a chance drift must not speak."""


@dataclass(frozen=True)
class Skew:
    """By series: `lean`, the share of the predicted skew that is real; `depth`, the skew as a share of the size."""

    lean: Floats
    depth: Floats


def means(quantiles: Floats, skew: Skew, usual: Floats) -> Floats:
    """Means (series, rows) from quantiles (series, rows, quantiles) and the mean of the last weeks (series, rows)."""
    middle = quantiles[..., 2]
    said = middle + skew.lean[:, None] * (quantiles @ _WEIGHTS - middle)
    return np.asarray((1 - skew.depth[:, None]) * said + skew.depth[:, None] * usual)


def skew_of(actual: Floats, quantiles: Floats) -> Skew:
    """From rows of the past: actual (series, rows), NaN where unknown."""
    known = np.isfinite(actual)
    miss = np.where(known, actual - quantiles[..., 2], 0.0).sum(axis=1)
    skew = np.where(known, quantiles @ _WEIGHTS - quantiles[..., 2], 0.0).sum(axis=1)
    size = np.maximum(np.where(known, np.abs(actual), 0.0).sum(axis=1), 1e-12)
    skewed = skew > _SKEWED * size
    depth = np.where(skewed, np.clip(skew / size, 0, 1), 0.0)
    if not skewed.any():
        return Skew(np.ones(len(actual)), depth)
    relative, drawn = miss[skewed] / size[skewed], skew[skewed] / size[skewed]
    panel = float(np.clip(relative.sum() / drawn.sum(), 0, _MOST_LEAN))
    own = np.divide(miss, skew, out=np.ones(len(actual)), where=skewed)
    mixed = np.clip((own + _PANEL_WEIGHT * panel) / (1 + _PANEL_WEIGHT), 0, _MOST_LEAN)
    return Skew(np.where(skewed, mixed, 1.0), depth)
