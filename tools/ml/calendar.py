"""The people's calendar behind UTC stamps: local hours and days, weekends, month ends, holidays.

A series is stamped in UTC; habits follow the clock on the wall. `Calendar` turns one into the other. Everything here is
a function of its arguments: no clock is read, and the holidays of a country come from the `holidays` package's rules.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pandas as pd

from tools.errors import BadArgument

__all__ = ["MONTH_EDGE_DAYS", "Calendar", "calendar_of"]

MONTH_EDGE_DAYS = 3
"""How many days on either side of a month's end are told apart by `month_edge`."""

_FRIDAY = 4

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Calendar:
    """Local time, holidays and whether the end of a month matters.

    Stamps given to the methods are UTC where they are naive; the answers have one element a stamp.

    Raises:
        BadArgument: `timezone` is not a name of the IANA database.
    """

    timezone: str = "UTC"
    holidays: frozenset[date] = field(default_factory=frozenset)
    month_end: bool = True

    def __post_init__(self) -> None:
        try:
            ZoneInfo(self.timezone)
        except (KeyError, ValueError, OSError):
            raise BadArgument(
                f"{self.timezone[:60]!r} is not a time zone.", hint="Use an IANA name, such as Europe/Berlin."
            ) from None

    def local(self, stamps: pd.DatetimeIndex) -> pd.DatetimeIndex:
        """The clock on the wall, naive. Spring's lost hour is missing from it, autumn's stands twice."""
        aware = stamps.tz_localize("UTC") if stamps.tz is None else stamps
        return aware.tz_convert(self.timezone).tz_localize(None)

    def hour(self, stamps: pd.DatetimeIndex) -> Ints:
        """0 to 23, local."""
        return self.local(stamps).hour.to_numpy(dtype=np.int64)

    def weekday(self, stamps: pd.DatetimeIndex) -> Ints:
        """0 (Monday) to 6, local."""
        return self.local(stamps).day_of_week.to_numpy(dtype=np.int64)

    def weekend(self, stamps: pd.DatetimeIndex) -> Bools:
        return self.weekday(stamps) >= 5

    def holiday(self, stamps: pd.DatetimeIndex) -> Bools:
        """Whether the local day is a holiday."""
        return self.is_holiday(self.local(stamps))

    def month_edge(self, stamps: pd.DatetimeIndex) -> Ints:
        """The local day's place at the turn of the month; see `edge_of_month`. All 0 where `month_end` is off."""
        return self.edge_of_month(self.local(stamps))

    def is_holiday(self, local: pd.DatetimeIndex) -> Bools:
        """The same for stamps that are local and naive already."""
        if not self.holidays:
            return np.zeros(len(local), dtype=bool)
        days = pd.DatetimeIndex([pd.Timestamp(day) for day in sorted(self.holidays)])
        return np.asarray(local.normalize().isin(days), dtype=bool)

    def edge_of_month(self, local: pd.DatetimeIndex) -> Ints:
        """For local, naive stamps: -3, -2, -1 on the last days of a month, 1, 2, 3 on the first, 0 between."""
        if not self.month_end:
            return np.zeros(len(local), dtype=np.int64)
        day = local.day.to_numpy(dtype=np.int64)
        left = local.days_in_month.to_numpy(dtype=np.int64) - day
        edge = np.where(day <= MONTH_EDGE_DAYS, day, 0)
        return np.where(left < MONTH_EDGE_DAYS, -(left + 1), edge).astype(np.int64)


def calendar_of(timezone: str, country: str | None = None, years: Iterable[int] = ()) -> Calendar:
    """A calendar with a country's public holidays of the given years; in the US, also the day after Thanksgiving.

    That Friday is no federal holiday, but a holiday of many states and of most offices (California and Texas list it).

    Args:
        timezone: IANA name.
        country: ISO 3166 code, such as US or DE; None means no holidays.
        years: years whose holidays are wanted.

    Raises:
        BadArgument: no such zone; a country that the `holidays` package does not know.
    """
    if country is None:
        return Calendar(timezone)
    import holidays  # heavy, and only needed where a country is named

    try:
        found = holidays.country_holidays(country.upper(), years=sorted(set(years)))
    except NotImplementedError:
        raise BadArgument(f"No holidays are known for the country {country[:20]!r}.", hint="Use an ISO code.") from None
    days = frozenset(found.keys())
    return Calendar(timezone, days | _days_after_thanksgiving(years) if country.upper() == "US" else days)


def _days_after_thanksgiving(years: Iterable[int]) -> frozenset[date]:
    """The day after November's fourth Thursday, which is the 23rd to the 29th."""
    return frozenset(
        date(year, 11, day) for year in years for day in range(23, 30) if date(year, 11, day).weekday() == _FRIDAY
    )
