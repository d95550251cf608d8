"""The life of a finding: deduplicated, updated in place, resolved, reopened, snoozed, dismissed."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.findings import (
    REOPEN,
    Change,
    Sighting,
    cause_of,
    dismissed,
    fingerprint_of,
    reconcile,
    severity_of,
    snoozed,
    woken,
)
from tests.unit.agent.findings import SCOPE, at, sighting
from tests.unit.agent.plans import person
from tools.errors import BadArgument
from tools.finding import FINDING_KINDS, SEVERITIES, FindingRecord

ADA = person("ada", "proposer")


@dataclass
class Book:
    """What the store does, in memory."""

    records: dict[str, FindingRecord] = field(default_factory=dict)
    numbers: Any = field(default_factory=lambda: itertools.count(1))

    def scan(self, hour: float, *seen: Sighting, looked: tuple[str, ...] = (SCOPE,), **more: Any) -> list[Change]:
        changes = reconcile(
            self.records.values(), seen, now=at(hour), looked=looked, new_id=lambda: f"f{next(self.numbers)}", **more
        )
        self.records |= {change.record.id: change.record for change in changes}
        return list(changes)

    def say(self, finding_id: str, change: Callable[[FindingRecord], FindingRecord]) -> None:
        self.records[finding_id] = change(self.records[finding_id])

    def events(self, hour: float, *seen: Sighting, **more: Any) -> list[tuple[str, str | None]]:
        return [(c.record.id, c.event) for c in self.scan(hour, *seen, **more)]

    def state(self, finding_id: str = "f1") -> str:
        return self.records[finding_id].finding.state


def test_from_new_to_open_to_resolved_in_one_row() -> None:
    book = Book()
    assert book.events(1, sighting(seen=1)) == [("f1", "found")]
    first = book.records["f1"].finding
    assert (first.state, first.severity, first.ended_at) == ("new", "warning", None)
    assert book.events(2, sighting(seen=2)) == [("f1", None)]
    assert book.state() == "open"
    assert book.events(9, sighting(end=3)) == [("f1", "resolved")]
    last = book.records["f1"].finding
    assert (last.state, last.ended_at) == ("resolved", at(3))
    assert (last.id, last.fingerprint, last.detected_at) == (first.id, first.fingerprint, first.detected_at)
    assert book.events(10, sighting(end=3)) == [("f1", None)]


def test_what_is_not_seen_any_more_is_over_when_it_was_seen_last() -> None:
    book = Book()
    book.scan(5, sighting(seen=5))
    assert book.events(6) == [("f1", "resolved")]
    assert book.records["f1"].finding.ended_at == at(5)


def test_what_could_not_be_looked_at_stays_as_it_is() -> None:
    book = Book()
    book.scan(5, sighting(seen=5))
    assert book.scan(6, looked=("live:statements",)) == []
    assert book.state() == "new"


def test_a_spike_that_lasts_becomes_a_level_shift_and_stays_the_same_finding() -> None:
    book = Book()
    book.scan(2, sighting(seen=2))
    (change,) = book.scan(20, sighting(seen=20, kind="level_shift"))
    assert (change.record.id, change.event, change.detail) == ("f1", "changed", "spend_spike -> level_shift")


def test_a_change_of_weight_is_told_and_a_small_one_is_not() -> None:
    book = Book()
    book.scan(2, sighting(seen=2))
    assert book.events(3, sighting(seen=3, impact_credits_per_day=11.0)) == [("f1", None)]
    assert book.events(4, sighting(seen=4, impact_credits_per_day=30.0)) == [("f1", "changed")]
    assert book.records["f1"].finding.severity == "critical"


def test_again_soon_is_the_same_finding_and_again_late_is_another() -> None:
    book, soon = Book(), REOPEN / timedelta(hours=1) - 1
    book.scan(3, sighting(end=2))
    assert book.events(2 + soon + 1, sighting(end=2), sighting(2 + soon)) == [("f1", "reopened")]
    assert book.state() == "open"
    book.scan(60, sighting(0, 2 + soon + 2))
    assert book.events(200, sighting(0, 2 + soon + 2), sighting(199, seen=200)) == [("f1", None), ("f2", "found")]
    one, two = (book.records[name].finding for name in ("f1", "f2"))
    assert one.fingerprint != two.fingerprint
    assert book.records["f1"].cause == book.records["f2"].cause


def test_other_names_and_directions_are_other_findings() -> None:
    book = Book()
    seen = [sighting(), sighting(warehouse="BI"), sighting(family="credits:less"), sighting(object="x")]
    assert len(book.scan(1, *seen)) == 4
    assert len({r.finding.fingerprint for r in book.records.values()}) == 4
    assert cause_of("a", "b", None, "c") != cause_of("a", "b", "None", "c")


def test_what_is_over_at_first_sight_is_resolved_at_once_and_old_news_is_none() -> None:
    book = Book()
    book.scan(100, sighting(0, 2), since=None)
    assert book.state() == "resolved"
    book.scan(100, sighting(0, 2), sighting(0, 2, warehouse="BI"), since=at(50))
    assert set(book.records) == {"f1"}
    assert book.events(100, sighting(49, 51, warehouse="BI"), since=at(50))[-1] == ("f2", "found")


def test_a_scan_of_an_earlier_time_changes_nothing_that_a_later_one_has_seen() -> None:
    book = Book()
    book.scan(10, sighting(seen=10))
    before = book.records["f1"]
    assert book.events(5, sighting(seen=5)) == [("f1", None)]
    assert book.scan(5) == []
    assert book.records == {"f1": before}


def test_a_snooze_is_quiet_until_its_time_and_wakes_then() -> None:
    book = Book()
    book.scan(1, sighting(seen=1))
    book.say("f1", lambda r: snoozed(r, at(10), "known", ADA, at(1)))
    assert book.events(5, sighting(seen=5)) == [("f1", None)]
    assert book.state() == "snoozed"
    assert woken(book.records["f1"], at(11)).finding.state == "open"
    assert book.events(11, sighting(seen=11)) == [("f1", "woke")]
    assert (book.state(), book.records["f1"].snoozed_until) == ("open", None)


def test_a_snooze_holds_for_the_same_cause_again() -> None:
    """The same failure every other day is not told anew each time while somebody has asked for quiet."""
    book = Book()
    book.scan(1, sighting(seen=1))
    book.say("f1", lambda r: snoozed(r, at(100), "known", ADA, at(1)))
    book.scan(4, sighting(end=3))
    assert book.events(50, sighting(end=3), sighting(49, seen=50))[-1] == ("f2", "found")
    again = book.records["f2"]
    assert (again.finding.state, again.reason, again.by) == ("snoozed", "known", "ada")
    assert book.events(101, sighting(end=3), sighting(49, seen=101))[-1] == ("f2", "woke")


def test_dismissed_stays_dismissed_while_it_goes_on_and_the_next_time_is_told() -> None:
    book = Book()
    book.scan(1, sighting(seen=1))
    book.say("f1", lambda r: dismissed(r, "a planned load", ADA))
    assert book.events(5, sighting(seen=5, impact_credits_per_day=99.0)) == [("f1", None)]
    assert (book.state(), book.records["f1"].finding.ended_at) == ("resolved", None)
    book.scan(7, sighting(end=6))
    assert book.records["f1"].finding.ended_at == at(6)
    assert book.events(90, sighting(end=6), sighting(89, seen=90))[-1] == ("f2", "found")
    assert book.state("f2") == "new"


@pytest.mark.parametrize("reason", ["", "  \n"])
def test_quiet_needs_a_reason(reason: str) -> None:
    book = Book()
    book.scan(1, sighting(seen=1))
    record = book.records["f1"]
    with pytest.raises(BadArgument, match="reason"):
        snoozed(record, at(10), reason, ADA, at(1))
    with pytest.raises(BadArgument, match="reason"):
        dismissed(record, reason, ADA)
    with pytest.raises(BadArgument, match="over already"):
        snoozed(record, at(1), "why", ADA, at(1))
    book.scan(3, sighting(end=2))
    with pytest.raises(BadArgument, match="resolved"):
        snoozed(book.records["f1"], at(10), "why", ADA, at(3))


# --- properties -----------------------------------------------------------------------------------------------------

KINDS = st.sampled_from(FINDING_KINDS)
CREDITS = st.floats(-1e4, 1e4)


@given(KINDS, CREDITS, CREDITS, st.floats(0, 1), st.floats(0, 1), st.floats(0, 1e5))
def test_severity_grows_with_impact_and_with_confidence(
    kind: Any, one: float, two: float, sure: float, surer: float, account: float
) -> None:
    def level(impact: float, confidence: float) -> int:
        return SEVERITIES.index(severity_of(kind, impact, confidence, account_credits_per_day=account))

    (low, high), (less, more) = sorted((one, two)), sorted((sure, surer))
    assert level(low, less) <= level(high, less) <= level(high, more)
    if kind.startswith("advice_"):
        assert level(high, more) < SEVERITIES.index("critical")


@given(st.floats(-1e4, 0), st.floats(0, 1))
def test_less_spending_is_no_more_than_information(impact: float, confidence: float) -> None:
    assert severity_of("level_shift", impact, confidence) == "info"


spans = st.tuples(st.integers(0, 300), st.integers(1, 40))
names = st.sampled_from(["ETL", "BI", None])


@given(st.lists(st.tuples(spans, names), max_size=12), st.integers(1, 8))
def test_however_the_account_is_looked_at_nothing_is_told_twice(seen: list[Any], step: int) -> None:
    """Occurrences in time, looked at every few hours: each is found once and resolved once, and fingerprints differ."""
    book = Book()
    found: dict[str, list[str]] = {}
    for hour in range(0, 360, step * 6):
        visible = [
            sighting(
                start, start + length if start + length < hour else None, min(start + length, hour), warehouse=name
            )
            for (start, length), name in seen
            if start < hour
        ]
        for change in book.scan(hour, *visible):
            if change.event:
                found.setdefault(change.record.id, []).append(change.event)
        prints = [r.finding.fingerprint for r in book.records.values()]
        assert len(set(prints)) == len(prints)
        for record in book.records.values():
            finding = record.finding
            assert (finding.state == "resolved") == (finding.ended_at is not None)
            assert finding.ended_at is None or finding.ended_at >= finding.started_at
        again = book.scan(hour, *visible)
        assert not [c for c in again if c.event], "the same look twice tells nothing new"
    for events in found.values():
        assert events[0] == "found"
        assert events.count("found") == 1
        assert events.count("resolved") <= events.count("reopened") + 1


@given(st.permutations(range(5)))
def test_the_order_of_what_is_seen_does_not_matter(order: list[int]) -> None:
    seen = [sighting(0, 2), sighting(30, 31), sighting(33), sighting(1, warehouse="BI"), sighting(60, 70)]
    book, other = Book(), Book()
    book.scan(80, *seen)
    other.scan(80, *(seen[n] for n in order))
    one, two = ({r.finding.fingerprint: r.finding.started_at for r in b.records.values()} for b in (book, other))
    assert one == two


def test_a_fingerprint_is_of_the_occurrence() -> None:
    cause = cause_of("credits:more", "credits", "ETL", None)
    assert fingerprint_of(cause, at(1)) == fingerprint_of(cause, at(1))
    assert fingerprint_of(cause, at(1)) != fingerprint_of(cause, at(2))
