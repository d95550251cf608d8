"""The two questions of every morning, end to end: a process, one JSON object, a picture that is not blank."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.image import imread

from tests import account
from tests.scenario.commands import answer, cli, opened

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def home(template_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    made = account.new_home(template_home, tmp_path_factory.mktemp("outlook") / "home")
    yield made
    account.stop_server(made)


@pytest.fixture(scope="module")
def busiest(home: Path) -> str:
    """The warehouse with the most credits, as its first word: people say 'ETL', not 'ETL_WH'."""
    with opened(home) as runtime:
        turn = runtime.ask("credits by warehouse last week", thread=None, person=runtime.person())
    return next(fact.entity for fact in turn.facts if fact.entity) or ""


def colours(picture: Path) -> Callable[[str], float]:
    pixels = np.asarray(imread(picture))[..., :3]
    assert pixels.shape[0] > 500 and pixels.shape[1] > 900

    def share(colour: str) -> float:
        wanted = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
        return float((np.abs(pixels - wanted).max(axis=-1) < 0.08).mean())

    return share


def test_what_will_it_cost_next_month_with_a_chart(home: Path, busiest: str, tmp_path: Path) -> None:
    picture = tmp_path / "f.png"
    said = busiest.removesuffix("_WH").lower()
    turn = answer(home, "ask", f"what will {said} cost next month?", "--chart", str(picture))
    assert turn["status"] == "ok" and turn["chart"] == str(picture)
    assert turn["tool_calls"][0]["name"] == "run_forecast"
    assert turn["tool_calls"][0]["args"]["filters"] == {"warehouse": [busiest]}
    by_label: dict[str, Any] = {fact["label"]: fact for fact in turn["facts"] if fact["entity"] == busiest}
    low, high = (by_label[f"cost, {end} end of the 80 % interval"]["value"] for end in ("low", "high"))
    assert 0 <= low <= by_label["cost, expected"]["value"] <= high
    assert by_label["cost, expected"]["window"]["start"] > turn["facts"][0]["as_of"]
    assert "1 - WAPE" in turn["answer"] and "charts" not in turn
    share = colours(picture)
    assert share("#1f3b63") > 0.001 and share("#d9730d") > 0.001  # the history and the forecast


def test_anything_odd_since_monday_with_a_chart(home: Path, tmp_path: Path) -> None:
    picture = tmp_path / "a.png"
    turn = answer(home, "ask", "anything odd since Monday?", "--chart", str(picture))
    assert turn["status"] == "ok"
    found = next(fact["value"] for fact in turn["facts"] if fact["label"] == "findings")
    assert ("Nothing odd" in turn["answer"]) == (found == 0)
    if found:
        assert turn["chart"] == str(picture)
        share = colours(picture)
        assert share("#1f3b63") > 0.001 and share("#c0322b") > 0.0002  # the series, and what is odd in it
    else:
        assert turn["chart"] is None and not picture.exists()


def test_a_terminal_gets_a_line_of_blocks(home: Path) -> None:
    code, said, _ = cli(home, "ask", "forecast credits for the next 14 days")
    assert code == 0
    line = next(line for line in said.splitlines() if "┊" in line and "forecast begins" not in line)
    assert set(line) <= set("▁▂▃▄▅▆▇█┊")


def budget(home: Path, *args: str, code: int = 0, **env: str) -> dict[str, Any]:
    got, said, _ = cli(home, "budget", *args, "--json", **env)
    assert got == code, said
    found: dict[str, Any] = json.loads(said)
    return found


def test_the_budget_command(home: Path) -> None:
    tight = budget(home, "10")
    assert tight["data"]["verdict"] == "over" and tight["status"] == "ok"
    loose = budget(home, "10000k", "--credits")
    assert any(fact["label"] == "budget" and fact["value"] == 10_000_000.0 for fact in loose["facts"])
    assert loose["data"]["verdict"] == "within" and loose["data"]["overrun_percent"] < 2.5
    assert budget(home, "--period", "contract", code=2)["error"]["code"] == "bad_argument"
    contract = {
        "FROSTLINE_BUDGET__CONTRACT_CREDITS": "1000000",
        "FROSTLINE_BUDGET__CONTRACT_START": "2020-01-01",
        "FROSTLINE_BUDGET__CONTRACT_END": "2031-12-31",
    }
    refused = budget(home, "--period", "contract", code=2, **contract)
    assert "contract_used" in refused["error"]["hint"]
