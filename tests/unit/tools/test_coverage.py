"""The four answers about a window (design.md, section 4), as properties."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.context import Coverage
from tools.coverage import classify, coverage_of

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
times = st.integers(-100 * 60, 10 * 60).map(lambda minutes: NOW + timedelta(minutes=minutes))
latencies = st.sampled_from([timedelta(minutes=45), timedelta(hours=3), timedelta(hours=8)])


@st.composite
def coverages(draw: st.DrawFn) -> Coverage:
    first, newest = sorted((draw(times), draw(times)))
    empty = draw(st.booleans())
    return coverage_of(
        "V",
        now=NOW,
        latency=draw(latencies),
        first=None if empty else first,
        newest_end=None if empty else newest,
    )


windows = st.tuples(times, times).filter(lambda w: w[0] != w[1]).map(sorted)


@given(coverages())
def test_coverage_lies_between_what_is_sure_and_now(coverage: Coverage) -> None:
    assert coverage.complete_until == NOW - coverage.latency
    assert coverage.complete_until <= coverage.covered_until <= NOW
    if coverage.newest_end is not None and coverage.complete_until < coverage.newest_end <= NOW:
        assert coverage.covered_until == coverage.newest_end


@given(coverages(), windows)
def test_every_window_has_exactly_one_standing(coverage: Coverage, window: list[datetime]) -> None:
    start, end = window
    judged = classify(start, end, coverage)
    match judged.standing:
        case "not_loaded":
            assert start >= coverage.covered_until
        case "no_data":
            assert coverage.first is None or end <= coverage.first
        case "partial":
            assert end > coverage.complete_until
        case "whole":
            assert end <= coverage.complete_until
    assert judged.complete == (judged.standing == "whole")
    assert (judged.covered is None) == (judged.standing in ("not_loaded", "no_data"))


@given(coverages(), windows)
def test_the_covered_part_lies_in_the_window_and_in_what_is_covered(coverage: Coverage, window: list[datetime]) -> None:
    start, end = window
    covered = classify(start, end, coverage).covered
    if covered is not None:
        assert start == covered[0] < covered[1] <= min(end, coverage.covered_until)


@given(coverages(), windows)
def test_what_lies_before_the_first_row_is_told(coverage: Coverage, window: list[datetime]) -> None:
    judged = classify(window[0], window[1], coverage)
    if judged.covered is not None and coverage.first is not None:
        assert judged.before_first == max(timedelta(0), coverage.first - window[0])


@given(coverages(), windows, st.integers(1, 600))
def test_waiting_never_makes_a_whole_window_less_than_whole(
    coverage: Coverage, window: list[datetime], minutes: int
) -> None:
    later = coverage_of(
        "V",
        now=NOW + timedelta(minutes=minutes),
        latency=coverage.latency,
        first=coverage.first,
        newest_end=coverage.newest_end,
    )
    if classify(window[0], window[1], coverage).standing == "whole":
        assert classify(window[0], window[1], later).standing == "whole"


def test_the_edges_of_the_four_answers() -> None:
    first = NOW - timedelta(days=2)
    seen = coverage_of("V", now=NOW, latency=timedelta(hours=3), first=first, newest_end=NOW - timedelta(hours=1))
    hour = timedelta(hours=1)
    assert classify(NOW - hour, NOW, seen).standing == "not_loaded"
    assert classify(NOW - 2 * hour, NOW, seen).covered == (NOW - 2 * hour, NOW - hour)
    assert classify(NOW - 4 * hour, NOW - 3 * hour, seen).standing == "whole"
    assert classify(first - hour, first, seen).standing == "no_data"
    assert classify(first - hour, first + hour, seen).standing == "whole"


def test_an_empty_window_is_the_callers_fault() -> None:
    with pytest.raises(ValueError, match="ends after it starts"):
        classify(NOW, NOW, coverage_of("V", now=NOW, latency=timedelta(0), first=NOW, newest_end=NOW))
