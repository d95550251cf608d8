"""Forecasts of daily use with odd days in it: what is learned from, what counts in part, and what a sum needs."""

from __future__ import annotations

from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.ml.calendar import Calendar
from tools.ml.forecasting import PanelForecast, forecast, forecast_panel, study_panel
from tools.ml.forecasting.excursions import calmed
from tools.ml.forecasting.steady import steady

Floats = npt.NDArray[np.float64]

DAYS, AHEAD = 91, 14
FIRST = "2026-06-01"
"""A Monday; so is the first day ahead."""


def usage(days: int = DAYS, seed: int = 0, noise: float = 0.12) -> Floats:
    """24 credits on working days, 5 at weekends, from a Monday on."""
    random = np.random.default_rng(seed)
    week = np.where(np.arange(days) % 7 >= 5, 5.0, 24.0)
    return np.asarray(week * np.exp(random.normal(0, noise, days)))


def study(point: str = "median", **series: Floats) -> PanelForecast:
    stamps = {name: pd.date_range(FIRST, periods=len(values), freq="D") for name, values in series.items()}
    parts = [pd.DataFrame({"unique_id": name, "ds": stamps[name], "y": values}) for name, values in series.items()]
    return study_panel(pd.concat(parts), AHEAD, point=point)  # type: ignore[arg-type]


def share(found: PanelForecast, name: str = "w") -> float:
    """What is said for two weeks, over what two usual weeks are."""
    return float(found.frame.loc[found.frame["unique_id"] == name, "mean"].sum()) / (10 * 24 + 4 * 5)


# --- excursions ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("factor", [20.0, 0.02])
def test_an_excursion_that_is_over_is_not_carried_on(factor: float) -> None:
    values = usage()
    values[-5:-2] *= factor
    found = study(w=values)
    assert share(found) == pytest.approx(share(study(w=usage())), rel=0.12)
    assert found.left_out == {"w": (date(2026, 8, 26), date(2026, 8, 27), date(2026, 8, 28))}


def test_ordinary_days_are_all_learned_from() -> None:
    assert study(w=usage()).left_out == {}


def test_an_excursion_that_runs_counts_in_part() -> None:
    values = usage()
    values[-5:] = 5 * 24 * np.exp(np.random.default_rng(1).normal(0, 0.05, 5))
    found = study(w=values)
    assert 1.1 < share(found) < 4.5
    assert found.left_out == {}


def test_a_level_that_has_held_for_two_weeks_is_taken_to_stay() -> None:
    values = usage()
    values[-14:] *= 3
    found = study(w=values)
    assert share(found) == pytest.approx(3, rel=0.15)
    assert "level shift on 2026-08-17" in found.choices["w"].why


def test_a_level_that_is_not_a_week_old_is_said_to_count_in_part() -> None:
    values = usage(noise=0.02)
    values[-5:] *= 3
    values[-2:] = 15.0
    found = study(w=values)
    assert "not a week old" in found.choices["w"].why
    assert 1.2 < share(found) < 3


def test_what_comes_every_other_week_is_a_habit() -> None:
    values, fridays = usage(), np.arange(4, DAYS, 14)
    values[fridays] *= 4
    assert study(w=values).left_out == {}
    once = usage()
    once[46] *= 4
    assert study(w=once).left_out == {"w": (date(2026, 7, 17),)}


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1000), cut=st.integers(30, 80), factor=st.floats(0.1, 10))
def test_which_days_are_odd_is_told_from_what_is_known_then(seed: int, cut: int, factor: float) -> None:
    """What comes after an origin changes nothing of what is learned from at it; ordinary days stay as they are."""
    random = np.random.default_rng(seed)
    values = usage(seed=seed)[None] * np.where(random.random(DAYS) < 0.06, 6.0, 1.0)
    later = values.copy()
    later[:, cut:] *= factor
    one, odd = calmed(values[:, :cut])
    other, _ = calmed(later[:, :cut])
    np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(one[~odd], values[:, :cut][~odd])
    whole = calmed(values * 1024.0)
    np.testing.assert_allclose(whole[0] / 1024.0, calmed(values)[0])


