"""A few threads for what people press: the ack has gone out, the work must not wait behind questions."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

from tools.errors import FrostlineError

__all__ = ["Pool", "failed", "guarded"]

_log = logging.getLogger("frostline.slack")


class Pool:
    """Runs and forgets; a failure is logged and ends nothing else."""

    def __init__(self, threads: int = 8) -> None:
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="frostline-click")

        self._running: set[Future[bool]] = set()

    def submit(self, work: Callable[..., Any], *arguments: Any) -> None:
        running = self._executor.submit(guarded, work, *arguments)
        self._running.add(running)
        running.add_done_callback(self._running.discard)

    def stop(self, grace_s: float) -> bool:
        """What has begun is finished, what waits is given up; False where something runs after the time of grace."""
        self._executor.shutdown(wait=False, cancel_futures=True)
        return not wait(list(self._running), timeout=grace_s).not_done


def guarded(work: Callable[..., Any], *arguments: Any) -> bool:
    """Whether it went well; a failure is logged and comes no further."""
    name = getattr(work, "__qualname__", "work")
    try:
        work(*arguments)
    except FrostlineError as error:
        _log.warning("%s: %s", name, error.message)
    except Exception:  # noqa: BLE001 - an edge: one press, or one round, that fails must not take its thread along
        failed(name)
    else:
        return True
    return False


def failed(what: str) -> str:
    """Log the exception being handled under a short id, which people are told."""
    name = uuid.uuid4().hex[:8]
    _log.exception("%s failed (%s)", what, name)
    return name
