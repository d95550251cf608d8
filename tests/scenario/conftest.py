from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests import account


@pytest.fixture(scope="session")
def template_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    # Under xdist each worker has a folder of its own below one that they share.
    base = tmp_path_factory.getbasetemp()
    return account.template(base.parent if base.name.startswith("popen-") else base)


@pytest.fixture
def make_home(template_home: Path, tmp_path: Path) -> Iterator[Callable[..., Path]]:
    """Homes with an account and a server of their own; the servers are stopped afterwards."""
    made: list[Path] = []

    def make(name: str = "home", policy: str | None = None) -> Path:
        made.append(account.new_home(template_home, tmp_path / name, policy=policy))
        return made[-1]

    yield make
    for home in made:
        account.stop_server(home)
