"""Last: the turn as everything that `ask --json` prints, and what the conversation remembers."""

from __future__ import annotations

from typing import Any

from langgraph.runtime import Runtime

from agent.memory import remember
from agent.replies.evidence import plans_in
from agent.shown import shown_in
from agent.state import CallRecord, CallResult, ChatContext, ChatState, ErrorBody, Turn, TurnStatus
from tools.charts import Chart
from tools.result import Source, Window

__all__ = ["reply", "status_of"]

_REFUSALS = ("refused", "not_allowed", "plan_conflict")
_WORST: tuple[TurnStatus, ...] = ("error", "no_permission", "not_loaded", "no_data")


def reply(state: ChatState, runtime: Runtime[ChatContext]) -> ChatState:
    results = [CallResult.model_validate(result) for result in state.get("results", [])]
    turn = Turn(
        status=status_of(state, results),
        answer=state["answer"],
        facts=[fact for result in results for fact in result.facts],
        tool_calls=[CallRecord(name=r.name, args=r.args, status=r.status) for r in results],
        plans=plans_in(results),
        sources=_sources(results),
        window=_window(results),
        thread=state["thread"],
        model=runtime.context.thinker.name,
        trace_id=state["trace_id"],
        error=_error(state, results),
        charts=_charts(results),
    )
    return {"output": turn.kept(), "memory": _memory(state, results, runtime.context.person.id)}


def status_of(state: ChatState, results: list[CallResult]) -> TurnStatus:
    """The first that applies, in the order of design.md section 4."""
    screened, kind = state.get("screened", "ok"), (state.get("decision") or {}).get("kind")
    if screened == "approval" or kind == "refuse" or any(r.error in _REFUSALS for r in results):
        return "refused"
    if screened in ("empty", "too_long") or kind == "clarify":
        return "clarify"
    if kind == "failed":
        return "no_permission" if state["decision"]["error"]["code"] == "no_permission" else "error"
    statuses = {result.status for result in results}
    if "needs_approval" in statuses:
        return "needs_approval"
    if "ok" in statuses or not statuses:
        return "ok"
    return next(status for status in _WORST if status in statuses)


def _error(state: ChatState, results: list[CallResult]) -> ErrorBody | None:
    decision = state.get("decision") or {}
    if state.get("screened") == "approval":
        return ErrorBody(code="approval_by_text", message="Text in a conversation never approves a plan.")
    if decision.get("kind") == "failed":
        return ErrorBody(**decision["error"])
    if decision.get("kind") == "clarify":
        return None
    if decision.get("kind") == "refuse":
        return ErrorBody(code=decision["code"], message=state["answer"].split("\n")[0][:300])
    failed = next((r for r in results if r.error), None)
    if failed is None:
        return None
    return ErrorBody(code=failed.error or "error", message=failed.message, hint=failed.hint)


def _sources(results: list[CallResult]) -> list[Source]:
    found: dict[str, Source] = {}
    for result in results:
        for source in result.sources:
            found.setdefault(source.view, source)
    return list(found.values())


def _charts(results: list[CallResult]) -> list[Chart]:
    found = [(result.data or {}).get("chart") for result in results if result.error is None]
    return [Chart.model_validate(chart) for chart in found if chart]


def _window(results: list[CallResult]) -> Window | None:
    return next((result.window for result in results if result.window is not None), None)


def _memory(state: ChatState, results: list[CallResult], person: str) -> dict[str, Any]:
    """The last reading call and whom it listed, for follow-ups; the open question, for that person's answer."""
    memory = dict(state.get("memory") or {})
    decision = state.get("decision") or {}
    memory["pending"] = None
    if state.get("screened", "ok") == "ok" and decision.get("kind") == "clarify":
        pending = decision.get("pending")
        memory["pending"] = {**pending, "person": person} if pending else None
    read = [r for r in results if r.error is None and r.status != "needs_approval"]
    advice = [r for r in read if r.name == "search_practices"]
    if advice:
        memory["advice"] = [str(advice[-1].args.get("text", ""))]
    read = [r for r in read if r.name != "search_practices"]  # 'and last month?' is about figures
    if read:
        memory["last"] = {"name": read[-1].name, "args": read[-1].args}
        memory["shown"] = shown_in(read[-1])
    if state.get("screened", "ok") == "ok":
        did = [f"{result.name}: {result.status}" for result in results]
        said = state["answer"].split("\n", 1)[0]
        memory["talk"] = remember(
            memory.get("talk") or (), person=person, asked=state.get("clean", ""), did=did, said=said
        )
    return memory
