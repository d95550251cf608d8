"""A coroutine run to its end from plain code, in an event loop of its own."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

__all__ = ["run_alone"]

T = TypeVar("T")


def run_alone(make: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """In this thread; in another where a loop runs in this one. What it raises comes out."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return _run(make)
    with ThreadPoolExecutor(max_workers=1) as elsewhere:
        return elsewhere.submit(contextvars.copy_context().run, _run, make).result()


def _run(make: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """As asyncio.run does, but without waiting for a name lookup that does not come back."""
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(make())
    finally:
        _finish(loop)
        loop.close()


def _finish(loop: asyncio.AbstractEventLoop) -> None:
    """Whatever an interrupt (Ctrl-C) has left running."""
    left = asyncio.all_tasks(loop)
    for task in left:
        task.cancel()
    if left:
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
    loop.run_until_complete(loop.shutdown_asyncgens())
