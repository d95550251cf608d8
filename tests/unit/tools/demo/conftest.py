"""One small generated account for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pytest

from tools.demo.account import AccountSettings
from tools.demo.generate import generate
from tools.demo.load import load


@dataclass(frozen=True)
class Generated:
    folder: Path
    """The exported account."""
    about: AccountSettings
    con: duckdb.DuckDBPyConnection
    """On the loaded database: schema _RAW holds everything, ACCOUNT_USAGE what is visible at now."""


@pytest.fixture(scope="session")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Generated]:
    folder = tmp_path_factory.mktemp("export")
    about = generate(folder, np.random.default_rng(11), days=36)
    data = tmp_path_factory.mktemp("account") / "data"
    load(folder, data, now=about.now, enforce_latency=True)
    with duckdb.connect(str(data / "SNOWFLAKE.db"), read_only=True) as con:
        con.execute("SET TimeZone='UTC'")
        yield Generated(folder, about, con)
