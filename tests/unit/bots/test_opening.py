"""What a command opens: Slack is asked about groups only where the profile can and the policy has some."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from bots.cli.opening import opened
from bots.cli.output import Output
from tools.errors import Unreachable

PROFILE = '[account]\nkind = "live"\ntimezone = "UTC"\n[reader]\naccount = "acme"\n'
POLICY = """
version = 1
[[people]]
name = "ada"
ids = ["os:ada"]
role = "admin"
[[groups]]
name = "deciders"
id = "slack:T1/S1"
role = "approver"
"""


class _Slack(BaseHTTPRequestHandler):
    asked: ClassVar[list[tuple[str, str | None]]] = []

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.asked.append((self.path, self.headers.get("Authorization")))
        body = json.dumps({"ok": True, "users": ["U1", "U2"]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST

    def log_message(self, format: str, *args: object) -> None:
        """Not on stderr."""


@pytest.fixture
def slack() -> Iterator[str]:
    _Slack.asked.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), _Slack) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/api/"
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def lab(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "profiles").mkdir(parents=True)
    (home / "profiles" / "lab.toml").write_text(PROFILE)
    (home / "lab").mkdir()
    (home / "lab" / "policy.toml").write_text(POLICY)


def test_slack_says_who_is_in_a_group(slack: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FROSTLINE_SLACK__BASE_URL", slack)
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-1")
    with opened(Output(), "lab") as runtime:
        assert "admin" in runtime.policy.person("os:ada").roles
        assert _Slack.asked == []  # nobody of Slack was spoken of
        assert "approver" in runtime.policy.person("slack:T1/U1").roles
        assert "approver" not in runtime.policy.person("slack:T1/U3").roles
        assert "approver" not in runtime.policy.person("slack:T2/U1").roles
    assert {path for path, _ in _Slack.asked} == {"/api/usergroups.users.list"}
    assert {token for _, token in _Slack.asked} == {"Bearer xoxb-1"}


def test_without_a_token_groups_are_empty(slack: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FROSTLINE_SLACK__BASE_URL", slack)
    with opened(Output(), "lab") as runtime:
        assert runtime.policy.person("slack:T1/U1").roles == {"viewer"}
    assert _Slack.asked == []


def test_a_directory_that_is_given_is_asked_instead(slack: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FROSTLINE_SLACK__BASE_URL", slack)
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-1")

    def silent(_: str) -> frozenset[str]:
        raise Unreachable("no answer")

    with opened(Output(), "lab", lambda group: frozenset({"slack:T1/U9"})) as runtime:
        assert "approver" in runtime.policy.person("slack:T1/U9").roles
    with opened(Output(), "lab", silent) as runtime:
        assert runtime.policy.person("slack:T1/U1").roles == {"viewer"}
    assert _Slack.asked == []
