"""Messages that are written while people watch: states, recipients, ages, and the SDK's own ChatStream."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from tests.contract.slack_server.conftest import Connect
from tests.contract.slack_server.test_methods import refused
from tests.slack_server import SlackServer

STEP = {"type": "task_update", "id": "1", "title": "Reading usage", "status": "in_progress"}


@pytest.fixture
def root(slack: SlackServer, alice: str, cost: str) -> str:
    return slack.say(alice, cost, "hello")


@pytest.fixture
def stream(slack: SlackServer, client: WebClient, alice: str, cost: str, root: str) -> str:
    answer = client.chat_startStream(
        channel=cost, thread_ts=root, recipient_user_id=alice, recipient_team_id=slack.team
    )
    return str(answer["ts"])


def test_the_sdks_own_stream(
    slack: SlackServer, client: WebClient, app: Connect, alice: str, cost: str, root: str
) -> None:
    raw = app()
    writer = client.chat_stream(
        channel=cost, thread_ts=root, recipient_user_id=alice, recipient_team_id=slack.team, buffer_size=10
    )
    assert writer.append(markdown_text="short") is None
    writer.append(chunks=[STEP])
    assert slack.session(cost, root)["status"] == "processing"
    writer.append(chunks=[{**STEP, "status": "complete"}])
    writer.stop(markdown_text=" and done", blocks=[{"type": "divider"}])
    message = slack.posted(cost, root)[0]
    assert (message.text, message.stream_state, message.recipient) == ("short and done", "stopped", alice)
    assert message.tasks["1"]["status"] == "complete"
    assert [each["type"] for each in message.blocks] == ["divider"]
    assert slack.session(cost, root)["status"] == "active"
    slack.settle()
    told = [each["payload"]["event"] for each in raw.envelopes]
    assert [each.get("subtype") for each in told[-3:]] == [None, "message_changed", "message_changed"]
    assert all("user" not in each for each in told[-2:])
    assert slack.violations == []


def test_a_recipient_is_needed_in_channels(
    slack: SlackServer, client: WebClient, alice: str, cost: str, root: str
) -> None:
    def start(**args: Any) -> str:
        return refused(lambda: client.chat_startStream(channel=cost, thread_ts=root, **args))

    assert start() == "missing_recipient_user_id"
    assert start(recipient_user_id=alice) == "missing_recipient_team_id"
    assert start(recipient_user_id="U404", recipient_team_id=slack.team) == "user_not_found"
    assert [each.code for each in slack.violations] == ["missing_recipient_user_id", "missing_recipient_team_id"]
    home = slack.direct(alice)
    client.chat_startStream(channel=home, thread_ts=slack.say(alice, home, "hi"))


def test_nothing_after_the_end(slack: SlackServer, client: WebClient, cost: str, stream: str) -> None:
    assert refused(lambda: client.chat_update(channel=cost, ts=stream, text="x")) == "streaming_state_conflict"
    client.chat_stopStream(channel=cost, ts=stream)
    late = "message_not_in_streaming_state"
    assert refused(lambda: client.chat_appendStream(channel=cost, ts=stream, chunks=[STEP])) == late
    assert refused(lambda: client.chat_stopStream(channel=cost, ts=stream)) == late
    client.chat_update(channel=cost, ts=stream, text="x")
    plain = str(client.chat_postMessage(channel=cost, text="x")["ts"])
    assert refused(lambda: client.chat_appendStream(channel=cost, ts=plain, chunks=[STEP])) == late
    assert len(slack.violations) == 4


def test_a_stream_ends_by_age(slack: SlackServer, client: WebClient, cost: str, root: str, stream: str) -> None:
    slack.clock.advance(timedelta(minutes=4))
    client.chat_appendStream(channel=cost, ts=stream, markdown_text="x")
    slack.clock.advance(timedelta(minutes=2))
    assert slack.message(cost, stream).stream_state == "streaming"  # Slack notices when it is looked at
    assert slack.posted(cost, root)[0].stream_state == "expired"
    assert slack.session(cost, root)["status"] == "active"
    late = "message_not_in_streaming_state"
    assert refused(lambda: client.chat_appendStream(channel=cost, ts=stream, chunks=[STEP])) == late
    assert refused(lambda: client.chat_stopStream(channel=cost, ts=stream)) == late
    client.chat_update(channel=cost, ts=stream, text="the fallback")
    assert slack.violations == []


def test_a_person_stops_a_stream(
    slack: SlackServer, client: WebClient, app: Connect, alice: str, cost: str, root: str, stream: str
) -> None:
    raw = app()
    stopped = slack.stop(alice, cost, root)
    assert stopped is not None
    stopped.wait()
    event = raw.envelopes[-1]["payload"]["event"]
    assert (event["type"], event["user"], event["streaming_message_ts"]) == ("agent_session_stopped", alice, [stream])
    assert slack.session(cost, root)["status"] == "processing"
    assert refused(lambda: client.chat_appendStream(channel=cost, ts=stream, chunks=[STEP])) == "stopped_by_user"
    assert refused(lambda: client.chat_stopStream(channel=cost, ts=stream)) == "stopped_by_user"
    slack.world.stopped_can_be_stopped = True
    client.chat_stopStream(channel=cost, ts=stream)
    assert slack.violations == []


@pytest.mark.parametrize(
    ("args", "code"),
    [
        ({"chunks": [{"type": "shout"}]}, "invalid_chunks"),
        ({"chunks": [{**STEP, "status": "busy"}]}, "invalid_chunks"),
        ({"chunks": [{**STEP, "color": "red"}]}, "invalid_chunks"),
        ({"chunks": [{"type": "task_update", "id": "1", "status": "complete"}]}, "invalid_chunks"),
        ({"chunks": [{"type": "blocks", "blocks": [{"type": "divider"}] * 51}]}, "msg_blocks_too_many"),
        ({"markdown_text": "x" * 12_001}, "msg_too_long"),
        ({"markdown_text": "x", "chunks": [STEP]}, "markdown_text_conflict"),
        ({}, "invalid_arguments"),
    ],
)
def test_chunks(slack: SlackServer, client: WebClient, cost: str, stream: str, args: dict[str, Any], code: str) -> None:
    with pytest.raises(SlackApiError) as caught:
        client.chat_appendStream(channel=cost, ts=stream, **args)
    assert caught.value.response["error"] == code
    assert [each.code for each in slack.violations] == [code]
