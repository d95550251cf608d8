"""The scan's own loop: scan, tell, wait; a round that fails is reported, and the next one waits longer.

Shared by `frostline scan --every` and the Slack bot.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.runtime import Runtime
    from agent.scan import ScanReport

__all__ = ["LONGEST_PAUSE_S", "ScanLoop"]

LONGEST_PAUSE_S = 1800.0


class ScanLoop:
    """Safe to run in any number of processes at once: the scan's lease decides who works."""

    def __init__(
        self,
        opened: Callable[[], AbstractContextManager[Runtime]],
        *,
        scan: Callable[[Runtime], ScanReport],
        on_failure: Callable[[Exception, float], None],
    ) -> None:
        """
        Args:
            opened: gives the runtime of one round; `contextlib.nullcontext(runtime)` where one stays open.
            scan: one scan, and telling of it.
            on_failure: what went wrong, and after how many seconds it is tried again.
        """
        self._opened = opened
        self._scan = scan
        self._on_failure = on_failure

    def round(self) -> ScanReport:
        """One round.

        Raises:
            FrostlineError: the account, the store or the settings cannot be used.
        """
        with self._opened() as runtime:
            return self._scan(runtime)

    def run(self, stop: threading.Event, every: float) -> None:
        """Rounds, `every` seconds apart, until `stop` is set. Never raises; after failures the pause doubles, up to
        half an hour (or `every`, where that is longer).
        """
        failures = 0
        while not stop.is_set():
            pause = every
            try:
                self.round()
                failures = 0
            except Exception as error:  # noqa: BLE001 - an edge: whatever it was, the next round may do better
                failures += 1
                pause = min(every * 2 ** min(failures, 12), max(LONGEST_PAUSE_S, every))
                self._on_failure(error, pause)
            stop.wait(pause)
