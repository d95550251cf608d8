from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.store import Store
from tests.unit.agent.plans import HandClock


@pytest.fixture(scope="session")
def store_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty store to copy: migrating one for each test would take most of the time."""
    path = tmp_path_factory.mktemp("template") / "store.db"
    Store.open(f"sqlite:///{path}", account="ACME", clock=HandClock()).close()
    return path


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def store_file(store_template: Path, tmp_path: Path) -> Path:
    path = tmp_path / "store.db"
    shutil.copy(store_template, path)
    return path


@pytest.fixture
def store(store_file: Path, clock: HandClock) -> Iterator[Store]:
    opened = Store.open(f"sqlite:///{store_file}", account="ACME", clock=clock)
    yield opened
    opened.close()
