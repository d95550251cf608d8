"""One warehouse, event by event: resume, queue, run, clusters up and down, resize, auto-suspend.

Rules: snowflake-reference.md 2.2 to 2.4. A resume takes time, and what waits for it waits as provisioning; a
cluster runs statements up to its slots, first come first served; under STANDARD a further cluster starts when
something queues, 20 s apart, and drains after two quiet checks a minute apart; under ECONOMY it starts only for six
minutes of queued work and drains after five checks; auto-suspend is polled every 30 s and acts when the least number
of clusters is idle; a running statement keeps the size it started with; a statement on a cold cluster takes longer.
Times are whole milliseconds since 1970. A warehouse keeps its state between two runs: a run until t1 and one from
there until t2 give what one run until t2 gives.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from math import exp

from tools.demo.generate.states import SPIN_UP_GAP, Change, Cluster, Event, Moment, Outcome, Rules, State, Stretch

__all__ = ["FINISH", "LOOK", "QUIET", "READY", "SUSPEND", "next_poll", "simulate"]

_QUIET_CHECK = 60_000
_POLL = 30_000
_LONG_COLD = 5
"""After this many times the warming constant a cache counts as warm."""
_ECONOMY_MS = 360_000


FINISH, READY, UP_CHECK, UP, QUIET, SUSPEND, RESIZE, LOOK = range(8)


def next_poll(idle_since: int, rules: Rules) -> int:
    """When auto-suspend acts on a warehouse that is idle since then."""
    due = idle_since + (rules.auto_suspend or 0) - rules.poll_phase
    return rules.poll_phase + -(-due // _POLL) * _POLL


class _Run:
    def __init__(
        self,
        rules: Rules,
        state: State,
        out: Outcome,
        arrive: Sequence[int],
        slots: Sequence[int],
        run_ms: Mapping[int, Sequence[int]],
        changes: Sequence[Change],
        until: int,
    ) -> None:
        self.rules, self.state, self.out, self.arrive, self.run_ms, self.until = (
            rules,
            state,
            out,
            arrive,
            run_ms,
            until,
        )
        self.need = [min(each, rules.slots) for each in slots]
        self.heap, self.queue = state.heap, state.queue
        self.clusters = {cluster.number: cluster for cluster in state.clusters}
        self.changes = changes
        self.handlers = (
            self._finish,
            self._ready,
            self._check_up,
            self._up,
            self._check_quiet,
            self._check_idle,
            self._resize,
            lambda at, _: self._dispatch(at),
        )

    def run(self, waiting: int) -> None:
        """Queries before `waiting` have arrived in an earlier run."""
        for number, change in enumerate(self.changes):
            self._push(change.at, RESIZE, number)
        arrive, heap, until, following, count = self.arrive, self.heap, self.until, waiting, len(self.arrive)
        handlers, later = self.handlers, until + 1
        while True:
            arrival = arrive[following] if following < count else later
            event = heap[0][0] if heap else later
            if event <= arrival:
                if event > until:
                    break
                at, _, kind, argument = heapq.heappop(heap)
                handlers[kind](at, argument)
            elif arrival >= until:
                break
            else:
                self._arrive(following, arrival)
                following += 1
        self._close(following)

    def _push(self, at: int, kind: int, argument: int = 0) -> None:
        self.state.sequence += 1
        heapq.heappush(self.heap, (at, self.state.sequence, kind, argument))

    def _tell(
        self,
        at: int,
        event: Event,
        clusters: Sequence[int],
        *,
        ready: int | None = None,
        query: int = -1,
        change: Change | None = None,
    ) -> None:
        done = at if ready is None else ready
        self.out.moments.append(
            Moment(at, event, done, self.state.rank, tuple(clusters), len(self.clusters), query, change)
        )

    # -- statements ------------------------------------------------------------------------------------------------

    def _arrive(self, query: int, at: int) -> None:
        state = self.state
        state.idle_token += 1
        if self.clusters:
            self.queue.append(query)
            self._dispatch(at)
        elif state.resuming:
            self.queue.append(query)
        elif self.rules.auto_resume:
            self.queue.append(query)
            state.resuming = True
            state.ready_at = at + self.rules.provision(at)
            self._tell(at, Event.RESUME, range(1, self.rules.min_clusters + 1), ready=state.ready_at, query=query)
            self._push(state.ready_at, READY)
        else:
            self.out.refused.append(query)

    def _ready(self, at: int, _: int) -> None:
        self.state.resuming = False
        self.state.resumed_at = at
        for number in range(1, self.rules.min_clusters + 1):
            self.clusters[number] = Cluster(number, at, at, at)
        self._dispatch(at)

    def _dispatch(self, at: int) -> None:
        queue, capacity = self.queue, self.rules.slots
        while queue:
            need = self.need[queue[0]]
            best: Cluster | None = None
            for cluster in self.clusters.values():
                fits = not cluster.draining and cluster.used + need <= capacity
                if fits and (best is None or (cluster.used, cluster.number) < (best.used, best.number)):
                    best = cluster
            if best is None:
                self._check_up(at, 0)
                return
            self._begin(queue.pop(0), best, at)

    def _begin(self, query: int, cluster: Cluster, at: int) -> None:
        out, state, rules, arrived = self.out, self.state, self.rules, self.arrive[query]
        if arrived < state.ready_at:
            out.provisioning[query] = state.ready_at - arrived
        out.overload[query] = at - arrived - out.provisioning[query]
        took, age = self.run_ms[state.rank][query], at - cluster.warm_since
        if age < _LONG_COLD * rules.warm_ms:
            cold = exp(-age / rules.warm_ms)
            out.cold[query] = cold
            took = int(took * (1 + rules.cold * cold))
        end = at + took
        out.begin[query], out.end[query], out.cluster[query], out.rank[query] = at, end, cluster.number, state.rank
        cluster.used += self.need[query]
        state.busy += 1
        self._push(end, FINISH, query)

    def _finish(self, at: int, query: int) -> None:
        cluster, state = self.clusters[self.out.cluster[query]], self.state
        cluster.used -= self.need[query]
        state.busy -= 1
        if cluster.draining and cluster.used == 0:
            self._stop(cluster, at)
        if self.queue:
            self._dispatch(at)
        if state.busy == 0 and not self.queue:
            state.idle_since = at
            self._plan_suspend()

    # -- suspending ------------------------------------------------------------------------------------------------

    def _plan_suspend(self) -> None:
        if self.rules.auto_suspend is None:
            return
        self.state.idle_token += 1
        self._push(next_poll(self.state.idle_since, self.rules), SUSPEND, self.state.idle_token)

    def _check_idle(self, at: int, token: int) -> None:
        if token != self.state.idle_token or not self.clusters:
            return
        if len(self.clusters) > self.rules.min_clusters or self.state.spinning:
            self._push(at + _POLL, SUSPEND, token)
            return
        stopped = list(self.clusters.values())
        for cluster in stopped:
            self._end_stretch(cluster, at)
        self.clusters.clear()
        self._tell(at, Event.SUSPEND, [cluster.number for cluster in stopped])

    def _end_stretch(self, cluster: Cluster, at: int, *, still: bool = False) -> None:
        self.out.stretches.append(Stretch(cluster.number, cluster.since, at, self.state.rank, still))

    # -- clusters ----------------------------------------------------------------------------------------------------

    def _check_up(self, at: int, scheduled: int) -> None:
        state, rules = self.state, self.rules
        if scheduled:
            state.up_check = False
        if not self.queue or not self.clusters:
            return
        if len(self.clusters) + len(state.spinning) >= rules.max_clusters:
            return
        if rules.economy and not self._enough_queued():
            return
        if at - state.last_spin_up >= SPIN_UP_GAP:
            taken = {*self.clusters, *state.spinning}
            number = next(n for n in range(1, rules.max_clusters + 1) if n not in taken)
            state.last_spin_up = at
            state.spinning.append(number)
            self._push(at + rules.provision(at), UP, number)
        elif not state.up_check:
            state.up_check = True
            self._push(state.last_spin_up + SPIN_UP_GAP, UP_CHECK, 1)

    def _enough_queued(self) -> bool:
        times = self.run_ms[self.state.rank]
        return sum(times[q] * self.need[q] for q in self.queue) >= _ECONOMY_MS * self.rules.slots

    def _up(self, at: int, number: int) -> None:
        state = self.state
        state.spinning.remove(number)
        self.clusters[number] = Cluster(number, at, at, at)
        self._tell(state.last_spin_up, Event.SPIN_UP, [number], ready=at)
        self._dispatch(at)
        if not state.quiet_checks:
            state.quiet_checks, state.quiet = True, 0
            self._push(at + _QUIET_CHECK, QUIET)

    def _check_quiet(self, at: int, _: int) -> None:
        state = self.state
        active = [cluster for cluster in self.clusters.values() if not cluster.draining]
        if len(active) <= self.rules.min_clusters:
            state.quiet_checks = False
            return
        used = sum(cluster.used for cluster in active)
        least = 0.75 * self.rules.slots * (len(active) - 1)
        state.quiet = state.quiet + 1 if not self.queue and used <= least else 0
        if state.quiet >= (5 if self.rules.economy else 2):
            state.quiet = 0
            victim = min(active, key=lambda c: (c.used, -c.number))
            victim.draining = True
            if victim.used == 0:
                self._stop(victim, at)
        self._push(at + _QUIET_CHECK, QUIET)

    def _stop(self, cluster: Cluster, at: int) -> None:
        del self.clusters[cluster.number]
        self._end_stretch(cluster, at)
        self._tell(at, Event.SPIN_DOWN, [cluster.number])

    # -- resizing ----------------------------------------------------------------------------------------------------

    def _resize(self, at: int, number: int) -> None:
        change = self.changes[number]
        if change.rank == self.state.rank:
            return
        for cluster in self.clusters.values():
            self._end_stretch(cluster, at)
            cluster.since = cluster.warm_since = at
        self.state.rank = change.rank
        self._tell(at, Event.RESIZE, list(self.clusters), change=change)

    # -- until the next run --------------------------------------------------------------------------------------------

    def _close(self, following: int) -> None:
        state, out = self.state, self.out
        for cluster in self.clusters.values():
            self._end_stretch(cluster, self.until, still=True)
        running = sorted(query for _, _, kind, query in self.heap if kind == FINISH)
        out.in_flight = [*running, *self.queue, *range(following, len(self.arrive))]
        number = {query: place for place, query in enumerate(out.in_flight)}
        state.heap = [(at, n, kind, number[q] if kind == FINISH else q) for at, n, kind, q in self.heap]
        state.queue = [number[query] for query in self.queue]
        state.clusters = list(self.clusters.values())


def simulate(
    rules: Rules,
    state: State,
    out: Outcome,
    arrive: Sequence[int],
    slots: Sequence[int],
    run_ms: Mapping[int, Sequence[int]],
    until: int,
    *,
    changes: Sequence[Change] = (),
    waiting: int = 0,
) -> Outcome:
    """Run one warehouse until `until`; `state` and `out` are changed in place.

    What arrives at `until` itself belongs to the next run, what ends then to this one.

    Args:
        out: columns as long as `arrive`, filled for what began in an earlier run.
        arrive: when each statement reaches the warehouse; from `waiting` on in order.
        slots: how many of a cluster's slots each takes.
        run_ms: by rank of size, the time each statement runs there on a warm cluster without a queue.
        changes: resizes before `until`, in order; none that an earlier run has made.
        waiting: how many of the first statements arrived in an earlier run.
    """
    _Run(rules, state, out, arrive, slots, run_ms, changes, until).run(waiting)
    return out
