"""The gateway through the real connector and real HTTP, against the embedded account's own server."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.tiny_account import ACCOUNT, DAY, NOW, ODD, RUNNING, Tiny, tiny_account
from tests.unit.tools.test_readback import plan
from tools.context import UsageQuery
from tools.coverage import classify
from tools.domain import CancelQuery, ResizeWarehouse, ResumeWarehouse, Size, SuspendWarehouse
from tools.errors import BadArgument, BadSettings, Bug, NoPermission, StatementFailed, Unreachable
from tools.readback import compare
from tools.warehouse.checks import Check, probe_reader, probe_writer
from tools.warehouse.config import ConnectionConfig
from tools.warehouse.reader import SnowflakeReader
from tools.warehouse.session import ReadSession
from tools.warehouse.statements import render
from tools.warehouse.writer import SnowflakeWriter


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tiny]:
    with tiny_account(tmp_path_factory.mktemp("tiny-account")) as made:
        yield made


@pytest.fixture(scope="module")
def reader(tiny: Tiny) -> Iterator[SnowflakeReader]:
    made = SnowflakeReader(tiny.reader_config, ACCOUNT)
    yield made
    made.close()


@pytest.fixture(scope="module")
def writer(tiny: Tiny) -> SnowflakeWriter:
    return SnowflakeWriter(tiny.writer_config)


def day(source: Any, **values: Any) -> UsageQuery:
    return UsageQuery(source, DAY, DAY + timedelta(days=1), **values)


def rows(reader: SnowflakeReader, query: UsageQuery) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = reader.usage(query).frame.to_dict("records")
    return found


# --- usage -------------------------------------------------------------------------------------------------


def test_account_time_is_the_accounts_own(reader: SnowflakeReader) -> None:
    assert reader.now() == NOW


def test_metering_keeps_cloud_services_only_in_totals_alone(reader: SnowflakeReader) -> None:
    (total,) = rows(reader, day("metering"))
    assert total["key"] == "total"
    assert total["credits_used"] == pytest.approx(4 * 24 * 1.5)
    assert total["warehouse_ids"] == 4
    by_name = {r["key"]: r for r in rows(reader, day("metering", by="warehouse"))}
    assert set(by_name) == {"ETL", ODD, "HIDDEN"}
    assert by_name["ETL"]["credits_attributed"] == pytest.approx(12)
    assert by_name["HIDDEN"]["credits_attributed"] != by_name["HIDDEN"]["credits_attributed"]  # NaN: not known
    assert rows(reader, day("metering", filters={"warehouse": (ODD,)}))[0]["credits_used"] == pytest.approx(36)


@pytest.mark.parametrize(("minutes", "slots"), [(60, 24), (15, 24), (360, 4), (1440, 1)])
def test_slots_are_utc_starts(reader: SnowflakeReader, minutes: int, slots: int) -> None:
    found = rows(reader, day("metering", slot_minutes=minutes))
    assert len(found) == slots
    starts = [r["slot"].to_pydatetime() for r in found]
    assert starts[0] == DAY
    assert starts == sorted(starts)
    assert sum(r["credits_used"] for r in found) == pytest.approx(144)


def test_the_largest_come_first_and_ties_by_name(reader: SnowflakeReader) -> None:
    found = rows(reader, day("metering", by="warehouse", order_by="credits_used", limit=2))
    assert [r["key"] for r in found] == sorted([ODD, "ETL", "HIDDEN"])[:2]


def test_services_and_billed(reader: SnowflakeReader) -> None:
    assert rows(reader, day("services", by="service_type"))[0]["credits_compute"] == pytest.approx(120)
    billed = {r["key"]: r for r in rows(reader, day("billed", by="service_type", slot_minutes=1440))}
    assert billed["WAREHOUSE_METERING"]["credits_billed"] == pytest.approx(33)
    assert billed["WAREHOUSE_METERING"]["credits_adjustment"] == pytest.approx(-3)
    assert billed["PIPE"]["slot"].to_pydatetime() == DAY


def test_statements_are_counted_in_seconds_and_bytes(reader: SnowflakeReader) -> None:
    found = {r["key"]: r for r in rows(reader, day("queries", by="warehouse"))}
    assert {k: r["failures"] for k, r in found.items()} == {"ETL": 24, ODD: 0, "HIDDEN": 0}
    etl = found["ETL"]
    assert (etl["queries"], etl["execution_s"], etl["elapsed_s"]) == (24, pytest.approx(36), pytest.approx(1440))
    assert etl["queued_overload_s"] == pytest.approx(6)
    assert etl["bytes_scanned"] == 24 * 3_000_000_000
    assert all(isinstance(etl[name], int) for name in ("queries", "failures", "bytes_scanned"))


def test_missing_is_a_key_of_its_own(reader: SnowflakeReader) -> None:
    by_role = {r["key"]: r["queries"] for r in rows(reader, day("queries", by="role"))}
    assert by_role == {"R": 48, None: 24}
    by_tag = {r["key"]: r["queries"] for r in rows(reader, day("queries", by="query_tag"))}
    assert by_tag == {"nightly": 24, None: 48}
    assert rows(reader, day("queries", filters={"query_tag": ("",)}))[0]["queries"] == 48
    assert rows(reader, day("queries", filters={"role": ("", "R")}))[0]["queries"] == 72


def test_attribution_with_and_without_the_join(reader: SnowflakeReader) -> None:
    by_user = {r["key"]: r["credits_attributed"] for r in rows(reader, day("attribution", by="user"))}
    assert by_user == {f"U{n}": pytest.approx(2.4) for n in (1, 2, 3)}
    by_role = {r["key"]: r["credits_attributed"] for r in rows(reader, day("attribution", by="role"))}
    assert by_role == {"R": pytest.approx(4.8), None: pytest.approx(2.4)}
    only = day("attribution", by="user", filters={"database": ("D",), "warehouse": ("ETL",)}, slot_minutes=720)
    assert [r["queries"] for r in rows(reader, only)] == [12, 12]


def test_an_empty_window_has_no_rows_and_all_columns(reader: SnowflakeReader) -> None:
    query = UsageQuery("queries", NOW - timedelta(days=300), NOW - timedelta(days=299), slot_minutes=60)
    frame = reader.usage(query).frame
    assert len(frame) == 0
    assert {"key", "slot", "queries", "elapsed_s"} <= set(frame.columns)


@pytest.mark.parametrize("value", ["'; DROP TABLE x; --", "%s ? :start", "\\", "{by}", "数据🧊", "x" * 5000])
def test_hostile_filter_values_match_nothing_and_break_nothing(reader: SnowflakeReader, value: str) -> None:
    assert rows(reader, day("queries", filters={"user": (value,)})) == []


def test_names_come_with_the_most_used_first(reader: SnowflakeReader) -> None:
    end = DAY + timedelta(days=1)
    assert reader.names("user", DAY, end) == ("U1", "U2", "U3")
    assert reader.names("role", DAY, end) == ("R",)
    assert reader.names("query_tag", DAY, end, limit=1) == ("nightly",)
    assert reader.names("service_type", DAY, end) == ("WAREHOUSE_METERING",)
    assert reader.known_warehouses() == tuple(sorted(["ETL", ODD, "HIDDEN"]))


# --- coverage and the time override ------------------------------------------------------------------------


def test_coverage_by_the_views_latency(reader: SnowflakeReader) -> None:
    seen = reader.coverage("WAREHOUSE_METERING_HISTORY")
    assert seen.first == datetime(2026, 10, 30, tzinfo=UTC)
    assert seen.newest_end == seen.complete_until == seen.covered_until == NOW - timedelta(hours=3)
    assert classify(NOW - timedelta(hours=1), NOW, seen).standing == "not_loaded"
    daily = reader.coverage("METERING_DAILY_HISTORY")
    assert (daily.first, daily.newest_end) == (datetime(2026, 10, 30, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC))
    empty = reader.coverage("WAREHOUSE_EVENTS_HISTORY")
    assert (empty.first, empty.newest_end) == (None, None)


def test_an_override_in_the_past_shows_the_account_as_it_was(tiny: Tiny) -> None:
    then = datetime(2026, 10, 31, 12, tzinfo=UTC)
    past = SnowflakeReader(tiny.reader_config, ACCOUNT, now_override=then)
    try:
        assert past.now() == then
        assert rows(past, day("metering", by="warehouse"))[0]["credits_used"] == pytest.approx(9 * 1.5)
        assert rows(past, day("queries"))[0]["queries"] == 3 * 12  # the statement of 11:00 is due at 11:46
        assert rows(past, day("attribution"))[0]["queries"] == 3 * 4
        assert rows(past, day("billed")) == []
        assert past.coverage("METERING_DAILY_HISTORY").newest_end == DAY
        seen = past.coverage("WAREHOUSE_METERING_HISTORY")
        assert (seen.newest_end, seen.covered_until) == (then - timedelta(hours=3),) * 2
        assert {w.name for w in past.warehouses()} == {"ETL", ODD}
    finally:
        past.close()


def test_an_override_in_the_future_loads_nothing_new(tiny: Tiny) -> None:
    ahead = SnowflakeReader(tiny.reader_config, ACCOUNT, now_override=NOW + timedelta(days=30))
    try:
        seen = ahead.coverage("QUERY_HISTORY")
        assert seen.now == NOW + timedelta(days=30)
        assert seen.covered_until <= NOW
        assert classify(NOW + timedelta(days=1), NOW + timedelta(days=2), seen).standing == "not_loaded"
    finally:
        ahead.close()


def test_an_override_needs_an_offset(tiny: Tiny) -> None:
    with pytest.raises(BadSettings):
        SnowflakeReader(tiny.reader_config, ACCOUNT, now_override=NOW.replace(tzinfo=None))


# --- live state --------------------------------------------------------------------------------------------


def test_live_statements_are_seen_newest_first(reader: SnowflakeReader) -> None:
    found = reader.live_queries("ETL")
    assert [(q.status, q.user, q.text_length) for q in found] == [("QUEUED", "U2", 9), ("RUNNING", "U1", 8)]
    assert found[1].started == NOW - timedelta(minutes=5)
    assert reader.live_queries(ODD) == ()
    running = reader.live_query(RUNNING)
    assert running is not None
    assert running.warehouse == "ETL"
    assert reader.live_query("01bcb05d-0415-b618-0047-000000000000") is None


def test_not_seeing_statements_is_not_the_same_as_none(reader: SnowflakeReader) -> None:
    with pytest.raises(NoPermission) as refused:
        reader.live_queries("HIDDEN")
    assert refused.value.hint == 'GRANT MONITOR ON WAREHOUSE "HIDDEN" TO ROLE COST_READER;'


def test_tasks_due_are_those_of_the_warehouse_that_begin_in_time(tiny: Tiny, reader: SnowflakeReader) -> None:
    """LOAD and MERGE; not the one a minute later, nor one that is suspended, nor one that has no warehouse."""
    assert reader.tasks_due("ETL", timedelta(minutes=15)) == 2
    assert reader.tasks_due("ETL", timedelta(minutes=16)) == 3
    assert reader.tasks_due("ETL", timedelta(minutes=9)) == 0
    assert reader.tasks_due(ODD, timedelta(days=1)) == 0
    assert reader.tasks_due("HIDDEN", timedelta(hours=12)) == 1


def test_not_seeing_tasks_is_not_the_same_as_none(tiny: Tiny) -> None:
    """Snowflake shows an empty list to a role without the privilege."""
    blind = SnowflakeReader(tiny.writer_config, ACCOUNT)
    try:
        with pytest.raises(NoPermission) as refused:
            blind.tasks_due("ETL", timedelta(minutes=15))
    finally:
        blind.close()
    assert refused.value.hint == "GRANT MONITOR EXECUTION ON ACCOUNT TO ROLE COST_OPERATOR;"


def test_a_change_is_seen_at_once_and_logged_once(tiny: Tiny, reader: SnowflakeReader, writer: SnowflakeWriter) -> None:
    before = len(tiny.alters())
    receipt = writer.execute(render(ResizeWarehouse(size=Size.XXLARGE), ODD))
    assert receipt.query_id
    assert {w.name: w.size for w in reader.warehouses()}[ODD] == Size.XXLARGE
    writer.execute(render(ResumeWarehouse(), ODD))
    writer.execute(render(ResumeWarehouse(), ODD))  # IF SUSPENDED: the second one is no error
    assert {w.name: w.state for w in reader.warehouses()}[ODD] == "STARTED"
    writer.execute(render(SuspendWarehouse(), ODD))
    with pytest.raises(StatementFailed) as refused:
        writer.execute(render(SuspendWarehouse(), ODD))
    assert refused.value.errno == 90064
    assert len(tiny.alters()) >= before + 3


def test_a_statement_is_cancelled(reader: SnowflakeReader, writer: SnowflakeWriter) -> None:
    running = "01bcb05d-0415-b618-0047-1234567890ab"
    assert writer.execute(render(CancelQuery(query_id=running), "ETL")).message
    assert reader.live_query(running) is None


def test_a_cancellation_is_not_believed_where_statements_are_hidden(reader: SnowflakeReader) -> None:
    """No statement is to be seen on either warehouse, and HIDDEN is not to be seen at all."""
    gone = CancelQuery(query_id="01bcb05d-0415-b618-0047-000000000000")
    odd = next(w for w in reader.warehouses() if w.name == ODD)
    assert compare(plan(gone, odd), reader).verdict == "target"
    assert compare(plan(gone, odd.model_copy(update={"name": "HIDDEN"})), reader).verdict == "other"


# --- who may do what ---------------------------------------------------------------------------------------


def test_the_readers_identity_cannot_change_anything(tiny: Tiny) -> None:
    before = len(tiny.alters())
    with pytest.raises(NoPermission) as refused:
        SnowflakeWriter(tiny.reader_config).execute(render(SuspendWarehouse(), "ETL"))
    assert refused.value.hint == 'GRANT OPERATE ON WAREHOUSE "ETL" TO ROLE COST_READER;'
    assert len(tiny.alters()) == before


def test_the_writers_identity_cannot_read_usage(tiny: Tiny) -> None:
    curious = SnowflakeReader(tiny.writer_config, ACCOUNT)
    try:
        with pytest.raises(NoPermission) as refused:
            curious.usage(day("queries"))
        assert refused.value.hint == "GRANT DATABASE ROLE SNOWFLAKE.GOVERNANCE_VIEWER TO ROLE COST_OPERATOR;"
    finally:
        curious.close()


@pytest.mark.parametrize(
    "text",
    [
        'ALTER WAREHOUSE "ETL" SUSPEND; SELECT 1',
        'DROP WAREHOUSE "ETL"',
        "SELECT 1",
        'ALTER WAREHOUSE "ETL" ABORT ALL QUERIES',
    ],
)
def test_the_writer_sends_only_what_frostline_writes(tiny: Tiny, writer: SnowflakeWriter, text: str) -> None:
    before = len(tiny.alters())
    with pytest.raises(BadArgument):
        writer.execute(text)
    assert len(tiny.alters()) == before


def test_a_wrong_password_is_bad_settings_and_is_not_repeated_in_the_message(tiny: Tiny) -> None:
    wrong = tiny.reader_config.model_dump() | {"password": "not-the-password"}
    for call in (
        lambda c: SnowflakeReader(c, ACCOUNT).now(),
        lambda c: SnowflakeWriter(c).execute(render(SuspendWarehouse(), "ETL")),
    ):
        with pytest.raises(BadSettings) as refused:
            call(ConnectionConfig.of(**wrong))
        assert "not-the-password" not in f"{refused.value.message} {refused.value.hint}"


def test_a_statement_of_ours_that_is_wrong_is_a_bug(tiny: Tiny) -> None:
    from tools.warehouse.failures import Doing

    session = ReadSession(tiny.reader_config, query_tag={})
    try:
        with pytest.raises(Bug):
            session.table("SELEC 1", (), Doing("testing"))
    finally:
        session.close()


# --- sessions ----------------------------------------------------------------------------------------------


def test_threads_share_a_reader(reader: SnowflakeReader) -> None:
    found: list[float] = []

    def ask(minutes: int) -> None:
        found.append(sum(r["credits_used"] for r in rows(reader, day("metering", slot_minutes=minutes))))

    threads = [threading.Thread(target=ask, args=(m,)) for m in (15, 30, 60, 120, 360, 1440)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert found == [pytest.approx(144)] * 6


def test_what_changes_slowly_is_asked_once_a_minute_and_live_state_always(tiny: Tiny) -> None:
    ticks = [0.0]
    made = SnowflakeReader(tiny.reader_config, ACCOUNT, monotonic=lambda: ticks[0])
    try:
        first = made.coverage("QUERY_HISTORY")
        assert made.coverage("QUERY_HISTORY") is first
        ticks[0] = 61.0
        assert made.coverage("QUERY_HISTORY") is not first
        assert made.known_warehouses() is made.known_warehouses()
        assert made.warehouses() is not made.warehouses()
    finally:
        made.close()


def test_a_closed_reader_opens_again(tiny: Tiny) -> None:
    again = SnowflakeReader(tiny.reader_config, ACCOUNT)
    assert len(again.warehouses()) == 2
    again.close()
    assert len(again.warehouses()) == 2
    again.close()
    again.close()


def test_doctor_sees_two_identities_kept_apart(tiny: Tiny) -> None:
    def failed(checks: list[Check]) -> list[str]:
        return [f"{c.name}: {c.detail}" for c in checks if c.ok is False]

    looked = probe_reader(tiny.reader_config)
    assert failed(looked) == []
    assert sum(c.name.startswith("reader: view ") for c in looked) == 7
    assert failed(probe_writer(tiny.writer_config)) == []
    swapped = {c.name: c for c in probe_reader(tiny.writer_config)}
    assert swapped["reader: view QUERY_HISTORY"].ok is False
    assert "GOVERNANCE_VIEWER" in (swapped["reader: view QUERY_HISTORY"].fix or "")
    assert {c.name: c.ok for c in probe_writer(tiny.reader_config)}["writer: reads no usage"] is False


def test_nothing_that_answers_is_unreachable(tiny: Tiny) -> None:
    values = tiny.reader_config.model_dump() | {"port": 1, "login_timeout": 1}
    with pytest.raises(Unreachable):
        SnowflakeReader(ConnectionConfig.of(**values), ACCOUNT).now()
