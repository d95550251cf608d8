"""Generated streams with labels, and the Numenta score of alarms."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from evals.streams import KINDS, streams
from evals.streams.scoring import Verdict, standard, verdict


def test_streams_follow_from_their_seed_and_windows_lie_apart_in_them() -> None:
    once, again, other = streams(3, 1), streams(3, 1), streams(4, 1)
    assert [one.kind for one in once] == list(KINDS)
    for one, same in zip(once, again, strict=True):
        pd.testing.assert_series_equal(one.values, same.values)
        assert np.isfinite(one.values).all()
        assert one.values.index.is_monotonic_increasing
        ends = [row for window in one.windows for row in window]
        assert ends == sorted(ends)
        assert all(0 <= row < one.values.size for row in ends)
        assert bool(one.windows) == (one.kind != "nothing")
    assert not any(one.values.equals(two.values) for one, two in zip(once, other, strict=True) if one.kind != "nothing")


@pytest.mark.parametrize(
    ("alarms", "expected", "found", "false"),
    [
        ([], 0.0, 0, 0),
        ([500], 100.0, 1, 0),  # the first row of the window
        ([500, 540, 599], 100.0, 1, 0),  # only the first alarm counts
        ([10, 100], 0.0, 0, 0),  # the first 150 values do not
        ([200], -5.5, 0, 1),
        ([950], -5.5, 0, 1),
        ([500, 200], 94.5, 1, 1),
    ],
)
def test_alarms_are_scored_as_numenta_does(alarms: list[int], expected: float, found: int, false: int) -> None:
    one = verdict(sorted(alarms), 1000, [(500, 599)])
    assert standard([one]) == pytest.approx(expected)
    assert (one.windows, one.found, one.false) == (1, found, false)


def test_a_late_alarm_earns_less_and_one_just_behind_the_window_costs_less() -> None:
    def earned(at: int) -> float:
        return verdict([at], 1000, [(500, 599)]).earned

    assert earned(500) > earned(550) > earned(590) > 0 > earned(605) > earned(650)


def test_streams_without_windows_have_no_score_but_false_alarms() -> None:
    nothing = verdict([300, 400], 1000, [])
    assert nothing == Verdict(earned=-0.22, windows=0, found=0, false=2)
    assert standard([nothing]) is None
