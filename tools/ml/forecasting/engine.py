"""From regular histories to forecasts on the same grid: prepare, learn, try, blend, calibrate, say."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from tools.ml.calendar import Calendar
from tools.ml.forecasting.backtest import Blend, Trial, blend_of, blended, held_out, reports, stretched, trial
from tools.ml.forecasting.calibrate import Stretch, calibrated
from tools.ml.forecasting.dependence import Dependence, dependence
from tools.ml.forecasting.excess import with_excess
from tools.ml.forecasting.excursions import ordinary
from tools.ml.forecasting.features import least_past
from tools.ml.forecasting.learning import Learner, predict, training_rows
from tools.ml.forecasting.mean import Skew, means, skew_of
from tools.ml.forecasting.members import errors_of_seasons, say, usual
from tools.ml.forecasting.network import QUANTILES, Network, Training
from tools.ml.forecasting.outcome import Outcome
from tools.ml.forecasting.prepare import Prepared, prepare
from tools.ml.forecasting.result import Backtest, Choice
from tools.ml.forecasting.state import keep, recall
from tools.ml.forecasting.weights import shipped
from tools.ml.forecasting.words import choice
from tools.ml.series import HOUR, History

__all__ = ["Request", "learned", "run"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_SEED = 20
_FEW_ROWS, _MANY_ROWS = 400, 30_000
_NETS = 3
_LOOKS_BACK = 8
_PANEL = Training(epochs=8, batch=1024, rate=2e-3)
_ALONE = Training(epochs=8, batch=256, rate=1e-3)
_ONWARDS = 5
"""Epochs of a fit that goes on from an earlier one."""


@dataclass(frozen=True)
class Request:
    """What is asked of the engine, the histories apart."""

    levels: tuple[int, ...]
    calendar: Calendar | None
    point: str
    backend: str
    jobs: int
    state: dict[str, object] | None


def run(able: list[History], bounds: Floats, request: Request) -> Outcome:
    """Forecast the panel; series too young for a backtest beside the others are done one by one.

    Args:
        able: histories with at least three known values each, all of one step.
        bounds: (series,), inf where nothing bounds a series.
    """
    slots = max(int(h.ahead.max()) for h in able)
    seasons = (24, 168) if able[0].step == HOUR else (7, 28)
    width = max(len(h.values) for h in able)
    need = held_out(width, slots, seasons) + least_past(seasons[0])
    young = np.array([len(h.values) < need for h in able])
    groups = [np.flatnonzero(~young), *[np.array([k]) for k in np.flatnonzero(young)]]
    groups = [group for group in groups if len(group)]
    done = [_group([able[k] for k in group], bounds[group], slots, seasons, request) for group in groups]
    return _joined(groups, done, len(able))


def _group(able: list[History], bounds: Floats, slots: int, seasons: tuple[int, int], request: Request) -> Outcome:
    width = max(len(h.values) for h in able)
    out = held_out(width, slots, seasons)
    before = prepare(able, slots, request.calendar, out)
    now = prepare(able, slots, request.calendar)
    early, late = learned(before, now, slots, seasons, request)
    least = least_past(seasons[0])
    capable = np.flatnonzero(
        np.isfinite(before.values[:, before.cut - least]) if before.cut >= least else np.zeros(len(able), bool)
    )
    tested = _known_only(trial(before, early, capable, slots, seasons), before)
    blend = blend_of(tested, seasons)
    quantiles = blended(blend, tested.members, tested.learned, tested.plain)
    stretch = calibrated(tested.actual, quantiles, request.levels, out / seasons[0])
    said = _said(tested, quantiles, before, seasons, request)
    figures = reports(tested, said, quantiles, before.unit, seasons, before.values, request.levels, out / seasons[0])
    steps = np.arange(1, slots + 1)
    ahead = _ahead(now, late, capable, blend, steps, seasons)
    together = _dependence(tested, quantiles, stretch)
    choices = [choice(h, blend, row, now.shifts[row], bool(late), figures[row], seasons) for row, h in enumerate(able)]
    left_out = _left_out(now, seasons)
    point = ahead[..., 2]
    if request.point == "mean" and seasons[0] == 24:
        point = means(ahead, _skew(now, late, capable, blend, slots, seasons), usual(now.values, steps, seasons))
    elif request.point == "mean":
        point = with_excess(point, now.values, now.unit)
    return _outcome(able, now, point, ahead, stretch, bounds, choices, figures, together, left_out, request)


def learned(
    before: Prepared, now: Prepared, slots: int, seasons: tuple[int, int], request: Request
) -> tuple[list[Network], list[Network]]:
    """Nets for the backtest, which know nothing after the cut, and nets for the forecast, which go on from them."""
    least = least_past(seasons[0])
    pretrained = shipped(seasons)
    kept = recall(request.state, seasons, now.end)
    if kept is not None and kept.fresh:
        return kept.early, kept.late
    rows = training_rows(ordinary(before.values[:, : before.cut], seasons)[0], slots, seasons, least, _SEED)
    if rows is None or len(rows.target) < _FEW_ROWS:
        return pretrained, pretrained
    big = len(rows.target) > _MANY_ROWS
    how = _PANEL if big else _ALONE
    learner = Learner(_NETS if big else 1, how, request.backend, request.jobs)
    if kept is not None:
        early = replace(learner, how=replace(how, epochs=_ONWARDS, rate=how.rate / 2)).fit(rows, _SEED, kept.early)
    else:
        early = learner.fit(rows, _SEED, pretrained)
    all_rows = training_rows(ordinary(now.values, seasons)[0], slots, seasons, least, _SEED + 1)
    if all_rows is None:
        return early, early
    late = replace(learner, how=replace(how, epochs=_ONWARDS, rate=how.rate / 2)).fit(all_rows, _SEED + 100, early)
    keep(request.state, seasons, now.end, early, late)
    return early, late


def _said(tested: Trial, quantiles: Floats, before: Prepared, seasons: tuple[int, int], request: Request) -> Floats:
    """The points of the backtest: (series, rows). Means of days are made from what was known at each origin.

    Means of hours follow the skew of the whole past, which no origin knew: there the medians are judged.
    """
    points = quantiles[..., 2].copy()
    if request.point == "mean" and seasons[0] != 24:
        for fold, origin in enumerate(tested.origins):
            rows = tested.fold == fold
            points[:, rows] = with_excess(points[:, rows], before.values[:, :origin], before.unit)
    return points


def _known_only(tested: Trial, before: Prepared) -> Trial:
    """Rows of series that had too little past at the cut tell nothing."""
    past = before.seen[:, : before.cut].sum(axis=1)
    return replace(tested, actual=np.where(past[:, None] >= 2, tested.actual, np.nan))


def _ahead(
    now: Prepared, nets: list[Network], capable: Ints, blend: Blend, steps: Ints, seasons: tuple[int, int]
) -> Floats:
    """Quantiles of the forecast, in units: (series, slots, quantiles)."""
    widths = errors_of_seasons(now.values, seasons, QUANTILES)
    usual = ordinary(now.values, seasons)[0]
    plain = np.broadcast_to(widths[:, None, :], (len(widths), len(steps), len(QUANTILES)))
    learned = None
    if nets and len(capable):
        learned = np.full(plain.shape, np.nan)
        learned[capable] = predict(nets, usual[capable], steps, seasons)
    return blended(blend, say(usual, steps, seasons), learned, plain)


def _skew(
    now: Prepared, nets: list[Network], capable: Ints, blend: Blend, slots: int, seasons: tuple[int, int]
) -> Skew:
    """How skewed the series are about what is said of them, over their whole past: a few folds cannot tell."""
    width, reach = now.values.shape[1], min(slots, seasons[1])
    first = min(max(2 * seasons[1], width // 3), width - 1)
    origins = sorted({int(at) for at in np.linspace(first, max(width - reach, first), _LOOKS_BACK)})
    looked = trial(now, nets, capable, reach, seasons, origins)
    return skew_of(looked.actual, blended(blend, looked.members, looked.learned, looked.plain))


def _dependence(tested: Trial, quantiles: Floats, stretch: Stretch) -> Dependence:
    level = max(stretch.factors)
    spread = _spread(*stretched(quantiles, stretch, level), level)
    errors = tested.actual - quantiles[..., 2]
    return dependence(errors, np.nan_to_num(spread), tested.fold)


def _spread(low: Floats, high: Floats, level: int) -> Floats:
    from statistics import NormalDist

    return np.asarray((high - low) / (2 * NormalDist().inv_cdf(0.5 + level / 200)))


def _outcome(
    able: list[History],
    now: Prepared,
    point: Floats,
    ahead: Floats,
    stretch: Stretch,
    bounds: Floats,
    choices: list[Choice],
    figures: list[Backtest | None],
    together: Dependence,
    left_out: list[Ints],
    request: Request,
) -> Outcome:
    """Back to the series' own units, bounds and calendar."""
    size = now.unit[:, None] * now.future_factor
    floor = np.array([0.0 if np.nanmin(h.values) >= 0 else -np.inf for h in able])
    constant = np.array([_constant(h) for h in able])
    fixed = np.isfinite(constant)

    def bounded(values: Floats) -> Floats:
        held = np.where(fixed[:, None], constant[:, None], values * size)
        return np.clip(held, floor[:, None], bounds[:, None])

    bands: dict[int, tuple[Floats, Floats]] = {}
    inner: tuple[Floats, Floats] | None = None
    for level in request.levels:
        low, high = (bounded(edge) for edge in stretched(ahead, stretch, level))
        if inner is not None:
            low, high = np.minimum(low, inner[0]), np.maximum(high, inner[1])
        bands[level] = inner = (low, high)
    widest = max(request.levels)
    return Outcome(
        point=bounded(point),
        bands=bands,
        spread=_spread(*bands[widest], widest),
        choices=choices,
        left_out=left_out,
        backtests=figures,
        over_time=together.over_time,
        across=together.across,
        floor=floor,
        ceiling=bounds,
        stretch=together.stretch,
    )


