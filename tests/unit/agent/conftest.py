from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.store import Store
from tests.engines import ENGINES, fresh_url
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


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Tests of the store run on each database there is, but those that look into the SQLite file."""
    if "engine" in metafunc.fixturenames:
        on_file = "store_file" in metafunc.fixturenames
        metafunc.parametrize("engine", ENGINES[:1] if on_file else ENGINES, scope="function")


@pytest.fixture
def store(engine: str, tmp_path: Path, request: pytest.FixtureRequest, clock: HandClock) -> Iterator[Store]:
    if engine == "sqlite":
        opened = Store.open(f"sqlite:///{request.getfixturevalue('store_file')}", account="ACME", clock=clock)
        yield opened
        opened.close()
        return
    with fresh_url(engine, tmp_path) as url:
        opened = Store.open(url, account="ACME", clock=clock)
        yield opened
        opened.close()
