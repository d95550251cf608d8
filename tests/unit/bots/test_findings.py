"""Until when a finding is quiet, as it is typed."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from bots.cli.findings import _until


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("2026-12-01", datetime(2026, 12, 1, 8, tzinfo=UTC)),
        ("2026-07-01T09:00", datetime(2026, 7, 1, 16, tzinfo=UTC)),
        ("2026-12-01T09:00+00:00", datetime(2026, 12, 1, 9, tzinfo=UTC)),
    ],
)
def test_a_time_without_an_offset_is_the_accounts_own(typed: str, meant: datetime) -> None:
    runtime: Any = SimpleNamespace(account=SimpleNamespace(timezone="America/Los_Angeles"))
    assert _until(runtime, typed, None) == meant
