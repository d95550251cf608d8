"""The plain reply that is sent where a written one could not be proven: every result's message and its facts."""

from __future__ import annotations

from collections.abc import Sequence

from agent.state import CallResult

__all__ = ["listing"]

_MOST = 40


def listing(results: Sequence[CallResult], options: int = 0) -> str:
    """A template without a word of a thinker's; `options` is how many names a question back offers."""
    lines: list[str] = ["Which is meant?", *(f"- [[o{n}]]" for n in range(1, options + 1))] if options else []
    for number, result in enumerate(results, start=1):
        lines.append(f"[[r{number}.message]]")
        for fact in result.facts[:_MOST]:
            whose = f" of [[{fact.id}.entity]]" if fact.entity else ""
            lines.append(f"- [[{fact.id}.label]]{whose}: [[{fact.id}]]")
        if result.hint:
            lines.append(f"[[r{number}.hint]]")
    return "\n".join(lines) or "There is nothing that I can prove about this. Ask in other words."
