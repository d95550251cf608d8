"""Real processes on the demo account: an approved change happens once, and the row says what is true."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agent.runtime import Runtime
from agent.settings import load_settings
from tests import account
from tools.changes.tools import CHANGE_TOOLS
from tools.domain import PlanRecord, PlanState

TRIALS = 50
MANY = account.POLICY.replace("per_hour = 20", "per_hour = 1000")


class ShiftedClock:
    """Wall time, moved on by hand: claims lapse without anybody waiting for them."""

    def __init__(self) -> None:
        self.shift = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.shift


@contextmanager
def runtime_of(home: Path, monkeypatch: pytest.MonkeyPatch, clock: ShiftedClock | None = None) -> Iterator[Runtime]:
    monkeypatch.setenv("FROSTLINE_HOME", str(home))
    with Runtime.open(load_settings("demo"), clock=clock or ShiftedClock()) as runtime:
        yield runtime


def changeable(runtime: Runtime) -> str:
    return next(w.name for w in runtime.reader.warehouses() if not w.is_adaptive)


def propose(runtime: Runtime, warehouse: str, seconds: int) -> PlanRecord:
    tool = next(t for t in CHANGE_TOOLS if t.name == "set_auto_suspend")
    ctx = runtime.tool_context(runtime.person("demo-proposer"), None, asked_for_change=True)
    args = tool.args.model_validate({"warehouse": warehouse, "seconds": seconds})
    result = tool.run(ctx, args)
    assert result.status == "needs_approval"
    assert result.data is not None
    return runtime.store.get(result.data.approve_id)


def executed(home: Path, warehouse: str) -> list[dict[str, Any]]:
    """The demo server's own log of what it really ran."""
    log = home / "demo" / "account" / "alters.jsonl"
    rows = [json.loads(line) for line in log.read_text().splitlines()] if log.is_file() else []
    return [row for row in rows if row["warehouse"] == warehouse]


def ledger_rows(home: Path, plan: str) -> list[Any]:
    with sqlite3.connect(home / "demo" / "store.db") as connection:
        return connection.execute("SELECT outcome FROM ledger WHERE plan_id = ?", (plan,)).fetchall()


def decider(home: Path, *args: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.scenario.decider", *args],
        cwd=account.ROOT,
        env=account.environment(home),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def told(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None
    line = process.stdout.readline()
    return dict(json.loads(line)) if line else {}


def tell(process: subprocess.Popen[str], **job: Any) -> None:
    assert process.stdin is not None
    process.stdin.write(json.dumps(job) + "\n")
    process.stdin.flush()


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


@pytest.mark.timeout(300)
def test_two_processes_approve_the_same_plan_at_a_barrier(
    make_home: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    home = make_home(policy=MANY)
    with runtime_of(home, monkeypatch) as runtime:
        warehouse = changeable(runtime)
        workers = [decider(home), decider(home)]
        try:
            assert all(told(w) == {"ready": True} for w in workers)
            for trial in range(TRIALS):
                before = len(executed(home, warehouse))
                record = propose(runtime, warehouse, 90 + 30 * (trial % 2))
                at = time.time() + 0.05
                for worker, person in zip(workers, ("demo-approver", "demo-admin"), strict=True):
                    tell(worker, plan=record.plan.id, digest=record.digest, at=at, **{"as": person})
                answers = [told(w) for w in workers]
                assert len(executed(home, warehouse)) - before == 1, answers
                assert len(ledger_rows(home, record.plan.id)) == 1
                assert sorted(a["state"] for a in answers)[0] == "applied", answers
                loser = next((a for a in answers if a["state"] == "refused"), None)
                # Both answers are honest: one applied it; the other says by whom, or that it is applied.
                assert loser is None or "demo-a" in loser["said"], answers
                assert runtime.store.get(record.plan.id).state is PlanState.APPLIED
        finally:
            for worker in workers:
                end(worker)
        assert runtime.store.verify_audit().ok


@pytest.mark.parametrize(
    ("point", "ran", "state"),
    [
        ("before_claim", 0, PlanState.APPROVED),
        ("after_claim", 0, PlanState.CLAIMED),
        ("before_statement", 0, PlanState.CLAIMED),
        ("after_statement", 1, PlanState.CLAIMED),
        ("after_ledger", 1, PlanState.CLAIMED),
        ("after_finish", 1, PlanState.APPLIED),
    ],
)
@pytest.mark.timeout(180)
def test_killed_around_the_statement(
    make_home: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, point: str, ran: int, state: PlanState
) -> None:
    """After the restart at most one ALTER has run, and the row says what is true."""
    home = make_home()
    clock = ShiftedClock()
    with runtime_of(home, monkeypatch, clock) as runtime:
        warehouse = changeable(runtime)
        record = propose(runtime, warehouse, 90)
        worker = decider(home, "--die", point)
        assert told(worker) == {"ready": True}
        tell(worker, plan=record.plan.id, digest=record.digest, at=0, **{"as": "demo-approver"})
        assert worker.wait(60) == -9
        end(worker)
        assert len(executed(home, warehouse)) == ran
        assert runtime.store.get(record.plan.id).state is state
    clock.shift = timedelta(minutes=5)  # the claim has lapsed; the plan has not expired
    with runtime_of(home, monkeypatch, clock) as restarted:
        restarted.runner.recover()
        after = restarted.store.get(record.plan.id)
        live = {w.name: w for w in restarted.reader.warehouses()}[warehouse]
        restarted.runner.recover()  # once more changes nothing
        assert restarted.store.get(record.plan.id) == after
        assert restarted.store.verify_audit().ok
    runs = len(executed(home, warehouse))
    assert runs <= 1
    if point == "before_claim":
        # Nobody had claimed it: the approval stands, and recovery carries it out.
        assert (after.state, runs, live.auto_suspend) == (PlanState.APPLIED, 1, 90)
    elif ran:
        assert (after.state, live.auto_suspend) == (PlanState.APPLIED, 90)
    else:
        assert (after.state, runs) == (PlanState.FAILED, 0)
        assert live.auto_suspend == record.plan.before["auto_suspend"]
    assert len(ledger_rows(home, record.plan.id)) == 1
