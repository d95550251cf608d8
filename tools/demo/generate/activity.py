"""What a warehouse did: load by five minutes, and events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tools.demo.generate.frames import Columns, moments
from tools.demo.generate.intervals import cut
from tools.demo.generate.live import Live
from tools.demo.generate.runs import SIZES, Ran
from tools.demo.generate.states import Event, Moment
from tools.demo.generate.workload import Table

__all__ = ["FIVE_MINUTES", "event_rows", "load_history", "warehouse_events"]

FIVE_MINUTES = 300_000
_CONSISTENT_AFTER = 162

Ints = npt.NDArray[np.int64]
Row = tuple[Any, ...]


def load_history(lives: Mapping[int, Live], ran: Ran) -> Columns:
    """WAREHOUSE_LOAD_HISTORY: seconds in each state over the seconds of the interval, while it ran or waited.

    `since` and `until` of the window lie on five minutes.
    """
    started, reaches = ran.started, ran.work.reaches
    here = ran.work.executes & (reaches < ran.until) & ~(ran.finished & (started["begin"] < 0))
    waits = started["begin"] < 0
    ready = np.where(waits, ran.until, reaches + started["provisioning"])
    begin = np.where(waits, ran.until, started["begin"])
    # What is resuming at `until` is still being provisioned; what waits on a running warehouse is queued.
    resuming = [live.id for live in lives.values() if live.state.resuming]
    queued = waits & ~np.isin(started["warehouse"], resuming)
    blocked = ran.work.ints("blocked")
    states = {
        "AVG_RUNNING": (started["begin"], started["end"], here & ~waits),
        "AVG_QUEUED_LOAD": (np.where(queued, reaches, ready), begin, here & (queued | (started["overload"] > 0))),
        "AVG_QUEUED_PROVISIONING": (reaches, ready, here & ~queued & (waits | (started["provisioning"] > 0))),
        "AVG_BLOCKED": (reaches - blocked, reaches, ran.work.executes & (blocked > 0)),
    }
    warehouse, on = started["warehouse"], ran.stretches
    sums = {name: _by_slot(ran, warehouse, *state) for name, state in states.items()}
    # A warehouse that ran without work has a row of zeros.
    whole = np.ones(len(on), dtype=bool)
    sums["on"] = _by_slot(ran, on["warehouse"].to_numpy(), on["start"].to_numpy(), on["end"].to_numpy(), whole)
    frame = pd.DataFrame(sums).fillna(0.0).rename_axis(["id", "slot"]).reset_index()
    frame = frame.sort_values(["slot", "id"], ignore_index=True)
    start = frame["slot"].to_numpy(dtype=np.int64) * FIVE_MINUTES
    return {
        "START_TIME": moments(start),
        "END_TIME": moments(start + FIVE_MINUTES),
        "WAREHOUSE_ID": frame["id"].to_numpy(dtype=np.int64),
        "WAREHOUSE_NAME": [lives[identifier].name for identifier in frame["id"].tolist()],
    } | {name: (frame[name] / FIVE_MINUTES).round(9).to_numpy() for name in states}


def _by_slot(ran: Ran, warehouse: Ints, start: Ints, end: Ints, there: npt.NDArray[np.bool_]) -> pd.Series[float]:
    rows = np.flatnonzero(there)
    row, slot, part = cut(np.maximum(start[rows], ran.since), np.minimum(end[rows], ran.until), FIVE_MINUTES)
    return pd.Series(part.astype(float)).groupby([warehouse[rows][row], slot]).sum()


# --- events ----------------------------------------------------------------------------------------------------

_ROW = (
    *("at", "id", "CLUSTER_NUMBER", "EVENT_NAME", "EVENT_REASON", "EVENT_STATE"),
    *("USER_NAME", "ROLE_NAME", "QUERY_ID", "SIZE", "CLUSTER_COUNT"),
)

_CHAINS: dict[Event, tuple[str, str, str]] = {
    Event.RESUME: ("RESUME_WAREHOUSE", "RESUME_CLUSTER", "WAREHOUSE_AUTORESUME"),
    Event.SUSPEND: ("SUSPEND_WAREHOUSE", "SUSPEND_CLUSTER", "WAREHOUSE_AUTOSUSPEND"),
    Event.SPIN_UP: ("SPINUP_CLUSTER", "RESUME_CLUSTER", "MULTICLUSTER_SPINUP"),
    Event.SPIN_DOWN: ("SPINDOWN_CLUSTER", "SUSPEND_CLUSTER", "MULTICLUSTER_SPINDOWN"),
    Event.RESIZE: ("RESIZE_WAREHOUSE", "RESIZE_CLUSTER", "WAREHOUSE_RESIZE"),
}


def event_rows(known: Table, lives: Mapping[int, Live], ran: Ran, ids: Any, pending: list[Row]) -> list[Row]:
    """Rows of the window in order of time; those that come later stay in `pending` for the next one.

    Args:
        ids: QUERY_ID by row of the window, as an Arrow array.
    """
    rows = list(pending)
    for identifier, told in ran.moments.items():
        live = lives[identifier]
        for moment, query in told:
            rows += _chain(live, moment, _who(known, ran, moment, query, ids))
    for live in lives.values():
        for name, at in (("CREATE_WAREHOUSE", live.created), ("DROP_WAREHOUSE", live.dropped)):
            if at is not None and ran.since < at <= ran.until:
                who = ("PLATFORM_ADMIN", "SYSADMIN", None, None, None)
                rows.append((at, live.id, None, name, None, "COMPLETED", *who))
    pending[:] = [row for row in rows if row[0] > ran.until]
    return sorted((row for row in rows if row[0] <= ran.until), key=lambda row: (row[0], row[1]))


def warehouse_events(lives: Mapping[int, Live], rows: list[Row]) -> Columns:
    """WAREHOUSE_EVENTS_HISTORY: each moment as the chain of rows that Snowflake writes (reference 1.2)."""
    columns = dict(zip(_ROW, map(list, zip(*rows, strict=True)), strict=True)) if rows else {name: [] for name in _ROW}
    owner = [lives[int(identifier)] for identifier in columns.pop("id")]
    whole = [name == "WAREHOUSE_CONSISTENT" for name in columns["EVENT_NAME"]]
    cluster = np.array([-1 if number is None else number for number in columns.pop("CLUSTER_NUMBER")], dtype=np.int64)
    told = list(zip(owner, whole, strict=True))
    return {
        "TIMESTAMP": moments(np.array(columns.pop("at"), dtype=np.int64)),
        "WAREHOUSE_ID": np.array([live.id for live in owner], dtype=np.int64),
        "WAREHOUSE_NAME": [live.name for live in owner],
        "CLUSTER_NUMBER": np.ma.masked_less(cluster, 0),
        "WAREHOUSE_TYPE": [live.settings.type if done else None for live, done in told],
        "RESOURCE_CONSTRAINT": [live.settings.resource_constraint if done else None for live, done in told],
    } | columns


def _who(known: Table, ran: Ran, moment: Moment, query: int, ids: Any) -> tuple[str | None, ...]:
    """User, role and query behind a moment; the system's own doings have none."""
    if query >= 0:
        habit = known.demo.habits[int(ran.work.ints("habit")[query])]
        return habit.users[int(ran.work.ints("user")[query])], habit.role, ids[query].as_py()
    if moment.change is not None:
        return moment.change.user, moment.change.role, None
    return None, None, None


def _chain(live: Live, moment: Moment, who: tuple[str | None, ...]) -> list[Row]:
    whole, each, reason = _CHAINS[moment.event]
    at, identifier, empty = moment.at, live.id, (None, None, None)
    resize = moment.event is Event.RESIZE
    rows: list[Row] = []
    if resize:
        rows.append((at, identifier, None, "ALTER_WAREHOUSE", None, "STARTED", *who, None, None))
    rows.append((at, identifier, None, whole, reason, "STARTED", *who, None, None))
    done = max(moment.ready, at + _CONSISTENT_AFTER)
    for number in moment.clusters:
        if resize:
            rows.append((done, identifier, number, each, reason, "COMPLETED", *empty, None, None))
        else:
            rows.append((at, identifier, number, each, reason, "STARTED", *who, None, None))
    running = len(moment.clusters) if moment.event is Event.RESUME else moment.running
    state = (SIZES[moment.rank].value, str(running))
    return [*rows, (done, identifier, None, "WAREHOUSE_CONSISTENT", None, "COMPLETED", *empty, *state)]
