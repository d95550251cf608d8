"""Before a history goes on: what people have changed since, taken over from the account's own state.

The account's time stands still between two windows, and its server changes warehouses at that moment: sizes, clusters,
suspension, new and dropped warehouses, cancelled statements. The simulation then starts from what SHOW WAREHOUSES and
the statements in flight say.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from tools.demo.generate.days import milliseconds
from tools.demo.generate.history import History
from tools.demo.generate.live import Live, Settings, rules_of
from tools.demo.generate.queries import query_ids
from tools.demo.generate.runs import SIZES
from tools.demo.generate.simulate import FINISH, LOOK, QUIET, READY, SUSPEND, next_poll
from tools.demo.generate.states import Cluster, Rules, State

__all__ = ["Shown", "reconcile"]


@dataclass(frozen=True)
class Shown:
    """One warehouse as the account shows it."""

    row: Mapping[str, Any]
    """SHOW WAREHOUSES, and warehouse_id."""
    concurrency: int = 8


def reconcile(history: History, shown: Sequence[Shown], in_flight: frozenset[str]) -> None:
    """Take over settings and state; `history` is changed in place.

    Args:
        shown: the account's warehouses; what is missing has been dropped, what is unknown is new.
        in_flight: QUERY_IDs that still run or wait; what is missing has ended.
    """
    by_id = {int(each.row["warehouse_id"]): each for each in shown}
    now, closed = history.now, []
    for identifier, each in by_id.items():
        if identifier not in history.lives:
            history.lives[identifier] = _new(each, now)
    gone = _ended(history, in_flight)
    for live in history.lives.values():
        if live.dropped is not None and live.dropped <= now:
            continue
        found = by_id.get(live.id)
        if found is None:
            live.dropped = now
        closed += _take_over(history, live, found, gone.get(live.id, []), now)
    if closed:
        history.seam.tail = pd.concat([history.seam.tail, pd.DataFrame(closed)], ignore_index=True)
    _forget(history, gone)


def _new(shown: Shown, now: int) -> Live:
    settings = _settings(shown, None)
    created = shown.row["created_on"]
    kind = 11.0 if settings.type == "SNOWPARK-OPTIMIZED" else 1.3
    name = str(shown.row["name"])
    at = now if created is None else min(milliseconds(created), now)
    return Live(int(shown.row["warehouse_id"]), name, name, settings, kind, at, None, State(settings.rank), -1)


def _settings(shown: Shown, base: str | None) -> Settings:
    """As shown; `base` stands for the size where the shown one is that of a planned resize."""
    row = shown.row
    adaptive = str(row["type"]).upper() == "ADAPTIVE"
    return Settings(
        size=None if adaptive else base or str(row["size"]),
        type=str(row["type"]).upper(),
        generation=row["generation"],
        resource_constraint=row["resource_constraint"],
        auto_suspend=None if not row["auto_suspend"] else int(row["auto_suspend"]),
        min_clusters=int(row["min_cluster_count"] or 1),
        max_clusters=int(row["max_cluster_count"] or 1),
        scaling_policy=str(row["scaling_policy"] or "STANDARD").upper(),
        auto_resume=str(row["auto_resume"]).lower() == "true",
        concurrency=shown.concurrency,
    )


# --- statements in flight ------------------------------------------------------------------------------------------


def _ended(history: History, in_flight: frozenset[str]) -> dict[int, list[int]]:
    """By WAREHOUSE_ID: numbers, among what is in flight there, of statements that somebody has ended."""
    if history.carried is None:
        return {}
    work, started = history.carried
    ids, reached = query_ids(work).to_pylist(), (work.reaches <= history.now) & work.executes
    found: dict[int, list[int]] = {}
    for identifier in history.lives:
        rows = np.flatnonzero((started["warehouse"] == identifier) & work.executes)
        found[identifier] = [n for n, row in enumerate(rows) if reached[row] and ids[row] not in in_flight]
    return found


def _forget(history: History, gone: Mapping[int, Sequence[int]]) -> None:
    if history.carried is None:
        return
    work, started = history.carried
    keep = np.ones(len(work), dtype=bool)
    for identifier, numbers in gone.items():
        rows = np.flatnonzero((started["warehouse"] == identifier) & work.executes)
        keep[rows[list(numbers)]] = False
    history.carried = work.take(np.flatnonzero(keep)), started.take(np.flatnonzero(keep))


# --- one warehouse -------------------------------------------------------------------------------------------------


def _take_over(
    history: History, live: Live, shown: Shown | None, gone: Sequence[int], now: int
) -> list[dict[str, Any]]:
    """Change settings and state; the stretches of clusters that this ended, for metering."""
    before, state = live.settings, live.state
    if shown is not None:
        live.name = str(shown.row["name"])
        size = shown.row["size"]
        same = size is not None and not live.adaptive and size == SIZES[state.rank].shown
        live.settings = _settings(shown, before.size if same else None)
        if not same and not live.adaptive:
            live.void_before = now
    if live.adaptive:
        return []
    rules, _ = rules_of(live, history.seed)
    slots = _slots(history, live, rules)
    running = _end_statements(state, gone, now)
    if state.resuming and shown is not None and str(shown.row["state"]).upper() == "RESUMING":
        state.rank = live.settings.rank if live.void_before == now else state.rank
        return []
    closed = _reshape(live, before, shown, now)
    _place(state, rules, slots, running)
    _settle(state, rules, now)
    return closed


def _slots(history: History, live: Live, rules: Rules) -> list[tuple[int, int]]:
    """(slots it needs, its cluster) of each statement in flight, by number."""
    if history.carried is None:
        return []
    work, started = history.carried
    rows = np.flatnonzero((started["warehouse"] == live.id) & work.executes)
    need = np.minimum(work.ints("slots")[rows], rules.slots)
    return list(zip(need.tolist(), started["cluster"][rows].tolist(), strict=True))


def _end_statements(state: State, gone: Sequence[int], now: int) -> dict[int, int]:
    """Take ended statements out and number the others anew; new number to old one of those that run."""
    ended = set(gone)
    old = sorted({q for _, _, kind, q in state.heap if kind == FINISH} | set(state.queue))
    latest = max([*old, *ended], default=-1)
    number = {q: n for n, q in enumerate(q for q in range(latest + 1) if q not in ended)}
    state.heap = [
        (at, n, kind, number[q] if kind == FINISH else q)
        for at, n, kind, q in state.heap
        if kind != FINISH or q not in ended
    ]
    heapq.heapify(state.heap)
    state.queue = [number[q] for q in state.queue if q not in ended]
    running = {number[q]: q for q in old if q not in ended}
    waiting = set(state.queue)
    if ended:
        state.idle_since = now
    return {new: was for new, was in running.items() if new not in waiting}


def _reshape(live: Live, before: Settings, shown: Shown | None, now: int) -> list[dict[str, Any]]:
    """Clusters, as they are shown; the stretches that this ends."""
    state, old_rank = live.state, live.state.rank
    resized = shown is not None and str(shown.row["size"]) != SIZES[old_rank].shown
    if resized:
        state.rank = live.settings.rank
    wanted = _wanted(live, shown)
    closed = []
    for cluster in list(state.clusters):
        goes = cluster.number not in wanted
        if goes or resized or live.settings.setup != before.setup:
            kind, generation, constraint = before.setup
            row: dict[str, Any] = {"warehouse": live.id, "cluster": cluster.number, "start": cluster.since, "end": now}
            row |= {"size": SIZES[old_rank].value, "type": kind, "generation": generation}
            closed += [row | {"resource_constraint": constraint}] if now > cluster.since else []
            cluster.since = cluster.warm_since = now
        if goes:
            state.clusters.remove(cluster)
    have = {cluster.number for cluster in state.clusters}
    state.clusters += [Cluster(number, now, now, now) for number in sorted(wanted - have)]
    if not wanted:
        state.resuming = False
        state.spinning = []
        state.up_check = state.quiet_checks = False
        state.heap = []
        state.queue = []
        state.busy = 0
    elif not have:
        state.resuming = False
        state.resumed_at = now
        state.idle_since = now
        state.heap = [event for event in state.heap if event[2] != READY]
        heapq.heapify(state.heap)
    return closed


def _wanted(live: Live, shown: Shown | None) -> set[int]:
    """Numbers of the clusters that run from now on."""
    state = live.state
    have = {cluster.number for cluster in state.clusters}
    if shown is None or str(shown.row["state"]).upper() in ("SUSPENDED", "SUSPENDING"):
        return set()
    count = min(max(len(have), live.settings.min_clusters), live.settings.max_clusters)
    busy = [c.number for c in sorted(state.clusters, key=lambda c: (-c.used, c.number))]
    kept = set(busy[:count]) | {c.number for c in state.clusters if c.used}
    free = [n for n in range(1, count + 1) if n not in kept]
    return kept | set(free[: max(count - len(kept), 0)])


def _place(state: State, rules: Rules, slots: Sequence[tuple[int, int]], running: Mapping[int, int]) -> None:
    """Count again what each cluster has to do."""
    state.busy = len(running)
    for cluster in state.clusters:
        mine = [old for old in running.values() if slots[old][1] == cluster.number]
        cluster.used = sum(slots[old][0] for old in mine)


def _settle(state: State, rules: Rules, now: int) -> None:
    """Plan what follows from the new settings: look at the queue, suspend when idle, drain what is too many."""
    if not state.clusters:
        return
    state.heap = [event for event in state.heap if event[2] not in (SUSPEND, LOOK)]
    if state.queue:
        state.sequence += 1
        state.heap.append((now, state.sequence, LOOK, 0))
    elif state.busy == 0 and rules.auto_suspend is not None:
        state.idle_token += 1
        state.sequence += 1
        due = max(next_poll(state.idle_since, rules), next_poll(now - rules.auto_suspend, rules))
        state.heap.append((due, state.sequence, SUSPEND, state.idle_token))
    if len(state.clusters) > rules.min_clusters and not state.quiet_checks:
        state.quiet_checks, state.quiet = True, 0
        state.sequence += 1
        state.heap.append((now + 60_000, state.sequence, QUIET, 0))
    heapq.heapify(state.heap)
