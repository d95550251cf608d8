"""The store's moves: who may move what, once, and what is refused."""

from __future__ import annotations

import contextlib
import sqlite3
import stat
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from agent.store import Store
from tests.unit.agent.plans import ASKER, BOSS, START, HandClock, bundle_of, plan
from tools.domain import PlanRecord, PlanState
from tools.errors import BadSettings, Bug, NotAllowed, PlanConflict, Unreachable

LEASE = timedelta(minutes=2)


def approved(store: Store, plan_id: str = "p1") -> str:
    stored = plan(plan_id)
    store.propose([stored])
    store.approve(plan_id, stored.digest, BOSS)
    return stored.digest


def test_what_is_proposed_is_read_back_whole(store: Store) -> None:
    stored = plan()
    store.propose([stored])
    record = store.get("p1")
    assert (record.plan, record.digest, record.state) == (stored, stored.digest, PlanState.PROPOSED)
    assert store.find(stored.digest[:8]) == record
    assert store.open_plans("ETL") == (record,) and store.open_plans("OTHER") == ()


def test_names_that_mean_nothing_or_two_things(store: Store) -> None:
    with pytest.raises(PlanConflict) as missing:
        store.find("deadbeef")
    assert missing.value.reason == "not_found"
    store.propose([plan("prefix-one"), plan("prefix-two")])
    with pytest.raises(PlanConflict) as ambiguous:
        store.resolve("prefix")
    assert ambiguous.value.reason == "ambiguous"
    assert isinstance(store.resolve("prefix-o"), PlanRecord)
    with pytest.raises(PlanConflict):
        store.resolve("prefix%")  # a wildcard is a character like any other


def test_the_whole_way_to_applied(store: Store) -> None:
    digest = approved(store)
    assert store.claim("p1", digest, "me", LEASE)
    assert store.renew("p1", "me", LEASE)
    store.note_statement("p1", "me", "executed", query_id="01-q")
    assert store.finish("p1", "me", PlanState.APPLIED, effect="ETL is Small")
    record, row = store.get("p1"), store.ledger_row("p1")
    assert (record.state, record.query_id, record.decided_by) == (PlanState.APPLIED, "01-q", BOSS)
    assert row is not None and (row.outcome, row.statement) == ("applied", plan().statement)
    assert [r.event for r in store.audit_rows("p1")] == ["proposed", "approved", "started", "executed", "applied"]
    assert store.applied_since(START - timedelta(hours=1)) == 1
    assert store.verify_audit().ok


def test_a_second_decision_says_who_was_first(store: Store) -> None:
    digest = approved(store)
    with pytest.raises(PlanConflict, match=r"Already approved by grace at 2026-03-02T09:00:00") as late:
        store.approve("p1", digest, ASKER)
    assert late.value.reason == "state"
    with pytest.raises(PlanConflict, match="Already approved by grace"):
        store.decline("p1", digest, ASKER)


def test_another_digest_and_a_late_approval_are_refused(store: Store, clock: HandClock) -> None:
    stored = plan()
    store.propose([stored])
    with pytest.raises(PlanConflict) as other:
        store.approve("p1", "0" * 64, BOSS)
    clock.advance(minutes=31)
    with pytest.raises(PlanConflict) as late:
        store.approve("p1", stored.digest, BOSS)
    assert (other.value.reason, late.value.reason) == ("digest", "expired")
    assert store.get("p1").state is PlanState.EXPIRED
    assert [r.event for r in store.audit_rows("p1")] == ["proposed", "expired"]


def test_only_an_approved_plan_can_be_claimed_and_only_once(store: Store) -> None:
    stored = plan()
    store.propose([stored])
    assert not store.claim("p1", stored.digest, "me", LEASE)
    store.approve("p1", stored.digest, BOSS)
    assert not store.claim("p1", "f" * 64, "me", LEASE)
    assert store.claim("p1", stored.digest, "me", LEASE)
    assert not store.claim("p1", stored.digest, "other", LEASE)
    assert not store.finish("p1", "other", PlanState.APPLIED, effect="")
    assert not store.renew("p1", "other", LEASE)


def test_a_ledger_row_stops_a_second_execution_whatever_the_state_says(store: Store, store_file: Path) -> None:
    digest = approved(store)
    assert store.claim("p1", digest, "me", LEASE)
    with sqlite3.connect(store_file) as raw:
        raw.execute("update plans set state = 'approved'")
    raw.close()
    assert not store.claim("p1", digest, "other", LEASE)
    assert store.get("p1").state is PlanState.APPROVED  # rolled back whole


