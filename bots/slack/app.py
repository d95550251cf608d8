"""The Bolt app. A listener reads the payload, keeps it (inbox) or hands it on (pool), and returns: that is the ack.

An exception in a listener means no ack, so that Slack sends the event again: nothing is acknowledged that was not
kept. Every event, action, view and command has a listener: what nobody wants is acknowledged too.
"""

from __future__ import annotations

import logging
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from slack_bolt import Ack, App
from slack_bolt.authorization import AuthorizeResult
from slack_sdk import WebClient

from bots.slack import incoming
from bots.slack.claims import stop_id
from bots.slack.parts import Parts
from bots.slack.render.home import PROMPTS, help_message
from bots.slack.render.notes import error_message
from bots.slack.types import Command, Ignored, Message, Place, Question
from tools.errors import ChannelRefused

if TYPE_CHECKING:
    from bots.slack.deciding import Interactions
    from bots.slack.people import GroupDirectory
    from bots.slack.pool import Pool

__all__ = ["Listeners", "build_app"]

_log = logging.getLogger("frostline.slack")
_ANY = re.compile(r"[\s\S]*")
_REMEMBERED = 1000
_HELP = ("", "help", "?")


class Listeners:
    """What the bot does with each kind of payload, before it is acknowledged."""

    def __init__(
        self,
        parts: Parts,
        interactions: Interactions,
        pool: Pool,
        *,
        wake: Callable[[], None],
        groups: GroupDirectory | None = None,
    ) -> None:
        self._parts, self._interactions, self._pool, self._wake, self._groups = parts, interactions, pool, wake, groups
        self._pressed: OrderedDict[str, None] = OrderedDict()
        self._lock = threading.Lock()
        self._events: dict[str, Callable[[Mapping[str, Any]], None]] = {
            "app_mention": self.on_message,
            "message": self.on_message,
            "agent_session_stopped": self.on_stopped,
            "app_home_opened": self.on_home,
            "assistant_thread_started": self.on_assistant_thread,
            "user_change": self.on_user_change,
            "subteam_members_changed": self.on_group_change,
            "subteam_updated": self.on_group_change,
        }

    # --- events --------------------------------------------------------------------------------------------------

    def on_event(self, body: dict[str, Any]) -> None:
        me = self._parts.me
        if me.app and body.get("api_app_id") not in (None, me.app):
            return _ignored(Ignored("not_ours"))
        handler = self._events.get(str((body.get("event") or {}).get("type")))
        if handler is not None:
            handler(body)

    def on_message(self, body: Mapping[str, Any]) -> None:
        question = incoming.question(body, self._parts.me)
        if isinstance(question, Question):
            question = self._wanted(question)
        if isinstance(question, Ignored):
            return _ignored(question)
        keys = (f"event:{question.event_id}", incoming.message_key(question))
        new = self._parts.runtime.store.inbox.put(
            keys[1],
            keys,
            kind=question.kind,
            conversation=question.conversation,
            order=question.ts,
            body=incoming.question_body(question),
        )
        if new:
            _log.info("queued %s from %s in %s", question.kind, question.author.user, question.conversation)
            self._wake()

    def _wanted(self, question: Question) -> Question | Ignored:
        parts, settings = self._parts, self._parts.settings
        if not parts.me.enterprise and question.team != parts.me.team:
            return Ignored("other_team")
        if not question.place.is_direct and settings.channels and question.place.channel not in settings.channels:
            return Ignored("channel")
        if question.kind == "thread":
            return self._follow_up(question)
        return question

    def _follow_up(self, question: Question) -> Question | Ignored:
        """A reply without a mention: only in a conversation of ours, and only from whom settings name."""
        rule = self._parts.settings.follow_ups
        if rule == "mention" or question.mentions_others:
            return Ignored("not_ours")
        if not question.text:
            return Ignored("empty")
        last = self._parts.runtime.store.inbox.latest(question.conversation)
        if last is None:
            return Ignored("not_ours")
        asker = (last.body.get("author") or {}).get("user")
        return question if rule == "anyone" or asker == question.author.user else Ignored("not_ours")

    def on_stopped(self, body: Mapping[str, Any]) -> None:
        """Somebody pressed Stop: kept under the running item's id, where whoever works on it looks."""
        conversation = incoming.stopped_conversation(body, self._parts.me)
        inbox = self._parts.runtime.store.inbox
        running = inbox.running(conversation) if conversation else None
        if running is None:
            return
        stop = stop_id(running.id)
        by = str((body.get("event") or {}).get("user") or "")
        inbox.put(stop, (stop,), kind="stop", conversation=stop, order=running.order, body={"by": by})
        self._wake()

    def on_home(self, body: Mapping[str, Any]) -> None:
        event = body["event"]
        user, channel, tab = str(event.get("user") or ""), str(event.get("channel") or ""), str(event.get("tab") or "")
        if tab == "messages" and channel:
            self._pool.submit(self._parts.api.prompts, channel, PROMPTS)
        elif tab == "home" and user:
            self._pool.submit(self._interactions.on_home, user, channel, tab)

    def on_assistant_thread(self, body: Mapping[str, Any]) -> None:
        """The older Assistant view: prompts belong to its thread."""
        thread = body["event"].get("assistant_thread") or {}
        if thread.get("channel_id") and thread.get("thread_ts"):
            self._pool.submit(self._parts.api.prompts, thread["channel_id"], PROMPTS, thread["thread_ts"])

    def on_user_change(self, body: Mapping[str, Any]) -> None:
        user = body["event"].get("user")
        name = user.get("id") if isinstance(user, Mapping) else user
        if isinstance(name, str):
            self._parts.people.forget(name)

    def on_group_change(self, body: Mapping[str, Any]) -> None:
        event = body["event"]
        group = event.get("subteam_id") or (event.get("subteam") or {}).get("id")
        if self._groups is not None and isinstance(group, str):
            self._groups.forget(group)

    # --- buttons, modals, commands -------------------------------------------------------------------------------

    def on_action(self, body: dict[str, Any], ack: Ack) -> None:
        ack()
        click = incoming.click(body, self._parts.me)
        if isinstance(click, Ignored):
            return _ignored(click)
        if self._is_new(f"{click.author.user}/{click.action}/{click.action_ts}"):
            self._pool.submit(self._interactions.on_click, click)

    def on_submission(self, body: dict[str, Any], ack: Ack) -> None:
        ack()
        sent = incoming.submission(body, self._parts.me)
        if isinstance(sent, Ignored):
            return _ignored(sent)
        self._pool.submit(self._interactions.on_submission, sent)

    def on_command(self, body: dict[str, Any], ack: Ack) -> None:
        command = incoming.command(body, self._parts.me)
        if isinstance(command, Command):
            self._take(command)
        else:
            _ignored(command)
        ack()

    def _take(self, command: Command) -> None:
        settings = self._parts.settings
        if command.text.lower() in _HELP:
            self._pool.submit(self._respond, command, help_message())
        elif not (command.channel.startswith("D") or not settings.channels or command.channel in settings.channels):
            refused = ChannelRefused(
                "Frostline does not answer in this channel.", reason="channel", hint="Ask it in a direct message."
            )
            self._pool.submit(self._respond, command, error_message(refused))
        else:
            self._keep(command)

    def _keep(self, command: Command) -> None:
        """A conversation of its own until its message stands in the channel (`answering.open_thread`)."""
        item_id = f"command:{command.team}/{command.trigger_id}"
        inbox = self._parts.runtime.store.inbox
        question = Question(
            team=command.team,
            author=command.author,
            place=Place(command.channel),
            ts="",
            text=command.text,
            event_id=item_id,
            kind="command",
        )
        body = incoming.question_body(question) | {"response_url": command.response_url}
        order = f"{self._parts.runtime.clock.now().timestamp():.6f}"
        if inbox.put(item_id, (item_id,), kind="command", conversation=item_id, order=order, body=body):
            _log.info("queued command from %s in %s", command.author.user, command.channel)
            self._wake()

    def _respond(self, command: Command, message: Message) -> None:
        self._parts.api.respond(command.response_url, message)

    def _is_new(self, key: str) -> bool:
        """Whether this press was not handed on yet: what was not acknowledged in time comes twice."""
        with self._lock:
            if key in self._pressed:
                return False
            self._pressed[key] = None
            while len(self._pressed) > _REMEMBERED:
                self._pressed.popitem(last=False)
        return True


