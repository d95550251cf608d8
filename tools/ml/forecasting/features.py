"""What a model sees: the same scale-free numbers for every series, origin and step ahead.

A window of the past is first bent by asinh (a logarithm that knows zero and negative numbers), then centred and scaled
by its last long season. Positions in the day and the week are found from the values (lags, the profile's peak and
trough), never from stamps, so that a series with wrong or made-up stamps fares no worse.

Seasons are (short, long): (24, 168) for hours, (7, 28) for days.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["WINDOW", "Block", "block", "least_past", "row_means"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

WINDOW = 5
"""Long seasons of the past that are looked at."""
_SHORT_LAGS = 14
_LONG_LAGS = 4
_FAR = 1e-9


def least_past(short: int) -> int:
    """Values before an origin without which it has no features."""
    return 2 * short


@dataclass(frozen=True)
class Block:
    """Features of some series at one origin; shapes (series, steps[, features])."""

    features: npt.NDArray[np.float32]
    base: Floats
    """What the last short season says, in the bent and scaled unit: the model learns the difference from it."""
    level: Floats
    scale: Floats
    bend: Floats

    def bent(self, values: Floats) -> Floats:
        """Values (series, steps) in the model's unit, as a difference from `base`."""
        inner = np.arcsinh(values / self.bend[:, None])
        return np.asarray((inner - self.level[:, None]) / self.scale[:, None] - self.base)

    def unbent(self, said: Floats) -> Floats:
        """The reverse, for (series, steps, quantiles)."""
        inner = (said + self.base[:, :, None]) * self.scale[:, None, None] + self.level[:, None, None]
        return np.asarray(np.sinh(np.clip(inner, -40, 40)) * self.bend[:, None, None])

    def slope(self) -> Floats:
        """How much a value moves by one of the model's units, about `base`: (series, steps)."""
        inner = self.base * self.scale[:, None] + self.level[:, None]
        return np.asarray(np.cosh(np.clip(inner, -40, 40)) * self.bend[:, None] * self.scale[:, None])


def block(past: Floats, steps: Ints, seasons: tuple[int, int]) -> Block:
    """Features at the end of `past` (series, time; NaN only before a series begins) for the given steps ahead."""
    short, long = seasons
    window = _window(past, WINDOW * long)
    bend = _bend(window)
    inner = np.arcsinh(window / bend[:, None])
    level, scale = _centre(inner, short, long)
    z = (inner - level[:, None]) / scale[:, None]
    lags = _Lags(z, steps, short, long)
    parts = [
        *lags.short,
        *lags.long,
        *_profiles(lags),
        *_neighbours(lags),
        *_changes(lags),
        *_recent(z, short, long),
        *_levels(z, short, long),
        *_phase(z, steps, short, long),
        *_character(window, z, bend, short, long),
    ]
    shape = (len(past), len(steps))
    stacked = np.empty((*shape, len(parts)), dtype=np.float32)
    for place, part in enumerate(parts):
        stacked[:, :, place] = part
    return Block(stacked, lags.short[0], level, scale, bend)


def _window(past: Floats, width: int) -> Floats:
    if past.shape[1] >= width:
        return past[:, -width:]
    return np.concatenate([np.full((len(past), width - past.shape[1]), np.nan), past], axis=1)


def _bend(window: Floats) -> Floats:
    size = np.abs(window)
    middle = 0.5 * np.nanmedian(size, axis=1)
    return np.maximum(np.where(middle > 0, middle, 0.5 * np.nanmean(size, axis=1)), 1e-12)


def _centre(inner: Floats, short: int, long: int) -> tuple[Floats, Floats]:
    last = inner[:, -long:]
    level, spread = np.nanmean(last, axis=1), np.nanstd(last, axis=1)
    step = row_means(np.abs(inner[:, short:] - inner[:, :-short]))
    return level, np.maximum(spread, 0.1 * step) + _FAR * (1 + np.abs(level))


def row_means(values: Floats) -> Floats:
    """By row, without NaN; 0 where there is nothing."""
    known = np.isfinite(values)
    count = known.sum(axis=1)
    total = np.where(known, values, 0.0).sum(axis=1)
    return np.asarray(np.divide(total, count, out=np.zeros(len(values)), where=count > 0))