def test_the_daily_backtest_does_not_look_ahead() -> None:
    from tools.ml.forecasting.backtest import held_out, trial
    from tools.ml.forecasting.engine import Request, learned
    from tools.ml.forecasting.prepare import prepare
    from tools.ml.series import histories

    said = []
    for factor in (1.0, 9.0):
        values = usage()
        values[-12:-2] *= factor  # an excursion that is over at the end, and not before the newest origin
        stamps = pd.date_range(FIRST, periods=DAYS, freq="D")
        able = histories(pd.DataFrame({"unique_id": "w", "ds": stamps, "y": values}), AHEAD, None)
        before = prepare(able, AHEAD, None, held_out(DAYS, AHEAD, (7, 28)))
        nets, _ = learned(before, before, AHEAD, (7, 28), Request((80, 95), None, "median", "loky", 1, None))
        tested = trial(before, nets, np.array([0]), AHEAD, (7, 28))
        assert tested.learned is not None
        said.append((tested.learned, tested.members))
    np.testing.assert_array_equal(said[0][0], said[1][0])
    np.testing.assert_array_equal(said[0][1], said[1][1])


def test_series_that_go_below_zero_are_left_as_they_are() -> None:
    values = usage() - 15
    values[50:52] = 500.0
    found = study(w=values)
    assert found.left_out == {}
    assert np.isfinite(found.frame["mean"]).all()


@settings(max_examples=3, deadline=None)
@given(factor=st.sampled_from([1e-6, 3.7, 1e9]), point=st.sampled_from(["median", "mean"]))
def test_days_in_another_unit_have_the_same_forecast_in_that_unit(factor: float, point: str) -> None:
    values = usage(seed=3)
    values[40:44] *= 8
    one, other = study(point, w=values).frame, study(point, w=values * factor).frame
    columns = ["mean", "lo-95", "hi-95"]
    np.testing.assert_allclose(other[columns] / factor, one[columns], rtol=1e-6, atol=1e-9)


# --- the usual week --------------------------------------------------------------------------------------------------


@settings(max_examples=30, deadline=None)
@given(week=st.lists(st.floats(0, 100), min_size=7, max_size=7), weeks=st.integers(2, 12), start=st.integers(0, 6))
def test_a_week_that_repeats_is_said_again(week: list[float], weeks: int, start: int) -> None:
    days = np.resize(np.roll(week, -start), (1, 7 * weeks))
    np.testing.assert_allclose(steady(days, np.arange(1, 15))[0], np.resize(np.roll(week, -start), 14), atol=1e-9)


def test_weekdays_that_are_alike_speak_for_each_other() -> None:
    """A week's shape (its level apart) is told better than by each weekday's own median; the weekend stays apart."""
    truth = usage(7, noise=0)
    pooled, alone = [], []
    for seed in range(40):
        values = usage(56, seed=seed, noise=0.3)
        week = steady(values[None], np.arange(1, 8))[0]
        own = np.median(values.reshape(8, 7), axis=0)
        pooled.append(np.abs(week / week.mean() - truth / truth.mean()).mean())
        alone.append(np.abs(own / own.mean() - truth / truth.mean()).mean())
    assert np.mean(pooled) < 0.7 * np.mean(alone)


# --- means for money -------------------------------------------------------------------------------------------------


def test_the_mean_of_a_warehouse_that_mostly_idles_is_what_it_uses() -> None:
    random = np.random.default_rng(4)
    values = np.where(random.random(140) < 0.35, random.exponential(5, 140), 0.0)
    assert study("median", w=values).frame["mean"].sum() < 0.5 * values.mean() * AHEAD
    assert study("mean", w=values).frame["mean"].sum() == pytest.approx(values.mean() * AHEAD, rel=0.35)


def test_the_error_that_is_told_is_that_of_the_point_that_is_shown() -> None:
    """Of a warehouse that mostly idles, the median has the smallest absolute error, and the mean a larger one."""
    random = np.random.default_rng(4)
    values = np.where(random.random(140) < 0.35, random.exponential(5, 140), 0.0)
    median, mean = (study(point, w=values).backtests["w"].wape for point in ("median", "mean"))
    assert mean > 1.05 * median


