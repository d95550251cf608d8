"""What people (and other apps) do in the workspace. A part of `SlackServer`."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.slack_server import clicks, events
from tests.slack_server.api import views
from tests.slack_server.delivery import Courier, Delivery
from tests.slack_server.errors import Refused
from tests.slack_server.responses import answer
from tests.slack_server.state import World
from tests.slack_server.things import Channel, Posted, ResponseUrl, View

Tweak = Callable[[dict[str, Any]], None]
"""Changes a payload before it is delivered."""
_TOKEN = re.compile(r"(<(?:@[UW]|#C|![a-z]|https?://|mailto:)[^<>]*>)")


def typed(text: str) -> str:
    """As Slack passes on what somebody types: escaped, but for its own tokens."""
    parts = _TOKEN.split(text)
    for at in range(0, len(parts), 2):
        parts[at] = parts[at].replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return "".join(parts)


class Acting:
    world: World
    courier: Courier

    def _send(self, delivery: Delivery, tweak: Tweak | None = None) -> Delivery:
        delivery.payload = copy.deepcopy(delivery.payload)
        if tweak is not None:
            tweak(delivery.payload)
        self.world.send(delivery)
        return delivery

    def _channel(self, channel: str, user: str | None = None) -> Channel:
        found = self.world.channels[channel]
        if user is not None and user not in found.members:
            raise AssertionError(f"{user} is not in {channel}")
        return found

    # writing
    def say(
        self,
        user: str,
        channel: str,
        text: str,
        thread_ts: str | None = None,
        mention: bool = True,
        *,
        files: list[dict[str, Any]] | None = None,
        only: str | None = None,
        broadcast: bool = False,
        tweak: Tweak | None = None,
    ) -> str:
        """Somebody writes; the ts. In channels a mention comes as app_mention and as message, with two event ids.

        `only`: the name of the one event type that is delivered of the pair; `tweak` changes the inner event.
        """
        with self.world.lock:
            place = self._channel(channel, user)
            self.world.check_parent(place, thread_ts)
            direct = place.kind == "im"
            full = typed(text)
            if mention and not direct:
                full = f"<@{self.world.bot_user}> {full}"
            message = Posted(channel, self.world.new_ts(), user, full, thread_ts=thread_ts, files=files or [])
            message.subtype = "file_share" if files else "thread_broadcast" if broadcast else None
            self.world.keep(message)
            event = {
                "type": "message",
                **events.author(self.world, place, user),
                "text": full,
                "ts": message.ts,
                "client_msg_id": self.world.token(32),
                "channel": channel,
                "event_ts": message.ts,
                **({"thread_ts": thread_ts} if thread_ts else {}),
                **({"files": files} if files else {}),
                **({"subtype": message.subtype} if message.subtype else {}),
            }
            if tweak is not None:
                tweak(event)
            if not direct and f"<@{self.world.bot_user}>" in full and only in (None, "app_mention"):
                self._mention(place, event)
            if only in (None, "message"):
                events.emit_message(self.world, place, {**event, "channel_type": place.kind})
            return message.ts

    def _mention(self, place: Channel, event: dict[str, Any]) -> None:
        if self.world.bot_user not in place.members:
            place.missed = event
        elif place.kind != "mpim":
            mention = {key: value for key, value in event.items() if key != "subtype"}
            events.emit(self.world, "app_mention", {**mention, "type": "app_mention"}, shared=place.shared)

    def invite_bot(self, channel: str) -> None:
        """The bot joins; a mention from before comes now, as app_mention alone."""
        with self.world.lock:
            place = self._channel(channel)
            place.members.add(self.world.bot_user)
            missed, place.missed = place.missed, None
            if missed is not None:
                self._mention(place, missed)

    def bot_says(
        self, channel: str, text: str, *, bot: str = "B0OTHER001", user: str = "", thread_ts: str | None = None
    ) -> str:
        """Another app writes; with `bot_id`, usually without a subtype. It may mention the bot in its text."""
        with self.world.lock:
            place = self._channel(channel)
            message = Posted(channel, self.world.new_ts(), user or None, text, thread_ts=thread_ts, bot_id=bot)
            self.world.keep(message)
            event = {
                **events.as_json(self.world, message),
                "channel": channel,
                "channel_type": place.kind,
                "event_ts": message.ts,
            }
            if f"<@{self.world.bot_user}>" in text:
                self._mention(place, event)
            events.emit_message(self.world, place, event)
            return message.ts

    def edit(self, user: str, channel: str, ts: str, text: str) -> None:
        """`message_changed`, with the author inside only."""
        with self.world.lock:
            message = self._channel(channel, user).messages[ts]
            before = message.copy()
            message.text = typed(text)
            message.edits += 1
            events.echo_changed(self.world, before, message, always=True)

    def unfurl(self, channel: str, ts: str) -> None:
        """Slack adds a preview of a link: `message_changed` with the same text."""
        with self.world.lock:
            message = self._channel(channel).messages[ts]
            before = message.copy()
            message.attachments = [{"id": 1, "from_url": "https://example.com", "title": "A page"}]
            events.echo_changed(self.world, before, message, always=True)

    def delete(self, channel: str, ts: str) -> None:
        with self.world.lock:
            place = self._channel(channel)
            message = place.messages.pop(ts)
            place.gone.add(ts)
            events.echo_deleted(self.world, message)

    # interactions
    def command(
        self, user: str, channel: str, text: str, *, command: str = "/frostline", tweak: Tweak | None = None
    ) -> Delivery:
        with self.world.lock:
            place = self.world.channels[channel]
            found = self.world.users[user]
            url = ResponseUrl(self.world.token(20), user, channel, self.world.clock.now(), "command")
            payload = {
                "token": "verification-token",
                "team_id": self.world.team,
                "team_domain": self.world.domain,
                "channel_id": channel,
                "channel_name": "directmessage" if place.kind == "im" else place.name,
                "user_id": user,
                "user_name": found.name,
                "command": command,
                "text": typed(text),
                "api_app_id": self.world.app,
                "is_enterprise_install": "true" if self.world.org_install else "false",
                "response_url": self.world.new_response_url(url),
                "trigger_id": self.world.new_trigger(user),
            }
            if self.world.enterprise:
                payload |= {"enterprise_id": self.world.enterprise, "enterprise_name": "Frost Org"}

            def acknowledged(body: Any) -> None:
                if body:
                    try:
                        answer(self.world, url, body)
                    except Refused as refusal:
                        self.world.violate("command", refusal.code, refusal.detail)

            return self._send(Delivery("slash_commands", payload, True, acknowledged), tweak)

    def _message(self, channel: str, ts: str) -> Posted:
        found = self.world.channels[channel].messages.get(ts)
        if found is None:
            found = next((each for each in self.world.ephemerals if each.ts == ts), None)
        if found is None:
            raise AssertionError(f"no message {ts} in {channel}")
        return found

    def click_payload(
        self, user: str, channel: str, ts: str, action_id: str, value: str | None = None
    ) -> dict[str, Any]:
        """The payload of a press on a button in the message's CURRENT blocks, for `click_old`."""
        with self.world.lock:
            message = self._message(channel, ts)
            blocks = message.blocks
            seen_by = message.ephemeral_to
            if user not in self.world.channels[channel].members or seen_by not in (None, user):
                raise AssertionError(f"{user} cannot see {ts}")
            action = clicks.find_action(blocks, action_id, value)
            return copy.deepcopy(clicks.message_click(self.world, user, message, action))

    def click(
        self,
        user: str,
        channel: str,
        ts: str,
        action_id: str,
        value: str | None = None,
        *,
        tweak: Tweak | None = None,
    ) -> Delivery:
        """Does not wait; `.wait()` of what it returns does."""
        with self.world.lock:
            return self.click_old(self.click_payload(user, channel, ts, action_id, value), tweak=tweak)

    def click_old(self, payload: dict[str, Any], *, fresh: bool = False, tweak: Tweak | None = None) -> Delivery:
        """A press as it was made up before; `fresh`: with a new trigger and stamp, from an old copy on a screen."""
        with self.world.lock:
            payload = copy.deepcopy(payload)
            if fresh:
                payload["trigger_id"] = self.world.new_trigger(payload["user"]["id"])
                payload["actions"][0]["action_ts"] = self.world.new_ts()
            return self._send(Delivery("interactive", payload, True), tweak)

    def click_in_view(
        self, user: str, view_id: str, action_id: str, value: str | None = None, *, tweak: Tweak | None = None
    ) -> Delivery:
        """A button of a modal, or of the person's Home tab."""
        with self.world.lock:
            view = self._view(view_id, user)
            action = clicks.find_action(view.blocks, action_id, value)
            return self._send(Delivery("interactive", clicks.view_click(self.world, view, action), True), tweak)

    def click_home(self, user: str, action_id: str, value: str | None = None) -> Delivery:
        return self.click_in_view(user, self.world.homes[user].id, action_id, value)

    def _view(self, view_id: str, user: str) -> View:
        home = self.world.homes.get(user)
        view = home if home is not None and home.id == view_id else self.world.views.get(view_id)
        if view is None or view.user != user:
            raise AssertionError(f"{user} has no view {view_id} open")
        return view

    def submit(
        self, user: str, view_id: str, values: dict[str, Any] | None = None, *, tweak: Tweak | None = None
    ) -> Delivery:
        """Sends a modal (block_id -> text) and waits for the acknowledgement, which closes or changes it."""
        with self.world.lock:
            view = self._view(view_id, user)
            payload = clicks.submission(self.world, view, values or {})

            def acknowledged(body: Any) -> None:
                clicks.submitted(self.world, view, body)

            sent = self._send(Delivery("interactive", payload, True, acknowledged), tweak)
        return sent.wait()

    def close_view(self, user: str, view_id: str) -> Delivery | None:
        """Closed by the person; the app hears of it only where it asked to."""
        with self.world.lock:
            view = self._view(view_id, user)
            views.close(self.world, view)
            if not view.body.get("notify_on_close"):
                return None
            payload = clicks.base(self.world, "view_closed", user)
            payload.pop("trigger_id")
            payload |= {"view": views.as_json(self.world, view), "is_cleared": False}
            return self._send(Delivery("interactive", payload, False))

    # the app's own places
    def open_dm(self, user: str, tab: str = "messages") -> Delivery | None:
        """app_home_opened."""
        with self.world.lock:
            event: dict[str, Any] = {
                "type": "app_home_opened",
                "user": user,
                "channel": self.world.direct(user).id,
                "tab": tab,
                "event_ts": self.world.new_ts(),
            }
            home = self.world.homes.get(user)
            if home is not None:
                event["view"] = views.as_json(self.world, home)
            return events.emit(self.world, "app_home_opened", event)

    def open_home(self, user: str) -> Delivery | None:
        return self.open_dm(user, "home")

    def stop(self, user: str, channel: str, thread_ts: str) -> Delivery | None:
        """The Stop button of a run: Slack ends the thread's streams and tells the app."""
        with self.world.lock:
            place = self._channel(channel, user)
            streams = [each for each in place.thread(thread_ts) if each.stream_state == "streaming"]
            for each in streams:
                each.stream_state = "stopped_by_user"
            event = {
                "type": "agent_session_stopped",
                "channel": channel,
                "thread_ts": thread_ts,
                "user": user,
                "event_ts": self.world.new_ts(),
                "streaming_message_ts": [each.ts for each in streams],
            }
            return events.emit(self.world, "agent_session_stopped", event)

    def event(self, inner: dict[str, Any], *, shared: bool = False, tweak: Tweak | None = None) -> Delivery:
        """Any event at all, subscribed to or not; `tweak` changes the envelope."""
        with self.world.lock:
            stamped = {"event_ts": self.world.new_ts(), **inner}
            payload = events.envelope(self.world, stamped, shared=shared)
            return self._send(Delivery("events_api", payload), tweak)

    def deliver_again(self, delivery: Delivery) -> Delivery:
        """A duplicate: the same payload in a new envelope."""
        return self._send(Delivery(delivery.kind, delivery.payload, delivery.accepts_payload, delivery.on_ack))

    @contextmanager
    def holding(self, order: Callable[[list[Delivery]], list[Delivery]] = list) -> Iterator[None]:
        """What happens inside is delivered at the end, in the order that `order` makes of it."""
        self.courier.hold()
        try:
            yield
        finally:
            self.courier.release(order)

    def out_of_order(self) -> Any:
        """Inside, everything is delivered last first."""
        return self.holding(lambda held: held[::-1])
