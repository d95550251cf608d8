"""The measures against worked figures."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tools.ml.metrics import coverage, mase, msis, owa, pinball, seasonal_scale, smape, wape

HISTORY = np.array([1.0, 2.0, 3.0, 5.0])


def test_wape_is_a_share_of_the_actuals() -> None:
    assert wape(np.array([10.0, 30.0]), np.array([12.0, 26.0])) == pytest.approx(0.15)
    assert math.isnan(wape(np.zeros(2), np.ones(2)))


def test_mase_counts_in_seasonal_steps() -> None:
    assert seasonal_scale(HISTORY, 2) == pytest.approx(2.5)
    assert mase(np.array([4.0, 8.0]), np.array([5.0, 4.0]), HISTORY, 2) == pytest.approx(1.0)
    assert math.isnan(seasonal_scale(np.ones(9), 2))
    assert math.isnan(seasonal_scale(HISTORY, 4))
    assert seasonal_scale(np.array([1.0, math.nan, 3.0, 5.0]), 1) == pytest.approx(2.0)


def test_smape_takes_a_pair_of_zeros_as_right() -> None:
    assert smape(np.array([0.0, 1.0]), np.array([0.0, 3.0])) == pytest.approx(50.0)


def test_owa_of_the_reference_is_one() -> None:
    assert owa(12.0, 2.0, 12.0, 2.0) == 1
    assert owa(6.0, 2.0, 12.0, 2.0) == pytest.approx(0.75)


def test_msis_adds_a_penalty_for_what_lies_outside() -> None:
    low, high = np.array([0.0, 0.0]), np.array([2.0, 2.0])
    assert msis(np.array([1.0, 1.0]), low, high, HISTORY, 1) == pytest.approx(2 / (4 / 3))
    assert msis(np.array([1.0, 2.5]), low, high, HISTORY, 1) == pytest.approx((2 + 0.5 * 40 * 0.5) / (4 / 3))


def test_coverage_is_in_percent() -> None:
    assert coverage(np.array([0.0, 1.0, 2.0, 9.0]), np.zeros(4), np.full(4, 2.0)) == 75


def test_pinball_leans_to_its_quantile() -> None:
    assert pinball(np.array([10.0]), np.array([8.0]), 0.9) == pytest.approx(1.8)
    assert pinball(np.array([8.0]), np.array([10.0]), 0.9) == pytest.approx(0.2)
