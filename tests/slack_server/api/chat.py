"""chat.postMessage, chat.update, chat.postEphemeral, chat.delete, chat.getPermalink."""

from __future__ import annotations

import json
from typing import Any

from tests.slack_server import limits
from tests.slack_server.api.registry import Args, method
from tests.slack_server.blocks import check_blocks, check_length
from tests.slack_server.errors import Refused, breach
from tests.slack_server.events import as_json, echo_changed, echo_deleted, echo_posted
from tests.slack_server.state import World
from tests.slack_server.things import Posted

_CONTENT = "text blocks attachments markdown_text"
_LOOKS = "username icon_emoji icon_url"
_KEPT = ("parse", "mrkdwn", "link_names", "unfurl_links", "unfurl_media", "reply_broadcast", "markdown_text")


def check_metadata(metadata: dict[str, Any] | None) -> None:
    if not metadata:
        return
    if set(metadata) - {"event_type", "event_payload", "entities"}:
        raise breach("invalid_metadata_format", str(sorted(metadata)))
    if not isinstance(metadata.get("event_type"), str) or not isinstance(metadata.get("event_payload"), dict):
        raise breach("invalid_metadata_schema", "event_type and event_payload are needed")
    for key, value in metadata["event_payload"].items():
        if value is not None and not isinstance(value, str | int | float | bool):
            raise breach("invalid_metadata_schema", f"event_payload.{key} is nested")
    if len(json.dumps(metadata)) > limits.METADATA_BYTES:
        raise breach("metadata_too_large")


def check_content(args: Args, *, longest_text: int | None) -> None:
    """Text, blocks, markdown and attachments of one message."""
    text, blocks, markdown = args.get("text"), args.get("blocks"), args.get("markdown_text")
    if not (text or blocks or markdown or args.get("attachments")):
        raise breach("no_text")
    if markdown is not None and (text is not None or blocks is not None):
        raise breach("markdown_text_conflict")
    if markdown is not None and len(markdown) > limits.MARKDOWN_TEXT:
        raise breach("msg_too_long", f"markdown_text of {len(markdown)}")
    if text is not None and longest_text is not None and len(text) > longest_text:
        raise breach("msg_too_long", f"text of {len(text)}")
    if len(args.get("attachments", [])) > limits.ATTACHMENTS:
        raise breach("too_many_attachments")
    if blocks is not None:
        check_blocks(blocks)
        check_length(blocks)
    if args.get("parse") not in (None, "none", "full", "client"):
        raise breach("invalid_arguments", f"parse {args['parse']}")
    check_metadata(args.get("metadata"))


def written(world: World, args: Args) -> dict[str, Any]:
    """The fields of a message that the arguments give."""
    text = args.get("markdown_text") or args.get("text") or ""
    return {
        "text": text[: limits.MESSAGE_TEXT],
        "blocks": world.fill_block_ids(args.get("blocks") or []),
        "attachments": args.get("attachments") or [],
    }


@method(
    "chat.postMessage",
    form="json",
    required="channel",
    optional=f"{_CONTENT} {_LOOKS} thread_ts reply_broadcast metadata mrkdwn parse link_names unfurl_links "
    "unfurl_media",
    scope="chat:write",
    tier="post",
)
def post_message(world: World, args: Args) -> dict[str, Any]:
    channel = world.channel_for_bot(args["channel"])
    check_content(args, longest_text=limits.MESSAGE_TEXT)
    world.check_parent(channel, args.get("thread_ts"))
    message = Posted(
        channel.id,
        world.new_ts(),
        world.bot_user,
        thread_ts=args.get("thread_ts"),
        bot_id=world.bot_id,
        metadata=args.get("metadata") or None,
        args={name: args[name] for name in _KEPT if name in args},
        **written(world, args),
    )
    world.keep(message)
    if channel.kind == "im" or message.thread_ts:
        world.statuses.pop((channel.id, message.thread_ts or ""), None)
    echo_posted(world, message)
    return {"channel": channel.id, "ts": message.ts, "message": as_json(world, message)}


@method(
    "chat.update",
    form="json",
    required="channel ts",
    optional=f"{_CONTENT} metadata parse link_names reply_broadcast file_ids as_user",
    scope="chat:write",
    tier="T3",
)
def update(world: World, args: Args) -> dict[str, Any]:
    if args["channel"] in world.users:
        raise breach("channel_not_found", "chat.update needs the direct channel's own id")
    message = world.own_message(args["channel"], args["ts"], denied="cant_update_message")
    if message.stream_state == "streaming":
        raise breach("streaming_state_conflict", message.ts)
    if args.get("metadata") is not None and not args["metadata"]:
        message.metadata = None
    check_content(args, longest_text=limits.UPDATE_TEXT)
    before = message.copy()
    new = written(world, args)
    for name in ("blocks", "attachments"):  # what is not given stays; an empty list takes it away
        if name not in args:
            new.pop(name)
    for name, value in new.items():
        setattr(message, name, value)
    message.chunks = []
    message.metadata = args.get("metadata") or message.metadata
    message.args |= {name: args[name] for name in _KEPT if name in args}
    message.edits += 1
    echo_changed(world, before, message)
    return {"channel": message.channel, "ts": message.ts, "text": message.text, "message": as_json(world, message)}


@method(
    "chat.postEphemeral",
    form="json",
    required="channel user",
    optional=f"{_CONTENT} {_LOOKS} thread_ts parse link_names",
    scope="chat:write",
)
def post_ephemeral(world: World, args: Args) -> dict[str, Any]:
    channel = world.channel_for_bot(args["channel"])
    if args["user"] not in channel.members:
        raise Refused("user_not_in_channel", args["user"])
    check_content(args, longest_text=limits.MESSAGE_TEXT)
    world.check_parent(channel, args.get("thread_ts"))
    message = Posted(
        channel.id,
        world.new_ts(),
        world.bot_user,
        thread_ts=args.get("thread_ts"),
        bot_id=world.bot_id,
        ephemeral_to=args["user"],
        args={name: args[name] for name in _KEPT if name in args},
        **written(world, args),
    )
    world.ephemerals.append(message)
    return {"message_ts": message.ts}


@method("chat.delete", form="form", required="channel ts", optional="as_user", scope="chat:write", tier="T3")
def delete(world: World, args: Args) -> dict[str, Any]:
    message = world.own_message(args["channel"], args["ts"], denied="cant_delete_message")
    channel = world.channels[message.channel]
    channel.messages.pop(message.ts)
    channel.gone.add(message.ts)
    echo_deleted(world, message)
    return {"channel": channel.id, "ts": message.ts}


@method("chat.getPermalink", form="query", required="channel message_ts", tier="S")
def permalink(world: World, args: Args) -> dict[str, Any]:
    channel = world.channels.get(args["channel"])
    if channel is None:
        raise Refused("channel_not_found")
    if args["message_ts"] not in channel.messages:
        raise Refused("message_not_found")
    ts = args["message_ts"].replace(".", "")
    link = f"https://{world.domain}.slack.com/archives/{channel.id}/p{ts}"
    return {"channel": channel.id, "permalink": link}
