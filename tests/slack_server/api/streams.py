"""chat.startStream, chat.appendStream, chat.stopStream: a message that is written while people watch."""

from __future__ import annotations

from typing import Any

from tests.slack_server import limits
from tests.slack_server.api.chat import check_metadata
from tests.slack_server.api.registry import Args, method
from tests.slack_server.blocks import check_blocks, check_length
from tests.slack_server.errors import Refused, breach
from tests.slack_server.events import as_json, echo_changed, echo_posted
from tests.slack_server.state import World
from tests.slack_server.things import Channel, Posted

_CHUNKS = {
    "markdown_text": ({"text"}, set[str]()),
    "task_update": ({"id", "title", "status"}, {"details", "output", "sources"}),
    "plan_update": ({"title"}, set[str]()),
    "blocks": ({"blocks"}, set[str]()),
}
_TASK_STATES = ("pending", "in_progress", "complete", "error")


def _check_chunk(chunk: Any) -> None:
    kind = chunk.get("type") if isinstance(chunk, dict) else None
    if kind not in _CHUNKS:
        raise breach("invalid_chunks", f"unknown type {kind}")
    required, optional = _CHUNKS[kind]
    if required - set(chunk) or set(chunk) - required - optional - {"type"}:
        raise breach("invalid_chunks", f"{kind} with {sorted(chunk)}")
    for name in (required | optional) - {"blocks", "sources"}:
        if name in chunk and not (isinstance(chunk[name], str) and (chunk[name] or name == "text")):
            raise breach("invalid_chunks", f"{kind}.{name} must be a text that is not empty")
    if kind == "task_update" and chunk["status"] not in _TASK_STATES:
        raise breach("invalid_chunks", f"status {chunk['status']}")
    if kind == "blocks":
        if isinstance(chunk["blocks"], list) and len(chunk["blocks"]) > limits.BLOCKS_IN_MESSAGE:
            raise breach("msg_blocks_too_many")
        check_blocks(chunk["blocks"])


def chunks_of(args: Args) -> list[dict[str, Any]]:
    """What one call adds; markdown_text is a chunk of its own."""
    chunks: list[dict[str, Any]] = list(args.get("chunks") or [])
    if args.get("markdown_text") is not None:
        if chunks:
            raise breach("markdown_text_conflict", "markdown_text with chunks")
        chunks = [{"type": "markdown_text", "text": args["markdown_text"]}]
    for each in chunks:
        _check_chunk(each)
    if sum(len(each["text"]) for each in chunks if each["type"] == "markdown_text") > limits.MARKDOWN_TEXT:
        raise breach("msg_too_long", "more than 12,000 characters of markdown in a call")
    return chunks


def add(message: Posted, chunks: list[dict[str, Any]]) -> None:
    message.chunks += chunks
    message.text += "".join(each["text"] for each in chunks if each["type"] == "markdown_text")
    for each in chunks:
        if each["type"] == "blocks":
            message.blocks += each["blocks"]


def expire(world: World, message: Posted) -> None:
    """A stream that is too old ends by itself, and its session goes back to `active`."""
    if message.stream_state == "streaming" and world.clock.now() - message.started > world.stream_age_s:
        message.stream_state = "expired"
        set_session(world, message.channel, message.thread_ts, "active")


def set_session(world: World, channel: str, thread_ts: str | None, status: str) -> dict[str, Any]:
    session = world.sessions.setdefault((channel, thread_ts), {"title": None})
    session["status"] = status
    return session


def _recipient(world: World, channel: Channel, args: Args) -> str | None:
    if channel.kind == "im":
        return args.get("recipient_user_id")
    if channel.kind == "mpim":
        raise Refused("channel_type_not_supported", channel.id)
    for name in ("recipient_user_id", "recipient_team_id"):
        if not args.get(name):
            raise breach(f"missing_{name}", f"outside direct messages; {channel.id}")
    user = world.users.get(args["recipient_user_id"])
    if user is None:
        raise Refused("user_not_found", args["recipient_user_id"])
    if args["recipient_team_id"] not in (user.team, user.enterprise):
        raise breach("invalid_arguments", f"recipient_team_id {args['recipient_team_id']} is not {user.id}'s")
    return user.id


@method(
    "chat.startStream",
    form="json",
    required="channel",
    optional="thread_ts markdown_text chunks recipient_user_id recipient_team_id task_display_mode username icon_emoji "
    "icon_url",
    scope="chat:write",
    tier="T2",
)
def start(world: World, args: Args) -> dict[str, Any]:
    channel = world.channel_for_bot(args["channel"])
    recipient = _recipient(world, channel, args)
    world.check_parent(channel, args.get("thread_ts"))
    if args.get("task_display_mode") not in (None, "timeline", "plan", "dense"):
        raise breach("invalid_arguments", "task_display_mode")
    chunks = chunks_of(args)
    message = Posted(
        channel.id,
        world.new_ts(),
        world.bot_user,
        thread_ts=args.get("thread_ts"),
        bot_id=world.bot_id,
        streamed=True,
        stream_state="streaming",
        recipient=recipient,
        started=world.clock.now(),
        args={name: args[name] for name in ("task_display_mode",) if name in args},
    )
    add(message, chunks)
    world.keep(message)
    set_session(world, channel.id, message.thread_ts, "processing")
    world.statuses.pop((channel.id, message.thread_ts or ""), None)
    echo_posted(world, message)
    return {"channel": channel.id, "ts": message.ts}


def _open_stream(world: World, args: Args, *, stopping: bool) -> Posted:
    message = world.own_message(args["channel"], args["ts"], denied="message_not_owned_by_app")
    expire(world, message)
    if message.stream_state == "stopped_by_user" and not (stopping and world.stopped_can_be_stopped):
        raise Refused("stopped_by_user", message.ts)
    if message.stream_state == "expired":
        raise Refused("message_not_in_streaming_state", f"{message.ts} was too old")
    if message.stream_state not in ("streaming", "stopped_by_user"):
        raise breach("message_not_in_streaming_state", f"{message.ts} is {message.stream_state or 'no stream'}")
    return message


@method(
    "chat.appendStream",
    form="json",
    required="channel ts",
    optional="markdown_text chunks",
    scope="chat:write",
    tier="T4",
)
def append(world: World, args: Args) -> dict[str, Any]:
    message = _open_stream(world, args, stopping=False)
    chunks = chunks_of(args)
    if not chunks:
        raise breach("invalid_arguments", "neither markdown_text nor chunks")
    before = message.copy()
    add(message, chunks)
    echo_changed(world, before, message)
    return {"channel": message.channel, "ts": message.ts}


@method(
    "chat.stopStream",
    form="json",
    required="channel ts",
    optional="markdown_text chunks blocks metadata session_status",
    scope="chat:write",
    tier="T2",
)
def stop(world: World, args: Args) -> dict[str, Any]:
    message = _open_stream(world, args, stopping=True)
    chunks = chunks_of(args)
    check_metadata(args.get("metadata"))
    blocks = check_blocks(args.get("blocks") or [])
    check_length(blocks)
    if args.get("session_status") not in (None, "active", "processing", "suspended", "closed"):
        raise breach("invalid_status", str(args["session_status"]))
    before = message.copy()
    add(message, chunks)
    message.blocks += world.fill_block_ids(blocks)
    message.metadata = args.get("metadata") or message.metadata
    message.stream_state = "stopped"
    set_session(world, message.channel, message.thread_ts, args.get("session_status") or "active")
    echo_changed(world, before, message)
    return {"channel": message.channel, "ts": message.ts, "message": as_json(world, message)}
