"""What was planted in the demo account is found through the product's own path, and little else is said."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from evals.incidents import as_json, score_of
from tools.demo.account import DEFAULT_SEED
from tools.demo.account_file import settings
from tools.demo.process import embedded_config, stop_server
from tools.domain import Account
from tools.warehouse.failures import Doing
from tools.warehouse.reader import SnowflakeReader
from tools.warehouse.session import ReadSession

HISTORY = """
SELECT WAREHOUSE_NAME AS WAREHOUSE, WAREHOUSE_ID AS ID, WAREHOUSE_SIZE AS SIZE, QUERY_PARAMETERIZED_HASH AS TEXT,
    START_TIME AS START, EXECUTION_TIME AS MS, EXECUTION_STATUS AS STATUS
FROM SNOWFLAKE.ACCOUNT_USAGE.QUERY_HISTORY
WHERE START_TIME >= ? AND START_TIME < ? AND WAREHOUSE_SIZE IS NOT NULL
"""


@pytest.fixture
def folder(make_home: Callable[..., Path], template_home: Path) -> Path:
    account = Path("demo") / "account"
    home = make_home()
    shutil.copy(template_home / account / "simulation.json", home / account / "simulation.json")
    return home / account


def test_most_incidents_are_found_and_most_findings_are_incidents(folder: Path) -> None:
    """Loose bounds: `python -m evals.incidents` measures."""
    score = score_of(folder, DEFAULT_SEED)
    told = as_json(score)
    assert told["incidents"] >= 15
    assert score.recall >= 0.75, told
    assert score.precision >= 0.75, told
    assert score.median_delay is not None and score.median_delay <= 4, told
    assert score.false_per_day <= 0.25, "an account that people do not mute"


def test_pace_and_longest_statement_are_what_pandas_makes_of_the_same_rows(folder: Path) -> None:
    config, known = embedded_config(folder, "reader", idle_seconds=120), settings(folder)
    about = Account(
        name=known.name,
        origin=known.origin,
        timezone=known.timezone,
        edition=known.edition,
        credit_price=known.credit_price,
    )
    reader, session = SnowflakeReader(config, about), ReadSession(config, query_tag={})
    try:
        until = known.now - timedelta(days=10)
        times = {"start": until - timedelta(days=4), "end": until}
        pace, longest = (reader.sql(name, times).frame for name in ("series_pace", "series_longest"))
        doing = Doing("reading", role=config.role, views=("QUERY_HISTORY",))
        rows = session.table(HISTORY, tuple(times.values()), doing)[0].to_pandas().rename(columns=str.lower)
    finally:
        reader.close()
        session.close()
        stop_server(folder)
    rows["hour"] = rows["start"].dt.floor("h")
    wanted = rows.groupby(["warehouse", "hour"])["ms"].max() / 1000
    assert shown(longest, "longest") == pytest.approx({key: float(v) for key, v in wanted.items()})
    done = rows[(rows["status"] == "SUCCESS") & (rows["ms"] > 0)].assign(took=lambda r: np.log(r["ms"].astype(float)))
    same = done.groupby(["id", "size", "text"])["took"]
    done = done.assign(usual=same.transform("mean"), times=same.transform("size"), day=done["start"].dt.floor("D"))
    kept = done[(done["times"] >= 20) & (done["usual"] >= np.log(1000))]
    apart = (
        (kept["took"] - kept["usual"]).clip(-2.3, 2.3).groupby([kept["warehouse"], kept["day"]]).agg(["mean", "size"])
    )
    enough = apart.loc[apart["size"] >= 10, "mean"]
    assert len(enough) >= 20
    assert shown(pace, "pace") == pytest.approx({key: 100 * math.exp(v) for key, v in enough.items()}, rel=1e-6)


def shown(frame: pd.DataFrame, column: str) -> dict[tuple[Any, ...], float]:
    return {(row["key"], row["slot"]): float(row[column]) for row in frame.to_dict("records")}
