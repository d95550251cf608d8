"""Settings: file under environment, secrets from files, clear refusals."""

from __future__ import annotations

import os
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.settings import load_settings
from tools.errors import BadSettings


def test_demo_is_the_default_and_its_state_folder_is_private() -> None:
    settings = load_settings()
    assert (settings.profile, settings.account.kind, settings.is_demo) == ("demo", "embedded", True)
    assert stat.S_IMODE(settings.state_dir.stat().st_mode) == 0o700


def test_environment_wins_over_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FROSTLINE_DEMO__SEED", "11")
    assert load_settings().demo.seed == 11


def test_argument_wins_over_frostline_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FROSTLINE_PROFILE", "staging")
    assert load_settings().profile == "staging"
    assert load_settings("demo").profile == "demo"


def test_a_secret_may_stand_in_a_file_and_is_never_printed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("s3cret-value\n")
    monkeypatch.setenv("FROSTLINE_READER__PASSWORD_FILE", str(file))
    settings = load_settings()
    assert settings.reader.password is not None
    assert settings.reader.password.get_secret_value() == "s3cret-value"
    assert "s3cret-value" not in repr(settings)


def test_the_plain_variable_wins_over_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("from-file")
    monkeypatch.setenv("FROSTLINE_READER__TOKEN_FILE", str(file))
    monkeypatch.setenv("FROSTLINE_READER__TOKEN", "plain")
    token = load_settings().reader.token
    assert token is not None
    assert token.get_secret_value() == "plain"


