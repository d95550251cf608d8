"""A workspace and Frostline in it: the loopback Slack, a demo account, people of every role, the real bot.

The bot runs in this process through `serve.run`: the SDK's websocket client and Bolt's SocketModeHandler (or the HTTP
server), as `frostline slack` runs it. `command_environment` is what a bot process of its own needs.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from agent.runtime import Runtime, WriterFactory
from agent.settings import Settings, load_settings
from agent.state import Turn
from agent.store.inbox import Item, ItemState
from bots.slack import serve
from bots.slack.people import GroupDirectory, group_directory
from bots.slack.service import SlackBot
from tests import account
from tests.slack_server.server import SlackServer
from tests.slack_server.things import Posted
from tools.domain import Person

PEOPLE = {
    "vera": "viewer",
    "anna": "analyst",
    "pete": "proposer",
    "paula": "proposer",
    "alice": "approver",
    "arthur": "approver",
    "adam": "admin",
}
"""Everybody whom policy.toml lists, and their roles. `zoe` is of the workspace and not listed: a viewer."""
PATIENCE_S = 60.0
"""The machine may be busy; nothing waits that long where all is well."""
_FINISHED = (ItemState.DONE, ItemState.DROPPED, ItemState.INTERRUPTED)


def policy_of(team: str, people: dict[str, str]) -> str:
    """policy.toml as it is shipped, with the people of the workspace; `people`: id -> role."""
    listed = "".join(
        f'[[people]]\nname = "{name}"\nids = ["slack:{team}/{user}"]\nrole = "{PEOPLE[name]}"\n\n'
        for name, user in people.items()
        if name in PEOPLE
    )
    head, marker, rest = account.POLICY.partition("[limits]")
    return head + listed + marker + rest


def shared_home(target: Path, whose: Path) -> Path:
    """A home with store, checkpoints and policy of its own, and the other home's account and demo server."""
    (target / "demo").mkdir(parents=True, mode=0o700)
    (target / "demo" / "account").symlink_to(whose / "demo" / "account", target_is_directory=True)
    return target


