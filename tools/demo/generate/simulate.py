"""One warehouse, event by event: resume, queue, run, clusters up and down, resize, auto-suspend.

Rules: snowflake-reference.md 2.2 to 2.4. A resume takes time, and what waits for it waits as provisioning; a
cluster runs statements up to 8 slots, first come first served; a further cluster starts when something queues,
20 s apart, and drains after two quiet checks a minute apart; auto-suspend is polled every 30 s and acts when
the least number of clusters is idle; a running statement keeps the size it started with. Times are whole
milliseconds.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np

__all__ = ["SLOTS", "Event", "Moment", "Outcome", "Rules", "Stretch", "provisioner", "simulate"]

SLOTS = 8
_SPIN_UP_GAP = 20_000
_QUIET_CHECK = 60_000
_POLL = 30_000
_COLD = 15_000
"""A cluster this young has nothing in its cache: what starts on it runs a fifth longer."""


@dataclass(frozen=True)
class Rules:
    auto_suspend: int | None
    """Milliseconds; None is never."""
    min_clusters: int
    max_clusters: int
    provision: Callable[[], int]
    """Draws how long the next start takes, in milliseconds."""
    resizes: Sequence[tuple[int, int]]
    """(when, index of the size from then on), in order."""
    poll_phase: int


class Event(IntEnum):
    """What WAREHOUSE_EVENTS_HISTORY tells of a warehouse."""

    RESUME = 0
    """A query woke it; `ready` is when it stood."""
    SUSPEND = 1
    SPIN_UP = 2
    SPIN_DOWN = 3
    RESIZE = 4


@dataclass(frozen=True)
class Moment:
    at: int
    event: Event
    ready: int
    """When it was done."""
    size: int
    clusters: tuple[int, ...]
    """The clusters it touched."""
    running: int
    """Clusters that run after it."""
    query: int = -1


@dataclass(frozen=True)
class Stretch:
    """A cluster that ran at one size; touching stretches are one run."""

    cluster: int
    start: int
    end: int
    size: int


@dataclass
class Outcome:
    """Columns are by query, -1 where it has not happened by now."""

    begin: list[int]
    """When it started to execute."""
    end: list[int]
    cluster: list[int]
    provisioning: list[int]
    overload: list[int]
    size: list[int]
    cold: list[bool]
    stretches: list[Stretch] = field(default_factory=list)
    moments: list[Moment] = field(default_factory=list)
    size_now: int = 0
    clusters_now: int = 0
    resuming: bool = False


@dataclass
class _Cluster:
    number: int
    started: int
    since: int
    """Start of the present stretch."""
    used: int = 0
    draining: bool = False


_FINISH, _READY, _UP_CHECK, _UP, _QUIET, _SUSPEND, _RESIZE = range(7)


class _Warehouse:
    def __init__(
        self, rules: Rules, arrive: Sequence[int], slots: Sequence[int], run_ms: Sequence[Sequence[int]], now: int
    ) -> None:
        count = len(arrive)
        self.rules, self.arrive, self.slots, self.run_ms, self.now = rules, arrive, slots, run_ms, now
        self.out = Outcome(
            [-1] * count, [-1] * count, [-1] * count, [0] * count, [0] * count, [0] * count, [False] * count
        )
        self.heap: list[tuple[int, int, int, int]] = []
        self.sequence = 0
        self.queue: deque[int] = deque()
        self.clusters: dict[int, _Cluster] = {}
        self.busy = 0
        """Statements that execute."""
        self.size = 0
        self.resuming = False
        self.ready_at = 0
        self.idle_token = 0
        self.last_spin_up = -_SPIN_UP_GAP
        self.spinning: list[int] = []
        self.up_check = False
        self.quiet_checks = False
        self.quiet = 0
        self.handlers = (
            self._finish,
            self._ready,
            self._check_up,
            self._up,
            self._check_quiet,
            self._check_idle,
            self._resize,
        )

    def run(self) -> Outcome:
        for at, size in self.rules.resizes:
            self._push(at, _RESIZE, size)
        following = 0
        while True:
            arrival = self.arrive[following] if following < len(self.arrive) else self.now + 1
            event = self.heap[0][0] if self.heap else self.now + 1
            if min(arrival, event) > self.now:
                break
            if event <= arrival:
                at, _, kind, argument = heapq.heappop(self.heap)
                self.handlers[kind](at, argument)
            else:
                self._arrive(following, arrival)
                following += 1
        return self._close()

    def _push(self, at: int, kind: int, argument: int = 0) -> None:
        self.sequence += 1
        heapq.heappush(self.heap, (at, self.sequence, kind, argument))

    def _tell(
        self, at: int, event: Event, clusters: Sequence[int], *, ready: int | None = None, query: int = -1
    ) -> None:
        running = len(self.clusters)
        self.out.moments.append(
            Moment(at, event, at if ready is None else ready, self.size, tuple(clusters), running, query)
        )

    # -- statements ------------------------------------------------------------------------------------------------

    def _arrive(self, query: int, at: int) -> None:
        self.idle_token += 1
        self.queue.append(query)
        if self.clusters:
            self._dispatch(at)
        elif not self.resuming:
            self.resuming = True
            self.ready_at = at + self.rules.provision()
            self._tell(at, Event.RESUME, range(1, self.rules.min_clusters + 1), ready=self.ready_at, query=query)
            self._push(self.ready_at, _READY)

    def _ready(self, at: int, _: int) -> None:
        self.resuming = False
        for number in range(1, self.rules.min_clusters + 1):
            self.clusters[number] = _Cluster(number, at, at)
        self._dispatch(at)

    def _dispatch(self, at: int) -> None:
        while self.queue:
            query = self.queue[0]
            need = min(self.slots[query], SLOTS)
            open_ones = [c for c in self.clusters.values() if not c.draining and c.used + need <= SLOTS]
            if not open_ones:
                self._check_up(at, 0)
                return
            self.queue.popleft()
            self._begin(query, min(open_ones, key=lambda c: (c.used, c.number)), at)

    def _begin(self, query: int, cluster: _Cluster, at: int) -> None:
        out, arrived = self.out, self.arrive[query]
        if arrived < self.ready_at:
            out.provisioning[query] = self.ready_at - arrived
        out.overload[query] = at - arrived - out.provisioning[query]
        cold = at - cluster.started < _COLD
        took = self.run_ms[self.size][query]
        end = at + (took + took // 5 if cold else took)
        out.begin[query], out.end[query], out.cluster[query] = at, end, cluster.number
        out.size[query], out.cold[query] = self.size, cold
        cluster.used += min(self.slots[query], SLOTS)
        self.busy += 1
        self._push(end, _FINISH, query)

    def _finish(self, at: int, query: int) -> None:
        cluster = self.clusters[self.out.cluster[query]]
        cluster.used -= min(self.slots[query], SLOTS)
        self.busy -= 1
        if cluster.draining and cluster.used == 0:
            self._stop(cluster, at)
        self._dispatch(at)
        if self.busy == 0 and not self.queue:
            self._plan_suspend(at)

    # -- suspending ------------------------------------------------------------------------------------------------

    def _plan_suspend(self, idle_since: int) -> None:
        if self.rules.auto_suspend is None:
            return
        due = idle_since + self.rules.auto_suspend - self.rules.poll_phase
        self.idle_token += 1
        self._push(self.rules.poll_phase + -(-due // _POLL) * _POLL, _SUSPEND, self.idle_token)

    def _check_idle(self, at: int, token: int) -> None:
        if token != self.idle_token or not self.clusters:
            return
        if len(self.clusters) > self.rules.min_clusters or self.spinning:
            self._push(at + _POLL, _SUSPEND, token)
            return
        stopped = list(self.clusters.values())
        for cluster in stopped:
            self._end_stretch(cluster, at)
        self.clusters.clear()
        self._tell(at, Event.SUSPEND, [cluster.number for cluster in stopped])

    def _end_stretch(self, cluster: _Cluster, at: int) -> None:
        self.out.stretches.append(Stretch(cluster.number, cluster.since, at, self.size))

    # -- clusters ----------------------------------------------------------------------------------------------------

    def _check_up(self, at: int, scheduled: int) -> None:
        if scheduled:
            self.up_check = False
        if not self.queue or not self.clusters:
            return
        if len(self.clusters) + len(self.spinning) >= self.rules.max_clusters:
            return
        if at - self.last_spin_up >= _SPIN_UP_GAP:
            taken = {*self.clusters, *self.spinning}
            number = next(n for n in range(1, self.rules.max_clusters + 1) if n not in taken)
            self.last_spin_up = at
            self.spinning.append(number)
            self._push(at + self.rules.provision(), _UP, number)
        elif not self.up_check:
            self.up_check = True
            self._push(self.last_spin_up + _SPIN_UP_GAP, _UP_CHECK, 1)

    def _up(self, at: int, number: int) -> None:
        self.spinning.remove(number)
        self.clusters[number] = _Cluster(number, at, at)
        self._tell(self.last_spin_up, Event.SPIN_UP, [number], ready=at)
        self._dispatch(at)
        if not self.quiet_checks:
            self.quiet_checks, self.quiet = True, 0
            self._push(at + _QUIET_CHECK, _QUIET)

    def _check_quiet(self, at: int, _: int) -> None:
        active = [cluster for cluster in self.clusters.values() if not cluster.draining]
        if len(active) <= self.rules.min_clusters:
            self.quiet_checks = False
            return
        used = sum(cluster.used for cluster in active)
        self.quiet = self.quiet + 1 if not self.queue and used <= 0.75 * SLOTS * (len(active) - 1) else 0
        if self.quiet >= 2:
            self.quiet = 0
            victim = min(active, key=lambda c: (c.used, -c.number))
            victim.draining = True
            if victim.used == 0:
                self._stop(victim, at)
        self._push(at + _QUIET_CHECK, _QUIET)

    def _stop(self, cluster: _Cluster, at: int) -> None:
        del self.clusters[cluster.number]
        self._end_stretch(cluster, at)
        self._tell(at, Event.SPIN_DOWN, [cluster.number])

    # -- resizing ----------------------------------------------------------------------------------------------------

    def _resize(self, at: int, size: int) -> None:
        if size == self.size:
            return
        for cluster in self.clusters.values():
            self._end_stretch(cluster, at)
            cluster.since = at
        self.size = size
        self._tell(at, Event.RESIZE, list(self.clusters))

    def _close(self) -> Outcome:
        for cluster in self.clusters.values():
            self._end_stretch(cluster, self.now)
        self.out.size_now, self.out.clusters_now, self.out.resuming = self.size, len(self.clusters), self.resuming
        return self.out


def simulate(
    rules: Rules, arrive: Sequence[int], slots: Sequence[int], run_ms: Sequence[Sequence[int]], now: int
) -> Outcome:
    """Run one warehouse from its first statement to `now`.

    Args:
        arrive: when each statement reaches the warehouse, in order; none after `now`.
        slots: share of a cluster's 8 slots each takes.
        run_ms: by size index, the time each statement runs there, without queue and cold cache.
    """
    return _Warehouse(rules, arrive, slots, run_ms, now).run()


def provisioner(median_seconds: float, rng: np.random.Generator) -> Callable[[], int]:
    """Draws of a log-normal around the median, at least 200 ms."""

    def draw() -> int:
        return max(200, int(1000 * median_seconds * rng.lognormal(0, 0.35)))

    return draw
