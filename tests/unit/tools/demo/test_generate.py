"""The generated account: reproducible, consistent (reference 2.8) and realistic (7.6), with the traps of 7.7."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.unit.tools.demo.conftest import Generated, opened
from tools.demo import layout
from tools.demo.build import build_demo
from tools.ml.billing import credits_per_hour
from tools.warehouse.views import VIEWS


def rows(generated: Generated, sql: str) -> list[tuple[Any, ...]]:
    return generated.con.execute(sql).fetchall()


def one(generated: Generated, sql: str) -> Any:
    found = generated.con.execute(sql).fetchone()
    assert found is not None
    return found[0]


# --- reproducible ------------------------------------------------------------------------------------------------


def test_equal_seeds_make_equal_accounts_and_other_seeds_others(tmp_path: Path) -> None:
    def content(name: str, seed: int) -> dict[str, list[Any]]:
        build_demo(tmp_path / name, seed=seed, now=datetime(2026, 5, 6, 9, tzinfo=UTC), days=2)
        with opened(tmp_path / name) as con:
            tables = con.execute("SELECT table_name FROM duckdb_tables() WHERE schema_name = '_RAW'").fetchall()
            return {table: con.execute(f"SELECT hash(t) FROM _RAW.{table} t").fetchall() for (table,) in tables}

    one_, again, other = content("a", 5), content("b", 5), content("c", 6)
    assert one_ == again
    assert all(one_[name] for name in (*VIEWS, "WAREHOUSES", "LIVE_QUERIES"))
    assert one_["QUERY_HISTORY"] != other["QUERY_HISTORY"]


def test_progress_rises_from_zero_to_one(tmp_path: Path) -> None:
    told: list[float] = []
    build_demo(tmp_path, seed=1, days=2, progress=lambda done, _: told.append(done))
    assert told == sorted(told)
    assert (told[0], told[-1]) == (0.0, 1.0)


# --- identities of reference 2.8 ---------------------------------------------------------------------------------


def test_identity_1_used_is_compute_plus_cloud_services_and_below_rate_times_clusters(generated: Generated) -> None:
    used = "CREDITS_USED - CREDITS_USED_COMPUTE - CREDITS_USED_CLOUD_SERVICES"
    for view in ("WAREHOUSE_METERING_HISTORY", "METERING_HISTORY", "METERING_DAILY_HISTORY"):
        assert one(generated, f"SELECT max(abs({used})) FROM _RAW.{view}") < 1e-9
    most = rows(
        generated, "SELECT WAREHOUSE_ID, max(CREDITS_USED_COMPUTE) FROM _RAW.WAREHOUSE_METERING_HISTORY GROUP BY 1"
    )
    seen = "SELECT DISTINCT WAREHOUSE_ID, SIZE FROM _RAW.WAREHOUSE_EVENTS_HISTORY WHERE SIZE IS NOT NULL"
    sizes = rows(generated, seen)
    settings = "SELECT warehouse_id, type, generation, max_cluster_count FROM _RAW.WAREHOUSES WHERE type <> 'ADAPTIVE'"
    shown = {row[0]: row[1:] for row in rows(generated, settings)}
    for identifier, compute in most:
        if identifier in shown:
            kind, generation, clusters = shown[identifier]
            rates = [credits_per_hour(s, type=kind, generation=generation) for i, s in sizes if i == identifier]
            assert compute <= clusters * max(rates, default=1.0) + 1e-9


def test_identity_2_attribution_below_attributed_below_compute(generated: Generated) -> None:
    bad = """SELECT count(*) FROM _RAW.WAREHOUSE_METERING_HISTORY
             WHERE CREDITS_ATTRIBUTED_COMPUTE_QUERIES > CREDITS_USED_COMPUTE"""
    assert one(generated, bad) == 0
    by_warehouse = """
        WITH queries AS (SELECT WAREHOUSE_ID, sum(CREDITS_ATTRIBUTED_COMPUTE) AS c FROM _RAW.QUERY_ATTRIBUTION_HISTORY
                         WHERE END_TIME <= TIMESTAMPTZ '2026-11-18 17:00Z' GROUP BY 1),
             hours AS (SELECT WAREHOUSE_ID, sum(CREDITS_ATTRIBUTED_COMPUTE_QUERIES) AS c
                       FROM _RAW.WAREHOUSE_METERING_HISTORY GROUP BY 1)
        SELECT hours.c, queries.c FROM queries JOIN hours USING (WAREHOUSE_ID)"""
    found = rows(generated, by_warehouse)
    assert len(found) >= 17
    for hours, queries in found:
        assert queries <= hours + 1e-6
        assert queries >= 0.55 * hours
    within = """
        WITH queries AS (SELECT WAREHOUSE_ID, date_trunc('hour', START_TIME) AS h, sum(CREDITS_ATTRIBUTED_COMPUTE) AS c
                         FROM _RAW.QUERY_ATTRIBUTION_HISTORY
                         WHERE date_trunc('hour', START_TIME) = date_trunc('hour', END_TIME) GROUP BY 1, 2)
        SELECT count(*) FROM queries JOIN _RAW.WAREHOUSE_METERING_HISTORY m
        ON m.WAREHOUSE_ID = queries.WAREHOUSE_ID AND m.START_TIME = h
        WHERE c > m.CREDITS_ATTRIBUTED_COMPUTE_QUERIES + 1e-9"""
    assert one(generated, within) == 0


def test_identity_3_services_and_days_are_sums_of_the_hours(generated: Generated) -> None:
    sums = "sum(CREDITS_USED_COMPUTE) a, sum(CREDITS_USED_CLOUD_SERVICES) b"
    hours = "SELECT {unit} AS k, " + sums + " FROM _RAW.{view} {where} GROUP BY 1"
    warehouse = "WHERE SERVICE_TYPE = 'WAREHOUSE_METERING'"
    over = "START_TIME < TIMESTAMPTZ '2026-11-18 00:00Z'"  # a day's row is written when the day is over
    pairs = [
        (hours.format(unit="START_TIME", view="WAREHOUSE_METERING_HISTORY", where=""),
         hours.format(unit="START_TIME", view="METERING_HISTORY", where=warehouse)),
        (hours.format(unit="START_TIME::DATE", view="METERING_HISTORY", where=f"{warehouse} AND {over}"),
         hours.format(unit="USAGE_DATE", view="METERING_DAILY_HISTORY", where=warehouse)),
        (hours.format(unit="(START_TIME::DATE, SERVICE_TYPE)", view="METERING_HISTORY", where=f"WHERE {over}"),
         hours.format(unit="(USAGE_DATE, SERVICE_TYPE)", view="METERING_DAILY_HISTORY", where="")),
    ]  # fmt: skip
    for one_, two in pairs:
        differs = "abs(x.a - y.a) + abs(x.b - y.b) > 1e-6 OR x.a IS NULL OR y.a IS NULL"
        assert one(generated, f"SELECT count(*) FROM ({one_}) x FULL JOIN ({two}) y USING (k) WHERE {differs}") == 0


def test_identity_4_the_daily_adjustment(generated: Generated) -> None:
    days = rows(
        generated,
        """SELECT CREDITS_USED_COMPUTE, CREDITS_USED_CLOUD_SERVICES, CREDITS_USED, CREDITS_ADJUSTMENT_CLOUD_SERVICES,
                  CREDITS_BILLED, SERVICE_TYPE FROM _RAW.METERING_DAILY_HISTORY""",
    )
    over = 0
    for compute, cloud, used, adjustment, billed, service in days:
        assert billed == pytest.approx(used + adjustment)
        expected = -min(cloud, 0.1 * compute) if service == "WAREHOUSE_METERING" else 0.0
        assert adjustment == pytest.approx(expected)
        over += service == "WAREHOUSE_METERING" and cloud > 0.1 * compute
    assert over >= 1


def test_identity_5_what_executes_is_metered_and_who_wakes_a_warehouse_waits(generated: Generated) -> None:
    unmetered = """
        WITH hours AS (SELECT WAREHOUSE_ID, unnest(generate_series(
                              date_trunc('hour', END_TIME - to_milliseconds(EXECUTION_TIME)),
                              date_trunc('hour', END_TIME - INTERVAL 1 MILLISECOND), INTERVAL 1 HOUR)) AS h
                       FROM _RAW.QUERY_HISTORY WHERE EXECUTION_TIME > 0)
        SELECT count(*) FROM hours LEFT JOIN _RAW.WAREHOUSE_METERING_HISTORY m
        ON m.WAREHOUSE_ID = hours.WAREHOUSE_ID AND m.START_TIME = h
        WHERE coalesce(m.CREDITS_USED_COMPUTE, 0) <= 0 AND h < TIMESTAMPTZ '2026-11-18 17:00Z'"""
    assert one(generated, unmetered) == 0
    resumed = """
        SELECT count(*), count(q.QUERY_ID), min(q.QUEUED_PROVISIONING_TIME), count(l.QUERY_ID)
        FROM _RAW.WAREHOUSE_EVENTS_HISTORY e LEFT JOIN _RAW.QUERY_HISTORY q USING (QUERY_ID)
        LEFT JOIN _RAW.LIVE_QUERIES l ON l.QUERY_ID = e.QUERY_ID
        WHERE EVENT_NAME = 'RESUME_WAREHOUSE' AND EVENT_REASON = 'WAREHOUSE_AUTORESUME'"""
    ((events, finished, shortest, live),) = rows(generated, resumed)
    assert events == finished + live
    assert shortest >= 200


@pytest.mark.parametrize(
    ("column", "end", "duration"),
    [
        ("AVG_RUNNING", "END_TIME", "EXECUTION_TIME"),
        ("AVG_QUEUED_LOAD", "END_TIME - to_milliseconds(EXECUTION_TIME)", "QUEUED_OVERLOAD_TIME"),
    ],
)
def test_identity_6_load_is_the_seconds_of_the_queries(
    generated: Generated, column: str, end: str, duration: str
) -> None:
    sql = f"""
        WITH q AS (SELECT WAREHOUSE_ID, {end} AS e, {end} - to_milliseconds({duration}) AS s
                   FROM _RAW.QUERY_HISTORY WHERE {duration} > 0),
        slots AS (SELECT WAREHOUSE_ID, s, e, unnest(generate_series(time_bucket(INTERVAL 5 MINUTE, s),
                         e - INTERVAL 1 MILLISECOND, INTERVAL 5 MINUTE)) AS slot FROM q),
        sums AS (SELECT WAREHOUSE_ID, slot,
                        sum(epoch_ms(least(e, slot + INTERVAL 5 MINUTE)) - epoch_ms(greatest(s, slot))) AS ms
                 FROM slots GROUP BY 1, 2)
        SELECT max(abs(coalesce(l.{column}, 0) * 300000 - coalesce(ms, 0))), sum(ms)
        FROM sums FULL JOIN _RAW.WAREHOUSE_LOAD_HISTORY l ON l.WAREHOUSE_ID = sums.WAREHOUSE_ID AND l.START_TIME = slot
        WHERE coalesce(slot, l.START_TIME) < TIMESTAMPTZ '2026-11-18 14:20Z'"""  # fmt: skip
    ((worst, total),) = rows(generated, sql)
    assert worst < 1
    assert total > 1_000_000


# --- rows and times ------------------------------------------------------------------------------------------------


def test_times_add_up_and_ids_are_unique_and_well_formed(generated: Generated) -> None:
    assert one(generated, "SELECT count(*) - count(DISTINCT QUERY_ID) FROM _RAW.QUERY_HISTORY") == 0
    shape = "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{8,12}$"
    assert (
        one(generated, f"SELECT count(*) FROM _RAW.QUERY_HISTORY WHERE NOT regexp_full_match(QUERY_ID, '{shape}')") == 0
    )
    parts = """COMPILATION_TIME + EXECUTION_TIME + QUEUED_PROVISIONING_TIME + QUEUED_REPAIR_TIME + QUEUED_OVERLOAD_TIME
               + TRANSACTION_BLOCKED_TIME + LIST_EXTERNAL_FILES_TIME"""
    wrong = f"""SELECT count(*) FROM _RAW.QUERY_HISTORY WHERE TOTAL_ELAPSED_TIME <> {parts}
                OR TOTAL_ELAPSED_TIME <> epoch_ms(END_TIME) - epoch_ms(START_TIME)"""
    assert one(generated, wrong) == 0
    negative = " OR ".join(
        f'"{name}" < 0' for name, kind in VIEWS["QUERY_HISTORY"].columns.items() if kind in ("N", "F")
    )
    assert one(generated, f"SELECT count(*) FROM _RAW.QUERY_HISTORY WHERE {negative}") == 0


def test_nothing_is_later_than_now_and_latency_hides_what_is_recent(generated: Generated) -> None:
    now = generated.about.now
    for item in VIEWS.values():
        if item.columns[item.end] == "D":
            continue
        raw = one(generated, f"SELECT max({item.end}) FROM _RAW.{item.name}")
        seen = one(generated, f"SELECT max({item.end}) FROM {layout.USAGE}.{item.name}")
        assert now - timedelta(hours=1, minutes=5) <= raw <= now
        assert now - item.latency - timedelta(hours=2) <= seen <= now - item.latency
    assert one(generated, f"SELECT max(USAGE_DATE) FROM {layout.USAGE}.METERING_DAILY_HISTORY") < now.date()


def test_statements_in_flight_fit_their_warehouses(generated: Generated) -> None:
    live = rows(generated, "SELECT QUERY_ID, WAREHOUSE_NAME, EXECUTION_STATUS, START_TIME FROM _RAW.LIVE_QUERIES")
    assert len(live) >= 3
    assert {status for _, _, status, _ in live} == {"RUNNING", "QUEUED"}
    assert min(start for *_, start in live) < generated.about.now - timedelta(hours=2)
    assert one(generated, "SELECT count(*) FROM _RAW.QUERY_HISTORY SEMI JOIN _RAW.LIVE_QUERIES USING (QUERY_ID)") == 0
    for name, state, running, queued in rows(generated, "SELECT name, state, running, queued FROM _RAW.WAREHOUSES"):
        mine = [status for _, warehouse, status, _ in live if warehouse == name]
        assert (running, queued) == (mine.count("RUNNING"), mine.count("QUEUED"))
        assert not mine or state in ("STARTED", "ENABLED")


def test_events_agree_with_the_state_that_show_prints(generated: Generated) -> None:
    last = rows(
        generated,
        """SELECT WAREHOUSE_ID, arg_max(EVENT_NAME, TIMESTAMP) FROM _RAW.WAREHOUSE_EVENTS_HISTORY
           WHERE EVENT_NAME IN ('RESUME_WAREHOUSE', 'SUSPEND_WAREHOUSE') GROUP BY 1""",
    )
    state = dict(rows(generated, "SELECT warehouse_id, state FROM _RAW.WAREHOUSES"))
    for identifier, event in last:
        if identifier in state:
            assert state[identifier] == ("STARTED" if event == "RESUME_WAREHOUSE" else "SUSPENDED")
    pairs = """SELECT WAREHOUSE_ID, CLUSTER_NUMBER,
                      count_if(EVENT_NAME = 'RESUME_CLUSTER') - count_if(EVENT_NAME = 'SUSPEND_CLUSTER') AS open
               FROM _RAW.WAREHOUSE_EVENTS_HISTORY WHERE CLUSTER_NUMBER IS NOT NULL GROUP BY 1, 2"""
    assert {open_ for *_, open_ in rows(generated, pairs)} <= {0, 1}


# --- realism (7.6) and traps (7.7) -----------------------------------------------------------------------------------


TRAPS = {
    "quoted name": ("WAREHOUSES", "name <> upper(name) AND contains(name, ' ')"),
    "adaptive": ("WAREHOUSES", "type = 'ADAPTIVE' AND size IS NULL AND state = 'ENABLED'"),
    "adaptive is not attributed": ("WAREHOUSE_METERING_HISTORY", "CREDITS_ATTRIBUTED_COMPUTE_QUERIES IS NULL"),
    "adaptive size": ("QUERY_HISTORY", "WAREHOUSE_SIZE = 'ADAPTIVE'"),
    "generation 2": ("WAREHOUSES", "generation = '2'"),
    "never suspends and nobody owns it": ("WAREHOUSES", "auto_suspend IS NULL AND type = 'STANDARD' AND owner = ''"),
    "several clusters": ("QUERY_HISTORY", "CLUSTER_NUMBER >= 2"),
    "queueing": ("QUERY_HISTORY", "QUEUED_OVERLOAD_TIME > 60000"),
    "remote spill": ("QUERY_HISTORY", "BYTES_SPILLED_TO_REMOTE_STORAGE > 0"),
    "error codes as text": ("QUERY_HISTORY", "ERROR_CODE = '000604'"),
    "more partitions scanned than there are": ("QUERY_HISTORY", "PARTITIONS_SCANNED > PARTITIONS_TOTAL"),
    "cloud services only": (
        "WAREHOUSE_METERING_HISTORY",
        "WAREHOUSE_NAME = 'CLOUD_SERVICES_ONLY' AND WAREHOUSE_ID = 0 AND CREDITS_USED_COMPUTE = 0",
    ),
    "injection in a query": ("QUERY_HISTORY", "contains(QUERY_TEXT, 'ignore all previous instructions')"),
    "injection in a comment": ("WAREHOUSES", "contains(comment, 'disregard your rules')"),
    "JSON query tags": ("QUERY_HISTORY", 'QUERY_TAG LIKE \'{"app": "dbt"%\''),
    "result cache": ("QUERY_HISTORY", "QUERY_TYPE = 'SELECT' AND ERROR_CODE IS NULL AND WAREHOUSE_SIZE IS NULL"),
    "resized on a schedule": ("WAREHOUSE_EVENTS_HISTORY", "EVENT_NAME = 'RESIZE_WAREHOUSE' AND USER_NAME IS NOT NULL"),
    "hidden from the reader": ("WAREHOUSES", "name = 'HR_WH'"),
    "a resize by hand": (
        "WAREHOUSE_EVENTS_HISTORY",
        "EVENT_NAME = 'ALTER_WAREHOUSE' AND USER_NAME = 'L_PATEL' AND ROLE_NAME = 'SYSADMIN'",
    ),
    "a runaway query": ("QUERY_HISTORY", "EXECUTION_TIME > 3 * 3600000 AND ERROR_CODE = '000604'"),
    "snowpark-optimized": ("QUERY_HISTORY", "WAREHOUSE_TYPE = 'SNOWPARK-OPTIMIZED'"),
    "economy clusters": ("WAREHOUSES", "scaling_policy = 'ECONOMY' AND max_cluster_count > 1"),
    "tasks": ("QUERY_HISTORY", "QUERY_TAG LIKE '{\"task\"%' AND ROLE_NAME = 'TASKS'"),
}


@pytest.mark.parametrize("trap", TRAPS)
def test_the_account_holds_its_traps(generated: Generated, trap: str) -> None:
    view, condition = TRAPS[trap]
    assert one(generated, f"SELECT count(*) FROM _RAW.{view} WHERE {condition}") > 0


def test_one_warehouse_was_dropped_and_created_again(generated: Generated) -> None:
    twice = """SELECT WAREHOUSE_NAME FROM _RAW.WAREHOUSE_METERING_HISTORY
               GROUP BY 1 HAVING count(DISTINCT WAREHOUSE_ID) = 2"""
    ((name,),) = rows(generated, twice)
    events = f"""SELECT EVENT_NAME FROM _RAW.WAREHOUSE_EVENTS_HISTORY
                 WHERE EVENT_NAME IN ('DROP_WAREHOUSE', 'CREATE_WAREHOUSE') AND WAREHOUSE_NAME = '{name}'
                 ORDER BY TIMESTAMP"""
    assert rows(generated, events) == [("DROP_WAREHOUSE",), ("CREATE_WAREHOUSE",)]
    assert generated.about.hidden_from_reader == ("HR_WH",)


def test_show_rows_have_every_documented_column(generated: Generated) -> None:
    columns = [row[0] for row in generated.con.execute("SELECT * FROM _RAW.WAREHOUSES").description]
    assert columns == [*layout.SHOW_COLUMNS, "warehouse_id"]
    # 18, and the one that is hidden from the reader
    assert one(generated, "SELECT count(*) FROM _RAW.WAREHOUSES") == 19
    assert one(generated, "SELECT count(*) FROM _RAW.WAREHOUSES WHERE warehouse_id IS NULL OR created_on IS NULL") == 0
