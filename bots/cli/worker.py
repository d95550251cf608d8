"""`frostline worker`: every minute, settle what a crash left behind and expire old plans."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import TYPE_CHECKING

from bots.cli.opening import opened
from bots.cli.output import Output
from bots.worker import Worker

if TYPE_CHECKING:
    from agent.actions.recovery import RecoveryReport

__all__ = ["run_worker"]


def run_worker(out: Output, profile: str | None, once: bool, every: int) -> None:
    stop = threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    def settled(report: RecoveryReport) -> None:
        moved = report.as_json()
        if out.as_json:
            out.json(moved)
        elif any(moved.values()):
            out.say("; ".join(f"{state}: {', '.join(ids)}" for state, ids in moved.items() if ids))

    def failed(error: Exception) -> None:
        out.note(f"This round failed: {type(error).__name__}: {getattr(error, 'message', '')}")

    # Opened anew each round: the embedded account's server may have moved meanwhile.
    worker = Worker(lambda: opened(out, profile, attended=False), on_report=settled, on_failure=failed)
    with out.edge():
        signal.signal(signal.SIGTERM, end)
        signal.signal(signal.SIGINT, end)
        if once:
            settled(worker.round())
        else:
            worker.run(stop, every)
