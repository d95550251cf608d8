"""Nothing is sent unproven: citations are evaluated and uncited claims refused.

A written reply that is refused is written once more, with what was wrong with it; then the composed reply is
sent, and where not even that can be proven, a plain listing of what the tools returned.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from langgraph.runtime import Runtime

from agent.nodes.converse import aside_of
from agent.offline.composition import write_reply
from agent.offline.planner import OfflineThinker
from agent.replies.blocks import spaced, with_blocks
from agent.replies.citations import CitationError, Evidence, render
from agent.replies.claims import problems_in
from agent.replies.evidence import evidence_of
from agent.replies.fallback import listing
from agent.state import CallResult, ChatContext, ChatState
from tools.errors import Bug, FrostlineError

__all__ = ["check_answer", "proven", "refusals"]

_MOST_PROBLEMS = 8


def check_answer(state: ChatState, runtime: Runtime[ChatContext]) -> ChatState:
    results = [CallResult.model_validate(result) for result in state.get("results", [])]
    cards = runtime.context.cards
    evidence = _evidence(state, runtime.context, results)
    template, counts = state["template"], _counts(state)
    cited = with_blocks(template, results, evidence, cards=cards)
    problems = refusals(template, cited, ours=not _worded(runtime.context))
    if not problems:
        counts["mended"] += int(bool(state.get("problems")))
        return {"answer": spaced(render(template, cited)), "fallback": False, "proof": counts}
    counts["refused"] += 1
    if _written(state, results) and not state.get("problems"):
        return {"answer": "", "problems": problems[:_MOST_PROBLEMS], "proof": counts}
    counts["replaced"] += 1
    template, answer = _replacement(state, results, evidence, runtime.context)
    return {"answer": answer, "fallback": True, "template": template, "proof": counts}


def proven(template: str, evidence: Evidence, *, names: bool = True, ours: bool = False) -> str | None:
    """The reply, or None where the template claims anything that the evidence does not hold."""
    if refusals(template, evidence, names=names, ours=ours):
        return None
    return render(template, evidence)


def refusals(template: str, evidence: Evidence, *, names: bool = True, ours: bool = False) -> list[str]:
    """Why the template may not be sent; empty where it may. `names`, `ours`: see problems_in."""
    problems = problems_in(template, evidence, names=names, ours=ours)
    try:
        return problems if render(template, evidence).strip() else [*problems, "nothing is said"]
    except CitationError as error:
        return [*problems, f"a citation: {error}"]


def _counts(state: ChatState) -> dict[str, int]:
    return {"refused": 0, "mended": 0, "replaced": 0} | (state.get("proof") or {})


def _worded(context: ChatContext) -> bool:
    """Whether a model may have worded the template: what code of ours writes is not read for its meaning."""
    thinker = context.thinker
    return not isinstance(thinker, OfflineThinker) and getattr(thinker, "worded", True)


def _written(state: ChatState, results: Sequence[CallResult]) -> bool:
    """Whether the thinker's `write` made this template: it can be asked for another."""
    decision: dict[str, Any] = state.get("decision") or {}
    decided = decision.get("kind") in ("clarify", "refuse", "failed") or bool(decision.get("template"))
    return bool(results) and state.get("screened", "ok") == "ok" and not decided


def _replacement(
    state: ChatState, results: Sequence[CallResult], evidence: Evidence, context: ChatContext
) -> tuple[str, str]:
    """What is sent instead, as template and answer: composed by code of ours, else a plain listing."""
    candidates = []
    if _written(state, results):
        note = state.get("note", "")
        composed = write_reply(results, evidence.tz, cards=context.cards)
        candidates = [f"{note}\n\n{composed}" if note else composed]
    candidates.append(listing(results, len((state.get("decision") or {}).get("options") or ())))
    for candidate in candidates:
        # Our own words may hold what is also a name in the account: a warehouse called 'Credits'.
        template = candidate + aside_of(context.thinker)
        answer = proven(template, evidence, names=False, ours=True)
        if answer is not None:
            return template, answer
    raise Bug("The composed fallback claims what it does not cite.")


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
        return replace(built, texts={**built.texts, **texts})
    return built