class _Lags:
    """Values at whole seasons before the target, newest first; where the past is too short, the next newer one."""

    def __init__(self, z: Floats, steps: Ints, short: int, long: int) -> None:
        self.z, self.steps = z, steps
        self.short_back = short * ((steps + short - 1) // short)
        self.long_back = long * ((steps + long - 1) // long)
        self.season, self.long_season = short, long
        self.short = _filled([self.at(self.short_back + short * j) for j in range(_SHORT_LAGS)], None)
        self.long = _filled([self.at(self.long_back + long * j) for j in range(_LONG_LAGS)], self.short[0])

    def at(self, lag: Ints) -> Floats:
        """z at `lag` steps before the target, no later than the origin."""
        place = np.clip(self.z.shape[1] - 1 + self.steps - lag, 0, self.z.shape[1] - 1)
        return np.asarray(self.z[:, place])

    def change(self, j: int) -> Floats:
        """How the target's place differed from its newest short lag, j long seasons ago."""
        then = self.long_back + self.long_season * j
        return np.nan_to_num(self.at(then) - self.at(then + self.short_back))


def _filled(lags: list[Floats], first: Floats | None) -> list[Floats]:
    newer = np.nan_to_num(lags[0]) if first is None else first
    out = []
    for lag in lags:
        newer = np.where(np.isfinite(lag), lag, newer)
        out.append(newer)
    return out


def _profiles(lags: _Lags) -> list[Floats]:
    week, month = np.stack(lags.short[:7]), np.stack(lags.long)
    return [
        np.median(week, axis=0),
        week.mean(axis=0),
        week[:3].mean(axis=0),
        week.std(axis=0),
        week.min(axis=0),
        week.max(axis=0),
        np.median(month, axis=0),
        month.std(axis=0),
    ]


def _neighbours(lags: _Lags) -> list[Floats]:
    out = [_or(lags.at(lags.long_back - j), lags.long[0]) for j in (-6, -4, -3, -2, -1, 1, 2, 3, 4, 6)]
    out += [_or(lags.at(lags.long_back + lags.long_season - j), lags.long[1]) for j in (-2, -1, 1, 2)]
    return out + [_or(lags.at(lags.short_back - j), lags.short[0]) for j in (-3, -2, -1, 1, 2, 3)]


def _or(values: Floats, other: Floats) -> Floats:
    return np.where(np.isfinite(values), values, other)


def _changes(lags: _Lags) -> list[Floats]:
    weekly = [lags.change(j) for j in range(3)]
    daily = np.stack(
        [
            np.nan_to_num(lags.at(lags.short_back + lags.season * j) - lags.at(2 * lags.short_back + lags.season * j))
            for j in range(10)
        ]
    )
    together = np.stack(weekly)
    return [
        *weekly,
        together.mean(axis=0),
        together.std(axis=0),
        np.median(together, axis=0),
        daily.mean(axis=0),
        np.abs(daily).mean(axis=0),
    ]


def _recent(z: Floats, short: int, long: int) -> list[Floats]:
    """The last short season, and how it differs from the one before and from a long season ago."""
    width = z.shape[1]
    places = sorted({max(1, round(short * share / 24)) for share in (1, 2, 3, 4, 5, 6, 9, 12, 15, 18, 21)})
    out: list[Floats] = []
    for j in places:
        now = z[:, width - j]
        out += [now, now - z[:, width - j - short], np.nan_to_num(now - z[:, width - j - long])]
    return [np.nan_to_num(part)[:, None] for part in out]


def _levels(z: Floats, short: int, long: int) -> list[Floats]:
    def mean(newest: int, oldest: int) -> Floats:
        width = z.shape[1]
        found = row_means(z[:, width - oldest : width - newest])
        return np.where(np.isfinite(z[:, width - oldest : width - newest]).any(axis=1), found, now)

    now = row_means(z[:, -short:])
    quarter = max(short // 4, 1)
    half = max(short // 2, 1)
    out = [
        now,
        now - mean(long, long + short),
        mean(0, 3 * short) - mean(long, long + 3 * short),
        mean(0, quarter) - mean(short, short + quarter),
        mean(0, quarter) - mean(long, long + quarter),
        mean(0, half) - mean(long, long + half),
        mean(0, long) - mean(long, 2 * long),
        *[mean(short * j, short * (j + 1)) - now for j in range(1, 7)],
    ]
    return [part[:, None] for part in out]


def _phase(z: Floats, steps: Ints, short: int, long: int) -> list[Floats]:
    """Where the target lies in the seasons, by the values: distance from peak and trough, day against day."""
    filled = np.nan_to_num(z)
    days = long // short
    profile = filled[:, -long:].reshape(len(z), days, short).mean(axis=1)
    place = (steps - 1) % short
    rank = profile.argsort(axis=1).argsort(axis=1)
    out: list[Floats] = [rank[:, place] / short]
    for extreme in (profile.argmax(axis=1), profile.argmin(axis=1)):
        angle = 2 * np.pi * ((place[None] - extreme[:, None]) % short) / short
        out += [np.sin(angle), np.cos(angle)]
    daily = filled[:, -2 * long :].reshape(len(z), 2, days, short).mean(axis=(1, 3))
    day = ((steps - 1) // short) % days
    for extreme in (daily.argmin(axis=1), daily.argmax(axis=1)):
        out.append(((day[None] - extreme[:, None]) % days) / days)
    out.append(daily[:, day])
    out.append(daily[:, day] - daily[:, [days - 1]])
    out += [np.broadcast_to(part, (len(z), len(steps))) for part in _ahead(steps, short)]
    return out


def _ahead(steps: Ints, short: int) -> list[Floats]:
    return [steps[None] / (2 * short), np.log1p(steps)[None] / 3, ((steps + short - 1) // short)[None] / 2.0]


def _character(window: Floats, z: Floats, bend: Floats, short: int, long: int) -> list[Floats]:
    by_short = row_means(np.abs(z[:, short:] - z[:, :-short]))
    by_long = row_means(np.abs(z[:, long:] - z[:, :-long]))
    by_one = row_means(np.abs(np.diff(z[:, -2 * long :], axis=1)))
    flat = np.nanstd(window, axis=1) / (row_means(np.abs(window)) + 1e-12)
    idle = np.nanmean(np.abs(window) < 1e-6 * bend[:, None], axis=1)
    ratio = by_short / (by_long + 1e-6)
    return [part[:, None] for part in (by_short, by_long, by_one, np.clip(ratio, 0, 20), np.clip(flat, 0, 20), idle)]
