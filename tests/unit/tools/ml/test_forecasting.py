"""Forecasts through their public calls: what must hold for any series, and what each kind of series must get."""

from __future__ import annotations

import math
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tools.errors import BadArgument, UnknownName
from tools.ml.calendar import Calendar
from tools.ml.forecasting import PanelForecast, forecast, forecast_panel, study_panel
from tools.ml.generated import generated_series

Floats = npt.NDArray[np.float64]

BANDS = ["lo-95", "lo-80", "hi-80", "hi-95"]


def hourly(values: Floats | list[float], start: str = "2026-06-01") -> pd.Series:
    return pd.Series(values, index=pd.date_range(start, periods=len(values), freq="h"), dtype=float)


def daily(values: Floats | list[float], start: str = "2026-06-01") -> pd.Series:
    return pd.Series(values, index=pd.date_range(start, periods=len(values), freq="D"), dtype=float)


def panel(**series: pd.Series) -> pd.DataFrame:
    parts = [pd.DataFrame({"unique_id": name, "ds": s.index, "y": s.to_numpy()}) for name, s in series.items()]
    return pd.concat(parts, ignore_index=True)


def usage(days: int, seed: int = 0, noise: float = 0.05) -> Floats:
    """Working hours on weekdays, some at the weekend: 24 values a day, from a Monday."""
    random = np.random.default_rng(seed)
    hour, day = np.arange(24 * days) % 24, np.arange(24 * days) // 24
    shape = np.where((hour >= 8) & (hour < 18), 8.0, 1.0) * np.where(day % 7 >= 5, 0.3, 1.0)
    return np.asarray(shape * np.exp(random.normal(0, noise, 24 * days)))


def ok(frame: pd.DataFrame) -> bool:
    """Finite, and the intervals nested about each other."""
    edges = frame[BANDS].to_numpy()
    return bool(np.isfinite(frame["mean"]).all() and np.isfinite(edges).all() and (np.diff(edges, axis=1) >= 0).all())


@pytest.fixture(scope="module")
def study() -> PanelForecast:
    made = generated_series(5, 24 * 21)
    several = {f"s{k}": hourly(next(made)) for k in range(6)}
    return study_panel(panel(**several, short=hourly([1.0, 2.0]), empty=hourly([math.nan] * 30)), 24)


# --- properties --------------------------------------------------------------------------------------------------


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    values=st.lists(st.one_of(st.just(0.0), st.floats(0, 1e6, width=32), st.just(math.nan)), min_size=3, max_size=40),
    by_day=st.booleans(),
    upper=st.one_of(st.none(), st.floats(0.5, 10)),
)
def test_any_short_history_gets_a_sane_answer_or_a_refusal(
    values: list[float], by_day: bool, upper: float | None
) -> None:
    history = daily(values) if by_day else hourly(values)
    if np.isfinite(history).sum() < 3:
        with pytest.raises(BadArgument, match="known"):
            forecast(history, 5, upper=upper)
        return
    said = forecast(history, 5, upper=upper)
    assert ok(said)
    assert said.to_numpy().min() >= 0
    assert said.to_numpy().max() <= (upper or math.inf)
    assert said.index.equals(pd.date_range(history.index[-1], periods=6, freq="D" if by_day else "h")[1:])


@settings(max_examples=4, deadline=None)
@given(factor=st.sampled_from([1e-6, 0.01, 3.7, 1024.0, 1e9]), seed=st.integers(0, 50))
def test_a_series_in_another_unit_has_the_same_forecast_in_that_unit(factor: float, seed: int) -> None:
    values = next(generated_series(seed, 24 * 10))
    one, other = forecast(hourly(values), 24), forecast(hourly(values * factor), 24)
    np.testing.assert_allclose(other / factor, one, rtol=1e-6, atol=1e-9 * values.max())


def test_the_same_panel_has_the_same_forecast_in_any_order_of_rows(study: PanelForecast) -> None:
    made = generated_series(5, 24 * 21)
    frame = panel(**{f"s{k}": hourly(next(made)) for k in range(6)}).sample(frac=1, random_state=3)
    pd.testing.assert_frame_equal(forecast_panel(frame, 24), study.frame)


def test_every_series_has_its_rows_at_its_own_future(study: PanelForecast) -> None:
    assert ok(study.frame)
    assert study.frame["mean"].min() >= 0
    for _, rows in study.frame.groupby("unique_id"):
        assert rows["ds"].tolist() == pd.date_range("2026-06-22", periods=24, freq="h").tolist()


