"""Socket Mode: up to ten websockets of one app, each payload to any one of them, until it is acknowledged."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import random
import socket as sockets
import struct
import uuid
from collections import OrderedDict
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from tests.slack_server.delivery import Attempt, Delivery, Outcome
from tests.slack_server.limits import SOCKETS
from tests.slack_server.state import World


@dataclass(eq=False)
class Socket:
    name: str
    connection: ServerConnection
    waiting: dict[str, asyncio.Future[Any]] = field(default_factory=dict)
    closing: bool = False
    """A disconnect was announced: nothing more is sent on it."""
    received: int = 0


class _SocketGone(Exception):
    pass


class SocketHub:
    """The `Transport` of Socket Mode. Everything here runs in the server's loop."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._tickets: set[str] = set()
        self._names = itertools.count(1)
        self._known: OrderedDict[str, Delivery] = OrderedDict()
        self._random = random.Random(7)
        self._arrived = asyncio.Event()
        self._server: Server | None = None
        self.sockets: list[Socket] = []
        self.ack_timeout = 3.0
        self.port = 0

    async def start(self) -> None:
        self._server = await serve(
            self._serve,
            "127.0.0.1",
            0,
            process_request=self._admit,
            ping_interval=10,
            ping_timeout=None,
            close_timeout=1,
            compression=None,
        )
        self.port = next(iter(self._server.sockets)).getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    def new_url(self) -> str:
        """For one connection."""
        ticket = uuid.uuid4().hex
        self._tickets.add(ticket)
        return f"ws://127.0.0.1:{self.port}/link/?ticket={ticket}&app_id={self._world.app}"

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        ticket = parse_qs(urlsplit(request.path).query).get("ticket", [""])[0]
        if ticket in self._tickets:
            self._tickets.discard(ticket)
            return None
        self._world.violate("socket", "invalid_ticket", "a websocket URL can be used once")
        return connection.respond(HTTPStatus.NOT_FOUND, "ticket\n")

    async def _serve(self, connection: ServerConnection) -> None:
        if len(self.sockets) >= SOCKETS:
            await connection.send(json.dumps({"type": "disconnect", "reason": "too_many_websockets"}))
            return
        socket = Socket(f"socket-{next(self._names)}", connection)
        hello = {
            "type": "hello",
            "num_connections": len(self.sockets) + 1,
            "debug_info": {"host": socket.name, "build_number": 1, "approximate_connection_time": 18_060},
            "connection_info": {"app_id": self._world.app},
        }
        try:
            await connection.send(json.dumps(hello))
            self.sockets.append(socket)
            self._arrived.set()
            async for frame in connection:
                self._take(socket, frame)
        except ConnectionClosed:
            pass
        finally:
            self._gone(socket)

    def _gone(self, socket: Socket) -> None:
        if socket in self.sockets:
            self.sockets.remove(socket)
        if not any(not each.closing for each in self.sockets):
            self._arrived.clear()
        for future in socket.waiting.values():
            if not future.done():
                future.set_exception(_SocketGone())

    def _take(self, socket: Socket, frame: str | bytes) -> None:
        """An acknowledgement; it may come on another socket than the envelope went out on."""
        try:
            message = json.loads(frame)
        except ValueError:
            self._world.violate("socket", "not_json", repr(frame)[:100])
            return
        if not isinstance(message, dict) or set(message) - {"envelope_id", "payload"}:
            self._world.violate("socket", "invalid_ack", str(message)[:200])
            return
        delivery = self._known.get(str(message.get("envelope_id")))
        if delivery is None:
            self._world.violate("socket", "unknown_envelope", str(message)[:200])
            return
        if "payload" in message and not delivery.accepts_payload:
            self._world.violate("socket", "payload_not_accepted", str(message)[:200])
        for each in (socket, *self.sockets):
            future = each.waiting.get(message["envelope_id"])
            if future is not None and not future.done():
                future.set_result(message.get("payload"))
                return
        delivery.late = not delivery.acked
        delivery.acked = True

    async def _pick(self, delivery: Delivery) -> Socket | None:
        """Any open socket; a retry rather goes to another one. Interactions do not wait for one forever."""
        limit = None if delivery.kind == "events_api" else self.ack_timeout
        try:
            async with asyncio.timeout(limit):
                while not (ready := [each for each in self.sockets if not each.closing]):
                    self._arrived.clear()
                    await self._arrived.wait()
        except TimeoutError:
            return None
        last = delivery.attempts[-1].by if delivery.attempts else ""
        return self._random.choice([each for each in ready if each.name != last] or ready)

    async def deliver(self, delivery: Delivery, retry: int, reason: str | None) -> Outcome:
        socket = await self._pick(delivery)
        if socket is None:
            return Outcome(False, "connection_failed")
        envelope: dict[str, Any] = {
            "envelope_id": str(uuid.uuid4()),
            "type": delivery.kind,
            "payload": delivery.payload,
            "accepts_response_payload": delivery.accepts_payload,
        }
        if delivery.kind == "events_api":
            envelope |= {"retry_attempt": retry, "retry_reason": reason or ""}
        name = envelope["envelope_id"]
        delivery.attempts.append(Attempt(name, retry, reason, socket.name))
        self._remember(name, delivery)
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        socket.waiting[name] = future
        socket.received += 1
        try:
            await socket.connection.send(json.dumps(envelope))
            async with asyncio.timeout(self.ack_timeout):
                return Outcome(True, answer=await future)
        except (_SocketGone, ConnectionClosed):
            return Outcome(False, "connection_failed")
        except TimeoutError:
            return Outcome(False, "timeout")
        finally:
            socket.waiting.pop(name, None)
            if future.done() and not future.cancelled():
                future.exception()

    def _remember(self, name: str, delivery: Delivery) -> None:
        self._known[name] = delivery
        while len(self._known) > (5_000 if self._world.keep_calls else 500):
            self._known.popitem(last=False)

    # what Slack does to connections
    async def refresh(self, warning_s: float) -> None:
        """`warning`, a while later `refresh_requested`, and the socket is closed."""
        warned = list(self.sockets)
        await self._say(warned, "warning")
        await asyncio.sleep(warning_s)
        for each in warned:
            each.closing = True
        await self._say(warned, "refresh_requested")
        await asyncio.sleep(warning_s)
        for each in warned:
            await each.connection.close()

    async def refuse(self, reason: str) -> None:
        refused = list(self.sockets)
        for each in refused:
            each.closing = True
        await self._say(refused, reason)
        for each in refused:
            await each.connection.close()

    async def _say(self, told: list[Socket], reason: str) -> None:
        for each in told:
            with contextlib.suppress(ConnectionClosed):
                text = {"type": "disconnect", "reason": reason, "debug_info": {"host": each.name}}
                await each.connection.send(json.dumps(text))

    async def abort(self, *, reset: bool) -> None:
        """The connections are cut without a word: by a mere end of the stream, or (`reset`) by a TCP reset."""
        cut = list(self.sockets)
        for each in cut:
            each.closing = True
            if reset:
                raw = each.connection.transport.get_extra_info("socket")
                raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_LINGER, struct.pack("ii", 1, 0))
            each.connection.transport.abort()
        for each in cut:
            await each.connection.wait_closed()
            self._gone(each)
