"""The workspace's whole state, behind one lock. Methods of the API and what people do both change it here."""

from __future__ import annotations

import itertools
import random
import threading
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tests.slack_server.clock import FakeClock
from tests.slack_server.errors import Refused, breach
from tests.slack_server.limits import STREAM_AGE, TRIGGER_AGE
from tests.slack_server.things import (
    Call,
    Channel,
    Group,
    Posted,
    ResponseUrl,
    Trigger,
    Upload,
    User,
    View,
    Violation,
)

if TYPE_CHECKING:
    from tests.slack_server.delivery import Delivery

SCOPES = (
    "app_mentions:read assistant:write channels:history channels:read chat:write commands files:write groups:history "
    "groups:read im:history im:write reactions:write usergroups:read users:read"
)
EVENTS = (
    "agent_session_stopped app_context_changed app_home_opened app_mention message.channels message.groups message.im"
)


def trim(found: dict[Any, Any], most: int) -> None:
    """Forgets the oldest entries."""
    while len(found) > most:
        found.pop(next(iter(found)))


class World:
    """Guarded by `lock` (re-entrant); nothing in it waits."""

    def __init__(self, *, keep_calls: bool, keep_messages: int | None, real_time: bool) -> None:
        self.lock = threading.RLock()
        self.clock = FakeClock(real=real_time)
        self._numbers = itertools.count(1)
        self._random = random.Random(20_261)
        self._last_ts = 0
        self.keep_messages = keep_messages if keep_messages is not None or keep_calls else 500
        """How many of a channel's messages keep their contents (the others are only known to exist); None: all."""
        bound = None if keep_calls else 200
        self.keep_calls = keep_calls

        self.team, self.team_name, self.domain = "T0FROST01", "Frost Works", "frost-works"
        self.app, self.bot_user, self.bot_id = "A0FROST01", "U0FROSTBOT", "B0FROST01"
        self.bot_token, self.app_token = "xoxb-1-loopback", "xapp-1-loopback"
        self.signing_secret = "loopback-signing-secret"
        self.enterprise: str | None = None
        self.org_install = False
        self.scopes = frozenset(SCOPES.split())
        self.events = frozenset(EVENTS.split())
        self.agent_view = True
        self.sessions_enabled = True
        self.home_enabled = True
        self.messages_tab_enabled = True
        self.stream_age_s = STREAM_AGE.total_seconds()
        self.stopped_can_be_stopped = False
        """Whether chat.stopStream is taken for a stream that a person stopped (Slack's pages leave it open)."""
        self.http_url = ""
        self.socket_url: Callable[[], str] = lambda: ""

        self.users: dict[str, User] = {}
        self.channels: dict[str, Channel] = {}
        self.groups: dict[str, Group] = {}
        self.views: dict[str, View] = {}
        self.closed_views: deque[str] = deque(maxlen=500)
        self.homes: dict[str, View] = {}
        self.triggers: dict[str, Trigger] = {}
        self.response_urls: dict[str, ResponseUrl] = {}
        self.uploads: dict[str, Upload] = {}
        self.ephemerals: deque[Posted] = deque(maxlen=bound)
        self.sessions: dict[tuple[str, str | None], dict[str, Any]] = {}
        self.statuses: dict[tuple[str, str], str] = {}
        self.titles: dict[tuple[str, str | None], str] = {}
        self.prompts: dict[tuple[str, str | None], list[dict[str, str]]] = {}
        self.calls: deque[Call] = deque(maxlen=bound)
        self.counts: dict[str, int] = {}
        self.violations: list[Violation] = []
        self.user_errors: list[str] = []
        """What people would have seen as "something went wrong" (an interaction nobody acknowledged)."""
        self.deliveries: deque[Delivery] = deque(maxlen=bound)
        self.send: Callable[[Delivery], None] = lambda delivery: None
        self.echoes = True
        """Whether the bot's own messages and edits come back as events, as they do."""
        self.users[self.bot_user] = User(self.bot_user, "frostline", self.team, bot=True)

    # ids and stamps
    def number(self) -> int:
        return next(self._numbers)

    def new_id(self, prefix: str) -> str:
        return f"{prefix}0{self.number():07d}"

    def token(self, size: int = 12) -> str:
        return "".join(self._random.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=size))

    def new_ts(self) -> str:
        """Unique and rising over the whole workspace."""
        micros = max(int(self.clock.wall() * 1e6), self._last_ts + 1)
        self._last_ts = micros
        return f"{micros // 1_000_000}.{micros % 1_000_000:06d}"

    # what was done wrong
    def violate(self, where: str, code: str, detail: str = "") -> None:
        with self.lock:
            self.violations.append(Violation(where, code, detail))

    # lookups, refusing as Slack does
    def channel_for_bot(self, channel: str) -> Channel:
        """One that the bot may write to."""
        found = self.channels.get(channel)
        if found is None and channel in self.users:
            found = self.direct(channel)
        if found is None:
            raise Refused("channel_not_found", channel)
        if self.bot_user not in found.members:
            raise Refused("channel_not_found" if found.kind in ("im", "group") else "not_in_channel", channel)
        if found.archived:
            raise Refused("is_archived", channel)
        if found.read_only:
            raise Refused("restricted_action_read_only_channel", channel)
        if found.kind == "im" and not self.messages_tab_enabled:
            raise Refused("messages_tab_disabled", channel)
        return found

    def direct(self, user: str) -> Channel:
        """The bot's direct channel with somebody."""
        name = f"D{user[1:]}"
        if name not in self.channels:
            self.channels[name] = Channel(name, "", "im", {user, self.bot_user})
        return self.channels[name]

    def own_message(self, channel: str, ts: str, *, denied: str) -> Posted:
        home = self.channel_for_bot(channel)
        found = home.messages.get(ts)
        if found is None:
            ephemeral = any(each.ts == ts for each in self.ephemerals)
            known = ts in home.gone and not ephemeral
            why = "an ephemeral message" if ephemeral else f"{channel}/{ts}"
            raise Refused("message_not_found", why, breach=not known)
        if found.bot_id != self.bot_id:
            raise breach(denied, f"{ts} is not the app's message")
        return found

    def check_parent(self, channel: Channel, thread_ts: str | None, *, code: str = "cannot_reply_to_message") -> None:
        """A reply's own ts is not a thread; nor is a message that never was."""
        if thread_ts is None:
            return
        if not isinstance(thread_ts, str) or thread_ts.count(".") != 1:
            raise breach(code, f"thread_ts {thread_ts!r} is no message ts")
        parent = channel.messages.get(thread_ts)
        if parent is None:
            raise Refused(code, f"no message {thread_ts}", breach=thread_ts not in channel.gone)
        if parent.is_reply:
            raise breach(code, f"{thread_ts} is itself a reply in {parent.thread_ts}")

    # messages
    def keep(self, message: Posted) -> None:
        channel = self.channels[message.channel]
        channel.messages[message.ts] = message
        if message.is_reply and message.thread_ts in channel.messages:
            channel.messages[message.thread_ts].thread_ts = message.thread_ts
        if self.keep_messages is None:
            return
        channel.full.append(message.ts)
        while len(channel.full) > self.keep_messages:
            old = channel.messages.get(channel.full.popleft())
            if old is not None:
                old.text, old.blocks, old.chunks, old.files, old.args = old.text[:40], [], [], [], {}
        trim(channel.messages, 10 * self.keep_messages)
        self.forget()

    def forget(self) -> None:
        """Where it is not to grow: what is only kept for tests to look at."""
        for each in (self.sessions, self.statuses, self.titles, self.prompts, self.uploads):
            trim(each, 2_000)

    def fill_block_ids(self, blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Slack names the blocks that have no name."""
        return [{**block, "block_id": block.get("block_id") or self.token(5)} for block in blocks]

    # triggers
    def new_trigger(self, user: str, view: str | None = None) -> str:
        trigger = Trigger(f"{self.number()}.{self.token()}", user, self.clock.now(), view)
        self.triggers[trigger.id] = trigger
        trim(self.triggers, 1_000)
        return trigger.id

    def use_trigger(self, trigger_id: str) -> Trigger:
        trigger = self.triggers.get(trigger_id)
        if trigger is None:
            raise breach("invalid_trigger_id", trigger_id)
        if trigger.used:
            raise breach("exchanged_trigger_id", trigger_id)
        if self.clock.now() - trigger.at > TRIGGER_AGE.total_seconds():
            raise breach("expired_trigger_id", f"{self.clock.now() - trigger.at:.1f} s old")
        trigger.used = True
        return trigger

    def new_response_url(self, url: ResponseUrl) -> str:
        self.response_urls[url.id] = url
        trim(self.response_urls, 1_000)
        return f"{self.http_url}/response/{url.id}"
