"""The doors: real Bolt, the real Socket Mode client and a real HTTP server, against a strict Slack on loopback."""

from __future__ import annotations

import json
import logging
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlencode

import pytest

from agent.runtime import Runtime, SystemClock
from agent.settings import SlackSettings
from agent.state import Step
from agent.store import Store
from bots.slack import serve
from bots.slack.service import SlackBot
from bots.slack.signature import LARGEST_BODY, is_signed
from tests.slack_server.server import SlackServer
from tests.unit.bots.slack.scripted import ScriptedRuntime, simple
from tools.errors import BadSettings, ChannelRefused, Unreachable


class Running:
    def __init__(self, slack: SlackServer, bot: SlackBot, runtime: ScriptedRuntime, http: serve.HttpDoor) -> None:
        self.slack, self.bot, self.runtime, self.port = slack, bot, runtime, http.port
        self.ann = slack.add_user("ann")
        self.room = slack.add_channel("room", [self.ann])

    def answers(self, ts: str, count: int = 1, channel: str | None = None) -> list[str]:
        """Once that many questions of a thread are answered."""
        place = channel or self.room

        def found() -> list[Any]:
            return [m for m in self.slack.posted(place, ts) if m.stream_state == "stopped"]

        self.slack.wait_for(lambda: len(found()) >= count)
        self.slack.settle()
        waiting = self.runtime.store.inbox.waiting
        self.slack.wait_for(lambda: waiting().count + waiting().claimed == 0)
        return [m.text for m in found()]

    def get(self, path: str) -> tuple[int, Any]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=5)
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return answer.status, json.loads(body) if body.startswith(b"{") else body


def bot_on(slack: SlackServer, folder: Path, template: Path, **settings: Any) -> tuple[SlackBot, ScriptedRuntime]:
    folder.mkdir(exist_ok=True)
    shutil.copy(template, folder / "store.db")
    runtime = ScriptedRuntime(Store.open(folder / "store.db", account="ACME", clock=SystemClock()))
    chosen = {
        "bot_token": slack.bot_token,
        "app_token": slack.app_token,
        "signing_secret": slack.signing_secret,
        "base_url": slack.base_url,
        "port": 0,
        "refresh_s": 1,
    } | settings
    return SlackBot(cast(Runtime, runtime), SlackSettings.model_validate(chosen)), runtime


@contextmanager
def running(folder: Path, template: Path, **settings: Any) -> Iterator[Running]:
    with SlackServer() as slack:
        bot, runtime = bot_on(slack, folder, template, **settings)
        doors, stop = serve.doors_of(bot), threading.Event()
        options = {"stop": stop, "doors": doors, "grace_s": 5}
        thread = threading.Thread(target=serve.run, args=(bot,), kwargs=options)
        thread.start()
        try:
            slack.wait_for(lambda: bot.connected())
            (http,) = (door for door in doors if isinstance(door, serve.HttpDoor))
            slack.wait_for(lambda: http.port)
            if settings.get("mode") == "http":
                slack.deliver_to(f"http://127.0.0.1:{http.port}/slack/events")
            yield Running(slack, bot, runtime, http)
        finally:
            stop.set()
            thread.join(20)
            runtime.store.close()
        assert not thread.is_alive()
        assert slack.violations == []
        assert slack.user_errors == []


@pytest.fixture(scope="module")
def sockets(tmp_path_factory: pytest.TempPathFactory, store_template: Path) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("sockets"), store_template, health=True) as bot:
        yield bot


@pytest.fixture(scope="module")
def by_http(tmp_path_factory: pytest.TempPathFactory, store_template: Path) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("http"), store_template, mode="http") as bot:
        yield bot


@pytest.fixture(params=["sockets", "by_http"])
def bot(request: pytest.FixtureRequest) -> Running:
    found = request.getfixturevalue(request.param)
    assert isinstance(found, Running)
    return found


# --- either way ------------------------------------------------------------------------------------------------------


def test_a_mention_comes_as_two_events_and_gets_one_answer(bot: Running) -> None:
    ts = bot.slack.say(bot.ann, bot.room, "what did we <!channel> spend?")
    (answer,) = bot.answers(ts)
    assert "what did we" in answer
    assert "<!channel>" not in answer


