"""`detect`, `detect_panel` and `Watch`: what is found, what is left alone, and that a saved watch goes on the same."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.errors import BadArgument
from tools.ml.anomaly import KINDS, Anomaly, Watch, count_false_alarms, detect, detect_panel
from tools.ml.calendar import Calendar

HOUR = pd.Timedelta(hours=1)
STAMPS = pd.date_range("2026-03-02", periods=24 * 60, freq="h")  # a Monday
BERLIN = Calendar("Europe/Berlin", frozenset({date(2026, 4, 3), date(2026, 4, 6)}))


def busy(seed: int = 0, noise: float = 0.15) -> pd.Series:
    """Working hours on working days, a little at night."""
    rng = np.random.default_rng(seed)
    local = BERLIN.local(STAMPS)
    open_hours = (local.day_of_week < 5) & (local.hour >= 8) & (local.hour < 18) & ~BERLIN.holiday(STAMPS)
    return pd.Series(np.where(open_hours, 6.0, 0.5) * np.exp(rng.normal(0, noise, len(STAMPS))), index=STAMPS)


def steady(seed: int = 0, noise: float = 0.1) -> pd.Series:
    rng = np.random.default_rng(seed)
    return pd.Series(4.0 * np.exp(rng.normal(0, noise, len(STAMPS))), index=STAMPS)


def one(found: list[Anomaly]) -> Anomaly:
    assert len(found) == 1, found
    return found[0]


def at(day: int, hour: int = 0) -> pd.Timestamp:
    return STAMPS[24 * day + hour]


@pytest.mark.parametrize("seed", range(3))
def test_a_runaway_query_is_one_spike_with_its_cost(seed: int) -> None:
    values = busy(seed)
    values[at(45, 2) : at(45, 5)] += 20.0
    spike = one(detect(values, calendar=BERLIN, unit_price=3.0))
    assert (spike.kind, spike.start, spike.end) == ("spike", at(45, 2), at(45, 6))
    assert spike.detected_at == at(45, 3)
    assert spike.severity == pytest.approx(3 * 80, rel=0.1)
    assert spike.actual == pytest.approx(20.5, rel=0.1)
    assert spike.band[0] < spike.expected < spike.band[1] < spike.actual
    assert 0.5 <= spike.confidence <= 1
    assert not spike.open


@pytest.mark.parametrize("seed", range(3))
def test_new_constant_load_is_one_level_shift_that_is_still_open(seed: int) -> None:
    values = busy(seed)
    values[at(52, 20) :] = np.maximum(values[at(52, 20) :], 8.0)
    shift = one(detect(values, calendar=BERLIN))
    assert shift.kind == "level_shift"
    assert abs(shift.start - at(52, 20)) <= 2 * HOUR
    assert shift.detected_at - at(52, 20) <= 3 * HOUR
    assert shift.open
    assert shift.end == STAMPS[-1] + HOUR


@pytest.mark.parametrize("seed", range(3))
def test_a_loader_that_falls_silent_is_a_silence(seed: int) -> None:
    values = steady(seed)
    values[at(40, 3) : at(41, 9)] = 0.0
    silence = one(detect(values))
    assert (silence.kind, silence.start, silence.end) == ("silence", at(40, 3), at(41, 10))
    assert silence.detected_at - at(40, 3) <= 4 * HOUR
    assert silence.actual == 0.0


def test_slow_growth_is_a_drift() -> None:
    values = steady(1)
    values[at(20) :] *= np.linspace(1, 4, len(values[at(20) :]))
    found = detect(values)
    assert found[0].kind == "drift"
    assert found[0].actual > found[0].expected


def test_wild_hours_are_a_changed_variance() -> None:
    values = steady(2)
    rng = np.random.default_rng(9)
    values[at(45) : at(52)] *= np.exp(rng.normal(-0.5, 1.0, len(values[at(45) : at(52)])))
    assert "variance_change" in {found.kind for found in detect(values)}


def test_days_turned_over_are_a_changed_seasonality() -> None:
    values = busy(3)
    later = values[at(50) :]
    values[at(50) :] = np.where(later > 3, 0.5, np.where(later.index.day_of_week < 5, 4.5, 0.5))
    assert "seasonality_change" in {found.kind for found in detect(values, calendar=BERLIN)}


# --- what is no anomaly --------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_ordinary_weeks_holidays_and_the_turn_of_summer_time_are_quiet(seed: int) -> None:
    assert detect(busy(seed), calendar=BERLIN) == []  # the clocks go forward on 29 March


@pytest.mark.parametrize("seed", range(2))
def test_a_month_end_is_quiet_with_a_calendar_only(seed: int) -> None:
    values = busy(seed)
    local = BERLIN.local(STAMPS)
    values[np.isin(BERLIN.edge_of_month(local), (-2, -1)) & (values > 3)] *= 3.5
    assert detect(values, calendar=BERLIN) == []
    assert detect(values)


def test_announced_work_is_quiet_and_not_learnt() -> None:
    values = steady(4)
    values[at(40, 6) : at(41, 6)] += 30.0
    jobs = [(at(40, 6), at(41, 7))]
    assert detect(values, known_jobs=jobs) == []
    assert one(detect(values)).start == at(40, 6)
    values[at(47, 6) : at(47, 9)] += 30.0
    assert one(detect(values, known_jobs=jobs)).start == at(47, 6)


@pytest.mark.parametrize("value", [0.0, -3.5, 1e9])
def test_constants_are_quiet(value: float) -> None:
    assert detect(pd.Series(value, index=STAMPS)) == []


@pytest.mark.parametrize("size", [0, 1, 2, 30])
def test_a_short_history_finds_nothing(size: int) -> None:
    assert detect(steady()[:size]) == []


# --- properties ----------------------------------------------------------------------------------------------


def troubled(seed: int) -> pd.Series:
    rng = np.random.default_rng(seed)
    values = busy(seed) if seed % 2 else steady(seed)
    for _ in range(4):
        begin = int(rng.integers(400, len(values) - 48))
        values.iloc[begin : begin + int(rng.integers(1, 48))] *= float(rng.choice([0.0, 3.0, 8.0]))
    return values


def troubles(seed: int, count: int = 8) -> dict[str, np.ndarray]:
    """A panel costs hardly more than a series."""
    return {f"S{at}": troubled(seed + at).to_numpy() for at in range(count)}


def said(found: dict[str, list[Anomaly]]) -> dict[str, list[tuple[object, ...]]]:
    return {name: [(a.start, a.end, a.kind, a.detected_at, a.open) for a in every] for name, every in found.items()}


@settings(max_examples=3, deadline=None)
@given(seed=st.integers(0, 10**6), factor=st.sampled_from([1e-4, 0.5, 3600.0]))
def test_units_do_not_matter(seed: int, factor: float) -> None:
    frame = panel(troubles(seed))
    assert said(detect_panel(frame.assign(y=frame["y"] * factor))) == said(detect_panel(frame))


@settings(max_examples=3, deadline=None)
@given(seed=st.integers(0, 10**6), cut=st.integers(400, len(STAMPS) - 1))
def test_what_was_raised_by_then_does_not_depend_on_what_comes(seed: int, cut: int) -> None:
    frame = panel(troubles(seed))
    edge = STAMPS[cut - 1] + HOUR
    early, whole = detect_panel(frame[frame["ds"] < edge]), detect_panel(frame)
    for name, found in early.items():
        assert [(a.start, a.detected_at, a.confidence) for a in found] == [
            (a.start, a.detected_at, a.confidence) for a in whole[name] if a.detected_at <= edge
        ]


@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_findings_are_ordered_named_and_never_overlap(seed: int) -> None:
    for found in detect_panel(panel(troubles(seed))).values():
        assert all(a.kind in KINDS and a.start < a.end and a.start < a.detected_at for a in found)
        for kind in KINDS:
            same = [a for a in found if a.kind == kind]
            assert all(first.end <= second.start for first, second in pairwise(same))


@settings(max_examples=3, deadline=None)
@given(seed=st.integers(0, 10**6), cut=st.integers(1, len(STAMPS) - 1))
def test_a_saved_watch_goes_on_as_the_batch_would(seed: int, cut: int) -> None:
    series = troubles(seed, 4)
    wide = np.column_stack(list(series.values()))
    watch = Watch(list(series), calendar=BERLIN)
    watch.take_all(STAMPS[:cut], wide[:cut])
    watch = Watch.from_bytes(watch.to_bytes(), calendar=BERLIN)
    for place in range(cut, len(STAMPS)):
        watch.take(STAMPS[place], wide[place])
    assert watch.findings() == detect_panel(panel(series), calendar=BERLIN)


def panel(series: dict[str, np.ndarray]) -> pd.DataFrame:
    return pd.concat([pd.DataFrame({"unique_id": name, "ds": STAMPS, "y": y}) for name, y in series.items()])


def test_a_panel_says_what_each_series_alone_would() -> None:
    series = troubles(0, 3)
    found = detect_panel(panel(series), calendar=BERLIN)
    assert found == {name: detect(pd.Series(y, index=STAMPS), calendar=BERLIN) for name, y in series.items()}


def test_series_may_begin_late_and_have_gaps() -> None:
    late, gappy = steady(1)[500:], steady(2)
    gappy = gappy.drop(gappy.index[600:640])
    frame = pd.concat(
        [pd.DataFrame({"unique_id": name, "ds": s.index, "y": s.to_numpy()}) for name, s in (("L", late), ("G", gappy))]
    )
    assert detect_panel(frame) == {"G": [], "L": []}


def test_a_daily_series_is_watched_too() -> None:
    days = pd.date_range("2026-01-05", periods=120, freq="D")
    values = pd.Series(np.where(days.day_of_week < 5, 100.0, 20.0), index=days)
    values *= np.exp(np.random.default_rng(1).normal(0, 0.05, len(days)))
    values.iloc[100] = 500.0
    spike = one(detect(values))
    assert (spike.start, spike.end) == (days[100], days[101])


def test_stamps_with_a_zone_come_back_with_it() -> None:
    values = steady(1)
    values[at(45, 2) : at(45, 5)] += 20.0
    zoned = values.tz_localize("UTC").tz_convert("Asia/Tokyo")
    assert str(one(detect(zoned)).start.tz) == "Asia/Tokyo"
    assert one(detect(zoned)).start == at(45, 2).tz_localize("UTC")


def test_a_smaller_budget_raises_less_and_false_alarms_are_counted() -> None:
    frame = panel(troubles(0, 6))
    many, few = detect_panel(frame, false_alarms=0.5), detect_panel(frame, false_alarms=1e-6)
    weeks = 6 * len(STAMPS) / 168
    assert sum(map(len, many.values())) > sum(map(len, few.values()))
    counted = count_false_alarms(many, [("S0", STAMPS[0], STAMPS[-1])], weeks)
    assert counted.false == counted.findings - len(many["S0"])
    assert counted.per_series_week == counted.false / weeks


# --- refusals ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_no_number_is_refused(bad: float) -> None:
    values = steady()
    values.iloc[5] = bad
    with pytest.raises(BadArgument, match="row 5"):
        detect(values)


def test_stamps_that_cannot_be_watched_are_refused() -> None:
    values = steady()
    for wrong in (values[::-1], pd.concat([values[:5], values[4:9]]), values.reset_index(drop=True)):
        with pytest.raises(BadArgument):
            detect(wrong)
    with pytest.raises(BadArgument, match="whole steps"):
        detect(values[:3].set_axis(pd.DatetimeIndex(["2026-03-01 00:00", "2026-03-01 01:00", "2026-03-01 02:30"])))
    with pytest.raises(BadArgument, match="cannot be watched"):
        detect(values[:3].set_axis(pd.date_range("2026-03-01", periods=3, freq="7h")))


def test_settings_that_make_no_sense_are_refused() -> None:
    for wrong in ({"threshold": 1.0}, {"threshold": 0.0}, {"false_alarms": 0.0}):
        with pytest.raises(BadArgument):
            detect(steady(), **wrong)  # type: ignore[arg-type]
    for ids in ([], ["A", "A"]):
        with pytest.raises(BadArgument):
            Watch(ids)
    with pytest.raises(BadArgument, match="saved watch"):
        Watch.from_bytes(b"nonsense")
    with pytest.raises(BadArgument, match="column"):
        detect_panel(pd.DataFrame({"unique_id": ["A"], "ds": STAMPS[:1]}))
    twice = pd.concat([panel({"A": steady().to_numpy()})] * 2)
    with pytest.raises(BadArgument, match="two values"):
        detect_panel(twice)
