"""Nothing is sent unproven: citations are evaluated, uncited claims refused, and then a plain listing is sent."""

from __future__ import annotations

from langgraph.runtime import Runtime

from agent.replies.citations import CitationError, Evidence, render
from agent.replies.claims import problems_in
from agent.replies.evidence import evidence_of
from agent.replies.fallback import listing
from agent.state import CallResult, ChatContext, ChatState
from tools.errors import Bug, FrostlineError

__all__ = ["check_answer", "proven"]


def check_answer(state: ChatState, runtime: Runtime[ChatContext]) -> ChatState:
    results = [CallResult.model_validate(result) for result in state.get("results", [])]
    evidence = _evidence(state, runtime.context, results)
    answer = proven(state["template"], evidence)
    if answer is not None:
        return {"answer": answer, "fallback": False}
    plain = listing(results, len((state.get("decision") or {}).get("options") or ()))
    answer = proven(plain, evidence, names=False)
    if answer is None:
        raise Bug("The composed fallback claims what it does not cite.")
    return {"answer": answer, "fallback": True, "template": plain}


def proven(template: str, evidence: Evidence, *, names: bool = True) -> str | None:
    """The reply, or None where the template claims anything that the evidence does not hold."""
    if problems_in(template, evidence, names=names):
        return None
    try:
        return render(template, evidence)
    except CitationError:
        return None


def _evidence(state: ChatState, context: ChatContext, results: list[CallResult]) -> Evidence:
    decision = state.get("decision") or {}
    options = decision.get("options") or state.get("note_names") or []
    known: tuple[str, ...] = ()
    timezone = "UTC"
    try:
        timezone = context.make_tools(state["thread"], False).reader.account().timezone
        known = context.names.warehouses() if results else ()
    except FrostlineError:
        known = ()  # the account does not answer; the reply says so and cites nothing of it
    named, cards = decision.get("named"), context.cards
    built = evidence_of(results, tz=timezone, names=known, cited=options, named=named, cards=cards)
    if decision.get("kind") == "failed":
        error = decision["error"]
        texts = {"failure.message": error["message"], "failure.hint": error["hint"] or ""}
        return Evidence(built.facts, {**built.texts, **texts}, built.names, built.tz)
    return built
