"""HTTP delivery: signed POSTs to the app's request URL, as Slack sends them."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import http.client
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

from tests.slack_server.delivery import Attempt, Delivery, Outcome
from tests.slack_server.state import World

Headers = dict[str, str]


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Headers = field(default_factory=dict)
    body: bytes = b""

    def json(self) -> Any:
        return json.loads(self.body)


def sign(secret: str, timestamp: str, body: bytes) -> str:
    base = b"v0:" + timestamp.encode() + b":" + body
    return "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()


class HttpHub:
    """The `Transport` of HTTP mode."""

    def __init__(self, world: World, url: str, timeout: Callable[[], float]) -> None:
        self._world, self.url, self._timeout = world, url, timeout
        self._pool = ThreadPoolExecutor(16, thread_name_prefix="slack-http")

    def close(self) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    def headers(self, body: bytes, content_type: str, *, timestamp: str | None = None) -> Headers:
        stamp = timestamp if timestamp is not None else str(int(time.time()))
        return {
            "Content-Type": content_type,
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
            "X-Slack-Request-Timestamp": stamp,
            "X-Slack-Signature": sign(self._world.signing_secret, stamp, body),
        }

    def post(self, body: bytes, headers: Headers) -> Answer:
        """OSError, TimeoutError or http.client.HTTPException where there is no answer."""
        parts = urlsplit(self.url)
        connection = http.client.HTTPConnection(str(parts.hostname), parts.port or 80, timeout=self._timeout())
        try:
            connection.request("POST", parts.path or "/", body, headers)
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, found, response.read())
        finally:
            connection.close()

    def encode(self, delivery: Delivery) -> tuple[bytes, str]:
        if delivery.kind == "events_api":
            return json.dumps(delivery.payload).encode(), "application/json"
        form = delivery.payload if delivery.kind == "slash_commands" else {"payload": json.dumps(delivery.payload)}
        return urlencode(form).encode(), "application/x-www-form-urlencoded"

    async def deliver(self, delivery: Delivery, retry: int, reason: str | None) -> Outcome:
        body, kind = self.encode(delivery)
        headers = self.headers(body, kind)
        if retry:
            headers |= {"X-Slack-Retry-Num": str(retry), "X-Slack-Retry-Reason": reason or "unknown_error"}
        delivery.attempts.append(Attempt("", retry, reason, "http"))
        try:
            answer = await asyncio.get_running_loop().run_in_executor(self._pool, self.post, body, headers)
        except TimeoutError:
            return Outcome(False, "http_timeout")
        except (OSError, http.client.HTTPException):
            return Outcome(False, "connection_failed")
        if answer.status != 200:
            return Outcome(False, "http_error", no_retry=answer.headers.get("x-slack-no-retry") == "1")
        return Outcome(True, answer=self._read(delivery, answer))

    def _read(self, delivery: Delivery, answer: Answer) -> Any:
        if not answer.body:
            return None
        if not delivery.accepts_payload:
            return None  # whatever a request URL says to an event is ignored
        if answer.headers.get("content-type", "").startswith("application/json"):
            return answer.json()
        return {"text": answer.body.decode()}
