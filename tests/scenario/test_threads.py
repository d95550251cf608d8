"""One runtime, many threads: as the bot uses it. Real account, store, checkpoints and graphs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from agent.runtime import Runtime
from agent.settings import load_settings
from agent.state import Step, Stopped, Turn
from tools.errors import FrostlineError, NotAllowed, PlanConflict

THREADS = 8
FOLLOW_UPS = ("credits by warehouse last week", "and the week before?", "and by user?")


@pytest.fixture
def open_runtime(make_home: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Runtime]]:
    opened: list[Runtime] = []
    monkeypatch.setenv("FROSTLINE_HOME", str(make_home()))

    def make() -> Runtime:
        opened.append(Runtime.open(load_settings("demo")))
        return opened[-1]

    yield make
    for runtime in opened:
        runtime.close()


def at_once(work: Callable[[int], Turn]) -> list[Turn]:
    """The same work in all threads, begun at the same moment; the first error of any is raised."""
    barrier = threading.Barrier(THREADS)

    def run(number: int) -> Turn:
        barrier.wait(30)
        return work(number)

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(run, range(THREADS)))


def test_threads_share_a_runtime(open_runtime: Callable[[], Runtime]) -> None:
    runtime = open_runtime().warm()
    opened = {name: value for name, value in vars(runtime).items() if name != "settings"}
    person = runtime.person("demo-admin")
    told: list[list[Step]] = [[] for _ in range(THREADS)]

    def conversation(number: int) -> Turn:
        for text in FOLLOW_UPS:
            turn = runtime.ask(text, thread=f"own-{number}", person=person, on_step=told[number].append)
        return turn

    turns = at_once(conversation)
    assert {turn.status for turn in turns} == {"ok"}
    assert len({turn.answer for turn in turns}) == 1  # the same question has the same answer in each
    assert [turn.thread for turn in turns] == [f"own-{n}" for n in range(THREADS)]
    assert {len(steps) for steps in told} == {2 * len(FOLLOW_UPS)}
    assert {name: value for name, value in vars(runtime).items() if name != "settings"} == opened  # nothing twice

    def same(number: int) -> Turn:
        def stop(step: Step) -> None:
            if number == 3:
                raise Stopped

        try:
            return runtime.ask("credits by warehouse last week", thread="shared", person=person, on_step=stop)
        except Stopped:
            return turns[0]

    with_one_stopped = at_once(same)
    assert {turn.status for turn in with_one_stopped} == {"ok"}
    after = runtime.ask("and the week before?", thread="shared", person=person)
    assert after.status == "ok" and after.tool_calls[0].args["by"] == "warehouse"

    plan = runtime.ask("suspend APP_WH", thread="shared", person=person).plans[0]

    def decide(number: int) -> str:
        try:
            return runtime.decide(plan.id, plan.digest, runtime.person("demo-approver"), "approve").state.value
        except (PlanConflict, NotAllowed) as refused:
            return refused.code

    with ThreadPoolExecutor(THREADS) as pool:
        outcomes = list(pool.map(decide, range(THREADS)))
    assert outcomes.count("applied") >= 1 and set(outcomes) <= {"applied", "plan_conflict"}
    assert [row.event for row in runtime.store.audit_rows(plan.id)].count("started") == 1
    assert runtime.store.verify_audit().ok


def test_warming_a_runtime_says_what_cannot_be_opened(open_runtime: Callable[[], Runtime]) -> None:
    runtime = open_runtime()
    (runtime.settings.state_dir / "policy.toml").write_text("version = 2")
    with pytest.raises(FrostlineError):
        runtime.warm()
