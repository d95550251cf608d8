"""The result cache: fewer statements at the server, the same answers, and nothing that was not settled."""

from __future__ import annotations

import gzip
import json
import os
import stat
import threading
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.tiny_account import ACCOUNT, NOW, ODD, Tiny, tiny_account
from tools.context import UsageQuery
from tools.errors import FrostlineError, NoPermission
from tools.warehouse.cache_file import CacheFile
from tools.warehouse.config import ConnectionConfig
from tools.warehouse.reader import SnowflakeReader
from tools.warehouse.usage_cache import UsageCache

HOUR = timedelta(hours=1)
FIRST = datetime(2026, 10, 30, tzinfo=UTC)


class Counting(ThreadingHTTPServer):
    """Passes everything on to the account's server and keeps the statements that read usage."""

    daemon_threads = True

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", 0), Passing)
        self.to = port
        self.statements: list[str] = []


class Passing(BaseHTTPRequestHandler):
    server: Counting

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if "query-request" in self.path:
            text = json.loads(gzip.decompress(body))["sqlText"]
            if "ACCOUNT_USAGE" in text and "NEWEST_END" not in text:  # coverage is no figure
                self.server.statements.append(text)
        asked = urllib.request.Request(
            f"http://127.0.0.1:{self.server.to}{self.path}", body, dict(self.headers.items()), method="POST"
        )
        with urllib.request.urlopen(asked) as answer:
            content = answer.read()
            self.send_response(answer.status)
            for name in ("Content-Type", "Content-Encoding"):
                if answer.headers.get(name):
                    self.send_header(name, answer.headers[name])
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tiny]:
    with tiny_account(tmp_path_factory.mktemp("tiny-account")) as made:
        yield made


@pytest.fixture(scope="module")
def server(tiny: Tiny) -> Iterator[Counting]:
    made = Counting(tiny.endpoint.port)
    threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


Open = Callable[..., SnowflakeReader]


@pytest.fixture
def opened(tiny: Tiny, server: Counting, tmp_path: Path) -> Iterator[Open]:
    """Readers whose statements are counted; `at` is account time."""
    made: list[SnowflakeReader] = []
    server.statements.clear()
    config = ConnectionConfig.of(
        **{name: getattr(tiny.reader_config, name) for name in ConnectionConfig.model_fields}
        | {"port": server.server_address[1]}
    )

    def open_reader(
        *, at: datetime = NOW, scope: str = "tiny#1", cached: bool = True, megabytes: int = 5, **more: Any
    ) -> SnowflakeReader:
        cache = UsageCache(CacheFile(tmp_path / "cache.db", megabytes=megabytes), lambda: scope) if cached else None
        reader = At(config, ACCOUNT, cache=cache, **more)
        reader.at = at
        made.append(reader)
        return reader

    yield open_reader
    for reader in made:
        reader.close()


class At(SnowflakeReader):
    """A reader whose account has moved on to another time; what it holds stays."""

    at: datetime

    def now(self) -> datetime:
        return self.at if self._override is None else super().now()


def hours(first: int, last: int, **values: Any) -> UsageQuery:
    return UsageQuery("metering", FIRST + first * HOUR, FIRST + last * HOUR, **values)


def same(found: pd.DataFrame, wanted: pd.DataFrame) -> None:
    # The server sums floats in threads: the last bits of two equal questions differ.
    pd.testing.assert_frame_equal(found, wanted, rtol=1e-12)


def test_a_settled_window_is_asked_once_by_whoever_asks(opened: Open, server: Counting) -> None:
    query = hours(0, 24, by="warehouse")
    first = opened().usage(query)
    again = opened().usage(query)
    assert len(server.statements) == 1
    same(again.frame, first.frame)
    assert again.query_id == first.query_id
    same(opened(cached=False).usage(query).frame, first.frame)


def test_by_hour_only_what_is_new_is_asked(opened: Open, server: Counting) -> None:
    query = hours(0, 30, by="warehouse", slot_minutes=60)
    opened().usage(query)
    later = hours(6, 33, by="warehouse", slot_minutes=60)
    found = opened(at=NOW + 3 * HOUR).usage(later)
    assert len(server.statements) == 2
    same(found.frame, opened(cached=False).usage(later).frame)
    server.statements.clear()
    inside = hours(7, 29, by="warehouse", slot_minutes=60)
    same(opened().usage(inside).frame, opened(cached=False).usage(inside).frame)
    assert len(server.statements) == 1  # the one without the cache


def test_hours_that_are_not_settled_are_asked_each_time(opened: Open, server: Counting) -> None:
    end = (NOW - FIRST) // HOUR
    for query in (hours(0, end), hours(0, end - 5, by="warehouse")):
        opened().usage(query)
        opened().usage(query)
    assert len(server.statements) == 4
    server.statements.clear()
    by_hour = hours(0, end, slot_minutes=60)
    opened().usage(by_hour)
    opened().usage(by_hour)
    assert len(server.statements) == 2


