"""The inbox: everything once, in order, one at a time in a conversation, and nothing lost with a process."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from agent.store import Inbox, Item, ItemState, Store
from agent.store.engine import reading, writing
from agent.store.tables import inbox_items, inbox_keys
from tests.unit.agent.plans import START, HandClock

LEASE = timedelta(seconds=60)
THREAD = "slack:T1/C1/100.0"


@pytest.fixture
def inbox(store: Store) -> Inbox:
    return store.inbox


def send(inbox: Inbox, name: str, order: str, conversation: str = THREAD, *keys: str, **body: Any) -> bool:
    known = keys or (f"event:{name}", f"message:T1/C1/{order}")
    return inbox.put(name, known, kind="mention", conversation=conversation, order=order, body=body)


def claimed(inbox: Inbox, by: str = "me") -> Item:
    item = inbox.claim(by, LEASE)
    assert item is not None
    return item


def test_what_is_put_is_claimed_whole(inbox: Inbox, clock: HandClock) -> None:
    body = {"text": "crédits ❄ last week", "author": {"user": "U1", "team": None}, "n": [1, 2.5, True]}
    assert send(inbox, "a", "100.000001", **body)
    clock.advance(seconds=5)
    assert claimed(inbox) == Item(
        id="a",
        kind="mention",
        conversation=THREAD,
        order="100.000001",
        body=body,
        state=ItemState.CLAIMED,
        claimed_by="me",
        claimed_until=clock.now() + LEASE,
        attempts=1,
        progress={},
        created_at=START,
        updated_at=clock.now(),
    )


def test_one_message_comes_in_under_several_ids_and_is_one_item(inbox: Inbox) -> None:
    """Slack sends a mention twice (app_mention, message.channels), and each once more when the ack is late."""
    assert send(inbox, "a", "1", THREAD, "event:E1", "message:T1/C1/1")
    assert not send(inbox, "a", "1", THREAD, "event:E1", "message:T1/C1/1")
    assert not send(inbox, "b", "1", THREAD, "event:E2", "message:T1/C1/1")
    assert not send(inbox, "c", "1", THREAD, "event:E2", "message:T1/C1/other")  # E2 was remembered
    assert not send(inbox, "d", "1", THREAD, "message:T1/C1/other")  # and so was this
    assert not send(inbox, "a", "2", THREAD, "event:E9")  # its id alone
    assert inbox.waiting().count == 1
    assert inbox.get("b") is None


def test_it_is_still_known_when_it_is_finished(inbox: Inbox) -> None:
    send(inbox, "a", "1")
    inbox.finish(claimed(inbox).id, "me", ItemState.DONE)
    assert not send(inbox, "a", "1")
    assert inbox.claim("me", LEASE) is None


def test_oldest_first_and_one_at_a_time_in_a_conversation(inbox: Inbox) -> None:
    for order in ("103.5", "101.5", "102.5"):
        send(inbox, order, order)
    send(inbox, "elsewhere", "104.5", "slack:T1/C1/104.5")
    assert claimed(inbox).id == "101.5"
    assert claimed(inbox, "other").id == "elsewhere"
    assert inbox.claim("third", LEASE) is None
    inbox.finish("101.5", "me", ItemState.DONE)
    assert claimed(inbox).id == "102.5"
    inbox.finish("102.5", "me", ItemState.DROPPED)
    assert claimed(inbox).id == "103.5"


def test_only_who_holds_it_writes(inbox: Inbox) -> None:
    send(inbox, "a", "1")
    assert not inbox.note("a", "me", {"ts": "9"})  # nobody holds it yet
    claimed(inbox)
    assert inbox.note("a", "me", {"channel": "C1", "phase": "streaming"})
    assert inbox.note("a", "me", {"phase": "answered"})
    assert not inbox.note("a", "you", {"phase": "stolen"})
    assert not inbox.finish("a", "you", ItemState.DONE)
    assert not inbox.finish("nowhere", "me", ItemState.DONE)
    assert inbox.finish("a", "me", ItemState.DONE, {"ts": "9"})
    assert not inbox.finish("a", "me", ItemState.DROPPED)
    item = inbox.get("a")
    assert item is not None
    assert (item.state, item.claimed_until) == (ItemState.DONE, None)
    assert item.progress == {"channel": "C1", "phase": "answered", "ts": "9"}


def test_a_lease_that_lapsed_is_taken_over_once(inbox: Inbox, clock: HandClock) -> None:
    for order in ("1", "2"):
        send(inbox, order, order, f"conversation {order}")
        claimed(inbox, "dead")
    inbox.note("1", "dead", {"phase": "streaming"})
    send(inbox, "next", "3", "conversation 1")
    assert inbox.take_over("me", LEASE) == ()
    clock.advance(seconds=60)
    assert inbox.claim("me", LEASE) is None  # its conversation stays closed until somebody has taken it over
    taken = inbox.take_over("me", LEASE)
    assert [(i.id, i.attempts, i.claimed_by) for i in taken] == [("1", 2, "me"), ("2", 2, "me")]
    assert taken[0].progress == {"phase": "streaming"}
    assert inbox.take_over("another", LEASE) == ()
    assert inbox.renew(["1", "2"], "dead", LEASE) == frozenset()
    assert not inbox.finish("1", "dead", ItemState.DONE)
    assert inbox.finish("1", "me", ItemState.INTERRUPTED)
    assert claimed(inbox).id == "next"


def test_renewing_keeps_what_is_worked_on(inbox: Inbox, clock: HandClock) -> None:
    send(inbox, "a", "1", "one")
    send(inbox, "b", "2", "two")
    claimed(inbox)
    claimed(inbox, "you")
    for _ in range(3):
        clock.advance(seconds=59)
        assert inbox.renew(["a", "b", "unknown"], "me", LEASE) == {"a"}
        assert inbox.renew([], "me", LEASE) == frozenset()
    assert [i.id for i in inbox.take_over("me", LEASE)] == ["b"]
    clock.advance(hours=1)  # a laptop that slept: nobody was there to take it
    assert inbox.renew(["a", "b"], "me", LEASE) == {"a", "b"}
    assert inbox.take_over("other", LEASE) == ()


def test_again_asks_the_same_once_for_each_click_behind_what_waits(inbox: Inbox, clock: HandClock) -> None:
    waits = f"{START.timestamp():.6f}"
    send(inbox, "a", "1700000000.000100", text="why?")
    inbox.finish(claimed(inbox).id, "me", ItemState.INTERRUPTED)
    send(inbox, "b", waits)
    clock.advance(seconds=1)
    assert inbox.again("a", "a2", "click:1")
    assert not inbox.again("a", "a3", "click:1")
    assert not inbox.again("a", "a2", "click:2")
    assert not inbox.again("gone", "a4", "click:3")
    assert claimed(inbox).id == "b"
    inbox.finish("b", "me", ItemState.DONE)
    item = claimed(inbox)
    assert (item.id, item.kind, item.conversation, item.body) == ("a2", "again", THREAD, {"text": "why?"})
    assert item.order == f"{(START + timedelta(seconds=1)).timestamp():.6f}" and item.progress == {}


def test_what_waits_is_counted(inbox: Inbox, clock: HandClock) -> None:
    assert (inbox.waiting().count, inbox.waiting().oldest, inbox.waiting().claimed) == (0, None, 0)
    send(inbox, "a", "2")
    clock.advance(seconds=1)
    send(inbox, "b", "1")
    claimed(inbox)
    waiting = inbox.waiting()
    assert (waiting.count, waiting.oldest, waiting.claimed) == (1, START, 1)


def test_pruning_forgets_what_was_finished_before_and_its_keys(store: Store, inbox: Inbox, clock: HandClock) -> None:
    finished(store, count=1200)
    for name in ("running", "queued", "young"):
        send(inbox, name, name, f"conversation {name}")
    held = {item.id: item for item in (claimed(inbox), claimed(inbox))}
    assert set(held) == {"queued", "running"}
    clock.advance(days=30)
    inbox.finish(claimed(inbox).id, "me", ItemState.DONE)
    assert inbox.prune(clock.now()) == 1200
    assert inbox.prune(clock.now()) == 0
    assert inbox.get("young") and inbox.get("queued") and inbox.get("running")
    assert not send(inbox, "x", "0", "c", "event:young")
    assert send(inbox, "old 0", "0", "c", "event:old 0")


def finished(store: Store, count: int) -> None:
    """Written at once; one after the other they would take a while."""
    fixed = {"account": store.account, "kind": "mention", "attempts": 1, "progress": {}, "body": {}, "state": "done"}
    times = {"created_at": START, "updated_at": START}
    rows = [{"id": f"old {n}", "conversation": f"c{n}", "place": str(n), **fixed, **times} for n in range(count)]
    keys = [{"account": store.account, "key": f"event:old {n}", "item_id": f"old {n}"} for n in range(count)]
    with writing(store._engine) as connection:
        connection.execute(inbox_items.insert(), rows)
        connection.execute(inbox_keys.insert(), keys)


def test_rows_of_another_account_are_not_seen(store: Store, clock: HandClock) -> None:
    other = Inbox(store._engine, account="OTHER", clock=clock)
    assert send(store.inbox, "a", "1") and send(other, "a", "1", "other conversation")
    assert claimed(other).conversation == "other conversation"
    assert claimed(store.inbox).conversation == THREAD
    assert not store.inbox.finish("a", "nobody", ItemState.DONE)
    clock.advance(hours=1)
    assert len(store.inbox.take_over("me", LEASE)) == 1
    assert other.waiting().claimed == 1


def test_text_that_no_database_takes_is_cleaned_where_it_is_stored_and_where_it_is_looked_for(inbox: Inbox) -> None:
    assert send(inbox, "a\x00", "1", "c\ud800", "k\x00", **{"te\x00xt": "x\ud800\x00", "list": ["\x00y"]})
    assert not send(inbox, "b", "1", "c", "k")
    assert inbox.renew(["a"], "me", LEASE) == frozenset()
    item = inbox.claim("m\x00e", LEASE)
    assert item is not None and item == inbox.get("a\x00") == inbox.get("a")
    assert item.body == {"text": "x?", "list": ["y"]}
    assert inbox.finish("a\x00", "m\x00e", ItemState.DONE, {"why": "\udfff"})


def test_the_database_itself_refuses_a_second_claim_in_a_conversation(inbox: Inbox, store: Store) -> None:
    send(inbox, "a", "1")
    send(inbox, "b", "2")
    claimed(inbox)
    with pytest.raises(IntegrityError), writing(store._engine) as connection:
        connection.execute(text("UPDATE inbox_items SET state = 'claimed' WHERE id = 'b'"))


def test_claiming_goes_by_the_small_indexes(store: Store, engine: str) -> None:
    """However many items are finished: the plan of the question is what keeps it fast, not this machine."""
    with reading(store._engine) as connection:
        if engine == "postgresql":
            connection.execute(text("SET enable_seqscan = off"))  # an empty table is read whole
        query = str(store.inbox._next().compile(store._engine, compile_kwargs={"literal_binds": True}))
        explain = "EXPLAIN " if engine == "postgresql" else "EXPLAIN QUERY PLAN "
        plan = "\n".join(str(row[-1]) for row in connection.execute(text(explain + query)))
    assert "inbox_queued" in plan and "inbox_claimed" in plan, plan
    assert "TEMP B-TREE" not in plan and "Sort" not in plan


@pytest.fixture(scope="module")
def kept_store(store_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """One file for all examples, an account for each."""
    path = tmp_path_factory.mktemp("examples") / "store.db"
    shutil.copy(store_template, path)
    opened = Store.open(path, account="ACME", clock=HandClock())
    yield opened
    opened.close()


MOVES = st.lists(st.tuples(st.sampled_from(("put", "claim", "done", "die", "renew")), st.integers(0, 2)), max_size=30)


@given(moves=MOVES)
@settings(max_examples=40)
def test_whatever_happens_each_item_is_finished_once_and_in_its_turn(
    kept_store: Store, moves: list[tuple[str, int]]
) -> None:
    clock = HandClock()
    inbox = Inbox(kept_store._engine, account=uuid4().hex, clock=clock)
    put: list[str] = []
    held: list[Item] = []
    worked_on: list[Item] = []
    for move, number in [*moves, *[("claim", 0), ("done", 0)] * len(moves)]:
        if move == "put":
            put.append(f"{len(put):04}")
            assert send(inbox, put[-1], put[-1], f"conversation {number}")
        elif move == "claim" and (item := inbox.claim("me", LEASE)):
            held.append(item)
        elif move == "done" and held:
            worked_on.append(held.pop(number % len(held)))
            assert inbox.finish(worked_on[-1].id, "me", ItemState.DONE)
        elif move == "renew":
            assert inbox.renew([i.id for i in held], "me", LEASE) == {i.id for i in held}
        elif move == "die":
            clock.advance(seconds=60)
            assert {i.id for i in inbox.take_over("me", LEASE)} == {i.id for i in held}
        assert len({i.conversation for i in held}) == len(held)
    assert sorted(i.id for i in worked_on) == put and not held
    for number in range(3):
        turns = [i.id for i in worked_on if i.conversation == f"conversation {number}"]
        assert turns == sorted(turns)
