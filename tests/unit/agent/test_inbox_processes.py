"""Several bots on one store, each a real process: every message is one item, and each item has one worker at a time."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from agent.store import ItemState, Store
from tests.engines import fresh_url

BOTS, MESSAGES, CONVERSATIONS = 3, 36, 4

# Intervals are on the monotonic clock, which the machine's processes share; each lies inside the claim it stands for.
BOT = """
import json, random, sys, time
from datetime import UTC, datetime, timedelta
from agent.store import ItemState, Store
class Clock:
    def now(self): return datetime.now(UTC)
url, me = sys.argv[1:3]
def say(**what):
    print(json.dumps(what), flush=True)
def wait():
    say(ready=True); sys.stdin.readline()
store = Store.open(url, account="ACME", clock=Clock())
inbox, lease = store.inbox, timedelta(seconds=float(sys.argv[6]))
wait()
put = 0
for n in range(int(sys.argv[4])):
    keys = [f"event:{me}/{n}", f"message:T1/C1/{n}"]
    conversation = f"c{n % int(sys.argv[5])}"
    put += inbox.put(f"{me}-{n}", keys, kind="mention", conversation=conversation, order=f"{n:05}", body={"n": n})
say(put=put)
wait()
if sys.argv[3] == "dies":
    say(claimed=inbox.claim(me, lease).id)
    while True: time.sleep(1)
idle = 0
while idle < 2:  # nothing to do, and nobody who holds anything
    item = inbox.claim(me, lease)
    if item is None:
        waiting = inbox.waiting()
        idle = idle + 1 if not waiting.count and not waiting.claimed else 0
        for taken in inbox.take_over(me, lease):
            say(taken=taken.id, attempts=taken.attempts, conversation=taken.conversation, n=taken.body["n"])
            assert inbox.finish(taken.id, me, ItemState.INTERRUPTED)
        time.sleep(0.005)
        continue
    start = time.monotonic()
    time.sleep(random.random() * 0.01)
    end = time.monotonic()
    assert inbox.finish(item.id, me, ItemState.DONE)
    say(n=item.body["n"], conversation=item.conversation, start=start, end=end)
store.close()
"""


class Bot:
    def __init__(self, url: str, name: str, way: str, lease_s: float) -> None:
        args = [url, name, way, str(MESSAGES), str(CONVERSATIONS), str(lease_s)]
        self.process = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", BOT, *args],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def hear(self) -> dict[str, Any]:
        assert self.process.stdout
        said = json.loads(self.process.stdout.readline())
        assert isinstance(said, dict)
        return said

    def go(self) -> None:
        assert self.process.stdin
        assert self.hear() == {"ready": True}
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def rest(self) -> list[dict[str, Any]]:
        out, _ = self.process.communicate(timeout=60)
        assert self.process.returncode == 0
        return [json.loads(line) for line in out.splitlines()]


class WallClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


@contextmanager
def bots(url: str, *ways: str, lease_s: float) -> Iterator[list[Bot]]:
    """They have put the same messages, each under event ids of its own, and stand before the first claim."""
    Store.open(url, account="ACME", clock=WallClock()).close()
    started = [Bot(url, f"bot{i}", way, lease_s) for i, way in enumerate(ways)]
    try:
        for bot in started:
            bot.go()
        assert sum(bot.hear()["put"] for bot in started) == MESSAGES
        for bot in started:
            bot.go()
        yield started
    finally:
        for bot in started:
            bot.process.kill()
            bot.process.communicate()


def test_one_item_a_message_one_worker_a_conversation_and_the_order_kept(engine: str, tmp_path: Path) -> None:
    with fresh_url(engine, tmp_path) as url, bots(url, *["works"] * BOTS, lease_s=60) as running:
        told = [bot.rest() for bot in running]
    done = sorted((line for lines in told for line in lines), key=lambda line: float(line["start"]))
    assert sorted(line["n"] for line in done) == list(range(MESSAGES))
    assert sum(1 for lines in told if lines) > 1, "one process did it all: nothing was shown"
    for conversation in range(CONVERSATIONS):
        turns = [line for line in done if line["conversation"] == f"c{conversation}"]
        assert [t["n"] for t in turns] == sorted(t["n"] for t in turns)
        assert all(one["end"] <= two["start"] for one, two in pairwise(turns))


def test_what_killed_processes_held_is_taken_over_once_and_the_rest_is_done(engine: str, tmp_path: Path) -> None:
    with fresh_url(engine, tmp_path) as url:
        with bots(url, "dies", "dies", "works", "works", lease_s=3) as running:
            left = {bot.hear()["claimed"] for bot in running[:2]}
            for bot in running[:2]:
                bot.process.kill()
            told = [line for bot in running[2:] for line in bot.rest()]
        taken = [line for line in told if "taken" in line]
        assert sorted(line["taken"] for line in taken) == sorted(left)
        assert {line["attempts"] for line in taken} == {2}
        assert sorted(line["n"] for line in told) == list(range(MESSAGES))
        store = Store.open(url, account="ACME", clock=WallClock())
        states = [item.state for name in left if (item := store.inbox.get(name))]
        assert states == [ItemState.INTERRUPTED] * 2
        assert store.inbox.prune(datetime.now(UTC) + timedelta(seconds=1)) == MESSAGES
        store.close()