@pytest.mark.parametrize(
    "other",
    [
        {"by": "total"},
        {"filters": {"warehouse": ("ETL",)}},
        {"filters": {"warehouse": (ODD,)}},
        {"limit": 1, "order_by": "credits_used"},
        {"slot_minutes": 120},
    ],
    ids=str,
)
def test_another_question_is_another_answer(opened: Open, server: Counting, other: dict[str, Any]) -> None:
    opened().usage(hours(0, 24, by="warehouse"))
    query = hours(0, 24, **{"by": "warehouse"} | other)
    same(opened().usage(query).frame, opened(cached=False).usage(query).frame)
    assert len(server.statements) == 3


def test_another_scope_knows_nothing_and_the_old_one_is_gone(opened: Open, server: Counting) -> None:
    for scope in ("tiny#1", "tiny#2", "tiny#1"):
        opened(scope=scope).usage(hours(0, 24))
    assert len(server.statements) == 3


def test_a_role_that_may_no_longer_read_gets_nothing_that_is_kept(
    opened: Open, server: Counting, tiny: Tiny, tmp_path: Path
) -> None:
    """Under the same scope, which another role never has: as if its grants were taken away."""
    opened().usage(hours(0, 24))
    cache = UsageCache(CacheFile(tmp_path / "cache.db", megabytes=5), lambda: "tiny#1")
    bare = SnowflakeReader(tiny.writer_config, ACCOUNT, cache=cache)
    try:
        with pytest.raises(NoPermission):
            bare.usage(hours(0, 24))
    finally:
        bare.close()


def test_the_past_is_neither_kept_nor_served(opened: Open, server: Counting) -> None:
    query = hours(0, 24)
    opened().usage(query)
    past = opened(now_override=FIRST + 12 * HOUR)
    assert past.usage(query).frame["credits_used"].iloc[0] == pytest.approx(9 * 4 * 1.5)
    assert opened().usage(query).frame["credits_used"].iloc[0] == pytest.approx(24 * 4 * 1.5)
    assert len(server.statements) == 2


def test_the_file_is_private_and_bounded(opened: Open, tmp_path: Path) -> None:
    reader = opened(megabytes=1)
    for first in range(24):
        for minutes in (15, 30, 60):
            reader.usage(hours(first, 24 + first % 3, by="warehouse", slot_minutes=minutes))
    content = b"x" * 300_000
    file = CacheFile(tmp_path / "cache.db", megabytes=1)
    import pyarrow as pa

    from tools.warehouse.cache_file import Piece

    for number in range(20):
        table = pa.table({"SLOT": [number], "BIG": [os.urandom(1) + content]})
        file.put("tiny#1", f"q{number}", Piece(FIRST, FIRST + HOUR, table, "id"))
    assert [len(file.pieces("tiny#1", f"q{n}", FIRST, FIRST + HOUR)) for n in (0, 19)] == [0, 1]
    file.close()
    assert stat.S_IMODE((tmp_path / "cache.db").stat().st_mode) == 0o600
    assert (tmp_path / "cache.db").stat().st_size < 2_500_000


@pytest.mark.parametrize("content", [b"", b"no database at all" * 100])
def test_a_damaged_file_costs_nothing_but_the_cache(opened: Open, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "cache.db").write_bytes(content)
    assert opened().usage(hours(0, 24)).frame["credits_used"].iloc[0] == pytest.approx(144)
    assert opened().usage(hours(0, 24)).frame["credits_used"].iloc[0] == pytest.approx(144)


SOURCES = {
    "metering": ("total", "warehouse"),
    "queries": ("total", "warehouse", "user", "query_tag"),
    "services": ("total", "service_type"),
    "attribution": ("total", "user", "role"),
    "billed": ("total", "service_type"),
}


@st.composite
def questions(draw: st.DrawFn) -> UsageQuery:
    source: Any = draw(st.sampled_from(sorted(SOURCES)))
    slot = draw(st.sampled_from([None, 1440] if source == "billed" else [None, 15, 60, 360, 1440]))
    start = draw(st.integers(-30, 60))
    length = draw(st.integers(1, 48))
    minutes = draw(st.sampled_from([0, 0, 30]))
    return UsageQuery(
        source,
        FIRST + start * HOUR + timedelta(minutes=minutes),
        FIRST + (start + length) * HOUR,
        by=draw(st.sampled_from(SOURCES[source])),
        slot_minutes=slot,
        limit=draw(st.sampled_from([None, None, 3])),
    )


@given(asked=st.lists(questions().filter(lambda q: q.start < q.end), min_size=1, max_size=3), later=st.integers(0, 80))
@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_answers_are_the_same_with_and_without(opened: Open, asked: list[UsageQuery], later: int) -> None:
    """Whatever was asked before, at whatever time: each answer is what the account says."""
    plain, cached = opened(cached=False), opened(at=NOW + later * HOUR)
    for query in [*asked, *asked]:
        try:
            wanted = plain.usage(query).frame
        except FrostlineError as error:
            with pytest.raises(type(error)):
                cached.usage(query)
        else:
            same(cached.usage(query).frame, wanted)
