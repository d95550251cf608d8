"""The path of one turn: nodes, decisions, tool calls, model calls and refusals with their times. No word of a query.

Nodes are timed by `traced`; everything else is read from the finished state. What goes into a trace is plain JSON.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar, cast

import prompts

if TYPE_CHECKING:
    from langgraph.runtime import Runtime

    from agent.state import ChatContext, ChatState

__all__ = ["Tracer", "traced"]

_CITED_IDS = 200


class Tracer:
    """Of one turn, in the thread that runs it."""

    def __init__(self) -> None:
        self.began_ns = time.time_ns()
        self._zero = time.perf_counter()
        self._nodes: list[dict[str, Any]] = []
        self._calls: list[dict[str, Any]] = []

    @contextmanager
    def node(self, name: str) -> Iterator[None]:
        with self._timed({"node": name}, self._nodes):
            yield

    @contextmanager
    def call(self, name: str, args: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """A tool call; the caller adds its `status` and `query_ids`."""
        entry: dict[str, Any] = {"tool": name, "args": dict(args)}
        with self._timed(entry, self._calls):
            yield entry

    @contextmanager
    def _timed(self, entry: dict[str, Any], kept: list[dict[str, Any]]) -> Iterator[None]:
        entry["at_ms"] = self._now()
        kept.append(entry)
        try:
            yield
        finally:
            entry["ms"] = self._now() - entry["at_ms"]

    def _now(self) -> int:
        return round((time.perf_counter() - self._zero) * 1000)

    def finished(self, state: Mapping[str, Any], person: str) -> dict[str, Any]:
        """The trace of a turn that has come to its reply."""
        output, decision = state["output"], state.get("decision") or {}
        thinking = list(state.get("thinking") or ())
        return {
            "id": state["trace_id"],
            "thread": state["thread"],
            "person": person,
            "status": output["status"],
            "model": output["model"],
            "screened": state.get("screened", "ok"),
            "asked_for_change": bool(state.get("asked_for_change")),
            "decision": decision.get("kind", "none"),
            "rounds": state.get("rounds", 0),
            "prompts": prompts.digest(),
            "began_ns": self.began_ns,
            "ms": self._now(),
            "nodes": self._nodes,
            "calls": [_masked(call) for call in self._calls],
            "thinking": thinking,
            "proof": dict(state.get("proof") or {}),
            "problems": _masked(list(state.get("problems") or ())),
            "fallback": bool(state.get("fallback")),
            "planner_took_over": any(call.get("error") for call in thinking),
            "tokens": {
                "input": _total(thinking, "input_tokens"),
                "output": _total(thinking, "output_tokens"),
            },
            "usd": round(_total(thinking, "usd"), 6),
            "evidence": [fact["id"] for fact in output["facts"]][:_CITED_IDS],
            "facts": len(output["facts"]),
            "sources": [source["view"] for source in output["sources"]],
            "plans": [plan["id"] for plan in output["plans"]],
        }


NodeT = TypeVar("NodeT", bound="Callable[..., Any]")


def traced(name: str, node: NodeT) -> NodeT:
    """The node, timed."""

    def timed(state: ChatState, runtime: Runtime[ChatContext]) -> ChatState:
        with runtime.context.tracer.node(name):
            done: ChatState = node(state, runtime)
            return done

    return cast(NodeT, timed)


def _masked(value: Any) -> Any:
    """Arguments and problems may repeat a person's or a model's words: literals, addresses and secrets stay out."""
    from agent.models.masking import Mask

    return Mask().hide_all(value)


def _total(calls: Iterable[Mapping[str, Any]], key: str) -> Any:
    return sum(call.get(key) or 0 for call in calls)
