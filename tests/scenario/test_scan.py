"""`frostline scan` and `frostline findings` as people and cron run them, on the demo account."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests import account
from tests.scenario.commands import alters, cli, opened
from tools.finding import FINDING_KINDS, SEVERITIES

pytestmark = pytest.mark.timeout(300)

SHORT = {"FROSTLINE_SCAN__HISTORY_DAYS": "21"}
"""Three weeks of history are looked at as nine are, in a third of the time."""
FIELDS = {
    *("id", "fingerprint", "kind", "severity", "impact_credits_per_day", "warehouse", "object", "started_at"),
    *("ended_at", "detected_at", "visible_at", "state", "expected", "actual", "unit", "evidence", "practice", "draft"),
}


@pytest.fixture(scope="module")
def home(template_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    made = account.new_home(template_home, tmp_path_factory.mktemp("scan") / "home")
    yield made
    account.stop_server(made)


@dataclass
class Loop:
    """A scanning process that was told to end after its first round, which was the account's first, too."""

    first: dict[str, Any]
    rest: str
    """What it printed after the round."""
    stderr: str
    code: int


@pytest.fixture(scope="module")
def loop(home: Path) -> Loop:
    assert json.loads(cli(home, "findings", "list", "--json")[1]) == {"findings": [], "last_scan": None}
    process = looping(home, "--every", "1h", "--json", **SHORT)
    assert process.stdout
    first = json.loads(process.stdout.readline())
    process.send_signal(signal.SIGTERM)
    rest, stderr = process.communicate(timeout=60)
    return Loop(first, rest, stderr, process.returncode)


@pytest.fixture(scope="module")
def scanned(loop: Loop) -> dict[str, Any]:
    return loop.first


def looping(home: Path, *args: str, **env: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "bots.cli.main", "scan", *args],
        cwd=account.ROOT,
        env=account.environment(home, **env),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def listed(home: Path, *args: str) -> list[dict[str, Any]]:
    code, out, err = cli(home, "findings", "list", "--json", *args)
    assert code == 0, err
    found = json.loads(out)["findings"]
    assert isinstance(found, list)
    return found


def scan(home: Path) -> list[dict[str, Any]]:
    """Another scan, in this process."""
    code, out, err = cli(home, "scan", "--once", "--json", **SHORT)
    assert code == 0, err
    found = json.loads(out)["findings"]
    assert isinstance(found, list)
    return found


def test_one_object_with_everything_that_was_found(scanned: dict[str, Any], home: Path) -> None:
    assert set(scanned) >= {"findings", "as_of"}
    now = datetime.fromisoformat(scanned["as_of"])
    assert scanned["findings"], "the demo account has incidents"
    for finding in scanned["findings"]:
        assert set(finding) == FIELDS
        assert finding["kind"] in FINDING_KINDS
        assert finding["severity"] in SEVERITIES
        assert finding["evidence"]
        times = [datetime.fromisoformat(finding[name]) for name in ("started_at", "detected_at", "visible_at")]
        assert times[0] <= times[1] <= times[2] <= now
        assert (finding["state"] == "resolved") == (finding["ended_at"] is not None)
    prints = [f["fingerprint"] for f in scanned["findings"]]
    assert len(set(prints)) == len(prints)
    assert alters(home) == []


def test_shown_snoozed_and_dismissed(scanned: dict[str, Any], home: Path) -> None:
    one, two = [f["id"] for f in listed(home)][:2]
    shown = json.loads(cli(home, "findings", "show", one, "--json")[1])
    assert shown["finding"]["id"] == one
    assert shown["events"][0]["event"] == "found"
    code, out, _ = cli(home, "findings", "show", one[:8])
    assert code == 0
    assert one in out
    assert "evidence" in out

    for args, code, words in (
        (("snooze", one, "--for", "2d"), 2, "reason"),
        (("snooze", one, "--for", "2d", "--until", "2027-01-01", "--reason", "x"), 2, "how long"),
        (("dismiss", "none-such", "--reason", "x"), 2, "no finding"),
        (("dismiss", one, "--reason", "x", "--as", "demo-viewer"), 3, "proposer"),
    ):
        got, out, err = cli(home, "findings", *args)
        assert (got, words in err) == (code, True), (args, got, out, err)

    snoozed = json.loads(cli(home, "findings", "snooze", one, "--for", "2d", "--reason", "known load", "--json")[1])
    assert (snoozed["finding"]["state"], snoozed["reason"]) == ("snoozed", "known load")
    assert cli(home, "findings", "dismiss", two, "--reason", "a planned one")[0] == 0
    assert not {one, two} & {f["id"] for f in listed(home)}
    assert [f["id"] for f in listed(home, "--state", "snoozed")] == [one]
    rows = json.loads(cli(home, "audit", "list", "--json")[1])["rows"]
    assert [r["event"] for r in rows] == ["denied", "finding_snoozed", "finding_dismissed"]
    assert json.loads(cli(home, "audit", "verify", "--json")[1])["ok"]


def test_the_next_scan_finds_the_same_and_leaves_in_peace_what_is_to_be_quiet(
    scanned: dict[str, Any], home: Path
) -> None:
    quiet = [f["id"] for f in listed(home, "--state", "snoozed")]
    again = scan(home)
    known = {f["id"]: f["fingerprint"] for f in scanned["findings"]}
    assert {f["id"]: f["fingerprint"] for f in again}.items() <= known.items()
    assert {f["id"]: f["state"] for f in again} == {
        **{f["id"]: "open" for f in listed(home)},
        **dict.fromkeys(quiet, "snoozed"),
    }


def test_a_snooze_is_over_when_the_account_s_time_is(scanned: dict[str, Any], home: Path) -> None:
    (one,) = [f["id"] for f in listed(home, "--state", "snoozed")]
    later = {"FROSTLINE_NOW": "2027-01-01T00:00:00+00:00"}
    code, out, _ = cli(home, "findings", "list", "--json", **later)
    assert code == 0
    assert one in {f["id"] for f in json.loads(out)["findings"]}


def test_what_the_scan_has_found_can_be_asked_for(scanned: dict[str, Any], home: Path) -> None:
    with opened(home) as runtime:
        turn = runtime.ask("what is open?", thread=None, person=runtime.person("demo-viewer"))
    assert turn.status == "ok"
    assert [call.name for call in turn.tool_calls] == ["list_findings"]
    for finding in listed(home):
        assert finding["id"] in turn.answer


def test_a_loop_prints_an_object_a_round_and_ends_when_it_is_told_to(loop: Loop) -> None:
    assert set(loop.first) >= {"findings", "as_of"}
    assert "hourly series" in loop.stderr
    assert (loop.code, loop.rest) == (0, "")


@pytest.mark.timeout(120)
def test_a_loop_survives_a_store_that_does_not_answer(home: Path) -> None:
    process = looping(home, "--every", "1s", FROSTLINE_STORE__URL="postgresql://nobody@127.0.0.1:9/none")
    assert process.stderr
    told = [process.stderr.readline() for _ in range(2)]
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert ["the next one is in 2 s" in told[0], "the next one is in 4 s" in told[1]] == [True, True], told
    assert not any("Traceback" in line for line in told)


@pytest.mark.parametrize("args", [("--once", "--every", "2m"), ("--every", "soon"), ("--every", "0s")])
def test_bad_usage_is_told(home: Path, args: tuple[str, ...]) -> None:
    code, _, err = cli(home, "scan", *args)
    assert (code, "Error" in err) == (2, True)
