"""The account's calendar: its time zone, and the holidays of the country in the settings or of the one it lies in."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from tools.context import UsageReader
from tools.errors import BadArgument
from tools.preferences import Preferences

if TYPE_CHECKING:
    from tools.ml.calendar import Calendar

__all__ = ["calendar_for", "country_of"]


def calendar_for(reader: UsageReader, preferences: Preferences, until: datetime) -> Calendar:
    """Local time of the account; holidays of the year before `until` up to the year after it.

    Raises:
        BadArgument: the country in the settings has no known holidays.
    """
    from tools.ml.calendar import calendar_of

    years = range(until.year - 1, until.year + 2)
    timezone = reader.account().timezone
    if preferences.country is not None:
        return calendar_of(timezone, preferences.country, years)
    try:
        return calendar_of(timezone, country_of(timezone), years)
    except BadArgument:
        return calendar_of(timezone)  # a country whose holidays nobody has written down


@cache
def country_of(timezone: str) -> str | None:
    """ISO 3166 code of the country that the IANA zone lies in; None for UTC and other zones of no country."""
    table = resources.files("tzdata.zoneinfo").joinpath("zone.tab").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in table.splitlines() if line and not line.startswith("#"))
    return next((row[0] for row in rows if row[2] == timezone), None)
