"""Run the bot: Socket Mode or HTTP, until it is told to stop."""

from __future__ import annotations

import json
import logging
import re
import signal
import socket
import threading
import time
from collections.abc import Sequence
from types import FrameType
from typing import TYPE_CHECKING, Any, Protocol
from urllib.error import URLError

from slack_sdk.errors import SlackApiError

from bots.slack.service import SlackBot
from bots.slack.signature import LARGEST_BODY, is_signed
from tools.errors import BadSettings, ChannelRefused, Unreachable

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

__all__ = ["Door", "HttpDoor", "SocketDoor", "doors_of", "run"]

_log = logging.getLogger("frostline.slack")
_SECRETS = re.compile(r"(wss?://|https?://hooks\.)\S+|\bx(ox[a-z]|app)-[\w-]+")
_GRACE_S = 25.0
_START_S = 10.0
_WATCH_S = 2.0


class Door(Protocol):
    """Through which events come in."""

    def open(self) -> None:
        """
        Raises:
            FrostlineError: it cannot be opened.
        """
        ...

    def close(self) -> None: ...


def run(
    bot: SlackBot,
    *,
    stop: threading.Event | None = None,
    doors: Sequence[Door] | None = None,
    grace_s: float = _GRACE_S,
) -> None:
    """Until SIGTERM or SIGINT (or `stop`); what runs then is finished first.

    `doors`: `doors_of(bot)`, where the caller wants to know them.

    Raises:
        FrostlineError: a token is missing or refused, the port is taken, Slack is not there.
    """
    told = stop or threading.Event()
    _stop_on_signals(told)
    doors = doors_of(bot) if doors is None else doors
    bot.start()
    try:
        for door in doors:
            door.open()
        _log.info("ready: %s", bot.settings.mode)
        told.wait()
        _log.info("stopping")
    finally:
        for door in doors:
            door.close()
        bot.stop(grace_s)


def doors_of(bot: SlackBot) -> tuple[Door, ...]:
    """By the settings' mode, with the health port where it is wanted.

    Raises:
        BadSettings: the token or secret that the mode needs is missing.
    """
    if bot.settings.mode == "http":
        return (HttpDoor(bot),)
    sockets = SocketDoor(bot)
    return (sockets, HttpDoor(bot, events=False)) if bot.settings.health else (sockets,)


def _stop_on_signals(stop: threading.Event) -> None:
    if threading.current_thread() is not threading.main_thread():
        return  # whoever runs us in a thread has a stop event

    def end(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)


class _Redact(logging.Filter):
    """The SDK's own messages may hold a websocket's address, which is a key."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = _SECRETS.sub("(hidden)", record.getMessage()), None
        return True


# --- Socket Mode -----------------------------------------------------------------------------------------------------


class SocketDoor:
    """The SDK's websocket client. It connects again by itself, but takes a minute to see that a connection is dead
    (it counts five failed pings, ten seconds apart): `_watch` looks more often.
    """

    def __init__(self, bot: SlackBot) -> None:
        """
        Raises:
            BadSettings: no app token.
        """
        from slack_bolt.adapter.socket_mode.builtin import SocketModeHandler

        token = bot.settings.app_token
        if token is None or not token.get_secret_value():
            raise BadSettings(
                "Slack's app token is missing.", hint="Set SLACK_APP_TOKEN (xapp-...); docs/slack.md says where it is."
            )
        logger = logging.getLogger("frostline.slack.socket")
        logger.setLevel(logging.ERROR)
        logger.addFilter(_Redact())
        self._handler: Any = SocketModeHandler(bot.app, token.get_secret_value(), logger=logger, ping_interval=5)
        self._handler.client.on_message_listeners.append(_tell_disconnect)
        self._closed = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="frostline-socket", daemon=True)
        bot.connected = lambda: not self._closed.is_set() and bool(self._handler.client.is_connected())

    def open(self) -> None:
        try:
            self._handler.connect()
        except SlackApiError as error:
            reason = str(error.response.get("error"))
            raise ChannelRefused(
                f"Slack refused the connection: {reason}.",
                reason=reason,
                hint="SLACK_APP_TOKEN has to be an app-level token (xapp-...) with connections:write.",
            ) from None
        except (URLError, OSError) as error:
            raise Unreachable(f"Slack cannot be reached ({type(error).__name__}).", hint="Check the network.") from None
        self._watcher.start()

    def close(self) -> None:
        self._closed.set()
        if self._watcher.is_alive():
            self._watcher.join(5.0)
        self._handler.close()

    def _watch(self) -> None:
        client = self._handler.client
        while not self._closed.wait(_WATCH_S):
            session = client.current_session
            try:
                session.ping(f"{session.session_id}:{time.time()}")
            except OSError:
                session.disconnect()
            if not client.is_connected():
                self._connect_again()

    def _connect_again(self) -> None:
        try:
            self._handler.client.connect_to_new_endpoint()
        except (SlackApiError, OSError) as error:  # the next round tries again
            _log.warning("no connection to Slack (%s)", type(error).__name__)


def _tell_disconnect(raw: str) -> None:
    """The SDK connects again whatever the reason; two of them need somebody's hand."""
    if '"disconnect"' not in raw[:200]:
        return
    try:
        reason = str(json.loads(raw).get("reason"))
    except ValueError:
        return
    if reason == "too_many_websockets":
        _log.error("Slack allows ten connections of an app, and there are more: stop other copies of this bot")
    elif reason == "link_disabled":
        _log.error("Socket Mode was switched off for this app")


