"""The calendar of an account whose country nobody has named."""

from __future__ import annotations

from datetime import date

import pytest

from tests.doubles.account import NOW, account
from tools.history.calendars import calendar_for, country_of
from tools.preferences import Preferences


@pytest.mark.parametrize(
    ("timezone", "country"),
    [("America/Los_Angeles", "US"), ("Europe/Berlin", "DE"), ("UTC", None), ("Etc/GMT+3", None)],
)
def test_a_zone_lies_in_a_country(timezone: str, country: str | None) -> None:
    assert country_of(timezone) == country


def test_holidays_are_those_of_the_country_the_account_lies_in_unless_another_is_named() -> None:
    here = calendar_for(account("America/Los_Angeles"), Preferences(), NOW)
    assert date(NOW.year, 7, 4) in here.holidays
    named = calendar_for(account("America/Los_Angeles"), Preferences(country="DE"), NOW)
    assert date(NOW.year, 7, 4) not in named.holidays
    assert not calendar_for(account("UTC"), Preferences(), NOW).holidays
