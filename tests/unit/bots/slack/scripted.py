"""A runtime whose turns are written by the test, on a real store; and a bot on it that speaks to the loopback Slack."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from agent.policy import Policy
from agent.runtime import Runtime, SystemClock
from agent.settings import SlackSettings
from agent.state import Step, Turn
from agent.store import Store
from bots.slack.answering import Answering
from bots.slack.api import SlackApi
from bots.slack.cards import CardDesk
from bots.slack.dispatcher import Dispatcher
from bots.slack.incoming import message_key, question_body
from bots.slack.parts import Parts
from bots.slack.people import People
from bots.slack.types import Author, Place, Question
from tests.slack_server.server import SlackServer
from tools.domain import Person

Script = Callable[[str, Callable[[Step], None]], str]
POLICY = 'version = 1\ndefault_role = "viewer"\n[[rules]]\nname = "all"\neffect = "allow"\n'


def simple(text: str, on_step: Callable[[Step], None]) -> str:
    on_step(Step(1, "query_usage", "Reading usage", "started"))
    on_step(Step(1, "query_usage", "Reading usage", "done"))
    return f"**12 credits** for: {text}"


class _Report:
    def as_json(self) -> dict[str, list[str]]:
        return {}


class _Runner:
    def recover(self) -> _Report:
        return _Report()


@dataclass
class ScriptedRuntime:
    """What the bot uses of agent.runtime.Runtime."""

    store: Store
    script: Script = simple
    policy: Policy = field(default_factory=lambda: Policy.load(POLICY))
    clock: SystemClock = field(default_factory=SystemClock)
    runner: _Runner = field(default_factory=_Runner)
    asked: list[str] = field(default_factory=list)
    _ids: Any = field(default_factory=itertools.count)

    def new_id(self) -> str:
        return f"id{next(self._ids)}"

    def ask(
        self, text: str, *, thread: str, person: Person, on_step: Callable[[Step], None], cards: bool = False
    ) -> Turn:
        assert cards
        self.asked.append(text)
        return turn_of(self.script(text, on_step), thread, f"trace-{thread}-{len(self.asked)}")


def turn_of(answer: str, thread: str, trace: str) -> Turn:
    return Turn(
        status="ok",
        answer=answer,
        facts=[],
        tool_calls=[],
        plans=[],
        sources=[],
        window=None,
        thread=thread,
        model="scripted",
        trace_id=trace,
        error=None,
    )


@dataclass
class Bot:
    """One process's working part, without Bolt."""

    slack: SlackServer
    runtime: ScriptedRuntime
    parts: Parts
    dispatcher: Dispatcher
    answering: Answering
    ann: str
    room: str

    def ask(self, text: str, *, thread: str | None = None, user: str | None = None, channel: str | None = None) -> str:
        """As the listener does it; the ts of the message."""
        user, channel = user or self.ann, channel or self.room
        with self.slack.world.lock:  # nobody is connected: only the message is wanted, no event
            ts = self.slack.say(user, channel, text, thread, only="none")
        direct = channel.startswith("D")
        question = Question(
            team=self.slack.team,
            author=Author(user, self.slack.user(user).team),
            place=Place(channel, thread or ts),
            ts=ts,
            text=text,
            event_id=f"Ev{ts}",
            kind="direct" if direct else "mention",
        )
        key = message_key(question)
        self.runtime.store.inbox.put(
            key,
            (key,),
            kind=question.kind,
            conversation=question.conversation,
            order=ts,
            body=question_body(question),
        )
        self.dispatcher.wake()
        return ts

    def item_id(self, ts: str, channel: str | None = None) -> str:
        return f"message:{self.slack.team}/{channel or self.room}/{ts}"

    def state(self, ts: str, channel: str | None = None) -> str:
        item = self.runtime.store.inbox.get(self.item_id(ts, channel))
        assert item is not None
        return item.state.value

    def ends(self, ts: str, state: str = "done", channel: str | None = None, timeout: float = 10) -> None:
        self.slack.wait_for(lambda: self.state(ts, channel) == state, timeout)

    def said(self, ts: str, channel: str | None = None) -> list[str]:
        """What the bot's messages in a thread show: text of streams, else text of the notification."""
        return [m.text for m in self.slack.posted(channel or self.room, ts)]


@contextmanager
def bot_on(
    slack: SlackServer,
    folder: Path,
    template: Path,
    *,
    script: Script = simple,
    start: bool = True,
    by: str = "p1",
    **settings: Any,
) -> Iterator[Bot]:
    place = folder / "store.db"
    if not place.exists():
        shutil.copy(template, place)
    store = Store.open(place, account="ACME", clock=SystemClock())
    runtime = ScriptedRuntime(store, script)
    chosen = SlackSettings.model_validate({"workers": 2, "lease_s": 1.0, "base_url": slack.base_url} | settings)
    api = SlackApi(slack.bot_token, slack.base_url, timeout_s=5)
    me = api.me()
    real = cast(Runtime, runtime)
    people = People(api, chosen, lambda: runtime.policy, me)
    parts = Parts(runtime=real, settings=chosen, api=api, people=people, me=me, by=by)
    parts = replace(parts, cards=CardDesk(parts))
    answering = Answering(parts)
    dispatcher = Dispatcher(store.inbox, answering, by=by, workers=chosen.workers, lease_s=chosen.lease_s, poll_s=0.05)
    ann = slack.add_user("ann")
    room = slack.add_channel("room", [ann])
    if start:
        dispatcher.start()
    try:
        yield Bot(slack, runtime, parts, dispatcher, answering, ann, room)
    finally:
        if start:
            dispatcher.stop(5)
        store.close()


Opener = Callable[..., AbstractContextManager[Bot]]
"""Of fixture `opened`: a bot on the strict Slack."""


def button_ids(bot: Bot, ts: str) -> list[str]:
    return [
        element["action_id"]
        for message in bot.slack.posted(bot.room, ts)
        for block in message.blocks
        if block["type"] == "actions"
        for element in block["elements"]
    ]
