"""The cases of snowflake-reference.md section 6 that concern billing, bad input, and properties."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.errors import BadArgument
from tools.ml.billing import billed_days, credits_per_hour, meter

T0 = datetime(2026, 3, 2, 10)  # noqa: DTZ001 - naive means UTC here
SIZES = ["XSMALL", "SMALL", "MEDIUM", "LARGE", "XLARGE", "XXLARGE"]


def row(start: float, end: float, size: str = "XSMALL", *, cluster: int = 1, **more: Any) -> dict[str, Any]:
    """A stretch; times in seconds after 10:00."""
    at = {"start": T0 + timedelta(seconds=start), "end": T0 + timedelta(seconds=end)}
    return {"warehouse": "W", "cluster": cluster, **at, "size": size, **more}


def total(*rows: dict[str, Any]) -> float:
    return float(meter(pd.DataFrame(rows))["credits"].sum())


def hours(*rows: dict[str, Any]) -> list[float]:
    out = meter(pd.DataFrame(rows))
    return out["credits"].tolist()


H = 3600


@pytest.mark.parametrize(
    ("seconds", "billed"), [(30, 60), (45, 60), (60, 60), (61, 61), (0, 60)], ids=lambda v: f"{v}s"
)
def test_cases_1_and_2_seconds_with_a_minimum_of_sixty(seconds: int, billed: int) -> None:
    assert total(row(0, seconds)) == pytest.approx(billed / H)


def test_case_3_a_restart_has_its_own_minimum() -> None:
    assert total(row(0, 61), row(70, 90)) == pytest.approx(121 / H)


def test_suspend_and_resume_inside_the_first_minute_is_charged_twice() -> None:
    assert total(row(0, 20), row(30, 40)) == pytest.approx(120 / H)


@pytest.mark.parametrize(
    ("seconds", "xsmall", "xlarge", "five"),
    [
        (50, 0.017, 0.267, 4.2667),
        (61, 0.017, 0.271, 4.3378),
        (120, 0.033, 0.533, 8.5333),
        (600, 0.167, 2.667, 42.6667),
        (3600, 1, 16, 256),
    ],
)
def test_cases_4_to_8_the_published_table(seconds: int, xsmall: float, xlarge: float, five: float) -> None:
    assert total(row(0, seconds, "X-Small")) == pytest.approx(xsmall, abs=5e-4)
    assert total(row(0, seconds, "XLARGE")) == pytest.approx(xlarge, abs=5e-4)
    assert total(row(0, seconds, "5X-Large")) == pytest.approx(five, abs=5e-4)


def test_case_9_a_resize_up_has_a_minimum_for_the_added_compute_only() -> None:
    steady = total(row(0, 1000, "SMALL"))
    assert total(row(0, 500, "SMALL"), row(500, 530, "MEDIUM"), row(530, 1000, "SMALL")) - steady == pytest.approx(
        2 * 60 / H
    )
    ends = total(row(0, 500, "SMALL"), row(500, 530, "MEDIUM"))
    assert ends == pytest.approx((2 * 530 + 2 * 60) / H)


def test_a_resize_down_brings_no_minimum_but_does_not_take_back_the_one_of_the_start() -> None:
    assert total(row(0, 300, "LARGE"), row(300, 310, "SMALL")) == pytest.approx((8 * 300 + 2 * 10) / H)
    assert total(row(0, 20, "LARGE"), row(20, 40, "SMALL")) == pytest.approx(8 * 60 / H)


def test_case_10_a_second_cluster_doubles_the_hour() -> None:
    rows = [row(0, 2 * H, "3X-Large"), row(H, 2 * H, "3X-Large", cluster=2)]
    assert hours(*rows) == pytest.approx([64, 128])


def test_cases_11_and_12_maximized() -> None:
    assert hours(*(row(0, H, "MEDIUM", cluster=c) for c in (1, 2, 3))) == pytest.approx([12])
    assert hours(*(row(0, 2 * H, "MEDIUM", cluster=c) for c in (1, 2, 3))) == pytest.approx([12, 12])


def test_case_13_auto_scale_two_hours() -> None:
    rows = [row(0, 2 * H, "MEDIUM"), row(H, 2 * H, "MEDIUM", cluster=2), row(H, 1.5 * H, "MEDIUM", cluster=3)]
    assert hours(*rows) == pytest.approx([4, 10])
    assert total(*rows) == pytest.approx(14)


def test_case_14_auto_scale_three_hours() -> None:
    rows = [row(0, 3 * H, "MEDIUM"), row(H, 2.5 * H, "MEDIUM", cluster=2), row(2 * H, 2.5 * H, "MEDIUM", cluster=3)]
    assert hours(*rows) == pytest.approx([4, 8, 8])
    assert total(*rows) == pytest.approx(20)


def test_case_15_auto_scale_with_a_resize() -> None:
    rows = [row(0, 1.5 * H, "MEDIUM"), row(1.5 * H, 3 * H, "LARGE")]
    rows += [row(H, 1.5 * H, "MEDIUM", cluster=2), row(1.5 * H, 3 * H, "LARGE", cluster=2)]
    rows += [row(2.5 * H, 2.75 * H, "LARGE", cluster=3)]
    assert hours(*rows) == pytest.approx([4, 12, 18])
    assert total(*rows) == pytest.approx(34)


@pytest.mark.parametrize(
    ("warehouse", "cloud", "adjustment", "billed"),
    [
        pytest.param(100, 8, -8, 100, id="16"),
        pytest.param(100, 20, -10, 110, id="17"),
        pytest.param(100, 9, -9, 100, id="18a"),
        pytest.param(100, 19, -10, 109, id="18b"),
        pytest.param(50, 6, -5, 51, id="19a"),
        pytest.param(48.5, 4.2, -4.2, 48.5, id="19b"),
        pytest.param(95, 9, -9, 95, id="26"),
        pytest.param(912.77, 74.92, -74.92, 912.77, id="28"),
        pytest.param(0, 3, 0, 3, id="no warehouse ran"),
        pytest.param(0, 0, 0, 0, id="an idle day"),
    ],
)
def test_cases_16_to_19_26_and_28_the_adjustment(
    warehouse: float, cloud: float, adjustment: float, billed: float
) -> None:
    out = billed_days(pd.DataFrame({"warehouse": [warehouse], "cloud_services": [cloud]}, index=["d"]))
    assert out.loc["d", "adjustment"] == pytest.approx(adjustment)
    assert out.loc["d", "billed"] == pytest.approx(billed)


def test_case_20_query_acceleration_is_capped_by_the_scale_factor() -> None:
    assert 5 * credits_per_hour("MEDIUM") == 20


def test_case_21_the_adjustment_is_by_day_not_by_month() -> None:
    out = billed_days(pd.DataFrame({"warehouse": [100, 100], "cloud_services": [15, 5]}))
    assert out["billed"].tolist() == pytest.approx([105, 100])


def test_case_22_a_run_over_the_hour_border() -> None:
    out = meter(pd.DataFrame([row(58 * 60, 63 * 60, "MEDIUM")]))
    assert out["hour"].tolist() == [pd.Timestamp(T0), pd.Timestamp(T0) + pd.Timedelta(hours=1)]
    assert out["credits"].tolist() == pytest.approx([0.13333333, 0.2])


def test_the_minimum_is_laid_out_in_time_after_the_start() -> None:
    assert hours(row(H - 10, H - 5, "LARGE")) == pytest.approx([8 * 10 / H, 8 * 50 / H])


@pytest.mark.parametrize("end", [115, 130, 145])
def test_case_23_one_run_and_its_idle_share(end: int) -> None:
    billed = total(row(0, end))
    assert 0.0319 <= round(billed, 4) <= 0.0403
    assert 1 - (10 / H) / billed >= 0.91


@pytest.mark.parametrize("each", [65, 80, 95])
def test_case_24_two_runs(each: int) -> None:
    assert total(row(0, each), row(600, 600 + each)) == pytest.approx(2 * each / H)


def test_case_25_a_quiescing_warehouse_is_billed_until_its_last_query_ends() -> None:
    assert total(row(0, 40), row(40, 100)) == pytest.approx(100 / H)


@pytest.mark.parametrize(
    ("size", "how", "rate"),
    [
        ("M", {"generation": "2"}, 5.4),
        ("MEDIUM", {"generation": 2, "cloud": "gcp"}, 5.4),
        ("Medium", {"generation": "2", "cloud": "azure"}, 5),
        ("Medium", {"resource_constraint": "STANDARD_GEN_2"}, 5.4),
        ("4X-Large", {"generation": "2"}, 172.8),
        ("6XL", {}, 512),
        ("M", {"type": "SNOWPARK-OPTIMIZED"}, 6),
        ("L", {"type": "SNOWPARK-OPTIMIZED", "resource_constraint": "MEMORY_64X_x86"}, 16),
        ("XS", {"type": "Snowpark-Optimized", "resource_constraint": "MEMORY_1X_x86"}, 1.1),
        ("XSMALL", {"type": "INTERACTIVE"}, 0.6),
    ],
)
def test_case_27_and_other_rates(size: str, how: dict[str, Any], rate: float) -> None:
    assert credits_per_hour(size, **how) == pytest.approx(rate)
    assert total(row(0, H, size, **how)) == pytest.approx(rate)


def test_case_30_idle_share() -> None:
    assert 1 - (40 / H) / total(row(0, 120)) == pytest.approx(0.67, abs=0.005)


def test_an_interactive_warehouse_has_a_minimum_of_an_hour() -> None:
    assert total(row(0, 60, type="INTERACTIVE")) == pytest.approx(0.6)


def test_times_with_a_zone_come_back_in_utc() -> None:
    runs = pd.DataFrame([row(0, H)])
    for column in ("start", "end"):
        runs[column] = runs[column].dt.tz_localize("America/Los_Angeles")
    assert meter(runs)["hour"].tolist() == [pd.Timestamp("2026-03-02T18:00Z")]


def test_no_runs_no_rows() -> None:
    empty = pd.DataFrame({"warehouse": [], "cluster": [], "start": [], "end": [], "size": []})
    for frame in (empty, pd.DataFrame([row(0, 1)]).iloc[:0]):
        out = meter(frame)
        assert list(out.columns) == ["warehouse", "hour", "credits"]
        assert len(out) == 0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"size": "HUGE"}, ("7", "HUGE")),
        ({"size": None}, ("size", "7")),
        ({"start": None}, ("start", "7")),
        ({"end": T0 - timedelta(1)}, ("end", "7", "before")),
        ({"start": "soon"}, ("start", "7")),
        ({"warehouse": None}, ("warehouse", "7")),
        ({"generation": "3"}, ("7", "generation")),
        ({"generation": "2", "size": "6XL"}, ("7", "6X-Large")),
        ({"type": "ADAPTIVE"}, ("7", "adaptive")),
        ({"type": "TOASTER"}, ("7", "type")),
        ({"cloud": "moon"}, ("7", "cloud")),
        ({"resource_constraint": "MEMORY_16X"}, ("7", "standard")),
    ],
)
def test_bad_rows_are_named(change: dict[str, Any], words: tuple[str, ...]) -> None:
    runs = pd.DataFrame([row(0, 100), row(200, 300) | change], index=[3, 7])
    with pytest.raises(BadArgument) as caught:
        meter(runs)
    assert all(word in str(caught.value) for word in words)


def test_a_missing_column_numbers_for_times_and_overlaps_are_refused() -> None:
    with pytest.raises(BadArgument, match="cluster is missing"):
        meter(pd.DataFrame([row(0, 1)]).drop(columns="cluster"))
    with pytest.raises(BadArgument, match="start: numbers"):
        meter(pd.DataFrame([row(0, 1) | {"start": 5}]))
    with pytest.raises(BadArgument, match="already running"):
        meter(pd.DataFrame([row(0, 100), row(50, 200)]))
    with pytest.raises(BadArgument, match="time zone"):
        meter(pd.DataFrame([row(0, 100) | {"end": pd.Timestamp("2026-03-02T20:00Z")}]))


@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf"), None, "many"])
def test_bad_days_are_named(value: Any) -> None:
    with pytest.raises(BadArgument, match="cloud_services"):
        billed_days(pd.DataFrame({"warehouse": [1, 1], "cloud_services": [1, value]}))


# --- properties ------------------------------------------------------------------------------------------------

stretch = st.tuples(st.integers(0, 4000), st.sampled_from(SIZES))
"""Seconds, size."""


@st.composite
def runs(draw: st.DrawFn) -> list[dict[str, Any]]:
    rows = []
    for cluster in range(1, draw(st.integers(1, 3)) + 1):
        at = draw(st.integers(0, 5000))
        for seconds, size in draw(st.lists(stretch, min_size=1, max_size=5)):
            rows.append(row(at, at + seconds, size, cluster=cluster))
            at += seconds + draw(st.sampled_from([0, 0, 1, 45, 700]))
    return rows


def seconds_times_rate(rows: list[dict[str, Any]]) -> float:
    return sum((r["end"] - r["start"]).total_seconds() / H * credits_per_hour(r["size"]) for r in rows)


@given(runs())
def test_never_below_seconds_times_rate_and_at_most_a_minute_more_for_each_stretch(rows: list[dict[str, Any]]) -> None:
    billed = total(*rows)
    assert billed >= seconds_times_rate(rows) - 1e-9
    assert billed <= seconds_times_rate(rows) + sum(credits_per_hour(r["size"]) * 60 / H for r in rows) + 1e-9


@given(runs(), st.randoms(use_true_random=False))
def test_order_of_rows_is_irrelevant(rows: list[dict[str, Any]], random: Any) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)
    one, two = meter(pd.DataFrame(rows)), meter(pd.DataFrame(shuffled))
    assert one["hour"].tolist() == two["hour"].tolist()
    assert one["credits"].tolist() == pytest.approx(two["credits"].tolist())


@given(runs(), st.data())
def test_splitting_a_stretch_at_equal_size_changes_nothing(rows: list[dict[str, Any]], data: st.DataObject) -> None:
    chosen = data.draw(st.integers(0, len(rows) - 1))
    old = rows[chosen]
    cut = old["start"] + (old["end"] - old["start"]) * data.draw(st.floats(0, 1))
    pieces = [*rows[:chosen], old | {"end": cut}, old | {"start": cut}, *rows[chosen + 1 :]]
    assert hours(*pieces) == pytest.approx(hours(*rows))


@given(st.integers(0, 8000), st.integers(0, 8000), st.sampled_from(SIZES))
def test_longer_or_larger_never_costs_less(one: int, two: int, size: str) -> None:
    short, long = sorted((one, two))
    assert total(row(7, 7 + short, size)) <= total(row(7, 7 + long, size)) + 1e-12
    larger = SIZES[min(SIZES.index(size) + 1, len(SIZES) - 1)]
    assert total(row(7, 7 + one, size)) <= total(row(7, 7 + one, larger)) + 1e-12


@given(runs())
def test_hours_are_whole_unique_and_each_below_what_its_clusters_can_cost(rows: list[dict[str, Any]]) -> None:
    out = meter(pd.DataFrame(rows))
    assert out["hour"].is_unique
    assert (out["hour"].dt.floor("h") == out["hour"]).all()
    assert (out["credits"] > 0).all()


@given(runs(), runs())
def test_warehouses_are_metered_apart(one: list[dict[str, Any]], two: list[dict[str, Any]]) -> None:
    both = meter(pd.DataFrame([*one, *({**r, "warehouse": "V"} for r in two)]))
    assert both.loc[both["warehouse"] == "W", "credits"].tolist() == pytest.approx(hours(*one))
    assert both.loc[both["warehouse"] == "V", "credits"].tolist() == pytest.approx(hours(*two))


@given(st.floats(0, 1e6), st.floats(0, 1e6))
def test_the_adjustment_stays_within_both_of_its_bounds(warehouse: float, cloud: float) -> None:
    out = billed_days(pd.DataFrame({"warehouse": [warehouse], "cloud_services": [cloud]})).iloc[0]
    assert -min(cloud, 0.1 * warehouse) - 1e-9 <= out["adjustment"] <= 0
    assert out["billed"] == pytest.approx(warehouse + cloud + out["adjustment"])
    assert out["billed"] >= warehouse - 1e-6
