"""`frostline slack` on the command line: what it says without tokens, and whether `--check` finds what is wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bots.slack.manifest import BOT_SCOPES
from tests.scenario.commands import cli, run
from tests.scenario.slack.desk import Desk, deciding
from tests.slack_server import SlackServer

MORE = """
[[people]]
name = "{name}"
ids = ["{id}"]
role = "approver"
"""


@pytest.fixture(scope="module")
def desk(template_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A workspace and a home; no bot runs."""
    with deciding(template_home, tmp_path_factory.mktemp("command")) as made:
        yield made


def checked(desk: Desk, **env: str) -> tuple[int, dict[str, dict[str, Any]]]:
    """`frostline slack --check --json`: exit code, and the checks by name."""
    code, out, err = cli(desk.home, "slack", "--check", "--json", **(desk.environment | env))
    assert "Traceback" not in err
    found = json.loads(out)
    assert found["ok"] is (code == 0)
    return code, {check["name"]: check for check in found["checks"]}


def failures(checks: dict[str, dict[str, Any]]) -> dict[str, str]:
    return {name: f"{check['detail']} | {check['fix']}" for name, check in checks.items() if check["ok"] is False}


# --- without tokens --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("unset", "mode", "named"),
    [
        ("SLACK_BOT_TOKEN", "socket", "SLACK_BOT_TOKEN"),
        ("SLACK_APP_TOKEN", "socket", "SLACK_APP_TOKEN"),
        ("SLACK_SIGNING_SECRET", "http", "SLACK_SIGNING_SECRET"),
    ],
)
def test_a_token_is_missing(desk: Desk, unset: str, mode: str, named: str) -> None:
    env = {name: value for name, value in desk.environment.items() if name != unset}
    code, out, err = cli(desk.home, "slack", "--json", **env, FROSTLINE_SLACK__MODE=mode)
    assert code == 2
    error = json.loads(out)["error"]
    assert named in error["message"] and "--check" in error["hint"]
    code, out, err = cli(desk.home, "slack", **env, FROSTLINE_SLACK__MODE=mode)
    assert code == 2 and named in err and "Traceback" not in err and out == ""
    assert desk.slack.violations == []


def test_a_process_without_tokens_ends_at_once(desk: Desk) -> None:
    done = run(desk.home, "slack")
    assert done.returncode == 2
    assert "SLACK_BOT_TOKEN is not set" in done.stderr and "Traceback" not in done.stderr
    assert desk.slack.violations == []


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"SLACK_BOT_TOKEN": "xoxb-of-another-app"}, "invalid_auth"),
        ({"SLACK_APP_TOKEN": "xapp-of-another-app"}, "SLACK_APP_TOKEN"),
        ({"FROSTLINE_SLACK__BASE_URL": "http://127.0.0.1:9/api/"}, "Slack"),
        ({"FROSTLINE_SLACK__BASE_URL": "http://slack.example/api/"}, "https"),
    ],
    ids=["bot-token", "app-token", "nobody-there", "not-encrypted"],
)
def test_a_bot_that_cannot_start(desk: Desk, wrong: dict[str, str], words: str) -> None:
    done = run(desk.home, "slack", env=desk.environment | wrong)
    assert done.returncode in (2, 3, 4), done.stderr
    assert words in done.stderr and "Traceback" not in done.stderr
    assert not any(token in done.stderr + done.stdout for token in ("of-another-app", "1-loopback"))
    assert desk.slack.violations == []


# --- the check -------------------------------------------------------------------------------------------------------


def test_all_is_well(desk: Desk) -> None:
    """As a process, as a person sees it; the answer to the same question as JSON has the same lines."""
    done = run(desk.home, "slack", "--check", env=desk.environment | {"FROSTLINE_SLACK__CHANNELS": f'["{desk.cost}"]'})
    assert done.returncode == 0, done.stdout + done.stderr
    assert "FAIL" not in done.stdout and "Socket Mode connections can be opened" in done.stdout
    code, checks = checked(desk, FROSTLINE_SLACK__CHANNELS=f'["{desk.cost}"]')
    assert code == 0 and failures(checks) == {}
    assert set(checks) <= {name for name in checks if name in done.stdout}
    assert checks["approvers"]["detail"].startswith("3 may approve")
    assert desk.slack.violations == []


