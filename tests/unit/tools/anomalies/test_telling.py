"""What is worth telling: silence of what never rests, sums that matter, nothing that one figure alone hints at."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tools.anomalies import Candidate, Watch
from tools.anomalies.detecting import fell_silent, judge
from tools.anomalies.grouping import grouped
from tools.anomalies.series import WATCHES, Watched, watches_for
from tools.anomalies.words import words_of
from tools.coverage import coverage_of
from tools.history.fetch import Histories
from tools.ml.anomaly import Anomaly
from tools.ml.calendar import Calendar
from tools.preferences import PlannedWork, Preferences

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


def test_what_is_stored_jumps_and_what_is_used_spikes() -> None:
    stored = Watch("storage_bytes", "database", "day", way="more", judged="growth")
    assert words_of(candidate(watch=stored, credits=None, usd=None)) == "bytes stored, a jump"
    assert words_of(candidate()) == "credits used, a spike"


def test_services_stay_apart_from_warehouses() -> None:
    service = candidate(watch=Watch("credits", "service_type", way="more"), entity="AUTO_CLUSTERING", confidence=0.9)
    assert len(grouped([candidate(confidence=0.9), service])) == 2


def test_what_creeps_for_weeks_is_another_finding_than_what_jumped_meanwhile() -> None:
    creeping = candidate(
        watch=Watch("pace", "warehouse", "day", threshold=0.5, judged="creep"), hours=300, credits=None
    )
    spike = candidate(confidence=0.9, begins=100)
    assert [c.related for c in grouped([creeping, spike])] == [(), ()]
    dear = candidate(hours=280, confidence=0.9, begins=10)
    (together,) = grouped([creeping, dear])
    assert together.metric == "credits" and [c.metric for c in together.related] == ["pace"]


def watched(metric: Any, values: np.ndarray[Any, Any]) -> Watched:
    watch = next(w for w in WATCHES if w.metric == metric)
    stamps = pd.date_range("2026-08-20", periods=len(values), freq="D" if watch.step == "day" else "h")
    frame = pd.DataFrame({"unique_id": "ETL_WH", "ds": stamps, "y": values})
    first, end = (stamp.to_pydatetime().replace(tzinfo=UTC) for stamp in (stamps[0], stamps[-1]))
    covered = coverage_of("QUERY_HISTORY", now=end, latency=timedelta(0), first=first, newest_end=end)
    return Watched(watch, Histories(frame, watch.step, "UTC", first, end, covered, "QUERY_HISTORY", ""))


def slower() -> np.ndarray[Any, Any]:
    pace = 100 * np.exp(np.random.default_rng(1).normal(0, 0.05, 60))
    pace[45:] *= np.exp(0.03 * np.arange(15))
    return pace


def one_long() -> np.ndarray[Any, Any]:
    longest = np.random.default_rng(2).uniform(10, 1_500, 24 * 60)
    longest[1_200] = 6 * 3_600
    return longest


@pytest.mark.parametrize(
    ("metric", "made", "kind"), [("pace", slower, "drift"), ("longest_statement", one_long, "spike")]
)
def test_pace_and_longest_statements_are_judged_by_themselves(metric: Any, made: Any, kind: str) -> None:
    (found,) = judge([watched(metric, made())], 3.0, Calendar("UTC"), Preferences())
    assert (found.metric, found.kind, found.warehouse) == (metric, kind, "ETL_WH")
    assert found.is_more and found.credits is None and found.detected_at > found.start
    assert len(grouped([found])) == 1, "sure by itself"
    planned = PlannedWork(start=found.start - HOUR, end=found.end + HOUR, warehouse="ETL_WH")
    assert judge([watched(metric, made())], 3.0, Calendar("UTC"), Preferences(planned=(planned,))) == []
    elsewhere = planned.model_copy(update={"warehouse": "BI_WH"})
    assert len(judge([watched(metric, made())], 3.0, Calendar("UTC"), Preferences(planned=(elsewhere,)))) == 1


def test_a_day_without_statements_of_its_own_says_nothing() -> None:
    """It repeats the day before, and would look like two weeks of the same."""
    pace = 100 * np.exp(np.random.default_rng(3).normal(0, 0.05, 60))
    pace[46:] = pace[45] = 130.0
    assert judge([watched("pace", pace)], 3.0, Calendar("UTC"), Preferences()) == []


@pytest.mark.parametrize("metric", ["bytes_spilled"])
def test_what_is_asked_for_by_name_is_more_than_evidence(metric: Any) -> None:
    assert any(w.metric == metric and w.supporting for w in WATCHES)
    assert not any(w.supporting for w in watches_for([metric], None, {}))
