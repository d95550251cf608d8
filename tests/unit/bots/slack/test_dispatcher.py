"""Several processes on one store: each item is worked on once, a conversation in order, and nobody is forgotten."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import pytest

from agent.runtime import SystemClock
from agent.store import Store
from agent.store.inbox import ItemState
from bots.slack.answering import Answering
from bots.slack.claims import Claim, ClaimLost
from bots.slack.dispatcher import Dispatcher
from tools.errors import Unreachable

WORKER = """
import json, os, sys, time
from agent.runtime import SystemClock
from agent.store import Store
from agent.store.inbox import ItemState
from bots.slack.dispatcher import Dispatcher
store_file, log, by = sys.argv[1:4]
out = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
def say(**what):
    os.write(out, (json.dumps({"by": by, **what}) + "\\n").encode())
class Answering:
    def work(self, claim):
        claim.note(phase="asking")
        start = time.monotonic()
        if claim.item.body.get("hangs") and by == "p0":
            say(hangs=claim.id)
            time.sleep(60)
        time.sleep(0.01)
        claim.note(phase="posting")
        say(id=claim.id, conversation=claim.item.conversation, order=claim.item.order, start=start,
            end=time.monotonic())
        claim.finish(ItemState.DONE)
    def recover(self, claim):
        say(recovered=claim.id, attempts=claim.item.attempts)
        claim.finish(ItemState.INTERRUPTED)
    def tell_failed(self, claim, name):
        say(failed=claim.id)
