"""Buttons as people press them, and modals as they send them: the payloads of interactions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.slack_server.api import views
from tests.slack_server.errors import Refused
from tests.slack_server.events import as_json
from tests.slack_server.state import World
from tests.slack_server.things import Posted, ResponseUrl, View


def who(world: World, user: str) -> dict[str, Any]:
    found = world.users[user]
    return {"id": user, "username": found.name, "name": found.name, "team_id": found.team}


def base(world: World, kind: str, user: str, *, view: str | None = None) -> dict[str, Any]:
    """What every interaction carries."""
    team: dict[str, Any] | None = {"id": world.team, "domain": world.domain}
    if world.enterprise and team is not None:
        team |= {"enterprise_id": world.enterprise, "enterprise_name": "Frost Org"}
    return {
        "type": kind,
        "user": who(world, user),
        "api_app_id": world.app,
        "token": "verification-token",
        "team": None if world.org_install else team,
        "enterprise": {"id": world.enterprise, "name": "Frost Org"} if world.enterprise else None,
        "is_enterprise_install": world.org_install,
        "trigger_id": world.new_trigger(user, view),
    }


def _pressable(blocks: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """(block_id, action without its stamp) of everything in the blocks that can be pressed."""
    for block in blocks:
        inner = [*block.get("elements", []), *block.get("actions", []), block.get("accessory")]
        for element in inner:
            if not isinstance(element, dict):
                continue
            name = block.get("block_id", "")
            if element.get("type") in ("button", "icon_button"):
                kept = {key: element[key] for key in ("type", "action_id", "text", "value", "style") if key in element}
                yield name, kept
            elif element.get("type") == "feedback_buttons":
                for side in ("positive_button", "negative_button"):
                    value = {"text": element[side]["text"], "value": element[side]["value"]}
                    yield name, {"type": "feedback_buttons", "action_id": element.get("action_id", ""), **value}


def find_action(blocks: list[dict[str, Any]], action_id: str, value: str | None) -> dict[str, Any]:
    """The action as `actions[0]` shows it. AssertionError where there is no such button, or several of them."""
    seen = list(_pressable(blocks))
    found = [
        (name, action)
        for name, action in seen
        if action["action_id"] == action_id and (value is None or action.get("value") == value)
    ]
    if len(found) != 1:
        names = [(action["action_id"], action.get("value")) for _, action in seen]
        raise AssertionError(f"{len(found)} buttons for {action_id!r} (value {value!r}); there are {names}")
    return {**found[0][1], "block_id": found[0][0]}


def message_click(world: World, user: str, message: Posted, action: dict[str, Any]) -> dict[str, Any]:
    """block_actions of a button in a message; one that only the person sees comes without the message."""
    ephemeral = message.ephemeral_to is not None
    container: dict[str, Any] = {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": message.channel,
        "is_ephemeral": ephemeral,
    }
    if message.thread_ts:
        container["thread_ts"] = message.thread_ts
    channel = world.channels[message.channel]
    url = ResponseUrl(
        world.token(20), user, message.channel, world.clock.now(), "ephemeral" if ephemeral else "message", message.ts
    )
    payload = {
        **base(world, "block_actions", user),
        "container": container,
        "channel": {"id": channel.id, "name": "directmessage" if channel.kind == "im" else channel.name},
        "state": {"values": {}},
        "response_url": world.new_response_url(url),
        "actions": [{**action, "action_ts": world.new_ts()}],
    }
    return payload if ephemeral else {**payload, "message": as_json(world, message)}


def view_click(world: World, view: View, action: dict[str, Any]) -> dict[str, Any]:
    return {
        **base(world, "block_actions", view.user, view=view.id if view.type == "modal" else None),
        "container": {"type": "view", "view_id": view.id},
        "view": views.as_json(world, view),
        "actions": [{**action, "action_ts": world.new_ts()}],
    }


def submission(world: World, view: View, values: dict[str, Any]) -> dict[str, Any]:
    """view_submission; `values`: block_id -> what was put in. Refuses what Slack's client would not send."""
    state: dict[str, Any] = {}
    for block in view.blocks:
        if block["type"] != "input":
            continue
        element, given = block["element"], values.get(block["block_id"])
        if given in (None, "") and not block.get("optional"):
            raise AssertionError(f"the client does not send {block['block_id']!r} without a value")
        if given is not None and len(str(given)) > element.get("max_length", 3000):
            raise AssertionError(f"the client does not send more than max_length in {block['block_id']!r}")
        state[block["block_id"]] = {element.get("action_id", "input"): _value(element, given)}
    unknown = set(values) - set(state)
    if unknown:
        raise AssertionError(f"the modal has no inputs {sorted(unknown)}; it has {sorted(state)}")
    shown = {**views.as_json(world, view), "state": {"values": state}}
    return {**base(world, "view_submission", view.user, view=view.id), "view": shown, "response_urls": []}


def _value(element: dict[str, Any], given: Any) -> dict[str, Any]:
    if element["type"] == "plain_text_input":
        return {"type": "plain_text_input", "value": given or None}
    options = {each["value"]: each for each in element.get("options", [])}
    if given is not None and given not in options:
        raise AssertionError(f"no option {given!r}; there are {sorted(options)}")
    return {"type": element["type"], "selected_option": options.get(given)}


def submitted(world: World, view: View, answer: Any) -> None:
    """What the acknowledgement of a submission does to the modal."""
    if not answer:
        below = world.views.get(view.previous or "")
        views.close(world, view)
        if below is None:
            views.close_stack(world, view.root)
        return
    try:
        _respond(world, view, answer)
    except Refused as refusal:
        world.violate("view_submission", refusal.code, refusal.detail)
        world.user_errors.append(f"view_submission: {refusal.code}")


def _respond(world: World, view: View, answer: dict[str, Any]) -> None:
    action = answer.get("response_action")
    if action == "clear":
        views.close_stack(world, view.root)
    elif action == "update":
        views.change(world, view, answer.get("view"))
    elif action == "push":
        views.new_view(world, view.user, answer.get("view"), view)
    elif action == "errors":
        inputs = {each["block_id"] for each in view.blocks if each["type"] == "input"}
        errors = answer.get("errors")
        if not isinstance(errors, dict) or not errors or set(errors) - inputs:
            raise Refused("invalid_errors", f"{errors} for inputs {sorted(inputs)}")
        view.errors = errors
    else:
        raise Refused("invalid_response_action", str(answer)[:200])
