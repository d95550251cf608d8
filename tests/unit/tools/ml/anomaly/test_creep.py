"""`detect_creep`: what rises a little every day, and what is none of its business."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.ml.anomaly import Anomaly, detect_creep

DAYS = pd.date_range("2026-08-20", periods=90, freq="D")


def steady(seed: int, spread: float = 0.06) -> pd.Series:
    return pd.Series(100 * np.exp(np.random.default_rng(seed).normal(0, spread, len(DAYS))), index=DAYS)


def growing(seed: int, first: int, days: int, a_day: float, spread: float = 0.06) -> pd.Series:
    series = steady(seed, spread)
    series.iloc[first : first + days] *= np.exp(a_day * np.arange(1, days + 1))
    return series


@pytest.mark.parametrize("a_day", [0.02, 0.03, 0.04])
def test_growth_of_some_percent_a_day_is_one_drift(a_day: float) -> None:
    for seed in range(10):
        (found,) = detect_creep(growing(seed, 45, 16, a_day))
        assert found.kind == "drift" and not found.open and found.actual > 1.1 * found.expected
        assert DAYS[43] <= found.start <= DAYS[54] and DAYS[59] <= found.end <= DAYS[64]
        assert found.detected_at <= DAYS[60]


def test_a_lasting_step_is_told_as_one() -> None:
    series = steady(3)
    series.iloc[40:] *= 1.5
    (found,) = detect_creep(series)
    assert found.kind == "level_shift" and found.expected == pytest.approx(100, rel=0.05)
    assert found.actual == pytest.approx(150, rel=0.05)


def test_nothing_is_found_in_what_only_scatters() -> None:
    assert [seed for seed in range(40) if detect_creep(steady(seed, 0.1))] == []


@pytest.mark.parametrize("days", [1, 2, 3])
def test_a_few_wild_days_are_no_rise(days: int) -> None:
    series = steady(5)
    series.iloc[50 : 50 + days] *= 5
    assert detect_creep(series) == []


def test_what_goes_on_is_open_and_days_that_say_nothing_are_left_out() -> None:
    series = growing(7, 70, 20, 0.03)
    series.iloc[[30, 41, 72, 80]] = np.nan
    (found,) = detect_creep(series)
    assert found.open and found.end == DAYS[-1] + pd.Timedelta(days=1)
    assert detect_creep(series.iloc[:12]) == [] and detect_creep(series * np.nan) == []


@given(st.integers(0, 10_000), st.integers(30, 70), st.integers(20, 89))
@settings(max_examples=25, deadline=None)
def test_no_look_ahead(seed: int, first: int, cut: int) -> None:
    """What was raised by a day is what is raised when that day is the last one."""
    series = growing(seed, first, 15, 0.04)
    until = DAYS[cut] + pd.Timedelta(days=1)
    whole = [one.detected_at for one in detect_creep(series) if one.detected_at <= until]
    assert [one.detected_at for one in detect_creep(series.iloc[: cut + 1])] == whole


@given(st.integers(0, 10_000), st.floats(1e-6, 1e9))
@settings(max_examples=20, deadline=None)
def test_the_unit_does_not_matter(seed: int, unit: float) -> None:
    def places(found: list[Anomaly]) -> list[tuple[object, ...]]:
        return [(one.start, one.end, one.kind, one.detected_at, one.open) for one in found]

    series = growing(seed, 50, 15, 0.04)
    one, other = detect_creep(series), detect_creep(series * unit)
    assert places(one) == places(other)
    assert [each.actual * unit for each in one] == pytest.approx([each.actual for each in other])
