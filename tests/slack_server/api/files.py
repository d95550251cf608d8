"""Uploading files in three steps: ask for a URL, send the bytes there, complete."""

from __future__ import annotations

import json
from typing import Any

from tests.slack_server import limits
from tests.slack_server.api.registry import Args, method
from tests.slack_server.errors import Refused, breach
from tests.slack_server.events import echo_posted
from tests.slack_server.state import World
from tests.slack_server.things import Posted, Upload


@method(
    "files.getUploadURLExternal",
    form="form",
    required="filename length",
    optional="alt_txt snippet_type",
    scope="files:write",
)
def get_url(world: World, args: Args) -> dict[str, Any]:
    if args["length"] <= 0:
        raise breach("missing_argument", "length")
    if args["length"] > limits.FILE_BYTES:
        raise breach("file_upload_size_restricted")
    if args.get("snippet_type") and args["length"] > limits.SNIPPET_BYTES:
        raise breach("snippet_too_large")
    if len(args.get("alt_txt", "")) > 1000:
        raise breach("alt_txt_too_large")
    upload = Upload(world.new_id("F"), args["filename"], args["length"], alt=args.get("alt_txt", ""))
    world.uploads[upload.id] = upload
    return {"upload_url": f"{world.http_url}/upload/v1/{upload.id}", "file_id": upload.id}


def take_bytes(world: World, name: str, body: bytes, *, authorized: bool) -> tuple[int, str]:
    """Step two: (status, text)."""
    upload = world.uploads.get(name)
    if upload is None or upload.content is not None:
        world.violate("upload", "not_found", f"{name} is no upload that waits for bytes")
        return 404, "not found"
    if authorized:
        world.violate("upload", "token_sent", "the upload URL takes no token")
    if len(body) != upload.length:
        world.violate("upload", "length", f"{len(body)} bytes instead of {upload.length}")
        return 400, "length"
    upload.content = body if world.keep_calls else b""
    return 200, f"OK - {len(body)}"


def _listed(world: World, args: Args) -> list[Upload]:
    try:
        files = json.loads(args["files"])
    except ValueError:
        raise breach("invalid_arguments", "files is not JSON") from None
    if not isinstance(files, list) or not files:
        raise breach("invalid_arguments", "files")
    found = []
    for each in files:
        if not isinstance(each, dict) or set(each) - {"id", "title", "highlight_type"}:
            raise breach("invalid_arguments", f"files: {each}")
        upload = world.uploads.get(each.get("id", ""))
        if upload is None or upload.completed:
            raise breach("file_not_found", str(each.get("id")))
        if upload.content is None:
            raise breach("file_not_found", f"no bytes were sent for {upload.id}")
        upload.title = each.get("title") or upload.filename
        found.append(upload)
    return found


@method(
    "files.completeUploadExternal",
    form="form",
    required="files",
    optional="channel_id channels thread_ts initial_comment blocks",
    scope="files:write",
)
def complete(world: World, args: Args) -> dict[str, Any]:
    uploads = _listed(world, args)
    if args.get("channel_id") and args.get("channels"):
        raise breach("invalid_arguments", "channel_id or channels")
    places = [each for each in (args.get("channel_id") or args.get("channels") or "").split(",") if each]
    channels = []
    for place in places:
        if place in world.users:
            raise breach("invalid_channel", "files need the direct channel's own id")
        channels.append(world.channel_for_bot(place))
        world.check_parent(channels[-1], args.get("thread_ts"))
    files = [_file(each) for each in uploads]
    for each in uploads:
        each.completed, each.thread_ts, each.comment = True, args.get("thread_ts"), args.get("initial_comment") or ""
        each.channel = channels[0].id if channels else None
    for channel in channels:
        message = Posted(
            channel.id,
            world.new_ts(),
            world.bot_user,
            text=args.get("initial_comment") or "",
            thread_ts=args.get("thread_ts"),
            bot_id=world.bot_id,
            files=files,
        )
        world.keep(message)
        echo_posted(world, message)
    return {"files": files}


def _file(upload: Upload) -> dict[str, Any]:
    return {"id": upload.id, "title": upload.title, "name": upload.filename, "size": upload.length}


@method("files.info", form="query", required="file", optional="count cursor limit page", scope="files:read")
def info(world: World, args: Args) -> dict[str, Any]:
    upload = world.uploads.get(args["file"])
    if upload is None:
        raise Refused("file_not_found")
    return {"file": _file(upload)}
