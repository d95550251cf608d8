from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.store import Store
from tests.graph.house import House, build_house
from tests.unit.agent.plans import HandClock


@pytest.fixture(scope="session")
def store_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty store to copy: migrating one for each test would take most of the time."""
    path = tmp_path_factory.mktemp("template") / "store.db"
    Store.open(f"sqlite:///{path}", account="ACME", clock=HandClock()).close()
    return path


@pytest.fixture
def store_url(store_template: Path, tmp_path: Path) -> str:
    path = tmp_path / "store.db"
    shutil.copy(store_template, path)
    return f"sqlite:///{path}"


@pytest.fixture
def house(tmp_path: Path, store_url: str) -> Iterator[House]:
    built = build_house(tmp_path, store_url)
    yield built
    built.store.close()
