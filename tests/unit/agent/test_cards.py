"""Which message shows which plan, and who may change it now."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from agent.store import Card, Store
from agent.store.cards import Cards
from tests.unit.agent.plans import START, HandClock

LEASE = timedelta(seconds=30)
CARD = Card("plan-1", "T1", "C1", "100.1", thread_ts="99.1", shown="f1", told="proposed")


def test_a_card_is_found_by_its_plan_and_by_its_message(store: Store) -> None:
    stored = replace(CARD, created_at=START)
    store.cards.put(CARD)
    store.cards.put(replace(CARD, channel="C2", thread_ts=None))
    assert store.cards.at("C1", "100.1") == stored
    assert store.cards.of("plan-1") == (stored, replace(stored, channel="C2", thread_ts=None))
    assert store.cards.at("C1", "100.2") is None and store.cards.of("plan-2") == ()


def test_a_card_that_is_known_stays_as_it_is(store: Store) -> None:
    store.cards.put(CARD)
    store.cards.put(replace(CARD, shown="other", closed=True, created_at=START + LEASE))
    assert store.cards.of("plan-1") == (replace(CARD, created_at=START),)


def test_open_cards_are_listed_oldest_first(store: Store, clock: HandClock) -> None:
    for ts in ("3", "1", "2"):
        store.cards.put(replace(CARD, ts=ts))
        clock.advance(seconds=1)
    store.cards.put(replace(CARD, ts="closed", closed=True))
    store.cards.put(replace(CARD, ts="given", created_at=START - LEASE))
    assert [c.ts for c in store.cards.open()] == ["given", "3", "1", "2"]
    assert [c.ts for c in store.cards.open(limit=2)] == ["given", "3"]


def test_one_at_a_time_changes_a_card(store: Store, clock: HandClock) -> None:
    cards = store.cards
    cards.put(CARD)
    assert cards.take("C1", "none", "me", LEASE) is None
    taken = cards.take("C1", "100.1", "me", LEASE)
    assert taken is not None and taken.shown == "f1"
    assert cards.take("C1", "100.1", "you", LEASE) is None
    assert cards.take("C1", "100.1", "me", LEASE) is None
    assert not cards.release("C1", "100.1", "you", shown="theirs")
    assert cards.release("C1", "100.1", "me", shown="f2", told="approved")
    assert not cards.release("C1", "100.1", "me", shown="late")
    taken = cards.take("C1", "100.1", "you", LEASE)
    assert taken is not None and (taken.shown, taken.told, taken.closed) == ("f2", "approved", False)
    clock.advance(seconds=30)
    assert cards.take("C1", "100.1", "me", LEASE)
    assert not cards.release("C1", "100.1", "you", shown="late")
    assert cards.release("C1", "100.1", "me", closed=True)
    found = cards.at("C1", "100.1")
    assert found is not None and (found.shown, found.told, found.closed) == ("f2", "approved", True)
    assert cards.open() == ()


def test_closed_cards_are_pruned_and_open_ones_are_not(store: Store, clock: HandClock) -> None:
    store.cards.put(CARD)
    store.cards.put(replace(CARD, ts="closed", closed=True))
    clock.advance(seconds=1)
    store.cards.put(replace(CARD, ts="young", closed=True))
    assert store.cards.prune(clock.now()) == 1
    assert [c.ts for c in store.cards.of("plan-1")] == ["100.1", "young"]


def test_cards_of_another_account_are_not_seen(store: Store, clock: HandClock) -> None:
    other = Cards(store._engine, account="OTHER", clock=clock)
    store.cards.put(CARD)
    other.put(replace(CARD, ref="their-plan"))
    assert [c.ref for c in store.cards.open()] == ["plan-1"]
    assert store.cards.take("C1", "100.1", "me", LEASE) and other.take("C1", "100.1", "me", LEASE)