def build_app(listeners: Listeners, parts: Parts, client: WebClient, signing_secret: str) -> App:
    """Bolt with our listeners. It gets no token: everything that is sent goes through `parts.api`."""
    logger = logging.getLogger("frostline.slack.bolt")
    logger.setLevel(logging.ERROR)  # below that Bolt logs bodies
    me = parts.me
    known = AuthorizeResult(
        enterprise_id=me.enterprise, team_id=me.team, bot_user_id=me.user or None, bot_id=me.bot or None
    )

    def authorize() -> AuthorizeResult:
        return known

    app = App(
        logger=logger,
        name=logger.name,  # Bolt sets the level of the logger of this name, so it must not be ours
        client=client,
        authorize=authorize,
        signing_secret=signing_secret,
        process_before_response=True,
        attaching_conversation_kwargs_enabled=False,
    )

    def acknowledge(ack: Ack) -> None:
        ack()

    app.event(_ANY)(listeners.on_event)
    app.action(_ANY)(listeners.on_action)
    app.action({"type": "interactive_message", "callback_id": _ANY})(acknowledge)
    app.view_submission(_ANY)(listeners.on_submission)
    app.command(_ANY)(listeners.on_command)
    app.view_closed(_ANY)(acknowledge)
    app.shortcut(_ANY)(acknowledge)
    app.options(_ANY)(acknowledge)
    return app


def _ignored(why: Ignored) -> None:
    _log.debug("ignored: %s", why.reason)
