"""What follows from QUERY_HISTORY: tasks, loads, reads, locks, insights, acceleration, sessions."""

from __future__ import annotations

import json
from functools import cache

import pandas as pd
import pyarrow as pa
import pytest

from tests.unit.tools.demo.beside.made import WAREHOUSES, window
from tools.demo.generate.beside import accelerated, acceleration, frames
from tools.demo.generate.beside.objects import accessed, table, tables


@cache
def views() -> dict[str, pd.DataFrame]:
    return {name: found.to_pandas() for name, found in frames(window(0, 40)).items()}


@cache
def statements() -> pd.DataFrame:
    return window(0, 40).queries.to_pandas().set_index("QUERY_ID")


@pytest.mark.parametrize(
    ("text", "reads", "writes"),
    [
        ("SELECT 1", (), ()),
        ("COPY INTO RAW.INGEST.ORDERS FROM @RAW.INGEST.LANDING/orders/1", (), ("RAW.INGEST.ORDERS",)),
        ("SELECT COUNT(*) FROM A.B.C x, A.B.D y WHERE x.I = y.I", ("A.B.C", "A.B.D"), ()),
        ("INSERT OVERWRITE INTO A.B.C SELECT * FROM A.B.D JOIN A.B.E USING (ID)", ("A.B.D", "A.B.E"), ("A.B.C",)),
        ("DELETE FROM A.B.C WHERE AT < 1", ("A.B.C",), ("A.B.C",)),
        ("UPDATE A.B.C SET V = 1", ("A.B.C",), ("A.B.C",)),
        ("MERGE INTO A.B.C t USING (SELECT * FROM A.B.D) d ON t.I = d.I", ("A.B.D", "A.B.C"), ("A.B.C",)),
        ("CREATE OR REPLACE TABLE A.B.C AS SELECT * FROM A.B.D", ("A.B.D",), ("A.B.C",)),
        ("CALL A.B.DO_IT('x')", (), ()),
    ],
)
def test_a_statements_text_names_its_tables(text: str, reads: tuple[str, ...], writes: tuple[str, ...]) -> None:
    found = accessed(text)
    assert (set(found.reads), found.writes) == (set(reads), writes)


def test_ids_are_unique_and_unlisted_tables_keep_theirs() -> None:
    ids = [each.id for each in tables()]
    assert len(set(ids)) == len(ids)
    assert table("A.B.C").id == table("A.B.C").id not in ids


def test_access_history_tells_of_what_ran_and_of_nothing_else() -> None:
    found = views()["ACCESS_HISTORY"]
    ran = statements().loc[found["QUERY_ID"]]
    assert set(ran["EXECUTION_STATUS"]) == {"SUCCESS"}
    assert "SHOW" not in set(ran["QUERY_TYPE"])
    for row, kind in zip(found.head(300).itertuples(), ran["QUERY_TYPE"], strict=False):
        read, written = json.loads(row.BASE_OBJECTS_ACCESSED), json.loads(row.OBJECTS_MODIFIED)
        assert bool(written) == (kind != "SELECT")
        assert all(each["objectId"] == table(each["objectName"]).id for each in (*read, *written))
    scratch = found[ran["QUERY_TYPE"].to_numpy() == "CREATE_TABLE_AS_SELECT"]["OBJECTS_MODIFIED"]
    assert scratch.nunique() > 3  # numbered tables are told apart


def test_some_large_tables_are_read_by_nobody() -> None:
    read = {
        each["objectId"]
        for text in views()["ACCESS_HISTORY"]["BASE_OBJECTS_ACCESSED"].unique()
        for each in json.loads(text)
    }
    metrics = views()["TABLE_STORAGE_METRICS"]
    large = metrics[(metrics["ACTIVE_BYTES"] > 100 * 2**30) & ~metrics["DELETED"]]
    assert {"LEGACY_POS", "CLICKS_2023"} <= set(large[~large["ID"].isin(read)]["TABLE_NAME"])


def test_pruning_counts_each_reading_statement_once_for_each_table() -> None:
    pruning, by_table = views()["TABLE_QUERY_PRUNING_HISTORY"], views()["TABLE_PRUNING_HISTORY"]
    assert pruning["NUM_QUERIES"].sum() == by_table["NUM_SCANS"].sum()
    for column in ("PARTITIONS_SCANNED", "PARTITIONS_PRUNED", "ROWS_SCANNED"):
        assert pruning[column].sum() == by_table[column].sum()
    joins = pruning[pruning["QUERY_PARAMETERIZED_HASH"] == "shape5"]
    assert set(joins["TABLE_NAME"]) == {"FCT_ORDERS", "FCT_RETURNS"}
    assert (pruning["ROWS_MATCHED"] <= pruning["ROWS_SCANNED"]).all()


