from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from agent.store import Store
from bots.slack.types import PlanKey
from tests.slack_server.server import SlackServer
from tests.unit.agent.plans import HandClock
from tests.unit.bots.slack.office import Office, open_office, posted
from tests.unit.bots.slack.scripted import Bot, Opener, bot_on


@pytest.fixture(scope="session")
def store_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty store to copy: migrating one for each test would take most of the time."""
    path = tmp_path_factory.mktemp("template") / "store.db"
    Store.open(path, account="ACME", clock=HandClock()).close()
    return path


@pytest.fixture
def opener(tmp_path: Path, store_template: Path) -> Iterator[Callable[..., Office]]:
    made: list[Office] = []

    def make(**options: object) -> Office:
        made.append(open_office(tmp_path, template=store_template, **options))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for office in made:
        office.store.close()


@pytest.fixture
def office(opener: Callable[..., Office]) -> Office:
    return opener()


@pytest.fixture
def key(office: Office) -> PlanKey:
    """A plan that waits, with its card."""
    return posted(office)


@pytest.fixture(scope="module")
def server() -> Iterator[SlackServer]:
    with SlackServer(scopes=None) as slack:
        yield slack


@pytest.fixture
def slack(server: SlackServer) -> Iterator[SlackServer]:
    yield server
    assert server.violations == []


@pytest.fixture
def opened(slack: SlackServer, tmp_path: Path, store_template: Path) -> Opener:
    def make(**options: Any) -> AbstractContextManager[Bot]:
        return bot_on(slack, tmp_path, store_template, **options)

    return make
