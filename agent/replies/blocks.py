"""Declared parts of a reply that nobody needs to word: `[[r1.table]]` and its like, written by the composer.

[[r1.headline]]   the composed first sentence     [[r1.table]]    its table
[[r1.details]]    what stands between table and notes              [[r1.notes]]    conventions, caveats, source
[[r1.all]]        the whole composed block        [[r1.source]]   the views and until when they are loaded
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from agent.offline.composition import block_lines
from agent.replies.citations import CitationError, Evidence, render
from agent.replies.figures import show_time
from agent.state import CallResult

__all__ = ["BLOCKS", "spaced", "with_blocks"]

BLOCKS = ("headline", "table", "details", "notes", "all")
_CITED = re.compile(r"\[\[\s*r(\d+)\.(?:headline|table|details|notes|all|source)\s*\]\]")


def with_blocks(template: str, results: Sequence[CallResult], evidence: Evidence, *, cards: bool) -> Evidence:
    """The evidence with the blocks of the results that the template names, already rendered.

    What is rendered comes from templates of our own code over the same facts: nothing a writer says can enter it.
    """
    wanted = {int(match[1]) for match in _CITED.finditer(template)} & set(range(1, len(results) + 1))
    if not wanted:
        return evidence
    texts = dict(evidence.texts)
    composed = block_lines(results, cards=cards)
    for number in wanted:
        for name, part in _parts(composed[number - 1]).items():
            try:
                texts[f"r{number}.{name}"] = f"\n\n{render(part, evidence)}\n\n" if part else ""
            except CitationError:
                continue  # a composer that cites what is not there: the part cannot be cited either
        texts[f"r{number}.source"] = _source(results[number - 1], evidence.tz)
    texts |= {key: value.strip() for key, value in texts.items() if key.endswith(".headline")}
    return replace(evidence, texts=texts)


def spaced(answer: str) -> str:
    """Blocks bring blank lines of their own; one is enough."""
    return re.sub(r"\n{3,}", "\n\n", answer).strip()


def _parts(lines: Sequence[str]) -> dict[str, str]:
    """Composed lines by role: the first says it, rows begin with '|', the last paragraph says how to read it."""
    paragraphs = [part for part in "\n".join(lines).split("\n\n") if part.strip()]
    tables = [part for part in paragraphs if part.lstrip().startswith("|")]
    rest = [part for part in paragraphs[1:] if part not in tables]
    return {
        "headline": paragraphs[0] if paragraphs else "",
        "table": "\n\n".join(tables),
        "details": "\n\n".join(rest[:-1]),
        "notes": rest[-1] if rest else "",
        "all": "\n\n".join(paragraphs),
    }


def _source(result: CallResult, tz: str) -> str:
    """'WAREHOUSE_METERING_HISTORY, loaded until 2026-11-23 15:20 UTC'."""
    said = [_until(source.view, source.covered_until, tz) for source in result.sources]
    return "; ".join(said) or "no view"


def _until(view: str, covered: datetime | None, tz: str) -> str:
    return f"{view}, loaded until {show_time(covered, tz)}" if covered else view