def test_lock_waits_are_the_blocked_statements_with_the_writer_before_them() -> None:
    waits = views()["LOCK_WAIT_HISTORY"]
    blocked = statements()[
        (statements()["TRANSACTION_BLOCKED_TIME"] > 0) & (statements()["EXECUTION_STATUS"] == "SUCCESS")
    ]
    writing = blocked[blocked["QUERY_TYPE"] != "SELECT"]
    assert set(waits["QUERY_ID"]) == set(writing.index)
    assert ((waits["ACQUIRED_AT"] - waits["REQUESTED_AT"]) == pd.Timedelta(seconds=7)).all()
    for row in waits.itertuples():
        (blocker,) = json.loads(row.BLOCKER_QUERIES)
        if not blocker["is_snowflake"]:
            before = statements().loc[blocker["query_id"]]
            assert before["END_TIME"] <= statements().loc[row.QUERY_ID]["END_TIME"]
            assert row.OBJECT_NAME in before["QUERY_TEXT"]


def test_insights_follow_from_text_and_figures() -> None:
    found = views()["QUERY_INSIGHTS"]
    of_kind = {
        str(kind).removeprefix("QUERY_INSIGHT_"): set(rows["QUERY_ID"])
        for kind, rows in found.groupby("INSIGHT_TYPE_ID")
    }
    ran = statements()[statements()["EXECUTION_TIME"] > 0]
    assert of_kind["REMOTE_SPILLAGE"] == set(ran[ran["BYTES_SPILLED_TO_REMOTE_STORAGE"] > 0].index)
    assert of_kind["QUEUED_OVERLOAD"] == set(ran[ran["QUEUED_OVERLOAD_TIME"] > 0].index)
    assert of_kind["EXPLODING_JOIN"]
    assert {statements().loc[one]["USER_NAME"] for one in of_kind["EXPLODING_JOIN"]} == {"G_ALVES"}
    good_news = found[~found["IS_OPPORTUNITY"]]
    assert set(good_news["INSIGHT_TYPE_ID"]) == {"QUERY_INSIGHT_FILTER_WITH_CLUSTERING_KEY"}
    assert found["INSIGHT_INSTANCE_ID"].is_unique


def test_acceleration_is_spent_where_it_is_on_and_suggested_where_it_is_off() -> None:
    on = {each.name for each in WAREHOUSES if accelerated(each)}
    assert on == {"TRANSFORM_WH"}
    assert set(views()["QUERY_ACCELERATION_HISTORY"]["WAREHOUSE_NAME"]) == on
    eligible = views()["QUERY_ACCELERATION_ELIGIBLE"]
    assert not set(eligible["WAREHOUSE_NAME"]) & {*on, "EXPLORE_WH"}
    seconds = statements().loc[eligible["QUERY_ID"]]["EXECUTION_TIME"].to_numpy() / 1000
    assert (eligible["ELIGIBLE_QUERY_ACCELERATION_TIME"].to_numpy() < seconds).all()
    assert eligible["UPPER_LIMIT_SCALE_FACTOR"].between(1, 60).all()


def test_tasks_of_warehouses_are_their_statements_and_serverless_ones_poll() -> None:
    tasks = views()["TASK_HISTORY"]
    own = tasks[tasks["NAME"] == "task.expire_carts"]
    theirs = statements()[statements()["USER_NAME"] == "SYSTEM"]
    assert set(own["QUERY_ID"]) == set(theirs.index)
    failed = theirs[theirs["EXECUTION_STATUS"] == "FAIL"]
    assert set(own[own["STATE"] == "FAILED"]["QUERY_ID"]) == set(failed.index)
    assert (own["SCHEDULED_TIME"] <= own["QUERY_START_TIME"]).all()
    polling = tasks[tasks["NAME"] == "ROUTE_EVENTS"]
    skipped = polling[polling["STATE"] == "SKIPPED"]
    assert 0.6 < len(skipped) / len(polling) < 0.8
    assert skipped["QUERY_ID"].isna().all()
    assert polling[polling["STATE"] == "SUCCEEDED"]["QUERY_ID"].notna().all()
    assert (tasks["COMPLETED_TIME"] >= tasks["SCHEDULED_TIME"]).all()


def test_a_task_that_fails_and_runs_again_counts_its_attempts() -> None:
    around = window(0, 2)
    columns = {name: around.queries.column(name).to_pylist()[:4] for name in around.queries.column_names}
    start = columns["START_TIME"][0]
    columns["START_TIME"] = [start + pd.Timedelta(minutes=minute) for minute in (0, 1, 2, 30)]
    columns["END_TIME"] = [moment + pd.Timedelta(seconds=20) for moment in columns["START_TIME"]]
    columns["QUERY_TAG"] = ['{"task": "task.sync"}'] * 4
    columns["ERROR_CODE"] = ["100072", "100072", None, None]
    storm = type(around)(**{**vars(around), "queries": pa.table(columns, schema=around.queries.schema)})
    found = frames(storm)["TASK_HISTORY"].to_pandas()
    runs = found[found["NAME"] == "task.sync"].sort_values("QUERY_START_TIME")
    assert runs["ATTEMPT_NUMBER"].tolist() == [1, 2, 3, 1]
    assert runs["SCHEDULED_FROM"].tolist() == ["SCHEDULE", "AUTOMATIC RETRY", "AUTOMATIC RETRY", "SCHEDULE"]


