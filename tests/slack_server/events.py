"""Events as Slack sends them: the envelope, who gets which, and the echoes of the app's own writing."""

from __future__ import annotations

import copy
from typing import Any

from tests.slack_server.delivery import Delivery
from tests.slack_server.state import World
from tests.slack_server.things import Channel, Posted

_MESSAGE_EVENTS = {
    "channel": ("message.channels", "channels:history"),
    "group": ("message.groups", "groups:history"),
    "im": ("message.im", "im:history"),
    "mpim": ("message.mpim", "mpim:history"),
}
_EVENT_SCOPES = {"app_mention": "app_mentions:read", "subteam_members_changed": "usergroups:read"}


def envelope(world: World, event: dict[str, Any], *, shared: bool = False) -> dict[str, Any]:
    """What a request to the app holds for one event."""
    return {
        "token": "verification-token",
        "team_id": world.team,
        "context_team_id": world.team,
        "context_enterprise_id": world.enterprise,
        "api_app_id": world.app,
        "event": event,
        "type": "event_callback",
        "event_id": f"Ev0{world.number():09d}",
        "event_time": int(world.clock.wall()),
        "authorizations": [
            {
                "enterprise_id": world.enterprise,
                "team_id": None if world.org_install else world.team,
                "user_id": world.bot_user,
                "is_bot": True,
                "is_enterprise_install": world.org_install,
            }
        ],
        "is_ext_shared_channel": shared,
        "event_context": f"4-{world.token(16)}",
    }


def emit(world: World, name: str, event: dict[str, Any], *, scope: str = "", shared: bool = False) -> Delivery | None:
    """Delivers it if the app subscribed to `name` and may read it."""
    scope = scope or _EVENT_SCOPES.get(name, "")
    if name not in world.events or (scope and scope not in world.scopes):
        return None
    delivery = Delivery("events_api", envelope(world, event, shared=shared))
    world.send(delivery)
    return delivery


def emit_message(world: World, channel: Channel, event: dict[str, Any]) -> Delivery | None:
    if world.bot_user not in channel.members:
        return None
    name, scope = _MESSAGE_EVENTS[channel.kind]
    return emit(world, name, event, scope=scope, shared=channel.shared)


def as_json(world: World, message: Posted) -> dict[str, Any]:
    """The message as methods and events show it; a copy, since it is sent later."""
    shown: dict[str, Any] = {"type": "message", "text": message.text, "ts": message.ts}
    if message.user is not None:
        shown["user"] = message.user
    if message.bot_id is not None:
        shown |= {"bot_id": message.bot_id, "team": world.team}
        if message.bot_id == world.bot_id:
            shown |= {"app_id": world.app, "bot_profile": {"id": world.bot_id, "app_id": world.app}}
    for name in ("blocks", "attachments", "files", "subtype", "thread_ts"):
        value = getattr(message, name)
        if value:
            shown[name] = copy.deepcopy(value)
    if message.edits:
        shown["edited"] = {"user": message.user, "ts": message.ts}
    if message.streamed:
        shown["streaming_state"] = "in_progress" if message.stream_state == "streaming" else "completed"
    return shown


def author(world: World, channel: Channel, user: str) -> dict[str, Any]:
    """`team`, and in channels shared with other organisations whose people it was."""
    found = world.users[user]
    home = found.team
    fields: dict[str, Any] = {"user": user, "team": home}
    if channel.shared or home != world.team:
        fields |= {"user_team": found.enterprise or home, "source_team": found.enterprise or home}
    return fields


def echo_posted(world: World, message: Posted) -> None:
    """The app's own message comes back to it as an event."""
    if not world.echoes:
        return
    channel = world.channels[message.channel]
    event = {**as_json(world, message), "channel": channel.id, "channel_type": channel.kind, "event_ts": message.ts}
    if message.files:
        event["subtype"] = "file_share"
    emit_message(world, channel, event)


def echo_changed(world: World, before: Posted, after: Posted, *, always: bool = False) -> Delivery | None:
    """`message_changed`: hidden, the author only inside."""
    if not (world.echoes or always):
        return None
    channel = world.channels[after.channel]
    stamp = world.new_ts()
    event = {
        "type": "message",
        "subtype": "message_changed",
        "hidden": True,
        "message": as_json(world, after),
        "previous_message": as_json(world, before),
        "channel": channel.id,
        "channel_type": channel.kind,
        "ts": stamp,
        "event_ts": stamp,
    }
    return emit_message(world, channel, event)


def echo_deleted(world: World, message: Posted) -> Delivery | None:
    channel = world.channels[message.channel]
    stamp = world.new_ts()
    event = {
        "type": "message",
        "subtype": "message_deleted",
        "hidden": True,
        "deleted_ts": message.ts,
        "previous_message": as_json(world, message),
        "channel": channel.id,
        "channel_type": channel.kind,
        "ts": stamp,
        "event_ts": stamp,
    }
    return emit_message(world, channel, event)
