"""What stands behind an answer: the calls, every figure by source and window, how fresh the sources are."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from agent.replies.figures import show, show_time
from bots.slack.render.blocks import Block, bullets, labelled, literal, rich, section_of
from bots.slack.render.limits import RICH_TEXT
from bots.slack.render.text import bare, chunks_of
from tools.result import Fact, Source, Window
from tools.windows.parse import describe

__all__ = ["evidence_blocks", "fact_blocks"]

_LINES = 60
_ARGS = 1_500


def evidence_blocks(turn: Mapping[str, Any], question: str) -> Iterator[Block]:
    """Question, calls, sources, then the facts, grouped by what they are."""
    window = turn.get("window")
    tz = Window.model_validate(window).tz if window else "UTC"
    asked = chunks_of(bare(question).strip(), RICH_TEXT) or ["–"]
    yield rich(section_of([literal("Question: ", bold=True), *(literal(piece) for piece in asked)]))
    yield from _listed("What was called", [_call(call) for call in turn.get("tool_calls") or ()])
    yield from _listed("Sources", [_source(Source.model_validate(s), tz) for s in turn.get("sources") or ()])
    yield from fact_blocks([Fact.model_validate(fact) for fact in turn.get("facts") or ()], tz)
    yield rich(section_of(labelled("Answer", f"{turn.get('trace_id', '')} (model: {turn.get('model', '')})")))


def _call(call: Mapping[str, Any]) -> str:
    args = json.dumps(call.get("args", {}), ensure_ascii=False, sort_keys=True)
    more = len(args) - _ARGS
    shown = args if more <= 0 else f"{args[:_ARGS]} … and {more:,} more characters"
    return f"{call.get('name', '')} {shown}: {call.get('status', '')}"


def _source(source: Source, tz: str) -> str:
    covered = f"covered until {show_time(source.covered_until, tz)}" if source.covered_until else "coverage not known"
    late = f", at most {show(source.latency_seconds, 's')} behind" if source.latency_seconds else ", live"
    return f"{source.view}: read {show_time(source.as_of, tz)}, {covered}{late}"


def fact_blocks(facts: list[Fact], tz: str) -> Iterator[Block]:
    """One list for each label, source, window and moment; the figures as the answer writes them."""
    groups: dict[tuple[str, str, Window | None, datetime], list[Fact]] = defaultdict(list)
    for fact in facts:
        groups[(fact.label, fact.source, fact.window, fact.as_of)].append(fact)
    for (label, source, window, as_of), members in groups.items():
        during = f", {describe(window)} {window.tz}" if window else ""
        yield from _listed(
            f"{label} ({source}{during}, as of {show_time(as_of, tz)})", [_fact(fact, tz) for fact in members]
        )


def _fact(fact: Fact, tz: str) -> str:
    value = str(fact.value) if fact.unit == "name" and fact.value is not None else show(fact.value, fact.unit, tz)
    return f"{fact.entity}: {value}" if fact.entity else value


def _listed(title: str, lines: list[str]) -> Iterator[Block]:
    for start in range(0, len(lines), _LINES):
        head = section_of([literal(piece, bold=True) for piece in chunks_of(bare(title), RICH_TEXT)])
        shown = [[literal(piece) for piece in chunks_of(bare(line), RICH_TEXT)] for line in lines[start:][:_LINES]]
        yield rich(head, bullets(line or [literal("–")] for line in shown))
