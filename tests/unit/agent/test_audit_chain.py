"""Whatever is done to the chain behind the store's back is found."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest

from agent.store import Store
from tests.unit.agent.plans import BOSS, plan

DEEDS = {
    "a changed detail": ['update audit set detail = \'{"digest":"x"}\' where seq = 2'],
    "a changed actor": ["update audit set actor = 'os:mallory' where seq = 2"],
    "a changed time": ["update audit set at = '2020-01-01T00:00:00.000000+00:00' where seq = 1"],
    "a changed event": ["update audit set event = 'declined' where seq = 2"],
    "a changed plan": ["update audit set plan_id = 'p9' where seq = 2"],
    "a removed row": ["delete from audit where seq = 2"],
    "a removed first row": ["delete from audit where seq = 1"],
    "a cut end": ["delete from audit where seq = 4"],
    "everything removed": ["delete from audit"],
    "two rows swapped": [
        "update audit set seq = 99 where seq = 2",
        "update audit set seq = 2 where seq = 3",
        "update audit set seq = 3 where seq = 99",
    ],
    "an inserted row": [
        "insert into audit select 5, at, actor, event, plan_id, detail, hash, '"
        + "a" * 64
        + "' from audit where seq = 4"
    ],
    "a row moved to the end": ["update audit set seq = 9 where seq = 2"],
    "a forgotten head": ["delete from meta where key = 'audit_head'"],
    "a broken detail": ["update audit set detail = 'not json' where seq = 3"],
}


@pytest.fixture
def written(store: Store) -> Store:
    stored = plan()
    store.propose([stored])
    store.approve("p1", stored.digest, BOSS)
    store.audit("denied", "os:bob", "p1", {"why": "role", "text": "ümlaut \u2028 and 'quotes'"})
    store.audit("note", "system")
    assert store.verify_audit().ok
    return store


@pytest.mark.parametrize("deed", DEEDS, ids=str)
def test_every_deed_is_found(written: Store, store_file: Path, deed: str) -> None:
    with sqlite3.connect(store_file) as raw:
        for statement in DEEDS[deed]:
            raw.execute(statement)
    raw.close()
    report = written.verify_audit()
    assert not report.ok and report.problems
    written.audit_rows()  # stays readable


@pytest.mark.parametrize(
    ("deed", "said"),
    [
        ("update plans set state = 'applied'", "plan p1 is applied, but by the chain it is approved"),
        ("update plans set state = 'proposed'", "plan p1 is proposed, but"),
        ('update plans set decided_by = \'{"id":"os:mallory"}\'', "decided by os:grace, but its row says os:mallory"),
        ("update plans set decided_by = null", "but its row says None"),
        ("delete from plans", "plan p1 is gone"),
    ],
)
def test_a_plan_that_is_not_what_the_chain_tells_is_found(
    written: Store, store_file: Path, deed: str, said: str
) -> None:
    with sqlite3.connect(store_file) as raw:
        raw.execute(deed)
    raw.close()
    report = written.verify_audit()
    assert not report.ok and said in report.problems[0]


def test_an_empty_chain_is_whole(store: Store) -> None:
    report = store.verify_audit()
    assert (report.ok, report.rows, report.head) == (True, 0, "0" * 64)


def test_a_denial_is_kept_as_it_was_written(written: Store) -> None:
    row = written.audit_rows("p1")[-1]
    assert (row.event, row.actor, row.detail["text"]) == ("denied", "os:bob", "ümlaut \u2028 and 'quotes'")


def test_appends_of_many_threads_make_one_chain(store: Store) -> None:
    threads = [threading.Thread(target=lambda n=n: [store.audit("note", f"t{n}") for _ in range(10)]) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    report = store.verify_audit()
    assert report.ok and report.rows == 40
