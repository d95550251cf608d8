"""`score`: causal, indifferent to units, quiet where nothing happens, and the same one value at a time."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.errors import BadArgument
from tools.ml.anomaly import DEFAULT, State, score, start
from tools.ml.anomaly.evidence import Evidence, Gatherer
from tools.ml.anomaly.memory import FADES, RARE, Memory
from tools.ml.anomaly.stillness import Stillness

HOURS = pd.date_range("2026-03-01", periods=1500, freq="h")


def noisy(seed: int, size: int = 400) -> pd.Series:
    rng = np.random.default_rng(seed)
    wave = 10 + 3 * np.sin(np.arange(size) / 24 * 2 * np.pi)
    return pd.Series(wave + rng.normal(0, 0.5, size), index=HOURS[:size])


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10**6), cut=st.integers(1, 399))
def test_a_score_sees_no_future(seed: int, cut: int) -> None:
    whole = noisy(seed)
    whole.iloc[300] += 40
    pd.testing.assert_series_equal(score(whole.iloc[:cut]), score(whole).iloc[:cut], check_freq=False)


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10**6), factor=st.sampled_from([1e-6, 0.3, 2.0, 12345.0]), shift=st.sampled_from([0.0, 7.0]))
def test_units_do_not_matter(seed: int, factor: float, shift: float) -> None:
    values = noisy(seed)
    values.iloc[350:353] += 25
    moved = factor * (values + shift)
    np.testing.assert_allclose(score(moved), score(values), rtol=1e-6, atol=1e-9)


@given(value=st.floats(-1e9, 1e9), size=st.integers(0, 200))
@settings(max_examples=15, deadline=None)
def test_constants_are_quiet(value: float, size: int) -> None:
    assert (score(pd.Series([value] * size, index=HOURS[:size])) == 0).all()


def test_zeros_and_a_repeated_pattern_raise_no_alarm() -> None:
    pattern = pd.Series(np.tile([0, 0, 0, 5, 9, 5, 0, 0], 150), index=HOURS[:1200])
    assert score(pattern).iloc[200:].max() < DEFAULT


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_is_refused_with_its_place(bad: float) -> None:
    values = noisy(1, 50)
    values.iloc[17] = bad
    with pytest.raises(BadArgument, match="row 17"):
        score(values)
    with pytest.raises(BadArgument):
        start().take(HOURS[0], bad)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10**6), cut=st.integers(0, 400))
def test_a_saved_state_goes_on_as_if_nothing_had_been(seed: int, cut: int) -> None:
    values = noisy(seed)
    values.iloc[380] -= 20
    state = start()
    one_by_one = []
    for at, (stamp, value) in enumerate(values.items()):
        if at == cut:
            state = State.from_bytes(state.to_bytes())
        assert isinstance(stamp, pd.Timestamp)
        single, state = state.take(stamp, float(value))
        one_by_one.append(single)
    assert one_by_one == score(values).tolist()


def test_a_long_stream_is_forgotten_and_goes_on_the_same() -> None:
    memory = Memory()
    values = np.random.default_rng(5).normal(0, 1, 20_300)
    for value in values.tolist():  # past twice the 10,084 values that are kept: the ring has turned
        memory.take(value)
    np.testing.assert_array_equal(memory.past(10_000), values[::-1][:10_000])
    again = Memory.from_arrays(memory.arrays())
    for value in [0.0, 9.0, 0.1]:
        assert again.take(value) == memory.take(value)
    np.testing.assert_array_equal(again.same_time_of_day(1440), memory.same_time_of_day(1440))


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 10**6), size=st.sampled_from([400, 1600, 3100]))
def test_novelty_is_the_distance_to_the_nearest_stretches_before(seed: int, size: int) -> None:
    values = np.random.default_rng(seed).normal(0, 1, size)
    memory = Memory()
    *earlier, newest = values.tolist()
    for value in earlier:
        memory.take(value)
    novelties, nearest = memory.take(newest)
    assert nearest == np.abs(values[:-1] - values[-1]).min()
    for fade, novelty in zip(FADES, novelties, strict=True):
        apart = max(2, round(1 / (1 - fade)))
        lags = np.arange(apart, size - apart)
        weights = fade ** np.arange(size)
        distances = np.array(
            [(weights[: size - lag] * (values[lag:] - values[: size - lag])[::-1] ** 2).sum() for lag in lags]
        )
        expected = 0.0
        for _ in range(1 + lags.size // RARE):
            at = int(distances.argmin())
            expected = distances[at]
            distances[max(at - apart + 1, 0) : at + apart] = np.inf
        assert novelty == pytest.approx(np.sqrt(expected * (1 - fade)))


def test_what_came_once_is_still_novel_in_a_long_past() -> None:
    values = np.tile(np.sin(np.arange(24) / 24 * 2 * np.pi), 150)
    values[2000:2006] += 3
    values[3500:3506] += 3  # at the same time of day
    assert (3500 - 2000) % 24 != 0
    memory = Memory()
    novelty = np.array([memory.take(value)[0] for value in values.tolist()])
    assert (novelty[3503] > 0.5 * novelty[2003]).all()
    assert (novelty[3000:3500] < 1e-6).all()


def test_stamps_may_repeat_and_go_back() -> None:
    values = noisy(3, 300)
    shuffled = values.set_axis(HOURS[np.r_[0:150, 100:250]])
    found = score(shuffled)
    assert found.index.equals(shuffled.index)
    assert found.between(0, 1).all()


def test_a_series_without_stamps_counts_as_hourly() -> None:
    values = noisy(4)
    np.testing.assert_array_equal(score(values.reset_index(drop=True)), score(values))


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), at=st.integers(250, 390))
def test_a_spike_is_an_alarm_once(seed: int, at: int) -> None:
    values = noisy(seed)
    values.iloc[at : at + 4] += 60
    found = score(values)
    assert found.iloc[at] >= DEFAULT  # even where noise raised an alarm an hour before
    assert (found.iloc[at + 1 : at + 4] < DEFAULT).all()


@pytest.mark.parametrize(
    ("hours", "strength", "told"),
    [(20, 2.2, False), (20, 2.4, True), (26, 1.05, False), (26, 1.08, True), (72, 1.05, True)],
)
def test_soon_after_an_alarm_it_takes_more_for_the_next_one(
    monkeypatch: pytest.MonkeyPatch, hours: int, strength: float, told: bool
) -> None:
    def value_is_the_evidence(gatherer: Gatherer, value: float, _step: float) -> Evidence:
        gatherer.memory.take(value)
        return Evidence(novel=value, plain=0.0, oddness=0.0)

    monkeypatch.setattr(Gatherer, "take", value_is_the_evidence)
    values = pd.Series(0.0, index=HOURS[:200])
    values.iloc[100] = 1.05
    values.iloc[100 + hours] = strength
    found = score(values) >= DEFAULT
    assert found.iloc[100]
    assert found.iloc[100 + hours] == told


def daily_squares(seed: int, days: int = 12) -> pd.Series:
    """Five-minute values, busy from nine to six."""
    random = np.random.default_rng(seed)
    hour = np.arange(288 * days) % 288 / 12
    values = np.where((hour >= 9) & (hour < 18), 80.0, 20.0) + random.uniform(-2, 2, hour.size)
    return pd.Series(values, index=pd.date_range("2026-03-02", periods=hour.size, freq="5min"))


@pytest.mark.parametrize(("first", "last", "level"), [(9, 18, 20.0), (18, 24, 80.0), (9, 14, 20.0)])
def test_a_day_unlike_all_others_is_an_alarm_though_no_part_of_it_is_new(first: int, last: int, level: float) -> None:
    values = daily_squares(7)
    day = 10 * 288
    values.iloc[day + 12 * first : day + 12 * last] += level - values.iloc[day + 12 * first]
    found = score(values) >= DEFAULT
    assert found.iloc[day + 12 * first : day + 12 * last + 36].any()
    assert not found.iloc[3 * 288 : day].any()


@pytest.mark.parametrize("level", [0.0, 1.0])
def test_a_stream_that_falls_silent_or_hangs_is_an_alarm_once(level: float) -> None:
    values = pd.Series(
        np.random.default_rng(3).lognormal(0, 0.8, 2000), index=pd.date_range("2026-03-02", periods=2000, freq="5min")
    )
    values.iloc[1500:1600] = level
    found = score(values).iloc[1500:1600] >= DEFAULT
    assert np.flatnonzero(found).tolist() == [35]  # after three hours


@given(
    runs=st.lists(st.integers(1, 60), min_size=1, max_size=60),
    step=st.sampled_from([60.0, 300.0, 3600.0]),
)
@settings(max_examples=50, deadline=None)
def test_stillness_is_three_hours_twelve_values_and_thrice_the_longest_before(runs: list[int], step: float) -> None:
    stillness, seen = Stillness(), 0
    for number, run in enumerate(runs):
        said = [stillness.take(at > 0, seen + at, step) for at in range(run)]
        least = max(round(3 * 3600 / step), 12, 3 * max(runs[:number], default=0))
        assert said == [number > 0 and seen >= 300 and at + 1 == least for at in range(run)]
        seen += run


@pytest.mark.parametrize("data", [b"", b"nonsense", b"PK\x03\x04broken"])
def test_bytes_that_are_no_state_are_refused(data: bytes) -> None:
    with pytest.raises(BadArgument, match="saved state"):
        State.from_bytes(data)
