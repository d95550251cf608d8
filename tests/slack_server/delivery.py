"""Something that Slack delivers to the app, and the courier that carries it until it is acknowledged."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from tests.slack_server.state import World

Kind = Literal["events_api", "interactive", "slash_commands"]


@dataclass(frozen=True)
class Attempt:
    envelope_id: str
    retry_attempt: int
    retry_reason: str | None
    by: str
    """Which socket, or `http`."""
    at: float = field(default_factory=time.monotonic)


@dataclass(eq=False)
class Delivery:
    """One payload, over all its attempts."""

    kind: Kind
    payload: dict[str, Any]
    accepts_payload: bool = False
    on_ack: Callable[[Any], None] | None = None
    attempts: list[Attempt] = field(default_factory=list)
    acked: bool = False
    late: bool = False
    """Acknowledged after Slack had stopped waiting for that attempt."""
    failed: bool = False
    """Slack gave up."""
    answer: Any = None
    """The payload of the acknowledgement."""
    done: threading.Event = field(default_factory=threading.Event)

    @property
    def event(self) -> dict[str, Any]:
        return dict(self.payload.get("event", {}))

    @property
    def trigger_id(self) -> str:
        return str(self.payload.get("trigger_id", ""))

    @property
    def response_url(self) -> str:
        return str(self.payload.get("response_url", ""))

    def wait(self, timeout: float = 10) -> Delivery:
        """Until it was acknowledged or given up; AssertionError after `timeout` seconds."""
        if not self.done.wait(timeout):
            raise AssertionError(f"{self.kind} was not acknowledged in {timeout} s: {self.payload}")
        return self


@dataclass(frozen=True)
class Outcome:
    acked: bool
    reason: str = "timeout"
    answer: Any = None
    no_retry: bool = False


class Transport(Protocol):
    async def deliver(self, delivery: Delivery, retry: int, reason: str | None) -> Outcome: ...


class Courier:
    """Carries each delivery; events are tried again as Slack does, interactions and commands are not."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.transport: Transport | None = None
        self.retry_delays: tuple[float, ...] = (0.0, 60.0, 300.0)
        self.loop: asyncio.AbstractEventLoop | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._held: list[Delivery] | None = None
        self._open = 0

    @property
    def pending(self) -> int:
        """Deliveries that are neither acknowledged nor given up."""
        return self._open

    def send(self, delivery: Delivery) -> None:
        """From any thread."""
        with self._world.lock:
            self._world.deliveries.append(delivery)
            self._open += 1
            if self._held is not None:
                self._held.append(delivery)
                return
        self._post(delivery)

    def _post(self, delivery: Delivery) -> None:
        assert self.loop is not None, "the server has not been started"
        self.loop.call_soon_threadsafe(self._begin, delivery)

    def hold(self) -> None:
        self._held = []

    def release(self, order: Callable[[list[Delivery]], list[Delivery]]) -> None:
        with self._world.lock:
            held, self._held = self._held or [], None
        for each in order(held):
            self._post(each)

    def _begin(self, delivery: Delivery) -> None:
        task = asyncio.ensure_future(self._carry(delivery))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry(self, delivery: Delivery) -> None:
        try:
            await self._try(delivery)
        finally:
            with self._world.lock:
                self._open -= 1
            delivery.done.set()

    async def _try(self, delivery: Delivery) -> None:
        assert self.transport is not None, "neither a socket nor a URL to deliver to"
        waits = (0.0, *self.retry_delays) if delivery.kind == "events_api" else (0.0,)
        reason: str | None = None
        for number, wait in enumerate(waits):
            await asyncio.sleep(wait)
            if delivery.acked:
                return
            outcome = await self.transport.deliver(delivery, number, reason)
            if outcome.acked or delivery.acked:
                self._acknowledged(delivery, outcome.answer)
                return
            if outcome.no_retry:
                break
            reason = outcome.reason
        delivery.failed = True
        if delivery.kind != "events_api":
            self._world.user_errors.append(f"{delivery.kind}: {reason or 'http_error'}")

    def _acknowledged(self, delivery: Delivery, answer: Any) -> None:
        delivery.acked, delivery.answer = True, answer
        if delivery.on_ack is not None:
            with self._world.lock:
                delivery.on_ack(answer)

    async def close(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def run_in(loop: asyncio.AbstractEventLoop, work: Any) -> Any:
    """The result of a coroutine that runs in the server's thread."""
    future: Future[Any] = asyncio.run_coroutine_threadsafe(work, loop)
    return future.result(timeout=15)