def _left_out(now: Prepared, seasons: tuple[int, int]) -> list[Ints]:
    """By series: which slots of its history were excursions that nothing was learned from."""
    odd = ordinary(now.values, seasons)[1] & now.seen
    return [np.flatnonzero(row[start:]) for row, start in zip(odd, now.starts, strict=True)]


def _constant(history: History) -> float:
    """The value of a series that never moves, nan of one that does."""
    known = history.values[np.isfinite(history.values)]
    return float(known[0]) if (known == known[0]).all() else float("nan")


def _joined(groups: list[Ints], done: list[Outcome], count: int) -> Outcome:
    """One outcome from those of the groups; how errors go together is the largest group's."""
    if len(done) == 1:
        return done[0]
    order = np.argsort(np.concatenate(groups))
    first = done[0]

    def stack(parts: list[Floats]) -> Floats:
        return np.asarray(np.concatenate(parts)[order])

    told = [one for part in done for one in part.choices]
    left = [one for part in done for one in part.left_out]
    tests = [one for part in done for one in part.backtests]
    return Outcome(
        point=stack([part.point for part in done]),
        bands={
            level: (stack([p.bands[level][0] for p in done]), stack([p.bands[level][1] for p in done]))
            for level in first.bands
        },
        spread=stack([part.spread for part in done]),
        choices=[told[k] for k in order],
        left_out=[left[k] for k in order],
        backtests=[tests[k] for k in order],
        over_time=first.over_time,
        across=first.across,
        floor=stack([part.floor for part in done]),
        ceiling=stack([part.ceiling for part in done]),
        stretch=first.stretch,
    )
