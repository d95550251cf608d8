"""Socket Mode: hello, acknowledgements, retries, several sockets, disconnects."""

from __future__ import annotations

from typing import Any

import pytest
from slack_sdk import WebClient
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.contract.slack_server.conftest import Connect, acknowledge
from tests.slack_server import SlackServer


def nothing(envelope: dict[str, Any]) -> None:
    return None


def codes(slack: SlackServer) -> list[str]:
    return [each.code for each in slack.violations]


def test_hello_comes_first_and_a_mention_comes_twice(slack: SlackServer, app: Connect, alice: str, cost: str) -> None:
    raw = app()
    assert raw.frames[0]["type"] == "hello"
    assert raw.frames[0]["num_connections"] == 1
    ts = slack.say(alice, cost, "what is <a> & b")
    slack.settle()
    mention, message = sorted((each["payload"] for each in raw.envelopes), key=lambda each: each["event"]["type"])
    assert (mention["event"]["type"], message["event"]["type"]) == ("app_mention", "message")
    assert mention["event_id"] != message["event_id"]
    assert mention["event"]["ts"] == message["event"]["ts"] == ts
    assert mention["event"]["text"] == f"<@{slack.bot_user}> what is &lt;a&gt; &amp; b"
    assert not raw.envelopes[0]["accepts_response_payload"]
    assert slack.violations == []


def test_direct_messages_come_once(slack: SlackServer, app: Connect, alice: str) -> None:
    raw = app()
    slack.say(alice, slack.direct(alice), "hello")
    slack.settle()
    assert [each["payload"]["event"]["channel_type"] for each in raw.envelopes] == ["im"]


def test_nothing_comes_from_where_the_bot_is_not(slack: SlackServer, app: Connect, alice: str) -> None:
    raw = app()
    other = slack.add_channel("other", [alice], bot=False)
    ts = slack.say(alice, other, "hello")
    assert slack.pending == 0
    assert raw.envelopes == []
    slack.invite_bot(other)
    slack.settle()
    told = [each["payload"]["event"] for each in raw.envelopes]
    assert [(each["type"], each["ts"]) for each in told] == [("app_mention", ts)]


def test_unacknowledged_events_come_again_on_another_socket(
    slack: SlackServer, app: Connect, alice: str, cost: str
) -> None:
    quiet = [app(nothing), app(nothing)]
    slack.say(alice, cost, "hello", mention=False)
    slack.settle()
    delivery = slack.deliveries[-1]
    assert delivery.failed
    assert [(each.retry_attempt, each.retry_reason) for each in delivery.attempts] == [
        (0, None),
        (1, "timeout"),
        (2, "timeout"),
        (3, "timeout"),
    ]
    assert len({each.by for each in delivery.attempts[:2]}) == 2
    seen = [each for raw in quiet for each in raw.envelopes]
    assert len({each["envelope_id"] for each in seen}) == 4
    assert len({each["payload"]["event_id"] for each in seen}) == 1


def test_an_acknowledged_event_does_not_come_again(slack: SlackServer, app: Connect, alice: str, cost: str) -> None:
    first: list[str] = []

    def second_time(envelope: dict[str, Any]) -> dict[str, Any] | None:
        first.append(envelope["envelope_id"])
        return acknowledge(envelope) if len(first) > 1 else None

    raw = app(second_time)
    slack.say(alice, cost, "hello", mention=False)
    slack.settle()
    assert [each["retry_attempt"] for each in raw.envelopes] == [0, 1]
    assert slack.deliveries[-1].acked
    raw.send({"envelope_id": first[0]})  # late, and after all: it is no mistake
    assert slack.violations == []


def test_an_acknowledgement_may_come_on_another_socket(slack: SlackServer, app: Connect, alice: str, cost: str) -> None:
    apps = [app(nothing), app(nothing)]
    slack.ack_timeout = 5
    slack.say(alice, cost, "hello", mention=False)
    got = slack.wait_for(lambda: next((each for each in apps if each.envelopes), None))
    other = next(each for each in apps if each is not got)
    other.send(acknowledge(got.envelopes[0]))
    slack.settle()
    assert len(slack.deliveries[-1].attempts) == 1


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (lambda envelope: {**acknowledge(envelope), "payload": {"text": "x"}}, "payload_not_accepted"),
        (lambda envelope: {"envelope_id": "not one"}, "unknown_envelope"),
        (lambda envelope: {**acknowledge(envelope), "ok": True}, "invalid_ack"),
    ],
)
def test_wrong_acknowledgements_are_noted(
    slack: SlackServer, app: Connect, alice: str, cost: str, answer: Any, code: str
) -> None:
    app(answer)
    slack.say(alice, cost, "hello", mention=False)
    slack.wait_for(lambda: slack.violations)
    assert codes(slack)[0] == code


