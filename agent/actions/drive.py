"""Runs the action graph for one plan, from wherever its thread stands, until it waits or ends."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.types import Command, StateSnapshot

from agent.actions.graph import ActionGraph
from agent.actions.state import ActionContext
from agent.checkpoints import reachable_checkpoints
from tools.domain import PlanRecord, PlanState

__all__ = ["ActionDeps", "drive", "start"]

_WAIT_FOR_OTHER = 20.0
_STEP = 0.1


@dataclass(frozen=True)
class ActionDeps:
    """What deciding and recovery need; made by agent.runtime."""

    context: ActionContext
    graph: ActionGraph


def start(deps: ActionDeps, plan_id: str) -> None:
    """Put a stored plan on its thread, up to the point where it waits for a decision; again is harmless."""
    if not _snapshot(deps, plan_id).created_at:
        _invoke(deps, plan_id, {"plan_id": plan_id})


def drive(deps: ActionDeps, plan_id: str) -> PlanRecord:
    """Run a decided plan on: resume what waits, continue what broke off, begin where there is nothing.

    Raises:
        FrostlineError: the account or the store does not answer; the row says how far it came.
    """
    start(deps, plan_id)
    snapshot = _snapshot(deps, plan_id)
    if snapshot.interrupts:
        # By id, and with the digest for the record; the row alone decides (agent.nodes.request_approval).
        answer = {"digest": deps.context.store.get(plan_id).digest}
        _invoke(deps, plan_id, Command(resume={i.id: answer for i in snapshot.interrupts}))
    elif snapshot.next:
        _invoke(deps, plan_id, None)
    elif deps.context.store.get(plan_id).state is PlanState.APPROVED:
        _invoke(deps, plan_id, {"plan_id": plan_id})  # it ended while it was not its turn
    return _settled(deps, plan_id)


def report_of(deps: ActionDeps, plan_id: str) -> str:
    """The last report of the plan's thread; empty where it has not come to one."""
    return str(_snapshot(deps, plan_id).values.get("report", ""))


def _invoke(deps: ActionDeps, plan_id: str, given: Any) -> None:
    # sync: every step is stored before the next begins, so that a crash leaves the thread where it was.
    with reachable_checkpoints():
        deps.graph.invoke(given, _thread(plan_id), context=deps.context, durability="sync")


def _snapshot(deps: ActionDeps, plan_id: str) -> StateSnapshot:
    with reachable_checkpoints():
        return deps.graph.get_state(_thread(plan_id))


def _thread(plan_id: str) -> RunnableConfig:
    return {"configurable": {"thread_id": f"plan:{plan_id}"}}


def _settled(deps: ActionDeps, plan_id: str) -> PlanRecord:
    """The row; where another process is applying it, wait a little for its honest answer."""
    record = deps.context.store.get(plan_id)
    lost = _snapshot(deps, plan_id).values.get("outcome") == "lost"
    deadline = time.monotonic() + _WAIT_FOR_OTHER
    while lost and record.state is PlanState.CLAIMED and time.monotonic() < deadline:
        deps.context.sleep(_STEP)
        record = deps.context.store.get(plan_id)
    return record
