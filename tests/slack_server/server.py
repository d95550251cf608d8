"""`SlackServer`: the workspace, its API and its websockets, in a thread of the test process."""

from __future__ import annotations

import asyncio
import socket as sockets
import threading
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Literal, TypeVar

import uvicorn

from tests.slack_server.acting import Acting
from tests.slack_server.clock import FakeClock
from tests.slack_server.delivery import Courier, Delivery, run_in
from tests.slack_server.faults import Fault, Faults, Rates
from tests.slack_server.http_delivery import Answer, Headers, HttpHub
from tests.slack_server.socket import SocketHub
from tests.slack_server.state import World
from tests.slack_server.things import Call, Channel, Group, Posted, Upload, User, View, Violation

T = TypeVar("T")


class SlackServer(Acting):
    """See README.md. `real_time`: ages pass by themselves, too. `manifest`: the app's scopes, events and tabs.

    `keep_calls=False` for long runs: calls are counted (`counts`) but not kept, of messages only the newest
    `keep_messages` of a channel keep their contents.
    """

    def __init__(
        self,
        *,
        keep_calls: bool = True,
        keep_messages: int | None = None,
        real_time: bool = False,
        ack_timeout: float = 3.0,
        retry_delays: Sequence[float] = (0.0, 60.0, 300.0),
        enterprise: str | None = None,
        org_install: bool = False,
        scopes: Sequence[str] | None = None,
        events: Sequence[str] | None = None,
        agent_view: bool = True,
        manifest: Mapping[str, Any] | None = None,
    ) -> None:
        self.world = World(keep_calls=keep_calls, keep_messages=keep_messages, real_time=real_time)
        world = self.world
        world.enterprise, world.org_install, world.agent_view = enterprise, org_install, agent_view
        world.scopes = frozenset(scopes) if scopes is not None else world.scopes
        world.events = frozenset(events) if events is not None else world.events
        if manifest is not None:
            self._install(manifest)
        self.faults = Faults()
        self.rates = Rates(world.clock.wall)
        self.courier = Courier(world)
        self.courier.retry_delays = tuple(retry_delays)
        self.hub = SocketHub(world)
        self.hub.ack_timeout = ack_timeout
        self.courier.transport = self.hub
        self.http: HttpHub | None = None
        world.send = self.courier.send
        world.socket_url = self.hub.new_url
        self._thread: threading.Thread | None = None
        self._server: uvicorn.Server | None = None
        self._ready = threading.Event()
        self.port = 0

    def _install(self, manifest: Mapping[str, Any]) -> None:
        """Scopes, events and tabs as the app's manifest asks for them."""
        home = manifest["features"].get("app_home", {})
        self.world.scopes = frozenset(manifest["oauth_config"]["scopes"]["bot"])
        self.world.events = frozenset(manifest["settings"]["event_subscriptions"]["bot_events"])
        self.world.agent_view = "agent_view" in manifest["features"]
        self.world.home_enabled = bool(home.get("home_tab_enabled"))
        self.world.messages_tab_enabled = bool(home.get("messages_tab_enabled"))

    # running
    def start(self) -> SlackServer:
        listener = sockets.socket()
        listener.setsockopt(sockets.SOL_SOCKET, sockets.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", 0))
        self.port = listener.getsockname()[1]
        self.world.http_url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._run, args=(listener,), name="slack-server", daemon=True)
        self._thread.start()
        if not self._ready.wait(10):
            raise AssertionError("the loopback Slack did not start")
        return self

    def _run(self, listener: sockets.socket) -> None:
        asyncio.run(self._main(listener))

    async def _main(self, listener: sockets.socket) -> None:
        from tests.slack_server.web import Web

        web = Web(self.world, self.faults, self.rates)
        config = uvicorn.Config(
            web.app,
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="critical",
            access_log=False,
            proxy_headers=False,
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self.courier.loop = asyncio.get_running_loop()
        await self.hub.start()
        serving = asyncio.create_task(self._server.serve(sockets=[listener]))
        while not self._server.started and not serving.done():  # noqa: ASYNC110 - uvicorn tells in no other way
            await asyncio.sleep(0.005)
        self._ready.set()
        await serving
        await self.courier.close()
        await self.hub.stop()
        listener.close()

    def close(self) -> None:
        if self._thread is None or self._server is None:
            return
        self._server.should_exit = True
        self._thread.join(15)
        if self.http is not None:
            self.http.close()
        self._thread = None

    def __enter__(self) -> SlackServer:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.close()

    # what a client needs
    @property
    def base_url(self) -> str:
        return f"{self.world.http_url}/api/"

    @property
    def bot_token(self) -> str:
        return self.world.bot_token

    @property
    def app_token(self) -> str:
        return self.world.app_token

    @property
    def signing_secret(self) -> str:
        return self.world.signing_secret

    @property
    def team(self) -> str:
        return self.world.team

    @property
    def bot_user(self) -> str:
        return self.world.bot_user

    @property
    def clock(self) -> FakeClock:
        return self.world.clock

    # the workspace
    def add_user(
        self,
        name: str,
        *,
        guest: bool = False,
        single_channel: bool = False,
        deleted: bool = False,
        bot: bool = False,
        team: str | None = None,
        enterprise: str | None = None,
        enterprise_user: str | None = None,
        id: str | None = None,
    ) -> str:
        """The new id. Single-channel guests are guests too."""
        with self.world.lock:
            made = User(id or self.world.new_id("U"), name, team or self.world.team)
            made.guest, made.single_channel = guest or single_channel, single_channel
            made.deleted, made.bot = deleted, bot
            made.enterprise, made.enterprise_user = enterprise, enterprise_user
            self.world.users[made.id] = made
            return made.id

    def user(self, user: str) -> User:
        """To be changed in place (deactivated, made a guest)."""
        return self.world.users[user]

    def add_channel(
        self,
        name: str,
        members: Sequence[str] = (),
        *,
        shared: bool = False,
        private: bool = False,
        bot: bool = True,
        id: str | None = None,
    ) -> str:
        with self.world.lock:
            people = {*members, *([self.world.bot_user] if bot else [])}
            kind: Literal["channel", "group"] = "group" if private else "channel"
            made = Channel(id or self.world.new_id("C"), name, kind, people, shared)
            self.world.channels[made.id] = made
            return made.id

    def channel(self, channel: str) -> Channel:
        """To be changed in place (members, archived, read_only)."""
        return self.world.channels[channel]

    def add_group(self, name: str, members: Sequence[str], *, disabled: bool = False, id: str | None = None) -> str:
        with self.world.lock:
            made = Group(id or self.world.new_id("S"), name, list(members), disabled)
            self.world.groups[made.id] = made
            return made.id

    def group(self, group: str) -> Group:
        return self.world.groups[group]

    def direct(self, user: str) -> str:
        with self.world.lock:
            return self.world.direct(user).id

    # what there is to see: copies, so that nothing changes under an assertion
    def messages(self, channel: str, thread_ts: str | None = None) -> list[Posted]:
        """All of a channel's messages, or of a thread with its root; oldest first."""
        with self.world.lock:
            place = self.world.channels[channel]
            found = list(place.messages.values()) if thread_ts is None else place.thread(thread_ts)
            from tests.slack_server.api.streams import expire

            for each in found:
                expire(self.world, each)
            return [each.copy() for each in found]

    def posted(self, channel: str, thread_ts: str | None = None) -> list[Posted]:
        """Only the bot's own messages."""
        return [each for each in self.messages(channel, thread_ts) if each.bot_id == self.world.bot_id]

    def message(self, channel: str, ts: str) -> Posted:
        with self.world.lock:
            return self.world.channels[channel].messages[ts].copy()

    @property
    def ephemerals(self) -> list[Posted]:
        with self.world.lock:
            return [each.copy() for each in self.world.ephemerals]

    @property
    def views(self) -> list[View]:
        """Open modals."""
        with self.world.lock:
            return [each.copy() for each in self.world.views.values()]

    @property
    def homes(self) -> dict[str, View]:
        with self.world.lock:
            return {user: each.copy() for user, each in self.world.homes.items()}

    @property
    def uploads(self) -> list[Upload]:
        with self.world.lock:
            return list(self.world.uploads.values())

    @property
    def calls(self) -> list[Call]:
        with self.world.lock:
            return list(self.world.calls)

    def called(self, method: str) -> list[Call]:
        return [each for each in self.calls if each.method == method]

    @property
    def counts(self) -> dict[str, int]:
        """Calls by method, refused ones too."""
        with self.world.lock:
            return dict(self.world.counts)

    @property
    def violations(self) -> list[Violation]:
        """Every breach of Slack's rules by the client. Tests assert that it is empty."""
        with self.world.lock:
            return list(self.world.violations)

    @property
    def user_errors(self) -> list[str]:
        with self.world.lock:
            return list(self.world.user_errors)

    @property
    def deliveries(self) -> list[Delivery]:
        with self.world.lock:
            return list(self.world.deliveries)

    @property
    def pending(self) -> int:
        return self.courier.pending

    def session(self, channel: str, thread_ts: str) -> dict[str, Any]:
        """status and title of an agent session."""
        with self.world.lock:
            return dict(self.world.sessions.get((channel, thread_ts), {}))

    def wait_for(self, predicate: Callable[[], T], timeout: float = 10) -> T:
        """The first truthy thing that it returns; AssertionError after `timeout` seconds."""
        end = time.monotonic() + timeout
        while True:
            found = predicate()
            if found:
                return found
            if time.monotonic() > end:
                raise AssertionError(f"not within {timeout} s; violations: {[str(each) for each in self.violations]}")
            time.sleep(0.01)

    def settle(self, timeout: float = 10) -> None:
        """Until everything that was delivered is acknowledged or given up."""
        self.wait_for(lambda: self.pending == 0, timeout)

    # what goes wrong
    def fail(
        self,
        method: str,
        times: int = 1,
        *,
        status: int | None = None,
        retry_after: float | None = None,
        error: str | None = None,
        drop: Literal["before", "after", "body"] | None = None,
        delay: float = 0.0,
        when: Callable[[dict[str, Any]], bool] | None = None,
    ) -> Fault:
        """The next `times` calls fail; without more said, by 429. `response_url`, `upload` and `*` are methods too."""
        if (status, error, drop) == (None, None, None) and not delay:
            status = 429
        return self.faults.add(Fault(method, times, status, retry_after, error, drop, delay, when))

    @property
    def connections(self) -> int:
        return len(self.hub.sockets)

    @property
    def connection_names(self) -> list[str]:
        return [each.name for each in list(self.hub.sockets)]

    def disconnect(
        self,
        kind: Literal["refresh", "abrupt", "reset", "too_many_websockets", "link_disabled"],
        *,
        warning_s: float = 0.05,
    ) -> None:
        """To every socket that is open now. `abrupt`: the stream just ends, without a closing frame; slack_sdk's
        own client notices that only when five of its pings have failed. `reset`: a TCP reset.
        """
        work: Callable[[], Coroutine[Any, Any, None]] = {
            "refresh": lambda: self.hub.refresh(warning_s),
            "abrupt": lambda: self.hub.abort(reset=False),
            "reset": lambda: self.hub.abort(reset=True),
        }.get(kind, lambda: self.hub.refuse(kind))
        assert self.courier.loop is not None
        run_in(self.courier.loop, work())

    @property
    def ack_timeout(self) -> float:
        return self.hub.ack_timeout

    @ack_timeout.setter
    def ack_timeout(self, seconds: float) -> None:
        self.hub.ack_timeout = seconds

    @property
    def retry_delays(self) -> tuple[float, ...]:
        return self.courier.retry_delays

    @retry_delays.setter
    def retry_delays(self, seconds: Sequence[float]) -> None:
        self.courier.retry_delays = tuple(seconds)

    # HTTP mode
    def deliver_to(self, url: str) -> None:
        """From here on everything goes to this request URL instead of the websockets."""
        self.http = HttpHub(self.world, url, lambda: self.hub.ack_timeout)
        self.courier.transport = self.http

    def post_raw(
        self,
        body: bytes,
        *,
        content_type: str = "application/json",
        timestamp: str | None = None,
        headers: Headers | None = None,
    ) -> Answer:
        """One signed request as it is given; `headers` replace Slack's own (an empty value takes one away)."""
        assert self.http is not None, "deliver_to first"
        full = {**self.http.headers(body, content_type, timestamp=timestamp), **(headers or {})}
        return self.http.post(body, {name: value for name, value in full.items() if value})
