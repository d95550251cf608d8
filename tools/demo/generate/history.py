"""An account's history, window by window: draw, run, bill, write; what is open at the end of one is carried on."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from tools.demo.generate import activity, adaptive, metering, queries
from tools.demo.generate.beside import acceleration, service_credits
from tools.demo.generate.beside import frames as beside_frames
from tools.demo.generate.catalog import BULK, Demo, catalog
from tools.demo.generate.days import DAY_MS, HOUR_MS, moment
from tools.demo.generate.frames import Sink, as_table
from tools.demo.generate.incidents import announced
from tools.demo.generate.live import Live, Settings, start_of
from tools.demo.generate.metering import Seam
from tools.demo.generate.model import Beside
from tools.demo.generate.runs import Ran, Started, run_window
from tools.demo.generate.workload import Workload, draw, table
from tools.demo.load import Progress

__all__ = ["RECENT_MS", "History", "windows"]

RECENT_MS = 26 * HOUR_MS

_ROWS_A_WINDOW = 60_000
_LEAST_MS = 6 * HOUR_MS
"""No window is shorter than this unless it is the only one: what is staged at now began up to three hours before."""


@dataclass
class History:
    """Everything that going on needs: it is written beside the account's database (simulation.json)."""

    seed: int
    first: int
    """Milliseconds since 1970: the UTC midnight at which the history begins."""
    now: int
    precursors: bool
    queries: int | None
    """About how many statements the account was asked to have in its first `days`; None is as many as its habits
    send."""
    days: int
    lives: dict[int, Live]
    carried: tuple[Workload, Started] | None = None
    seam: Seam = field(default_factory=Seam)
    events: list[tuple[Any, ...]] = field(default_factory=list)
    """Rows of WAREHOUSE_EVENTS_HISTORY that begin before `now` and are done after it."""
    recent: pa.Table | None = None
    """QUERY_HISTORY rows that ended in the `RECENT_MS` before `now`: some views look back (model.Beside). Not saved."""

    @classmethod
    def begin(
        cls,
        seed: int,
        first: int,
        *,
        queries: int | None = None,
        days: int = 90,
        precursors: bool | None = None,
        configured: Mapping[int, Settings] | None = None,
    ) -> History:
        """An account without a past.

        Args:
            precursors: whether failures announce themselves; drawn from the seed unless given.
            configured: settings by WAREHOUSE_ID that stand for the catalog's.
        """
        demo = catalog(queries, days)
        told = announced(seed) if precursors is None else precursors
        return cls(seed, first, first, told, queries, days, start_of(demo, seed, first, configured))

    @property
    def demo(self) -> Demo:
        return catalog(self.queries, self.days)

    @property
    def _usual(self) -> npt.NDArray[np.bool_]:
        """By habit: whether views beside the queries tell of it; what only makes an account large is left out."""
        return np.array([not habit.key.startswith(BULK) for habit in self.demo.habits])

    def advance(self, until: int, sink: Sink, progress: Progress, *, stage: bool = True) -> Ran:
        """Simulate from `now` to `until` and hand the rows to `sink`; the last window is returned.

        Args:
            until: after `now`, on five minutes.
            stage: also send what must be in flight at `until`.
        """
        last: Ran | None = None
        parts = list(windows(self.now, until, _window_days(self.queries, self.days)))
        for place, end in enumerate(parts):
            last = self._window(end, sink, _part(progress, place, len(parts)), stage=stage and end == until)
        assert last is not None
        return last

    def _window(self, until: int, sink: Sink, progress: Progress, *, stage: bool) -> Ran:
        demo, since = self.demo, self.now
        known = table(demo)
        progress(0.0, f"drawing {moment(since):%d %B}")
        work = draw(demo, self.seed, self.first, since, until, precursors=self.precursors, stage=stage)
        ran = run_window(
            demo,
            self.seed,
            self.first,
            self.lives,
            self.carried,
            work,
            since,
            until,
            lambda done, text: progress(0.15 + 0.35 * done, text),
        )
        progress(0.5, f"writing {moment(since):%d %B}")
        # Metering adds each statement's credits, which the rows of what has ended then show.
        cloud = queries.cloud_services_credits(known, ran.work)
        hours = metering.warehouse_hours(ran, cloud, self.seam, self.seed)
        kept = np.flatnonzero(ran.finished)
        kept = kept[np.argsort(ran.work.ints("at")[kept], kind="stable")]
        history = queries.query_history(known, self.lives, ran, kept)
        rows = as_table(history)
        sink("QUERY_HISTORY", acceleration.marked(rows, self.seed, demo.warehouses))
        progress(0.75, f"metering {moment(since):%d %B}")
        attribution = as_table(metering.attribution(ran, dict(_arrays(rows)), kept))
        sink("QUERY_ATTRIBUTION_HISTORY", acceleration.attributed(attribution, rows, self.seed, demo.warehouses))
        sink("QUERY_METERING_HISTORY", as_table(adaptive.query_metering(ran, dict(_arrays(rows)), cloud, kept)))
        self._usage(ran, hours, rows.filter(pa.array(self._usual[ran.work.ints("habit")[kept]])), sink)
        ids = queries.query_ids(ran.work)
        told = activity.event_rows(known, self.lives, ran, ids, self.events)
        sink("WAREHOUSE_EVENTS_HISTORY", as_table(activity.warehouse_events(self.lives, told)))
        sink("WAREHOUSE_LOAD_HISTORY", as_table(activity.load_history(self.lives, ran)))
        self.carried = ran.work.take(ran.in_flight), ran.started.take(ran.in_flight)
        self.now = until
        progress(1.0, f"{moment(until):%d %B}")
        return ran

    def _usage(self, ran: Ran, hours: pd.DataFrame, rows: Any, sink: Sink) -> None:
        about = Beside(
            seed=self.seed,
            first=moment(self.first),
            since=moment(ran.since),
            until=moment(ran.until),
            timezone=self.demo.timezone,
            queries=self._with_recent(rows, ran.until),
            warehouses=self.demo.warehouses,
            precursors=self.precursors,
        )
        services = service_credits(about)
        names = {live.id: live.name for live in self.lives.values()}
        by_query = {live.id for live in self.lives.values() if live.adaptive}
        sink("WAREHOUSE_METERING_HISTORY", as_table(metering.warehouse_metering(names, by_query, hours)))
        sink("METERING_HISTORY", as_table(metering.hourly_services(names, hours, services)))
        sink("METERING_DAILY_HISTORY", as_table(metering.daily(hours, services, self.seam, ran.until)))
        for name, frame in beside_frames(about).items():
            sink(name, frame)

    def _with_recent(self, rows: pa.Table, until: int) -> pa.Table:
        """The rows before the window and its own; what the next window needs of them is kept."""
        plain = pa.schema([(each.name, _decoded(each.type)) for each in rows.schema])
        whole = (
            rows
            if self.recent is None
            else pa.concat_tables([self.recent.select(plain.names).cast(plain), rows.cast(plain)])
        )
        ended = whole.column("END_TIME").cast(pa.timestamp("us", tz="UTC"))
        self.recent = whole.filter(pc.greater(ended, pa.scalar(moment(until - RECENT_MS), type=ended.type)))
        return whole

    # -- on disk -----------------------------------------------------------------------------------------------------

    def save(self, file: Path) -> None:
        values = {
            "seed": self.seed,
            "first": self.first,
            "now": self.now,
            "precursors": self.precursors,
            "queries": self.queries,
            "days": self.days,
            "lives": [live.to_json() for live in self.lives.values()],
            "carried": None if self.carried is None else [_listed(part.columns) for part in self.carried],
            "seam": self.seam.to_json(),
            "events": self.events,
        }
        file.write_text(json.dumps(values, default=_plain) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, file: Path) -> History:
        """
        Raises:
            ValueError, KeyError, TypeError: the file is damaged.
        """
        values = json.loads(file.read_text(encoding="utf-8"))
        carried = values["carried"]
        return cls(
            seed=values["seed"],
            first=values["first"],
            now=values["now"],
            precursors=values["precursors"],
            queries=values["queries"],
            days=values["days"],
            lives={each["id"]: Live.from_json(each) for each in values["lives"]},
            carried=None if carried is None else (Workload(_read(carried[0])), Started(_read(carried[1]))),
            seam=Seam.from_json(values["seam"]),
            events=[tuple(row) for row in values["events"]],
        )


def _part(progress: Progress, place: int, count: int) -> Progress:
    return lambda done, text: progress((place + done) / count, text)


def windows(since: int, until: int, days: float) -> Iterator[int]:
    """Ends of the windows that make up [since, until): UTC midnights, and `until`."""
    end = since
    step = max(int(days), 1) * DAY_MS
    while end < until:
        end = (end // DAY_MS) * DAY_MS + step
        if until - end < _LEAST_MS:
            end = until
        yield end


def _window_days(wanted: int | None, days: int) -> float:
    per_day = max((wanted or 0) / days, 4_000)
    return _ROWS_A_WINDOW / per_day


def _arrays(rows: Any) -> Iterator[tuple[str, Any]]:
    for name in rows.column_names:
        yield name, rows.column(name).combine_chunks()


def _decoded(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _listed(columns: Mapping[str, npt.NDArray[np.generic]]) -> dict[str, Any]:
    return {name: [column.dtype.str, column.tolist()] for name, column in columns.items()}


def _read(values: Mapping[str, Any]) -> dict[str, npt.NDArray[np.generic]]:
    return {name: np.array(column, dtype=np.dtype(kind)) for name, (kind, column) in values.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(type(value).__name__)
