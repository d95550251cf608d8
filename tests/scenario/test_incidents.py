"""What was planted in the demo account is found through the product's own path, and little else is said."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from evals.incidents import as_json, score_of
from tools.demo.account import DEFAULT_SEED


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
