"""`frostline demo --slack`: a real process on an account of its own."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as Xml
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bots.slack.render.check import problems
from bots.slack.types import Message
from tests.scenario.commands import alters, cli, opened, run

pytestmark = pytest.mark.timeout(300)


def test_the_tour_in_slack_shows_every_message_draws_it_and_takes_its_change_back(
    make_home: Callable[..., Path], tmp_path: Path
) -> None:
    home, pictures = make_home(), tmp_path / "pictures"
    before = _waits(home)
    done = run(home, "demo", "--slack", "--json", "--pictures", str(pictures))
    assert done.returncode == 0, done.stderr
    shown: list[dict[str, Any]] = [json.loads(line) for line in done.stdout.splitlines()]

    assert len(shown) == len(list(pictures.iterdir())) >= 15
    for payload in shown:
        is_view = payload.get("type") in ("modal", "home")
        assert problems(payload if is_view else Message(payload["text"], tuple(payload["blocks"]))) == []
    everything = json.dumps(shown)
    for action in ("approve", "decline", "details", "undo", "evidence", "chart", "feedback"):
        assert f"frostline_{action}" in everything
    for file in pictures.iterdir():
        svg = file.read_text()
        assert Xml.fromstring(svg).tag.endswith("svg")
        assert set(re.findall(r"https?://[^\"]+", svg)) == {"http://www.w3.org/2000/svg"} and "@font-face" not in svg

    made = [row["statement"] for row in alters(home)]
    assert len(made) == 2 and all(json.dumps(statement)[1:-1] in everything for statement in made)
    assert _waits(home) == before
    with opened(home) as runtime:
        assert {record.state.is_final for record in runtime.store.list()} == {True}


def test_pictures_and_payloads_are_of_the_tour_in_slack_only(make_home: Callable[..., Path], tmp_path: Path) -> None:
    home = make_home()
    code, _, stderr = cli(home, "demo", "--json")
    assert code == 2 and "go with --slack" in stderr
    file = tmp_path / "file"
    file.write_text("")
    code, _, stderr = cli(home, "demo", "--slack", "--pictures", str(file))
    assert code == 2 and "The folder cannot be made" in stderr


def _waits(home: Path) -> dict[str, int | None]:
    with opened(home) as runtime:
        return {w.name: w.auto_suspend for w in runtime.reader.warehouses()}
