"""A chat on the in-memory account: real graph, real tools, real planner; plans go to a list."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver

from agent.graph import build_chat_graph, chat_context, run_turn
from agent.state import Step, Thinker, Turn
from tests.doubles.account import FrameReader, Roles, WallClock, account, person
from tools.context import FindingView, Retriever, ToolContext
from tools.domain import ActionPlan, Bundle, Person, PlanRecord
from tools.errors import PlanConflict


@dataclass
class Plans:
    """A PlanStore that keeps what is proposed."""

    stored: list[ActionPlan] = field(default_factory=list)
    bundles: list[Bundle] = field(default_factory=list)

    def propose(self, plans: Sequence[ActionPlan], bundle: Bundle | None = None) -> None:
        self.stored += plans
        if bundle is not None:
            self.bundles.append(bundle)

    def get(self, plan_id: str) -> PlanRecord:
        raise PlanConflict("No such plan.", reason="not_found")

    def open_plans(self, warehouse: str | None = None) -> tuple[PlanRecord, ...]:
        return ()

    def applied_since(self, since: datetime) -> int:
        return 0


@dataclass
class Chat:
    reader: FrameReader = field(default_factory=account)
    role: str = "admin"
    thinker: Thinker | None = None
    plans: Plans = field(default_factory=Plans)
    audited: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    contexts: list[ToolContext] = field(default_factory=list)
    on_step: Callable[[Step], None] | None = None
    cards: bool = False
    retriever: Retriever | None = None
    findings: FindingView | None = None

    def __post_init__(self) -> None:
        self._graph = build_chat_graph(InMemorySaver())
        self._ids = itertools.count(1)

    def say(self, text: str, thread: str = "t1", who: Person | None = None) -> Turn:
        context = chat_context(
            self._tools,
            who or person(self.role),
            audit=self._audit,
            thinker=self.thinker,
            on_step=self.on_step,
            cards=self.cards,
        )
        return run_turn(self._graph, context, text, thread)

    def use(self, saver: BaseCheckpointSaver[Any]) -> None:
        self._graph = build_chat_graph(saver)

    def drawn(self) -> str:
        return self._graph.get_graph().draw_mermaid()

    def state(self, thread: str = "t1") -> dict[str, Any]:
        """What the checkpointer keeps of a conversation."""
        return dict(self._graph.get_state({"configurable": {"thread_id": f"chat:{thread}"}}).values)

    def _tools(self, who: Person, thread: str | None, *, asked_for_change: bool) -> ToolContext:
        context = ToolContext(
            reader=self.reader,
            plans=self.plans,
            policy=Roles(),
            clock=WallClock(),
            person=who,
            thread=thread,
            new_id=lambda: f"id{next(self._ids)}",
            asked_for_change=asked_for_change,
            findings=self.findings,
            retriever=self.retriever,
        )
        self.contexts.append(context)
        return context

    def _audit(
        self, event: str, actor: str, plan_id: str | None = None, detail: Mapping[str, Any] | None = None
    ) -> None:
        self.audited.append((event, actor, dict(detail or {})))
