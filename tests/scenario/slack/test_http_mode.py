"""HTTP mode, from Slack's signed request to the answer in the thread; and requests that are not Slack's."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from agent.store.inbox import ItemState
from bots.slack import serve
from bots.slack.manifest import manifest
from bots.slack.types import Action
from tests.scenario.slack.office import PATIENCE_S, Office, key_of, shared_home
from tests.slack_server.http_delivery import Answer, sign
from tests.slack_server.server import SlackServer
from tests.slack_server.things import Posted

QUESTION = "credits by warehouse last week"
FORM = "application/x-www-form-urlencoded"


@pytest.fixture(scope="module")
def office(quiet_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """The bot behind its own web server on a free port, and a Slack that sends it signed requests."""
    home = shared_home(tmp_path_factory.mktemp("slack") / "http", quiet_home)
    made = Office(home, SlackServer(manifest=manifest(), retry_delays=(0.2, 0.5, 1.0)).start())
    made.start(mode="http", port=0)
    (door,) = made.doors
    assert isinstance(door, serve.HttpDoor)
    made.slack.deliver_to(f"http://127.0.0.1:{door.port}/slack/events")
    yield made
    made.close()


def get(office: Office, path: str, method: str = "GET") -> Answer:
    assert office.slack.http is not None
    address = office.slack.http.url.split("/")[2]
    connection = http.client.HTTPConnection(address, timeout=PATIENCE_S)
    try:
        connection.request(method, path)
        response = connection.getresponse()
        return Answer(response.status, dict(response.getheaders()), response.read())
    finally:
        connection.close()


def event_body(office: Office, **changes: Any) -> tuple[str, bytes]:
    """A mention as Slack sends it, and its ts."""
    world = office.slack.world
    with world.lock:
        ts = world.new_ts()
        text = f"<@{world.bot_user}> {QUESTION}"
        event = {"type": "app_mention", "user": office.vera, "text": text, "ts": ts, "channel": office.cost}
        body = {
            "type": "event_callback",
            "team_id": world.team,
            "api_app_id": world.app,
            "event_id": f"Ev{ts}",
            "event": event,
            "authorizations": [{"team_id": world.team, "is_bot": True}],
        }
    return ts, json.dumps(body | changes).encode()


def refused(office: Office, ts: str, answer: Answer, *statuses: int) -> None:
    assert answer.status in statuses
    assert office.item(office.cost, ts) is None and office.slack.posted(office.cost, ts) == []
    assert office.slack.signing_secret.encode() not in answer.body


# --- what Slack sends ------------------------------------------------------------------------------------------------


def test_a_question_and_its_follow_up(office: Office) -> None:
    ts = office.ask(office.vera, QUESTION)
    (answer,) = office.said(office.cost, ts)
    assert answer.streamed and answer.stream_state == "stopped" and "TRANSFORM_WH" in answer.text
    follow = office.ask(office.vera, "and by role?", thread_ts=ts, mention=False)
    assert office.turn(office.cost, follow).tool_calls[0].args["by"] == "role"
    assert {attempt.by for each in office.slack.deliveries for attempt in each.attempts} == {"http"}
    assert office.slack.violations == []


def test_a_command(office: Office) -> None:
    command = office.slack.command(office.vera, office.cost, QUESTION).wait()
    assert command.acked and command.answer is None
    key = f"asked:command:{office.slack.team}/{command.trigger_id}"
    (asked,) = office.wait(lambda: [m for m in office.slack.posted(office.cost) if key_of(m) == key])
    office.finished(office.cost, asked.ts)
    assert "TRANSFORM_WH" in office.said(office.cost, asked.ts)[0].text
    office.slack.command(office.vera, office.foreign, "help").wait()
    assert office.wait(lambda: office.slack.ephemerals)
    assert office.slack.violations == []


def test_buttons_and_windows(office: Office) -> None:
    ts = office.ask(office.vera, QUESTION)
    (answer,) = office.said(office.cost, ts)
    assert office.slack.click(office.anna, office.cost, answer.ts, Action.EVIDENCE).wait().acked
    (view,) = office.wait(lambda: [v for v in office.slack.views if v.user == office.anna])
    office.slack.close_view(office.anna, view.id)
    asked = office.ask(office.pete, "set auto-suspend of DEV_WH to 300 seconds")
    (card,) = office.cards(office.cost, asked)
    office.slack.click(office.alice, office.cost, card.ts, Action.DECLINE).wait()
    (form,) = office.wait(lambda: [v for v in office.slack.views if v.user == office.alice])
    block = next(each["block_id"] for each in form.blocks if each["type"] == "input")
    assert office.slack.submit(office.alice, form.id, {block: "not now"}).acked
    office.wait(lambda: "not now" in office.slack.message(office.cost, card.ts).all_text)
    assert office.slack.user_errors == []
    assert office.slack.violations == []


def test_a_request_that_comes_again_is_one_message(office: Office) -> None:
    """The answer to the first was lost on Slack's side: the same body, with the headers of a retry."""
    ts, body = event_body(office)
    with office.slack.world.lock:
        office.slack.world.keep(Posted(office.cost, ts, office.vera, QUESTION))
    for number in range(4):
        retry = {"X-Slack-Retry-Num": str(number), "X-Slack-Retry-Reason": "http_timeout"} if number else {}
        assert office.slack.post_raw(body, headers=retry).status == 200
    assert office.finished(office.cost, ts).state is ItemState.DONE
    assert office.slack.post_raw(body).status == 200
    assert len(office.slack.posted(office.cost, ts)) == 1
    assert office.slack.violations == []