def test_what_odd_days_cost_is_in_the_total_and_moves_no_steady_series() -> None:
    panel = {f"w{k}": usage(seed=k) for k in range(8)}
    for k, values in enumerate(panel.values()):
        at = 10 + 9 * k
        values[at : at + 3] *= 4
    panel["even"] = np.full(DAYS, 24.0)
    middle, mean = study("median", **panel), study("mean", **panel)
    assert 1.01 < mean.total().mean / middle.total().mean < 1.2
    assert share(mean, "even") == pytest.approx(share(middle, "even"), rel=1e-6)


def test_one_wild_week_does_not_price_the_next() -> None:
    values = usage()
    values[70:77] *= 30
    assert share(study("mean", w=values)) < 1.35


def test_a_few_days_are_enough_for_an_answer() -> None:
    said = forecast(pd.Series([3.0, 5.0, 4.0], index=pd.date_range(FIRST, periods=3, freq="D")), 7, point="mean")
    assert said["mean"].between(2, 6).all()


# --- levels and the calendar ---------------------------------------------------------------------------------------


def test_what_runs_day_and_night_since_two_weeks_raises_weekends_as_much() -> None:
    values = usage()
    values[-14:] += 60
    said = study(w=values).frame["mean"].to_numpy()
    assert said[5:7].mean() == pytest.approx(65, rel=0.1)
    assert said[:5].mean() == pytest.approx(84, rel=0.1)


STAMPS = pd.date_range("2026-06-29", periods=63, freq="D")


def ahead_of(panel: dict[str, Floats], calendar: Calendar, name: str) -> Floats:
    """What is said of one series of the panel (days of STAMPS) for the days from 31 August on."""
    parts = [pd.DataFrame({"unique_id": key, "ds": STAMPS, "y": values}) for key, values in panel.items()]
    found = forecast_panel(pd.concat(parts), AHEAD, calendar=calendar)
    return found.loc[found["unique_id"] == name, "mean"].to_numpy()


def flat(seed: int, noise: float = 0.1) -> Floats:
    return np.asarray(np.exp(np.random.default_rng(seed).normal(3, noise, len(STAMPS))))


def test_one_odd_day_of_two_at_a_place_in_the_month_is_no_habit() -> None:
    """2 July was as ever, on 2 August a job ran away: 2 September is a day like its neighbours."""
    values = np.where(pd.Timestamp("2026-08-02") == STAMPS, 200.0, flat(0, 0.05))
    said = ahead_of({"w": values}, Calendar("UTC"), "w")
    assert said[2] == pytest.approx(said[4], rel=0.15)


def test_days_about_a_months_end_speak_for_each_other() -> None:
    """1.7 times as much on six days, by one of eight: the others must not hide what its own sightings say."""
    edge = Calendar("UTC").edge_of_month(pd.DatetimeIndex(STAMPS)) != 0
    panel = {f"other {seed}": flat(seed) for seed in range(1, 8)}
    said = ahead_of({"w": flat(0) * np.where(edge, 1.7, 1.0), **panel}, Calendar("UTC"), "w")
    assert said[:4].mean() / said[4:].mean() == pytest.approx(1.7, rel=0.1)


def test_who_rests_at_weekends_rests_on_holidays() -> None:
    """On its only holiday a job hid the rest: people's warehouses tell what to expect, jobs that never rest do not."""
    past, ahead = date(2026, 8, 12), date(2026, 9, 9)
    panel = {f"job {seed}": flat(seed) for seed in range(8)} | {name: usage(len(STAMPS)) for name in "abcd"}
    for name in "abcd":
        panel[name][pd.Timestamp(past) == STAMPS] = 18.0 if name == "a" else 5.0
    said = ahead_of(panel, Calendar("UTC", frozenset({past, ahead}), month_end=False), "a")
    assert said[9] < 12 < 20 < said[8]
