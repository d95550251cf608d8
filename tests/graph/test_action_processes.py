"""Real processes on one store and one checkpoint file: races at a barrier, and SIGKILL around the statement."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from agent.checkpoints import open_checkpointer
from tests.engines import ENGINES, fresh_url
from tests.graph.house import House, build_house
from tools.domain import PlanState
from tools.errors import FrostlineError, PlanConflict

ROOT = Path(__file__).parents[2]
PLANS = 20


OPEN: dict[int, ExitStack] = {}
"""What a house has opened beside its store."""


def _house(folder: Path, me: str, *, url: str = "", fresh: bool = False) -> House:
    url = url or f"sqlite:///{folder / 'store.db'}"
    stack = ExitStack()
    saver = open_checkpointer(url, folder / "checkpoints.db", stack)
    built = build_house(folder, url, checkpointer=saver, me=me, fresh=fresh, policy=_policy())
    OPEN[id(built)] = stack
    return built


def _policy() -> str:
    from tests.graph.house import POLICY

    return POLICY.replace("per_hour = 5", "per_hour = 1000")


def _close(house: House) -> None:
    OPEN.pop(id(house)).close()
    house.store.close()


def _kill_here(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def child(folder: Path, me: str, job: str, url: str = "") -> None:
    """What a child process does: approve plans as they are named on stdin, or die around the statement."""
    house = _house(folder, me, url=url)
    if job == "before the claim":
        house.store.claim = _kill_here  # type: ignore[method-assign,assignment]
    elif job == "after the claim":
        house.on_open = _kill_here
    elif job == "after the statement":
        house.around = lambda run: (run(), _kill_here())[0]
    elif job == "after the ledger":
        house.store.finish = _kill_here  # type: ignore[method-assign,assignment]
    _say("ready")
    for line in sys.stdin:
        plan_id, digest = line.split()
        try:
            outcome = house.runner.decide(
                plan_id, digest, house.person("os:grace" if me == "a" else "os:mary"), "approve"
            )
            answer = outcome.as_json()
        except FrostlineError as error:
            answer = error.as_json()
        _say(json.dumps(answer))
    _close(house)


def _start(folder: Path, me: str, job: str = "approve", url: str = "") -> subprocess.Popen[str]:
    code = (
        f"from pathlib import Path; from tests.graph.test_action_processes import child; child(Path({str(folder)!r}), "
        f"{me!r}, {job!r}, {url!r})"
    )
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", code],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def _ready(process: subprocess.Popen[str]) -> subprocess.Popen[str]:
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.parametrize("engine", ENGINES)
def test_two_processes_that_approve_the_same_plan_have_one_effect_and_two_honest_answers(
    engine: str, tmp_path: Path
) -> None:
    with fresh_url(engine, tmp_path) as url:
        _race(url, tmp_path)


def _race(url: str, tmp_path: Path) -> None:
    house = _house(tmp_path, "parent", url=url, fresh=True)
    pair = [_ready(p) for p in (_start(tmp_path, "a", url=url), _start(tmp_path, "b", url=url))]
    for number in range(PLANS):
        data = house.propose("set_auto_suspend", warehouse="ETL", seconds=60 + 30 * number)
        for process in pair:
            assert process.stdin is not None
            process.stdin.write(f"{data.approve_id} {data.approve_digest}\n")
        for process in pair:
            assert process.stdin is not None
            process.stdin.flush()
        answers = [json.loads(p.stdout.readline()) for p in pair if p.stdout]
        won = [a for a in answers if a.get("state") == "applied"]
        lost = [a for a in answers if a.get("code") == "plan_conflict"]
        assert (len(won), len(lost)) == (1, 1), answers
        assert "Already approved by" in lost[0]["message"]
        assert house.account.log[number:] == [data.plans[0].plan.statement]
        events = house.events(data.approve_id)
        assert events.count("started") == 1 and events.count("denied") == 1
    for process in pair:
        process.communicate(timeout=30)
        assert process.returncode == 0
    assert house.store.verify_audit().ok
    _close(house)


KILLED = {
    "before the claim": (0, PlanState.APPLIED),  # nobody had begun: it is run, once
    "after the claim": (0, PlanState.FAILED),
    "after the statement": (1, PlanState.APPLIED),
    "after the ledger": (1, PlanState.APPLIED),
}


@pytest.fixture(scope="module")
def dead(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A folder for each of KILLED, in which a process died there; all at once, for they take a while to start."""
    folders = {job: tmp_path_factory.mktemp(job.replace(" ", "-")) for job in KILLED}
    plans = {}
    for job, folder in folders.items():
        house = _house(folder, "parent", fresh=True)
        plans[job] = house.propose("suspend_idle", warehouse="ETL")
        _close(house)
    processes = {job: _start(folder, "a", job) for job, folder in folders.items()}
    for job, process in processes.items():
        process.communicate(f"{plans[job].approve_id} {plans[job].approve_digest}\n", timeout=90)
        assert process.returncode == -signal.SIGKILL, job
    return folders


@pytest.mark.parametrize("job", KILLED)
def test_a_killed_process_leaves_at_most_one_effect_and_the_truth(dead: dict[str, Path], job: str) -> None:
    ran, found = KILLED[job]
    house = _house(dead[job], "parent")
    (record,) = house.store.list()
    assert len(house.account.log) == ran
    with pytest.raises(PlanConflict, match="Already approved by grace"):
        house.runner.decide(record.plan.id, record.digest, house.person("mary"), "approve")
    house.clock.advance(minutes=4)
    house.runner.recover()
    record = house.store.get(record.plan.id)
    assert record.state is found
    assert len(house.account.log) == (1 if found is PlanState.APPLIED else 0)
    assert house.runner.recover().as_json() == {}
    assert house.store.verify_audit().ok
    _close(house)
