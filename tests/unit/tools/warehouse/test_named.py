"""Entries of connections.toml: which account they are of, and whether they would open a browser."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tools.errors import BadSettings
from tools.warehouse import named, sign_in
from tools.warehouse.config import ConnectionConfig
from tools.warehouse.named import account_of, check_one_account

ENTRIES: dict[str, dict[str, Any]] = {
    "reads": {"account": "Org-One", "user": "R", "authenticator": "snowflake_jwt"},
    "writes": {"account": "org-one", "user": "W"},
    "elsewhere": {"account": "org-two", "user": "W"},
    "silent": {"user": "W"},
    "sso": {"account": "org-one", "authenticator": "externalbrowser"},
}


@pytest.fixture(autouse=True)
def entries(monkeypatch: pytest.MonkeyPatch) -> None:
    def entry(name: str) -> Mapping[str, Any]:
        return ENTRIES.get(name, {})

    monkeypatch.setattr(named, "named_connection", entry)
    monkeypatch.setattr(sign_in, "named_connection", entry)


def of(name: str) -> ConnectionConfig:
    return ConnectionConfig.of(connection_name=name)


def test_one_account_however_it_is_written() -> None:
    plain = ConnectionConfig.of(account="ORG-ONE", user="U", password="p")
    for reader, operator in (("reads", "writes"), ("reads", "silent"), ("reads", "missing")):
        check_one_account(of(reader), of(operator))
        check_one_account(plain, of(operator))
    assert account_of(of("missing")) is None


def test_two_accounts_are_refused() -> None:
    with pytest.raises(BadSettings, match="org-one and org-two"):
        check_one_account(of("reads"), of("elsewhere"))


def test_an_entry_that_opens_a_browser_is_refused_where_nobody_sits() -> None:
    with pytest.raises(BadSettings, match="nobody sits in front"):
        list(sign_in.attempts(ConnectionConfig.of(connection_name="sso", attended=False)))
    assert len(list(sign_in.attempts(ConnectionConfig.of(connection_name="reads", attended=False)))) == 1


def test_the_connectors_own_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "connections.toml"
    file.write_text('[mine]\naccount = "Org-Mine"\nuser = "U"\n')
    file.chmod(0o600)
    code = (
        "from tools.warehouse.config import ConnectionConfig as C;from tools.warehouse.named import account_of as a;"
        "print(a(C.of(connection_name='mine')), a(C.of(connection_name='other')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "SNOWFLAKE_HOME": str(tmp_path)},
        cwd=Path(__file__).parents[4],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["org-mine", "None"]
