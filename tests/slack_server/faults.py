"""What goes wrong on purpose: scripted refusals and lost answers, and Slack's rate limits when they are switched on."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.slack_server.limits import POST_BURST, POST_PER_SECOND, TIERS


@dataclass
class Fault:
    method: str
    """`*` for all of them."""
    times: int
    status: int | None = None
    retry_after: float | None = None
    error: str | None = None
    drop: Literal["before", "after", "body"] | None = None
    """before/after: the connection closes without an answer, before or after the call took effect; body: after the
    status line and headers of a 200."""
    delay: float = 0.0
    when: Callable[[dict[str, Any]], bool] | None = None
    hits: int = 0


class Faults:
    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> Fault:
        self._faults.append(fault)
        return fault

    def clear(self) -> None:
        self._faults.clear()

    def take(self, method: str, args: dict[str, Any]) -> Fault | None:
        for fault in self._faults:
            if fault.method in (method, "*") and fault.hits < fault.times and (not fault.when or fault.when(args)):
                fault.hits += 1
                return fault
        return None


@dataclass
class _Bucket:
    left: float
    at: float


@dataclass
class Rates:
    """Token buckets by method (and by channel for chat.postMessage); off unless `on`."""

    now: Callable[[], float]
    on: bool = False
    _buckets: dict[tuple[str, str], _Bucket] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def take(self, method: str, tier: str, channel: str) -> int | None:
        """Seconds after which to try again, or None."""
        if not self.on or tier == "S":
            return None
        if tier == "post":
            size, refill, key = float(POST_BURST), POST_PER_SECOND, (method, channel)
        else:
            size, refill, key = float(TIERS[tier]), TIERS[tier] / 60, (method, "")
        now = self.now()
        bucket = self._buckets.setdefault(key, _Bucket(size, now))
        bucket.left = min(size, bucket.left + (now - bucket.at) * refill)
        bucket.at = now
        if bucket.left >= 1:
            bucket.left -= 1
            return None
        self.refused[method] += 1
        return max(1, math.ceil((1 - bucket.left) / refill))
