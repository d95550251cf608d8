"""docs/scan.md against what it describes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from agent.settings import ScanSettings
from tools.finding import FINDING_KINDS, Finding

PAGE = (Path(__file__).parents[2] / "docs" / "scan.md").read_text(encoding="utf-8")


def section(heading: str) -> str:
    return PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def cells(heading: str, first: str) -> list[list[str]]:
    table = section(heading).partition(f"\n| {first} |")[2].partition("\n\n")[0]
    return [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in table.splitlines()[2:]]


def code(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


def shown(default: Any) -> str:
    if default is None:
        return "none"
    if isinstance(default, str):
        return f"`{json.dumps(default)}`"
    return f"`{json.dumps(int(default) if default == int(default) else default)}`"


def test_the_settings_are_those_that_there_are() -> None:
    told = {name.strip("`"): default for name, default, *_ in cells("Settings", "setting")}
    assert told == {name: shown(field.default) for name, field in ScanSettings.model_fields.items()}


def test_every_field_of_a_finding_is_explained_and_no_other() -> None:
    told = [name for first, _ in cells("JSON", "field of a finding") for name in code(first)]
    assert sorted(told) == sorted(Finding.model_fields)


def test_the_kinds_are_kinds() -> None:
    told = [name for first, _ in cells("What it looks at", "kind") for name in code(first)]
    assert len(told) > 10
    assert set(told) <= set(FINDING_KINDS)
