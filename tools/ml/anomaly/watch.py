"""`Watch`: a panel of series, one slot at a time, all series at once.

A slot's cost does not grow with the history, and most of it is array arithmetic over the series. `detect` and
`detect_panel` feed a `Watch` slot by slot, so that a saved one goes on exactly as they would.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tools.errors import BadArgument
from tools.ml.anomaly.checks import Floats
from tools.ml.anomaly.clock import Clock, Moment
from tools.ml.anomaly.drift import DAYS
from tools.ml.anomaly.episodes import UNREST, Episode, kind_of
from tools.ml.anomaly.panel import Panel, Signals
from tools.ml.anomaly.saving import FORMAT, opened, restore, saved
from tools.ml.anomaly.types import DEFAULT, Anomaly, KnownJob
from tools.ml.anomaly.windows import Sums

if TYPE_CHECKING:
    from tools.ml.calendar import Calendar

__all__ = ["FALSE_ALARMS", "Watch"]

FALSE_ALARMS = 0.01
"""Findings per series and week that chance may raise at the default threshold."""

_STEEP = 0.25
_EFFECTIVE_TESTS = 5.0
_MATERIAL = 0.1
_MATERIAL_UNREST = 0.15
_ADOPT_DAYS = 14
_BAND = 3.0
_ON = 3.0
_PART, _STRONG = 0.25, 60.0
_DRIFT_GOES_ON = 0.15
_DRIFT_LEAST_DAYS = 10
_BRIEF_DAYS = 1.5
_RETURN_DAYS = 56
_NEVER = -(10**9)

Bools = npt.NDArray[np.bool_]


class Watch:
    """
    Args:
        ids: one name a series; `take` gives values in this order.
        step: time between two values: five minutes to a day.
        calendar: the account's days; month ends and holidays are then no anomalies.
        threshold: in (0, 1); findings below this confidence are not raised. At 0.5 chance raises `false_alarms`.
        known_jobs: windows of announced work; nothing is raised in them, and nothing learnt.
        unit_price: what one unit of the series costs; severity is in units without it.
        false_alarms: findings per series and week that chance may raise at a threshold of 0.5.
        grain: how far one slot may differ from another for no reason at all, in the series' unit, of all series or by
            name: a handful of statements and some minutes of use are no measure.

    Raises:
        BadArgument: no ids or one twice; a step, threshold or budget that cannot be used.
    """

    def __init__(
        self,
        ids: Sequence[str],
        *,
        step: pd.Timedelta | str = "1h",
        calendar: Calendar | None = None,
        threshold: float = DEFAULT,
        known_jobs: Sequence[KnownJob] = (),
        unit_price: float | None = None,
        false_alarms: float = FALSE_ALARMS,
        grain: float | Mapping[str, float] = 0.0,
    ) -> None:
        if not ids or len(set(ids)) < len(ids):
            raise BadArgument("A watch needs the name of each series, each once.")
        if not 0 < threshold < 1 or not false_alarms > 0:
            raise BadArgument(f"Threshold {threshold} must be between 0 and 1, the budget {false_alarms} above 0.")
        grains = np.array([grain.get(name, 0.0) if isinstance(grain, Mapping) else grain for name in ids], dtype=float)
        if not (np.isfinite(grains) & (grains >= 0)).all():
            raise BadArgument("A grain is a size, 0 or more.")
        self.ids = list(ids)
        self.clock = Clock(pd.Timedelta(step), calendar, known_jobs)
        self.threshold, self.false_alarms = threshold, false_alarms
        self.price = 1.0 if unit_price is None else unit_price
        self.last: pd.Timestamp | None = None
        self.now = -1
        count, per_day = len(self.ids), self.clock.per_day
        self.panel = Panel(count, per_day, grains)
        self.active: Bools = np.zeros(count, dtype=bool)
        self.since: npt.NDArray[np.int64] = np.zeros(count, dtype=np.int64)
        self.adopted: npt.NDArray[np.int64] = np.full(count, _NEVER)
        """When the level was last taken for the usual one, and in which direction it had moved."""
        self.moved: npt.NDArray[np.int64] = np.zeros(count, dtype=np.int64)
        self.episodes: dict[int, Episode] = {}
        self.closed: list[list[Episode]] = [[] for _ in self.ids]
        # What an episode looks back to: values, z, expectation and spread as they were seen.
        self.history = {name: Sums(count, (_ADOPT_DAYS * per_day,)) for name in ("y", "z", "expected", "spread")}
        self.moments: list[Moment] = []

    def take(self, stamp: pd.Timestamp, values: Floats) -> None:
        """The next slot: one value a series, NaN where there is none.

        Raises:
            BadArgument: the stamp does not follow the last one by a whole number of steps; a value is infinite; a
                wrong number of values.
        """
        self.take_all(pd.DatetimeIndex([stamp]), np.asarray(values, dtype=float)[None, :])

    def take_all(self, stamps: pd.DatetimeIndex, values: Floats) -> None:
        """Several slots: one row a stamp. Slots that are left out have no value in any series."""
        values = np.asarray(values, dtype=float)
        if values.shape != (len(stamps), len(self.ids)):
            raise BadArgument(
                f"{len(self.ids)} series at {len(stamps)} stamps need as many values, not {values.shape}."
            )
        if np.isinf(values).any():
            raise BadArgument("An infinite value cannot be watched.", hint="Leave the slot out.")
        stamps, values = self._without_gaps(stamps, values)
        moments = self.clock.moments(stamps)
        for at in range(len(stamps)):
            self._step(moments.at(at), values[at])
        self.last = stamps[-1]

    def _without_gaps(self, stamps: pd.DatetimeIndex, values: Floats) -> tuple[pd.DatetimeIndex, Floats]:
        first = stamps[0] if self.last is None else self.last + self.clock.step
        every = pd.date_range(first, stamps[-1], freq=self.clock.step)
        places = every.get_indexer(stamps)
        if not len(every) or (places < 0).any() or (np.diff(places) <= 0).any():
            raise BadArgument(f"Stamps must go forward by whole steps of {self.clock.step} from {first}.")
        if len(every) == len(stamps):
            return stamps, values
        full = np.full((len(every), values.shape[1]), np.nan)
        full[places] = values
        return every, full

    def _step(self, moment: Moment, y: Floats) -> None:
        self.now += 1
        signals, experts = self.panel.see(moment, y, self.active)
        for name, sums in self.history.items():
            sums.push(getattr(signals, name))
        self.moments = [*self.moments[-(_ADOPT_DAYS * self.clock.per_day - 1) :], moment]
        self._go_on(signals)
        if not moment.job:
            self._raise(signals)
        if moment.slot == self.clock.per_day - 1:
            self._raise_drifts()
        there = np.isfinite(y)
        brief = there & self.active & (self.now - self.since < _BRIEF_DAYS * self.clock.per_day)
        self.panel.learn(moment, signals, experts, there & ~self.active, brief)

    # --- episodes --------------------------------------------------------------------------------------------

    def _raise(self, signals: Signals) -> None:
        """Open an episode where a window is rarer than the budget allows, and matters."""
        chance = signals.rates * 7 * _EFFECTIVE_TESTS
        confidence = 1 / (1 + (chance / self.false_alarms) ** _STEEP)
        confidence[self.active | ~signals.known] = 0.0
        rows = np.flatnonzero((confidence >= self.threshold).any(axis=1))
        for row in rows.tolist():
            sure = np.where(self._matters(row), confidence[row], 0.0)
            # Unrest is what is said of a series that is neither above nor below.
            sided = np.where(self.panel.signs != UNREST, sure, 0.0)
            best = int(np.argmax(sided if sided.max() >= self.threshold else sure))
            if sure[best] >= self.threshold:
                self._open(row, best, float(sure[best]))

    def _raise_drifts(self) -> None:
        day = self.clock.per_day
        for row, drift in self.panel.drifts.found().items():
            if self.active[row] or drift.confidence < self.threshold:
                continue
            past = self.closed[row]
            start = max(self.now + 1 - DAYS * day, past[-1].last + 1 if past else 0)
            slots = self.now + 1 - start
            if slots < _DRIFT_LEAST_DAYS * day:
                continue
            base = drift.base / day
            episode = Episode(start, self.now, self.now, drift.direction, drift.confidence, DAYS * day, base=base)
            actual = drift.total * slots / (DAYS * day)
            half = _BAND * float(self.history["spread"].last(day, row).mean()) * slots
            episode.totals[:4] = slots, actual, base * slots, half
            self._begin(row, episode)
            self.panel.take_out(row, self.panel.scales.longest)

    def _matters(self, row: int) -> Bools:
        """Whether each window's excess is worth a finding in this series."""
        panel = self.panel
        level = float(panel.profile.level[row])
        excess = panel.excess.sums[row, panel.columns] * panel.signs[:-1]
        matters = np.append(excess, panel.missing[row] * level) >= _MATERIAL * level * self.clock.per_day
        matters[panel.unrest_columns] = self._unrest(row) >= _MATERIAL_UNREST * level
        return np.asarray(matters)

    def _unrest(self, row: int) -> float:
        day = self.clock.per_day
        apart = self.history["y"].last(day, row) - self.history["expected"].last(day, row)
        return float(np.abs(apart).mean())

    def _open(self, row: int, column: int, confidence: float) -> None:
        panel = self.panel
        direction = int(panel.signs[column])
        windows = [*(panel.lengths[at] for at in panel.columns), int(panel.silent[row])]
        length = windows[column]
        z = self.history["z"].last(min(length, self.now + 1), row)
        pile = np.abs(z) - 1 if direction == UNREST else z * direction - 0.75
        ended = self.closed[row][-1].last if self.closed[row] else -1
        back = min(int(np.argmax(np.cumsum(pile[::-1]))) + 1, self.now - ended)
        episode = Episode(self.now - back + 1, self.now, self.now, direction, confidence, length)
        day = self.clock.per_day
        for at in range(back, 0, -1):
            episode.add(self._parts(row, at), True, self.now - at + 1)
        episode.early = episode.recent = float(direction * z[-back:][:day].mean())
        self._begin(row, episode)
        panel.take_out(row, length)

    def _begin(self, row: int, episode: Episode) -> None:
        self.episodes[row] = episode
        self.active[row] = True
        self.since[row] = episode.start

    def _parts(self, row: int, back: int) -> Floats:
        """What a slot adds to an episode; `back` 1 is the newest."""
        day = self.clock.per_day
        history = {name: sums.ring[(sums.at - back) % sums.size, row] for name, sums in self.history.items()}
        ring = self.history["z"]
        before = ring.ring[(ring.at - back - day) % ring.size, row]
        apart = history["y"] - history["expected"]
        z = float(np.clip(history["z"], -6, 6))
        return np.array(
            [1.0, history["y"], history["expected"], _BAND * history["spread"], abs(apart), z, z * z, z * before]
        )

    def _go_on(self, signals: Signals) -> None:
        day = self.clock.per_day
        for row, episode in list(self.episodes.items()):
            goes_on = bool(signals.known[row]) and self._still(row, episode)
            parts = self._parts(row, 1)
            if np.isfinite(episode.base):
                parts[2] = episode.base
            episode.add(parts, goes_on, self.now)
            if self.now - episode.last >= day:
                self._close(row)
            elif self.now - episode.start >= (1 if self._returns(row, episode) else _ADOPT_DAYS) * day:
                self._adopt(row)

    def _still(self, row: int, episode: Episode) -> bool:
        """Whether the newest slot belongs to the episode."""
        day = self.clock.per_day
        if np.isfinite(episode.base):
            mean = float(self.history["y"].last(day, row).mean())
            return (mean - episode.base) * episode.direction > _DRIFT_GOES_ON * episode.base
        z = self.history["z"].last(day, row)
        if episode.direction == UNREST:
            return bool(abs(z[-1]) > 1.5 and np.mean(np.minimum(z * z, 16)) > 2.5)
        z = z * episode.direction
        # A strong episode is not kept going by what would be noise on any day.
        least = max(0.5, _PART * min(episode.early, _STRONG))
        third = float(np.median(z[-max(1, day // 3) :]))
        lasts = third > 1 or (third > 0.25 and float(np.median(z)) > max(0.5, episode.early / 2))
        if z[-1] > max(_ON, least) or (z[-1] > least and lasts):
            episode.recent = float(np.clip(z, -4, 6).mean())
            return True
        return False

    def _close(self, row: int) -> None:
        episode = self.episodes.pop(row)
        self.closed[row].append(episode)
        if np.isfinite(episode.base):
            self.panel.drifts.forget(row)
        self.active[row] = False

    def _returns(self, row: int, episode: Episode) -> bool:
        """Whether the episode takes back a shift that was adopted not long ago."""
        lately = self.now - self.adopted[row] < _RETURN_DAYS * self.clock.per_day
        return bool(lately and episode.direction * self.moved[row] < 0)

    def _adopt(self, row: int) -> None:
        """The new regime is what is usual: after two weeks, or after a day where it is the one from before."""
        episode = self.episodes[row]
        days = 1 if self._returns(row, episode) else _ADOPT_DAYS
        self._close(row)
        self.panel.drifts.forget(row)
        moments = self.moments[-days * self.clock.per_day :]
        values = self.history["y"].last(len(moments), row)
        usual = [not moment.excused for moment in moments]
        places = [(moment.slot, moment.weekday, moment.off) for moment in moments if not moment.excused]
        self.panel.profile.relearn(row, places, values[usual])
        self.adopted[row], self.moved[row] = self.now, episode.direction if days > 1 else 0

    # --- saved state ---------------------------------------------------------------------------------------------

    def _counters(self) -> dict[str, np.ndarray[Any, Any]]:
        return {"active": self.active, "since": self.since, "adopted": self.adopted, "moved": self.moved}

    def to_bytes(self) -> bytes:
        """Everything but the calendar and the known jobs, which are the caller's and may change."""
        plain = {
            "format": FORMAT,
            "ids": self.ids,
            "step": self.clock.step.isoformat(),
            "threshold": self.threshold,
            "price": self.price,
            "false_alarms": self.false_alarms,
            "now": self.now,
            "last": None if self.last is None else self.last.isoformat(),
            "episodes": {row: episode.as_json() for row, episode in self.episodes.items()},
            "closed": [[episode.as_json() for episode in row] for row in self.closed],
            "moments": [list(vars(moment).values()) for moment in self.moments],
        }
        return saved(plain, [self.panel, self.history, self._counters()])

    @classmethod
    def from_bytes(cls, data: bytes, *, calendar: Calendar | None = None, known_jobs: Sequence[KnownJob] = ()) -> Watch:
        """
        Raises:
            BadArgument: not what `to_bytes` of this version wrote.
        """
        plain, arrays = opened(data)
        watch = cls(
            plain["ids"],
            step=pd.Timedelta(plain["step"]),
            calendar=calendar,
            threshold=plain["threshold"],
            known_jobs=known_jobs,
            unit_price=plain["price"],
            false_alarms=plain["false_alarms"],
        )
        watch.now = plain["now"]
        watch.last = None if plain["last"] is None else pd.Timestamp(plain["last"])
        watch.episodes = {int(row): Episode.from_json(one) for row, one in plain["episodes"].items()}
        watch.closed = [[Episode.from_json(one) for one in row] for row in plain["closed"]]
        watch.moments = [Moment(*one) for one in plain["moments"]]
        restore([watch.panel, watch.history, watch._counters()], arrays)
        return watch

    # --- findings --------------------------------------------------------------------------------------------

    def findings(self) -> dict[str, list[Anomaly]]:
        """All findings so far, oldest first, by series; every series is there."""
        found: dict[str, list[Anomaly]] = {}
        for row, name in enumerate(self.ids):
            episodes = [*self.closed[row], *([self.episodes[row]] if row in self.episodes else [])]
            found[name] = [self._finding(episode) for episode in episodes]
        return found

    def _finding(self, episode: Episode) -> Anomaly:
        slots, actual, expected, half = episode.totals[:4].tolist()
        step = self.clock.step
        assert self.last is not None
        zero = self.last - self.now * step
        kind = kind_of(episode, self.clock.per_day)
        apart = episode.totals[4] if kind in ("variance_change", "seasonality_change") else abs(actual - expected)
        return Anomaly(
            start=zero + episode.start * step,
            end=zero + (episode.last + 1) * step,
            kind=kind,
            expected=expected / slots,
            band=((expected - half) / slots, (expected + half) / slots),
            actual=actual / slots,
            severity=float(apart) * self.price,
            confidence=episode.confidence,
            detected_at=zero + (episode.detected + 1) * step,
            open=self.now - episode.last < max(1, self.clock.per_day // 8),
        )