def test_follow_ups_of_whoever_asked(bot: Running) -> None:
    slack = bot.slack
    bob = slack.add_user("bob")
    slack.channel(bot.room).members.add(bob)
    ts = slack.say(bot.ann, bot.room, "first")
    bot.answers(ts)
    slack.say(bob, bot.room, "not asked by me", ts, mention=False)
    slack.say(bot.ann, bot.room, f"<@{bob}> what do you think?", ts, mention=False)
    slack.say(bot.ann, bot.room, "second", ts, mention=False)
    slack.settle()
    answers = bot.answers(ts, 2)
    assert ["first" in answers[0], "second" in answers[1], len(answers)] == [True, True, 2]
    slack.say(bob, bot.room, "now me", ts)
    bot.answers(ts, 3)
    slack.say(bot.ann, bot.room, "not mine any more", ts, mention=False)
    slack.settle()
    assert len(bot.answers(ts, 3)) == 3
    stranger = slack.say(bot.ann, bot.room, "no bot here", mention=False)
    slack.say(bot.ann, bot.room, "nor here", stranger, mention=False)
    slack.settle()
    assert slack.posted(bot.room, stranger) == []


def test_what_is_not_a_question_is_acknowledged_and_left_alone(bot: Running) -> None:
    slack = bot.slack
    ts = slack.say(bot.ann, bot.room, "answered")
    bot.answers(ts)
    asked = len(bot.runtime.asked)
    slack.edit(bot.ann, bot.room, ts, f"<@{slack.bot_user}> edited")
    slack.unfurl(bot.room, ts)
    other = slack.bot_says(bot.room, f"<@{slack.bot_user}> I am a bot too")
    slack.say(bot.ann, bot.room, "to all", ts, mention=False, broadcast=True)
    slack.delete(bot.room, other)
    slack.settle()
    time.sleep(0.2)
    assert len(bot.runtime.asked) == asked


def test_direct_messages_home_and_prompts(bot: Running) -> None:
    slack = bot.slack
    direct = slack.direct(bot.ann)
    slack.open_dm(bot.ann)
    ts = slack.say(bot.ann, direct, "credits?")
    assert "credits?" in bot.answers(ts, channel=direct)[0]
    assert slack.session(direct, ts)["title"] == "credits?"
    (prompts,) = slack.wait_for(lambda: slack.called("assistant.threads.setSuggestedPrompts"))
    assert "thread_ts" not in prompts.args


def test_a_command_help_and_a_button_of_nobody(bot: Running) -> None:
    slack = bot.slack
    slack.command(bot.ann, bot.room, "  help ").wait()
    (told,) = slack.wait_for(lambda: [e for e in slack.ephemerals if e.ephemeral_to == bot.ann])
    assert "Ask" in str(told.blocks)
    slack.command(bot.ann, bot.room, "credits yesterday").wait()
    slack.wait_for(lambda: "credits yesterday" in bot.runtime.asked)
    roots = slack.wait_for(lambda: [m for m in slack.posted(bot.room) if "asked: credits" in m.text])
    assert len(roots) == 1
    assert len(bot.answers(roots[0].ts)) == 1


def test_the_stop_button_ends_a_run(bot: Running) -> None:
    reached, go = threading.Event(), threading.Event()

    def waits(text: str, on_step: Callable[[Step], None]) -> str:
        on_step(Step(1, "t", "Reading usage", "started"))
        reached.set()
        go.wait(10)
        on_step(Step(1, "t", "Reading usage", "done"))
        return "never said"

    bot.runtime.script = waits
    try:
        ts = bot.slack.say(bot.ann, bot.room, "long work")
        assert reached.wait(10)
        bot.slack.stop(bot.ann, bot.room, ts)
        bot.slack.settle()
        go.set()
        told = bot.slack.wait_for(lambda: [m for m in bot.slack.posted(bot.room, ts) if "Stopped." in m.text])
    finally:
        bot.runtime.script = simple
        go.set()
    assert len(told) == 1
    bot.slack.wait_for(lambda: bot.slack.session(bot.room, ts)["status"] == "active")
    assert "never said" not in str([m.text for m in bot.slack.posted(bot.room, ts)])


def test_health(bot: Running) -> None:
    bot.slack.wait_for(lambda: bot.bot.health()["waiting"] == 0)
    status, body = bot.get("/healthz")
    assert status == 200
    assert set(body) == {"status", "mode", "connected", "waiting", "oldest_seconds", "claimed"}
    assert body["status"] == "ok"
    assert body["connected"] is True


# --- sockets ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["refresh", "abrupt"])
def test_it_connects_again(sockets: Running, kind: Any) -> None:
    slack = sockets.slack
    before = slack.connection_names
    slack.disconnect(kind)
    slack.wait_for(lambda: slack.connection_names not in ([], before) and sockets.bot.connected(), 10)
    ts = slack.say(sockets.ann, sockets.room, f"after {kind}")
    assert len(sockets.answers(ts)) == 1


