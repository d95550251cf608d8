"""`candidates` and `detect_anomalies` on an account with one planted incident."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Any

import pytest

from tests.doubles.account import NOW, FrameReader
from tests.doubles.outlook import EXTRA, INCIDENT, INCIDENT_HOURS, context, rhythmic
from tools.anomalies import WATCHES, Candidate, Sweep, Watch, candidates, evidence
from tools.anomalies.grouping import grouped
from tools.anomalies.model import AnomaliesArgs, AnomaliesData
from tools.anomalies.tool import detect_anomalies
from tools.errors import BadArgument, NoPermission, NotAllowed, UnknownName
from tools.preferences import Preferences
from tools.result import ToolResult

WEEK = NOW - timedelta(days=7)


@pytest.fixture(scope="module")
def troubled() -> FrameReader:
    return rhythmic(incident=True)


@pytest.fixture(scope="module")
def sweep(troubled: FrameReader) -> Sweep:
    return candidates(troubled, since=WEEK)


def asked(
    reader: FrameReader, role: str = "analyst", preferences: Any = None, **args: Any
) -> ToolResult[AnomaliesData]:
    where = context(reader, role, **(preferences or {}))
    return detect_anomalies(where, AnomaliesArgs.model_validate(args))


def of_incident(sweep: Sweep) -> Candidate:
    hits = [c for c in sweep.candidates if c.warehouse == "ETL_WH" and c.start <= INCIDENT < c.end]
    assert hits, sweep.candidates
    return hits[0]


def test_the_incident_is_found_with_what_it_cost(sweep: Sweep) -> None:
    found = of_incident(sweep)
    assert sweep.candidates[0] is found  # the costliest first
    assert found.metric == "credits" and found.is_more
    assert found.credits == pytest.approx(EXTRA * INCIDENT_HOURS, rel=0.25)
    assert found.usd == pytest.approx((found.credits or 0) * 3.0)
    assert abs(found.start - INCIDENT) <= timedelta(hours=1)
    assert found.detected_at <= INCIDENT + timedelta(hours=3)


def test_findings_of_one_cause_are_one_finding(sweep: Sweep) -> None:
    found = of_incident(sweep)
    together = {(c.metric, c.entity) for c in found.related}
    assert ("queries", "ETL_WH") in together
    same_time = [c for c in sweep.candidates if c.start < found.end and c.end > found.start and c is not found]
    assert [c.warehouse for c in same_time if c.warehouse == "ETL_WH"] == []


def test_evidence_is_facts_and_leaves_people_out_unless_allowed(sweep: Sweep) -> None:
    found = of_incident(sweep)
    facts = evidence(found, NOW, "UTC")
    labels = {fact.label for fact in facts}
    assert {"credits used", "credits used, expected", "cost beyond the expected"} <= labels
    assert all(fact.source for fact in facts)
    actual = next(f for f in facts if f.label == "credits used")
    expected = next(f for f in facts if f.label == "credits used, expected")
    excess = next(f for f in facts if f.label == "credits used, beyond the expected")
    assert excess.value == pytest.approx(float(actual.value) - float(expected.value))  # type: ignore[arg-type]
    assert not any(fact.entity == "ALICE" for fact in facts)


def test_what_was_announced_is_no_anomaly(troubled: FrameReader) -> None:
    plan = {"start": INCIDENT - timedelta(hours=1), "end": INCIDENT + timedelta(hours=8), "warehouse": "ETL_WH"}
    found = candidates(troubled, since=WEEK, watches=WATCHES[:1], preferences=Preferences(planned=(plan,)))
    assert not [c for c in found.candidates if c.warehouse == "ETL_WH" and c.start <= INCIDENT < c.end]
    other = {**plan, "warehouse": "BI_WH"}
    kept = candidates(troubled, since=WEEK, watches=WATCHES[:1], preferences=Preferences(planned=(other,)))
    assert [c for c in kept.candidates if c.warehouse == "ETL_WH" and c.start <= INCIDENT < c.end]


def test_only_what_goes_on_in_the_window_belongs_to_it(troubled: FrameReader) -> None:
    before = candidates(
        troubled, since=INCIDENT - timedelta(days=1), until=INCIDENT - timedelta(hours=1), watches=WATCHES[:1]
    )
    assert not [c for c in before.candidates if c.start <= INCIDENT < c.end]


def test_a_view_that_may_not_be_read_is_named_and_the_others_are_looked_at() -> None:
    reader = rhythmic(incident=True)
    reader.forbidden = frozenset({"queries"})
    found = candidates(reader, since=WEEK)
    assert of_incident(found).metric == "credits"
    assert any("queries" in title for title in found.refused)
    reader.forbidden = frozenset({"queries", "metering", "services"})
    with pytest.raises(NoPermission):
        candidates(reader, since=WEEK)


def test_grouping_keeps_every_finding_once(sweep: Sweep) -> None:
    alone = [c.also(()) for group in sweep.candidates for c in (group, *group.related)]
    again = grouped(alone)
    assert sorted(id(c.series) for g in again for c in (g, *g.related)) == sorted(id(c.series) for c in alone)


# --- the tool ---------------------------------------------------------------------------------------------------------


def test_the_answer_has_the_finding_its_figures_and_a_marked_chart(troubled: FrameReader) -> None:
    result = asked(troubled, window="past 168 hours", filters={"warehouse": ["etl_wh"]})
    assert result.status == "ok" and result.data is not None
    row = result.data.rows[0]
    assert row.warehouse == "ETL_WH" and row.start <= INCIDENT < row.end
    ids = {fact.id for fact in result.facts}
    assert set(row.figures.values()) | set(result.data.figures.values()) <= ids
    assert {"actual", "expected", "low", "high", "credits", "usd", "start", "duration"} <= set(row.figures)
    chart = result.data.chart
    assert chart is not None and len(chart.marks) == 1
    assert chart.marks[0].start <= INCIDENT < chart.marks[0].end
    assert "ETL_WH" in chart.title and "expected" in chart.alt
    assert any("Looked at" in note for note in result.data.notes)


def test_one_figure_is_judged_with_the_others_as_evidence(troubled: FrameReader) -> None:
    one, whole = asked(troubled, metrics=["queries"]), asked(troubled)
    assert one.data is not None and whole.data is not None
    assert [row.metric for row in one.data.rows] == ["queries"]
    assert "credits" in {r.metric for r in one.data.rows[0].related}
    assert {looked.title for looked in one.data.looked_at} == {"queries"}
    assert "as evidence: credits used" in one.data.notes[0]
    credits = asked(troubled, metrics=["credits"])
    assert credits.data is not None
    told = [(row.warehouse, row.start) for row in whole.data.rows if row.metric == "credits"]
    assert [(row.warehouse, row.start) for row in credits.data.rows] == told


def test_evidence_that_may_not_be_read_is_no_matter(troubled: FrameReader) -> None:
    reader = rhythmic(incident=True)
    reader.forbidden = frozenset({"queries"})
    result = asked(reader, metrics=["credits"])
    assert result.data is not None and result.data.rows[0].warehouse == "ETL_WH"
    assert not any("Not looked at" in note for note in result.data.notes)


def test_a_calm_account_gets_a_calm_answer() -> None:
    result = asked(rhythmic(), window="yesterday", metrics=["credits"])
    assert result.status == "ok" and result.data is not None
    assert result.data.rows == () and result.data.found == 0
    assert result.data.chart is None
    assert sum(looked.series for looked in result.data.looked_at) > 0


def test_what_is_not_loaded_is_not_called_calm(troubled: FrameReader) -> None:
    result = asked(troubled, window="past 1 hours", metrics=["credits"])
    assert result.status == "not_loaded"
    assert "does not mean" in result.message


def test_single_users_are_for_analysts(troubled: FrameReader) -> None:
    with pytest.raises(NotAllowed):
        asked(troubled, "viewer", by="user")
    result = asked(troubled, "viewer")
    assert result.data is not None
    assert not any(looked.by == "user" for looked in result.data.looked_at)
    assert not any(fact.entity in ("ALICE", "BOB") for fact in result.facts)
    assert any("single users" in note for note in result.data.notes)


@pytest.mark.parametrize(
    ("args", "error"),
    [
        ({"window": "next week"}, BadArgument),
        ({"filters": {"warehouse": ["NIGHTLY"]}}, UnknownName),
        ({"metrics": ["credits_billed"], "by": "warehouse"}, BadArgument),
    ],
)
def test_what_cannot_be_answered_is_said(troubled: FrameReader, args: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        asked(troubled, **args)


def test_every_watch_can_be_fetched(sweep: Sweep) -> None:
    assert {w.watch for w in sweep.watched} == set(WATCHES)
    assert all(w.histories.end <= NOW for w in sweep.watched)
    assert sweep.series_weeks > 0
    assert Watch("credits", "warehouse").in_credits


def test_a_level_is_not_added_up(sweep: Sweep) -> None:
    found = of_incident(sweep)
    level = dataclasses.replace(found, watch=Watch("storage_bytes", "database", step="day"), related=())
    actual = next(fact for fact in evidence(level, NOW, "UTC") if fact.label == "bytes stored")
    assert actual.value == pytest.approx(found.anomaly.actual)