def test_interactions_are_not_tried_again(slack: SlackServer, app: Connect, alice: str, cost: str) -> None:
    raw = app(nothing)
    sent = slack.command(alice, cost, "hello").wait()
    assert sent.failed
    assert len(raw.envelopes) == 1
    assert raw.envelopes[0]["accepts_response_payload"]
    assert slack.user_errors == ["slash_commands: timeout"]


def test_a_cut_connection_delivers_again_elsewhere(slack: SlackServer, app: Connect, alice: str, cost: str) -> None:
    slack.ack_timeout = 5
    first = app(nothing)
    slack.say(alice, cost, "hello", mention=False)
    slack.wait_for(lambda: first.envelopes)
    slack.disconnect("abrupt")
    assert slack.connections == 0
    second = app()
    slack.settle()
    assert [each["retry_attempt"] for each in second.envelopes] == [1]


def test_a_refresh_warns_first(slack: SlackServer, app: Connect, alice: str, cost: str) -> None:
    old = app()
    slack.disconnect("refresh")
    assert [each["reason"] for each in old.frames[1:]] == ["warning", "refresh_requested"]
    assert slack.connections == 0
    slack.say(alice, cost, "hello", mention=False)  # waits for a socket
    new = app()
    slack.settle()
    assert len(new.envelopes) == 1
    assert old.envelopes == []


def test_the_eleventh_socket_is_refused(slack: SlackServer, app: Connect) -> None:
    for _ in range(10):
        app()
    assert app().frames[0]["reason"] == "too_many_websockets"
    assert slack.connections == 10


def test_a_url_is_good_for_one_connection(slack: SlackServer) -> None:
    url = str(WebClient(base_url=slack.base_url).apps_connections_open(app_token=slack.app_token)["url"])
    with connect(url):
        pass
    with pytest.raises(InvalidStatus), connect(url):
        pass
    assert codes(slack) == ["invalid_ticket"]


def test_duplicates_and_disorder(slack: SlackServer, app: Connect, alice: str, cost: str) -> None:
    raw = app()
    with slack.out_of_order():
        first = slack.say(alice, cost, "one", mention=False)
        second = slack.say(alice, cost, "two", mention=False)
    slack.settle()
    assert [each["payload"]["event"]["ts"] for each in raw.envelopes] == [second, first]
    slack.deliver_again(slack.deliveries[0]).wait()
    ids = [each["payload"]["event_id"] for each in raw.envelopes]
    assert len(ids) == 3
    assert len(set(ids)) == 2


def test_edits_deletions_and_other_bots(slack: SlackServer, app: Connect, alice: str, cost: str) -> None:
    raw = app()
    ts = slack.say(alice, cost, "one", mention=False)
    slack.edit(alice, cost, ts, "two")
    slack.unfurl(cost, ts)
    slack.delete(cost, ts)
    slack.bot_says(cost, "beep")
    slack.settle()
    told = [each["payload"]["event"] for each in raw.envelopes]
    assert [each.get("subtype") for each in told] == [
        None,
        "message_changed",
        "message_changed",
        "message_deleted",
        None,
    ]
    assert "user" not in told[1]
    assert told[1]["hidden"] is True
    assert told[1]["message"]["text"] == "two"
    assert told[4]["bot_id"] == "B0OTHER001"


def test_people_of_other_workspaces(slack: SlackServer, app: Connect, alice: str) -> None:
    raw = app()
    stranger = slack.add_user("bob", team="T0OTHER")
    shared = slack.add_channel("shared", [alice, stranger], shared=True)
    slack.say(stranger, shared, "hello", only="app_mention")
    slack.settle()
    payload = raw.envelopes[0]["payload"]
    assert payload["is_ext_shared_channel"] is True
    assert payload["event"]["user_team"] == "T0OTHER"
    assert payload["authorizations"][0]["team_id"] == slack.team
