"""`frostline worker`: every minute, settle what a crash left behind and expire old plans."""

from __future__ import annotations

import signal
import threading
from types import FrameType

from bots.cli.opening import opened
from bots.cli.output import Output

__all__ = ["run_worker"]


def run_worker(out: Output, profile: str | None, once: bool, every: int) -> None:
    stop = threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    with out.edge():
        signal.signal(signal.SIGTERM, end)
        signal.signal(signal.SIGINT, end)
        while not stop.is_set():
            try:
                # Opened anew each round: the embedded account's server may have moved meanwhile.
                with opened(out, profile) as runtime:
                    report = runtime.runner.recover()
            except Exception as error:
                if once:
                    raise
                # One bad round (the account or the store is away) must not end the worker: the next may do.
                out.note(f"This round failed: {type(error).__name__}: {getattr(error, 'message', '')}")
            else:
                settled = report.as_json()
                if out.as_json:
                    out.json(settled)
                elif any(settled.values()):
                    out.say("; ".join(f"{state}: {', '.join(ids)}" for state, ids in settled.items() if ids))
            if once:
                return
            stop.wait(every)
