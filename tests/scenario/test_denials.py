"""Every no on the way from a plan to a change, on the real demo account: its reason, its audit row, nothing run."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from agent.runtime import Runtime
from agent.settings import load_settings
from bots.cli.main import app
from tests import account
from tests.scenario.commands import cli
from tests.scenario.test_one_effect import ShiftedClock, changeable, executed, propose
from tools.domain import PlanState
from tools.errors import NotAllowed, PlanConflict
from tools.warehouse.statements import quote
from tools.warehouse.writer import SnowflakeWriter


@pytest.fixture
def home(make_home: Callable[..., Path]) -> Path:
    return make_home()


@pytest.fixture
def clock() -> ShiftedClock:
    return ShiftedClock()


@pytest.fixture
def runtime(home: Path, clock: ShiftedClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Runtime]:
    monkeypatch.setenv("FROSTLINE_HOME", str(home))
    with Runtime.open(load_settings("demo"), clock=clock) as opened:
        yield opened


def denied(runtime: Runtime, plan: str) -> list[str]:
    return [str(r.detail.get("why")) for r in runtime.store.audit_rows(plan) if r.event == "denied"]


def approve(runtime: Runtime, plan: str, digest: str, person: str = "demo-approver") -> str:
    return runtime.decide(plan, digest, runtime.person(person), "approve").state.value


def test_a_plan_survives_every_wrong_hand_and_is_applied_by_the_right_one(home: Path, runtime: Runtime) -> None:
    warehouse = changeable(runtime)
    record = propose(runtime, warehouse, 90)
    plan, digest = record.plan.id, record.digest
    for person in ("demo-viewer", "demo-analyst", "demo-proposer", "somebody-else"):
        with pytest.raises(NotAllowed) as refused:
            approve(runtime, plan, digest, person)
        assert refused.value.message
    wrong = ("0" if digest[0] != "0" else "1") + digest[1:]
    for bad in (wrong, digest[:7], "", "yes"):
        with pytest.raises(PlanConflict, match="digest"):
            approve(runtime, plan, bad)
    assert executed(home, warehouse) == []
    assert approve(runtime, plan, digest) == "applied"
    with pytest.raises(PlanConflict, match="demo-approver"):
        approve(runtime, plan, digest, "demo-admin")
    assert len(executed(home, warehouse)) == 1
    assert len(denied(runtime, plan)) == 9
    assert runtime.store.verify_audit().ok


def test_an_expired_plan(home: Path, runtime: Runtime, clock: ShiftedClock) -> None:
    warehouse = changeable(runtime)
    record = propose(runtime, warehouse, 90)
    clock.shift = timedelta(hours=1)
    with pytest.raises(PlanConflict, match="expired"):
        approve(runtime, record.plan.id, record.digest)
    assert runtime.store.get(record.plan.id).state is PlanState.EXPIRED
    assert denied(runtime, record.plan.id)
    assert executed(home, warehouse) == []


def test_a_list_shows_what_is_true_now(
    home: Path, runtime: Runtime, clock: ShiftedClock, capsys: pytest.CaptureFixture[str]
) -> None:
    clock.shift = timedelta(hours=-1)
    record = propose(runtime, changeable(runtime), 90)
    assert record.plan.expires_at < ShiftedClock().now()
    with pytest.raises(SystemExit) as left:
        app(["plans", "list", "--json"])
    assert left.value.code == 0
    assert [p["state"] for p in json.loads(capsys.readouterr().out)["plans"]] == ["expired"]


def test_drift_makes_it_stale_and_says_what_changed(home: Path, runtime: Runtime) -> None:
    warehouse = changeable(runtime)
    record = propose(runtime, warehouse, 90)
    by_hand = SnowflakeWriter(runtime.operator_config)
    by_hand.execute(f"ALTER WAREHOUSE {quote(warehouse)} SET AUTO_SUSPEND = 240")
    outcome = runtime.decide(record.plan.id, record.digest, runtime.person("demo-approver"), "approve")
    assert outcome.state is PlanState.STALE
    assert "240" in outcome.reason
    assert [row["statement"] for row in executed(home, warehouse)] == [
        f"ALTER WAREHOUSE {quote(warehouse)} SET AUTO_SUSPEND = 240"
    ]
    assert "stale" in [r.event for r in runtime.store.audit_rows(record.plan.id)]


def test_a_plan_row_that_was_changed_is_not_applied(home: Path, runtime: Runtime) -> None:
    warehouse = changeable(runtime)
    record = propose(runtime, warehouse, 90)
    with sqlite3.connect(home / "demo" / "store.db") as connection:
        connection.execute("UPDATE plans SET body = replace(body, 'AUTO_SUSPEND = 90', 'AUTO_SUSPEND = 9000')")
    with pytest.raises(PlanConflict):
        approve(runtime, record.plan.id, record.digest)
    assert executed(home, warehouse) == []


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE audit SET actor = 'demo:demo-admin' WHERE seq = 1",
        "UPDATE audit SET detail = '{}' WHERE seq = 2",
        "DELETE FROM audit WHERE seq = 2",
        "DELETE FROM audit WHERE seq = (SELECT max(seq) FROM audit)",
        "UPDATE audit SET at = '2020-01-01T00:00:00+00:00' WHERE seq = 1",
    ],
)
def test_a_changed_audit_row_is_found(home: Path, runtime: Runtime, damage: str) -> None:
    record = propose(runtime, changeable(runtime), 90)
    approve(runtime, record.plan.id, record.digest)
    assert runtime.store.verify_audit().ok
    with sqlite3.connect(home / "demo" / "store.db") as connection:
        for trigger in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {trigger[0]}")
        assert connection.execute(damage).rowcount == 1
    report = runtime.store.verify_audit()
    assert not report.ok
    assert report.problems


def test_a_protected_warehouse_is_refused_when_proposing_and_when_approving(
    home: Path, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse = changeable(runtime)
    record = propose(runtime, warehouse, 90)
    (home / "demo" / "policy.toml").write_text(account.POLICY.replace("protected = []", f'protected = ["{warehouse}"]'))
    with Runtime.open(load_settings("demo")) as stricter:
        with pytest.raises(NotAllowed) as refused:
            propose(stricter, warehouse, 120)
        assert refused.value.rule == "protected"
        with pytest.raises(NotAllowed) as refused:
            approve(stricter, record.plan.id, record.digest, "demo-admin")
        assert refused.value.rule == "protected"
        assert denied(stricter, record.plan.id) == ["protected"]
    assert executed(home, warehouse) == []


@pytest.mark.parametrize(
    ("person", "text", "why"),
    [
        ("demo-viewer", "set auto-suspend of {wh} to 90 seconds", "role"),
        ("demo-proposer", "set auto-suspend of {wh} to 1 second", "auto_suspend"),
        ("demo-proposer", "suspend {hidden}", "no_permission"),
    ],
)
def test_a_request_that_is_refused_leaves_its_row(runtime: Runtime, person: str, text: str, why: str) -> None:
    shown = {w.name for w in runtime.reader.warehouses()}
    hidden = next(name for name in runtime.reader.known_warehouses() if name not in shown)
    words = text.format(wh=changeable(runtime), hidden=hidden)
    turn = runtime.ask(words, thread="t", person=runtime.person(person))
    assert turn.status in ("refused", "no_permission")
    rows = [r for r in runtime.store.audit_rows() if r.event == "change_refused"]
    assert [r.actor for r in rows] == [f"demo:{person}"]
    assert rows[0].detail["message"]
    assert rows[0].detail["why"] == why


def test_yes_in_the_conversation_leaves_its_row_and_moves_nothing(home: Path, runtime: Runtime) -> None:
    warehouse = changeable(runtime)
    asked = runtime.ask(f"set auto-suspend of {warehouse} to 90 seconds", thread="t", person=runtime.person())
    assert asked.status == "needs_approval"
    for text in ("yes", "Yes, do it!", "approve", "go ahead", f"approve {asked.plans[0].digest[:8]}", "ok 👍"):
        assert runtime.ask(text, thread="t", person=runtime.person("demo-admin")).status == "refused"
    assert runtime.store.get(asked.plans[0].id).state is PlanState.PROPOSED
    assert len([r for r in runtime.store.audit_rows() if r.event == "approval_by_text"]) == 6
    assert executed(home, warehouse) == []


def test_every_no_of_the_command_line_leaves_an_audit_row(
    home: Path, runtime: Runtime, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = propose(runtime, changeable(runtime), 90)
    ident, seen = plan.plan.id, len(runtime.store.audit_rows())
    wanted = [
        (["approve", ident, "--digest", "0" * 8], "digest", "demo:demo-approver"),
        (["approve", ident, "--digest", ""], "digest", "demo:demo-approver"),
        (["approve", ident, "--digest", plan.digest[:8], "--as", "demo-proposer"], "role", "demo:demo-proposer"),
        (["approve", "nosuchplan", "--digest", plan.digest], "not_found", "demo:demo-approver"),
        (["decline", ident, "--as", "demo-viewer"], "role", "demo:demo-viewer"),
        (["cancel", ident, "--as", "demo-analyst"], "role", "demo:demo-analyst"),
        (["cancel", "nosuchplan"], "not_found", "demo:demo-approver"),
        (["settle", ident, "applied", "--as", "demo-proposer"], "role", "demo:demo-proposer"),
        (["undo", ident], "plan_conflict", "demo:demo-proposer"),
    ]
    for arguments, _, _ in wanted:
        with pytest.raises(SystemExit) as left:
            app(["plans", *arguments])
        assert left.value.code == 3, arguments
    rows = runtime.store.audit_rows()[seen:]
    assert [(r.event, r.detail["why"], r.actor) for r in rows] == [("denied", why, who) for _, why, who in wanted]
    assert runtime.store.get(ident).state is PlanState.PROPOSED and runtime.store.verify_audit().ok
    capsys.readouterr()


def test_a_resource_monitor_holds_a_resume_back_and_people_are_told_why(home: Path, runtime: Runtime) -> None:
    person = runtime.person()
    plan = runtime.ask("resume LEGACY_WH", thread="monitor", person=person).plans[0]
    code, told, _ = cli(home, "plans", "approve", plan.id, "--digest", plan.digest[:8])
    assert code == 1
    assert "failed: nothing was changed; The warehouse cannot be resumed: its resource monitor" in told
    assert "used up its quota" in cli(home, "plans", "show", plan.id)[1]
    assert executed(home, plan.id) == []
