"""The examples of [llm] in profiles/, commented out there, are settings that load."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from agent.settings import LlmSettings

PROFILES = sorted((Path(__file__).parents[2] / "profiles").glob("*.toml"))


@pytest.mark.parametrize("profile", PROFILES, ids=lambda path: path.stem)
def test_the_example_loads(profile: Path) -> None:
    text = profile.read_text(encoding="utf-8")
    lines = [line[2:] for line in text[text.index("# [llm]") :].splitlines() if re.match(r"# (\[|\w+ = )", line)]
    lines = lines[: next((n for n, line in enumerate(lines) if line.startswith("[") and "llm" not in line), None)]
    lines = [line for line in lines if not line.startswith("[llm.secondary]")]
    found = LlmSettings.model_validate(tomllib.loads("\n".join(lines))["llm"] | {"api_key": "k"})
    assert found.models
    defaults = {"question_tokens", "question_usd", "day_tokens", "day_usd", "mask_users", "mask_objects", "azure_auth"}
    shown = {name: getattr(found, name) for name in defaults & found.model_fields_set}
    assert shown == {name: LlmSettings.model_fields[name].default for name in shown}
