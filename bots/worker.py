"""The background worker: round after round of recovery (agent.actions.recovery), until it is told to stop.

Shared by `frostline worker`, which opens a runtime anew for every round, and the Slack bot, which has one open.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.actions.recovery import RecoveryReport
    from agent.runtime import Runtime

__all__ = ["Worker"]


class Worker:
    """Safe to run in any number of threads and processes at once: the store decides who moves what."""

    def __init__(
        self,
        opened: Callable[[], AbstractContextManager[Runtime]],
        *,
        on_report: Callable[[RecoveryReport], None],
        on_failure: Callable[[Exception], None],
    ) -> None:
        """`opened` gives the runtime of one round; `contextlib.nullcontext(runtime)` where one stays open."""
        self._opened = opened
        self._on_report = on_report
        self._on_failure = on_failure

    def round(self) -> RecoveryReport:
        """One round: what a crash left behind is settled, what is past its time expires.

        Raises:
            FrostlineError: the account, the store or the settings cannot be used.
        """
        from agent.store.traces import KEPT

        with self._opened() as runtime:
            runtime.store.traces.prune(runtime.clock.now() - KEPT)
            return runtime.runner.recover()

    def run(self, stop: threading.Event, every: float) -> None:
        """Rounds, `every` seconds apart, until `stop` is set. Never raises: a round that failed is reported."""
        while not stop.is_set():
            self._try_round()
            stop.wait(every)

    def _try_round(self) -> None:
        try:
            self._on_report(self.round())
        except Exception as error:  # noqa: BLE001 - the account or the store may be back for the next round
            self._on_failure(error)
