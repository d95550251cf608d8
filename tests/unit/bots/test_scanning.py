"""The scan's loop: it goes on whatever happens, waits longer after failures, and ends when it is told to."""

from __future__ import annotations

import threading
from contextlib import nullcontext
from typing import Any

import pytest

from bots.scanning import LONGEST_PAUSE_S, ScanLoop
from tools.errors import Unreachable


class Stop(threading.Event):
    """Waits in no time, and remembers how long it should have; set after so many rounds."""

    def __init__(self, rounds: int) -> None:
        super().__init__()
        self.waited: list[float] = []
        self._rounds = rounds

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        self.waited.append(timeout)
        if len(self.waited) >= self._rounds:
            self.set()
        return self.is_set()


def run(outcomes: list[Exception | None], every: float) -> tuple[list[float], list[tuple[str, float]]]:
    """Rounds that end so; what was waited after each, and what was told of failures."""
    told: list[tuple[str, float]] = []
    left = iter(outcomes)

    def scan(runtime: Any) -> Any:
        outcome = next(left)
        if outcome is not None:
            raise outcome

    stop = Stop(len(outcomes))
    loop = ScanLoop(
        lambda: nullcontext(None),  # type: ignore[arg-type,return-value]
        scan=scan,
        on_failure=lambda error, pause: told.append((type(error).__name__, pause)),
    )
    loop.run(stop, every)
    return stop.waited, told


def test_failures_are_told_and_double_the_pause_until_a_round_succeeds() -> None:
    waited, told = run([None, Unreachable("gone"), ValueError("a bug"), None, Unreachable("gone")], 120.0)
    assert waited == [120.0, 240.0, 480.0, 120.0, 240.0]
    assert told == [("Unreachable", 240.0), ("ValueError", 480.0), ("Unreachable", 240.0)]


@pytest.mark.parametrize(("every", "longest"), [(2.0, LONGEST_PAUSE_S), (7200.0, 7200.0)])
def test_the_pause_has_an_end(every: float, longest: float) -> None:
    waited, _ = run([Unreachable("gone")] * 30, every)
    assert max(waited) == longest


def test_an_account_that_cannot_be_opened_is_a_round_that_failed() -> None:
    told: list[str] = []

    def opened() -> Any:
        raise Unreachable("no account")

    stop = Stop(2)
    ScanLoop(opened, scan=lambda runtime: None, on_failure=lambda e, _: told.append(str(e))).run(stop, 1.0)  # type: ignore[arg-type,return-value]
    assert told == ["no account"] * 2


def test_told_to_stop_before_it_begins_it_does_nothing() -> None:
    stop = Stop(1)
    stop.set()
    ScanLoop(lambda: nullcontext(None), scan=lambda r: 1 / 0, on_failure=lambda e, p: None).run(stop, 1.0)  # type: ignore[arg-type,return-value]
    assert stop.waited == []
