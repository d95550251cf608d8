"""The simulated warehouse against the rules of reference 2.2 to 2.4 and cases 23 to 25 of section 6."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tools.demo.generate.simulate import simulate
from tools.demo.generate.states import Change, Event, Outcome, Rules, State

SLOTS = 8
RULES = Rules(
    auto_suspend=60_000,
    min_clusters=1,
    max_clusters=1,
    economy=False,
    auto_resume=True,
    slots=SLOTS,
    cold=0.0,
    warm_ms=15_000,
    provision=lambda at: 1_000,
    poll_phase=0,
)
LATER = 10_000_000


def blank(count: int) -> Outcome:
    never = [-1] * count
    return Outcome(list(never), list(never), list(never), [0] * count, [0] * count, list(never), [0.0] * count)


def run(
    arrive: list[int],
    took: list[int],
    *,
    slots: int = 1,
    now: int = LATER,
    resizes: tuple[tuple[int, int], ...] = (),
    **rules: Any,
) -> Outcome:
    times = {0: took, 1: [t // 2 for t in took]}
    changes = [Change(at, rank, "ANA", "SYSADMIN") for at, rank in resizes]
    out = blank(len(arrive))
    return simulate(replace(RULES, **rules), State(0), out, arrive, [slots] * len(arrive), times, now, changes=changes)


def billed(outcome: Outcome) -> list[int]:
    return [stretch.end - stretch.start for stretch in outcome.stretches]


def test_case_23_two_queries_within_the_tail_are_one_run() -> None:
    (run_,) = billed(run([0, 50_000], [5_000, 5_000]))
    assert 114_000 <= run_ <= 145_000


def test_case_24_two_queries_far_apart_are_two() -> None:
    runs = billed(run([0, 600_000], [5_000, 5_000]))
    assert len(runs) == 2
    assert all(65_000 <= each <= 97_000 for each in runs)


def test_the_query_that_wakes_the_warehouse_waits_for_it_and_is_named() -> None:
    outcome = run([0, 400], [5_000, 5_000])
    assert outcome.provisioning == [1_000, 600]
    assert outcome.overload == [0, 0]
    resume = outcome.moments[0]
    assert (resume.event, resume.query, resume.ready) == (Event.RESUME, 0, 1_000)
    assert outcome.stretches[0].start == 1_000


def test_the_ninth_statement_queues_until_a_slot_is_free() -> None:
    outcome = run([0] * 9, [10_000] * 9)
    assert sum(wait > 0 for wait in outcome.overload) == 1
    assert max(outcome.overload) == 10_000


def test_a_cold_cluster_is_slower_and_warms() -> None:
    outcome = run([0, 40_000, 400_000], [30_000] * 3, cold=0.5, auto_suspend=None)
    took = [end - begin for begin, end in zip(outcome.begin, outcome.end, strict=True)]
    assert took[0] == 45_000
    assert 30_000 < took[1] < 45_000
    assert took[2] == 30_000
    assert outcome.cold[0] == 1.0
    assert outcome.cold[2] == 0.0


def test_economy_waits_for_six_minutes_of_work_before_it_starts_a_cluster() -> None:
    arrive, took = list(range(0, 40_000, 1_000)), [60_000] * 40
    standard, economy = run(arrive, took, max_clusters=2), run(arrive, took, max_clusters=2, economy=True)
    ups = [[m.at for m in out.moments if m.event is Event.SPIN_UP] for out in (standard, economy)]
    assert ups[0]
    assert not ups[1]
    many = run([0] * 120, [60_000] * 120, max_clusters=2, economy=True)
    assert [m for m in many.moments if m.event is Event.SPIN_UP]


def test_a_suspended_warehouse_that_may_not_resume_refuses() -> None:
    outcome = run([0, 10], [1_000, 1_000], auto_resume=False)
    assert outcome.refused == [0, 1]
    assert outcome.begin == [-1, -1]
    assert billed(outcome) == []


def test_never_suspends_without_auto_suspend_and_counts_as_running_at_now() -> None:
    outcome = run([0], [5_000], auto_suspend=None)
    assert billed(outcome) == [LATER - 1_000]
    assert [stretch.open for stretch in outcome.stretches] == [True]


def test_further_clusters_start_20_seconds_apart_and_drain_after_quiet_checks() -> None:
    outcome = run(list(range(0, 40_000, 1_000)), [60_000] * 40, max_clusters=3)
    ups = [moment.at for moment in outcome.moments if moment.event is Event.SPIN_UP]
    downs = [moment for moment in outcome.moments if moment.event is Event.SPIN_DOWN]
    assert len(ups) == len(downs) == 2
    assert ups[1] - ups[0] >= 20_000
    assert max(outcome.cluster) == 3
    (suspend,) = [moment for moment in outcome.moments if moment.event is Event.SUSPEND]
    assert suspend.at > max(moment.at for moment in downs)


def test_a_resize_touches_what_starts_after_it() -> None:
    outcome = run([0, 30_000, 70_000], [50_000, 50_000, 50_000], resizes=((60_000, 1),))
    assert outcome.rank == [0, 0, 1]
    assert [stretch.rank for stretch in outcome.stretches] == [0, 1]
    assert [m.change.user for m in outcome.moments if m.change is not None] == ["ANA"]
    assert outcome.stretches[0].end == outcome.stretches[1].start == 60_000
    assert outcome.end[2] - outcome.begin[2] == 25_000


def test_what_has_not_ended_at_now_is_running_or_queued() -> None:
    outcome = run([0, 0], [500_000, 500_000], slots=SLOTS, now=100_000)
    assert outcome.begin == [1_000, -1]
    assert outcome.end[0] > 100_000
    assert billed(outcome) == [99_000]


@given(
    st.lists(st.tuples(st.integers(0, 900_000), st.integers(1, 200_000), st.integers(1, 4)), min_size=1, max_size=60),
    st.integers(1, 3),
    st.sampled_from([None, 30_000, 60_000, 300_000]),
)
def test_every_statement_runs_on_a_running_cluster_within_its_slots(
    queries: list[tuple[int, int, int]], clusters: int, auto_suspend: int | None
) -> None:
    queries.sort()
    arrive, took, slots = (list(column) for column in zip(*queries, strict=True))
    rules = replace(RULES, max_clusters=clusters, auto_suspend=auto_suspend, poll_phase=7_000)
    outcome = simulate(rules, State(0), blank(len(arrive)), arrive, slots, {0: took}, 1_000_000_000)
    for query, at in enumerate(arrive):
        begin, end, number = outcome.begin[query], outcome.end[query], outcome.cluster[query]
        assert begin == at + outcome.provisioning[query] + outcome.overload[query]
        assert any(s.cluster == number and s.start <= begin and end <= s.end for s in outcome.stretches)
        beside = [
            other
            for other in range(len(arrive))
            if outcome.cluster[other] == number and outcome.begin[other] <= begin < outcome.end[other]
        ]
        assert sum(slots[other] for other in beside) <= SLOTS
    for one in outcome.stretches:
        assert not [
            s for s in outcome.stretches if s is not one and s.cluster == one.cluster and s.start <= one.start < s.end
        ]


@given(
    st.lists(st.tuples(st.integers(0, 900_000), st.integers(1, 200_000), st.integers(1, 4)), min_size=1, max_size=40),
    st.integers(1, 3),
    st.sampled_from([None, 30_000, 300_000]),
    st.integers(1, 1_200_000),
)
def test_a_run_that_is_cut_is_the_run_that_is_not(
    queries: list[tuple[int, int, int]], clusters: int, auto_suspend: int | None, border: int
) -> None:
    queries.sort()
    arrive, took, slots = (list(column) for column in zip(*queries, strict=True))
    rules = replace(RULES, max_clusters=clusters, auto_suspend=auto_suspend, poll_phase=7_000, cold=0.4)
    end = 3_000_000
    whole = simulate(rules, State(0), blank(len(arrive)), arrive, slots, {0: took}, end)
    state = State(0)
    first = simulate(rules, state, blank(len(arrive)), arrive, slots, {0: took}, border)
    # The second run knows what is in flight under new numbers, and the state as it comes back from disk.
    order = first.in_flight
    again = State.from_json(json.loads(json.dumps(state.to_json())))
    out = blank(len(order))
    for name in ("begin", "end", "cluster", "provisioning", "overload", "rank", "cold"):
        setattr(out, name, [getattr(first, name)[q] for q in order])
    waiting = sum(arrive[q] < border for q in order)
    simulate(
        rules,
        again,
        out,
        [arrive[q] for q in order],
        [slots[q] for q in order],
        {0: [took[q] for q in order]},
        end,
        waiting=waiting,
    )
    for name in ("begin", "end", "cluster", "provisioning", "overload"):
        joined = list(getattr(first, name))
        for place, query in enumerate(order):
            joined[query] = getattr(out, name)[place]
        assert joined == getattr(whole, name), name
    assert _unnumbered(first, out) == _unnumbered(whole)


def _unnumbered(*outcomes: Outcome) -> list[tuple[int, Event]]:
    """Moments without the numbers of their queries, which are those of their run."""
    return [(moment.at, moment.event) for out in outcomes for moment in out.moments]
