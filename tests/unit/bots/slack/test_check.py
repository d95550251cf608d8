"""`frostline slack --check` against the loopback Slack: each line says ok, or what is wrong and what to do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner, Result

from agent.policy import Policy
from agent.settings import SlackSettings
from bots.cli.main import app
from bots.slack.check import SlackReport, run_checks
from bots.slack.manifest import BOT_SCOPES
from tests.slack_server import SlackServer

PEOPLE = """
version = 1
[[people]]
name = "Grace"
ids = ["os:grace", "slack:{team}/{grace}"]
role = "approver"
{more}
[[rules]]
name = "ordinary"
effect = "allow"
"""


@pytest.fixture(scope="module")
def server() -> Iterator[SlackServer]:
    with SlackServer(scopes=sorted(BOT_SCOPES)) as slack:
        yield slack


@pytest.fixture
def slack(server: SlackServer) -> Iterator[SlackServer]:
    server.world.scopes = frozenset(BOT_SCOPES)
    yield server
    assert server.violations == []


@pytest.fixture(scope="module")
def grace(server: SlackServer) -> str:
    return server.add_user("grace")


def settings(slack: SlackServer, **changes: Any) -> SlackSettings:
    values: dict[str, Any] = {
        "bot_token": SecretStr(slack.bot_token),
        "app_token": SecretStr(slack.app_token),
        "base_url": slack.base_url,
    }
    return SlackSettings(**(values | changes))


def policy(slack: SlackServer, grace: str, more: str = "") -> Policy:
    return Policy.load(PEOPLE.format(team=slack.team, grace=grace, more=more))


def lines(report: SlackReport) -> dict[str, bool | None]:
    return {c.name: c.ok for c in report.checks}


def problem(report: SlackReport, begins: str) -> str:
    """The one line that begins so: what is wrong, and what to do."""
    (found,) = (c for c in report.checks if c.name.startswith(begins) and c.ok is not True)
    return f"{found.detail}: {found.fix}"


def test_all_is_well(slack: SlackServer, grace: str) -> None:
    room = slack.add_channel("cost", [grace])
    report = run_checks(settings(slack, channels=(room,), approvals_channel=room), policy(slack, grace))
    assert set(lines(report).values()) == {True}
    assert report.exit_code == 0
    assert {call.method for call in slack.calls} == {
        "auth.test",
        "apps.connections.open",
        "conversations.history",
        "conversations.info",
        "users.info",
    }


def test_without_any_token_it_says_how_to_get_them() -> None:
    report = run_checks(SlackSettings(), Policy.load())
    assert "SLACK_BOT_TOKEN" in problem(report, "bot token")
    assert report.exit_code == 2


@pytest.mark.parametrize("kind", ["bot_token", "app_token"])
def test_a_token_that_slack_refuses(slack: SlackServer, grace: str, kind: str) -> None:
    report = run_checks(settings(slack, **{kind: SecretStr("xoxb-old")}), policy(slack, grace))
    assert "Slack says" in problem(report, kind.replace("_", " "))
    assert report.exit_code == 2
    slack.world.violations.clear()  # the wrong token is what this is about


def test_what_each_way_of_running_needs(slack: SlackServer, grace: str) -> None:
    missing = run_checks(settings(slack, app_token=None), policy(slack, grace))
    assert "SLACK_APP_TOKEN" in problem(missing, "app token")
    by_http = run_checks(settings(slack, app_token=None, mode="http"), policy(slack, grace))
    assert "SLACK_SIGNING_SECRET" in problem(by_http, "signing secret")
    odd = settings(slack, mode="http", signing_secret=SecretStr("hush"))
    assert "32 hexadecimal" in problem(run_checks(odd, policy(slack, grace)), "signing secret")
    good = settings(slack, mode="http", signing_secret=SecretStr("0123456789abcdef" * 2))
    assert run_checks(good, policy(slack, grace)).exit_code == 0


def test_scopes_that_are_missing_or_too_many(slack: SlackServer, grace: str) -> None:
    slack.world.scopes = frozenset(BOT_SCOPES) - {"files:write", "assistant:write"} | {"users:read.email"}
    report = run_checks(settings(slack), policy(slack, grace))
    assert "install it again" in problem(report, "scope files:write")
    assert "users:read.email" in problem(report, "more scopes")
    assert "agent" in problem(report, "agent view")
    assert report.exit_code == 2


def test_channels_that_are_none_or_that_the_bot_is_not_in(slack: SlackServer, grace: str) -> None:
    away = slack.add_channel("finance", [grace], bot=False)
    secret = slack.add_channel("board", [grace], bot=False, private=True)
    report = run_checks(settings(slack, channels=("#cost", away, secret, "C00000000")), policy(slack, grace))
    assert "its id" in problem(report, "channel #cost")
    for channel in (away, secret, "C00000000"):
        assert "/invite" in problem(report, f"channel {channel}")


def test_channels_that_another_organisation_reads(slack: SlackServer, grace: str) -> None:
    """Cards and findings are posted there unasked: it takes a setting that says so."""
    ours, theirs = slack.add_channel("ours", [grace]), slack.add_channel("both", [grace], shared=True)
    report = run_checks(settings(slack, approvals_channel=theirs, findings_channel=ours), policy(slack, grace))
    assert "another organisation reads it" in problem(report, f"approvals channel {theirs}")
    assert lines(report)[f"findings channel {ours} is ours alone"] is True and report.exit_code == 2
    other = run_checks(settings(slack, findings_channel=theirs), policy(slack, grace))
    assert "another organisation reads it" in problem(other, f"findings channel {theirs}") and other.exit_code == 2
    listed = run_checks(settings(slack, findings_channel=theirs, channels=(theirs,)), policy(slack, grace))
    assert "another organisation reads it" in problem(listed, f"findings channel {theirs}") and listed.exit_code == 0
    slack.world.scopes = frozenset(BOT_SCOPES) - {"channels:read", "groups:read"}
    unknown = run_checks(settings(slack, findings_channel=ours), policy(slack, grace))
    assert "missing_scope" in problem(unknown, f"findings channel {ours}")
    slack.world.violations.clear()  # the scope that is missing is what this is about


def test_people_who_can_never_decide(slack: SlackServer, grace: str) -> None:
    guest, gone, robot = (
        slack.add_user("gil", guest=True),
        slack.add_user("dan", deleted=True),
        slack.add_user("bob", bot=True),
    )
    outsider = slack.add_user("olga", team="T0OTHER00")
    ids = [f"slack:{slack.team}/{user}" for user in (guest, gone, robot, outsider, "U0NOBODY0")]
    ids += ["slack:T0OTHER00/U00000001", f"slack:{slack.team}"]
    more = "\n".join(f'[[people]]\nname = "p{n}"\nids = ["{i}"]\nrole = "admin"' for n, i in enumerate(ids))
    report = run_checks(settings(slack), policy(slack, grace, more))
    found = [problem(report, f"person p{n} ") for n in range(len(ids))]
    for words, told in zip(
        ("guest", "deactivated", "bot", "another workspace", "user_not_found", "not this workspace", "not slack:TEAM"),
        found,
        strict=True,
    ):
        assert words in told
    (approvers,) = (c for c in report.checks if c.name == "approvers")
    assert approvers.detail.startswith("1 may approve")


def test_groups(slack: SlackServer, grace: str) -> None:
    ben = slack.add_user("ben")
    full, empty = slack.add_group("dba", [grace, ben]), slack.add_group("none", [], disabled=True)
    more = "\n".join(
        f'[[groups]]\nname = "{n}"\nid = "slack:{slack.team}/{g}"\nrole = "approver"'
        for n, g in (("dba", full), ("none", empty))
    )
    report = run_checks(settings(slack), policy(slack, grace, more))
    assert next(c for c in report.checks if c.name.startswith("group dba")).detail == "2 members"
    assert "disabled" in problem(report, "group none")
    assert next(c for c in report.checks if c.name == "approvers").detail.startswith("2 may approve")


def test_nobody_to_approve_in_slack(slack: SlackServer) -> None:
    report = run_checks(settings(slack), Policy.load())
    assert f"slack:{slack.team}/U..." in problem(report, "approvers")


def test_a_limit_of_slacks_is_waited_for(slack: SlackServer, grace: str) -> None:
    slack.fail("users.info", retry_after=1)
    assert run_checks(settings(slack), policy(slack, grace)).exit_code == 0


def test_slack_that_does_not_answer_is_another_exit_code(slack: SlackServer, grace: str) -> None:
    nobody = "http://127.0.0.1:9/api/"
    report = run_checks(settings(slack, base_url=nobody), policy(slack, grace))
    assert report.exit_code == 4
    assert nobody in problem(report, "bot token")


# --- at the command line ---------------------------------------------------------------------------------------------


def frostline(*args: str, **env: str) -> Result:
    return CliRunner().invoke(app, ["slack", *args], env=env)


def test_check_as_json(slack: SlackServer) -> None:
    env = {"FROSTLINE_SLACK__BASE_URL": slack.base_url, "SLACK_BOT_TOKEN": slack.bot_token}
    done = frostline("--check", "--json", **env, SLACK_APP_TOKEN=slack.app_token)
    assert done.exit_code == 2, "the demo's policy lists nobody in Slack"
    told = json.loads(done.stdout)
    assert told["ok"] is False
    assert [c["name"] for c in told["checks"] if c["ok"] is False] == ["approvers"]
    by_http = frostline("--check", "--json", "--http", **env)
    assert "signing secret" in by_http.stdout


@pytest.mark.parametrize(
    ("args", "env", "missing"),
    [
        ((), {}, "SLACK_BOT_TOKEN"),
        ((), {"SLACK_BOT_TOKEN": "xoxb-1"}, "SLACK_APP_TOKEN"),
        (("--http",), {"SLACK_BOT_TOKEN": "xoxb-1"}, "SLACK_SIGNING_SECRET"),
    ],
)
def test_the_bot_names_the_variable_that_is_missing(args: tuple[str, ...], env: dict[str, str], missing: str) -> None:
    done = frostline(*args, "--json", **env)
    assert done.exit_code == 2
    assert missing in json.loads(done.stdout)["error"]["message"]


def test_a_token_that_slack_refuses_stops_the_bot_before_anything_is_built(slack: SlackServer, tmp_path: Path) -> None:
    env = {"FROSTLINE_SLACK__BASE_URL": slack.base_url, "SLACK_BOT_TOKEN": "xoxb-old", "SLACK_APP_TOKEN": "xapp-1"}
    done = frostline(**env)
    assert done.exit_code == 3
    assert not (tmp_path / "home" / "demo" / "account").exists()
    slack.world.violations.clear()


def test_no_secret_is_shown(slack: SlackServer) -> None:
    env = {"FROSTLINE_SLACK__BASE_URL": slack.base_url, "SLACK_BOT_TOKEN": "xoxb-secret-1"}
    done = frostline("--check", **env, SLACK_APP_TOKEN="xapp-secret-2")
    assert "secret-1" not in done.output
    slack.world.violations.clear()
