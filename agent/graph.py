"""The chat graph: from a person's words to a proven answer, on the conversation's own thread.

    screen_input -> converse <-> call_tools
                       |
                    compose <-> check_answer -> reply

Wiring only. Nothing here waits for an approval: a plan lives on its own thread (agent.actions.graph), so that
whatever is said in the conversation cannot drop, repeat or give one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeAlias

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph

from agent.account_names import AccountNames
from agent.nodes.call_tools import call_tools
from agent.nodes.check_answer import check_answer
from agent.nodes.compose import compose
from agent.nodes.converse import converse
from agent.nodes.reply import reply
from agent.nodes.screen_input import MAX_LENGTH, screen_input
from agent.offline.planner import OfflineThinker
from agent.routes import after_check, after_converse, after_screen
from agent.state import ChatContext, ChatState, Step, Thinker, Turn
from agent.tracing import traced
from tools.context import ToolContext
from tools.domain import Person
from tools.errors import Bug

__all__ = ["AuditSink", "ChatGraph", "MakeTools", "build_chat_graph", "chat_context", "run_turn"]

ChatGraph: TypeAlias = CompiledStateGraph[ChatState, ChatContext, ChatState, ChatState]


class MakeTools(Protocol):
    def __call__(self, person: Person, thread: str | None, *, asked_for_change: bool) -> ToolContext: ...


class AuditSink(Protocol):
    """`agent.store.Store.audit`."""

    def __call__(
        self, event: str, actor: str, plan_id: str | None = None, detail: Mapping[str, Any] | None = None
    ) -> None: ...


def build_chat_graph(checkpointer: BaseCheckpointSaver[Any] | None) -> ChatGraph:
    """Compile the graph.

    Raises:
        Bug: no checkpointer: a conversation would forget its own questions.
    """
    if checkpointer is None:
        raise Bug("The chat graph needs a checkpointer.")
    graph = StateGraph(ChatState, context_schema=ChatContext)
    graph.add_node("screen_input", traced("screen_input", screen_input))
    graph.add_node("converse", traced("converse", converse))
    graph.add_node("call_tools", traced("call_tools", call_tools))
    graph.add_node("compose", traced("compose", compose))
    graph.add_node("check_answer", traced("check_answer", check_answer))
    graph.add_node("reply", traced("reply", reply))
    graph.add_edge(START, "screen_input")
    graph.add_conditional_edges("screen_input", after_screen)
    graph.add_conditional_edges("converse", after_converse)
    graph.add_edge("call_tools", "converse")
    graph.add_edge("compose", "check_answer")
    graph.add_conditional_edges("check_answer", after_check)
    graph.add_edge("reply", END)
    return graph.compile(checkpointer=checkpointer)


def chat_context(
    make_tools: MakeTools,
    person: Person,
    *,
    audit: AuditSink,
    thinker: Thinker | None = None,
    on_step: Callable[[Step], None] | None = None,
    cards: bool = False,
    on_trace: Callable[[dict[str, Any]], None] | None = None,
) -> ChatContext:
    """What the nodes of one turn may use; the offline planner thinks unless another thinker is given."""

    def tools(thread: str | None, asked: bool) -> ToolContext:
        return make_tools(person, thread, asked_for_change=asked)

    def record(event: str, detail: Mapping[str, Any]) -> None:
        audit(event, person.id, None, detail)

    return ChatContext(
        make_tools=tools,
        person=person,
        thinker=thinker or OfflineThinker(),
        names=AccountNames(lambda: tools(None, False)),
        audit=record,
        on_step=on_step,
        cards=cards,
        on_trace=on_trace,
    )


def run_turn(graph: ChatGraph, context: ChatContext, text: str, thread: str) -> Turn:
    """One message in, one answered turn out; the thread's memory is kept by the checkpointer.

    Raises:
        Stopped: `context.on_step` has ended it.
    """
    new_id: Callable[[], str] = context.make_tools(thread, False).new_id
    turn: ChatState = {
        "text": _storable(text),
        "thread": thread,
        "trace_id": new_id(),
        "screened": "ok",
        "clean": "",
        "asked_for_change": False,
        "decision": {},
        "note": "",
        "note_names": [],
        "results": [],
        "rounds": 0,
        "template": "",
        "problems": [],
        "proof": {"refused": 0, "mended": 0, "replaced": 0},
        "thinking": [],
        "answer": "",
        "output": {},
    }
    state = graph.invoke(turn, config={"configurable": {"thread_id": f"chat:{thread}"}}, context=context)
    if context.on_trace is not None:
        context.on_trace(context.tracer.finished(state, context.person.id))
    return Turn.model_validate(state["output"])


def _storable(text: str) -> str:
    """What a checkpoint can hold: no lone surrogates, and no more than is needed to see that it is too long."""
    return text[: 2 * MAX_LENGTH].encode("utf-8", "replace").decode("utf-8")
