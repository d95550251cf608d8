"""The shape of the action graph: its edges, its one interrupt, and that nothing but the row approves."""

from __future__ import annotations

import ast
import itertools
import json
import sqlite3
import warnings
from pathlib import Path

import pytest
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.types import Command

import agent
from agent.actions.graph import (
    after_approval,
    after_check,
    after_execute,
    after_guard,
    after_load,
    build_action_graph,
)
from agent.actions.state import ActionState
from agent.nodes.execute import bind_execute
from tests.graph.fake_account import FakeAccount, FakeWriter
from tests.graph.house import TOOLS, House, build_house
from tools.domain import PlanState
from tools.errors import Bug

SOURCE = Path(agent.__file__).parent


def test_it_is_not_built_without_a_checkpointer(tmp_path: Path) -> None:
    with pytest.raises(Bug):
        build_action_graph(None, bind_execute(lambda: FakeWriter(FakeAccount(tmp_path))))


def test_its_edges(house: House) -> None:
    drawn = house.deps.graph.get_graph()
    edges = {(e.source, e.target) for e in drawn.edges}
    steps = ["load_plan", "check_policy", "request_approval", "guard", "execute", "read_back", "report"]
    assert set(itertools.pairwise(steps)) <= edges
    assert {source for source, target in edges if target == "execute"} == {"guard"}
    assert {source for source, target in edges if target == "read_back"} == {"execute"}
    assert ("request_approval", "request_approval") in edges
    assert house.deps.graph.builder.nodes["execute"].retry_policy is None


@pytest.mark.parametrize(
    ("router", "state", "next_node"),
    [
        (after_load, {}, "check_policy"),
        (after_load, {"halt": "applied"}, "report"),
        (after_check, {"halt": ""}, "request_approval"),
        (after_check, {"halt": "no"}, "report"),
        (after_approval, {"approved": True, "halt": ""}, "guard"),
        (after_approval, {"approved": False, "halt": ""}, "request_approval"),
        (after_approval, {"approved": False, "halt": "declined"}, "report"),
        (after_approval, {"approved": True, "halt": "declined"}, "report"),
        (after_guard, {"halt": ""}, "execute"),
        (after_guard, {"halt": "drift"}, "report"),
        (after_execute, {"outcome": "lost"}, "report"),
        (after_execute, {"outcome": "executed"}, "read_back"),
        (after_execute, {"outcome": "refused"}, "read_back"),
        (after_execute, {"outcome": "unknown"}, "read_back"),
    ],
)
def test_routers(router: object, state: ActionState, next_node: str) -> None:
    assert callable(router) and router(state) == next_node


def _imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{a.name}" for a in node.names)}
        elif isinstance(node, ast.Import):
            found |= {a.name for a in node.names}
    return found


def test_one_interrupt_and_one_importer_of_apply() -> None:
    root = SOURCE.parent
    files = [p for package in ("agent", "tools", "bots", "evals") for p in (root / package).rglob("*.py")]
    assert {p.name for p in files if "tools.apply" in _imports(p)} == {"execute.py"}
    assert {p.name for p in files if "langgraph.types.interrupt" in _imports(p)} == {"request_approval.py"}


def test_it_waits_with_what_a_person_has_to_see(house: House) -> None:
    data = house.propose("suspend_idle", warehouse="ETL")
    waiting = house.deps.graph.get_state({"configurable": {"thread_id": f"plan:{data.approve_id}"}}).interrupts
    assert len(waiting) == 1
    assert waiting[0].value["digest"] == data.approve_digest
    assert waiting[0].value["statement"] == 'ALTER WAREHOUSE "ETL" SUSPEND'


@pytest.mark.parametrize("answer", [{}, {"approved": True}, "yes", {"decision": "approve", "digest": "x"}, [1], 0])
def test_no_answer_to_the_graph_approves(house: House, answer: object) -> None:
    """Only the row does; the thread then goes on waiting, unharmed."""
    data = house.propose("suspend_idle", warehouse="ETL")
    config = {"configurable": {"thread_id": f"plan:{data.approve_id}"}}
    for _ in range(2):
        waiting = house.deps.graph.get_state(config).interrupts  # type: ignore[arg-type]
        house.deps.graph.invoke(
            Command(resume={i.id: answer for i in waiting}),
            config,  # type: ignore[arg-type]
            context=house.deps.context,
        )
    assert house.account.log == [] and house.store.get(data.approve_id).state is PlanState.PROPOSED
    outcome = house.runner.decide(data.approve_id, data.approve_digest, house.person("grace"), "approve")
    assert outcome.state is PlanState.APPLIED and len(house.account.log) == 1


def test_starting_twice_keeps_the_thread(house: House) -> None:
    data = house.propose("suspend_idle", warehouse="ETL")
    config = {"configurable": {"thread_id": f"plan:{data.approve_id}"}}
    first = house.deps.graph.get_state(config).interrupts  # type: ignore[arg-type]
    house.runner.start(data.approve_id)
    assert house.deps.graph.get_state(config).interrupts == first  # type: ignore[arg-type]


def test_the_state_is_plain_json_and_loads_without_a_warning(tmp_path: Path, store_url: str) -> None:
    connection = sqlite3.connect(tmp_path / "checkpoints.db", check_same_thread=False)
    saver = SqliteSaver(connection)
    built = build_house(tmp_path, store_url, checkpointer=saver)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        data = built.propose("resize_warehouse", warehouse="ETL", size="S")
        built.runner.decide(data.approve_id, data.approve_digest, built.person("grace"), "approve")
        history = list(built.deps.graph.get_state_history({"configurable": {"thread_id": f"plan:{data.approve_id}"}}))
    assert len(history) >= 8
    for snapshot in history:
        json.dumps(snapshot.values)
    assert history[0].values["report"].startswith("Applied: ETL reads as planned")
    connection.close()
    built.store.close()


def test_policy_that_has_changed_since_withdraws_the_plan_before_it_is_shown(tmp_path: Path, store_url: str) -> None:
    built = build_house(tmp_path, store_url)
    stored = TOOLS["suspend_idle"].run(built.context(), TOOLS["suspend_idle"].args(warehouse="ETL")).data
    stricter = build_house(tmp_path, store_url, policy="version = 1", fresh=False)
    stricter.runner.start(stored.approve_id)
    record = built.store.get(stored.approve_id)
    assert (record.state, record.reason.partition(":")[0]) == (PlanState.CANCELLED, "policy (role)")
    stricter.store.close()
    built.store.close()
