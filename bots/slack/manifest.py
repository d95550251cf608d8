"""The app's manifest: which scopes and events it needs, as the one source. `slack-manifest.json` is its text.

Each scope is here for something that the bot does; one that is added later needs the app to be installed anew.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from tools.errors import BadArgument

__all__ = ["BOT_EVENTS", "BOT_SCOPES", "COMMAND", "EVENTS_PATH", "manifest", "manifest_text"]

BOT_SCOPES: Final[Mapping[str, str]] = {
    "app_mentions:read": "to be asked by a mention in a channel",
    "assistant:write": "to be an agent: suggested prompts and status in its direct messages",
    "channels:history": "replies in threads of public channels, and to find a post whose answer was lost",
    "channels:read": "whether a public channel is shared with another organisation",
    "chat:write": "to answer, and to post and change cards",
    "commands": "/frostline",
    "files:write": "charts and long tables as files",
    "groups:history": "as channels:history, for private channels",
    "groups:read": "as channels:read, for private channels",
    "im:history": "questions in direct messages",
    "usergroups:read": "user groups of policy.toml",
    "users:read": "who is a guest, deactivated or of another organisation",
}
"""Bot scope -> what it is for."""

BOT_EVENTS: Final[tuple[str, ...]] = (
    "agent_session_stopped",
    "app_home_opened",
    "app_mention",
    "message.channels",
    "message.groups",
    "message.im",
    "subteam_members_changed",
)

COMMAND: Final = "/frostline"
EVENTS_PATH: Final = "/slack/events"

_SHORT = "Where Snowflake credits go; warehouse changes only after approval."
_LONG = (
    "Answers questions about Snowflake cost with figures that name their source, and changes a warehouse only after "
    "the right person approved exactly that change."
)


def manifest(http: str | None = None) -> dict[str, Any]:
    """The manifest for Socket Mode, or (with the bot's public URL) for HTTP mode.

    Raises:
        BadArgument: Slack calls https URLs only.
    """
    from bots.slack.render.home import PROMPTS

    url = _request_url(http) if http else None
    request = {"request_url": url} if url else {}
    command = {"command": COMMAND, "description": "Ask Frostline", "usage_hint": "[question]", "should_escape": True}
    return {
        "display_information": {"name": "Frostline", "description": _SHORT},
        "features": {
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "bot_user": {"display_name": "frostline", "always_online": True},
            "agent_view": {
                "agent_description": _LONG,
                "suggested_prompts": [{"title": title, "message": message} for title, message in PROMPTS],
            },
            "slash_commands": [command | ({"url": url} if url else {})],
        },
        "oauth_config": {"scopes": {"bot": sorted(BOT_SCOPES)}},
        "settings": {
            "event_subscriptions": request | {"bot_events": sorted(BOT_EVENTS)},
            "interactivity": {"is_enabled": True} | request,
            "socket_mode_enabled": url is None,
            "org_deploy_enabled": False,
            "token_rotation_enabled": False,
        },
    }


def manifest_text(http: str | None = None) -> str:
    """As it stands in slack-manifest.json: JSON, indented, with a line end."""
    return json.dumps(manifest(http), indent=2, ensure_ascii=False) + "\n"


def _request_url(http: str) -> str:
    parts = urlsplit(http)
    if parts.scheme != "https" or not parts.hostname or parts.query or parts.fragment:
        raise BadArgument(f"{http[:80]!r} is no https URL.", hint="--manifest --http https://frostline.example.com")
    path = parts.path.rstrip("/")
    return f"https://{parts.netloc}{path if path.endswith(EVENTS_PATH) else path + EVENTS_PATH}"
