"""Scores of the demo account's forecasts: whose sum, which median, which bias."""

from __future__ import annotations

import pandas as pd
import pytest

from evals.bench_demo import scored


def rows(origin: str, name: str, actual: list[float], said: list[float], half: float = 1.0) -> pd.DataFrame:
    stamps = pd.date_range(origin, periods=len(actual), freq="D")
    frame = pd.DataFrame({"seed": 1, "origin": origin, "unique_id": name, "ds": stamps, "y": actual, "mean": said})
    edges = {f"{side}-{k}": frame["mean"] + sign * half for k in (80, 95) for side, sign in (("lo", -1), ("hi", 1))}
    return frame.assign(**edges)


def test_errors_of_warehouses_that_cancel_are_none_of_the_account() -> None:
    both = pd.concat([rows("2026-10-01", "A", [10, 10], [12, 8]), rows("2026-10-01", "B", [10, 10], [8, 12])])
    account, median, bias, largest, inside, _ = scored(both)
    assert (account, bias, largest, inside) == (0, 0, 0, 0)
    assert median == pytest.approx(20)


def test_bias_that_cancels_between_origins_is_still_the_largest_of_one() -> None:
    both = pd.concat([rows("2026-10-01", "A", [10, 10], [11, 11]), rows("2026-11-01", "A", [10, 10], [9, 8])])
    _, _, bias, largest, inside, _ = scored(both)
    assert bias == pytest.approx(-2.5)
    assert largest == pytest.approx(-15)
    assert inside == pytest.approx(75)


def test_a_series_without_use_has_no_error_in_percent() -> None:
    both = pd.concat([rows("2026-10-01", "A", [10], [9]), rows("2026-10-01", "IDLE", [0], [1])])
    account, median, *_ = scored(both)
    assert account == pytest.approx(0)
    assert median == pytest.approx(10)
