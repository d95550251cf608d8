"""The profile that `frostline setup` writes can be read again, by its owner, from any folder."""

from __future__ import annotations

import json
import os
import re
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest
import typer

from agent.settings import load_settings
from bots.cli.doctor import run_doctor
from bots.cli.output import Output
from bots.cli.setup import Answers, SignIn, run_setup

ANSWERS = Answers("org-ä😀", "READER", "keys/r.p8", "WH", "OPERATOR", "/keys/o.p8", 2.5)


def setup(answers: Answers, *, force: bool = False) -> None:
    run_setup(Output(), "lab", False, (), answers, force)


def test_what_is_written_is_what_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "home" / "profiles" / "lab.toml"
    file.parent.mkdir(parents=True)
    file.write_text("old")
    file.chmod(0o644)
    old = os.umask(0)
    try:
        setup(ANSWERS, force=True)
    finally:
        os.umask(old)
    monkeypatch.chdir("/")
    settings = load_settings("lab")
    assert (settings.account.name, settings.account.credit_price) == ("org-ä😀", 2.5)
    assert settings.reader.private_key_file == tmp_path / "keys" / "r.p8"
    assert settings.operator.private_key_file == Path("/keys/o.p8")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize("price", [float("nan"), float("inf"), 0.0, -1.0])
def test_a_price_that_no_profile_takes_is_refused_and_nothing_is_written(price: float, tmp_path: Path) -> None:
    with pytest.raises(typer.Exit) as left:
        setup(replace(ANSWERS, credit_price=price))
    assert left.value.exit_code == 2
    assert not (tmp_path / "home" / "profiles" / "lab.toml").exists()


@pytest.mark.parametrize("user", ["a\x7fb", "\udcff"])
def test_characters_that_no_profile_holds_are_refused(user: str) -> None:
    with pytest.raises(typer.Exit) as left:
        setup(replace(ANSWERS, reader_user=user))
    assert left.value.exit_code == 2


def test_quotes_and_line_breaks_stay_inside_their_value() -> None:
    setup(replace(ANSWERS, reader_user='x"\n[operator]\nuser = "evil'))
    assert load_settings("lab").reader.user == 'x"\n[operator]\nuser = "evil'
    assert load_settings("lab").operator.user == "OPERATOR"


@pytest.mark.parametrize("way", get_args(SignIn))
def test_every_way_to_sign_in_is_written_as_it_is_read(way: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = replace(ANSWERS, sign_in=way, token_url="https://idp.example/t", reader_client="r", operator_client="o")
    setup(replace(answers, proxy="proxy.example:8080"))
    if way == "oauth":
        for identity in ("READER", "OPERATOR"):
            monkeypatch.setenv(f"FROSTLINE_{identity}__OAUTH__CLIENT_SECRET", "x")
    settings = load_settings("lab")
    assert (settings.proxy.host, settings.proxy.port) == ("proxy.example", 8080)
    for given in (settings.reader, settings.operator):
        chosen = {
            "key": given.private_key_file is not None,
            "token": given.token_file is not None,
            "oauth": given.oauth is not None,
            "browser": given.browser,
        }
        assert [name for name, here in chosen.items() if here] == [way]


@pytest.mark.parametrize("proxy", ["proxy.example", ":8080", "proxy.example:0", "proxy.example:http", "a:99999"])
def test_a_proxy_is_a_host_and_a_port(proxy: str) -> None:
    with pytest.raises(typer.Exit) as left:
        setup(replace(ANSWERS, proxy=proxy))
    assert left.value.exit_code == 2


# --- doctor and Slack ------------------------------------------------------------------------------------------------

AWAY = """
[account]
kind = "live"
name = "AWAY"
timezone = "UTC"
"""
GROUPS = """
version = 1
[[groups]]
name = "deciders"
id = "slack:T1/S1"
role = "approver"
"""


def doctor(tmp_path: Path, capsys: pytest.CaptureFixture[str], policy: str = "version = 1\n") -> dict[str, Any]:
    """Doctor's lines by name; the profile names no way to log in anywhere."""
    home = tmp_path / "home"
    for folder in ("profiles", "lab"):
        (home / folder).mkdir(parents=True, exist_ok=True)
    (home / "profiles" / "lab.toml").write_text(AWAY)
    (home / "lab" / "policy.toml").write_text(policy)
    with pytest.raises(typer.Exit):
        run_doctor(Output(as_json=True), "lab")
    return {check["name"]: check for check in json.loads(capsys.readouterr().out)["checks"]}


@pytest.mark.parametrize(
    ("given", "policy", "ok", "said"),
    [
        ({}, "version = 1\n", True, "not configured"),
        ({}, GROUPS, False, "nobody is in them"),
        ({"BOT_TOKEN": "b"}, GROUPS, False, "no app_token"),
        ({"BOT_TOKEN": "b", "APP_TOKEN": "a"}, GROUPS, True, "frostline slack --check"),
        ({"BOT_TOKEN": "b", "APP_TOKEN": "a", "MODE": "http"}, GROUPS, False, "no signing_secret"),
        ({"BOT_TOKEN": "b", "SIGNING_SECRET": "s", "MODE": "http"}, GROUPS, True, "http mode"),
        ({}, "version = 2\n", False, "policy"),
    ],
)
def test_doctor_says_whether_slack_is_set_up(
    given: dict[str, str],
    policy: str,
    ok: bool,
    said: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(f"FROSTLINE_SLACK__{name}", value)
    found = doctor(tmp_path, capsys, policy)
    assert (found["slack"]["ok"], said in found["slack"]["detail"]) == (ok, True)
    if not ok and policy == GROUPS:
        assert "FROSTLINE_SLACK__" in found["slack"]["fix"] and "docs/slack.md" in found["slack"]["fix"]
    if policy == GROUPS:
        assert "1 groups" in found["policy"]["detail"]


def test_a_written_profile_shows_where_slack_goes(tmp_path: Path) -> None:
    setup(ANSWERS)
    text = (tmp_path / "home" / "profiles" / "lab.toml").read_text(encoding="utf-8")
    head, mark, tail = text.partition("# [slack]\n")
    assert mark
    (tmp_path / "home" / "profiles" / "lab.toml").write_text(head + "[slack]\n" + re.sub(r"(?m)^# ", "", tail))
    assert load_settings("lab").slack.approvals_channel