def test_what_cannot_be_forecast_is_listed_and_has_no_rows(study: PanelForecast) -> None:
    assert set(study.refused) == {"short", "empty"}
    assert "2 known values" in study.refused["short"]
    assert set(study.frame["unique_id"]) == set(study.choices) == {f"s{k}" for k in range(6)}
    with pytest.raises(BadArgument, match="No series"):
        forecast_panel(panel(short=hourly([1.0, 2.0])), 3)


def test_the_backtest_does_not_look_ahead() -> None:
    """What happens in the last slots of a fold changes its errors, and nothing of what was said at earlier origins."""
    from tools.ml.forecasting.backtest import held_out, trial
    from tools.ml.forecasting.engine import Request, learned
    from tools.ml.forecasting.prepare import prepare
    from tools.ml.series import histories

    values = usage(28)
    changed = values.copy()
    changed[-24:] *= 5
    said = []
    for history in (values, changed):
        able = histories(panel(a=hourly(history)), 24, None)
        out = held_out(len(history), 24, (24, 168))
        before = prepare(able, 24, None, out)
        request = Request((80, 95), None, "median", "loky", 1, None)
        nets, _ = learned(before, before, 24, (24, 168), request)
        tested = trial(before, nets, np.array([0]), 24, (24, 168))
        assert tested.learned is not None
        early = tested.fold < tested.fold.max()
        said.append((tested.learned[:, early], tested.members[:, :, early]))
    np.testing.assert_array_equal(said[0][0], said[1][0])
    np.testing.assert_array_equal(said[0][1], said[1][1])


# --- totals ------------------------------------------------------------------------------------------------------


def test_totals_are_coherent(study: PanelForecast) -> None:
    whole = study.total()
    assert whole.mean == pytest.approx(study.frame["mean"].sum())
    assert whole.mean == pytest.approx(sum(study.total(ids=[name]).mean for name in study.choices))
    (low95, high95), (low80, high80) = whole.intervals[95], whole.intervals[80]
    assert low95 <= low80 <= whole.mean <= high80 <= high95


def test_a_total_is_surer_than_its_rows_and_less_sure_than_if_they_were_independent(study: PanelForecast) -> None:
    rows = study.frame[study.frame["unique_id"] == "s0"]
    width = np.subtract(*reversed(study.total(ids=["s0"]).intervals[95]))
    widths = (rows["hi-95"] - rows["lo-95"]).to_numpy()
    assert np.sqrt((widths**2).sum()) * 0.7 <= width <= widths.sum() * 1.5


def test_a_total_of_one_row_is_the_row(study: PanelForecast) -> None:
    row = study.frame[study.frame["unique_id"] == "s1"].iloc[3]
    total = study.total(row["ds"], row["ds"] + pd.Timedelta(hours=1), ["s1"])
    assert total.mean == row["mean"]
    assert total.intervals[80] == (row["lo-80"], row["hi-80"])


def test_the_probability_of_more_falls_with_the_amount(study: PanelForecast) -> None:
    total = study.total()
    amounts = np.linspace(0, 2 * total.mean, 9)
    chances = [study.probability_above(float(amount)) for amount in amounts]
    assert chances == sorted(chances, reverse=True)
    assert study.probability_above(-1.0) == 1
    assert study.probability_above(total.intervals[95][1]) == pytest.approx(0.025, abs=0.01)


def test_totals_refuse_what_is_not_there(study: PanelForecast) -> None:
    with pytest.raises(UnknownName):
        study.total(ids=["nobody"])
    with pytest.raises(BadArgument, match="window"):
        study.total(start=pd.Timestamp("2030-01-01"))


# --- kinds of series ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [0.0, 7.5])
def test_a_constant_stays_what_it_is(value: float) -> None:
    assert (forecast(hourly([value] * 100), 30) == value).all(axis=None)


def test_a_weekly_habit_is_seen() -> None:
    said = forecast(hourly(usage(35)), 7 * 24)
    actual = usage(42, noise=0)[-7 * 24 :]
    assert np.abs(said["mean"] - actual).sum() / actual.sum() < 0.08


def test_backtests_and_words_come_with_the_forecast(study: PanelForecast) -> None:
    for name, test in study.backtests.items():
        assert test.folds > 1
        assert test.points > 24
        assert set(test.coverage) == {80, 95}
        assert 0 <= test.coverage[80] <= 100
        assert test.wape >= 0
        assert study.choices[name].model
        assert "WAPE" in study.choices[name].why
    beaten = [test.wape <= test.naive_wape for test in study.backtests.values()]
    assert sum(beaten) > len(beaten) / 2


