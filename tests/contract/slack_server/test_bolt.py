"""A whole small app on real Bolt and its Socket Mode handler, from mention to modal, through reconnects."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient

from tests.slack_server import SlackServer


def plain(text: str) -> dict[str, str]:
    return {"type": "plain_text", "text": text}


FORM = {
    "type": "modal",
    "callback_id": "form",
    "title": plain("Why"),
    "submit": plain("Send"),
    "blocks": [
        {
            "type": "input",
            "block_id": "why",
            "label": plain("Why"),
            "element": {"type": "plain_text_input", "action_id": "text"},
        }
    ],
}
CARD = [
    {
        "type": "actions",
        "elements": [{"type": "button", "action_id": "go", "value": "k", "text": plain("Go")}],
    }
]


@dataclass
class Heard:
    events: list[tuple[str, str | None]] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def slack() -> Iterator[SlackServer]:
    with SlackServer(ack_timeout=2, retry_delays=(0, 0, 0)) as server:
        yield server


def build(slack: SlackServer, heard: Heard) -> App:
    app = App(client=WebClient(slack.bot_token, base_url=slack.base_url), process_before_response=True)

    @app.event("app_mention")
    def mention(event: dict[str, Any], client: WebClient) -> None:
        heard.events.append(("app_mention", None))
        client.chat_postMessage(channel=event["channel"], thread_ts=event["ts"], text="a card", blocks=CARD)

    @app.event("message")
    def message(event: dict[str, Any]) -> None:
        heard.events.append(("message", event.get("subtype")))

    @app.action("go")
    def go(ack: Any, body: dict[str, Any], client: WebClient) -> None:
        ack()
        client.views_open(trigger_id=body["trigger_id"], view=FORM)

    @app.view("form")
    def form(ack: Any, view: dict[str, Any]) -> None:
        heard.reasons.append(view["state"]["values"]["why"]["text"]["value"])
        if heard.reasons[-1] == "no":
            ack(response_action="errors", errors={"why": "say more"})
        else:
            ack()

    @app.command("/frostline")
    def command(ack: Any, respond: Any) -> None:
        ack()
        respond(text="later")

    return app


@pytest.fixture(scope="module")
def heard(slack: SlackServer) -> Iterator[Heard]:
    heard = Heard()
    # The client takes the end of a stream for silence until five pings have failed: with 10 s, nearly a minute.
    handler = SocketModeHandler(build(slack, heard), slack.app_token, ping_interval=0.1)
    handler.connect()
    slack.wait_for(lambda: slack.connections)
    yield heard
    handler.close()


def test_from_mention_to_modal(slack: SlackServer, heard: Heard) -> None:
    alice = slack.add_user("alice")
    cost = slack.add_channel("cost", [alice])
    ts = slack.say(alice, cost, "hello")
    slack.settle()
    assert heard.events == [("app_mention", None), ("message", None)]  # its own message it does not hear
    card = slack.posted(cost, ts)[0]
    slack.click(alice, cost, card.ts, "go").wait()
    view = slack.wait_for(lambda: slack.views)[0]
    assert slack.submit(alice, view.id, {"why": "no"}).answer["response_action"] == "errors"
    assert slack.views[0].errors == {"why": "say more"}
    slack.submit(alice, view.id, {"why": "because"})
    assert slack.views == []
    assert heard.reasons == ["no", "because"]
    slack.command(alice, cost, "hello").wait()
    assert slack.wait_for(lambda: slack.ephemerals)[0].text == "later"
    assert slack.violations == []


def test_it_hears_edits(slack: SlackServer, heard: Heard) -> None:
    alice = slack.add_user("al")
    cost = slack.add_channel("edits", [alice])
    ts = slack.say(alice, cost, "hello", mention=False)
    slack.settle()
    heard.events.clear()
    slack.edit(alice, cost, ts, "hello again")
    slack.settle()
    assert heard.events == [("message", "message_changed")]
    assert slack.violations == []


@pytest.mark.parametrize("kind", ["refresh", "reset", "abrupt"])
def test_it_reconnects(slack: SlackServer, heard: Heard, kind: Any) -> None:
    alice = slack.add_user("al")
    cost = slack.add_channel(kind, [alice])
    slack.disconnect(kind)
    heard.events.clear()
    slack.say(alice, cost, "still there?", mention=False)
    slack.settle(30)
    assert slack.deliveries[-1].acked
    assert set(heard.events) == {("message", None)}  # at least once: an acknowledgement may go down with its socket
    assert slack.violations == []
