"""What a warehouse did: load by five minutes, events, and its row in SHOW WAREHOUSES at now."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tools.demo.generate.frames import Columns, moments
from tools.demo.generate.habits import Demo
from tools.demo.generate.intervals import cut
from tools.demo.generate.model import Warehouse
from tools.demo.generate.runs import Ran
from tools.demo.generate.simulate import Event, Moment
from tools.domain import Size

__all__ = ["load_history", "show_warehouses", "warehouse_events"]

_FIVE_MINUTES = 300_000
_DAY_MS = 86_400_000
_CONSISTENT_AFTER = 162

Ints = npt.NDArray[np.int64]


def load_history(demo: Demo, ran: Ran, epoch_ms: int) -> Columns:
    """WAREHOUSE_LOAD_HISTORY: seconds in each state over the seconds of the interval, while it ran or waited."""
    work = ran.work
    executing = ran.begin >= 0
    ready = work.reaches + ran.provisioning
    blocked_until = np.where(ran.finished, work.reaches, 0)
    states = {
        "AVG_RUNNING": (ran.begin, np.minimum(ran.end, ran.now), executing),
        "AVG_QUEUED_LOAD": (ready, ran.begin, executing & (ran.overload > 0)),
        "AVG_QUEUED_PROVISIONING": (work.reaches, ready, executing & (ran.provisioning > 0)),
        "AVG_BLOCKED": (blocked_until - work.blocked, blocked_until, ran.finished & (work.blocked > 0)),
    }
    stretches = ran.stretches
    on = stretches["start"].to_numpy(), stretches["end"].to_numpy(), np.ones(len(stretches), dtype=bool)
    sums = {name: _by_slot(work.warehouse, *state) for name, state in states.items()}
    # A warehouse that ran without work has a row of zeros.
    frame = pd.DataFrame(sums | {"on": _by_slot(stretches["warehouse"].to_numpy(), *on)}).fillna(0.0)
    frame = frame.rename_axis(["id", "slot"]).reset_index()
    frame = frame[(frame["slot"] + 1) * _FIVE_MINUTES <= ran.now].sort_values(["slot", "id"], ignore_index=True)
    names = {warehouse.id: warehouse.name for warehouse in demo.warehouses}
    start = frame["slot"].to_numpy() * _FIVE_MINUTES
    return {
        "START_TIME": moments(start, epoch_ms),
        "END_TIME": moments(start + _FIVE_MINUTES, epoch_ms),
        "WAREHOUSE_ID": frame["id"].to_numpy(),
        "WAREHOUSE_NAME": [names[identifier] for identifier in frame["id"].tolist()],
    } | {name: (frame[name] / _FIVE_MINUTES).round(9).to_numpy() for name in states}


def _by_slot(warehouse: Ints, start: Ints, end: Ints, there: npt.NDArray[np.bool_]) -> pd.Series[float]:
    rows = np.flatnonzero(there)
    row, slot, part = cut(start[rows], end[rows], _FIVE_MINUTES)
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


def warehouse_events(demo: Demo, ran: Ran, ids: list[str], epoch_ms: int) -> Columns:
    """WAREHOUSE_EVENTS_HISTORY: each moment as the chain of rows that Snowflake writes (reference 1.2)."""
    by_id = {warehouse.id: warehouse for warehouse in demo.warehouses}
    rows: list[tuple[Any, ...]] = []
    for identifier, outcome in ran.outcomes.items():
        warehouse, sizes = by_id[identifier], ran.sizes[identifier]
        arrived = np.flatnonzero(ran.work.executes & (ran.work.warehouse == identifier))
        arrived = arrived[np.argsort(ran.work.reaches[arrived], kind="stable")]
        for moment in outcome.moments:
            query = int(arrived[moment.query]) if moment.query >= 0 else -1
            rows += _chain(warehouse, moment, sizes[moment.size], _who(ran, warehouse, moment, query, ids))
    for warehouse in demo.warehouses:
        rows += _lifetime(warehouse, ran.now)
    rows = sorted((row for row in rows if 0 <= row[0] <= ran.now), key=lambda row: (row[0], row[1]))
    columns = dict(zip(_ROW, map(list, zip(*rows, strict=True)), strict=True))
    owner = [by_id[identifier] for identifier in columns.pop("id")]
    consistent = [name == "WAREHOUSE_CONSISTENT" for name in columns["EVENT_NAME"]]
    cluster = np.array([-1 if number is None else number for number in columns.pop("CLUSTER_NUMBER")])
    return {
        "TIMESTAMP": moments(np.array(columns.pop("at"), dtype=np.int64), epoch_ms),
        "WAREHOUSE_ID": np.array([warehouse.id for warehouse in owner]),
        "WAREHOUSE_NAME": [warehouse.name for warehouse in owner],
        "CLUSTER_NUMBER": np.ma.masked_less(cluster, 0),
        "WAREHOUSE_TYPE": [w.type if whole else None for w, whole in zip(owner, consistent, strict=True)],
        "RESOURCE_CONSTRAINT": [
            w.resource_constraint if whole else None for w, whole in zip(owner, consistent, strict=True)
        ],
    } | columns


def _who(ran: Ran, warehouse: Warehouse, moment: Moment, query: int, ids: list[str]) -> tuple[str | None, ...]:
    """User, role and query behind a moment; the system's own doings have none."""
    if query >= 0:
        habit = ran.work.habits[int(ran.work.habit[query])]
        return habit.users[int(ran.work.user[query])], habit.role, ids[query]
    if moment.event is Event.RESIZE and warehouse.resizing is not None:
        return warehouse.resizing.user, warehouse.resizing.role, None
    return None, None, None