def test_only_the_regime_that_holds_now_goes_on() -> None:
    values = usage(42)
    values[: 30 * 24] *= 4
    one = study_panel(panel(w=hourly(values)), 7 * 24)
    actual = usage(49, noise=0)[-7 * 24 :]
    assert abs(one.frame["mean"].sum() / actual.sum() - 1) < 0.1
    assert "level shift on 2026-07-01" in one.choices["w"].why


def test_growth_is_no_level_shift() -> None:
    days = np.arange(60)
    one = study_panel(panel(w=daily(100 * 1.02**days)), 7)
    assert "shift" not in one.choices["w"].why
    assert one.frame["mean"].iloc[-1] > 100 * 1.02**59


def test_a_short_straight_climb_goes_on() -> None:
    said = forecast(hourly(np.arange(100.0) + 50), 24)["mean"]
    assert said.iloc[-1] > 150


def test_a_warehouse_that_fell_silent_stays_silent() -> None:
    values = usage(42)
    values[-14 * 24 :] = 0
    assert forecast(hourly(values), 48)["mean"].sum() < 1


def test_the_month_end_is_anticipated_by_the_calendar() -> None:
    stamps = pd.date_range("2026-03-02", "2026-06-24", freq="D")
    base = np.where(stamps.day_of_week >= 5, 40.0, 100.0) * np.exp(
        np.random.default_rng(1).normal(0, 0.03, len(stamps))
    )
    edge = Calendar().edge_of_month(stamps)
    values = base * np.where((edge >= -2) & (edge < 0), 2.0, 1.0)
    said = forecast(pd.Series(values, index=stamps), 8, calendar=Calendar("UTC"))["mean"]
    assert said[pd.Timestamp("2026-06-30")] > 1.6 * said[pd.Timestamp("2026-06-26")]
    assert said[pd.Timestamp("2026-07-02")] < 1.2 * said[pd.Timestamp("2026-06-26")]
    plain = forecast(pd.Series(values, index=stamps), 8)["mean"]
    assert plain[pd.Timestamp("2026-06-30")] < 1.3 * plain[pd.Timestamp("2026-06-26")]


def test_a_holiday_is_anticipated_like_those_before() -> None:
    stamps = pd.date_range("2026-04-06", "2026-06-30", freq="D")
    holidays = frozenset({date(2026, 5, 1), date(2026, 5, 14), date(2026, 6, 19), date(2026, 7, 3)})
    calendar = Calendar("UTC", holidays, month_end=False)
    values = np.where(stamps.day_of_week >= 5, 60.0, 100.0) * np.where(calendar.is_holiday(stamps), 0.3, 1.0)
    values = values * np.exp(np.random.default_rng(2).normal(0, 0.03, len(stamps)))
    said = forecast(pd.Series(values, index=stamps), 3, calendar=calendar)["mean"]
    assert said.iloc[2] < 0.5 * said.iloc[1]


def test_habits_follow_the_clock_on_the_wall_over_a_change_of_time() -> None:
    """Jobs at 09:00 in Berlin: 08:00 UTC in winter, 07:00 UTC in summer. The clocks change on 2026-03-29."""
    stamps = pd.date_range("2026-03-02", "2026-03-28 23:00", freq="h")
    calendar = Calendar("Europe/Berlin", month_end=False)
    job = np.where(calendar.hour(stamps) == 9, 10.0, 1.0) * np.exp(
        np.random.default_rng(3).normal(0, 0.02, len(stamps))
    )
    said = forecast(pd.Series(job, index=stamps), 72, calendar=calendar)
    assert len(said) == 72
    busy = said.index[said["mean"] > 5]
    assert busy.tolist() == [pd.Timestamp(f"2026-03-{day} 07:00") for day in (29, 30, 31)]


def test_stamps_with_a_zone_keep_it() -> None:
    history = daily(usage(40)[::24]).tz_localize("America/New_York")
    said = forecast(history, 3)
    assert said.index[0] == pd.Timestamp("2026-07-11", tz="America/New_York")


def test_gaps_are_bridged_and_change_little() -> None:
    values = usage(35)
    holed = hourly(values)
    holed.iloc[200:230] = math.nan
    dropped = holed.dropna()
    whole, holes = forecast(hourly(values), 24)["mean"], forecast(dropped, 24)["mean"]
    assert np.abs(whole - holes).sum() / whole.sum() < 0.1
    pd.testing.assert_frame_equal(forecast(holed, 24), forecast(dropped, 24))


