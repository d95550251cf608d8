"""views.open, views.push, views.update, views.publish."""

from __future__ import annotations

from typing import Any, Literal

from tests.slack_server import limits
from tests.slack_server.api.registry import Args, method
from tests.slack_server.blocks import check_view
from tests.slack_server.errors import Refused, breach
from tests.slack_server.state import World
from tests.slack_server.things import Trigger, View


def as_json(world: World, view: View) -> dict[str, Any]:
    """The view as methods and payloads show it."""
    return {
        "id": view.id,
        "team_id": world.team,
        "app_id": world.app,
        "bot_id": world.bot_id,
        "app_installed_team_id": view.app_installed_team_id or world.team,
        "hash": view.hash,
        "root_view_id": view.root,
        "previous_view_id": view.previous,
        "state": {"values": {}},
        "callback_id": "",
        "private_metadata": "",
        **view.body,
    }


def _body(world: World, view: Any, kind: Literal["modal", "home"]) -> dict[str, Any]:
    body = check_view(view, kind)
    return {**body, "blocks": world.fill_block_ids(body["blocks"])}


def _external(world: World, body: dict[str, Any], own: str | None = None) -> None:
    name = body.get("external_id")
    if name and any(each.body.get("external_id") == name and each.id != own for each in world.views.values()):
        raise breach("duplicate_external_id", str(name))


def new_view(world: World, user: str, view: Any, previous: View | None = None) -> View:
    body = _body(world, view, "modal")
    _external(world, body)
    name = world.new_id("V")
    made = View(
        name,
        user,
        body,
        f"{world.number()}.{world.token(8)}",
        "modal",
        previous.root if previous else name,
        previous.id if previous else None,
    )
    world.views[name] = made
    return made


def close(world: World, view: View) -> None:
    world.views.pop(view.id, None)
    world.closed_views.append(view.id)


def close_stack(world: World, root: str) -> None:
    for each in [each for each in world.views.values() if each.root == root]:
        close(world, each)


def top_of(world: World, root: str) -> View | None:
    stack = [each for each in world.views.values() if each.root == root]
    return stack[-1] if stack else None


def change(world: World, view: View, body: Any) -> None:
    new = _body(world, body, view.type)
    _external(world, new, view.id)
    view.body, view.hash = new, f"{world.number()}.{world.token(8)}"
    view.updates += 1
    view.errors = {}


def _trigger(world: World, args: Args) -> Trigger:
    given = args.get("trigger_id") or args.get("interactivity_pointer")
    if not given:
        raise breach("invalid_arguments", "[ERROR] missing required field: trigger_id")
    return world.use_trigger(given)


@method("views.open", form="json", required="view", optional="trigger_id interactivity_pointer")
def open_view(world: World, args: Args) -> dict[str, Any]:
    check_view(args["view"], "modal")
    trigger = _trigger(world, args)
    for each in [each for each in world.views.values() if each.user == trigger.user]:
        close(world, each)  # a person sees one stack at a time
    return {"view": as_json(world, new_view(world, trigger.user, args["view"]))}


@method("views.push", form="json", required="view", optional="trigger_id interactivity_pointer")
def push(world: World, args: Args) -> dict[str, Any]:
    check_view(args["view"], "modal")
    trigger = _trigger(world, args)
    below = world.views.get(trigger.view or "")
    if below is None:
        raise Refused("not_found", "the trigger is of no open view", breach=trigger.view is None)
    if sum(each.root == below.root for each in world.views.values()) >= limits.MODAL_STACK:
        raise breach("push_limit_reached")
    return {"view": as_json(world, new_view(world, trigger.user, args["view"], top_of(world, below.root)))}


@method("views.update", form="json", required="view", optional="view_id external_id hash")
def update(world: World, args: Args) -> dict[str, Any]:
    name, external = args.get("view_id"), args.get("external_id")
    if not name and not external:
        raise breach("invalid_arguments", "either view_id or external_id")
    found = next(
        (
            each
            for each in world.views.values()
            if each.id == name or (external and each.body.get("external_id") == external)
        ),
        None,
    )
    if found is None:
        raise Refused("not_found", str(name or external), breach=bool(name) and name not in world.closed_views)
    if args.get("hash") and args["hash"] != found.hash:
        raise Refused("hash_conflict", found.id)
    change(world, found, args["view"])
    return {"view": as_json(world, found)}


@method("views.publish", form="json", required="user_id view", optional="hash")
def publish(world: World, args: Args) -> dict[str, Any]:
    user = args["user_id"]
    if user not in world.users:
        raise breach("invalid_arguments", f"no user {user}")
    if not world.home_enabled:
        raise Refused("not_enabled")
    body = _body(world, args["view"], "home")
    found = world.homes.get(user)
    if found is not None and args.get("hash") and args["hash"] != found.hash:
        raise Refused("hash_conflict", found.id)
    if found is None:
        name = world.new_id("V")
        found = world.homes[user] = View(name, user, body, "", "home", name)
    else:
        found.body = body
        found.updates += 1
    found.hash = f"{world.number()}.{world.token(8)}"
    return {"view": as_json(world, found)}
