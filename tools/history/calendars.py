"""The account's calendar with the holidays of the country in the settings."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from tools.context import UsageReader
from tools.preferences import Preferences

if TYPE_CHECKING:
    from tools.ml.calendar import Calendar

__all__ = ["calendar_for"]


def calendar_for(reader: UsageReader, preferences: Preferences, until: datetime) -> Calendar:
    """Local time of the account; holidays of the year before `until` up to the year after it.

    Raises:
        BadArgument: the country in the settings has no known holidays.
    """
    from tools.ml.calendar import calendar_of

    years = range(until.year - 1, until.year + 2)
    return calendar_of(reader.account().timezone, preferences.country, years)
