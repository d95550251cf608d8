"""Charts show the facts of an answer and nothing else."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from bots.charts import draw_facts, series_of
from tools.errors import BadArgument


def fact(
    entity: str | None, value: float | str | None, label: str = "credits used", unit: str = "credits"
) -> dict[str, Any]:
    return {
        "label": label,
        "unit": unit,
        "entity": entity,
        "value": value,
        "source": "METERING_HISTORY",
        "as_of": "2026-11-18T17:20:00Z",
    }


DAYS = [fact(None, 6.0), *(fact(f"2026-11-0{n}", float(n)) for n in range(1, 4)), fact(None, "x", unit="time")]


def test_the_series_is_the_longest_group_of_one_label_and_unit() -> None:
    other = [fact("2026-11-01", 3.0, label="queries", unit="count")]
    assert [f["value"] for f in series_of(DAYS + other)] == [1.0, 2.0, 3.0]
    assert series_of([fact(None, 1.0), fact("A", 2.0), fact("B", None)]) == []


@pytest.mark.parametrize("suffix", [".png", ".svg"])
@pytest.mark.parametrize("facts", [DAYS, [fact("adhoc $lab$ \\frac", 2.0), fact('"x<y>&', 1.0)]])
def test_it_is_drawn(tmp_path: Path, suffix: str, facts: list[dict[str, Any]]) -> None:
    file = tmp_path / f"chart{suffix}"
    assert draw_facts(facts, file)
    assert file.read_bytes().startswith(b"\x89PNG" if suffix == ".png" else b"<?xml")


def test_a_chart_says_when_it_was_and_time_goes_from_left_to_right(tmp_path: Path) -> None:
    file = tmp_path / "chart.svg"
    days = [fact(f"2026-10-{n:02}", float(n)) for n in range(31, 0, -1)]
    for day in days:
        day["window"] = {"start": f"{day['entity']}T00:00:00Z", "end": f"{day['entity']}T23:00:00Z", "tz": "UTC"}
    assert draw_facts(days, file)
    drawn = file.read_text()
    assert "Credits used (2026-10-01 00:00 to 2026-10-31 23:00)" in drawn
    labels = re.findall(r"<!-- (2026-10-\d\d) -->", drawn)
    assert labels == sorted(labels) and 3 < len(labels) <= 10


def test_bytes_are_written_as_people_write_them(tmp_path: Path) -> None:
    file = tmp_path / "chart.svg"
    assert draw_facts([fact("A", 4e12, unit="bytes"), fact("B", 2e12, unit="bytes")], file)
    assert "4 TB" in file.read_text() and "1e12" not in file.read_text()


def test_what_is_left_out_is_said(tmp_path: Path) -> None:
    file = tmp_path / "chart.svg"
    many = [fact(f"WH_{n}", float(n)) for n in range(61)]
    assert draw_facts(many, file) and "the first 60 of 61" in file.read_text()
    assert draw_facts(many[:60], file) and "the first" not in file.read_text()


def test_nothing_to_draw_writes_nothing(tmp_path: Path) -> None:
    assert not draw_facts([fact(None, 1.0)], tmp_path / "chart.png")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["chart.exe", "chart", "no/such/folder/chart.png"])
def test_a_file_that_cannot_be_one(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadArgument):
        draw_facts(DAYS, tmp_path / name)
