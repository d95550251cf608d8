"""One scan over a small account: both tiers, what may not be read, what it writes, and what it never does."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from agent.replies.finding_words import when
from agent.scan.billing import kind_of
from agent.store import Store
from tests.doubles.account import NOW
from tests.unit.agent.scan.looking import (
    HOUR,
    LiveReader,
    Scanner,
    raise_credits,
    reader,
    running,
    size_days,
)
from tools.anomalies import Candidate, Watch
from tools.domain import Size
from tools.errors import NoPermission, Unreachable
from tools.ml.anomaly import Anomaly, Kind

END = NOW.replace(minute=0) - 3 * HOUR
"""Where metering is complete."""


@pytest.fixture
def scanner(store: Store) -> Scanner:
    made = reader()
    noise = np.random.default_rng(5)
    frame = made.frames["metering"]
    factor = 1 + 0.04 * noise.standard_normal(len(frame))
    for column in ("credits_used", "credits_compute", "credits_attributed"):
        frame[column] = frame[column].astype(float) * factor
    return Scanner(store, made)


def _warehouses(records: Any, *kinds: str) -> set[str | None]:
    return {r.finding.warehouse for r in records if not kinds or r.finding.kind in kinds}


def test_credits_that_jump_are_one_finding_from_start_to_end(scanner: Scanner) -> None:
    """Found while it goes on, the same finding an hour later, resolved when it is over; nothing twice."""
    start = END - 6 * HOUR
    raise_credits(scanner.reader, "ETL_WH", start, END, 12)
    report = scanner.scan()
    (record,) = [r for r in report.findings if r.finding.warehouse == "ETL_WH"]
    finding = record.finding
    assert finding.state == "new"
    assert abs(finding.started_at - start) <= 2 * HOUR
    assert finding.ended_at is None
    assert finding.started_at <= finding.detected_at <= finding.visible_at <= NOW
    assert finding.severity in ("warning", "critical")
    assert finding.impact_credits_per_day == pytest.approx(6 * 2 * 11, rel=0.35)
    assert finding.evidence
    assert finding.practice == "spend-after-a-change"
    assert record.chart is not None
    assert record.chart.marks
    assert all(m.start < m.end for m in record.chart.marks)

    again = scanner.scan(NOW + HOUR)  # the frames end: the hours after are quiet by having no rows
    mine = [r for r in again.findings if r.finding.warehouse == "ETL_WH" and r.cause == record.cause]
    assert [r.id for r in mine] == [record.id]
    assert mine[0].finding.fingerprint == finding.fingerprint
    assert scanner.store.findings.events(record.id)[0].event == "found"
    assert len([r for r in scanner.store.findings.list() if r.cause == record.cause]) == 1


def test_the_same_look_again_tells_nothing_new(scanner: Scanner) -> None:
    raise_credits(scanner.reader, "ETL_WH", END - 6 * HOUR, END, 12)
    first, second = scanner.scan(), scanner.scan()
    assert [c.event for c in second.changes if c.event] == []
    assert {r.id for r in second.findings} == {r.id for r in first.findings if not r.is_over}
    assert {r.finding.state for r in second.findings} <= {"open"}


def test_the_json_is_the_contract(scanner: Scanner) -> None:
    raise_credits(scanner.reader, "ETL_WH", END - 6 * HOUR, END, 12)
    shown = scanner.scan().as_json()
    assert shown["as_of"] == NOW.isoformat()
    (finding,) = [f for f in shown["findings"] if f["warehouse"] == "ETL_WH"]
    assert set(finding) == {
        *("id", "fingerprint", "kind", "severity", "impact_credits_per_day", "warehouse", "object", "started_at"),
        *("ended_at", "detected_at", "visible_at", "state", "expected", "actual", "unit", "evidence", "practice"),
        "draft",
    }
    assert set(finding["evidence"][0]) >= {"id", "label", "value", "unit", "source", "as_of", "window", "entity"}


def test_statements_that_run_for_long_and_queues_that_stand(scanner: Scanner) -> None:
    scanner.reader.live = (
        running("q-long", "ETL_WH", 1.5),
        running("q-runaway", "BI_WH", 6),
        running("q-short", "ETL_WH", 0.5),
        running("q-waits", "BI_DEV_WH", 0.5, "QUEUED"),
        running("q-waits-too", "BI_DEV_WH", 0.2, "QUEUED"),
        running("q-just-came", "ETL_WH", 0.01, "QUEUED"),
    )
    found = scanner.found("long_running_query", "runaway_query", "queueing")
    assert {(r.finding.kind, r.finding.object or r.finding.warehouse) for r in found} == {
        ("long_running_query", "q-long"),
        ("runaway_query", "q-runaway"),
        ("queueing", "BI_DEV_WH"),
    }
    by_kind = {r.finding.kind: r.finding for r in found}
    assert by_kind["runaway_query"].severity == "critical"
    assert by_kind["queueing"].actual == 2
    assert by_kind["long_running_query"].draft is not None
    assert not any(fact.label == "user" for r in found for fact in r.finding.evidence), "whose it is, is for analysts"

    scanner.reader.live = (running("q-long", "ETL_WH", 4.5),)
    (grown,) = scanner.found("long_running_query", "runaway_query", "queueing")
    assert (grown.finding.kind, grown.id) == (
        "runaway_query",
        next(r.id for r in found if r.finding.object == "q-long"),
    )


def test_a_warehouse_that_is_up_without_work(scanner: Scanner) -> None:
    """BI_DEV_WH has no statement all day; ETL_WH and BI_WH have some each hour."""
    for name in ("BI_DEV_WH", "ETL_WH"):
        scanner.reader.show(name, state="STARTED", started_clusters=1, resumed_on=NOW - timedelta(days=3))
    (found,) = scanner.found("left_running")
    assert found.finding.warehouse == "BI_DEV_WH"
    assert found.finding.impact_credits_per_day == 24.0
    assert found.finding.draft is not None
    assert found.finding.draft.ask == "suspend BI_DEV_WH"
    scanner.reader.show("BI_DEV_WH", state="SUSPENDED")
    assert scanner.found("left_running") == []
    assert scanner.store.findings.get(found.id).finding.state == "resolved"


def test_one_that_was_resumed_just_now_or_has_work_is_not_idle(scanner: Scanner) -> None:
    scanner.reader.show("BI_DEV_WH", state="STARTED", started_clusters=1, resumed_on=NOW - HOUR)
    scanner.reader.show("data science", state="STARTED", started_clusters=1, running=1)
    assert scanner.found("left_running") == []


def test_one_that_never_suspends_and_pays_for_it(scanner: Scanner) -> None:
    scanner.reader.show("BI_WH", auto_suspend=None)
    (found,) = scanner.found("advice_never_suspends")
    assert found.finding.warehouse == "BI_WH"
    assert found.finding.impact_credits_per_day == pytest.approx(0.6 * 24, rel=0.05)


def test_never_suspending_dates_from_as_far_back_as_it_shows(scanner: Scanner) -> None:
    first = NOW.replace(hour=0, minute=0) - timedelta(days=40)
    scanner.reader.show("BI_WH", auto_suspend=None)
    (found,) = scanner.found("advice_never_suspends")
    assert found.finding.started_at == first, "as far as the figures reach"
    assert when(found.finding, "UTC") == f"since {first:%Y-%m-%d} 00:00 UTC at least"
    assert first.isoformat() in [fact.value for fact in found.finding.evidence]


def test_a_pause_ends_what_is_known_of_never_suspending_and_a_week_is_told_at_least(scanner: Scanner) -> None:
    frame = scanner.reader.frames["metering"]
    paused = NOW.replace(minute=0) - timedelta(days=20)
    frame.loc[(frame["warehouse"] == "BI_WH") & (frame["start"] == paused), "credits_compute"] = 0.0
    scanner.reader.show("BI_WH", auto_suspend=None)
    (found,) = scanner.found("advice_never_suspends")
    assert found.finding.started_at == paused + HOUR


def test_what_may_not_be_read_is_said_and_its_findings_stay(scanner: Scanner) -> None:
    scanner.reader.live = (running("q-long", "ETL_WH", 2),)
    (found,) = scanner.found("long_running_query")
    scanner.reader.live, scanner.reader.hidden = (), True
    report = scanner.scan()
    assert any("running statements" in note for note in report.notes)
    assert found.id in {r.id for r in report.findings}
    assert scanner.store.findings.get(found.id).finding.state == "new"
    last = scanner.store.findings.last_scan()
    assert last is not None
    assert last.notes == report.notes


def test_statements_that_are_hidden_without_a_no_are_not_over(
    scanner: Scanner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A role that loses MONITOR is shown no statements at all, while SHOW still counts them."""
    scanner.reader.live = (running("q-long", "ETL_WH", 2),)
    (found,) = scanner.found("long_running_query")
    scanner.reader.show("ETL_WH", state="STARTED", running=1)

    def of_all_nothing(self: LiveReader, warehouse: str | None = None) -> Any:
        if warehouse is None:
            return ()
        raise NoPermission(f"Statements on warehouse {warehouse} are not visible to Frostline's role.")

    monkeypatch.setattr(LiveReader, "live_queries", of_all_nothing)
    report = scanner.scan()
    assert any("running statements" in note and "ETL_WH" in note for note in report.notes)
    assert scanner.store.findings.get(found.id).finding.ended_at is None


