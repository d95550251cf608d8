"""conversations.*: reading threads and channels, opening direct messages; apps.connections.open."""

from __future__ import annotations

from typing import Any

from tests.slack_server.api.registry import Args, method
from tests.slack_server.errors import Refused, breach
from tests.slack_server.events import as_json
from tests.slack_server.state import World
from tests.slack_server.things import Channel, Posted

_READ = "channels:history groups:history im:history mpim:history"
_INFO = "channels:read groups:read im:read mpim:read"
_PAGING = "cursor inclusive include_all_metadata latest limit oldest"
_HISTORY = {
    "channel": "channels:history",
    "group": "groups:history",
    "im": "im:history",
    "mpim": "mpim:history",
}


def _readable(world: World, name: str) -> Channel:
    channel = world.channels.get(name)
    if channel is None or (channel.kind != "channel" and world.bot_user not in channel.members):
        raise Refused("channel_not_found", name)
    if world.bot_user not in channel.members:
        raise Refused("not_in_channel", name)
    scope = _HISTORY[channel.kind]
    if scope not in world.scopes:
        raise Refused("missing_scope", needed=scope, provided=",".join(sorted(world.scopes)))
    return channel


def _inside(message: Posted, args: Args) -> bool:
    """Between oldest and latest; the ends count only when they are asked for."""
    ts, oldest, latest = float(message.ts), float(args.get("oldest", 0)), float(args.get("latest", "inf"))
    return oldest <= ts <= latest if args.get("inclusive") else oldest < ts < latest


def _page(world: World, messages: list[Posted], args: Args) -> dict[str, Any]:
    """The cursor is the number of messages that were given before."""
    limit = args.get("limit") or 100
    if not 1 <= limit <= 1000:
        raise breach("invalid_limit", str(limit))
    cursor = args.get("cursor") or "0"
    if not cursor.isdecimal():
        raise breach("invalid_cursor", cursor)
    start = int(cursor)
    shown = []
    for each in messages[start : start + limit]:
        message = as_json(world, each)
        if each.metadata and args.get("include_all_metadata"):
            message["metadata"] = each.metadata
        shown.append(message)
    more = start + limit < len(messages)
    answer: dict[str, Any] = {"messages": shown, "has_more": more}
    if more:
        answer["response_metadata"] = {"next_cursor": str(start + limit)}
    return answer


@method("conversations.replies", form="query", required="channel ts", optional=_PAGING, scope=_READ, tier="T3")
def replies(world: World, args: Args) -> dict[str, Any]:
    """Oldest first; the parent is always there."""
    channel = _readable(world, args["channel"])
    parent = channel.messages.get(args["ts"])
    if parent is None:
        raise Refused("thread_not_found", args["ts"], breach=args["ts"] not in channel.gone)
    thread = [each for each in channel.thread(parent.ts) if each is parent or _inside(each, args)]
    if parent.is_reply:
        thread = [parent]
    return _page(world, thread, args)


@method("conversations.history", form="query", required="channel", optional=_PAGING, scope=_READ, tier="T3")
def history(world: World, args: Args) -> dict[str, Any]:
    """Newest first, without replies."""
    channel = _readable(world, args["channel"])
    top = [each for each in channel.messages.values() if not each.is_reply and _inside(each, args)]
    return _page(world, top[::-1], args)


@method(
    "conversations.info",
    form="query",
    required="channel",
    optional="include_locale include_num_members",
    scope=_INFO,
    tier="T3",
)
def info(world: World, args: Args) -> dict[str, Any]:
    channel = world.channels.get(args["channel"])
    if channel is None or (channel.kind != "channel" and world.bot_user not in channel.members):
        raise Refused("channel_not_found", args["channel"])
    return {"channel": _channel(world, channel)}


def _channel(world: World, channel: Channel) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "id": channel.id,
        "is_archived": channel.archived,
        "is_im": channel.kind == "im",
        "is_ext_shared": channel.shared,
        "is_shared": channel.shared,
    }
    if channel.kind == "im":
        return shown | {"user": next(iter(channel.members - {world.bot_user}))}
    return shown | {
        "name": channel.name,
        "is_channel": channel.kind == "channel",
        "is_group": channel.kind == "group",
        "is_private": channel.kind != "channel",
        "is_member": world.bot_user in channel.members,
    }


@method("conversations.members", form="query", required="channel", optional="cursor limit", scope=_INFO, tier="T4")
def members(world: World, args: Args) -> dict[str, Any]:
    channel = world.channels.get(args["channel"])
    if channel is None:
        raise Refused("channel_not_found", args["channel"])
    return {"members": sorted(channel.members)}


@method("conversations.open", form="form", optional="channel users return_im", scope="im:write mpim:write", tier="T3")
def open_direct(world: World, args: Args) -> dict[str, Any]:
    users = (args.get("users") or "").split(",")
    if args.get("channel"):
        channel = world.channel_for_bot(args["channel"])
    elif len(users) == 1 and users[0]:
        if users[0] not in world.users:
            raise Refused("user_not_found", users[0])
        if world.users[users[0]].bot:
            raise Refused("cannot_dm_bot", users[0])
        channel = world.direct(users[0])
    else:
        raise breach("invalid_arguments", "one user")
    shown = _channel(world, channel) if args.get("return_im") else {"id": channel.id}
    return {"channel": shown}


@method("apps.connections.open", form="form", tier="T3", token="app")
def connect(world: World, args: Args) -> dict[str, Any]:
    return {"url": world.socket_url()}