def test_a_gap_of_weeks_is_borne() -> None:
    values = usage(56)
    values[10 * 24 : 24 * 24] = math.nan
    said = forecast(hourly(values), 24)
    assert ok(said)
    assert said["mean"].sum() == pytest.approx(usage(57, noise=0)[-24:].sum(), rel=0.15)


def test_money_asks_for_the_mean_of_a_skewed_series() -> None:
    random = np.random.default_rng(4)
    values = np.where(random.random(24 * 60) < 0.35, random.exponential(5, 24 * 60), 0.0)
    middle = forecast(hourly(values), 96)["mean"].sum()
    mean = forecast(hourly(values), 96, point="mean")["mean"].sum()
    assert middle < 0.5 * mean
    assert abs(mean / (96 * values.mean()) - 1) < 0.25


def test_nothing_goes_above_its_bound() -> None:
    frame = panel(a=hourly(usage(21)), b=hourly(usage(21, seed=2)))
    said = forecast_panel(frame, 24, upper={"a": 5.0}).set_index("unique_id")
    assert said.loc["a", ["mean", *BANDS]].to_numpy().max() == 5.0
    assert said.loc["b", "mean"].max() > 5.0


def test_a_new_warehouse_beside_old_ones_is_forecast() -> None:
    said = forecast_panel(panel(old=hourly(usage(35)), new=hourly([2.0, 4.0, 3.0, 3.5], "2026-07-05 20:00")), 6)
    new = said[said["unique_id"] == "new"]
    assert len(new) == 6
    assert new["mean"].between(2, 4).all()
    assert ok(said)


# --- what is refused ---------------------------------------------------------------------------------------------


def test_what_is_no_history_is_refused() -> None:
    good = hourly(usage(3))
    for bad, why in [
        (hourly([1.0, math.inf, 2.0, 3.0]), "infinity"),
        (good.iloc[::-1], "order"),
        (pd.concat([good, good.iloc[-1:]]), "twice"),
        (pd.Series([1.0, 2.0, 3.0]), "DatetimeIndex"),
        (
            pd.Series([1.0, 2, 3], index=pd.to_datetime(["2026-01-01 00:00", "2026-01-01 00:07", "2026-01-01 03:00"])),
            "hours",
        ),
    ]:
        with pytest.raises(BadArgument, match=why):
            forecast(bad, 3)


def test_what_is_no_question_is_refused() -> None:
    good = hourly(usage(3))
    with pytest.raises(BadArgument, match="horizon"):
        forecast(good, 0)
    with pytest.raises(BadArgument, match="Levels"):
        forecast(good, 3, levels=(80, 100))
    with pytest.raises(BadArgument, match="upper bound"):
        forecast(good, 3, upper=math.nan)
    with pytest.raises(BadArgument, match="Column y"):
        forecast_panel(pd.DataFrame({"unique_id": ["a"], "ds": [pd.Timestamp("2026-01-01")]}), 3)


# --- how it is run -----------------------------------------------------------------------------------------------


def test_the_result_is_the_same_on_every_backend(study: PanelForecast) -> None:
    made = generated_series(5, 24 * 21)
    frame = panel(**{f"s{k}": hourly(next(made)) for k in range(6)})
    pd.testing.assert_frame_equal(forecast_panel(frame, 24, backend="threading", jobs=2), study.frame)


def test_a_kept_state_saves_the_fit_and_still_sees_the_new_day() -> None:
    values = usage(30)
    state: dict[str, object] = {}
    forecast_panel(panel(a=hourly(values[: 29 * 24])), 24, state=state)
    kept = dict(state)
    later = forecast_panel(panel(a=hourly(values)), 24, state=state)
    assert {key: id(value) for key, value in state.items()} == {key: id(value) for key, value in kept.items()}
    fresh = forecast_panel(panel(a=hourly(values)), 24)
    assert later["ds"].tolist() == fresh["ds"].tolist()
    assert np.abs(later["mean"] - fresh["mean"]).sum() / fresh["mean"].sum() < 0.1


def test_other_levels_are_between_and_beyond_the_usual_ones() -> None:
    said = forecast(hourly(usage(20)), 24, levels=(99, 50, 80))
    widths = [(said[f"hi-{level}"] - said[f"lo-{level}"]).sum() for level in (50, 80, 99)]
    assert widths[0] < widths[1] < widths[2]
