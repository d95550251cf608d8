"""agents.sessions.*, and the assistant.threads.* calls that go before them."""

from __future__ import annotations

from typing import Any

from tests.slack_server import limits
from tests.slack_server.api.registry import Args, method
from tests.slack_server.api.streams import set_session
from tests.slack_server.errors import Refused, breach
from tests.slack_server.state import World
from tests.slack_server.things import Channel

_LOOKS = "icon_emoji icon_url username"


def _thread(world: World, args: Args, code: str) -> tuple[Channel, str | None]:
    channel = world.channel_for_bot(args["channel_id"])
    world.check_parent(channel, args.get("thread_ts"), code=code)
    return channel, args.get("thread_ts")


@method(
    "agents.sessions.setStatus",
    form="json",
    required="channel_id status",
    optional=f"thread_ts title initiator_user_id {_LOOKS}",
    scope="chat:write",
    tier="T3",
)
def set_status(world: World, args: Args) -> dict[str, Any]:
    if not world.sessions_enabled or not world.agent_view:
        raise Refused("feature_disabled")
    if args["status"] not in ("active", "processing", "suspended", "closed"):
        raise breach("invalid_status", args["status"])
    channel, thread_ts = _thread(world, args, "thread_not_found")
    if thread_ts is None:
        raise breach("thread_ts_required", channel.id)
    if len(args.get("title", "")) > limits.SESSION_TITLE:
        raise breach("invalid_arguments", f"title of {len(args['title'])}")
    if args.get("initiator_user_id") and args["initiator_user_id"] not in world.users:
        raise breach("user_not_found", args["initiator_user_id"])
    new = (channel.id, thread_ts) not in world.sessions
    session = set_session(world, channel.id, thread_ts, args["status"])
    if new:
        session["title"] = args.get("title")
    if "agent_session_stopped" in world.events:
        return {}
    return {"warning": "missing_agent_session_stopped_event_subscription"}


@method(
    "agents.sessions.rename",
    form="json",
    required="channel_id title",
    optional="thread_ts",
    scope="chat:write",
    tier="T3",
)
def rename(world: World, args: Args) -> dict[str, Any]:
    channel, thread_ts = _thread(world, args, "thread_not_found")
    if thread_ts is None:
        raise breach("thread_ts_required", channel.id)
    if len(args["title"]) > limits.SESSION_TITLE:
        raise breach("invalid_arguments", f"title of {len(args['title'])}")
    session = world.sessions.get((channel.id, thread_ts))
    if session is None:
        raise Refused("session_not_found", f"{channel.id}/{thread_ts}")
    session["title"] = args["title"]
    world.titles[channel.id, thread_ts] = args["title"]
    return {}


@method(
    "assistant.threads.setStatus",
    form="json",
    required="channel_id thread_ts",
    optional=f"status loading_messages {_LOOKS}",
    scope="chat:write assistant:write",
    tier="S",
)
def old_status(world: World, args: Args) -> dict[str, Any]:
    channel, thread_ts = _thread(world, args, "invalid_thread_ts")
    if "status" not in args:
        raise breach("invalid_arguments", "[ERROR] missing required field: status")
    messages = args.get("loading_messages") or []
    if len(messages) > limits.LOADING_MESSAGES or any(len(each) > limits.LOADING_MESSAGE for each in messages):
        raise breach("invalid_arguments", "loading_messages")
    assert thread_ts is not None
    world.statuses[channel.id, thread_ts] = args["status"]
    if world.agent_view:
        set_session(world, channel.id, thread_ts, "processing" if args["status"] else "active")
    return {}


@method(
    "assistant.threads.setSuggestedPrompts",
    form="json",
    required="channel_id prompts",
    optional="title thread_ts",
    scope="assistant:write",
)
def set_prompts(world: World, args: Args) -> dict[str, Any]:
    channel, thread_ts = _thread(world, args, "invalid_thread_ts")
    if not 1 <= len(args["prompts"]) <= limits.PROMPTS:
        raise breach("invalid_arguments", f"{len(args['prompts'])} prompts")
    for each in args["prompts"]:
        if not isinstance(each, dict) or set(each) != {"title", "message"} or not all(each.values()):
            raise breach("invalid_arguments", "a prompt has a title and a message")
    if world.agent_view and thread_ts is not None:
        world.violate("assistant.threads.setSuggestedPrompts", "no_effect", "thread_ts in an agent view: shows nothing")
        return {}
    if not world.agent_view and thread_ts is None:
        raise breach("invalid_thread_ts", "the older view needs thread_ts")
    world.prompts[channel.id, thread_ts] = args["prompts"]
    return {}


@method(
    "assistant.threads.setTitle",
    form="form",
    required="channel_id thread_ts title",
    scope="assistant:write",
)
def set_title(world: World, args: Args) -> dict[str, Any]:
    channel, thread_ts = _thread(world, args, "invalid_thread_ts")
    world.titles[channel.id, thread_ts] = args["title"]
    return {}