class Office:
    """`open`, `start`, ..., `close`. What is asked is waited for by the inbox, not by the clock."""

    def __init__(self, home: Path, slack: SlackServer, *, extra_policy: str = "") -> None:
        self.home, self.slack = home, slack
        self.people = {name: slack.add_user(name) for name in (*PEOPLE, "zoe")}
        everybody = list(self.people.values())
        self.cost = slack.add_channel("cost", everybody)
        self.other = slack.add_channel("other", everybody)
        self.foreign = slack.add_channel("foreign", everybody, bot=False)
        policy = policy_of(slack.team, self.people) + extra_policy
        (home / "demo" / "policy.toml").write_text(policy, encoding="utf-8")
        self._runtime: Runtime | None = None
        self._bot: SlackBot | None = None
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._failed: list[BaseException] = []
        self.doors: tuple[serve.Door, ...] = ()

    def __getattr__(self, name: str) -> str:
        """`office.alice`: her Slack id."""
        people: dict[str, str] = self.__dict__.get("people", {})
        if name in people:
            return people[name]
        raise AttributeError(name)

    # --- the bot -------------------------------------------------------------------------------------------------

    @property
    def environment(self) -> dict[str, str]:
        """What a process of `frostline slack` (or `decider.py`) needs to be in this office."""
        slack = self.slack
        return {
            "FROSTLINE_SLACK__BASE_URL": slack.base_url,
            "SLACK_BOT_TOKEN": slack.bot_token,
            "SLACK_APP_TOKEN": slack.app_token,
            "SLACK_SIGNING_SECRET": slack.signing_secret,
        }

    def settings(self, **slack: Any) -> Settings:
        """As the product reads them; keyword arguments are of [slack], e.g. `follow_ups="anyone"`."""
        more = {f"FROSTLINE_SLACK__{name.upper()}": _as_variable(value) for name, value in slack.items()}
        with pytest.MonkeyPatch.context() as patch:
            fixed = {"FROSTLINE_HOME": str(self.home), "FROSTLINE_DEMO__SERVER_IDLE_S": "300"}
            for name, value in (fixed | self.environment | more).items():
                patch.setenv(name, value)
            return load_settings("demo")

    def open(self, *, writer: WriterFactory | None = None, **slack: Any) -> SlackBot:
        """A bot that is put together and not yet connected."""
        settings = self.settings(**slack)
        groups: GroupDirectory = group_directory(settings.slack)
        self._runtime = Runtime.open(settings, groups=groups, writer_factory=writer).warm()
        self._bot = SlackBot(self._runtime, settings.slack, groups=groups)
        return self._bot

    def start(self, *, writer: WriterFactory | None = None, **slack: Any) -> Office:
        """The bot runs, and Slack reaches it."""
        bot = self.open(writer=writer, **slack)
        self._stop, self._failed = threading.Event(), []
        self.doors = serve.doors_of(bot)
        self._thread = threading.Thread(target=self._serve, args=(bot,), name="the bot", daemon=True)
        self._thread.start()
        self.slack.wait_for(lambda: self._failed or bot.connected(), PATIENCE_S)
        if self._failed:
            raise AssertionError("the bot did not start") from self._failed[0]
        if bot.settings.mode == "socket":
            self.slack.wait_for(lambda: self.slack.connections, PATIENCE_S)
        return self

    def _serve(self, bot: SlackBot) -> None:
        try:
            serve.run(bot, stop=self._stop, doors=self.doors, grace_s=30.0)
        except BaseException as error:  # noqa: BLE001 - an edge: the thread's error is the test's
            self._failed.append(error)

    def stop(self) -> None:
        """As by SIGTERM: what runs is finished."""
        if self._thread is not None:
            self._stop.set()
            self._thread.join(PATIENCE_S)
            assert not self._thread.is_alive(), "the bot did not stop"
            self._thread = None
        if self._runtime is not None:
            self._runtime.close()
            self._runtime = self._bot = None

    def close(self) -> None:
        """Bot and Slack; the demo account's server is its owner's."""
        if self._thread is not None and self.bot.settings.mode == "socket":
            # The SDK's client closes after its current read, of up to three seconds: nothing is left to be read.
            self._stop.set()
            with suppress(AssertionError):
                self.wait(lambda: not self.bot.connected(), 5.0)
            self.slack.disconnect("abrupt")
        with suppress(AssertionError):
            self.stop()
        self.slack.close()

    @property
    def runtime(self) -> Runtime:
        assert self._runtime is not None, "start first"
        return self._runtime

    @property
    def bot(self) -> SlackBot:
        assert self._bot is not None, "start first"
        return self._bot

    # --- what becomes of a message -------------------------------------------------------------------------------

    def wait(self, predicate: Callable[[], Any], timeout: float = PATIENCE_S) -> Any:
        return self.slack.wait_for(predicate, timeout)

    def item_id(self, channel: str, ts: str) -> str:
        return f"message:{self.slack.team}/{channel}/{ts}"

    def item(self, channel: str, ts: str) -> Item | None:
        """What the inbox holds of a message; None where the bot does not want it."""
        return self.runtime.store.inbox.get(self.item_id(channel, ts))

    def finished(self, channel: str, ts: str, timeout: float = PATIENCE_S) -> Item:
        """The item of a message once it is done with."""

        def look() -> Item | None:
            item = self.item(channel, ts)
            return item if item is not None and item.state in _FINISHED else None

        found: Item = self.wait(look, timeout)
        return found

    def said(self, channel: str, ts: str) -> list[Posted]:
        """What the bot posted for one message, oldest first (its answer, errors, notes; no cards)."""
        item_id = self.item_id(channel, ts)
        return [each for each in self.slack.posted(channel) if item_id in key_of(each)]

    def cards(self, channel: str, thread_ts: str | None = None) -> list[Posted]:
        """Cards of plans, oldest first."""
        return [each for each in self.slack.posted(channel, thread_ts) if key_of(each).startswith("card:")]

    def ask(
        self, user: str, text: str, *, channel: str | None = None, thread_ts: str | None = None, mention: bool = True
    ) -> str:
        """Somebody writes and it is answered; the ts of their message."""
        place = channel or self.cost
        ts = self.slack.say(user, place, text, thread_ts, mention=mention)
        assert self.finished(place, ts).state is ItemState.DONE
        return ts

    def answer(
        self, user: str, text: str, *, channel: str | None = None, thread_ts: str | None = None, mention: bool = True
    ) -> Posted:
        """Somebody asks; the one message that answers."""
        ts = self.ask(user, text, channel=channel, thread_ts=thread_ts, mention=mention)
        (found,) = self.said(channel or self.cost, ts)
        return found

    def turn(self, channel: str, ts: str) -> Turn:
        """The turn behind an answer."""
        item = self.item(channel, ts)
        assert item is not None
        row = self.runtime.store.answers.get(str(item.progress["trace_id"]))
        assert row is not None
        return Turn.model_validate(row.turn)

    def person(self, user: str) -> Person:
        """As policy knows somebody of the workspace."""
        return self.runtime.policy.person(f"slack:{self.slack.team}/{user}")

    def acknowledged(self) -> None:
        """Until everything that Slack delivered is acknowledged."""
        self.slack.settle(PATIENCE_S)
        assert not [each for each in self.slack.deliveries if each.failed], "Slack gave up on a delivery"


def _as_variable(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def key_of(message: Posted) -> str:
    """The key that the bot put into a message's metadata."""
    return str(((message.metadata or {}).get("event_payload") or {}).get("key", ""))


# --- nothing of what is posted may act -------------------------------------------------------------------------------


_TOKEN = re.compile(r"<([@#!][^<>]*|https?:[^<>]*|mailto:[^<>]*)>")
_LINK = re.compile(r"\]\s?\((\w+:[^)]*)\)|(?<![\w`])(https?://\S+)")
_CODE = re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)", re.DOTALL)
_ACTING = ("user", "usergroup", "broadcast", "channel", "link", "date", "team")


def live_parts(thing: Any) -> list[str]:
    """What would notify somebody or be a link, in blocks, chunks or a view: `U..`, `!channel`, `http...`."""
    if isinstance(thing, list):
        return [found for each in thing for found in live_parts(each)]
    if not isinstance(thing, dict):
        return []
    found: list[str] = []
    kind = thing.get("type")
    if kind in _ACTING:
        found.append(str(thing.get("user_id") or thing.get("usergroup_id") or thing.get("url") or f"!{kind}"))
    if kind == "mrkdwn":
        found += _TOKEN.findall(str(thing.get("text")))
    if kind in ("markdown", "markdown_text"):
        text = str(thing.get("text"))  # whether tokens act inside of code Slack does not say: they are taken to
        found += _TOKEN.findall(text) + [link or bare for link, bare in _LINK.findall(_CODE.sub("", text))]
    return found + [each for value in thing.values() for each in live_parts(value)]


def live_in(message: Posted) -> list[str]:
    """Of a message: its blocks, its streamed chunks and its notification."""
    text = [] if message.streamed else _TOKEN.findall(message.text)
    return [*live_parts(message.blocks), *live_parts(message.chunks), *text]
