"""`make bench`: a day's questions in Slack within minutes, answered by a real `frostline slack` process.

2,000 messages of 50 people in 20 channels of the loopback Slack, at a steady rate, in threads with follow-ups; one in
a hundred is delivered twice, and the connection is cut or refreshed again and again. Shown: each is answered once and
in its thread's order; how long people wait, against the same questions asked of the runtime one after another; and
the process's memory at the start and at the end.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests import account
from tests.slack_server.delivery import Delivery
from tests.slack_server.server import SlackServer
from tests.slack_server.things import Posted

QUESTIONS = (
    "credits by warehouse last week",
    "How many credits did we use last week, compared with the week before?",
    "credits per day last 10 days",
    "list warehouses",
    "number of queries by user yesterday",
    "failed queries last week",
    "queueing on BI_WH last week",
    "credits of LOAD_WH yesterday",
)
_PEOPLE, _CHANNELS, _FOLLOW_UPS, _TWICE, _CUT_EVERY = 50, 20, 0.4, 0.01, 250
_PATIENCE_S = 120.0


@dataclass
class Watch:
    """Sees every answer at the moment at which it is complete."""

    slack: SlackServer
    channels: list[str]
    asked: dict[str, float] = field(default_factory=dict)
    """Item -> when it was sent."""
    sent: dict[str, list[Delivery]] = field(default_factory=dict)
    """... and its deliveries: the mention and the message."""
    answered: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    order: list[str] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)
    _seen: Counter[str] = field(default_factory=Counter)
    _open: list[Posted] = field(default_factory=list)

    def run(self) -> None:
        while not self.stopped.wait(0.02):
            self.look()

    def look(self) -> None:
        with self.slack.world.lock:
            for channel in self.channels:
                messages = self.slack.world.channels[channel].messages
                new = list(itertools.islice(messages.values(), self._seen[channel], None))
                self._seen[channel] += len(new)
                self._open += [m for m in new if m.bot_id == self.slack.world.bot_id]
            done = [m for m in self._open if m.stream_state != "streaming" and _item(m)]
            self._open = [m for m in self._open if m.stream_state == "streaming"]
        for message in done:
            item = _item(message)
            self.answered[item].append(time.monotonic())
            self.order.append(item)

    def arrived(self, item: str) -> float:
        """When it first reached the bot: what went into a dead connection came again three seconds later."""
        return min((d.attempts[-1].at for d in self.sent[item] if d.acked and d.attempts), default=self.asked[item])

    @property
    def missing(self) -> int:
        return len(self.asked.keys() - self.answered.keys())


def _item(message: Posted) -> str:
    """The question that a message is the first answer to; empty for all others."""
    key = str(((message.metadata or {}).get("event_payload") or {}).get("key") or "")
    return key.removeprefix("answer:").removesuffix(":0") if key.startswith("answer:") and key.endswith(":0") else ""


def run(events: int, rate: float, workers: int) -> list[str]:
    with tempfile.TemporaryDirectory() as folder, SlackServer(keep_calls=False, real_time=True) as slack:
        home = account.new_home(account.template(Path(folder)), Path(folder) / "home")
        try:
            alone = _alone(home)
            with _bot(home, slack, workers) as bot:
                watch, memory, counts = _drive(slack, bot, events, rate)
        finally:
            account.stop_server(home)
        return _report(slack, watch, memory, counts, alone, rate)


def _alone(home: Path) -> float:
    """Median seconds of the same questions without Slack: a process of its own, one after another."""
    code = (
        "import time, statistics; from agent.runtime import Runtime; from agent.settings import load_settings\n"
        f"questions = {QUESTIONS!r}\n"
        "with Runtime.open(load_settings('demo')) as r:\n"
        "    def ask(q):\n"
        "        began = time.perf_counter()\n"
        "        r.ask(q, thread=r.new_id(), person=r.person())\n"
        "        return time.perf_counter() - began\n"
        "    [ask(q) for q in questions]\n"
        "    print(statistics.median(ask(q) for q in questions * 3))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=account.ROOT,
        env=account.environment(home),
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout)


@contextlib.contextmanager
def _bot(home: Path, slack: SlackServer, workers: int) -> Iterator[subprocess.Popen[bytes]]:
    env = account.environment(
        home,
        FROSTLINE_SLACK__BASE_URL=slack.base_url,
        FROSTLINE_SLACK__BOT_TOKEN=slack.bot_token,
        FROSTLINE_SLACK__APP_TOKEN=slack.app_token,
        FROSTLINE_SLACK__WORKERS=str(workers),
    )
    with (home / "bot.log").open("wb") as log:
        bot = subprocess.Popen(
            [sys.executable, "-m", "bots.cli.main", "slack"], cwd=account.ROOT, env=env, stdout=log, stderr=log
        )
        try:
            slack.wait_for(lambda: slack.connections or bot.poll() is not None, 60)
            if bot.poll() is not None:
                raise SystemExit((home / "bot.log").read_text())
            yield bot
        finally:
            bot.terminate()
            bot.wait(60)


def _drive(
    slack: SlackServer, bot: subprocess.Popen[bytes], events: int, rate: float
) -> tuple[Watch, list[float], Counter[str]]:
    chance = random.Random(2026)
    people = [slack.add_user(f"person-{n}") for n in range(_PEOPLE)]
    channels = [slack.add_channel(f"channel-{n}", people) for n in range(_CHANNELS)]
    watch = Watch(slack, channels)
    watcher = threading.Thread(target=watch.run, daemon=True)
    watcher.start()
    memory: list[float] = []
    counts: Counter[str] = Counter()
    threads: list[tuple[str, str, str]] = []
    began = time.monotonic()
    for number in range(events):
        time.sleep(max(0.0, began + number / rate - time.monotonic()))
        _ask(slack, watch, chance, people, channels, threads)
        if chance.random() < _TWICE:
            slack.deliver_again(slack.deliveries[-1])
            counts["twice"] += 1
        if number % _CUT_EVERY == _CUT_EVERY - 1:
            slack.disconnect("abrupt" if counts["cut"] % 2 else "refresh")
            counts["cut"] += 1
        memory.append(_resident_mb(bot.pid))
        _progress(number + 1, events, watch)
    with contextlib.suppress(AssertionError):
        slack.wait_for(lambda: not watch.missing, _PATIENCE_S)
    time.sleep(2)  # a second answer would come late, if it came
    watch.stopped.set()
    watcher.join()
    watch.look()
    memory.append(_resident_mb(bot.pid))
    return watch, memory, counts


def _ask(
    slack: SlackServer,
    watch: Watch,
    chance: random.Random,
    people: list[str],
    channels: list[str],
    threads: list[tuple[str, str, str]],
) -> None:
    """A new thread, or one more question by the same person in a thread of theirs, answered or not yet."""
    if threads and chance.random() < _FOLLOW_UPS:
        person, channel, root = chance.choice(threads[-40:])
        sent = time.monotonic()
        ts = slack.say(person, channel, chance.choice(QUESTIONS), thread_ts=root, mention=False)
    else:
        person, channel = chance.choice(people), chance.choice(channels)
        sent = time.monotonic()
        ts = slack.say(person, channel, chance.choice(QUESTIONS))
        threads.append((person, channel, ts))
    item = f"message:{slack.team}/{channel}/{ts}"
    watch.sent[item] = [each for each in slack.deliveries[-4:] if each.payload.get("event", {}).get("ts") == ts]
    watch.asked[item] = sent


def _resident_mb(pid: int) -> float:
    found = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return int(found or 0) / 1024


def _progress(done: int, events: int, watch: Watch) -> None:
    if done % max(1, events // 20) == 0:
        sys.stderr.write(f"slack: {done} of {events} sent, {len(watch.answered)} answered\n")


def _report(
    slack: SlackServer, watch: Watch, memory: list[float], counts: Counter[str], alone: float, rate: float
) -> list[str]:
    waits = sorted(times[0] - watch.asked[item] for item, times in watch.answered.items() if item in watch.asked)
    twice = [item for item, times in watch.answered.items() if len(times) > 1]
    tenth = max(1, len(memory) // 10)
    early, late = statistics.median(memory[tenth : 2 * tenth]), statistics.median(memory[-tenth:])
    shares = {share: waits[min(len(waits) - 1, int(len(waits) * share))] for share in (0.5, 0.95, 0.99)}
    own = sorted(
        times[0] - watch.arrived(item) - alone for item, times in watch.answered.items() if item in watch.asked
    )
    again = sum(watch.arrived(item) - sent > 1 for item, sent in watch.asked.items())
    return [
        f"slack      {len(watch.asked)} messages of {_PEOPLE} people in {_CHANNELS} channels at {rate:g} a second; "
        f"{counts['twice']} delivered twice, {counts['cut']} disconnections",
        f"           answered {len(waits)}, missing {watch.missing}, twice {len(twice)}, out of order "
        f"{_out_of_order(watch)}, breaches of Slack's rules {len(slack.violations)}",
        f"           from message to whole answer: median {shares[0.5]:.2f} s, p95 {shares[0.95]:.2f} s, "
        f"p99 {shares[0.99]:.2f} s; the same questions alone: median {alone:.2f} s "
        f"(ours/alone {shares[0.5] / alone:.2f})",
        f"           Frostline's own overhead (from arrival, less the time of a question alone): "
        f"median {statistics.median(own):.2f} s, p95 {own[int(len(own) * 0.95)]:.2f} s; "
        f"{again} messages arrived late, since they went into a dead connection first",
        f"           memory of the bot: {early:.0f} MB after a tenth, {late:.0f} MB at the end ({late / early:.3f})",
    ]


def _out_of_order(watch: Watch) -> int:
    """Answers that came before that of an older message which had been sent to the same thread."""
    roots: dict[str, str] = {}
    for channel in watch.channels:
        for message in watch.slack.world.channels[channel].messages.values():
            if message.user != watch.slack.world.bot_user and message.bot_id is None:
                item = f"message:{watch.slack.team}/{channel}/{message.ts}"
                roots[item] = f"{channel}/{message.thread_ts or message.ts}"
    newest: dict[str, str] = {}
    wrong = 0
    for item in watch.order:
        root = roots.get(item)
        if root is not None:
            wrong += item < newest.get(root, "")
            newest[root] = max(item, newest.get(root, ""))
    return wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=2000)
    parser.add_argument("--rate", type=float, default=4.0, help="messages a second")
    parser.add_argument("--workers", type=int, default=4)
    given = parser.parse_args()
    sys.stdout.write("\n".join(run(given.events, given.rate, given.workers)) + "\n")


if __name__ == "__main__":
    main()
