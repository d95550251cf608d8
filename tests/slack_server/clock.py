"""The server's time: ages pass only when a test says so, unless it runs in real time."""

from __future__ import annotations

import time
from datetime import timedelta


class FakeClock:
    """`now`: what ages (of streams, triggers, response urls) are counted in; `wall`: what stamps are made of."""

    def __init__(self, *, real: bool = False) -> None:
        self._real = real
        self._start = time.time()
        self._ahead = 0.0

    def now(self) -> float:
        return (time.time() if self._real else self._start) + self._ahead

    def wall(self) -> float:
        return time.time() + self._ahead

    def advance(self, by: float | timedelta) -> None:
        """Seconds, or a timedelta."""
        self._ahead += by.total_seconds() if isinstance(by, timedelta) else by

    def run(self) -> None:
        """From here on ages pass by themselves too."""
        if not self._real:
            self._ahead -= time.time() - self._start
            self._real = True