def test_a_start_in_the_chain_stops_a_second_execution_where_the_ledger_row_was_removed(
    store: Store, store_file: Path
) -> None:
    digest = approved(store)
    assert store.claim("p1", digest, "me", LEASE)
    raw = sqlite3.connect(store_file)
    with raw:
        raw.execute("update plans set state = 'approved'")
        raw.execute("delete from ledger")
    raw.close()
    assert not store.claim("p1", digest, "other", LEASE)
    problems = " ".join(store.verify_audit().problems)
    assert "by the chain it is claimed" in problems and "ledger row is gone" in problems


@pytest.mark.parametrize("move", ["approve", "claim"])
def test_expiry_is_asked_when_the_lock_is_held_and_not_before(
    store: Store, store_file: Path, clock: HandClock, move: str
) -> None:
    """Waiting for another writer may take a plan past its expiry."""
    stored = plan()
    store.propose([stored])
    if move == "claim":
        store.approve("p1", stored.digest, BOSS)
    other = sqlite3.connect(store_file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with ThreadPoolExecutor(1) as pool:
        if move == "claim":
            asked = pool.submit(store.claim, "p1", stored.digest, "me", LEASE)
        else:
            asked = pool.submit(store.approve, "p1", stored.digest, BOSS)  # type: ignore[arg-type]
        time.sleep(0.3)
        clock.advance(minutes=31)
        other.execute("ROLLBACK")
        if move == "claim":
            assert not asked.result()
        else:
            with pytest.raises(PlanConflict) as late:
                asked.result()
            assert late.value.reason == "expired"
    other.close()
    assert store.ledger_row("p1") is None and store.verify_audit().ok


def test_an_answer_after_recovery_has_judged_makes_failed_unknown(store: Store, clock: HandClock) -> None:
    digest = approved(store)
    assert store.claim("p1", digest, "me", LEASE)
    clock.advance(minutes=3)
    assert not store.renew("p1", "me", LEASE)
    assert store.take_over("p1", "recovery", LEASE)
    assert store.finish("p1", "recovery", PlanState.FAILED, effect="reads as before")
    store.note_statement("p1", "me", "executed", query_id="q-late")
    assert not store.finish("p1", "me", PlanState.APPLIED, effect="reads as planned")
    record, row = store.get("p1"), store.ledger_row("p1")
    assert record.state is PlanState.UNKNOWN and "settle" in record.reason and record.query_id == "q-late"
    assert row is not None and row.outcome == "unknown"
    assert [r.event for r in store.audit_rows("p1")][-2:] == ["late_answer", "unknown"]
    assert store.verify_audit().ok
    assert store.settle("p1", "applied", BOSS).state is PlanState.APPLIED
    assert store.verify_audit().ok


def test_a_beginning_shared_by_a_plan_and_a_bundle_means_neither(store: Store) -> None:
    parts = (plan("shared-1", bundle="shared-b"), plan("other-2", bundle="shared-b", position=1))
    store.propose(parts, bundle_of(*parts, bundle_id="shared-b"))
    with pytest.raises(PlanConflict) as both:
        store.resolve("shared-")
    assert both.value.reason == "ambiguous"
    assert not isinstance(store.resolve("shared-b"), PlanRecord)  # a whole id is itself
    assert isinstance(store.resolve("shared-1"), PlanRecord)


@pytest.mark.parametrize("ref", ["\udcff\udcfe", "a\x00b", "", " ", "'; drop table plans --", "é" * 40, "x" * 10_000])
def test_refs_that_can_be_no_id_are_not_found(store: Store, ref: str) -> None:
    for ask in (store.get, store.find, store.bundle, store.resolve):
        with pytest.raises(PlanConflict) as missing:
            ask(ref)
        assert missing.value.reason == "not_found"


def test_reasons_that_no_database_takes_are_stored_readably(store: Store) -> None:
    stored = plan()
    store.propose([stored])
    record = store.decline("p1", stored.digest, BOSS, "no\x00 \udcff way")
    assert record.reason == "no ? way"
    assert store.audit_rows("p1")[-1].detail["reason"] == "no ? way"
    assert store.verify_audit().ok


def test_a_row_set_to_approved_by_hand_is_not_executed(store: Store, store_file: Path) -> None:
    stored = plan()
    store.propose([stored])
    with sqlite3.connect(store_file) as raw:
        raw.execute("update plans set state = 'approved'")
    raw.close()
    with pytest.raises(PlanConflict, match="no approval"):
        store.claim("p1", stored.digest, "me", LEASE)
    assert store.ledger_row("p1") is None


def test_the_limit_per_hour_holds_at_the_claim(store: Store, clock: HandClock) -> None:
    first, second = approved(store, "p1"), approved(store, "p2")
    assert store.claim("p1", first, "me", LEASE, hourly_limit=1)
    with pytest.raises(NotAllowed) as refused:
        store.claim("p2", second, "me", LEASE, hourly_limit=1)
    assert refused.value.rule == "per_hour"
    store.note_statement("p1", "me", "refused", detail="no such warehouse")
    assert store.applied_last_hour() == 0
    assert store.claim("p2", second, "me", LEASE, hourly_limit=1)
    clock.advance(minutes=61)
    assert store.applied_last_hour() == 0


def test_a_lapsed_claim_is_taken_over_by_one(store: Store, clock: HandClock) -> None:
    digest = approved(store)
    store.claim("p1", digest, "dead", LEASE)
    assert store.lapsed() == () and not store.take_over("p1", "b", LEASE)
    clock.advance(minutes=3)
    assert [r.plan.id for r in store.lapsed()] == ["p1"]
    assert store.take_over("p1", "b", LEASE)
    assert not store.take_over("p1", "c", LEASE)
    assert not store.finish("p1", "dead", PlanState.APPLIED, effect="")
    assert store.finish("p1", "b", PlanState.UNKNOWN, effect="half", reason="crash")
    assert store.settle("p1", "applied", BOSS, "looked").state is PlanState.APPLIED
    with pytest.raises(PlanConflict):
        store.settle("p1", "failed", BOSS)
    row = store.ledger_row("p1")
    assert row is not None and row.outcome == "applied"


def test_a_bundle_is_decided_whole_or_not_at_all(store: Store) -> None:
    one, two = plan("p1", bundle="b1", position=0), plan("p2", bundle="b1", position=1)
    store.propose([one, two], bundle_of(one, two))
    assert [r.plan.id for r in store.bundle(bundle_of(one, two).digest[:8]).plans] == ["p1", "p2"]
    store.cancel("p2", two.digest, ASKER)
    with pytest.raises(PlanConflict, match="cancelled by ada"):
        store.decide_all({"p1": one.digest, "p2": two.digest}, PlanState.APPROVED, BOSS)
    assert store.get("p1").state is PlanState.PROPOSED
    assert "approved" not in [r.event for r in store.audit_rows()]


def test_a_bundle_must_be_made_of_its_plans(store: Store) -> None:
    one, two = plan("p1"), plan("p2")
    with pytest.raises(Bug):
        store.propose([one], bundle_of(one, two))
    store.propose([one])
    with pytest.raises(PlanConflict):
        store.propose([one])
    assert len(store.audit_rows()) == 1


def test_another_account_sees_nothing(store: Store, store_file: Path, clock: HandClock) -> None:
    digest = approved(store)
    other = Store.open(f"sqlite:///{store_file}", account="OTHER", clock=clock)
    for ask in (other.get, other.find, other.resolve):
        with pytest.raises(PlanConflict, match="another account") as elsewhere:
            ask("p1")
        assert elsewhere.value.reason == "not_found"
    assert other.list() == () and other.expire_due() == ()
    with pytest.raises(PlanConflict):
        other.claim("p1", digest, "me", LEASE)
    other.close()


def test_a_changed_row_is_refused_audited_once_and_hides_no_other(store: Store, store_file: Path) -> None:
    digest = approved(store)
    store.propose([plan("p2")])
    with sqlite3.connect(store_file) as raw:
        raw.execute("update plans set body = replace(body, 'SMALL', 'X6LARGE') where id = 'p1'")
    raw.close()
    for attempt in (lambda: store.get("p1"), lambda: store.claim("p1", digest, "me", LEASE)):
        with pytest.raises(PlanConflict, match="changed after it was stored"):
            attempt()
    assert [r.plan.id for r in store.list()] == ["p2"]
    assert [r.event for r in store.audit_rows("p1")].count("tampered") == 1
    assert any("plan p1 was changed" in p for p in store.verify_audit().problems)


def test_a_plan_with_body_and_digest_changed_together_is_found(store: Store, store_file: Path) -> None:
    store.propose([plan()])
    forged = plan(statement="ALTER WAREHOUSE X RESUME")
    from tools.domain import canonical_json

    with sqlite3.connect(store_file) as raw:
        raw.execute("update plans set body = ?, digest = ?", (canonical_json(forged), forged.digest))
    raw.close()
    assert any("digest it was proposed with" in p for p in store.verify_audit().problems)


def test_meta_and_conversations(store: Store) -> None:
    store.set_meta("audit_head", "mine")  # does not reach the chain's head
    store.save_conversation("t1", "os:ada", "demo")
    store.save_conversation("t1", "os:bob", "demo")
    assert store.meta("audit_head") == "mine" and store.meta("none") is None
    assert store.conversation("t1") == ("os:bob", "demo") and store.conversation("t2") is None
    assert store.verify_audit().ok


def test_the_file_is_for_its_owner_alone(store: Store, store_file: Path, tmp_path: Path, clock: HandClock) -> None:
    store.propose([plan()])
    fresh = tmp_path / "deep" / "er" / "store.db"
    Store.open(f"sqlite:///{fresh}", account="A", clock=clock).close()
    for path in (*store_file.parent.glob("store.db*"), fresh):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://x/y", "nonsense", "redis:///"])
def test_urls_that_cannot_be_used(url: str, clock: HandClock) -> None:
    with pytest.raises(BadSettings):
        Store.open(url, account="A", clock=clock)


def test_what_is_no_database_is_said_so(tmp_path: Path, clock: HandClock) -> None:
    broken = tmp_path / "store.db"
    broken.write_text("this is no database, whatever its name says " * 50)
    with pytest.raises(Unreachable):
        Store.open(f"sqlite:///{broken}", account="A", clock=clock)
    assert broken.read_text().startswith("this is no database")


def test_two_threads_decide_and_claim_once(store: Store) -> None:
    for number in range(10):
        stored = plan(f"plan-{number}")
        store.propose([stored])

        def decide(name: str, stored_id: str = stored.id, digest: str = stored.digest) -> bool:
            with contextlib.suppress(PlanConflict):
                store.approve(stored_id, digest, BOSS)
            return store.claim(stored_id, digest, name, LEASE)

        with ThreadPoolExecutor(4) as pool:
            assert sum(pool.map(decide, "abcd")) == 1
        events = [r.event for r in store.audit_rows(stored.id)]
        assert events == ["proposed", "approved", "started"]
    assert store.verify_audit().ok


@pytest.mark.parametrize("name", ["per%20cent", "what?now=1#x", "sp ace", "漢字", "quo'te\"d"])
def test_a_path_is_taken_as_it_stands(tmp_path: Path, clock: HandClock, name: str) -> None:
    """As a URL it would be unquoted and cut, and state would lie outside of its private folder."""
    file = tmp_path / name / "store.db"
    store = Store.open(file, account="ACME", clock=clock)
    store.propose([plan()])
    store.close()
    assert file.is_file() and [p.name for p in tmp_path.iterdir()] == [name]


def test_the_limit_per_hour_holds_for_claims_at_the_same_moment(store: Store) -> None:
    digests = {f"p{n}": approved(store, f"p{n}") for n in range(8)}

    def claim(plan_id: str) -> bool:
        with contextlib.suppress(NotAllowed):
            return store.claim(plan_id, digests[plan_id], plan_id, LEASE, hourly_limit=3)
        return False

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(claim, digests))
    assert sum(won) == 3 and store.applied_last_hour() == 3
    assert store.verify_audit().ok


def test_the_chain_is_whole_whenever_it_is_looked_at(store: Store) -> None:
    """Verifying reads one snapshot: writers that are at work meanwhile are no damage."""
    stop = threading.Event()

    def write(name: str) -> None:
        number = 0
        while not stop.is_set():
            number += 1
            stored = plan(f"{name}-{number}")
            store.propose([stored])
            store.decline(stored.id, stored.digest, BOSS)

    with ThreadPoolExecutor(2) as pool:
        writers = [pool.submit(write, name) for name in ("a", "b")]
        reports = [store.verify_audit() for _ in range(15)]
        stop.set()
        for writer in writers:
            writer.result()
    assert [r.problems for r in reports if not r.ok] == []
    assert store.verify_audit().ok
