"""Findings, leases and posts in the store: what scans write, what people say, and that one of two writes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from agent.findings import reconcile
from agent.store import Store
from tests.unit.agent.findings import SCOPE, at, scanned, sighting
from tests.unit.agent.plans import HandClock, person
from tools.errors import BadArgument, UnknownName
from tools.finding import ScanStamp

ADA = person("ada", "proposer")
MINUTE = timedelta(minutes=1)


def test_a_finding_comes_back_as_it_was_kept(store: Store) -> None:
    (record,) = scanned(store, 1, sighting(seen=1, warehouse="we`ird \U0001f4a5 <!channel>"))
    (kept,) = store.findings.list()
    assert kept.finding == record.finding
    assert kept.model_copy(update={"updated_at": None}) == record
    last = store.findings.last_scan()
    assert last is not None
    assert (last.as_of, last.seen) == (at(1), 1)


def test_newest_first_by_state_and_time(store: Store) -> None:
    scanned(store, 50, sighting(0, 2), sighting(40, warehouse="BI"), sighting(45, warehouse="DEV"))
    names = [r.finding.warehouse for r in store.findings.list()]
    assert names == ["DEV", "BI", "ETL"]
    assert [r.finding.warehouse for r in store.findings.list(("resolved",))] == ["ETL"]
    assert [r.finding.warehouse for r in store.findings.list(since=at(10))] == ["DEV", "BI"]
    assert len(store.findings.list(limit=1)) == 1


def test_a_scan_that_lost_its_lease_writes_nothing(store: Store, clock: HandClock) -> None:
    """It slept; another took over and has written since."""
    assert store.leases.take("scan", "slow", MINUTE)
    changes = reconcile((), [sighting()], now=at(1), looked=(SCOPE,), new_id=lambda: "slow-one")
    clock.advance(minutes=2)
    stamp = ScanStamp(as_of=at(1), at=at(1), seen=1)
    assert not store.findings.record(changes, stamp, lease="scan", holder="slow")
    scanned(store, 2, sighting(seen=2))
    assert not store.findings.record(changes, stamp, lease="scan", holder="slow")
    assert [r.id for r in store.findings.list()] != ["slow-one"]
    assert len(store.findings.list()) == 1


def test_what_people_say_is_kept_and_audited(store: Store) -> None:
    (record,) = scanned(store, 1, sighting(seen=1))
    store.findings.snooze(record.id, at(30), "a  known\nload", ADA, at(1))
    kept = store.findings.get(record.id)
    assert (kept.finding.state, kept.reason, kept.by, kept.snoozed_until) == ("snoozed", "a known load", "ada", at(30))
    assert [r.id for r in store.findings.list(("open",), now=at(31))] == [record.id]
    store.findings.dismiss(record.id, "none", ADA, at(2))
    assert store.findings.get(record.id).dismissed
    events = [(e.event, e.actor) for e in store.findings.events(record.id)]
    assert events == [("found", "system"), ("snoozed", "os:ada"), ("dismissed", "os:ada")]
    rows = [(r.event, r.actor, r.detail["finding"]) for r in store.audit_rows()]
    assert rows == [("finding_snoozed", "os:ada", record.id), ("finding_dismissed", "os:ada", record.id)]
    assert store.verify_audit().ok


def test_what_a_person_says_while_a_scan_runs_is_not_lost(store: Store, clock: HandClock) -> None:
    """The scan read the finding before the snooze and writes it after."""
    (record,) = scanned(store, 1, sighting(seen=1))
    assert store.leases.take("scan", "slow", MINUTE)
    stored = store.findings.list()
    clock.advance(seconds=1)
    store.findings.snooze(record.id, at(30), "known", ADA, at(1))
    changes = reconcile(stored, [sighting(seen=5)], now=at(5), looked=(SCOPE,), new_id=lambda: "x")
    assert store.findings.record(changes, ScanStamp(as_of=at(5), at=at(5), seen=1), lease="scan", holder="slow")
    kept = store.findings.get(record.id)
    assert (kept.finding.state, kept.snoozed_until, kept.seen_at) == ("snoozed", at(30), at(5))


def test_found_by_the_beginning_of_its_id_where_that_is_one(store: Store) -> None:
    first, second = scanned(store, 1, sighting(seen=1), sighting(seen=1, warehouse="BI"))
    assert store.findings.get(first.id).id == first.id
    assert store.findings.get(first.finding.fingerprint[:12]).id == first.id
    with pytest.raises(BadArgument, match="2 findings"):
        store.findings.get("finding-")
    for wrong in ("none-such", "fin", "", "%", "a" * 200, "x'; --"):
        with pytest.raises(UnknownName):
            store.findings.get(wrong)
    assert second.id != first.id


def test_old_ones_are_forgotten_with_their_events(store: Store, clock: HandClock) -> None:
    over, open_ = scanned(store, 50, sighting(0, 2), sighting(40, warehouse="BI"))
    clock.advance(days=400)
    assert store.findings.prune(clock.now() - timedelta(days=365)) == 1
    assert [r.id for r in store.findings.list()] == [open_.id]
    assert store.findings.events(over.id) == ()


# --- leases -----------------------------------------------------------------------------------------------------------


def test_a_lease_has_one_holder_until_it_lapses(store: Store, clock: HandClock) -> None:
    leases = store.leases
    assert leases.take("scan", "one", MINUTE)
    assert not leases.take("scan", "two", MINUTE)
    assert not leases.take("scan", "one", MINUTE), "two threads may go by one name"
    assert leases.take("other", "two", MINUTE)
    clock.advance(seconds=50)
    assert leases.renew("scan", "one", MINUTE)
    assert not leases.renew("scan", "two", MINUTE)
    clock.advance(seconds=50)
    assert leases.holder("scan") == ("one", clock.now() + timedelta(seconds=10))
    clock.advance(seconds=10)
    assert leases.holder("scan") is None
    assert not leases.renew("scan", "one", MINUTE)
    assert leases.take("scan", "two", MINUTE)
    leases.release("scan", "one")
    assert leases.holder("scan") is not None
    leases.release("scan", "two")
    assert leases.take("scan", "three", MINUTE)


# --- posts ------------------------------------------------------------------------------------------------------------


def test_a_post_is_claimed_once_and_counts_how_often(store: Store, clock: HandClock) -> None:
    posts = store.finding_posts
    first = posts.claim("f1", "C1", "one", MINUTE)
    assert first is not None
    assert first.attempts == 1
    assert posts.claim("f1", "C1", "two", MINUTE) is None
    assert posts.claim("f1", "C1", "one", MINUTE) is None
    assert posts.known("C1") == frozenset()
    clock.advance(minutes=2)
    again = posts.claim("f1", "C1", "two", MINUTE)
    assert again is not None
    assert again.attempts == 2
    assert not posts.release("f1", "C1", "one", ts="1.0"), "who slept past the claim writes nothing"
    assert posts.release("f1", "C1", "two", ts="2.0", shown="m")
    assert (posts.known("C1"), posts.known("C2")) == (frozenset({"f1"}), frozenset())
    found = posts.at("C1", "2.0")
    assert found is not None
    assert (found.finding_id, found.shown, found.closed) == ("f1", "m", False)


def test_what_was_only_counted_is_told_no_more(store: Store, clock: HandClock) -> None:
    posts = store.finding_posts
    posts.told({"f1": "warning", "f2": "warning"}, "C1")
    posts.told({"f1": "warning"}, "C1")
    assert posts.known("C1") == {"f1", "f2"}
    assert posts.claim("f1", "C1", "one", MINUTE) is None
    assert posts.open("C1") == ()
    clock.advance(days=10)
    assert posts.prune(clock.now()) == 2
