"""`frostline trace`: how a reply came about, step by step, and what all replies come to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bots.cli.opening import opened
from bots.cli.output import Output
from tools.errors import BadArgument

__all__ = ["show_stats", "show_trace"]


def show_trace(out: Output, profile: str | None, trace_id: str) -> None:
    with out.edge():
        with opened(out, profile) as runtime:
            trace = runtime.store.traces.get(trace_id)
        if trace is None:
            raise BadArgument(
                "There is no trace of that id (any more).",
                hint="It is `trace_id` in `ask --json`; traces are kept for 30 days.",
            )
        if out.as_json:
            out.json({"trace": trace})
            return
        out.say("\n".join(_tree(trace)))


def show_stats(out: Output, profile: str | None) -> None:
    from dataclasses import asdict

    with out.edge():
        with opened(out, profile) as runtime:
            stats = runtime.store.traces.stats()
        if out.as_json:
            out.json(asdict(stats))
            return
        out.say(f"{stats.replies} replies in the last 30 days, p50 {stats.p50_ms} ms, p95 {stats.p95_ms} ms.")
        for what, count in (("refused", stats.refused), ("mended", stats.mended), ("replaced", stats.replaced)):
            out.say(f"  {what} by check_answer: {count}{_share(count, stats.replies)}")
        out.say(f"  planner in a model's place: {stats.fallbacks}{_share(stats.fallbacks, stats.replies)}")
        rows = [(d.day, d.replies, d.input_tokens, d.output_tokens, f"{d.usd:.4f}") for d in stats.days]
        out.table(("day", "replies", "tokens in", "tokens out", "USD"), rows, right=("replies", "tokens in", "USD"))


def _share(count: int, total: int) -> str:
    return f" ({100 * count / total:.1f} %)" if total else ""


def _tree(trace: dict[str, Any]) -> Iterator[str]:
    yield f"{trace['id']}  {trace['status']}  {trace['ms']} ms  by {trace['model']}"
    yield f"  {trace['at']}  {trace['person']}  thread {trace['thread']}"
    change = ", asks for a change" if trace["asked_for_change"] else ""
    yield f"  screened: {trace['screened']}{change}; decided: {trace['decision']}; prompts {trace['prompts']}"
    calls, thinking = list(trace["calls"]), list(trace["thinking"])
    for node in trace["nodes"]:
        yield f"├─ {node['node']}  {node['ms']} ms"
        if node["node"] == "call_tools":
            end = node["at_ms"] + node["ms"]
            mine = [call for call in calls if node["at_ms"] <= call["at_ms"] <= end]
            calls = calls[len(mine) :]
            yield from (f"│  └─ {_call(call)}" for call in mine)
    yield from (f"├─ model: {_model(call)}" for call in thinking)
    proof = trace["proof"]
    yield f"├─ check_answer: refused {proof['refused']}, mended {proof['mended']}, replaced {proof['replaced']}"
    yield from (f"│  └─ {problem}" for problem in trace["problems"])
    yield f"├─ tokens {trace['tokens']['input']} in, {trace['tokens']['output']} out, {trace['usd']:.4f} USD"
    sources = ", ".join(trace["sources"]) or "no view"
    yield f"└─ evidence: {trace['facts']} facts ({_ids(trace['evidence'])}) from {sources}"


def _ids(ids: list[str]) -> str:
    return "none" if not ids else ids[0] if len(ids) == 1 else f"{ids[0]} to {ids[-1]}"


def _call(call: dict[str, Any]) -> str:
    args = ", ".join(f"{name}={value}" for name, value in call["args"].items())
    ids = f"  queries {', '.join(call['query_ids'])}" if call.get("query_ids") else ""
    return f"{call['tool']}({args})  {call.get('status', 'stopped')}  {call['ms']} ms{ids}"


def _model(call: dict[str, Any]) -> str:
    cost = "price not set" if call["usd"] is None else f"{call['usd']:.4f} USD"
    tail = f"  FAILED: {call['error']}" if call["error"] else ""
    second = "  (second model)" if call["fallback"] else ""
    spent = f"{call['input_tokens']}+{call['output_tokens']} tokens"
    return (
        f"{call['purpose']}  {call['model']}  prompt {call['prompt']}  {spent}  {cost}  {call['ms']} ms{second}{tail}"
    )