def test_no_token_is_said_first(desk: Desk) -> None:
    code, checks = checked(desk, SLACK_BOT_TOKEN="")
    assert code == 2
    assert list(checks) == ["bot token"]
    assert "slack-manifest.json" in checks["bot token"]["fix"] and "SLACK_BOT_TOKEN" in checks["bot token"]["fix"]
    assert desk.slack.violations == []


def test_tokens_that_slack_refuses(desk: Desk) -> None:
    code, checks = checked(desk, SLACK_BOT_TOKEN="xoxb-of-another-app")
    assert code == 2 and "invalid_auth" in failures(checks)["bot token"]
    code, checks = checked(desk, SLACK_APP_TOKEN="xapp-of-another-app")
    assert code == 2 and list(failures(checks)) == ["app token"]
    code, checks = checked(desk, SLACK_APP_TOKEN="")
    assert code == 2 and "connections:write" in failures(checks)["app token"]
    assert "of-another-app" not in str(checks)
    assert desk.slack.violations == []


def test_the_bot_is_not_in_a_channel(desk: Desk) -> None:
    code, checks = checked(
        desk,
        FROSTLINE_SLACK__CHANNELS=f'["{desk.cost}", "{desk.foreign}", "#cost"]',
        FROSTLINE_SLACK__APPROVALS_CHANNEL="C0NOWHERE",
    )
    assert code == 2
    found = failures(checks)
    assert set(found) == {f"channel {desk.foreign}", "channel #cost", "approvals channel C0NOWHERE"}
    assert "not_in_channel" in found[f"channel {desk.foreign}"]
    assert "channel_not_found" in found["approvals channel C0NOWHERE"]
    assert "channel id" in found["channel #cost"]
    assert desk.slack.violations == []


def test_people_of_the_policy_whom_slack_knows_otherwise(desk: Desk) -> None:
    slack, policy = desk.slack, desk.home / "demo" / "policy.toml"
    gone, guest = slack.add_user("gone", deleted=True), slack.add_user("guest", guest=True)
    listed = {
        "nobody": f"slack:{slack.team}/U0NOBODY",
        "gone": f"slack:{slack.team}/{gone}",
        "guest": f"slack:{slack.team}/{guest}",
        "elsewhere": "slack:T0OTHER01/U0ABC",
        "typo": "slack:alice",
    }
    before = policy.read_text(encoding="utf-8")
    policy.write_text(before + "".join(MORE.format(name=n, id=i) for n, i in listed.items()), encoding="utf-8")
    try:
        code, checks = checked(desk)
    finally:
        policy.write_text(before, encoding="utf-8")
    found = failures(checks)
    assert code == 2 and len(found) == len(listed)
    for name, words in {
        "nobody": "Copy member ID",
        "gone": "deactivated",
        "guest": "guest",
        "elsewhere": "T0OTHER01 is not this workspace",
        "typo": "slack:TEAM/ID",
    }.items():
        assert words in next(text for check, text in found.items() if f" {name} " in check)
    assert desk.slack.violations == []


def test_scopes_that_are_missing(template_home: Path, tmp_path: Path) -> None:
    missing = ["users:read", "chat:write"]
    slack = SlackServer(scopes=[scope for scope in BOT_SCOPES if scope not in missing])
    with deciding(template_home, tmp_path, slack=slack) as desk:
        code, checks = checked(desk)
        assert code == 2
        found = failures(checks)
        assert {f"scope {scope}" for scope in missing} <= set(found)
        assert all("install it again" in found[f"scope {scope}"] for scope in missing)


def test_slack_is_not_there(desk: Desk) -> None:
    desk.slack.fail("auth.test", times=100, drop="before")
    try:
        code, checks = checked(desk)
    finally:
        desk.slack.faults.clear()
    assert code == 4
    assert "Check the network" in failures(checks)["bot token"]
    assert desk.slack.violations == []


def test_a_policy_that_nobody_can_approve_by(desk: Desk) -> None:
    policy = desk.home / "demo" / "policy.toml"
    before = policy.read_text(encoding="utf-8")
    policy.write_text(before.replace(f"slack:{desk.slack.team}/", "os:"), encoding="utf-8")
    try:
        code, checks = checked(desk)
    finally:
        policy.write_text(before, encoding="utf-8")
    assert code == 2
    assert f"slack:{desk.slack.team}/U" in failures(checks)["approvers"]
    assert desk.slack.violations == []