# --- HTTP ------------------------------------------------------------------------------------------------------------


class HttpDoor:
    """POST /slack/events and GET /healthz; without `events` the latter alone."""

    def __init__(self, bot: SlackBot, *, events: bool = True) -> None:
        """
        Raises:
            BadSettings: no signing secret.
        """
        self._bot, self._events = bot, events
        secret = bot.settings.signing_secret
        self._secret = secret.get_secret_value() if secret else ""
        if events and not self._secret:
            raise BadSettings(
                "Slack's signing secret is missing.", hint="Set SLACK_SIGNING_SECRET; docs/slack.md says where it is."
            )
        self.port = bot.settings.port
        """The real one once it is open."""
        self._server: Any = None
        self._thread: threading.Thread | None = None

    def open(self) -> None:
        import uvicorn

        host = self._bot.settings.host
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            listener = socket.create_server((host, self.port), family=family, backlog=256)
        except OSError as error:
            raise Unreachable(
                f"Port {self.port} of {host} cannot be used ({error.strerror}).", hint="Set slack.port."
            ) from None
        self.port = listener.getsockname()[1]
        config = uvicorn.Config(self.app(), log_config=None, log_level="critical", access_log=False, lifespan="off")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [listener]}, name="frostline-http", daemon=True
        )
        self._thread.start()
        self._wait_until_started()
        if self._events:
            self._bot.connected = lambda: self._thread is not None and self._thread.is_alive()
        _log.info("listening on %s:%s", host, self.port)

    def _wait_until_started(self) -> None:
        deadline = time.monotonic() + _START_S
        while not self._server.started:
            if self._thread is None or not self._thread.is_alive() or time.monotonic() > deadline:
                raise Unreachable("The HTTP server did not start.")
            time.sleep(0.01)

    def close(self) -> None:
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join(10.0)

    def app(self) -> Starlette:
        from starlette.applications import Starlette
        from starlette.routing import Route

        routes = [Route("/healthz", self._health, methods=["GET"])]
        if self._events:
            routes.append(Route("/slack/events", self._take, methods=["POST"]))
        return Starlette(routes=routes)

    async def _health(self, request: Request) -> Response:
        from starlette.concurrency import run_in_threadpool
        from starlette.responses import JSONResponse

        found = await run_in_threadpool(self._bot.health)
        return JSONResponse(found, status_code=200 if found["status"] == "ok" else 503)

    async def _take(self, request: Request) -> Response:
        from slack_bolt.adapter.starlette.handler import to_bolt_request, to_starlette_response
        from starlette.concurrency import run_in_threadpool
        from starlette.responses import Response

        body = await _read(request)
        if body is None:
            return Response(status_code=413)
        stamp, signature = (request.headers.get(f"x-slack-{n}") for n in ("request-timestamp", "signature"))
        if not is_signed(body, stamp, signature, self._secret, now=time.time()):
            _log.warning("a request without a valid signature was refused")
            return Response(status_code=401)
        try:
            asked = to_bolt_request(request, body)
        except (ValueError, TypeError, AttributeError, RecursionError):  # signed, and not what Slack sends
            return Response(status_code=400)
        return to_starlette_response(await run_in_threadpool(self._bot.app.dispatch, asked))


async def _read(request: Request) -> bytes | None:
    """The body; None where it is too large, whatever its header says."""
    read = bytearray()
    async for chunk in request.stream():
        read += chunk
        if len(read) > LARGEST_BODY:
            return None
    return bytes(read)
