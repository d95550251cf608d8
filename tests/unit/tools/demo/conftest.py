"""The default demo account, built once for all tests of this folder; whoever changes an account takes a copy."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest
from filelock import FileLock

from tests.account import template
from tools.demo import layout
from tools.demo.account import DEFAULT_SEED
from tools.demo.account_file import AccountSettings, settings
from tools.demo.build import NOW, build_demo
from tools.demo.generate.history import History

_ASKED = os.environ.get("FROSTLINE_TEST_SEEDS", "7").replace("all", "1,2,3,5,7")
SEEDS = tuple(int(seed) for seed in _ASKED.split(","))
"""FROSTLINE_TEST_SEEDS=all runs what is asked of any account on five of them."""


@dataclass(frozen=True)
class Generated:
    folder: Path
    """The account's."""
    about: AccountSettings
    con: duckdb.DuckDBPyConnection
    """On the database: schema _RAW holds everything, ACCOUNT_USAGE what is visible at now."""
    seed: int

    @property
    def first(self) -> int:
        """When the history begins, in milliseconds since 1970."""
        return History.load(self.folder / "simulation.json").first


def opened(folder: Path) -> duckdb.DuckDBPyConnection:
    con = duckdb.connect(str(layout.database_file(folder)), read_only=True)
    con.execute("SET TimeZone='UTC'")
    return con


@pytest.fixture(scope="session")
def shared_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Under xdist each worker has a folder of its own below one that they share: that one."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if base.name.startswith("popen") else base


@pytest.fixture(scope="session")
def shared(shared_base: Path) -> Callable[[str, Callable[[Path], None]], Path]:
    """shared(name, build): a folder that one worker builds and all read."""

    def get(name: str, build: Callable[[Path], None]) -> Path:
        folder = shared_base / name
        with FileLock(str(shared_base / f"{name}.lock")):
            if not (folder / "account.toml").exists():
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                build(folder)
        return folder

    return get


@pytest.fixture(scope="session", params=SEEDS)
def generated(
    request: pytest.FixtureRequest, shared: Callable[[str, Callable[[Path], None]], Path], shared_base: Path
) -> Iterator[Generated]:
    seed: int = request.param
    if seed == DEFAULT_SEED:  # the account that scenarios copy: one build for the whole run
        folder = template(shared_base) / "demo" / "account"
    else:
        folder = shared(f"generated-{seed}", lambda target: build_demo(target, seed=seed))
    with opened(folder) as con:
        yield Generated(folder, settings(folder), con, seed)


@pytest.fixture(scope="session")
def fortnight(shared: Callable[[str, Callable[[Path], None]], Path]) -> Path:
    """A small account of twelve days that ends three days before the usual now; copy it before it is changed."""
    return shared(
        "fortnight",
        lambda target: build_demo(target, seed=5, days=12, now=NOW - timedelta(days=3), stage=False),
    )
