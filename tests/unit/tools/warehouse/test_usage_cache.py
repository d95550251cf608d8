"""The result cache against an account that moves on, whose figures of young hours still change."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from tools.context import UsageQuery
from tools.warehouse.cache_file import CacheFile
from tools.warehouse.usage_cache import UsageCache

HOUR = timedelta(hours=1)
DAWN = datetime(2026, 11, 1, tzinfo=UTC)
LATE = {"metering": 6, "services": 12, "queries": 49, "attribution": 56}
"""Hours after its end until which an hour's figures may still change, by source."""


@dataclass
class Moving:
    """Each hour has two rows; until they are settled their values depend on when one asks."""

    now: datetime = DAWN
    asked: list[UsageQuery] = field(default_factory=list)

    def truth(self, query: UsageQuery) -> list[tuple[datetime, str, float]]:
        rows = []
        slot = timedelta(minutes=query.slot_minutes or 60)
        at = query.start
        while at < query.end:
            over = at + slot
            final = self.now - over >= LATE[query.source] * HOUR
            if over <= self.now and at.hour % 5:  # some hours have no rows
                seen = 1.0 if final else (self.now - at) / HOUR / 1000
                rows += [(at, key, seen * (at.hour + len(key))) for key in ("A", "BB")]
            at = over
        return rows

    def ask(self, query: UsageQuery) -> tuple[pa.Table, str]:
        self.asked.append(query)
        rows = self.truth(query)
        columns = {
            "KEY": pa.array([r[1] for r in rows], pa.string()),
            "SLOT": pa.array([r[0] for r in rows], pa.timestamp("us", "UTC")),
            "CREDITS_USED": pa.array([r[2] for r in rows], pa.float64()),
        }
        return pa.table(columns), f"id-{len(self.asked)}"


def rows_of(tables: Sequence[pa.Table]) -> list[tuple[Any, ...]]:
    return [
        tuple(row.values()) for table in tables for row in table.select(["SLOT", "KEY", "CREDITS_USED"]).to_pylist()
    ]


steps = st.tuples(
    st.integers(0, 30),  # hours that pass before it is asked
    st.sampled_from(sorted(LATE)),
    st.integers(-90, 3),  # start, from now
    st.integers(1, 60),
    st.sampled_from([30, 60, 120]),
)


@given(st.lists(steps, min_size=1, max_size=25))
def test_every_answer_is_what_the_account_says_now(asked: list[tuple[int, Any, int, int, int]]) -> None:
    account = Moving()
    with tempfile.TemporaryDirectory() as folder:
        cache = UsageCache(CacheFile(Path(folder) / "c.db", megabytes=5), lambda: "one")
        for hours, source, start, length, minutes in asked:
            account.now += hours * HOUR
            begin = account.now + (start - start % 2) * HOUR
            begin -= timedelta(hours=begin.hour % 2)
            query = UsageQuery(source, begin, begin + 2 * length * HOUR, by="warehouse", slot_minutes=minutes)
            before = len(account.asked)
            tables, _ = cache.tables(query, "SELECT", account.now, account.ask)
            assert rows_of(tables) == account.truth(query)
            assert len(account.asked) - before <= 1
        cache.close()


def test_an_hour_later_only_the_young_hours_are_asked(tmp_path: Path) -> None:
    account = Moving(now=DAWN + timedelta(days=40))
    cache = UsageCache(CacheFile(tmp_path / "c.db", megabytes=5), lambda: "one")
    for _ in range(60):
        account.now += HOUR
        month = UsageQuery("metering", account.now - timedelta(days=30), account.now, by="warehouse", slot_minutes=60)
        tables, _ = cache.tables(month, "SELECT", account.now, account.ask)
        assert len(rows_of(tables)) == len(account.truth(month))
        assert len(tables) < 40  # pieces are put together
    assert [(q.end - q.start) / HOUR for q in account.asked] == [720.0] + [7.0] * 59
    cache.close()