def test_what_cannot_be_kept_is_not_acknowledged_and_comes_again(office: Office) -> None:
    inbox = office.runtime.store.inbox
    put, failures = inbox.put, [OSError("disk full"), OSError("disk full")]

    def failing(*args: Any, **kwargs: Any) -> bool:
        if failures:
            raise failures.pop()
        return put(*args, **kwargs)

    inbox.put = failing  # type: ignore[method-assign]
    try:
        ts = office.slack.say(office.vera, office.cost, QUESTION, only="app_mention")
        assert office.finished(office.cost, ts).state is ItemState.DONE
    finally:
        inbox.put = put  # type: ignore[method-assign]
    (delivery,) = [each for each in office.slack.deliveries if each.event.get("ts") == ts]
    assert delivery.acked and [each.retry_reason for each in delivery.attempts] == [None, "http_error", "http_error"]
    assert len(office.said(office.cost, ts)) == 1
    assert office.slack.violations == []


def test_many_requests_at_once(office: Office) -> None:
    asked = [office.slack.say(user, office.cost, QUESTION) for user in office.people.values()]
    office.acknowledged()
    for ts in asked:
        assert office.finished(office.cost, ts).state is ItemState.DONE and len(office.said(office.cost, ts)) == 1
    assert office.slack.violations == []


def test_the_address_is_verified(office: Office) -> None:
    body = json.dumps({"type": "url_verification", "challenge": "3eZbrw1aB", "token": "t"}).encode()
    answer = office.slack.post_raw(body)
    assert answer.status == 200 and b"3eZbrw1aB" in answer.body
    unsigned = office.slack.post_raw(body, headers={"X-Slack-Signature": "v0=" + "0" * 64})
    assert unsigned.status == 401 and b"3eZbrw1aB" not in unsigned.body
    assert office.slack.violations == []


def test_slacks_certificate_check(office: Office) -> None:
    """`ssl_check=1`, once a command is set up."""
    answer = office.slack.post_raw(urlencode({"ssl_check": "1", "token": "t"}).encode(), content_type=FORM)
    assert answer.status == 200
    assert office.slack.violations == []


def test_healthz(office: Office) -> None:
    answer = get(office, "/healthz")
    assert answer.status == 200
    found = json.loads(answer.body)
    assert found["status"] == "ok" and found["mode"] == "http" and found["connected"] is True
    assert set(found) == {"status", "mode", "connected", "waiting", "oldest_seconds", "claimed"}
    assert office.slack.violations == []


def test_nothing_else_is_there(office: Office) -> None:
    assert get(office, "/").status == 404 and get(office, "/slack/install").status == 404
    assert get(office, "/slack/events").status == 405 and get(office, "/healthz", "POST").status == 405
    assert office.slack.violations == []


# --- what is not Slack's ---------------------------------------------------------------------------------------------

HEADERS: dict[str, Callable[[Office, bytes], dict[str, str]]] = {
    "no signature": lambda office, body: {"X-Slack-Signature": ""},
    "no timestamp": lambda office, body: {"X-Slack-Request-Timestamp": ""},
    "another body's signature": lambda office, body: {
        "X-Slack-Signature": sign(office.slack.signing_secret, str(int(time.time())), body + b" ")
    },
    "another secret's signature": lambda office, body: {
        "X-Slack-Signature": sign("guessed", str(int(time.time())), body)
    },
    "a cut signature": lambda office, body: {"X-Slack-Signature": "v0=abc"},
    "no version": lambda office, body: {"X-Slack-Signature": "0" * 64},
    "not ASCII": lambda office, body: {"X-Slack-Signature": "v0=" + "\xe9" * 64},
}
"""Of a request that is well signed but for these."""


