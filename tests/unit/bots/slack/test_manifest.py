"""slack-manifest.json is the manifest of the code, and asks for no more and no less than the bot uses."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

import bots.slack
from bots.cli.main import app
from bots.slack.manifest import BOT_EVENTS, BOT_SCOPES, EVENTS_PATH, manifest, manifest_text
from tools.errors import BadArgument

ROOT = Path(bots.slack.__file__).parents[2]
METHOD_SCOPES = {
    "chat_postMessage": "chat:write",
    "files_upload_v2": "files:write",
    "conversations_replies": "channels:history",
    "conversations_history": "groups:history",
    "conversations_info": "channels:read groups:read",
    "users_info": "users:read",
    "usergroups_users_list": "usergroups:read",
    "assistant_threads_setSuggestedPrompts": "assistant:write",
}
EVENT_SCOPES = {
    "app_mention": "app_mentions:read",
    "message.channels": "channels:history",
    "message.groups": "groups:history",
    "message.im": "im:history",
    "subteam_members_changed": "usergroups:read",
}


def test_the_file_is_what_the_code_says() -> None:
    assert (ROOT / "slack-manifest.json").read_text(encoding="utf-8") == manifest_text()


def test_every_call_and_event_has_its_scope_and_every_scope_its_use() -> None:
    source = (ROOT / "bots/slack/api.py").read_text(encoding="utf-8")
    used = {s for method, scopes in METHOD_SCOPES.items() if f".{method}" in source for s in scopes.split()}
    used |= {scope for event, scope in EVENT_SCOPES.items() if event in BOT_EVENTS}
    assert used | {"commands"} == set(BOT_SCOPES)
    known = {"auth_test", "chat_update", "chat_postEphemeral", "chat_startStream", "chat_appendStream"}
    known |= {"chat_stopStream", "views_open", "views_publish", "agents_sessions_setStatus", "agents_sessions_rename"}
    known |= {"assistant_threads_setStatus", "assistant_threads_setTitle", *METHOD_SCOPES}
    called = set(re.findall(r"_client\.(\w+)", source))
    assert called <= known, "a call whose scope nobody thought of"


def test_every_event_has_a_listener() -> None:
    source = (ROOT / "bots/slack/app.py").read_text(encoding="utf-8")
    for event in {name.partition(".")[0] for name in BOT_EVENTS}:
        assert f'"{event}"' in source


def test_lengths_that_slack_takes() -> None:
    made = manifest()
    assert len(made["display_information"]["name"]) <= 35
    assert len(made["display_information"]["description"]) <= 140
    view = made["features"]["agent_view"]
    assert len(view["agent_description"]) <= 300
    assert 1 <= len(view["suggested_prompts"]) <= 4
    assert made["settings"]["socket_mode_enabled"]
    assert "request_url" not in manifest_text()


@pytest.mark.parametrize(
    "url", ["https://bot.example.com", "https://bot.example.com/", f"https://bot.example.com{EVENTS_PATH}"]
)
def test_by_http_slack_is_told_where(url: str) -> None:
    made = manifest(url)
    wanted = "https://bot.example.com/slack/events"
    assert made["settings"]["event_subscriptions"]["request_url"] == wanted
    assert made["settings"]["interactivity"]["request_url"] == wanted
    assert made["features"]["slash_commands"][0]["url"] == wanted
    assert not made["settings"]["socket_mode_enabled"]


@pytest.mark.parametrize("url", ["http://bot.example.com", "bot.example.com", "https://", "https://x?y=1", "ftp://x"])
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(BadArgument):
        manifest(url)


def test_at_the_command_line() -> None:
    run = CliRunner().invoke
    assert run(app, ["slack", "--manifest"]).stdout == manifest_text()
    asked = run(app, ["slack", "--manifest", "--http", "https://bot.example.com"])
    assert json.loads(asked.stdout) == manifest("https://bot.example.com")
    assert run(app, ["slack", "--manifest", "--http"]).exit_code == 2
    assert run(app, ["slack", "--check", "https://bot.example.com"]).exit_code == 2
