"""Rolling-origin backtests: what the same methods would have said, with what could be known then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tools.ml.forecasting.calibrate import Stretch, band, calibrated
from tools.ml.forecasting.excursions import ordinary
from tools.ml.forecasting.learning import predict
from tools.ml.forecasting.members import NAIVE, errors_of_seasons, say
from tools.ml.forecasting.network import QUANTILES, Network
from tools.ml.forecasting.prepare import Prepared
from tools.ml.forecasting.result import Backtest
from tools.ml.metrics import coverage, mase, wape

__all__ = ["Blend", "Trial", "blend_of", "blended", "held_out", "reports", "trial"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_FOLDS = 5


@dataclass(frozen=True)
class _Choosing:
    """How members are weighed."""

    leaning: float
    """How many folds of a series' own errors weigh as much as the panel's."""
    sharpness: float
    """The power of the errors by which weights fall."""
    shares: tuple[float, ...]
    """Of the statistical forecast in the blend: those that are tried."""


_OF_HOURS = _Choosing(0.5, 3.0, (0.0, 0.25, 0.5, 0.75, 1.0))
_OF_DAYS = _Choosing(3.0, 20.0, (0.25, 0.5, 0.75))
"""Five folds of days are some weeks of one series: its own errors are mostly chance, while the members differ clearly.
That they or the nets should be silent, so few days cannot show.
"""


def held_out(width: int, slots: int, seasons: tuple[int, int]) -> int:
    """How many of the last slots a backtest may look at: two horizons and a long season, or a third of the history."""
    return max(min(max(2 * slots, seasons[1]), width // 3), 1)


@dataclass(frozen=True)
class Trial:
    """Rows of all folds side by side: (series, rows[, members or quantiles]) in units of the prepared values."""

    actual: Floats
    """NaN where unknown."""
    members: Floats
    """(members, series, rows)."""
    learned: Floats | None
    """(series, rows, quantiles); NaN for series that the learned model cannot take."""
    plain: Floats
    """(series, rows, quantiles): widths of the plain interval about 0."""
    fold: Ints
    """(rows,): place in `origins`."""
    origins: tuple[int, ...]
    """Columns of the first slots that were forecast."""
    step: Ints
    """(rows,): steps ahead."""
    factor: Floats
    """(series, rows): what the calendar multiplies."""


def trial(
    prepared: Prepared,
    nets: Sequence[Network],
    able: Ints,
    slots: int,
    seasons: tuple[int, int],
    origins: Sequence[int] | None = None,
) -> Trial:
    """Run every member at some origins (default: from the cut on); nothing after an origin is seen by it.

    `able`: the series that the nets can take.
    """
    width = prepared.values.shape[1]
    actual, members, learned, plain, folds, ahead, factors = [], [], [], [], [], [], []
    origins = origins or _origins(width, prepared.cut, slots)
    for fold, origin in enumerate(origins):
        steps = np.arange(1, min(slots, width - origin) + 1)
        place = origin + steps - 1
        past = prepared.values[:, :origin]
        counted = prepared.seen[:, place] & ~prepared.straddles(origin, place)
        actual.append(np.where(counted, prepared.values[:, place], np.nan))
        usual = ordinary(past, seasons)[0]
        members.append(say(usual, steps, seasons))
        widths = errors_of_seasons(past, seasons, QUANTILES)
        plain.append(np.broadcast_to(widths[:, None, :], (len(past), len(steps), len(QUANTILES))))
        if nets:
            said = np.full((len(past), len(steps), len(QUANTILES)), np.nan)
            said[able] = predict(nets, usual[able], steps, seasons)
            learned.append(said)
        folds.append(np.full(len(steps), fold))
        ahead.append(steps)
        factors.append(prepared.past_factor[:, place])
    return Trial(
        np.concatenate(actual, axis=1),
        np.concatenate(members, axis=2),
        np.concatenate(learned, axis=1) if learned else None,
        np.concatenate(plain, axis=1),
        np.concatenate(folds),
        tuple(origins),
        np.concatenate(ahead),
        np.concatenate(factors, axis=1),
    )


def _origins(width: int, cut: int, slots: int) -> list[int]:
    span = width - cut
    newest = width - max(min(slots, span // 2), 1)
    return sorted({int(at) for at in np.linspace(cut, max(newest, cut), _FOLDS)})


@dataclass(frozen=True)
class Blend:
    """Who speaks for each series: `weights` (members, series) sum to 1; `share` (series,) is theirs beside the nets."""

    weights: Floats
    share: Floats


def blend_of(tested: Trial, seasons: tuple[int, int]) -> Blend:
    """Weights by the errors at the folds, each series' own errors leaning on the panel's."""
    how = _OF_HOURS if seasons[0] == 24 else _OF_DAYS
    errors = _leaning(np.abs(tested.members - tested.actual[None]), how.leaning)
    best = np.maximum(errors.min(axis=0, keepdims=True), 1e-9)
    weights = (best / np.maximum(errors, 1e-9)) ** how.sharpness
    weights = weights / weights.sum(axis=0, keepdims=True)
    if tested.learned is None:
        return Blend(weights, np.ones(errors.shape[1]))
    middle = tested.learned[..., 2]
    simple = np.einsum("ms,msr->sr", weights, tested.members)
    mixes = np.stack([share * simple + (1 - share) * middle for share in how.shares])
    best_share = np.argmin(_leaning(np.abs(mixes - tested.actual[None]), how.leaning), axis=0)
    share = np.asarray(how.shares)[best_share]
    return Blend(weights, np.where(np.isfinite(middle).any(axis=1), share, 1.0))


def _leaning(errors: Floats, leaning: float) -> Floats:
    """(choices, series): mean error of each choice, drawn towards what the whole panel says of it."""
    known = np.isfinite(errors)
    count = known.sum(axis=2)
    own = np.where(known, errors, 0).sum(axis=2) / np.maximum(count, 1)
    size = np.maximum(own.mean(axis=0, keepdims=True), 1e-12)
    relative = np.where(count > 0, own / size, np.nan)
    good = np.isfinite(relative).all(axis=0)
    common = relative[:, good].mean(axis=1, keepdims=True) if good.any() else np.ones((len(errors), 1))
    mixed = (np.where(np.isfinite(relative), relative, common) + leaning * common) / (1 + leaning)
    return np.asarray(np.where(count > 0, mixed, common))


def blended(blend: Blend, members: Floats, learned: Floats | None, plain: Floats) -> Floats:
    """Quantiles of the blend: (series, rows, quantiles). Its middle is the weighted middle; widths are mixed alike."""
    simple = np.einsum("ms,msr->sr", blend.weights, members)
    alone: Floats = np.asarray(simple[..., None] + plain)
    if learned is None:
        return alone
    share = blend.share[:, None, None]
    mixed = share * alone + (1 - share) * np.nan_to_num(learned)
    return np.asarray(np.where(share < 1, mixed, alone))


def reports(
    tested: Trial,
    said: Floats,
    quantiles: Floats,
    unit: Floats,
    seasons: tuple[int, int],
    history: Floats,
    levels: Sequence[int],
    days: float,
) -> list[Backtest | None]:
    """Figures by series; coverage of a fold is measured with factors from the other folds.

    `said`: (series, rows), the points whose errors count.
    """
    inside = _cross_fitted(tested, quantiles, levels, days)
    out: list[Backtest | None] = []
    for row in range(len(unit)):
        seen = np.isfinite(tested.actual[row])
        if not seen.any():
            out.append(None)
            continue
        size = tested.factor[row, seen]
        actual, point = tested.actual[row, seen] * size, said[row, seen] * size
        naive = tested.members[NAIVE, row, seen] * size
        known = history[row][np.isfinite(history[row])]
        bounds = {level: (low[row, seen] * size, high[row, seen] * size) for level, (low, high) in inside.items()}
        out.append(
            Backtest(
                wape=wape(actual, point),
                naive_wape=wape(actual, naive),
                mase=mase(actual, point, known, seasons[0] if len(known) > seasons[0] else 1),
                coverage={level: coverage(actual, *pair) for level, pair in bounds.items()},
                folds=len(np.unique(tested.fold[seen])),
                points=int(seen.sum()),
            )
        )
    return out


def _cross_fitted(
    tested: Trial, quantiles: Floats, levels: Sequence[int], days: float
) -> dict[int, tuple[Floats, Floats]]:
    out = {level: band(quantiles, level) for level in levels}
    folds = np.unique(tested.fold)
    if len(folds) < 2:
        return out
    early = tested.fold <= folds[len(folds) // 2 - 1]
    for rows, others in ((early, ~early), (~early, early)):
        stretch = calibrated(tested.actual[:, others], quantiles[:, others], levels, days / 2)
        low = high = quantiles[:, rows, 2]
        for level in sorted(levels):  # a half of the folds may tell less of the wide interval than of the narrow one
            edges = stretched(quantiles[:, rows], stretch, level)
            low, high = np.minimum(low, edges[0]), np.maximum(high, edges[1])
            out[level][0][:, rows], out[level][1][:, rows] = low, high
    return out


def stretched(quantiles: Floats, stretch: Stretch, level: int) -> tuple[Floats, Floats]:
    """The band of a level with its factors."""
    low, high = band(quantiles, level)
    middle, factor = quantiles[..., 2], stretch.factors[level][:, None]
    return middle - factor * (middle - low), middle + factor * (high - middle)
