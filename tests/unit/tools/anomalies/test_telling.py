"""What is worth telling: silence of what never rests, sums that matter, nothing that one figure alone hints at."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tools.anomalies import Candidate, Watch
from tools.anomalies.detecting import fell_silent
from tools.anomalies.grouping import grouped
from tools.anomalies.series import WATCHES, watches_for
from tools.ml.anomaly import Anomaly

START = datetime(2026, 10, 5, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)


def candidate(
    metric: str = "credits", hours: int = 4, *, confidence: float = 0.55, begins: int = 0, **changes: Any
) -> Candidate:
    watch = changes.pop("watch", Watch(metric, "warehouse", way="more"))  # type: ignore[arg-type]
    start = START + begins * HOUR
    end = start + hours * HOUR
    first, last = (pd.Timestamp(moment.replace(tzinfo=None)) for moment in (start, end))
    anomaly = Anomaly(first, last, "spike", 1.0, (0.0, 2.0), 9.0, 8.0 * hours, confidence, first, False)
    series = pd.Series(9.0, index=pd.date_range(first, last, freq="h", inclusive="left"))
    made = {"credits": 8.0 * hours, "usd": 24.0, "detected_at": start + HOUR, "view": "V"} | changes
    return Candidate(watch, "spike", made.pop("entity", "ETL_WH"), anomaly, series, start, end, **made)


def user(**changes: Any) -> Candidate:
    watch = Watch("execution_seconds", "user", way="more", supporting=True)
    return candidate(watch=watch, entity="ALICE", credits=None, usd=None, **changes)


def silence(values: np.ndarray[Any, Any], dead: int) -> tuple[pd.Series, Anomaly]:
    stamps = pd.date_range("2026-09-01", periods=len(values), freq="h")
    series = pd.Series(values, index=stamps)
    series.iloc[-dead:] = 0.0
    begun, over = stamps[-dead], stamps[-1] + pd.Timedelta(hours=1)
    return series, Anomaly(begun, over, "silence", 20.0, (10.0, 30.0), 0.0, 20.0 * dead, 0.6, over, True)


def test_a_feed_that_never_rests_fell_silent() -> None:
    assert fell_silent(*silence(np.full(24 * 20, 20.0), dead=3))
    assert not fell_silent(*silence(np.full(24 * 20, 20.0), dead=1)), "one hour may be a pause"


def test_people_who_go_home_did_not() -> None:
    by_day = np.tile(np.where((np.arange(24) >= 8) & (np.arange(24) < 18), 20.0, 0.0), 20)
    assert not fell_silent(*silence(by_day, dead=12))


def test_one_figure_alone_must_be_surer_than_two_together() -> None:
    assert grouped([candidate()]) == ()
    assert len(grouped([candidate(confidence=0.7)])) == 1
    (both,) = grouped([candidate(), candidate("queries", credits=None, usd=None)])
    assert both.metric == "credits" and [c.metric for c in both.related] == ["queries"]


def test_it_is_told_when_what_was_seen_is_sure() -> None:
    second = candidate("failures", credits=None, usd=None, detected_at=START + 3 * HOUR)
    (found,) = grouped([candidate(detected_at=START + HOUR), second])
    assert found.detected_at == START + 3 * HOUR
    (sure,) = grouped([candidate(confidence=0.9, detected_at=START + HOUR), second])
    assert sure.detected_at == START + HOUR


def test_evidence_is_no_finding_by_itself_and_joins_what_shares_its_time() -> None:
    assert grouped([user(confidence=0.99)]) == ()
    (found,) = grouped([candidate(), user()])
    assert [c.entity for c in found.related] == ["ALICE"]
    (apart,) = grouped([candidate(hours=40, confidence=0.9), user(hours=2)])
    assert apart.related == (), "two hours of a user are not what a warehouse does for two days"


def test_a_small_lasting_step_is_business_and_a_large_one_is_not() -> None:
    step = candidate(hours=48, confidence=0.9, credits=6.0)
    assert grouped([step], credits_per_day=1000.0) == ()
    assert len(grouped([step], credits_per_day=10.0)) == 1
    hurts = candidate("failures", hours=48, confidence=0.9, credits=None, usd=None)
    assert len(grouped([step, hurts], credits_per_day=1000.0)) == 1


def test_services_stay_apart_from_warehouses() -> None:
    service = candidate(watch=Watch("credits", "service_type", way="more"), entity="AUTO_CLUSTERING", confidence=0.9)
    assert len(grouped([candidate(confidence=0.9), service])) == 2


@pytest.mark.parametrize("metric", ["bytes_spilled"])
def test_what_is_asked_for_by_name_is_more_than_evidence(metric: Any) -> None:
    assert any(w.metric == metric and w.supporting for w in WATCHES)
    assert not any(w.supporting for w in watches_for([metric], None, {}))
