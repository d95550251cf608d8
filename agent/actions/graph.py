"""The action graph: from a stored plan to an applied change, on a thread of its own (`plan:<id>`).

    load_plan -> check_policy -> request_approval -> guard -> execute -> read_back -> report

Wiring and routers only. A checkpointer is not a lock: two processes may run the same thread, and the claim in
the store (agent.nodes.execute) is what lets only one of them act. No node has a retry policy.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph

from agent.actions.state import ActionContext, ActionState
from agent.nodes.check_policy import check_policy
from agent.nodes.execute import ExecuteNode
from agent.nodes.guard import guard
from agent.nodes.load_plan import load_plan
from agent.nodes.read_back import read_back
from agent.nodes.report import report
from agent.nodes.request_approval import request_approval
from tools.errors import Bug

__all__ = [
    "ActionGraph",
    "after_approval",
    "after_check",
    "after_execute",
    "after_guard",
    "after_load",
    "build_action_graph",
]

ActionGraph: TypeAlias = CompiledStateGraph[ActionState, ActionContext, ActionState, ActionState]


def after_load(state: ActionState) -> Literal["check_policy", "report"]:
    return "report" if state.get("halt") else "check_policy"


def after_check(state: ActionState) -> Literal["request_approval", "report"]:
    return "report" if state.get("halt") else "request_approval"


def after_approval(state: ActionState) -> Literal["guard", "request_approval", "report"]:
    if state.get("halt"):
        return "report"
    return "guard" if state.get("approved") else "request_approval"


def after_guard(state: ActionState) -> Literal["execute", "report"]:
    return "report" if state.get("halt") else "execute"


def after_execute(state: ActionState) -> Literal["read_back", "report"]:
    return "report" if state.get("outcome") == "lost" else "read_back"


def build_action_graph(checkpointer: BaseCheckpointSaver[Any] | None, execute: ExecuteNode) -> ActionGraph:
    """Compile; `execute` comes from `agent.nodes.execute.bind_execute`, with the writer in its closure.

    Raises:
        Bug: no checkpointer: the graph would ask for an approval that can never be given.
    """
    if checkpointer is None:
        raise Bug("The action graph needs a checkpointer.")
    graph = StateGraph(ActionState, context_schema=ActionContext)
    graph.add_node("load_plan", load_plan)
    graph.add_node("check_policy", check_policy)
    graph.add_node("request_approval", request_approval)
    graph.add_node("guard", guard)
    graph.add_node("execute", execute)
    graph.add_node("read_back", read_back)
    graph.add_node("report", report)
    graph.add_edge(START, "load_plan")
    graph.add_conditional_edges("load_plan", after_load)
    graph.add_conditional_edges("check_policy", after_check)
    graph.add_conditional_edges("request_approval", after_approval)
    graph.add_conditional_edges("guard", after_guard)
    graph.add_conditional_edges("execute", after_execute)
    graph.add_edge("read_back", "report")
    graph.add_edge("report", END)
    return graph.compile(checkpointer=checkpointer)
