"""Kinds of work that people name as if they were warehouses."""

from __future__ import annotations

import pytest

from agent.offline.workloads import find_workloads

HOUSE = ("INGEST_WH", "LOAD_WH", "TRANSFORM_WH", "adhoc lab", "SCIENCE_WH", "DOWNLOADS_WH")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("what will ETL cost next month?", ("INGEST_WH", "LOAD_WH", "TRANSFORM_WH")),
        ("credits of etl last week", ("INGEST_WH", "LOAD_WH", "TRANSFORM_WH")),
        ("how much does data science use?", ("SCIENCE_WH",)),
        ("what do dashboards cost?", None),
        ("what did ETL_WH cost?", None),
        ("the etl-job tag", None),
    ],
)
def test_a_kind_of_work_is_the_warehouses_whose_names_speak_of_it(text: str, expected: tuple[str, ...] | None) -> None:
    found = find_workloads(text, HOUSE, ())
    assert [one.names for one in found] == ([expected] if expected else [])


def test_what_is_part_of_a_name_is_no_kind_of_work() -> None:
    assert find_workloads("credits of BI", ("BI_WH", "REPORT_WH"), [(11, 13)]) == []
