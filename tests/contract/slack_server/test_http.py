"""HTTP delivery: signed requests with Slack's headers, tried again as Slack does."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import pytest
from slack_bolt import App, BoltRequest
from slack_sdk import WebClient
from slack_sdk.signature import SignatureVerifier

from tests.slack_server import SlackServer

Reply = tuple[int, dict[str, str], bytes]


@dataclass
class RequestUrl:
    """An app's request URL; `reply` decides what it says."""

    reply: Callable[[dict[str, str], bytes], Reply] = lambda headers, body: (200, {}, b"")
    seen: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    url: str = ""

    def listen(self) -> ThreadingHTTPServer:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                outer.seen.append((headers, body))
                status, extra, text = outer.reply(headers, body)
                self.send_response(status)
                for name, value in {**extra, "Content-Length": str(len(text))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{server.server_address[1]}/slack/events"
        return server


@pytest.fixture
def target(slack: SlackServer) -> Iterator[RequestUrl]:
    target = RequestUrl()
    with target.listen() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        slack.deliver_to(target.url)
        yield target
        slack.settle()
        server.shutdown()
        thread.join()


def test_requests_are_signed(slack: SlackServer, target: RequestUrl, alice: str, cost: str) -> None:
    slack.say(alice, cost, "hello", only="message")
    slack.settle()
    headers, body = target.seen[0]
    assert SignatureVerifier(slack.signing_secret).is_valid_request(body, headers)
    assert json.loads(body)["event"]["text"].endswith("hello")
    assert "x-slack-retry-num" not in headers


def test_events_are_tried_again_with_headers(slack: SlackServer, target: RequestUrl, alice: str, cost: str) -> None:
    target.reply = lambda headers, body: (200 if headers.get("x-slack-retry-num") == "2" else 500, {}, b"")
    slack.say(alice, cost, "hello", only="message")
    slack.settle()
    retries = [(each.get("x-slack-retry-num"), each.get("x-slack-retry-reason")) for each, _ in target.seen]
    assert retries == [(None, None), ("1", "http_error"), ("2", "http_error")]
    assert len({json.loads(body)["event_id"] for _, body in target.seen}) == 1
    assert slack.deliveries[-1].acked


def test_no_retry_is_heeded(slack: SlackServer, target: RequestUrl, alice: str, cost: str) -> None:
    target.reply = lambda headers, body: (404, {"X-Slack-No-Retry": "1"}, b"")
    slack.say(alice, cost, "hello", only="message")
    slack.settle()
    assert len(target.seen) == 1
    assert slack.deliveries[-1].failed


def test_a_slow_request_url_is_tried_again(slack: SlackServer, target: RequestUrl, alice: str, cost: str) -> None:
    release = threading.Event()

    def slow(headers: dict[str, str], body: bytes) -> Reply:
        if "x-slack-retry-num" not in headers:
            release.wait(5)
        return 200, {}, b""

    target.reply = slow
    slack.say(alice, cost, "hello", only="message")
    slack.settle()
    release.set()
    assert target.seen[1][0]["x-slack-retry-reason"] == "http_timeout"


def test_a_request_url_that_is_not_there(slack: SlackServer, alice: str, cost: str) -> None:
    slack.deliver_to("http://127.0.0.1:9/slack/events")
    slack.say(alice, cost, "hello", only="message")
    slack.settle()
    reasons = [each.retry_reason for each in slack.deliveries[-1].attempts]
    assert reasons == [None, "connection_failed", "connection_failed", "connection_failed"]


def test_interactions_and_commands_are_forms(
    slack: SlackServer, target: RequestUrl, client: WebClient, alice: str, cost: str
) -> None:
    target.reply = lambda headers, body: (200, {"Content-Type": "application/json"}, b'{"text": "on it"}')
    slack.command(alice, cost, "hello").wait()
    assert parse_qs(target.seen[0][1].decode())["command"] == ["/frostline"]
    assert [each.text for each in slack.ephemerals] == ["on it"]
    target.reply = lambda headers, body: (500, {}, b"")
    element = {"type": "button", "action_id": "go", "text": {"type": "plain_text", "text": "Go"}}
    slack.world.echoes = False
    ts = client.chat_postMessage(channel=cost, text="x", blocks=[{"type": "actions", "elements": [element]}])["ts"]
    assert slack.click(alice, cost, ts, "go").wait().failed
    assert len(target.seen) == 2
    payload = json.loads(parse_qs(target.seen[1][1].decode())["payload"][0])
    assert payload["actions"][0]["action_id"] == "go"
    assert slack.user_errors == ["interactive: http_error"]


def test_forged_requests_can_be_sent(slack: SlackServer, target: RequestUrl) -> None:
    """A real Bolt app refuses them."""
    client = WebClient(slack.bot_token, base_url=slack.base_url)
    app = App(client=client, signing_secret=slack.signing_secret, process_before_response=True)
    app.event("app_mention")(lambda event: None)

    def bolt(headers: dict[str, str], body: bytes) -> Reply:
        answer = app.dispatch(BoltRequest(body=body.decode(), headers=headers))
        return answer.status, {}, answer.body.encode()

    target.reply = bolt
    body = json.dumps({"type": "url_verification", "challenge": "c1"}).encode()
    assert slack.post_raw(body).json() == {"challenge": "c1"}
    assert slack.post_raw(body, headers={"X-Slack-Signature": "v0=00"}).status == 401
    assert slack.post_raw(body, headers={"X-Slack-Signature": ""}).status == 401
    assert slack.post_raw(body, timestamp="1700000000").status == 401
    forged = {"X-Slack-Request-Timestamp": "1700000000"}
    assert slack.post_raw(body, headers=forged).status == 401
