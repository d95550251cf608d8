"""The profile that `frostline setup` writes can be read again, by its owner, from any folder."""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest
import typer

from agent.settings import load_settings
from bots.cli.output import Output
from bots.cli.setup import Answers, run_setup

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
