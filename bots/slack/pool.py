"""A few threads for what people press: the ack has gone out, the work must not wait behind questions."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tools.errors import FrostlineError

__all__ = ["Pool", "failed"]

_log = logging.getLogger("frostline.slack")


class Pool:
    """Runs and forgets; a failure is logged and ends nothing else."""

    def __init__(self, threads: int = 4) -> None:
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="frostline-click")

    def submit(self, work: Callable[..., Any], *arguments: Any) -> None:
        self._executor.submit(_run, work, arguments)

    def stop(self) -> None:
        """What has begun is finished; what waits is given up."""
        self._executor.shutdown(wait=True, cancel_futures=True)


def _run(work: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    try:
        work(*arguments)
    except FrostlineError as error:
        _log.warning("%s: %s", getattr(work, "__name__", "work"), error.message)
    except Exception:  # noqa: BLE001 - an edge: one press that fails must not take the pool along
        failed(getattr(work, "__name__", "work"))


def failed(what: str) -> str:
    """Log the exception being handled under a short id, which people are told."""
    name = uuid.uuid4().hex[:8]
    _log.exception("%s failed (%s)", what, name)
    return name
