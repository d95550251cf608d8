"""The model that learns across a panel: an ensemble of small quantile networks, direct for every step ahead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tools.ml.forecasting.features import WINDOW, Block, block, row_means
from tools.ml.forecasting.network import QUANTILES, Network, Training, fit

__all__ = ["Learner", "Rows", "predict", "training_rows"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Reals = npt.NDArray[np.float32]

_MOST_ROWS = 260_000
_ORIGINS, _ORIGINS_OF_FEW = 70, 140
_FEW, _FEW_AT_ONCE = 4, 36
"""Up to so many series are few; origins of few series are laid out together, to so many windows at once."""
_SHORT_REACH = 72
_MOST_AT_ONCE = 60_000
_HEAVIEST = 0.98
_FARTHEST = 20.0


@dataclass(frozen=True)
class Rows:
    features: Reals
    target: Reals
    weight: Reals
    series: Ints


@dataclass(frozen=True)
class Learner:
    """How many nets, how trained, and where (joblib)."""

    nets: int
    how: Training
    backend: str
    jobs: int

    def fit(self, rows: Rows, seed: int, warm: Sequence[Network] = ()) -> list[Network]:
        """The same nets on every backend: each has its own seed and one thread."""
        from joblib import Parallel, delayed, parallel_config

        starts: list[Network | None] = [warm[k % len(warm)] if warm else None for k in range(self.nets)]
        if self.jobs == 1:
            return [_fit(rows, seed + k, self.how, starts[k]) for k in range(self.nets)]
        with parallel_config(backend=self.backend, n_jobs=self.jobs):  # finds dask and ray; Parallel alone does not
            work: Any = Parallel()
            return list(work(delayed(_fit)(rows, seed + k, self.how, starts[k]) for k in range(self.nets)))


def _fit(rows: Rows, seed: int, how: Training, warm: Network | None) -> Network:
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1):
        return fit(rows.features, rows.target, rows.weight, seed, how, warm)


def training_rows(past: Floats, slots: int, seasons: tuple[int, int], least: int, seed: int) -> Rows | None:
    """Rows from many origins inside `past`; None where it is too short to have any.

    The weight of a row makes its loss what people measure: half its error in seasonal differences, half in percent.
    """
    random = np.random.default_rng(seed)
    width = past.shape[1]
    lengths = np.isfinite(past).sum(axis=1)
    longest = int(lengths.max())
    reach = min(slots, max((longest - least) // 2, 1))
    newest, oldest = width - max(reach // 2, 1), width - longest + least
    if newest < oldest:
        return None
    most = _ORIGINS if len(past) > _FEW else _ORIGINS_OF_FEW
    origins = np.unique(np.linspace(oldest, newest, min(most, newest - oldest + 1)).astype(np.int64))[::-1]
    together = max(_FEW_AT_ONCE // len(past), 1)
    groups = [origins[start : start + together] for start in range(0, len(origins), together)]
    each = max(_MOST_ROWS // len(groups), 1)
    scales = _scales(past, seasons[0])
    parts = [_rows_at(past, group, reach, seasons, least, each, scales, random) for group in groups]
    found = [part for part in parts if part is not None]
    if not found:
        return None
    weight = np.concatenate([part.weight for part in found])
    weight = np.minimum(weight, np.quantile(weight, _HEAVIEST))
    return Rows(
        np.concatenate([part.features for part in found]),
        np.concatenate([part.target for part in found]),
        (weight / weight.mean()).astype(np.float32),
        np.concatenate([part.series for part in found]),
    )


def _scales(past: Floats, short: int) -> Floats:
    """One over the seasonal difference, plus one over the level: (series,)."""
    size = row_means(np.abs(past))
    mean = row_means(np.abs(past[:, short:] - past[:, :-short]) if past.shape[1] > short else np.abs(past))
    return np.asarray(0.5 / np.maximum(mean, 0.02 * size + 1e-12) + 5.0 / np.maximum(size, 1e-12))


def _rows_at(
    past: Floats,
    origins: Ints,
    reach: int,
    seasons: tuple[int, int],
    least: int,
    most: int,
    scales: Floats,
    random: np.random.Generator,
) -> Rows | None:
    """Rows of some origins, which share the steps ahead that are drawn; `most` of them."""
    begun = np.stack([np.isfinite(past[:, max(at - least, 0)]) & (at >= least) for at in origins])
    turn, able = np.nonzero(begun)
    ahead = min(reach, past.shape[1] - int(origins.max()))
    if not len(able) or ahead < 1:
        return None
    few = max(min(ahead, 24), ahead * 2 // 3 if ahead <= _SHORT_REACH else 24)
    if len(able) * few > most:
        keep = max(most // min(ahead, 12), 1)
        if keep < len(able):
            chosen = np.sort(random.choice(len(able), keep, replace=False))
            turn, able = turn[chosen], able[chosen]
        few = max(min(most // len(able), few), 1)
    steps = np.sort(random.choice(np.arange(1, ahead + 1), min(few, ahead), replace=False))
    at = origins[turn]
    width = WINDOW * seasons[1]
    place = at[:, None] + np.arange(-width, 0)[None]
    windows = np.where(place >= 0, past[able[:, None], np.maximum(place, 0)], np.nan)
    seen = block(windows, steps, seasons)
    target = np.clip(seen.bent(past[able[:, None], at[:, None] + steps[None] - 1]), -_FARTHEST, _FARTHEST)
    weight = seen.slope() * scales[able][:, None]
    return Rows(
        seen.features.reshape(-1, seen.features.shape[2]),
        target.ravel().astype(np.float32),
        weight.ravel().astype(np.float32),
        np.repeat(able, len(steps)),
    )


def predict(nets: Sequence[Network], past: Floats, steps: Ints, seasons: tuple[int, int]) -> Floats:
    """Mean quantiles of the nets: (series, steps, quantiles), ordered within each step."""
    out = np.empty((len(past), len(steps), len(QUANTILES)))
    chunk = max(_MOST_AT_ONCE // len(steps), 1)
    for start in range(0, len(past), chunk):
        part = slice(start, start + chunk)
        seen = block(past[part], steps, seasons)
        out[part] = np.mean([_said(net, seen) for net in nets], axis=0)
    return np.sort(out, axis=2)


def _said(net: Network, seen: Block) -> Floats:
    shape = seen.features.shape
    raw = net.predict(seen.features.reshape(-1, shape[2])).reshape(shape[0], shape[1], len(QUANTILES))
    return seen.unbent(np.clip(raw, -_FARTHEST, _FARTHEST).astype(np.float64))