def test_no_permission_on_usage_leaves_the_live_tier(scanner: Scanner) -> None:
    scanner.reader.forbidden = frozenset({"metering", "queries", "services"})
    scanner.reader.live = (running("q-long", "ETL_WH", 2),)
    report = scanner.scan()
    assert _warehouses(report.findings, "long_running_query") == {"ETL_WH"}
    assert any("hourly series" in note for note in report.notes)


def test_an_account_that_does_not_answer_changes_nothing_and_gives_the_lease_back(
    scanner: Scanner, monkeypatch: pytest.MonkeyPatch
) -> None:
    scanner.reader.live = (running("q-long", "ETL_WH", 2),)
    scanner.scan()
    before = scanner.store.findings.list()

    def gone(self: LiveReader, warehouse: str | None = None) -> Any:
        raise Unreachable("The account does not answer.")

    monkeypatch.setattr(LiveReader, "live_queries", gone)
    with pytest.raises(Unreachable):
        scanner.scan()
    assert scanner.store.findings.list() == before
    assert scanner.store.leases.holder("scan") is None


def test_another_scan_at_it_means_nothing_is_done(scanner: Scanner) -> None:
    assert scanner.store.leases.take("scan", "other:1", timedelta(minutes=1))
    report = scanner.scan()
    assert "other:1" in report.skipped
    assert report.findings == ()
    assert scanner.store.findings.last_scan() is None


