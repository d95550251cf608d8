"""A Chart as a picture and as a line of text: what is in it can be seen, and hostile names are only text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.image import imread

from bots.charts import draw, sparkline
from bots.charts.amounts import amount
from tools.charts import Band, Chart, Mark, Point
from tools.errors import BadArgument

START = datetime(2026, 11, 1, tzinfo=UTC)


def at(day: int) -> datetime:
    return START + timedelta(days=day)


def chart(**changes: Any) -> Chart:
    ahead = tuple(at(day) for day in range(10, 15))
    values: dict[str, Any] = {
        "title": "Cost of `ETL $WH$`, by day",
        "unit": "USD",
        "timezone": "America/Los_Angeles",
        "history": tuple(Point(time=at(day), value=100.0 + day) for day in range(10)),
        "forecast": tuple(Point(time=time, value=110.0) for time in ahead),
        "bands": (
            Band(level=95, time=ahead, lo=(80.0,) * 5, hi=(140.0,) * 5),
            Band(level=80, time=ahead, lo=(95.0,) * 5, hi=(125.0,) * 5),
        ),
        "marks": (Mark(start=at(4), end=at(5), label="a spike"),),
        "source": "METERING_HISTORY, as of 2026-11-11",
        "alt": "Line chart of cost.",
    }
    return Chart(**(values | changes))


def pixels(file: Path) -> np.ndarray:
    return np.asarray(imread(file))[..., :3]


def share(picture: np.ndarray, colour: str) -> float:
    """How much of the picture is nearly of the colour."""
    wanted = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return float((np.abs(picture - wanted).max(axis=-1) < 0.08).mean())


def test_history_forecast_and_mark_are_in_the_picture(tmp_path: Path) -> None:
    file = tmp_path / "chart.png"
    assert draw(chart(), file)
    picture = pixels(file)
    assert picture.shape[1] > 1_000  # wide enough to be read on a phone
    for colour in ("#1f3b63", "#d9730d", "#c0322b"):
        assert share(picture, colour) > 0.0005, colour
    without = tmp_path / "without.png"
    draw(chart(forecast=(), bands=(), marks=()), without)
    assert share(pixels(without), "#d9730d") == 0 and share(pixels(without), "#c0322b") == 0


def test_words_title_units_zone_and_limit_stand_in_it(tmp_path: Path) -> None:
    import matplotlib as mpl

    file = tmp_path / "chart.svg"
    with mpl.rc_context({"svg.fonttype": "none"}):
        assert draw(chart(limit=130.0, limit_label="budget"), file)
    text = file.read_text(encoding="utf-8")
    for part in (
        "ETL $WH$",
        "USD",
        "America/Los_Angeles",
        "a spike",
        "80 % interval",
        "budget: $130",
        "METERING_HISTORY",
    ):
        assert part in text, part


def test_the_alternative_text_is_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / "chart.png"
    draw(chart(), file)
    assert b"Line chart of cost." in file.read_bytes()


@pytest.mark.parametrize("name", ["$\\frac{1}{0}$", "名前 🔥", "a\u202eb", "x" * 400, "<script>&amp;", "%s {0} \\n"])
def test_any_name_is_only_text(tmp_path: Path, name: str) -> None:
    assert draw(chart(title=name, marks=(Mark(start=at(1), end=at(3), label=name),)), tmp_path / "chart.png")


@pytest.mark.parametrize(
    "changes",
    [
        {"history": ()},
        {"history": (Point(time=at(0), value=0.0),), "forecast": (), "bands": (), "marks": ()},
        {"history": tuple(Point(time=at(d), value=0.0) for d in range(5)), "forecast": (), "bands": ()},
        {"marks": tuple(Mark(start=at(d), end=at(d + 1), label=f"no {d}") for d in range(9))},
        {"unit": "bytes", "history": tuple(Point(time=at(d), value=3e12 * d) for d in range(10))},
    ],
)
def test_odd_charts_are_drawn_too(tmp_path: Path, changes: dict[str, Any]) -> None:
    assert draw(chart(**changes), tmp_path / "chart.png")


def test_nothing_is_not_drawn(tmp_path: Path) -> None:
    assert not draw(chart(history=(), forecast=(), bands=(), marks=()), tmp_path / "chart.png")
    with pytest.raises(BadArgument):
        draw(chart(), tmp_path / "chart.pdf")
    with pytest.raises(BadArgument):
        draw(chart(), tmp_path / "no" / "folder.png")


def test_a_line_of_text_for_a_terminal() -> None:
    line, said = sparkline(chart(), width=40)
    assert len(line) <= 40 and line.count("┊") == 1
    assert line.index("┊") > len(line) / 2
    assert "2026-10-31 to 2026-11-14 America/Los_Angeles" in said and "$110" in said
    assert sparkline(chart(history=(), forecast=())) == []
    given = chart()
    assert sparkline(chart(forecast=(given.history[-1], *given.forecast)), width=40) == [line, said], "met, drawn once"
    assert len(sparkline(chart(history=tuple(Point(time=at(d), value=d) for d in range(700))), width=60)[0]) <= 60


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (1250.4, "USD", "$1,250"),
        (-3.0, "USD", "-$3"),
        (12.345, "credits", "12.3 credits"),
        (5400.0, "s", "90 min"),
        (2.5e12, "bytes", "2.50 TB"),
        (1500.0, "bytes", "1.50 kB"),
        (4200.0, "count", "4,200"),
    ],
)
def test_amounts_are_short(value: float, unit: Any, text: str) -> None:
    assert amount(value, unit) == text
