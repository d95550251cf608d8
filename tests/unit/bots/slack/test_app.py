"""The real Bolt app: what is acknowledged, what is kept, and what is neither."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from slack_bolt import BoltRequest

from agent.runtime import Runtime, SystemClock
from agent.settings import SlackSettings
from agent.store import Store
from bots.slack.service import SlackBot
from tests.unit.bots.slack.office import Wall
from tests.unit.bots.slack.scripted import ScriptedRuntime
from tests.unit.bots.slack.test_incoming import CLICK, COMMAND, envelope, message
from tools.errors import Unreachable

Opener = Callable[..., SlackBot]


@pytest.fixture
def opened(tmp_path: Path, store_template: Path) -> Iterator[Opener]:
    shutil.copy(store_template, tmp_path / "store.db")
    store = Store.open(tmp_path / "store.db", account="ACME", clock=SystemClock())
    bots: list[SlackBot] = []

    def make(**settings: Any) -> SlackBot:
        runtime = cast(Runtime, ScriptedRuntime(store))
        bots.append(SlackBot(runtime, SlackSettings.model_validate(settings), api=Wall()))
        return bots[-1]

    yield make
    for bot in bots:
        bot._pool.stop(5.0)
    store.close()


def dispatch(bot: SlackBot, body: dict[str, Any]) -> int:
    return bot.app.dispatch(BoltRequest(mode="socket_mode", body=body)).status


def waiting(bot: SlackBot) -> int:
    return bot.runtime.store.inbox.waiting().count


@pytest.mark.parametrize(
    "body",
    [
        envelope({"type": "reaction_added", "user": "UANN"}),
        envelope({"type": "app_context_changed", "user": "UANN", "channel": "D1"}),
        envelope({"type": "agent_session_stopped", "channel": "C1", "thread_ts": "1.0", "user": "UANN"}),
        envelope({"type": "agent_session_stopped"}),
        envelope({"type": "user_change", "user": {"id": "UANN"}}),
        envelope({"type": "subteam_members_changed", "subteam_id": "S1"}),
        envelope({"type": "assistant_thread_started", "assistant_thread": {"channel_id": "D1", "thread_ts": "1.0"}}),
        envelope({"type": "app_home_opened", "user": "UADA", "channel": "D1", "tab": "home"}),
        envelope({"type": "message", "subtype": "message_changed", "channel": "C1", "hidden": True, "ts": "1.0"}),
        envelope({"type": "tokens_revoked", "tokens": {}}),
        CLICK,
        CLICK | {"actions": [{"action_id": "nobody", "block_id": "b", "type": "button", "action_ts": "1"}]},
        {
            "type": "view_closed",
            "user": {"id": "UANN"},
            "view": {"type": "modal", "callback_id": "x"},
            "api_app_id": "A1",
        },
        {
            "type": "view_submission",
            "user": {"id": "UANN"},
            "view": {"type": "modal", "callback_id": "x"},
            "api_app_id": "A1",
        },
        {"type": "shortcut", "callback_id": "x", "user": {"id": "UANN"}, "trigger_id": "1"},
        {"type": "message_action", "callback_id": "x", "user": {"id": "UANN"}, "message": {}, "channel": {"id": "C1"}},
        {"type": "block_suggestion", "action_id": "x", "user": {"id": "UANN"}, "value": ""},
        {
            "type": "interactive_message",
            "callback_id": "x",
            "user": {"id": "UANN"},
            "actions": [{"name": "x", "type": "button"}],
        },
        COMMAND | {"text": "help"},
        COMMAND | {"command": "/another", "text": "?"},
    ],
)
def test_everything_that_comes_is_acknowledged(opened: Opener, body: dict[str, Any]) -> None:
    bot = opened()
    assert dispatch(bot, body) == 200
    assert waiting(bot) == 0


def test_a_question_is_kept_once_whatever_comes_how_often(opened: Opener) -> None:
    bot = opened()
    for _ in range(2):
        assert dispatch(bot, envelope(message(type="app_mention"))) == 200
        assert dispatch(bot, envelope(message(), event_id="Ev2")) == 200
    assert waiting(bot) == 1
    assert dispatch(bot, COMMAND) == 200
    assert dispatch(bot, COMMAND) == 200
    assert waiting(bot) == 2


def test_what_could_not_be_kept_is_not_acknowledged(opened: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    bot = opened()

    def away(*_: object, **__: object) -> bool:
        raise Unreachable("the store is away")

    monkeypatch.setattr(type(bot.runtime.store.inbox), "put", away)
    assert dispatch(bot, envelope(message())) == 500
    assert dispatch(bot, COMMAND) == 500


def test_channels_that_are_not_allowed_get_nothing(opened: Opener) -> None:
    bot = opened(channels=["C9"])
    dispatch(bot, envelope(message()))
    dispatch(bot, COMMAND)
    assert waiting(bot) == 0
    dispatch(bot, envelope(message(channel="C9")))
    dispatch(bot, envelope(message(channel="D1", channel_type="im"), event_id="Ev3"))
    dispatch(bot, COMMAND | {"channel_id": "D1", "trigger_id": "2"})
    assert waiting(bot) == 3


def test_other_apps_and_other_installs_get_nothing(opened: Opener) -> None:
    bot = opened()
    dispatch(bot, envelope(message(), api_app_id="A2"))
    dispatch(bot, envelope(message(), authorizations=[{"team_id": "T9"}]))
    dispatch(bot, COMMAND | {"api_app_id": "A2"})
    assert waiting(bot) == 0


@pytest.mark.parametrize(("rule", "ann", "bob"), [("asker", 1, 0), ("anyone", 1, 1), ("mention", 0, 0)])
def test_whose_replies_are_answered(opened: Opener, rule: str, ann: int, bob: int) -> None:
    bot = opened(follow_ups=rule)
    root = "1700000000.000100"
    reply = message(text="and then?", thread_ts=root)
    dispatch(bot, envelope(reply | {"ts": "1700000001.0"}, event_id="Ev2"))
    assert waiting(bot) == 0  # no conversation of ours yet
    dispatch(bot, envelope(message()))
    dispatch(bot, envelope(reply | {"ts": "1700000002.0"}, event_id="Ev3"))
    assert waiting(bot) == 1 + ann
    dispatch(bot, envelope(reply | {"ts": "1700000003.0", "user": "UBOB"}, event_id="Ev4"))
    assert waiting(bot) == 1 + ann + bob
    dispatch(bot, envelope(reply | {"ts": "1700000004.0", "text": "<@UBOB> you?"}, event_id="Ev5"))
    dispatch(bot, envelope(reply | {"ts": "1700000005.0", "text": " "}, event_id="Ev6"))
    assert waiting(bot) == 1 + ann + bob


def test_a_press_that_comes_twice_is_handed_on_once(opened: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    bot = opened()
    handed: list[Any] = []
    monkeypatch.setattr(bot._pool, "submit", lambda work, *arguments: handed.append(arguments))
    assert dispatch(bot, CLICK) == 200
    assert dispatch(bot, CLICK) == 200
    assert len(handed) == 1


def test_what_was_pressed_keeps_nobody_from_stopping(opened: Opener) -> None:
    bot, go, began = opened(), threading.Event(), threading.Event()
    waits: list[str] = []

    def works() -> None:
        began.set()
        go.wait(20)

    for _ in range(8):
        bot._pool.submit(works)
    bot._pool.submit(waits.append, "begun")
    assert began.wait(5)
    assert not bot._pool.stop(0.1)
    go.set()
    assert bot._pool.stop(5)
    assert waits == []
