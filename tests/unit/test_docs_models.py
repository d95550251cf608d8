"""docs/models.md, held against the code."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from pydantic import SecretStr

from agent.settings import LlmModel, LlmSettings

PAGE = (Path(__file__).parents[2] / "docs" / "models.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)


def test_every_setting_stands_on_the_page() -> None:
    table = PAGE[PAGE.index("## Settings") :]
    assert set(LlmSettings.model_fields) - set(re.findall(r"`(\w+)`", table)) == set()


@pytest.mark.parametrize(
    "name",
    [
        "api",
        "temperature",
        "max_output_tokens",
        "timeout_s",
        "connect_s",
        "first_token_s",
        "between_tokens_s",
        "retries",
    ],
)
def test_defaults(name: str) -> None:
    default = LlmModel.model_fields[name].default
    assert re.search(rf"^\| `{name}` \| `?{default}`? \|", PAGE, re.MULTILINE)


def test_budgets() -> None:
    said = dict(
        re.findall(r"^\| `(\w+)` \| ([\d,.]+) \| ", PAGE[PAGE.index("## Budgets") : PAGE.index("## When")], re.M)
    )
    found = {name: float(value.replace(",", "")) for name, value in said.items()}
    assert found == {name: float(LlmSettings.model_fields[name].default) for name in found} and len(found) == 4


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_examples_are_profiles(number: int) -> None:
    given = tomllib.loads(BLOCKS[number])
    table = given.get("llm")
    if table is None:  # the lines for Entra, which go below those before
        table = tomllib.loads(BLOCKS[number - 1] + BLOCKS[number])["llm"]
    table = table.get("secondary", table)
    one = LlmModel.model_validate({"api_key": SecretStr("k")} | table)
    assert one.kind == table["provider"]
