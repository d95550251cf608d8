"""When a finding is about a planted incident, and what recall, precision and delay make of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pytest

from evals.incident_matching import AFTER, BEFORE, Score, is_about, judge
from tools.anomalies import Candidate, Watch
from tools.demo.labels import Label
from tools.ml.anomaly import Anomaly

START = datetime(2026, 10, 5, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)


def finding(
    start: datetime = START, hours: int = 4, entity: str = "ETL_WH", *, more: bool = True, **changes: Any
) -> Candidate:
    watch = changes.pop("watch", Watch("credits", "warehouse"))
    end = start + hours * HOUR
    first, last = (pd.Timestamp(moment.replace(tzinfo=None)) for moment in (start, end))
    actual = 9.0 if more else 0.0
    anomaly = Anomaly(first, last, "spike", 1.0, (0.0, 2.0), actual, 8.0 * hours, 0.9, first, False)
    series = pd.Series(actual, index=pd.date_range(first, last, freq="h", inclusive="left"))
    made = {"view": "V", "credits": 8.0, "usd": 24.0, "detected_at": start + 2 * HOUR} | changes
    return Candidate(watch, "spike", entity, anomaly, series, start, end, **made)


def label(kind: str = "backfill", warehouse: str | None = "ETL_WH", hours: int = 4, **changes: Any) -> Label:
    made: dict[str, Any] = {"object": None, "expected_flag": True} | changes
    return Label(kind, warehouse, made.pop("object"), START, START + hours * HOUR, made.pop("expected_flag"), **made)


def judged(findings: list[Candidate], labels: list[Label]) -> Score:
    return judge(findings, labels, since=START - timedelta(days=1), until=START + timedelta(days=10), series_weeks=10.0)


def test_the_place_the_way_and_the_time_must_fit() -> None:
    assert is_about(finding(), label())
    assert not is_about(finding(entity="BI_WH"), label())
    assert not is_about(finding(more=False), label())
    assert is_about(finding(more=False), label("silence"))
    assert not is_about(finding(START + 4 * HOUR + AFTER), label())
    assert not is_about(finding(START - 4 * HOUR - BEFORE), label())
    assert is_about(finding(START - 10 * HOUR), label("failing_queries", precursors=True))


def test_what_stands_beside_the_warehouses_is_known_by_its_figure() -> None:
    logins = finding(entity="total", watch=Watch("failed_logins", "total"))
    storm = finding(entity="AUTO_CLUSTERING", watch=Watch("credits", "service_type"))
    copy = finding(entity="RAW", watch=Watch("storage_bytes", "database", "day"))
    labels = [
        label("login_failures", None, object="185.0.0.1"),
        label("clustering_storm", None, object="EVENTS.STREAM.T"),
        label("storage_growth", None, object="RAW.BACKUP.T"),
    ]
    fits = [[is_about(one, each) for each in labels] for one in (logins, storm, copy)]
    assert fits == [[True, False, False], [False, True, False], [False, False, True]]


def test_recall_precision_and_delay() -> None:
    score = judged([finding(), finding(entity="BI_WH")], [label(), label("spill", "LOAD_WH")])
    assert (score.recall, score.precision) == (0.5, 0.5)
    assert score.median_delay == pytest.approx(2.0)
    assert [one.entity for one in score.false] == ["BI_WH"]
    assert [one.kind for one in score.missed] == ["spill"]


def test_a_member_of_the_group_counts_too() -> None:
    group = finding(entity="SOMEBODY", watch=Watch("queries", "user")).also([finding()])
    assert judged([group], [label()]).recall == 1


def test_what_was_told_before_it_began_does_not_find_it() -> None:
    long = finding(START - 40 * HOUR, 60)
    score = judged([long], [label()])
    assert score.recall == 0
    assert not score.false, "it goes on meanwhile, so it is no false alarm either"


def test_planned_work_that_is_flagged_is_said() -> None:
    planned = label("month_end", expected_flag=False)
    assert [one.kind for one in judged([finding()], [planned]).flagged] == ["month_end"]
    assert not judged([finding()], [planned, label()]).flagged, "it was about the incident"


def test_the_first_weeks_are_counted_apart_and_scores_add_up() -> None:
    early = judge([], [label()], since=START + HOUR, until=START + timedelta(days=9), series_weeks=3.0)
    assert (early.recall, early.recall_with_early, early.early) == (1.0, 0.0, 1)
    both = early + judged([finding()], [label()])
    assert (both.recall, both.recall_with_early, both.findings) == (1.0, 0.5, 1)
    assert both.series_weeks == 13.0