def _chain(warehouse: Warehouse, moment: Moment, size: Size, who: tuple[str | None, ...]) -> list[tuple[Any, ...]]:
    whole, each, reason = _CHAINS[moment.event]
    at, identifier, empty = moment.at, warehouse.id, (None, None, None)
    resize = moment.event is Event.RESIZE
    rows: list[tuple[Any, ...]] = []
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
    state = (size.value, str(running))
    return [*rows, (done, identifier, None, "WAREHOUSE_CONSISTENT", None, "COMPLETED", *empty, *state)]


def _lifetime(warehouse: Warehouse, now: int) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = []
    who = ("PLATFORM_ADMIN", "SYSADMIN", None, None, None)
    lives = (("CREATE_WAREHOUSE", warehouse.created_days_ago), ("DROP_WAREHOUSE", warehouse.dropped_days_ago))
    for name, days in lives:
        if days is not None:
            rows.append((now - int(days * _DAY_MS), warehouse.id, None, name, None, "COMPLETED", *who))
    return rows


# --- SHOW --------------------------------------------------------------------------------------------------------


def show_warehouses(demo: Demo, ran: Ran, epoch_ms: int) -> Columns:
    """SHOW WAREHOUSES at now, spelled as an Enterprise account spells it (reference 1.4)."""
    alive = [warehouse for warehouse in demo.warehouses if warehouse.dropped_days_ago is None]
    rows = [_show(warehouse, ran) for warehouse in sorted(alive, key=lambda w: w.name)]
    columns: Columns = {name: [row[name] for row in rows] for name in rows[0]}
    for name in ("created_on", "resumed_on", "updated_on"):
        stamps = np.array([-1 if value is None else value for value in columns[name]], dtype=np.int64)
        columns[name] = moments(np.where(stamps == -1, 0, stamps), epoch_ms)
        if (stamps == -1).any():
            columns[name] = [None if s == -1 else v for s, v in zip(stamps, columns[name].to_pylist(), strict=True)]
    return columns


def _show(warehouse: Warehouse, ran: Ran) -> dict[str, Any]:
    mine = ran.work.executes & (ran.work.warehouse == warehouse.id) & (ran.work.reaches <= ran.now)
    mine &= ~((ran.end >= 0) & (ran.end <= ran.now))
    row: dict[str, Any] = {
        "name": warehouse.name,
        "type": warehouse.type,
        "running": int((mine & (ran.begin >= 0)).sum()),
        "queued": int((mine & (ran.begin < 0)).sum()),
        "is_default": "N",
        "is_current": "N",
        "is_interactive": "N",
        "auto_resume": "true",
        "available": "",
        "provisioning": "",
        "quiescing": "",
        "other": "",
        "created_on": ran.now - int(warehouse.created_days_ago * _DAY_MS),
        "owner": warehouse.owner,
        "comment": warehouse.comment,
        "enable_query_acceleration": "false",
        "query_acceleration_max_scale_factor": 8,
        "resource_monitor": "null",
        "actives": 0,
        "pendings": 0,
        "failed": 0,
        "suspended": 0,
        "uuid": str(warehouse.id * 104_729),
        "owner_role_type": "ROLE" if warehouse.owner else "",
        "resource_constraint": warehouse.resource_constraint,
        "generation": warehouse.generation,
        "warehouse_id": warehouse.id,
    }
    return row | (_adaptive_state(row) if warehouse.size is None else _state(warehouse, ran, row["created_on"]))


def _adaptive_state(row: dict[str, Any]) -> dict[str, Any]:
    empty = dict.fromkeys(("size", "min_cluster_count", "max_cluster_count", "started_clusters", "auto_suspend"))
    empty |= dict.fromkeys(("scaling_policy", "resumed_on"))
    return {"state": "ENABLED", "updated_on": row["created_on"]} | empty


def _state(warehouse: Warehouse, ran: Ran, created: int) -> dict[str, Any]:
    outcome = ran.outcomes[warehouse.id]
    resumed = [moment.ready for moment in outcome.moments if moment.event is Event.RESUME and moment.ready <= ran.now]
    resized = [moment.at for moment in outcome.moments if moment.event is Event.RESIZE]
    started = outcome.clusters_now
    state = "STARTED" if started else "SUSPENDED"
    return {
        "state": "RESUMING" if outcome.resuming else state,
        "size": ran.sizes[warehouse.id][outcome.size_now].shown,
        "min_cluster_count": warehouse.min_clusters,
        "max_cluster_count": warehouse.max_clusters,
        "started_clusters": started,
        "actives": started,
        "available": "100" if started else "",
        "auto_suspend": warehouse.auto_suspend,
        "resumed_on": resumed[-1] if resumed else created,
        "updated_on": resized[-1] if resized else created,
        "scaling_policy": "STANDARD",
    }