def test_a_size_left_in_place_is_found_and_over_when_it_is_taken_back(scanner: Scanner) -> None:
    scanner.reader.sizes = size_days("ETL_WH", (30, 6, Size.SMALL), (5, 0, Size.LARGE))
    (found,) = scanner.found("resize_forgotten")
    assert found.finding.warehouse == "ETL_WH"
    assert found.finding.started_at == (NOW - timedelta(days=5)).replace(hour=6, minute=0)
    assert found.finding.impact_credits_per_day == pytest.approx(2.05 * 24 * 0.75, rel=0.1)
    assert found.finding.draft is not None
    assert found.finding.draft.ask == "resize ETL_WH to Small"
    scanner.reader.show("ETL_WH", size=Size.SMALL)
    assert scanner.found("resize_forgotten") == []


def test_what_several_figures_say_together_names_the_finding() -> None:
    def told(*metrics: str, kind: Kind = "spike") -> str | None:
        first, *rest = (oddity(metric, kind) for metric in metrics)
        return kind_of(first.also(rest))

    assert told("credits", "execution_seconds") == "spend_spike"
    assert told("credits", "execution_seconds", "longest_statement") == "long_running_query"
    assert told("longest_statement") == "long_running_query"
    assert told("failures", "longest_statement") == "failing_queries"
    assert told("pace", kind="drift") == "drift"


def test_what_makes_up_the_credits_and_the_statements_names_the_finding() -> None:
    def told(**beyond: float) -> str | None:
        first, *rest = (oddity(metric, "spike", amount) for metric, amount in beyond.items())
        return kind_of(first.also(rest))

    crawler = {"credits": 42.4, "credits_cloud_services": 42.3, "failures": 28.0, "queries": 2665.0}
    assert told(**crawler) == "cloud_services"
    assert told(**crawler | {"credits_cloud_services": 1.2, "failures": 2600.0}) == "retry_storm"
    assert told(failures=339.0, queries=339.0) == "retry_storm"
    assert told(failures=96.0, queue_seconds=118_324.0) == "failing_queries"
    assert told(credits=23.4, failures=18.0, queue_seconds=267_023.0, queries=1_130.0) == "queueing"
    assert told(credits=23.4, failures=18.0, queries=1_130.0) == "spend_spike"
    assert told(queue_seconds=150_000.0, size_below=84.0) == "queueing"


def oddity(metric: Any, kind: Kind, beyond: float = 8.0) -> Candidate:
    begins = pd.Timestamp(END.replace(tzinfo=None))
    anomaly = Anomaly(begins, begins + HOUR, kind, 1.0, (0.0, 2.0), 1.0 + beyond, beyond, 0.9, begins + HOUR, False)
    series = pd.Series(1.0 + beyond, index=[begins])
    watch = Watch(metric, "warehouse")
    credits = beyond if watch.in_credits else None
    return Candidate(watch, kind, "ETL_WH", anomaly, series, END, END + HOUR, END, "V", credits, credits)
