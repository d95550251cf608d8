"""Store, policy, graph and a fake account wired together as agent.runtime does it with the real ones."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver

from agent.actions.drive import ActionDeps
from agent.actions.graph import build_action_graph
from agent.actions.runner import ActionRunner
from agent.actions.state import ActionContext
from agent.nodes.execute import bind_execute
from agent.policy import Policy
from agent.roster import GroupDirectory
from agent.store import Store
from tests.graph.fake_account import FakeAccount, FakeReader, FakeWriter, warehouse
from tests.unit.agent.plans import HandClock
from tools.changes.tools import CHANGE_TOOLS, ProposedPlans
from tools.context import ToolContext, WarehouseWriter
from tools.domain import Person

POLICY = """
version = 1
[[people]]
name = "ada"
ids = ["os:ada"]
role = "proposer"
[[people]]
name = "grace"
ids = ["os:grace", "slack:T1/GRACE"]
role = "approver"
[[people]]
name = "mary"
ids = ["os:mary"]
role = "approver"
[[people]]
name = "root"
ids = ["os:root"]
role = "admin"
[limits]
protected = ["VAULT*"]
size_step = 2
per_hour = 5
[[rules]]
name = "shared"
effect = "allow"
warehouses = ["SHARED_*"]
two_people = true
[[rules]]
name = "ordinary"
effect = "allow"
"""

TOOLS = {tool.name: tool for tool in CHANGE_TOOLS}


@dataclass
class House:
    store: Store
    policy: Policy
    account: FakeAccount
    reader: FakeReader
    clock: HandClock
    deps: ActionDeps
    runner: ActionRunner
    naps: list[float]
    writers: list[FakeWriter] = field(default_factory=list)
    around: Callable[[Callable[[], None]], None] | None = None
    on_open: Callable[[], None] | None = None
    _ids: Any = field(default_factory=itertools.count)

    def context(self, name: str = "ada", *, asked: bool = True) -> ToolContext:
        return ToolContext(
            reader=self.reader,
            plans=self.store,
            policy=self.policy,
            clock=self.clock,
            person=self.person(name),
            thread="t1",
            new_id=lambda: f"plan-{next(self._ids)}",
            asked_for_change=asked,
        )

    def person(self, name: str) -> Person:
        return self.policy.person(name if ":" in name else f"os:{name}")

    def propose(self, tool: str, by: str = "ada", **args: Any) -> ProposedPlans:
        found = TOOLS[tool]
        result = found.run(self.context(by), found.args(**args))
        assert result.status == "needs_approval"
        assert isinstance(result.data, ProposedPlans)
        for proposed in result.data.plans:
            self.runner.start(proposed.plan.id)
        return result.data

    def events(self, plan_id: str | None = None) -> list[str]:
        return [row.event for row in self.store.audit_rows(plan_id)]


def build_house(
    folder: Path,
    store_url: str,
    *,
    policy: str = POLICY,
    checkpointer: BaseCheckpointSaver[Any] | None = None,
    me: str = "test",
    clock: HandClock | None = None,
    fresh: bool = True,
    groups: GroupDirectory | None = None,
) -> House:
    clock = clock or HandClock()
    account = FakeAccount(folder)
    if fresh:
        account.set(warehouse("ETL"), warehouse("SHARED_BI"), warehouse("VAULT"), warehouse('Odd "one"'))
    reader = FakeReader(account)
    store = Store.open(store_url, account="ACME", clock=clock)
    naps: list[float] = []
    context = ActionContext(
        store=store,
        policy=Policy.load(policy, groups=groups),
        reader=reader,
        clock=clock,
        me=me,
        sleep=naps.append,
        lease=timedelta(minutes=3),
    )
    house: House

    def open_writer() -> WarehouseWriter:
        if house.on_open:
            house.on_open()
        writer = FakeWriter(account, house.around)
        house.writers.append(writer)
        return writer

    deps = ActionDeps(context, build_action_graph(checkpointer or InMemorySaver(), bind_execute(open_writer)))
    house = House(store, context.policy, account, reader, clock, deps, ActionRunner(deps), naps)
    return house