def test_a_naive_now_is_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FROSTLINE_NOW", "2026-11-01T08:00:00")
    assert load_settings().now == datetime(2026, 11, 1, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("FROSTLINE_ACCOUNT__CREDIT_PRICE", "-1", "credit_price"),
        ("FROSTLINE_ACCOUNT__KIND", "imaginary", "kind"),
        ("FROSTLINE_NOW", "next week", "now"),
        ("FROSTLINE_DEMO__SEED", "seven", "seed"),
        ("FROSTLINE_READER__PASSWORD_FILE", "/nonexistent/file", "FROSTLINE_READER__PASSWORD_FILE"),
    ],
)
def test_bad_values_name_the_setting(monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(BadSettings, match=said):
        load_settings()


def test_a_refused_secret_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FROSTLINE_STORE__URL", "postgresql://user:hunter2@db.example.com/frostline")
    with pytest.raises(BadSettings, match="sslmode") as raised:
        load_settings("dev")
    assert "hunter2" not in f"{raised.value} {raised.value.hint}"


@pytest.mark.parametrize("url", ["postgresql://u:p@localhost/f", "postgresql://u:p@db.example.com/f?sslmode=require"])
def test_local_or_encrypted_stores_are_fine(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("FROSTLINE_STORE__URL", url)
    assert load_settings("dev").store.url is not None


@pytest.mark.parametrize("name", ["nope", "../demo", "a/b", "", "x" * 99, "démo"])
def test_unknown_or_hostile_profile_names(name: str) -> None:
    if name == "":
        assert load_settings(name).profile == "demo"
        return
    with pytest.raises(BadSettings):
        load_settings(name)


def test_a_broken_profile_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    (home / "profiles").mkdir(parents=True)
    (home / "profiles" / "mine.toml").write_text("[account\nkind=")
    monkeypatch.setenv("FROSTLINE_HOME", str(home))
    with pytest.raises(BadSettings, match="mine"):
        load_settings("mine")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:p@/f?host=db.example.com",
        "postgresql://u:p@localhost/f?host=db.example.com",
        "postgresql://u:p@localhost/f?hostaddr=10.1.2.3",
        "postgresql://db.example.com/f?note=@localhost/",
        "postgresql://u@db.example.com/f?sslmode=require&sslmode=disable",
        "POSTGRESQL://u@db.example.com/f",
    ],
)
def test_a_remote_store_is_seen_however_its_url_names_it(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FROSTLINE_STORE__URL", url)
    with pytest.raises(BadSettings, match="sslmode"):
        load_settings("prod")


@pytest.mark.parametrize("url", ["postgresql://localhost:5433/f", "postgresql:///f?host=/run/postgresql"])
def test_a_store_on_this_machine_needs_no_tls(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FROSTLINE_STORE__URL", url)
    assert load_settings("prod").store.url is not None


def test_the_demo_profile_is_never_pointed_at_a_live_account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FROSTLINE_ACCOUNT__KIND", "live")
    with pytest.raises(BadSettings, match="demo profile"):
        load_settings("demo")


def test_a_home_that_is_made_is_private_whatever_the_umask(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FROSTLINE_HOME", str(tmp_path / "deep" / "home"))
    old = os.umask(0)
    try:
        settings = load_settings()
    finally:
        os.umask(old)
    assert [stat.S_IMODE(p.stat().st_mode) for p in (settings.home, settings.state_dir)] == [0o700, 0o700]


def test_a_home_that_the_database_cannot_use_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FROSTLINE_HOME", str(tmp_path / "what?now"))
    with pytest.raises(BadSettings, match=r"'\?'"):
        load_settings()


def test_a_statement_never_runs_on_another_account_than_was_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FROSTLINE_READER__ACCOUNT", "MYORG-dev")
    monkeypatch.setenv("FROSTLINE_OPERATOR__ACCOUNT", "myorg-prod")
    with pytest.raises(BadSettings, match="one account"):
        load_settings("prod")
    monkeypatch.setenv("FROSTLINE_OPERATOR__ACCOUNT", "myorg-DEV")
    assert load_settings("prod").operator.account == "myorg-DEV"


# --- the providers' own variables ------------------------------------------------------------------------------------


def test_slacks_own_variables_are_taken_where_ours_are_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BOT_TOKEN", "APP_TOKEN", "SIGNING_SECRET"):
        monkeypatch.setenv(f"SLACK_{name}", f"theirs-{name}")
    slack = load_settings().slack
    found = [s.get_secret_value() for s in (slack.bot_token, slack.app_token, slack.signing_secret) if s]
    assert found == ["theirs-BOT_TOKEN", "theirs-APP_TOKEN", "theirs-SIGNING_SECRET"]
    assert "theirs" not in repr(slack)


@pytest.mark.parametrize("ours", ["variable", "file", "profile"])
def test_whatever_of_ours_is_set_wins_over_slacks(ours: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "theirs")
    profiles = tmp_path / "home" / "profiles"
    profiles.mkdir(parents=True)
    given = '[slack]\nbot_token = "ours"\n' if ours == "profile" else ""
    (profiles / "lab.toml").write_text('[account]\nkind = "embedded"\n' + given)
    (tmp_path / "secret").write_text("ours\n")
    if ours == "file":
        monkeypatch.setenv("FROSTLINE_SLACK__BOT_TOKEN_FILE", str(tmp_path / "secret"))
    elif ours == "variable":
        monkeypatch.setenv("FROSTLINE_SLACK__BOT_TOKEN", "ours")
    token = load_settings("lab").slack.bot_token
    assert token is not None and token.get_secret_value() == "ours"


def test_an_empty_variable_of_slack_sets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "")
    assert load_settings().slack.bot_token is None


@pytest.mark.parametrize("name", ["demo", "dev", "staging", "prod"])
def test_what_the_example_profiles_show_commented_out_can_be_used_as_it_stands(name: str, tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "profiles" / f"{name}.toml").read_text(encoding="utf-8")
    head, mark, tail = text.partition("# [slack]\n")
    assert mark
    shown = "\n".join(line.removeprefix("# ") for line in tail.splitlines())
    profiles = tmp_path / "home" / "profiles"
    profiles.mkdir(parents=True)
    (profiles / f"{name}.toml").write_text(f"{head}[slack]\n{shown}\n", encoding="utf-8")
    (profiles / "plain.toml").write_text(head.replace('kind = "live"', 'kind = "embedded"'), encoding="utf-8")
    there, default = load_settings(name).slack, load_settings("plain").slack
    unlike = {f for f in type(there).model_fields if getattr(there, f) != getattr(default, f)}
    assert unlike == ({"channels"} if name == "demo" else {"approvals_channel"})


# --- the ways to Snowflake ---------------------------------------------------------------------------------------


def live(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """A profile `lab` of a live account."""
    folder = tmp_path / "home" / "profiles"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "lab.toml").write_text(f'[account]\nkind = "live"\n{text}', encoding="utf-8")
    monkeypatch.setenv("FROSTLINE_PROFILE", "lab")


def test_a_token_file_stays_a_file_and_is_read_by_whoever_signs_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FROSTLINE_READER__TOKEN_FILE", "/run/secrets/reader")
    monkeypatch.setenv("FROSTLINE_OPERATOR__OAUTH__TOKEN_FILE", "/run/secrets/operator")
    live(tmp_path, monkeypatch, "")
    settings = load_settings()
    assert (settings.reader.token, settings.reader.token_file) == (None, Path("/run/secrets/reader"))
    assert settings.operator.oauth is not None
    assert settings.operator.oauth.token_file == Path("/run/secrets/operator")


def test_oauth_and_proxy_by_environment_with_their_secrets_in_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s3cret\n")
    for name, value in {
        "READER__OAUTH__FLOW": "client_credentials",
        "READER__OAUTH__CLIENT_ID": "id",
        "READER__OAUTH__CLIENT_SECRET_FILE": str(secret),
        "READER__OAUTH__TOKEN_URL": "https://idp.example/token",
        "READER__NEXT_PRIVATE_KEY_PASSPHRASE_FILE": str(secret),
        "OPERATOR__BROWSER": "true",
        "PROXY__HOST": "proxy.example",
        "PROXY__PORT": "8080",
        "PROXY__USER": "me",
        "PROXY__PASSWORD_FILE": str(secret),
        "PROXY__NO_PROXY": ".internal,10.0.0.0/8",
        "CACHE__ENABLED": "false",
    }.items():
        monkeypatch.setenv(f"FROSTLINE_{name}", value)
    live(tmp_path, monkeypatch, "")
    settings = load_settings()
    oauth = settings.reader.oauth
    assert oauth is not None and oauth.client_secret is not None
    assert oauth.client_secret.get_secret_value() == "s3cret"
    assert settings.reader.next_private_key_passphrase is not None
    assert settings.operator.browser is True
    assert settings.proxy.password is not None
    assert settings.proxy.shown == "proxy.example:8080, not for .internal,10.0.0.0/8"
    assert settings.cache.enabled is False
    assert "s3cret" not in repr(settings)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[proxy]\nhost = "p"', "needs proxy port"),
        ("[proxy]\nport = 80", "proxy host is not"),
        ('[proxy]\nhost = "http://p"\nport = 80', "without http://"),
        ('[proxy]\nhost = "p"\nport = 80\nuser = "u"', "go together"),
        ('[proxy]\nhost = "p"\nport = 80\npassword = "hunter2"', "go together"),
        ("[reader.oauth]", "token or token_file"),
        ('[reader.oauth]\nflow = "client_credentials"\nclient_id = "i"', "client_secret, token_url"),
        ('[reader.oauth]\nflow = "authorization_code"\ntoken = "hunter2"', "gets its token itself"),
        ('[reader.oauth]\nflow = "authorization_code"\nclient_id = "i"', "go together"),
        (
            '[reader.oauth]\nflow = "client_credentials"\nclient_id = "i"\nclient_secret = "hunter2"\n'
            'token_url = "http://idp.example/t"',
            "https",
        ),
        ('[reader.oauth]\nflow = "password"', "reader.oauth.flow"),
        ("[cache]\nmegabytes = 0", "cache.megabytes"),
    ],
)
def test_what_cannot_work_is_said_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, says: str
) -> None:
    live(tmp_path, monkeypatch, text)
    with pytest.raises(BadSettings, match=says) as refused:
        load_settings()
    assert "hunter2" not in str(refused.value)


def test_a_proxy_of_the_environment_is_not_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", "internal.example")
    monkeypatch.delenv("no_proxy", raising=False)
    load_settings()
    assert os.environ["NO_PROXY"] == "internal.example,localhost,127.0.0.1,::1"
    monkeypatch.setenv("no_proxy", "*")
    load_settings()
    assert os.environ["no_proxy"] == "*"
