from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.store import Store
from tests.unit.agent.plans import HandClock
from tests.unit.bots.slack.office import Office, open_office


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
