"""response_url: five answers in half an hour to a click or a command."""

from __future__ import annotations

from typing import Any

from tests.slack_server import limits
from tests.slack_server.blocks import check_blocks
from tests.slack_server.errors import Refused, breach
from tests.slack_server.events import echo_changed, echo_deleted, echo_posted
from tests.slack_server.state import World
from tests.slack_server.things import Posted, ResponseUrl

_FIELDS = {
    "text",
    "blocks",
    "attachments",
    "response_type",
    "replace_original",
    "delete_original",
    "thread_ts",
    "parse",
    "mrkdwn",
    "unfurl_links",
    "unfurl_media",
    "metadata",
}


def respond(world: World, name: str, body: Any) -> None:
    """Raises Refused as Slack would answer."""
    url = world.response_urls.get(name)
    if url is None:
        raise breach("invalid_url", name)
    if world.clock.now() - url.at > limits.RESPONSE_URL_AGE.total_seconds():
        raise breach("expired_url", name)
    if url.uses >= limits.RESPONSE_URL_USES:
        raise breach("used_url", f"{name} was used {url.uses} times")
    url.uses += 1
    answer(world, url, body)


def answer(world: World, url: ResponseUrl, body: Any) -> None:
    """What a response_url, or the acknowledgement of a command, says."""
    if not isinstance(body, dict) or set(body) - _FIELDS:
        raise breach("invalid_payload", str(body)[:200])
    if body.get("response_type") not in (None, "ephemeral", "in_channel"):
        raise breach("invalid_payload", f"response_type {body['response_type']}")
    if body.get("delete_original"):
        _delete(world, url)
        return
    if not (body.get("text") or body.get("blocks") or body.get("attachments")):
        raise breach("no_text")
    blocks = world.fill_block_ids(check_blocks(body.get("blocks") or []))
    text = str(body.get("text") or "")
    if body.get("replace_original") and url.kind != "command":
        if body.get("thread_ts"):
            raise breach("invalid_payload", "thread_ts with replace_original")
        _replace(world, url, text, blocks)
        return
    _say(world, url, body, text, blocks)


def _original(world: World, url: ResponseUrl) -> Posted:
    places = [*world.ephemerals, *world.channels[url.channel].messages.values()]
    found = next((each for each in places if each.ts == url.ts), None)
    if found is None:
        raise Refused("message_not_found", str(url.ts))
    return found


def _replace(world: World, url: ResponseUrl, text: str, blocks: list[dict[str, Any]]) -> None:
    original = _original(world, url)
    before = original.copy()
    original.text, original.blocks = text, blocks
    original.edits += 1
    if original.ephemeral_to is None:
        echo_changed(world, before, original)


def _delete(world: World, url: ResponseUrl) -> None:
    original = _original(world, url)
    if original.ephemeral_to is not None:
        world.ephemerals.remove(original)
        return
    channel = world.channels[url.channel]
    channel.messages.pop(original.ts)
    channel.gone.add(original.ts)
    echo_deleted(world, original)


def _say(world: World, url: ResponseUrl, body: dict[str, Any], text: str, blocks: list[dict[str, Any]]) -> None:
    open_to_all = body.get("response_type") == "in_channel"
    if open_to_all and url.kind == "ephemeral" and body.get("replace_original") is not False:
        raise breach("invalid_payload", "an ephemeral message cannot become a message for all")
    channel = world.channels[url.channel]
    if body.get("thread_ts"):
        world.check_parent(channel, body["thread_ts"])
    message = Posted(
        channel.id,
        world.new_ts(),
        world.bot_user,
        text=text,
        blocks=blocks,
        thread_ts=body.get("thread_ts"),
        bot_id=world.bot_id,
        ephemeral_to=None if open_to_all else url.user,
    )
    if open_to_all:
        world.keep(message)
        echo_posted(world, message)
    else:
        world.ephemerals.append(message)