def test_without_a_socket_it_is_not_healthy(sockets: Running) -> None:
    connected = sockets.bot.connected
    sockets.bot.connected = lambda: False
    try:
        status, body = sockets.get("/healthz")
    finally:
        sockets.bot.connected = connected
    assert (status, body["status"]) == (503, "disconnected")


def test_events_are_not_taken_at_the_health_port(sockets: Running) -> None:
    connection = HTTPConnection("127.0.0.1", sockets.port, timeout=5)
    connection.request("POST", "/slack/events", body=b"{}")
    assert connection.getresponse().status == 404
    connection.close()


# --- HTTP ------------------------------------------------------------------------------------------------------------

BODY = b'{"type":"url_verification","challenge":"c"}'


def test_the_challenge_is_answered(by_http: Running) -> None:
    answer = by_http.slack.post_raw(BODY)
    assert answer.status == 200
    assert b"c" in answer.body


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (BODY, {"X-Slack-Signature": "v0=" + "0" * 64}, 401),
        (BODY, {"X-Slack-Signature": ""}, 401),
        (BODY, {"X-Slack-Signature": "v0=\xe9"}, 401),
        (BODY, {"X-Slack-Request-Timestamp": "soon"}, 401),
        (BODY, {"X-Slack-Request-Timestamp": "\xb2"}, 401),
        (BODY, {"X-Slack-Request-Timestamp": ""}, 401),
        (BODY, {"X-Slack-Request-Timestamp": "1"}, 401),
        (b"\xff\xfe", {}, 401),
        (b"{not json", {}, 400),
        (b"[]", {}, 400),
        (b"x" * (LARGEST_BODY + 1), {}, 413),
        (urlencode({"ssl_check": "1"}).encode(), {"X-Slack-Signature": ""}, 401),
    ],
)
def test_what_is_not_slacks_is_refused(
    by_http: Running, body: bytes, headers: dict[str, str], status: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "frostline")
    answer = by_http.slack.post_raw(body, headers=headers)
    assert answer.status == status
    assert "challenge" not in caplog.text


def test_a_replayed_request_gets_no_second_answer(by_http: Running) -> None:
    slack = by_http.slack
    ts = slack.say(by_http.ann, by_http.room, "once")
    by_http.answers(ts)
    for delivery in [d for d in slack.deliveries if ts in json.dumps(d.payload)]:
        assert slack.post_raw(json.dumps(delivery.payload).encode()).status == 200
    assert len(by_http.answers(ts)) == 1
    assert by_http.runtime.asked.count("once") == 1


def test_signatures() -> None:
    import hashlib
    import hmac

    def signed(body: bytes, stamp: str, secret: str = "s") -> str:
        return "v0=" + hmac.new(secret.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256).hexdigest()

    good = signed(b"x", "1000")
    assert is_signed(b"x", "1000", good, "s", now=1300)
    assert is_signed(b"x", "1000", good, "s", now=700)
    assert not is_signed(b"x", "1000", good, "s", now=1301)
    assert not is_signed(b"x", "1000", good, "s", now=699)
    assert not is_signed(b"y", "1000", good, "s", now=1000)
    assert not is_signed(b"x", "1000", good, "other", now=1000)
    assert not is_signed(b"x", "1000", signed(b"x", "1000", ""), "", now=1000)
    assert not is_signed(b"x", "+1000", signed(b"x", "+1000"), "s", now=1000)
    assert not is_signed(b"\xff", "1000", signed(b"\xff", "1000"), "s", now=1000)


# --- what is missing -------------------------------------------------------------------------------------------------


def test_missing_and_refused_tokens_are_said(tmp_path: Path, store_template: Path) -> None:
    with SlackServer() as slack:
        with pytest.raises(BadSettings, match="bot token"):
            bot_on(slack, tmp_path / "a", store_template, bot_token=None)
        with pytest.raises(ChannelRefused) as refused:
            bot_on(slack, tmp_path / "b", store_template, bot_token="xoxb-wrong")
        assert refused.value.reason == "invalid_auth"
        for number, (settings, error) in enumerate(
            [
                ({"app_token": None}, BadSettings),
                ({"app_token": "xapp-wrong"}, ChannelRefused),
                ({"mode": "http", "signing_secret": None}, BadSettings),
                ({"mode": "http", "port": slack.port}, Unreachable),
            ]
        ):
            bot, runtime = bot_on(slack, tmp_path / f"c{number}", store_template, **settings)
            with pytest.raises(error):
                serve.run(bot, stop=threading.Event(), grace_s=1)
            runtime.store.close()