def test_copied_files_hold_the_statements_bytes_and_failed_loads_leave_no_record() -> None:
    copied = views()["COPY_HISTORY"]
    by_hand, piped = copied[copied["PIPE_NAME"].isna()], copied[copied["PIPE_NAME"].notna()]
    assert set(by_hand["TABLE_NAME"]) == {"CLICKS"}
    assert set(by_hand["STATUS"]) >= {"Loaded", "Load failed"}
    assert (by_hand[by_hand["STATUS"] == "Load failed"]["ROW_COUNT"] == 0).all()
    assert len(views()["LOAD_HISTORY"]) == (by_hand["STATUS"] != "Load failed").sum()
    usage = views()["PIPE_USAGE_HISTORY"]
    for pipe, files in piped.groupby("PIPE_NAME"):
        billed = usage[usage["PIPE_NAME"] == pipe]["BYTES_BILLED"].sum()
        assert files["BYTES_BILLED"].sum() == pytest.approx(
            billed, rel=0.03
        )  # the last hour's files are not yet metered
    assert usage["PIPE_NAME"].isna().any()
    assert (usage["BYTES_INSERTED"] == 0).any()


def test_every_session_has_its_login_and_nobody_signs_in_for_tasks() -> None:
    sessions, logins = views()["SESSIONS"], views()["LOGIN_HISTORY"]
    assert sessions["SESSION_ID"].is_unique
    people = statements()[statements()["USER_NAME"] != "SYSTEM"]
    assert set(sessions["SESSION_ID"]) == set(people["SESSION_ID"])
    good = logins[logins["IS_SUCCESS"] == "YES"]
    assert set(good["EVENT_ID"]) == set(sessions["LOGIN_EVENT_ID"])
    assert logins["EVENT_ID"].is_unique
    assert (logins["ERROR_CODE"].isna() == (logins["IS_SUCCESS"] == "YES")).all()
    services = good[good["USER_NAME"] == "LOADER_SVC"]
    assert set(services["FIRST_AUTHENTICATION_FACTOR"]) == {"RSA_KEYPAIR"}


def test_dynamic_tables_show_one_that_polls_and_one_that_is_always_rebuilt() -> None:
    refreshes = views()["DYNAMIC_TABLE_REFRESH_HISTORY"].groupby("NAME")["REFRESH_ACTION"]
    share = refreshes.value_counts(normalize=True)
    assert share["DT_SESSION_FUNNEL", "NO_DATA"] > 0.6
    assert share["DT_STORE_STOCK", "FULL"] > 0.8
    assert share["DT_CUSTOMER_360", "INCREMENTAL"] > 0.6


def test_replaced_tables_lie_as_deleted_rows_that_cost() -> None:
    metrics = views()["TABLE_STORAGE_METRICS"]
    left = metrics[metrics["DELETED"] & (metrics["TABLE_NAME"] == "STG_CLICKS")]
    assert len(left) > 40
    assert (left["TIME_TRAVEL_BYTES"] + left["FAILSAFE_BYTES"] > 20 * 2**30).all()
    assert ((left["FAILSAFE_BYTES"] > 0) == left["TABLE_ENTERED_FAILSAFE"].notna()).all()
    transient = metrics[metrics["IS_TRANSIENT"] == "YES"]
    assert (transient["FAILSAFE_BYTES"] == 0).all()
    kept = metrics[metrics["RETAINED_FOR_CLONE_BYTES"] > 0]
    assert metrics[metrics["CLONE_GROUP_ID"] == kept["ID"].iloc[0]]["DELETED"].tolist() == [True, False]
    assert metrics["ID"].is_unique


def test_accelerated_statements_carry_what_their_warehouse_pays() -> None:
    around = window(0, 40)
    plain = [name for name in around.queries.column_names if not name.startswith("QUERY_ACCELERATION")]
    marked = acceleration.marked(around.queries.select(plain), around.seed, around.warehouses).to_pandas()
    helped = marked[marked["QUERY_ACCELERATION_UPPER_LIMIT_SCALE_FACTOR"] > 0]
    assert set(helped["WAREHOUSE_NAME"]) == {"TRANSFORM_WH"}
    assert helped["QUERY_ACCELERATION_BYTES_SCANNED"].between(1, helped["BYTES_SCANNED"]).all()
    assert (
        marked[marked["QUERY_ACCELERATION_UPPER_LIMIT_SCALE_FACTOR"] == 0]["QUERY_ACCELERATION_BYTES_SCANNED"] == 0
    ).all()
    ids = around.queries.select(["QUERY_ID"])
    credits = acceleration.attributed(ids, around.queries, around.seed, around.warehouses).to_pandas()
    spent = credits.dropna().set_index("QUERY_ID")["CREDITS_USED_QUERY_ACCELERATION"]
    assert set(spent.index) == set(helped["QUERY_ID"])
    assert spent.sum() == pytest.approx(views()["QUERY_ACCELERATION_HISTORY"]["CREDITS_USED"].sum(), abs=1e-6)
