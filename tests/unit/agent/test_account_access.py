"""What makes cached figures comparable, and which two identities it lets work together."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.account_access import AccountAccess
from agent.settings import load_settings
from tools.demo.account_file import AccountSettings, write_settings
from tools.errors import BadSettings
from tools.warehouse import named

KNOWN = AccountSettings(
    name="A",
    origin="demo",
    now=datetime(2026, 11, 1, 12, tzinfo=UTC),
    timezone="UTC",
    edition="ENTERPRISE",
    credit_price=3.0,
    generation_id="g1",
)


def access(profile: str, *, attended: bool = True) -> AccountAccess:
    return AccountAccess(load_settings(profile), ExitStack(), attended=attended)


def test_an_embedded_account_that_was_replaced_or_moved_on_has_another_scope(tmp_path: Path) -> None:
    made = access("demo")
    folder = made.settings.account_dir
    folder.mkdir(parents=True)
    scopes = []
    for known in (
        KNOWN,
        replace(KNOWN, generation_id="g2"),
        replace(KNOWN, now=KNOWN.now + timedelta(days=7)),
        KNOWN,
    ):
        write_settings(folder, known)
        scopes.append(made.cache_scope())
    assert scopes[0] == scopes[3]
    assert len(set(scopes)) == 3


@pytest.fixture
def live(tmp_path: Path) -> Callable[..., AccountAccess]:
    def make(text: str, *, attended: bool = True) -> AccountAccess:
        profiles = tmp_path / "home" / "profiles"
        profiles.mkdir(parents=True, exist_ok=True)
        (profiles / "lab.toml").write_text(f'[account]\nkind = "live"\ntimezone = "UTC"\n{text}')
        return access("lab", attended=attended)

    return make


def test_a_live_accounts_scope_is_account_user_and_role(live: Callable[..., AccountAccess]) -> None:
    base = '[reader]\naccount = "a"\nuser = "{user}"\nrole = "{role}"\ntoken = "t"\n'
    scopes = [
        live(base.format(user=user, role=role)).cache_scope() for user, role in (("U", "R"), ("V", "R"), ("U", "S"))
    ]
    assert len(set(scopes)) == 3


def test_the_cache_is_off_by_setting(live: Callable[..., AccountAccess]) -> None:
    base = '[reader]\naccount = "a"\nuser = "U"\ntoken = "t"\n'
    assert live(base).usage_cache() is not None
    assert live(f"{base}[cache]\nenabled = false\n").usage_cache() is None


def test_a_named_operator_of_another_account_is_refused(
    live: Callable[..., AccountAccess], monkeypatch: pytest.MonkeyPatch
) -> None:
    accounts = {"here": {"account": "acme-one"}, "there": {"account": "acme-two"}}
    monkeypatch.setattr(named, "named_connection", lambda name: accounts[name])
    base = '[reader]\naccount = "ACME-ONE"\nuser = "U"\ntoken = "t"\n[operator]\nconnection_name = "{name}"\n'
    assert live(base.format(name="here")).operator_config.connection_name == "here"
    with pytest.raises(BadSettings, match="acme-one and acme-two"):
        live(base.format(name="there")).operator_config  # noqa: B018 - asking is the test


def test_what_settings_say_reaches_the_connection(live: Callable[..., AccountAccess]) -> None:
    made = live(
        '[reader]\naccount = "a"\nuser = "U"\nbrowser = true\nnetwork_timeout_s = 7\nstatement_timeout_s = 8\n'
        '[proxy]\nhost = "proxy.example"\nport = 8080\n',
        attended=False,
    )
    config = made.reader_config
    assert (config.browser, config.attended, config.proxy.host) == (True, False, "proxy.example")
    assert (config.network_timeout, config.statement_timeout) == (7, 8)
