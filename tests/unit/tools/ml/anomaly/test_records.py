"""`detect_records`: the longest by a margin, and nothing but that."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.ml.anomaly import detect_records

HOURS = pd.date_range("2026-08-20", periods=24 * 60, freq="h")
DAY, HOUR = pd.Timedelta(days=1), pd.Timedelta(hours=1)


def durations(seed: int, longest: float = 7_200) -> pd.Series:
    """Seconds: mostly minutes, and no longer than `longest`."""
    seconds = np.random.default_rng(seed).lognormal(5, 1.5, len(HOURS))
    return pd.Series(np.minimum(seconds, longest), index=HOURS)


def test_a_statement_that_runs_for_hours_is_found_once_when_it_has_ended() -> None:
    series = durations(1)
    series.iloc[800] = 5.5 * 3600
    (found,) = detect_records(series, least=3_600)
    assert (found.start, found.end) == (HOURS[800], HOURS[806]) and found.detected_at == HOURS[806]
    assert found.actual == 5.5 * 3600 and found.band == (0.0, series.iloc[:800].max()) and not found.open
    assert 0 < found.expected < found.band[1] and found.confidence > 0.5


def test_what_came_before_or_is_short_is_no_record() -> None:
    series = durations(2)
    series.iloc[[500, 500 + 24 * 30]] = 8 * 3600  # once a month
    assert [one.start for one in detect_records(series, least=3_600)] == [HOURS[500]]
    assert detect_records(series / 100, least=3_600) == []
    nearly = durations(3, 3_000)
    nearly.iloc[900] = 1.3 * nearly.max()
    assert detect_records(nearly, least=3_600) == []


def test_the_third_is_a_habit() -> None:
    series = durations(4, 3_000)
    series.iloc[[700, 900, 1000, 1100]] = 5 * 3600
    assert [one.start for one in detect_records(series, least=3_600)] == [HOURS[700], HOURS[900]]


def test_nothing_is_known_in_the_first_two_weeks_and_of_nothing() -> None:
    series = durations(5, 3_000)
    series.iloc[24 * 13] = 9 * 3600
    assert detect_records(series, least=3_600) == []
    assert detect_records(series * np.nan, least=3_600) == [] == detect_records(series[:0], least=3_600)


@given(st.integers(0, 10_000), st.integers(350, 1400), st.integers(340, 1439))
@settings(max_examples=30, deadline=None)
def test_no_look_ahead(seed: int, place: int, cut: int) -> None:
    series = durations(seed)
    series.iloc[place] = 6 * 3600
    until = HOURS[cut] + HOUR
    whole = [one.start for one in detect_records(series, least=3_600) if one.start < until]
    assert [one.start for one in detect_records(series.iloc[: cut + 1], least=3_600)] == whole
