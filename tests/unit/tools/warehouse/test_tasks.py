"""Which warehouse a scheduled run is laid to, and when that cannot be told."""

from __future__ import annotations

from typing import Any

import pytest

from tools.warehouse.tasks import due_on


def task(name: str, warehouse: str | None, place: str = "A.S", number: str | None = None) -> dict[str, Any]:
    database, schema = place.split(".")
    where = {"database_name": database, "schema_name": schema, "warehouse": warehouse}
    return {"id": number or f"{place}.{name}", "name": name, **where}


def run(name: str, root: str, place: str | None = "A.S") -> dict[str, Any]:
    database, schema = place.split(".") if place else (None, None)
    return {"name": name, "root_task_id": root, "database_name": database, "schema_name": schema}


TASKS = [
    task("LOAD", "ETL"),
    task("LOAD", "BI", "B.S"),
    task("MERGE", "ETL"),
    task("MERGE", "ETL", "B.S"),
    task("LIGHT", None),
    task("EMPTY", "null"),
]


@pytest.mark.parametrize(
    ("runs", "due"),
    [
        ([], 0),
        ([run("LOAD", "A.S.LOAD"), run("LOAD", "B.S.LOAD", "B.S")], 1),
        ([run("LOAD", "A.S.LOAD", None)], 1),  # its place is hidden: the id tells
        ([run("LOAD", "A.S.FIRST", "A.S")], 1),  # behind another task: its place tells
        ([run("MERGE", "X", None)], 1),  # both of that name use the same warehouse
        ([run("LIGHT", "A.S.LIGHT"), run("EMPTY", "A.S.EMPTY")], 0),  # serverless, as SHOW prints it
        ([run("LOAD", "X", None)], None),
        ([run("LOAD", "A.S.LOAD"), run("OTHERS", "Y", None)], None),
    ],
)
def test_a_run_counts_for_its_own_warehouse_alone(runs: list[dict[str, Any]], due: int | None) -> None:
    assert due_on("ETL", runs, TASKS) == due