from pathlib import Path
store = Store.open(Path(store_file), account="ACME", clock=SystemClock())
dispatcher = Dispatcher(store.inbox, Answering(), by=by, workers=3, lease_s=1.5, poll_s=0.05)
dispatcher.start()
say(ready=True)
sys.stdin.readline()
dispatcher.stop(5)
store.close()
"""


def open_store(folder: Path, template: Path) -> Store:
    shutil.copy(template, folder / "store.db")
    return Store.open(folder / "store.db", account="ACME", clock=SystemClock())


def said(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


def until(found: Any, timeout: float = 30.0) -> Any:
    end = time.monotonic() + timeout
    while not (result := found()):
        assert time.monotonic() < end, "not in time"
        time.sleep(0.02)
    return result


def start(folder: Path, by: str) -> subprocess.Popen[str]:
    args = [sys.executable, "-W", "error", "-c", WORKER, str(folder / "store.db"), str(folder / "log"), by]
    return subprocess.Popen(args, stdin=subprocess.PIPE, text=True)


def test_three_processes_answer_each_once_and_in_order_while_one_is_killed(
    tmp_path: Path, store_template: Path
) -> None:
    store, log = open_store(tmp_path, store_template), tmp_path / "log"
    first = start(tmp_path, "p0")
    until(lambda: [x for x in said(log) if x.get("ready")])
    store.inbox.put("hang", (), kind="mention", conversation="ch", order="000", body={"hangs": True})
    store.inbox.put("after", (), kind="mention", conversation="ch", order="001", body={})
    until(lambda: [x for x in said(log) if x.get("hangs")])
    others = [start(tmp_path, f"p{n}") for n in (1, 2)]
    until(lambda: len([x for x in said(log) if x.get("ready")]) == 3)
    first.send_signal(signal.SIGKILL)
    first.communicate(timeout=5)
    for n in range(60):  # out of order, and each twice
        order = n + 1 if n % 2 == 0 else n - 1
        for _ in range(2):
            keys = (f"event:{n}", f"message:{n}")
            store.inbox.put(f"i{n}", keys, kind="mention", conversation=f"c{n % 5}", order=f"{order:03}", body={})
    until(lambda: store.inbox.waiting().count == 0 and store.inbox.waiting().claimed == 0)
    for process in others:
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(15) == 0
    events = said(log)
    store.close()
    done = [x for x in events if "id" in x and x["by"] != "p0"] + [x for x in events if "id" in x and x["by"] == "p0"]
    assert max(Counter(x["id"] for x in done).values()) == 1
    assert {x["id"] for x in done} == {f"i{n}" for n in range(60)} | {"after"}
    assert [x["recovered"] for x in events if "recovered" in x] == ["hang"]
    for conversation in {x["conversation"] for x in done}:
        mine = sorted((x for x in done if x["conversation"] == conversation), key=lambda x: x["start"])
        assert all(a["end"] <= b["start"] for a, b in pairwise(mine))
    recovered = next(i for i, x in enumerate(events) if "recovered" in x)
    assert recovered < next(i for i, x in enumerate(events) if x.get("id") == "after")


# --- in one process --------------------------------------------------------------------------------------------------


class Scripted:
    def __init__(self) -> None:
        self.worked: list[str] = []
        self.recovered: list[str] = []
        self.failed: list[str] = []
        self.on_work: Any = lambda claim: None
        self.on_tell: Any = lambda claim: claim.finish(ItemState.INTERRUPTED)

    def work(self, claim: Claim) -> None:
        self.worked.append(claim.id)
        self.on_work(claim)
        claim.finish(ItemState.DONE)

    def recover(self, claim: Claim) -> None:
        self.recovered.append(claim.id)
        claim.finish(ItemState.INTERRUPTED)

    def tell_failed(self, claim: Claim, name: str) -> None:
        self.failed.append(claim.id)
        self.on_tell(claim)

    def broke_off(self, claim: Claim) -> None: ...


def dispatcher(store: Store, script: Scripted, **options: Any) -> Dispatcher:
    chosen = {"by": "p1", "workers": 1, "lease_s": 0.6, "poll_s": 0.02} | options
    return Dispatcher(store.inbox, cast(Answering, script), **chosen)


def put(store: Store, name: str, conversation: str = "c") -> None:
    store.inbox.put(name, (), kind="mention", conversation=conversation, order=name, body={})


def test_a_long_question_keeps_its_lease(tmp_path: Path, store_template: Path) -> None:
    store, script = open_store(tmp_path, store_template), Scripted()
    script.on_work = lambda claim: time.sleep(4.5)
    works, watches = dispatcher(store, script, lease_s=2), dispatcher(store, script, by="p2", lease_s=2)
    put(store, "a")
    works.start()
    until(lambda: script.worked)
    watches.start()
    until(lambda: store.inbox.waiting().claimed == 0)
    works.stop(2)
    watches.stop(2)
    assert script.worked == ["a"]
    assert script.recovered == []
    store.close()


def test_one_failure_ends_neither_the_worker_nor_the_conversation(tmp_path: Path, store_template: Path) -> None:
    store, script = open_store(tmp_path, store_template), Scripted()

    def work(claim: Claim) -> None:
        if claim.id in ("a", "b"):
            raise ZeroDivisionError
        if claim.id == "c":
            raise ClaimLost

    def tell(claim: Claim) -> None:
        if claim.id == "b":
            raise KeyError("again")
        claim.finish(ItemState.INTERRUPTED)

    script.on_work, script.on_tell = work, tell
    running = dispatcher(store, script)
    for name in "abcd":
        put(store, name, f"c-{name}")
    running.start()
    until(lambda: len(script.worked) == 4)
    assert script.failed == ["a", "b"]
    assert running.is_alive
    until(lambda: set(script.recovered) == {"b", "c"})  # what nobody finished is taken up again
    assert running.stop(2)
    store.close()


def test_what_broke_off_leaves_workers_for_new_questions(tmp_path: Path, store_template: Path) -> None:
    store, script = open_store(tmp_path, store_template), Scripted()
    go, at = threading.Event(), []

    def recover(claim: Claim) -> None:
        at.append(claim.id)
        go.wait(10)
        claim.finish(ItemState.INTERRUPTED)

    script.recover = recover  # type: ignore[method-assign]
    for name in "abcd":
        put(store, name, f"c-{name}")
        store.inbox.claim("gone", timedelta(seconds=0))
    running = dispatcher(store, script, workers=4)
    running.start()
    until(lambda: len(at) == 2)
    put(store, "new", "c-new")
    until(lambda: script.worked == ["new"], 3)
    assert len(at) == 2
    go.set()
    until(lambda: sorted(at) == list("abcd"))
    assert running.stop(5)
    store.close()


def test_no_thread_ends_whatever_the_store_raises(
    tmp_path: Path, store_template: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, script = open_store(tmp_path, store_template), Scripted()
    failures = {"claim": 3, "renew": 1}

    def failing(name: str) -> Any:
        real = getattr(store.inbox, name)

        def call(*arguments: Any) -> Any:
            if failures[name]:
                failures[name] -= 1
                raise ZeroDivisionError
            return real(*arguments)

        return call

    for name in failures:
        monkeypatch.setattr(store.inbox, name, failing(name))
    running = dispatcher(store, script)
    put(store, "a")
    running.start()
    until(lambda: script.worked == ["a"] and not any(failures.values()))
    assert running.is_alive
    assert running.stop(2)
    store.close()


def test_what_breaks_off_because_slack_is_away_goes_on_later(tmp_path: Path, store_template: Path) -> None:
    store, script = open_store(tmp_path, store_template), Scripted()

    def work(claim: Claim) -> None:
        raise Unreachable("away")

    script.on_work = work
    running = dispatcher(store, script)
    put(store, "a")
    running.start()
    until(lambda: script.recovered == ["a"])
    running.stop(2)
    assert script.failed == []
    store.close()


def test_a_new_item_is_taken_at_once_and_stopping_waits_for_what_runs(tmp_path: Path, store_template: Path) -> None:
    store, script = open_store(tmp_path, store_template), Scripted()
    go = threading.Event()
    script.on_work = lambda claim: go.wait(20)
    running = dispatcher(store, script, poll_s=30)
    running.start()
    time.sleep(0.1)
    put(store, "a")
    running.wake()
    until(lambda: script.worked, 20)
    put(store, "b", "other")
    threading.Timer(0.3, go.set).start()
    assert running.stop(20)
    item = store.inbox.get("a")
    assert item is not None
    assert item.state is ItemState.DONE
    assert script.worked == ["a"]  # and nothing new was begun
    store.close()


def test_stopping_does_not_wait_for_ever(tmp_path: Path, store_template: Path) -> None:
    store, script = open_store(tmp_path, store_template), Scripted()
    go = threading.Event()
    script.on_work = lambda claim: go.wait(10)
    running = dispatcher(store, script)
    put(store, "a")
    running.start()
    until(lambda: script.worked)
    assert not running.stop(0.2)
    go.set()
    until(lambda: store.inbox.waiting().claimed == 0)
    store.close()
