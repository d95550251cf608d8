"""The bot, put together from a Runtime; `serve` connects it to Slack."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from slack_sdk import WebClient

from bots.scanning import ScanLoop
from bots.slack.answering import Answering
from bots.slack.api import SlackApi
from bots.slack.app import Listeners, build_app
from bots.slack.cards import CardDesk
from bots.slack.deciding import Interactions
from bots.slack.dispatcher import Dispatcher
from bots.slack.findings import FindingDesk
from bots.slack.parts import Parts
from bots.slack.people import GroupDirectory, People
from bots.slack.pool import Pool, guarded
from bots.slack.types import Me, Outbound
from bots.worker import Worker
from tools.errors import FrostlineError

if TYPE_CHECKING:
    from slack_bolt import App

    from agent.actions.recovery import RecoveryReport
    from agent.runtime import Runtime
    from agent.scan import ScanReport
    from agent.settings import SlackSettings

__all__ = ["SlackBot"]

_log = logging.getLogger("frostline.slack")
_RECOVER_S, _PRUNE_S = 60.0, 3600.0
_KEPT = timedelta(days=30)
_FINDINGS_KEPT = timedelta(days=365)
"""Beyond that: what was told is not told again as long as it is known."""
_LATE_S = 300.0
"""A question that waits so long means that something is wrong."""


class SlackBot:
    """`start`, then `stop`; in between Bolt's `app` may be fed by whoever listens (`serve`)."""

    def __init__(
        self,
        runtime: Runtime,
        settings: SlackSettings,
        *,
        api: Outbound | None = None,
        groups: GroupDirectory | None = None,
        scan_every: timedelta | None = None,
    ) -> None:
        """`groups`: the directory that the runtime was opened with, to be told what has changed; `scan_every`: how far
        apart it scans the account, and tells the channel for findings; None: not at all.

        Raises:
            BadSettings, ChannelRefused, Unreachable: no token, a token that Slack refuses, no Slack.
        """
        self.runtime, self.settings = runtime, settings
        self.connected: Callable[[], bool] = lambda: False
        """Whether events reach us; set by whoever listens."""
        outbound: Outbound = api or SlackApi.of(settings)
        me = outbound.me()
        by = f"{socket.gethostname()}:{os.getpid()}:{runtime.new_id()}"
        people = People(outbound, settings, lambda: runtime.policy, me)
        bare = Parts(runtime=runtime, settings=settings, api=outbound, people=people, me=me, by=by)
        self.parts = replace(bare, cards=CardDesk(bare))
        self._pool = Pool()
        self._dispatcher = Dispatcher(
            runtime.store.inbox,
            Answering(self.parts, wake=self.wake),
            by=by,
            workers=settings.workers,
            lease_s=settings.lease_s,
        )
        listeners = Listeners(self.parts, Interactions(self.parts), self._pool, wake=self.wake, groups=groups)
        secret = settings.signing_secret.get_secret_value() if settings.signing_secret else ""
        client = WebClient(base_url=settings.base_url, logger=_quiet("frostline.slack.sdk"), retry_handlers=[])
        self.app: App = build_app(listeners, self.parts, client, secret)
        self._stop = threading.Event()
        self._scan_every = scan_every
        self._chores = [
            threading.Thread(target=self._recover, name="frostline-recovery", daemon=True),
            threading.Thread(target=self._refresh, name="frostline-cards", daemon=True),
            threading.Thread(target=self._prune, name="frostline-pruning", daemon=True),
        ]
        if scan_every is not None:
            self._chores.append(threading.Thread(target=self._scan, name="frostline-scan", daemon=True))

    @property
    def me(self) -> Me:
        return self.parts.me

    def wake(self) -> None:
        """There may be something in the inbox."""
        self._dispatcher.wake()

    def start(self) -> None:
        """Work on what the inbox holds, keep cards true, recover what broke off."""
        self._dispatcher.start()
        for chore in self._chores:
            chore.start()

    def stop(self, grace_s: float = 20.0) -> None:
        """Finish what runs. What takes longer than that is told to people by whoever comes next."""
        self._stop.set()
        deadline = time.monotonic() + grace_s
        if not self._dispatcher.stop(grace_s):
            _log.warning("stopped in the middle of a question; people will be told")
        if not self._pool.stop(max(1.0, deadline - time.monotonic())):
            _log.warning("stopped in the middle of what somebody pressed; its card will say what became of it")
        for chore in self._chores:
            if chore.is_alive():
                chore.join(5.0)

    def health(self) -> dict[str, Any]:
        """`{status, mode, connected, waiting, oldest_seconds, claimed}`; status `ok` or what is wrong."""
        connected = self.connected()
        seen: dict[str, Any] = {"waiting": None, "oldest_seconds": None, "claimed": None}
        status = "ok" if connected else "disconnected"
        if not self._dispatcher.is_alive:
            status = "stopped"
        try:
            waiting = self.runtime.store.inbox.waiting()
        except FrostlineError:
            status = "no_store"
        else:
            now = self.runtime.clock.now()
            oldest = None if waiting.oldest is None else max(0.0, (now - waiting.oldest).total_seconds())
            seen = {"waiting": waiting.count, "oldest_seconds": oldest, "claimed": waiting.claimed}
            if status == "ok" and oldest is not None and oldest > _LATE_S:
                status = "late"
        return {"status": status, "mode": self.settings.mode, "connected": connected, **seen}

    # --- chores ----------------------------------------------------------------------------------------------------

    def _recover(self) -> None:
        def on_report(report: RecoveryReport) -> None:
            settled = report.as_json()
            if any(settled.values()):
                _log.info("recovered: %s", settled)
                guarded(self.parts.desk.refresh)

        def on_failure(error: Exception) -> None:
            _log.warning("recovery failed: %s: %s", type(error).__name__, getattr(error, "message", ""))

        worker = Worker(lambda: nullcontext(self.runtime), on_report=on_report, on_failure=on_failure)
        worker.run(self._stop, _RECOVER_S)

    def _refresh(self) -> None:
        while not self._stop.wait(self.settings.refresh_s):
            guarded(self.parts.desk.refresh)

    def _scan(self) -> None:
        """Under the lease of the store: of several bots one scans. What is found is kept before Slack is told."""
        pause = self._scan_every
        assert pause is not None
        desk = FindingDesk.of(self.runtime, self.parts.api, self.settings, self.parts.by)

        from agent import proactive  # what it needs is heavy, and most bots do not scan

        def scan(runtime: Runtime) -> ScanReport:
            report = proactive.scan(runtime)
            try:
                desk.publish()
            except FrostlineError as error:
                _log.warning("Slack was not told of all findings: %s", error.message)
            return report

        def on_failure(error: Exception, wait: float) -> None:
            _log.warning("a scan failed, next in %.0f s: %s: %s", wait, type(error).__name__, _words(error))

        loop = ScanLoop(lambda: nullcontext(self.runtime), scan=scan, on_failure=on_failure)
        loop.run(self._stop, pause.total_seconds())

    def _prune(self) -> None:
        while not self._stop.is_set():
            guarded(self._prune_once)
            self._stop.wait(_PRUNE_S)

    def _prune_once(self) -> None:
        before = self.runtime.clock.now() - _KEPT
        store = self.runtime.store
        for kept in (store.inbox, store.answers, store.cards, store.traces):
            kept.prune(before)
        store.finding_posts.prune(before - _FINDINGS_KEPT)
        store.findings.prune(before - _FINDINGS_KEPT)


def _words(error: Exception) -> str:
    return error.message if isinstance(error, FrostlineError) else ""


def _quiet(name: str) -> logging.Logger:
    logger = logging.getLogger(name)
    logger.setLevel(logging.CRITICAL)
    return logger
