"""QUERY_METERING_HISTORY against the metering of its warehouse."""

from __future__ import annotations

from datetime import UTC, datetime

import pyarrow as pa

from tools.demo.generate.days import milliseconds
from tools.demo.generate.history import History


def test_adaptive_statements_add_up_to_their_warehouse_hour_by_hour() -> None:
    views: dict[str, list[pa.Table]] = {}
    first, until = datetime(2026, 9, 1, tzinfo=UTC), datetime(2026, 9, 18, tzinfo=UTC)
    history = History.begin(3, milliseconds(first), days=17)
    history.advance(
        milliseconds(until), lambda name, rows: views.setdefault(name, []).append(rows), lambda *_: None, stage=False
    )
    queries, hours, all_queries = (
        pa.concat_tables(views[name]).to_pandas()
        for name in ("QUERY_METERING_HISTORY", "WAREHOUSE_METERING_HISTORY", "QUERY_HISTORY")
    )
    assert len(queries) > 100
    metered = hours[hours["WAREHOUSE_NAME"].isin(queries["WAREHOUSE_NAME"].unique())]
    metered = metered.set_index(["WAREHOUSE_NAME", "START_TIME"])["CREDITS_USED_COMPUTE"]
    by_hour = queries.groupby(["WAREHOUSE_NAME", "QUERY_METERING_HOUR"])["CREDITS_USED_COMPUTE"].sum()
    by_hour = by_hour[by_hour.index.get_level_values(1) < queries["QUERY_METERING_HOUR"].max()]
    assert (by_hour - metered.reindex(by_hour.index)).abs().max() < 1e-6
    by_query = queries.groupby("QUERY_ID")["CREDITS_USED_CLOUD_SERVICES"].sum()
    once = all_queries.set_index("QUERY_ID")["CREDITS_USED_CLOUD_SERVICES"].reindex(by_query.index)
    assert (by_query - once).abs().max() < 1e-9
