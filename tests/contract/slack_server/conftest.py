"""A workspace for each test, the real client, and an app that acknowledges exactly as a test wants."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from slack_sdk import WebClient
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.slack_server import SlackServer


@dataclass(eq=False)
class RawApp:
    """One websocket, spoken to by hand. `answer` makes the acknowledgement of an envelope; None: none is sent."""

    socket: ClientConnection
    answer: Callable[[dict[str, Any]], dict[str, Any] | None]
    frames: list[dict[str, Any]] = field(default_factory=list)

    @property
    def envelopes(self) -> list[dict[str, Any]]:
        return [each for each in self.frames if "envelope_id" in each]

    def send(self, message: dict[str, Any]) -> None:
        self.socket.send(json.dumps(message))

    def read(self) -> None:
        try:
            for frame in self.socket:
                message = json.loads(frame)
                self.frames.append(message)
                if "envelope_id" in message and (answer := self.answer(message)) is not None:
                    self.send(answer)
        except ConnectionClosed:
            pass


def acknowledge(envelope: dict[str, Any]) -> dict[str, Any]:
    return {"envelope_id": envelope["envelope_id"]}


Connect = Callable[..., RawApp]


@pytest.fixture
def slack() -> Iterator[SlackServer]:
    with SlackServer(ack_timeout=0.3, retry_delays=(0, 0, 0)) as server:
        yield server


@pytest.fixture
def client(slack: SlackServer) -> WebClient:
    return WebClient(slack.bot_token, base_url=slack.base_url)


@pytest.fixture
def alice(slack: SlackServer) -> str:
    return slack.add_user("alice")


@pytest.fixture
def cost(slack: SlackServer, alice: str) -> str:
    return slack.add_channel("cost", [alice])


@pytest.fixture
def app(slack: SlackServer) -> Iterator[Connect]:
    """Opens one more websocket."""
    threads: list[threading.Thread] = []
    with contextlib.ExitStack() as opened:

        def open_one(answer: Callable[[dict[str, Any]], dict[str, Any] | None] = acknowledge) -> RawApp:
            url = str(WebClient(base_url=slack.base_url).apps_connections_open(app_token=slack.app_token)["url"])
            raw = RawApp(opened.enter_context(connect(url, compression=None)), answer)
            threads.append(threading.Thread(target=raw.read, daemon=True))
            threads[-1].start()
            slack.wait_for(lambda: raw.frames)
            return raw

        yield open_one
    for thread in threads:
        thread.join(5)