@pytest.mark.parametrize("name", HEADERS)
def test_a_signature_that_is_none(office: Office, name: str) -> None:
    ts, body = event_body(office)
    refused(office, ts, office.slack.post_raw(body, headers=HEADERS[name](office, body)), 401)
    assert office.slack.violations == []


@pytest.mark.parametrize(
    "stamp",
    [
        "now",
        "1.5",
        "-1",
        "0x5",
        "1_795_000_000",
        " ",
        "\xb2\xb3",
        "9" * 40,
        "nan",
        *(str(int(time.time()) + skew) for skew in (-3600, 3600)),
    ],
    ids=["word", "float", "negative", "hex", "underscores", "blank", "unicode", "huge", "nan", "old", "future"],
)
def test_a_timestamp_that_is_none_or_old(office: Office, stamp: str) -> None:
    """Also where the signature fits it: a replay, or somebody who knows how requests are signed."""
    ts, body = event_body(office)
    signed = sign(office.slack.signing_secret, stamp, body)
    headers = {"X-Slack-Signature": signed, "X-Slack-Request-Timestamp": stamp}
    refused(office, ts, office.slack.post_raw(body, headers=headers), 400, 401)
    assert office.slack.violations == []


@pytest.mark.parametrize(
    ("body", "kind", "statuses"),
    [
        (b"\xff\xfe{}", "application/json", (401,)),
        (b"{", "application/json", (200, 400, 404)),
        (b"", "application/json", (200, 400, 401, 404)),
        (b"[]", "application/json", (200, 400, 404)),
        (b"null", "application/json", (200, 400, 404)),
        (b"payload=%7B", FORM, (200, 400, 404)),
        (b"payload=%ff%fe", FORM, (200, 400, 404)),
        (b"payload=[]", FORM, (200, 400, 404)),
        (b"command=/frostline", FORM, (200, 400, 404)),
        (json.dumps({"type": "event_callback"}).encode(), "application/json", (200, 400, 404)),
        (b'{"a":' * 5_000 + b"1" + b"}" * 5_000, "application/json", (200, 400, 404)),
    ],
    ids=[
        "no-utf8",
        "cut",
        "empty",
        "list",
        "null",
        "cut-form",
        "odd-form",
        "list-form",
        "bare",
        "none",
        "deep",
    ],
)
def test_a_body_that_is_none(office: Office, body: bytes, kind: str, statuses: tuple[int, ...]) -> None:
    """Signed with the right secret, and still nothing that Slack would send."""
    answer = office.slack.post_raw(body, content_type=kind)
    assert answer.status in statuses, answer
    assert get(office, "/healthz").status == 200
    assert office.slack.violations == []


def test_a_body_that_is_too_large(office: Office) -> None:
    ts, body = event_body(office, padding="x" * 1_100_000)
    refused(office, ts, office.slack.post_raw(body), 413)
    assert office.slack.violations == []


def test_a_body_that_never_ends_does_not_hold_the_others_up(office: Office) -> None:
    """Its length is not said, and it stops in the middle."""
    assert office.slack.http is not None
    address = office.slack.http.url.split("/")[2]
    connection = http.client.HTTPConnection(address, timeout=PATIENCE_S)
    connection.putrequest("POST", "/slack/events")
    connection.putheader("Transfer-Encoding", "chunked")
    connection.endheaders()
    connection.send(b'5\r\n{"a":\r\n')
    answers: list[str] = []
    asking = threading.Thread(target=lambda: answers.append(office.ask(office.vera, QUESTION)))
    asking.start()
    asking.join(PATIENCE_S)
    connection.close()
    assert answers and office.said(office.cost, answers[0])
    assert office.slack.violations == []


def test_interactions_of_another_app_do_nothing(office: Office) -> None:
    def of_another_app(payload: dict[str, Any]) -> None:
        payload["api_app_id"] = "A0ELSE001"

    ts = office.ask(office.vera, QUESTION)
    (answer,) = office.said(office.cost, ts)
    before = len(office.slack.views)
    click = office.slack.click(office.vera, office.cost, answer.ts, Action.EVIDENCE, tweak=of_another_app).wait()
    assert click.acked
    office.slack.click(office.vera, office.cost, answer.ts, Action.EVIDENCE).wait()
    office.wait(lambda: len(office.slack.views) == before + 1)
    assert len(office.slack.called("views.open")) == len([c for c in office.slack.called("views.open") if not c.error])
    assert office.slack.violations == []
