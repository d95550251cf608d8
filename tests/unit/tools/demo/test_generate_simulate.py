"""The simulated warehouse against the rules of reference 2.2 to 2.4 and cases 23 to 25 of section 6."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tools.demo.generate.simulate import SLOTS, Event, Outcome, Rules, simulate

RULES = Rules(auto_suspend=60_000, min_clusters=1, max_clusters=1, provision=lambda: 1_000, resizes=(), poll_phase=0)
LATER = 10_000_000


def run(arrive: list[int], took: list[int], *, slots: int = 1, now: int = LATER, **rules: Any) -> Outcome:
    return simulate(replace(RULES, **rules), arrive, [slots] * len(arrive), [took, [t // 2 for t in took]], now)


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
    assert max(outcome.overload) == 12_000  # on a cold cluster it takes a fifth longer


def test_never_suspends_without_auto_suspend_and_counts_as_running_at_now() -> None:
    outcome = run([0], [5_000], auto_suspend=None)
    assert billed(outcome) == [LATER - 1_000]
    assert outcome.clusters_now == 1


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
    outcome = run([0, 30_000, 70_000], [50_000, 50_000, 50_000], resizes=[(60_000, 1)])
    assert outcome.size == [0, 0, 1]
    assert [stretch.size for stretch in outcome.stretches] == [0, 1]
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
    outcome = simulate(rules, arrive, slots, [took], 1_000_000_000)
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
