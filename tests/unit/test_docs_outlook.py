"""docs/forecasts.md, docs/anomalies.md and the examples in profiles/, held against the code."""

from __future__ import annotations

import re
import tomllib
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from agent.settings import AnomalySettings, BudgetSettings, ForecastSettings
from agent.settings_outlook import preferences_of
from tools.anomalies import WATCHES
from tools.windows.future import read_future

ROOT = Path(__file__).parents[2]
FORECASTS = (ROOT / "docs" / "forecasts.md").read_text(encoding="utf-8")
ANOMALIES = (ROOT / "docs" / "anomalies.md").read_text(encoding="utf-8")
NOW = datetime(2026, 11, 18, 17, 20, tzinfo=UTC)


def example(page: str) -> dict[str, Any]:
    (block,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    return tomllib.loads(block)


def settings(table: dict[str, Any]) -> tuple[BudgetSettings, ForecastSettings, AnomalySettings]:
    return (
        BudgetSettings.model_validate(table.get("budget", {})),
        ForecastSettings.model_validate(table.get("forecast", {})),
        AnomalySettings.model_validate(table.get("anomalies", {})),
    )


def test_the_examples_load_and_reach_the_tools() -> None:
    known = preferences_of(*settings(example(FORECASTS) | example(ANOMALIES)))
    assert known.monthly_usd == 30_000 and known.country == "DE"
    assert known.contract is not None and known.contract.used_on == date(2026, 6, 30)
    assert [plan.warehouse for plan in known.planned] == ["ETL_WH"]


@pytest.mark.parametrize("profile", sorted((ROOT / "profiles").glob("*.toml")), ids=lambda path: path.stem)
def test_the_examples_in_the_profiles_load(profile: Path) -> None:
    text = profile.read_text(encoding="utf-8")
    lines = [line[2:] for line in text[text.index("# [budget]") :].splitlines() if re.match(r"# (\[|\w+ = )", line)]
    preferences_of(*settings(tomllib.loads("\n".join(lines))))


def test_every_setting_stands_on_its_page() -> None:
    said = set(re.findall(r"`(\w+)`", FORECASTS[FORECASTS.index("## Settings") :]))
    assert (set(BudgetSettings.model_fields) | set(ForecastSettings.model_fields)) - said == set()
    assert set(AnomalySettings.model_fields) - set(re.findall(r"`(\w+)`", ANOMALIES)) == set()


def test_every_phrase_of_the_page_is_read() -> None:
    table = FORECASTS[FORECASTS.index("| say | means |") : FORECASTS.index("**Follow-ups**")]
    phrases = [cell.strip() for row in re.findall(r"^\| ([^|]+) \|", table, re.M)[2:] for cell in row.split(",")]
    assert len(phrases) > 12
    for phrase in phrases:
        assert read_future(phrase, NOW, "UTC").window.end > NOW


def test_everything_that_is_watched_stands_on_the_page() -> None:
    for watch in WATCHES:
        assert watch.title in ANOMALIES.lower() or watch.title.split()[0] in ANOMALIES.lower(), watch


@pytest.mark.parametrize(
    "budget",
    [
        {"monthly_usd": 1.0, "monthly_credits": 1.0},
        {"contract_usd": 1.0},
        {"contract_usd": 1.0, "contract_start": date(2026, 2, 1), "contract_end": date(2026, 1, 1)},
        {"contract_start": date(2026, 1, 1), "contract_end": date(2026, 12, 31)},
    ],
)
def test_a_budget_that_is_not_whole_is_refused(budget: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        BudgetSettings.model_validate(budget)


def test_planned_work_ends_after_it_starts() -> None:
    with pytest.raises(ValidationError):
        AnomalySettings.model_validate({"planned": [{"start": NOW, "end": NOW}]})
