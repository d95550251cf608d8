"""The Web API: tokens, wire forms, messages, people, files; what Slack would refuse is refused."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from tests.contract.slack_server.conftest import Connect
from tests.slack_server import SlackServer

Do = Callable[[], object]


def refused(do: Do) -> str:
    with pytest.raises(SlackApiError) as caught:
        do()
    return str(caught.value.response["error"])


def breaches(slack: SlackServer) -> list[str]:
    return [each.code for each in slack.violations]


def test_auth_and_scopes(slack: SlackServer, client: WebClient, alice: str) -> None:
    answer = client.auth_test()
    assert answer["team_id"] == slack.team
    assert "chat:write" in answer.headers["x-oauth-scopes"].split(",")
    slack.world.scopes = frozenset({"chat:write"})
    with pytest.raises(SlackApiError) as caught:
        client.users_info(user=alice)
    assert caught.value.response["error"] == "missing_scope"
    assert caught.value.response["needed"] == "users:read"
    assert slack.violations == []


def test_each_token_has_its_methods(slack: SlackServer) -> None:
    with_app_token = WebClient(slack.app_token, base_url=slack.base_url)
    assert refused(with_app_token.auth_test) == "not_allowed_token_type"
    assert refused(WebClient("xoxb-wrong", base_url=slack.base_url).auth_test) == "invalid_auth"
    assert refused(WebClient(base_url=slack.base_url).auth_test) == "not_authed"
    assert refused(lambda: with_app_token.apps_connections_open(app_token=slack.bot_token)) == "not_allowed_token_type"


def test_unknown_methods_arguments_and_forms(slack: SlackServer, client: WebClient, cost: str) -> None:
    assert refused(lambda: client.api_call("chat.shout", json={})) == "unknown_method"
    assert refused(lambda: client.chat_postMessage(channel=cost, text="x", colour="red")) == "invalid_arg_name"
    assert refused(lambda: client.api_call("chat.postMessage", json={"text": "x"})) == "invalid_arguments"
    assert refused(lambda: client.api_call("chat.postMessage", params={"channel": cost})) == "invalid_post_type"
    assert refused(lambda: client.api_call("users.info", json={"user": "U1"})) == "invalid_post_type"
    assert (
        refused(lambda: client.api_call("chat.postMessage", json={"channel": cost, "text": 3})) == "invalid_arguments"
    )
    assert len(breaches(slack)) == 6


def test_messages_and_their_echoes(slack: SlackServer, client: WebClient, app: Connect, alice: str, cost: str) -> None:
    raw = app()
    ts = slack.say(alice, cost, "hello")
    answer = client.chat_postMessage(channel=cost, thread_ts=ts, text="one", parse="none", unfurl_links=False)
    client.chat_update(channel=cost, ts=answer["ts"], text="two", parse="none")
    slack.settle()
    own = [each["payload"]["event"] for each in raw.envelopes[2:]]
    assert [(each.get("subtype"), each.get("user")) for each in own] == [
        (None, slack.bot_user),
        ("message_changed", None),
    ]
    assert own[0]["bot_id"] == slack.world.bot_id
    posted = slack.posted(cost, ts)[0]
    assert (posted.text, posted.edits, posted.thread_ts, posted.args["parse"]) == ("two", 1, ts, "none")
    assert slack.message(cost, ts).thread_ts == ts
    assert slack.violations == []


def test_what_the_world_refuses_is_no_violation(slack: SlackServer, client: WebClient, alice: str, cost: str) -> None:
    elsewhere = slack.add_channel("elsewhere", bot=False)
    assert refused(lambda: client.chat_postMessage(channel=elsewhere, text="x")) == "not_in_channel"
    assert refused(lambda: client.chat_postMessage(channel="C404", text="x")) == "channel_not_found"
    slack.channel(cost).archived = True
    assert refused(lambda: client.chat_postMessage(channel=cost, text="x")) == "is_archived"
    slack.channel(cost).archived = False
    stranger = slack.add_user("bob")
    assert refused(lambda: client.chat_postEphemeral(channel=cost, user=stranger, text="x")) == "user_not_in_channel"
    ts = slack.say(alice, cost, "hello")
    slack.delete(cost, ts)
    assert refused(lambda: client.chat_postMessage(channel=cost, thread_ts=ts, text="x")) == "cannot_reply_to_message"
    assert refused(lambda: client.users_info(user="U404")) == "user_not_found"
    assert slack.violations == []


def test_a_reply_is_no_thread(slack: SlackServer, client: WebClient, alice: str, cost: str) -> None:
    root = slack.say(alice, cost, "hello")
    reply = slack.say(alice, cost, "more", root)
    for ts in (reply, "1.000001", "yesterday"):
        assert refused(lambda ts=ts: client.chat_postMessage(channel=cost, thread_ts=ts, text="x")) == (
            "cannot_reply_to_message"
        )
    assert len(breaches(slack)) == 3


def test_lengths_of_messages(slack: SlackServer, client: WebClient, cost: str) -> None:
    def post(**args: Any) -> Do:
        return lambda: client.chat_postMessage(channel=cost, **args)

    ts = client.chat_postMessage(channel=cost, text="x")["ts"]
    section = {"type": "section", "text": {"type": "mrkdwn", "text": "y" * 2_900}}
    assert refused(lambda: client.api_call("chat.postMessage", json={"channel": cost})) == "no_text"
    assert refused(post(text="x" * 40_001)) == "msg_too_long"
    assert refused(post(text="x", markdown_text="y")) == "markdown_text_conflict"
    assert refused(post(text="x", blocks=[section] * 4)) == "msg_blocks_too_long"
    assert refused(post(text="x", metadata={"event_type": "e"})) == "invalid_metadata_schema"
    nested = {"event_type": "e", "event_payload": {"a": {"b": 1}}}
    assert refused(post(text="x", metadata=nested)) == "invalid_metadata_schema"
    assert refused(lambda: client.chat_update(channel=cost, ts=ts, text="x" * 4_001)) == "msg_too_long"
    assert len(breaches(slack)) == 7


def test_what_is_live_in_a_message_can_be_seen(slack: SlackServer, client: WebClient, cost: str) -> None:
    def live(**args: Any) -> list[str]:
        return slack.message(cost, str(client.chat_postMessage(channel=cost, **args)["ts"])).live

    spans = [{"type": "text", "text": "<!channel>"}]
    rich = {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": spans}]}
    quoted = {"type": "section", "text": {"type": "plain_text", "text": "<!here>"}}
    assert live(text="&lt;!channel&gt; a &lt; b", blocks=[rich, quoted]) == []
    assert live(text="<!channel> <@U1> <https://e.com|e>") == ["<!channel>", "<@U1>", "<https://e.com|e>"]
    marked = {"type": "section", "text": {"type": "mrkdwn", "text": "<!subteam^S1>"}}
    assert live(text="x", blocks=[marked]) == ["<!subteam^S1>"]
    assert live(markdown_text="[x](https://e.com)") == ["](https://e.com)"]
    rich["elements"] = [{"type": "rich_text_section", "elements": [{"type": "broadcast", "range": "here"}]}]
    assert len(live(text="x", blocks=[rich])) == 1


def test_only_own_messages_change(slack: SlackServer, client: WebClient, alice: str, cost: str) -> None:
    theirs = slack.say(alice, cost, "hello")
    seen = client.chat_postEphemeral(channel=cost, user=alice, text="psst")["message_ts"]
    direct = client.chat_postMessage(channel=alice, text="hello")
    assert direct["channel"] == slack.direct(alice)
    assert refused(lambda: client.chat_update(channel=cost, ts=theirs, text="x")) == "cant_update_message"
    assert refused(lambda: client.chat_update(channel=cost, ts=seen, text="x")) == "message_not_found"
    assert refused(lambda: client.chat_update(channel=alice, ts=direct["ts"], text="x")) == "channel_not_found"
    assert refused(lambda: client.chat_update(channel=cost, ts="1.1", text="x")) == "message_not_found"
    assert [each.text for each in slack.ephemerals] == ["psst"]
    assert len(breaches(slack)) == 4


def test_an_update_keeps_what_it_does_not_name(slack: SlackServer, client: WebClient, cost: str) -> None:
    key = {"event_type": "frost", "event_payload": {"key": "k1"}}
    blocks = [{"type": "divider"}]
    ts = client.chat_postMessage(channel=cost, text="x", blocks=blocks, metadata=key)["ts"]
    client.chat_update(channel=cost, ts=ts, text="y")
    assert slack.message(cost, ts).metadata == key
    assert len(slack.message(cost, ts).blocks) == 1
    client.chat_update(channel=cost, ts=ts, text="z", blocks=[])
    assert slack.message(cost, ts).blocks == []
    assert slack.violations == []


def test_threads_are_read_with_metadata_in_pages(slack: SlackServer, client: WebClient, alice: str, cost: str) -> None:
    root = slack.say(alice, cost, "hello")
    key = {"event_type": "frost", "event_payload": {"key": "k1"}}
    for number in range(4):
        client.chat_postMessage(channel=cost, thread_ts=root, text=str(number), metadata=key)
    first = client.conversations_replies(channel=cost, ts=root, limit=3, include_all_metadata=True)
    assert [each["text"] for each in first["messages"]][1:] == ["0", "1"]
    assert first["messages"][1]["metadata"] == key
    rest = client.conversations_replies(channel=cost, ts=root, cursor=first["response_metadata"]["next_cursor"])
    assert [each["text"] for each in rest["messages"]] == ["2", "3"]
    assert "metadata" not in rest["messages"][0]
    assert [each["ts"] for each in client.conversations_history(channel=cost)["messages"]] == [root]
    assert refused(lambda: client.conversations_replies(channel=cost, ts=root, cursor="x")) == "invalid_cursor"
    slack.world.scopes -= {"channels:history"}
    assert refused(lambda: client.conversations_replies(channel=cost, ts=root)) == "missing_scope"


def test_people_and_groups(slack: SlackServer, client: WebClient, alice: str) -> None:
    guest = slack.add_user("gus", single_channel=True)
    gone = slack.add_user("gone", deleted=True)
    org = slack.add_user("olga", enterprise="E1", enterprise_user="W1")
    assert client.users_info(user=alice)["user"]["is_restricted"] is False
    shown = client.users_info(user=guest)["user"]
    assert (shown["is_restricted"], shown["is_ultra_restricted"]) == (True, True)
    assert "is_restricted" not in client.users_info(user=gone)["user"]
    assert client.users_info(user=org)["user"]["enterprise_user"]["enterprise_id"] == "E1"
    assert client.users_info(user="W1")["user"]["id"] == org
    group = slack.add_group("finops", [alice, guest])
    assert client.usergroups_users_list(usergroup=group)["users"] == [alice, guest]
    slack.group(group).disabled = True
    assert refused(lambda: client.usergroups_users_list(usergroup=group)) == "no_such_subteam"
    assert client.usergroups_list(include_disabled=True)["usergroups"][0]["date_delete"] == 1
    assert slack.violations == []


def test_files_in_three_steps(slack: SlackServer, client: WebClient, alice: str, cost: str) -> None:
    root = slack.say(alice, cost, "hello")
    client.files_upload_v2(
        channel=cost, thread_ts=root, filename="a.csv", title="All", content="a,b\n", request_file_info=False
    )
    upload = slack.uploads[0]
    assert (upload.filename, upload.title, upload.content, upload.completed) == ("a.csv", "All", b"a,b\n", True)
    assert slack.posted(cost, root)[0].files[0]["id"] == upload.id
    assert slack.violations == []
    asked = client.files_getUploadURLExternal(filename="b", length=10)
    assert refused(lambda: client.files_completeUploadExternal(files=[{"id": asked["file_id"]}])) == "file_not_found"
    request = urllib.request.Request(asked["upload_url"], data=b"short", method="POST")
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request)
    caught.value.close()
    assert refused(lambda: client.files_getUploadURLExternal(filename="b", length=0)) == "missing_argument"
    assert breaches(slack) == ["file_not_found", "length", "missing_argument"]


def test_reactions_and_direct_channels(slack: SlackServer, client: WebClient, alice: str, cost: str) -> None:
    ts = slack.say(alice, cost, "hello")
    client.reactions_add(channel=cost, timestamp=ts, name="eyes")
    assert refused(lambda: client.reactions_add(channel=cost, timestamp=ts, name="eyes")) == "already_reacted"
    assert slack.message(cost, ts).reactions == {"eyes": [slack.bot_user]}
    assert client.conversations_open(users=[alice])["channel"]["id"] == slack.direct(alice)
    assert client.conversations_info(channel=cost)["channel"]["is_ext_shared"] is False
    assert client.chat_getPermalink(channel=cost, message_ts=ts)["permalink"].endswith(ts.replace(".", ""))
    assert slack.violations == []
    assert refused(lambda: client.reactions_add(channel=cost, timestamp=ts, name=":eyes:")) == "invalid_name"


def test_sessions_and_the_older_assistant_calls(slack: SlackServer, client: WebClient, alice: str, cost: str) -> None:
    ts = slack.say(alice, cost, "hello")
    client.agents_sessions_setStatus(channel_id=cost, thread_ts=ts, status="processing", title="Cost")
    assert slack.session(cost, ts) == {"status": "processing", "title": "Cost"}
    client.agents_sessions_rename(channel_id=cost, thread_ts=ts, title="Cost of June")
    assert slack.session(cost, ts)["title"] == "Cost of June"
    client.assistant_threads_setStatus(channel_id=cost, thread_ts=ts, status="", loading_messages=["Looking"])
    assert slack.session(cost, ts)["status"] == "active"
    home = slack.direct(alice)
    prompts = [{"title": "Cost", "message": "What?"}]
    client.assistant_threads_setSuggestedPrompts(channel_id=home, prompts=prompts)
    assert slack.world.prompts[home, None] == prompts
    assert slack.violations == []
    assert refused(lambda: client.agents_sessions_setStatus(channel_id=cost, status="active")) == "thread_ts_required"
    assert refused(lambda: client.agents_sessions_setStatus(channel_id=cost, thread_ts=ts, status="busy")) == (
        "invalid_status"
    )
    assert refused(lambda: client.assistant_threads_setSuggestedPrompts(channel_id=home, prompts=prompts * 5)) == (
        "invalid_arguments"
    )
    root = slack.say(alice, home, "hi")
    client.assistant_threads_setSuggestedPrompts(channel_id=home, thread_ts=root, prompts=prompts)  # shows nothing
    assert breaches(slack) == ["thread_ts_required", "invalid_status", "invalid_arguments", "no_effect"]


def test_a_missing_subscription_is_warned_of(client: WebClient, slack: SlackServer, alice: str, cost: str) -> None:
    slack.world.events -= {"agent_session_stopped"}
    ts = slack.say(alice, cost, "hello")
    answer = client.agents_sessions_setStatus(channel_id=cost, thread_ts=ts, status="processing")
    assert answer["warning"] == "missing_agent_session_stopped_event_subscription"


def test_a_manifest_gives_scopes_and_events() -> None:
    manifest = {
        "features": {"app_home": {"home_tab_enabled": False, "messages_tab_enabled": True}},
        "oauth_config": {"scopes": {"bot": ["chat:write"]}},
        "settings": {"event_subscriptions": {"bot_events": ["app_mention"]}},
    }
    slack = SlackServer(manifest=json.loads(json.dumps(manifest)))
    assert (slack.world.scopes, slack.world.events) == ({"chat:write"}, {"app_mention"})
    assert (slack.world.agent_view, slack.world.home_enabled) == (False, False)
