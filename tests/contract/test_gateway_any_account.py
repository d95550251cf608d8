"""What holds of every account: the demo account's server always and, by choice, a live account.

    TEST_SNOWFLAKE_PROFILE=staging make test

runs the same tests on the account of that profile too (its file and FROSTLINE_HOME as for `frostline --profile`). They
only read; the one statement that would change something is sent as the reader and has to be refused.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.tiny_account import ACCOUNT, tiny_account
from tools.context import UsageQuery
from tools.domain import Account, SuspendWarehouse
from tools.errors import BadArgument, NoPermission
from tools.warehouse.checks import probe_reader, probe_same_account, probe_writer
from tools.warehouse.config import ConnectionConfig
from tools.warehouse.failures import Doing
from tools.warehouse.reader import SnowflakeReader
from tools.warehouse.session import ReadSession
from tools.warehouse.statements import render
from tools.warehouse.views import VIEWS
from tools.warehouse.writer import SnowflakeWriter

LIVE = os.environ.get("TEST_SNOWFLAKE_PROFILE")
SETTINGS = {name: value for name, value in os.environ.items() if name.startswith(("FROSTLINE_", "SNOWFLAKE_"))}
_CONNECT = socket.socket.connect


@dataclass(frozen=True)
class Place:
    """One account, and how its two identities sign in."""

    account: Account
    reader_config: ConnectionConfig
    writer_config: ConnectionConfig
    reader: SnowflakeReader
    live: bool = False


@contextmanager
def _demo(folder: Path) -> Iterator[Place]:
    with tiny_account(folder) as tiny:
        reader = SnowflakeReader(tiny.reader_config, ACCOUNT)
        yield Place(ACCOUNT, tiny.reader_config, tiny.writer_config, reader)
        reader.close()


@contextmanager
def _live(profile: str) -> Iterator[Place]:
    """The suite lets nothing leave loopback and takes every setting of this machine away: not here, by choice."""
    from agent.runtime import Runtime
    from agent.settings import load_settings

    with pytest.MonkeyPatch.context() as patch:
        for name, value in SETTINGS.items():
            patch.setenv(name, value)
        patch.setattr(socket.socket, "connect", _CONNECT)
        settings = load_settings(profile)
        if settings.account.kind != "live":
            raise pytest.UsageError(f"TEST_SNOWFLAKE_PROFILE: profile {profile} is not of a live account")
        with Runtime.open(settings, attended=False) as runtime:
            reader = SnowflakeReader(runtime.reader_config, runtime.account)
            yield Place(runtime.account, runtime.reader_config, runtime.operator_config, reader, live=True)
            reader.close()


@pytest.fixture(scope="module", params=["demo", *(["live"] if LIVE else [])])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with ExitStack() as stack:
        if request.param == "demo":
            yield stack.enter_context(_demo(tmp_path_factory.mktemp("any-account")))
        else:
            yield stack.enter_context(_live(str(LIVE)))


@pytest.fixture(scope="module")
def week(place: Place) -> tuple[datetime, datetime]:
    """Seven UTC days of which everything is loaded."""
    midnight = place.reader.now().astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    end = midnight - timedelta(days=1)
    return end - timedelta(days=7), end


def rows(place: Place, query: UsageQuery) -> list[dict[str, Any]]:
    return [{str(k): v for k, v in row.items()} for row in place.reader.usage(query).frame.to_dict("records")]


def total(found: list[dict[str, Any]], column: str) -> float:
    return float(pd.Series([row[column] for row in found], dtype="float64").sum())


def test_the_two_identities_are_what_doctor_wants(place: Place) -> None:
    checks = [
        *probe_reader(place.reader_config),
        *probe_writer(place.writer_config),
        *probe_same_account(place.reader_config, place.writer_config),
    ]
    assert [f"{check.name}: {check.detail}" for check in checks if check.ok is False] == []


def test_the_session_is_in_utc_and_has_its_time_limit(place: Place) -> None:
    session = ReadSession(place.reader_config, query_tag={"component": "test"})
    wanted = {"TIMEZONE": "UTC", "STATEMENT_TIMEOUT_IN_SECONDS": str(place.reader_config.statement_timeout)}
    try:
        for name, value in wanted.items():
            shown = session.records(f"SHOW PARAMETERS LIKE '{name}' IN SESSION", Doing("looking"))
            assert str(shown[0]["value"]) == value
    finally:
        session.close()


def test_account_time_is_aware_and_moves_forward(place: Place) -> None:
    first = place.reader.now()
    assert first.utcoffset() == timedelta(0)
    assert place.reader.now() >= first


def test_every_warehouse_of_show_is_read(place: Place) -> None:
    shown = place.reader.warehouses()
    assert shown
    assert len({warehouse.name for warehouse in shown}) == len(shown)
    for warehouse in shown:
        assert warehouse.state
        assert warehouse.size is not None or warehouse.type == "ADAPTIVE"
        assert warehouse.running >= 0 <= warehouse.queued
        assert warehouse.auto_suspend is None or warehouse.auto_suspend > 0


@pytest.mark.parametrize("view", sorted(VIEWS))
def test_every_view_has_a_coverage(place: Place, view: str) -> None:
    seen = place.reader.coverage(view)
    assert seen.complete_until == seen.now - VIEWS[view].latency
    assert seen.complete_until <= seen.covered_until <= seen.now
    if seen.first is not None and seen.newest_end is not None:
        assert seen.first <= seen.newest_end


@pytest.mark.parametrize("minutes", [60, 360, 1440])
def test_slots_add_up_to_the_total(place: Place, week: tuple[datetime, datetime], minutes: int) -> None:
    for source, column in (("metering", "credits_used"), ("services", "credits_used"), ("queries", "queries")):
        query = UsageQuery(source, *week)  # type: ignore[arg-type]
        whole = total(rows(place, query), column)
        slots = rows(place, UsageQuery(source, *week, slot_minutes=minutes))  # type: ignore[arg-type]
        assert total(slots, column) == pytest.approx(whole)
        assert all(week[0] <= row["slot"].to_pydatetime() < week[1] for row in slots)
        assert [row["slot"] for row in slots] == sorted(row["slot"] for row in slots)


def test_parts_add_up_to_the_total(place: Place, week: tuple[datetime, datetime]) -> None:
    by = {
        "metering": ("warehouse",),
        "services": ("service_type",),
        "queries": ("warehouse", "user", "role", "query_tag", "query_type"),
        "attribution": ("warehouse", "user", "query_tag"),
    }
    for source, columns in by.items():
        figure = "queries" if source in ("queries", "attribution") else "credits_used"
        whole = total(rows(place, UsageQuery(source, *week)), figure)  # type: ignore[arg-type]
        for column in columns:
            parts = total(rows(place, UsageQuery(source, *week, by=column)), figure)  # type: ignore[arg-type]
            # The pseudo warehouse of cloud services is no warehouse.
            assert parts <= whole * (1 + 1e-9) if source == "metering" else parts == pytest.approx(whole)


def test_billed_is_used_and_adjustment(place: Place, week: tuple[datetime, datetime]) -> None:
    for row in rows(place, UsageQuery("billed", *week, by="service_type", slot_minutes=1440)):
        assert row["credits_adjustment"] <= 0
        assert row["credits_billed"] == pytest.approx(row["credits_used"] + row["credits_adjustment"], abs=1e-6)


def test_a_filter_gives_that_part_alone(place: Place, week: tuple[datetime, datetime]) -> None:
    parts = rows(place, UsageQuery("metering", *week, by="warehouse", order_by="credits_used", limit=3))
    for part in parts:
        only = UsageQuery("metering", *week, by="warehouse", filters={"warehouse": (part["key"],)})
        (found,) = rows(place, only)
        assert found["key"] == part["key"]
        assert found["credits_used"] == pytest.approx(part["credits_used"])
    largest_first = [-row["credits_used"] for row in parts]
    assert largest_first == sorted(largest_first)


@pytest.mark.parametrize("value", ["'; DROP TABLE x; --", "%s ? :start", "\\", "{by}", "数据🧊"])
def test_hostile_names_match_nothing(place: Place, week: tuple[datetime, datetime], value: str) -> None:
    assert rows(place, UsageQuery("queries", *week, filters={"user": (value,)})) == []


def test_what_has_not_been_holds_no_rows(place: Place) -> None:
    ahead = place.reader.now() + timedelta(days=400)
    frame = place.reader.usage(UsageQuery("metering", ahead, ahead + timedelta(days=1), slot_minutes=60)).frame
    assert len(frame) == 0
    assert {"key", "slot", "credits_used"} <= set(frame.columns)


def test_running_statements_can_be_asked_for(place: Place) -> None:
    for query in place.reader.live_queries():
        assert query.query_id and query.started.tzinfo is not None
    assert place.reader.live_query("01bcb05d-0000-0000-0000-000000000000") is None


def test_tasks_that_come_next_are_counted_or_refused(place: Place) -> None:
    for warehouse in place.reader.warehouses()[:3]:
        try:
            soon, later = (place.reader.tasks_due(warehouse.name, timedelta(hours=h)) for h in (1, 24))
        except NoPermission:
            assert place.live  # a live role may not see tasks, or not all of them
        else:
            assert 0 <= soon <= later


def test_the_reader_can_change_nothing(place: Place) -> None:
    if place.live:  # a role that may would do it: then this is the failure, and nothing is sent
        grants = next(check for check in probe_reader(place.reader_config) if check.name == "reader: cannot change")
        assert grants.ok is True, grants.detail
    name = place.reader.warehouses()[0].name
    with pytest.raises(NoPermission):
        SnowflakeWriter(place.reader_config).execute(render(SuspendWarehouse(), name))


def test_the_writer_sends_nothing_that_frostline_does_not_write(place: Place) -> None:
    with pytest.raises(BadArgument):
        SnowflakeWriter(place.writer_config).execute("SELECT 1")
