"""How rare a value is among the last ones: ranks inside, a fitted tail beyond.

`Tail` answers -log10 P(next >= x) from a sliding window. Below the 95th percentile that is the rank (a conformal
p-value); above it the exceedances are taken as a Pareto tail whose index is Hill's estimate (Hill 1975), so that
"twice the largest ever" counts for more than "just the largest" and a heavy tail is forgiven its own extremes.
Only ratios enter: multiplying every value by a positive constant changes nothing.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterable
from itertools import islice
from math import log, log10

__all__ = ["Tail", "Window"]

_TAIL_SHARE = 0.05
_LEAST_INDEX = 0.1
_LEAST_SEEN = 100
_LN10 = log(10.0)


class Window:
    """The last `size` values in the order they came and in the order of size."""

    def __init__(self, size: int, values: Iterable[float] = ()) -> None:
        self.size = size
        self.queue: deque[float] = deque(values)
        self.sorted: list[float] = sorted(self.queue)

    def push(self, value: float) -> None:
        if len(self.queue) == self.size:
            old = self.queue.popleft()
            del self.sorted[bisect_left(self.sorted, old)]
        self.queue.append(value)
        insort(self.sorted, value)

    def quantile(self, share: float) -> float:
        """Linear between the order statistics, as numpy's default; the window must hold a value."""
        place = share * (len(self.sorted) - 1)
        low = int(place)
        high = min(low + 1, len(self.sorted) - 1)
        return self.sorted[low] + (place - low) * (self.sorted[high] - self.sorted[low])


class Tail(Window):
    """A window of a statistic that is zero or more; large means odd."""

    def take(self, value: float) -> float:
        """-log10 of the probability of a value at least this large, then remember it; 0 until 100 were seen."""
        answer = self._surprise(value) if len(self.sorted) >= _LEAST_SEEN and value > 0 else 0.0
        self.push(value)
        return answer

    def _surprise(self, value: float) -> float:
        count = len(self.sorted)
        above = max(int(_TAIL_SHARE * count), 3)
        edge = self.sorted[count - above - 1]
        if value <= edge or edge <= 0:
            return -log10((count - bisect_left(self.sorted, value) + 1) / (count + 1))
        log_edge = log(edge)
        index = sum(map(log, islice(self.sorted, count - above, count))) / above - log_edge
        return -log10((above + 1) / (count + 1)) + (log(value) - log_edge) / max(index, _LEAST_INDEX) / _LN10
