"""A small multilayer perceptron that learns several quantiles at once, in numpy.

Two hidden layers and a linear path beside them; pinball loss (Koenker and Bassett 1978), smoothed at the bottom; Adam
with decoupled weight decay (Loshchilov and Hutter 2019) and a cosine schedule. Everything random comes from the seed.

Why not scikit-learn's: its perceptron has the squared loss only, and its boosting with the absolute loss takes ten
times the time for the same error here (DECISIONS.md).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["QUANTILES", "Network", "Training", "fit"]

QUANTILES = (0.025, 0.1, 0.5, 0.9, 0.975)

Reals = npt.NDArray[np.float32]

_FAR = 4.0
"""Standardised features are cut here."""
_SMOOTH = 0.05
"""Errors below this, in the model's unit, are squared rather than absolute."""
_LINEAR = 6
"""Which of the parameters is the linear path: it learns more slowly."""


@dataclass(frozen=True)
class Training:
    hidden: int = 96
    epochs: int = 12
    batch: int = 1024
    rate: float = 2e-3
    dropout: float = 0.1
    decay: float = 0.2


@dataclass(frozen=True)
class Network:
    """A fitted net: `predict` gives (rows, quantiles)."""

    parameters: tuple[Reals, ...]
    centre: Reals
    spread: Reals

    def predict(self, features: Reals) -> Reals:
        out = np.empty((len(features), len(QUANTILES)), dtype=np.float32)
        for start in range(0, len(features), 65536):
            part = slice(start, start + 65536)
            out[part] = _forward(self.parameters, _standard(features[part], self.centre, self.spread))[2]
        return out


def fit(
    features: Reals, target: Reals, weight: Reals, seed: int, how: Training, warm: Network | None = None
) -> Network:
    """Fit a net, from scratch or onwards from `warm`.

    Args:
        features: (rows, features), finite.
        target, weight: (rows,).
    """
    random = np.random.default_rng(seed)
    if warm is None:
        centre = np.median(features, axis=0)
        spread = features.std(axis=0) + np.float32(1e-6)
        parameters = _start(features.shape[1], how.hidden, random)
    else:
        centre, spread, parameters = warm.centre, warm.spread, [p.copy() for p in warm.parameters]
    x = _standard(features, centre, spread)
    first, second = [np.zeros_like(p) for p in parameters], [np.zeros_like(p) for p in parameters]
    batch = min(how.batch, len(x))
    each = len(x) // batch
    done, total = 0, how.epochs * each
    for _ in range(how.epochs):
        order = random.permutation(len(x))
        for start in range(0, each * batch, batch):
            rows = order[start : start + batch]
            slopes = _slopes(parameters, x[rows], target[rows], weight[rows], how.dropout, random)
            rate = how.rate * min(1.0, (done + 1) / 100) * 0.5 * (1 + np.cos(np.pi * done / total))
            done += 1
            _adam(parameters, slopes, first, second, done, rate, how.decay)
    return Network(tuple(parameters), centre, spread)


def _standard(features: Reals, centre: Reals, spread: Reals) -> Reals:
    standard: Reals = np.clip((features - centre) / spread, -_FAR, _FAR).astype(np.float32, copy=False)
    return standard


def _start(inputs: int, hidden: int, random: np.random.Generator) -> list[Reals]:
    def layer(rows: int, columns: int, gain: float) -> Reals:
        return np.asarray(random.standard_normal((rows, columns)) * np.sqrt(gain / rows), dtype=np.float32)

    outputs = len(QUANTILES)
    return [
        layer(inputs, hidden, 2.0),
        np.zeros(hidden, dtype=np.float32),
        layer(hidden, hidden, 2.0),
        np.zeros(hidden, dtype=np.float32),
        layer(hidden, outputs, 0.1),
        np.zeros(outputs, dtype=np.float32),
        np.zeros((inputs, outputs), dtype=np.float32),
    ]


def _forward(p: tuple[Reals, ...] | list[Reals], x: Reals, keep: Reals | None = None) -> tuple[Reals, Reals, Reals]:
    one = np.maximum(x @ p[0] + p[1], 0)
    if keep is not None:
        one *= keep
    two = np.maximum(one @ p[2] + p[3], 0)
    return one, two, two @ p[4] + p[5] + x @ p[6]


def _slopes(
    p: list[Reals], x: Reals, target: Reals, weight: Reals, dropout: float, random: np.random.Generator
) -> list[Reals]:
    keep: Reals | None = None
    if dropout:
        kept = random.random((len(x), p[0].shape[1]), dtype=np.float32) >= dropout
        keep = kept.astype(np.float32) / np.float32(1 - dropout)
    one, two, said = _forward(p, x, keep)
    over = np.clip((said - target[:, None]) / _SMOOTH, -1, 1)
    quantile = np.asarray(QUANTILES, dtype=np.float32)
    slope = np.where(over > 0, 2 * (1 - quantile), 2 * quantile) * over * (weight[:, None] / len(x))
    slope = slope.astype(np.float32, copy=False)
    back_two = slope @ p[4].T * (two > 0)
    back_one = back_two @ p[2].T * (one > 0)
    if keep is not None:
        back_one *= keep
    return [
        x.T @ back_one,
        back_one.sum(axis=0),
        one.T @ back_two,
        back_two.sum(axis=0),
        two.T @ slope,
        slope.sum(axis=0),
        x.T @ slope,
    ]


def _adam(
    parameters: list[Reals],
    slopes: list[Reals],
    first: list[Reals],
    second: list[Reals],
    done: int,
    rate: float,
    decay: float,
) -> None:
    even, size = 1 - 0.9**done, 1 - 0.999**done
    for place, (parameter, slope) in enumerate(zip(parameters, slopes, strict=True)):
        first[place] += 0.1 * (slope - first[place])
        second[place] += 0.001 * (slope * slope - second[place])
        step = np.float32(rate * (0.3 if place == _LINEAR else 1.0))
        parameter -= step * (first[place] / even) / (np.sqrt(second[place] / size) + 1e-8)
        if decay and parameter.ndim == 2:
            parameter *= 1 - step * decay
