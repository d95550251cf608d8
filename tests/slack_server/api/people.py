"""auth.test, users.info, user groups, reactions."""

from __future__ import annotations

import re
from typing import Any

from tests.slack_server.api.registry import Args, method
from tests.slack_server.errors import Refused, breach
from tests.slack_server.state import World
from tests.slack_server.things import Group, User


@method("api.test", form="form", optional="error foo")
def api_test(world: World, args: Args) -> dict[str, Any]:
    return {"args": args}


@method("auth.test", form="form", tier="S")
def auth_test(world: World, args: Args) -> dict[str, Any]:
    answer = {
        "url": f"https://{world.domain}.slack.com/",
        "team": world.team_name,
        "user": world.users[world.bot_user].name,
        "team_id": world.team,
        "user_id": world.bot_user,
        "bot_id": world.bot_id,
        "app_id": world.app,
        "is_enterprise_install": world.org_install,
    }
    return answer | ({"enterprise_id": world.enterprise} if world.enterprise else {})


def _user(world: World, user: User) -> dict[str, Any]:
    few = {"id": user.id, "team_id": user.team, "name": user.name, "deleted": user.deleted, "is_bot": user.bot}
    if user.deleted:
        return few | {"is_app_user": False, "profile": {"real_name": user.name, "display_name": user.name}}
    full = few | {
        "real_name": user.name.title(),
        "tz": "Europe/London",
        "tz_offset": 0,
        "profile": {"real_name": user.name.title(), "display_name": user.name, "team": user.team},
        "is_admin": False,
        "is_owner": False,
        "is_restricted": user.guest,
        "is_ultra_restricted": user.single_channel,
        "is_app_user": user.bot,
        "is_workflow_bot": user.workflow,
        "is_email_confirmed": True,
    }
    if user.team != world.team:
        full["is_stranger"] = user.stranger
    if user.enterprise:
        full["enterprise_user"] = {
            "id": user.enterprise_user or user.id,
            "enterprise_id": user.enterprise,
            "enterprise_name": "Frost Org",
            "is_admin": False,
            "is_owner": False,
            "teams": [user.team],
        }
    return full


@method("users.info", form="query", required="user", optional="include_locale", scope="users:read")
def users_info(world: World, args: Args) -> dict[str, Any]:
    user = world.users.get(args["user"])
    if user is None:
        user = next((each for each in world.users.values() if each.enterprise_user == args["user"]), None)
    if user is None:
        raise Refused("user_not_found", args["user"])
    return {"user": _user(world, user)}


def _group(world: World, group: Group, users: bool) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "id": group.id,
        "team_id": world.team,
        "is_usergroup": True,
        "name": group.name,
        "handle": group.name,
        "date_delete": 1 if group.disabled else 0,
        "user_count": len(group.members),
    }
    return shown | ({"users": list(group.members)} if users else {})


@method(
    "usergroups.users.list",
    form="query",
    required="usergroup",
    optional="include_disabled team_id",
    scope="usergroups:read",
    tier="T2",
)
def group_users(world: World, args: Args) -> dict[str, Any]:
    group = world.groups.get(args["usergroup"])
    if group is None or (group.disabled and not args.get("include_disabled")):
        raise Refused("no_such_subteam", args["usergroup"])
    return {"users": list(group.members)}


@method(
    "usergroups.list",
    form="query",
    optional="include_count include_disabled include_users team_id",
    scope="usergroups:read",
    tier="T2",
)
def groups(world: World, args: Args) -> dict[str, Any]:
    shown = [each for each in world.groups.values() if args.get("include_disabled") or not each.disabled]
    return {"usergroups": [_group(world, each, bool(args.get("include_users"))) for each in shown]}


@method("reactions.add", form="form", required="channel timestamp name", scope="reactions:write", tier="T3")
def react(world: World, args: Args) -> dict[str, Any]:
    channel = world.channel_for_bot(args["channel"])
    message = channel.messages.get(args["timestamp"])
    if not re.fullmatch(r"[a-z0-9_+'-]+(::skin-tone-[2-6])?", args["name"]):
        raise breach("invalid_name", args["name"])
    if message is None:
        raise Refused("message_not_found", args["timestamp"], breach=args["timestamp"] not in channel.gone)
    people = message.reactions.setdefault(args["name"], [])
    if world.bot_user in people:
        raise Refused("already_reacted")
    people.append(world.bot_user)
    return {}


@method(
    "reactions.remove", form="form", required="name", optional="channel timestamp", scope="reactions:write", tier="T2"
)
def unreact(world: World, args: Args) -> dict[str, Any]:
    channel = world.channel_for_bot(args.get("channel", ""))
    message = channel.messages.get(args.get("timestamp", ""))
    if message is None:
        raise Refused("message_not_found")
    if world.bot_user not in message.reactions.get(args["name"], []):
        raise Refused("no_reaction")
    message.reactions[args["name"]].remove(world.bot_user)
    return {}
