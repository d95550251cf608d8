"""A lease that is kept while the work goes on: renewed by a thread of its own, until it is lost or given back."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from agent.scan.context import LeaseBook
from tools.errors import FrostlineError

__all__ = ["held"]


@contextmanager
def held(leases: LeaseBook, name: str, holder: str, lease: timedelta) -> Iterator[bool]:
    """Whether the lease was had. While the block runs it is renewed three times in its length.

    A store that does not answer in time loses it; what is written under it is checked by the store again.

    Raises:
        Unreachable: the store does not answer at the beginning.
    """
    if not leases.take(name, holder, lease):
        yield False
        return
    done = threading.Event()

    def renew() -> None:
        while not done.wait(lease.total_seconds() / 3):
            with contextlib.suppress(FrostlineError):  # the next round may reach it
                if not leases.renew(name, holder, lease):
                    return

    keeper = threading.Thread(target=renew, name="frostline-scan-lease", daemon=True)
    keeper.start()
    try:
        yield True
    finally:
        done.set()
        keeper.join()
        with contextlib.suppress(FrostlineError):  # it lapses by itself
            leases.release(name, holder)
