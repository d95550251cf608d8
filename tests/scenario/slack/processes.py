"""`frostline slack` as processes of their own, in a desk's workspace; what they log is kept beside the account."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests import account
from tests.scenario.slack.desk import Desk

__all__ = ["BotProcess", "running"]

_numbers = itertools.count(1)
_PATIENCE_S = 90.0
_WAITING_S = 15.0


class BotProcess:
    """Started at once; `connected` waits for its websocket."""

    def __init__(
        self,
        desk: Desk,
        *,
        module: str = "bots.cli.main",
        arguments: tuple[str, ...] = ("slack",),
        env: dict[str, str] | None = None,
    ) -> None:
        self._desk, self._before = desk, set(desk.slack.connection_names)
        self.log = desk.home / f"bot-{next(_numbers)}.log"
        quick = {"FROSTLINE_SLACK__REFRESH_S": "0.3", "FROSTLINE_SLACK__LEASE_S": "2"}
        whole = account.environment(desk.home, **desk.environment, **quick, **(env or {}))
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", module, *arguments], cwd=account.ROOT, env=whole, stdout=log, stderr=log
            )

    def connected(self) -> BotProcess:
        def look() -> bool:
            if self.process.poll() is not None:
                raise AssertionError(f"the bot ended:\n{self.words}")
            return bool(set(self._desk.slack.connection_names) - self._before)

        self._desk.slack.wait_for(look, _PATIENCE_S)
        return self

    @property
    def words(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def kill(self) -> None:
        """As a machine that loses its power; then until Slack has noticed."""
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait(_WAITING_S)

    def terminate(self) -> tuple[int, float]:
        """SIGTERM: the exit code, and the seconds it took."""
        began = time.monotonic()
        self.process.terminate()
        return self.process.wait(_PATIENCE_S), time.monotonic() - began

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(_WAITING_S)


@contextmanager
def running(
    desk: Desk,
    *,
    module: str = "bots.cli.main",
    arguments: tuple[str, ...] = ("slack",),
    env: dict[str, str] | None = None,
) -> Iterator[BotProcess]:
    """A connected process, which is gone afterwards."""
    bot = BotProcess(desk, module=module, arguments=arguments, env=env)
    try:
        yield bot.connected()
    finally:
        bot.end()
