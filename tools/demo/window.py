"""How far back a table function of INFORMATION_SCHEMA looks, and what it says to whoever asks for more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tools.demo.arguments import time_of
from tools.demo.sqlerrors import SqlError

__all__ = ["FORTNIGHT", "HALF_YEAR", "WEEK", "Reach", "Window"]


@dataclass(frozen=True)
class Reach:
    span: timedelta
    said: str
    refused_after: timedelta
    """A range that begins this long ago, or longer, is an error."""


WEEK = Reach(timedelta(days=7), "7 days", timedelta(days=7))
FORTNIGHT = Reach(timedelta(days=14), "14 days", timedelta(days=14))
HALF_YEAR = Reach(timedelta(days=183), "6 months", timedelta(days=183))


@dataclass(frozen=True)
class Window:
    start: datetime
    end: datetime

    @classmethod
    def of(
        cls,
        given: Mapping[str, Any],
        names: tuple[str, str],
        reach: Reach,
        now: datetime,
        zone: str,
        default: timedelta | None = None,
        latest: datetime | None = None,
    ) -> Window:
        """The range that is asked for, cut to what the function still has.

        Args:
            names: of the arguments for its start and its end.
            default: how long before its end a range begins that has no start; None: as early as there is anything.
            latest: the end of a range that has none, if it is not now.

        Raises:
            SqlError: it begins too long ago (the text is Snowflake's, its number from memory), or is no time.
        """
        first, last = names
        end = time_of(given[last], zone, last) if given.get(last) is not None else (latest or now)
        oldest = now - reach.span
        if given.get(first) is None:
            return cls(oldest if default is None else max(end - default, oldest), end)
        start = time_of(given[first], zone, first)
        if start <= now - reach.refused_after:
            raise SqlError(
                2036, "22023", f"SQL compilation error:\nCannot retrieve data from more than {reach.said} ago"
            )
        return cls(max(start, oldest), end)
