"""QUERY_HISTORY of a few made-up weeks, and windows of the account around it."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tools.demo.generate.model import Beside, Warehouse
from tools.domain import Size
from tools.warehouse.views import VIEWS

FIRST = datetime(2026, 9, 1, tzinfo=UTC)
ZONE = "America/Los_Angeles"
WAREHOUSES = (
    Warehouse(1, "LOAD_WH", Size.XLARGE, 60, owner="LOADER"),
    Warehouse(2, "TRANSFORM_WH", Size.LARGE, 60, generation="2", owner="TRANSFORMER"),
    Warehouse(3, "adhoc lab", Size.MEDIUM, 60),
    Warehouse(4, "TASK_WH", Size.SMALL, 60),
    Warehouse(5, "EXPLORE_WH", None, None, type="ADAPTIVE", generation=None),
)

# Text, kind, warehouse, user, tag
SHAPES = (
    ("COPY INTO RAW.INGEST.CLICKS FROM @RAW.INGEST.LANDING/clicks/{n}", "COPY", 1, "LOADER_SVC", ""),
    ("MERGE INTO RAW.INGEST.CUSTOMERS t USING RAW.INGEST.CUSTOMERS_DELTA d ON t.ID = d.ID WHEN MATCHED THEN UPDATE "
     "SET t.PAYLOAD = d.PAYLOAD", "MERGE", 1, "LOADER_SVC", ""),
    ("INSERT INTO ANALYTICS.MARTS.MART_REVENUE SELECT DAY, SUM(AMOUNT) FROM ANALYTICS.CORE.FCT_ORDERS WHERE DAY >= "
     "'2026-09-0{n}' GROUP BY 1", "INSERT", 2, "DBT_SVC", '{"app": "dbt", "node_id": "m"}'),
    ("CREATE OR REPLACE TABLE ANALYTICS.SCRATCH.TMP_100{n} AS SELECT * FROM ANALYTICS.CORE.FCT_ORDERS",
     "CREATE_TABLE_AS_SELECT", 3, "A_MORGAN", ""),
    ("SELECT a.V, COUNT(*) FROM RAW.INGEST.CLICKS a JOIN RAW.INGEST.CLICKS b ON a.V = b.V AND b.AT > a.AT LIMIT {n}",
     "SELECT", 3, "G_ALVES", ""),
    ("SELECT o.ID FROM ANALYTICS.CORE.FCT_ORDERS o JOIN ANALYTICS.CORE.FCT_RETURNS r ON r.ID = o.ID WHERE o.DAY >= "
     "'2026-09-0{n}'", "SELECT", 5, "B_SINGH", ""),
    ("DELETE FROM APP.PUBLIC.CARTS WHERE AGE > {n}", "DELETE", 4, "SYSTEM", '{"task": "task.expire_carts"}'),
    ("SHOW TABLES IN SCHEMA ANALYTICS.CORE", "SHOW", 3, "A_MORGAN", ""),
)  # fmt: skip
STEP = 1450


@cache
def queries(days: int) -> pa.Table:
    """One statement about every 24 minutes, for `days` days from FIRST; equal calls share their beginning."""
    count = days * 86_400 // STEP
    n = np.arange(count)
    shape, literal = n * 7 % len(SHAPES), n * 13 % 9
    start = int(FIRST.timestamp()) * 1_000_000 + n * STEP * 1_000_000 + n * 7919 % 60 * 1_000_000
    running = (1 + n * 31 % 400) * 1000
    kinds = [SHAPES[k][1] for k in shape]
    ran = np.array([kind != "SHOW" for kind in kinds])
    failed = n % 37 == 5
    text = [SHAPES[k][0].replace("{n}", str(v)) for k, v in zip(shape, literal, strict=True)]
    ids = {w.id: w for w in WAREHOUSES}
    warehouse = np.array([SHAPES[k][2] for k in shape])
    elapsed = np.where(ran, running, 0) + 300
    sizes = np.where(warehouse == 5, "ADAPTIVE", "Medium").tolist()
    columns = {
        "QUERY_ID": [f"q{number:06d}" for number in n],
        "QUERY_TEXT": text,
        "QUERY_HASH": [hashlib.md5(t.encode()).hexdigest() for t in text],
        "QUERY_PARAMETERIZED_HASH": [f"shape{k}" for k in shape],
        "DATABASE_NAME": ["ANALYTICS"] * count,
        "DATABASE_ID": [11] * count,
        "SCHEMA_NAME": ["CORE"] * count,
        "SCHEMA_ID": [41] * count,
        "QUERY_TYPE": kinds,
        "SESSION_ID": 7_700_000_000 + shape * 10_000 + start // 86_400_000_000 % 10_000,
        "USER_NAME": [SHAPES[k][3] for k in shape],
        "WAREHOUSE_ID": warehouse,
        "WAREHOUSE_NAME": [ids[k].name for k in warehouse.tolist()],
        "WAREHOUSE_SIZE": [size if r else None for size, r in zip(sizes, ran, strict=True)],
        "WAREHOUSE_TYPE": np.where(warehouse == 5, "ADAPTIVE", "STANDARD").tolist(),
        "QUERY_TAG": [SHAPES[k][4] for k in shape],
        "EXECUTION_STATUS": np.where(failed, "FAIL", "SUCCESS").tolist(),
        "ERROR_CODE": ["100038" if bad else None for bad in failed],
        "ERROR_MESSAGE": ["Numeric value 'n/a' is not recognized" if bad else None for bad in failed],
        "START_TIME": pa.array(start).cast(pa.timestamp("us", tz="UTC")),
        "END_TIME": pa.array(start + elapsed * 1000).cast(pa.timestamp("us", tz="UTC")),
        "TOTAL_ELAPSED_TIME": elapsed,
        "EXECUTION_TIME": np.where(ran, running, 0),
        "COMPILATION_TIME": np.full(count, 200),
        "BYTES_SCANNED": np.where(ran, running * 2_000_000, 0),
        "PARTITIONS_SCANNED": np.where(ran, 40 + n % 900, 0),
        "PARTITIONS_TOTAL": np.where(ran, 41 + n % 1000, 0),
        "BYTES_SPILLED_TO_REMOTE_STORAGE": np.where(n % 50 == 3, 2_000_000_000, 0),
        "TRANSACTION_BLOCKED_TIME": np.where((n % 11 == 0) & ran, 7000, 0),
        "QUEUED_OVERLOAD_TIME": np.where(n % 29 == 0, 20_000, 0),
        "TRANSACTION_ID": n + 1,
    }  # fmt: skip
    table = pa.table(columns)
    for name, kind in VIEWS["QUERY_HISTORY"].columns.items():
        if name not in columns:
            table = table.append_column(name, pa.nulls(count, pa.string() if kind == "V" else pa.int64()))
    return table


def window(
    since: float = 0, until: float = 40, *, seed: int = 7, first: datetime = FIRST, before: float = 2, total: int = 60
) -> Beside:
    """Days after FIRST; the statements that ended in the window, and those of `before` days before it."""
    begin, end = (first + timedelta(days=days) for days in (since, until))
    known = queries(total)
    ended = known.column("END_TIME")
    kept = pc.and_(
        pc.greater(ended, pa.scalar(begin - timedelta(days=before), type=ended.type)),
        pc.less_equal(ended, pa.scalar(end, type=ended.type)),
    )
    return Beside(seed, first, begin, end, ZONE, known.filter(kept), WAREHOUSES)
