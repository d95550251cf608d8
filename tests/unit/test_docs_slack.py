"""docs/slack.md against what it describes: settings, scopes, events, messages, states, pictures."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from agent.settings import SlackSettings
from bots.slack.render.plan_lines import state_words
from tools.domain import PlanState

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "slack.md").read_text(encoding="utf-8")
MANIFEST = json.loads((ROOT / "slack-manifest.json").read_text(encoding="utf-8"))


def section(heading: str) -> str:
    return PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def rows(heading: str, first: str) -> Iterator[list[str]]:
    """Of the table whose head begins with `first`."""
    table = section(heading).partition(f"\n| {first} |")[2].partition("\n\n")[0]
    for line in table.splitlines()[2:]:
        yield [cell.strip() for cell in line.strip().strip("|").split("|")]


def code(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


def shown(default: Any) -> str:
    if default is None:
        return "none"
    return f"`{json.dumps(list(default) if isinstance(default, tuple) else default)}`"


def test_the_settings_table_is_the_settings_with_their_defaults() -> None:
    told = {name.strip("`"): default for name, default, *_ in rows("Settings", "setting")}
    assert told == {name: shown(field.default) for name, field in SlackSettings.model_fields.items()}


def test_every_scope_and_event_of_the_manifest_is_explained_and_no_other() -> None:
    heading = "What it reads and keeps"
    scopes = [name for first, why in rows(heading, "scope") for name in code(first) if why]
    assert sorted(scopes) == MANIFEST["oauth_config"]["scopes"]["bot"]
    events = [name for first, why in rows(heading, "event") for name in code(first) if why]
    assert sorted(events) == MANIFEST["settings"]["event_subscriptions"]["bot_events"]


def test_the_messages_in_troubleshooting_are_what_frostline_says() -> None:
    folders = ("agent", "bots", "tools")
    source = "\n".join(f.read_text(encoding="utf-8") for folder in folders for f in (ROOT / folder).rglob("*.py"))
    said = [message for first, _ in rows("Troubleshooting", "you see") for message in code(first)]
    assert len(said) > 20
    assert [message for message in said if message not in source] == []


def test_a_card_says_what_the_page_says() -> None:
    told = section("Approvals")
    for state in PlanState:
        assert state_words(state).partition(":")[0] in told, state


def test_every_picture_is_shown_with_a_text_and_drawn_by_the_tour() -> None:
    found = dict(reversed(each) for each in re.findall(r"!\[([^\]]+)\]\(pictures/([^)]+)\)", PAGE))
    assert sorted(found) == sorted(file.name for file in (ROOT / "docs" / "pictures").iterdir())
    tour = (ROOT / "bots" / "cli" / "slack_tour.py").read_text(encoding="utf-8")
    for name, text in found.items():
        assert len(text) > 40 and f'"{name.removesuffix(".svg")}"' in tour, name


def test_links_inside_the_page_lead_somewhere() -> None:
    anchors = {re.sub(r"[^a-z0-9 -]", "", h.lower()).replace(" ", "-") for h in re.findall(r"^## (.+)$", PAGE, re.M)}
    for target in re.findall(r"\]\(([^)]+)\)", PAGE):
        file, _, anchor = target.partition("#")
        if target.startswith("https://"):
            continue
        assert (ROOT / "docs" / file).exists() if file else anchor in anchors, target
