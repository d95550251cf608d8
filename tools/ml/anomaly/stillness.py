"""One value over and over, in a stream that was never still for so long: a silence, a sensor that hangs.

Neither shows in distances: nothing at all is close to the least of what is usual, and a hanging sensor is close to
itself.
"""

from __future__ import annotations

__all__ = ["Stillness"]

_SECONDS = 3 * 3600.0
_LEAST = 12
_LONGER = 3
_LIVED = 300
"""Values before the run: what was always still says nothing."""


class Stillness:
    """The present run of equal values, and the longest one that ended."""

    def __init__(self, run: int = 0, longest: int = 0) -> None:
        self.run = run
        self.longest = longest

    def take(self, same: bool, seen: int, step: float) -> bool:
        """Whether this value makes the run remarkable: true once a run.

        A run is, from three hours and twelve values on, when it is three times as long as any before.

        Args:
            same: as the value before.
            seen: values before this one.
            step: seconds between values.
        """
        if same:
            self.run += 1
        else:
            self.longest = max(self.longest, self.run)
            self.run = 1
        least = max(round(_SECONDS / step), _LEAST, _LONGER * self.longest)
        return self.longest > 0 and self.run == least and seen + 1 - self.run >= _LIVED
