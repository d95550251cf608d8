"""An answered turn as Slack messages: headline, table, small print with freshness, buttons."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from agent.replies.figures import show_time
from agent.state import Turn
from bots.charts import series_of
from bots.slack.render.blocks import Block, actions, button, context, rich_parts, text_length
from bots.slack.render.limits import (
    CHUNK_TEXT,
    MESSAGE_BLOCKS,
    MESSAGE_FILL,
    MESSAGES_PER_ANSWER,
    RICH_TEXT,
    STREAM_TEXT,
    TASK_TITLE,
)
from bots.slack.render.markdown import Bullets, Paragraph, Part, Span, Table, parse, plain_of, text_of
from bots.slack.render.neutral import inert, neutral_markdown
from bots.slack.render.tables import csv_of, draw
from bots.slack.render.text import bare, chunks_of, plain, shortened, top_text
from bots.slack.types import Action, Attachment, Message

__all__ = ["StepLike", "answer_messages", "step_chunk", "stream_chunks"]

_NOTIFICATION = 1_000
_KEPT_BLOCKS = 8
"""Left free in every message for small print and buttons."""


class StepLike(Protocol):
    """agent.state.Step: one call of a tool, as it goes."""

    @property
    def number(self) -> int: ...
    @property
    def title(self) -> str: ...
    @property
    def state(self) -> Literal["started", "done", "failed"]: ...


def answer_messages(turn: Turn, *, streamed: bool = False) -> tuple[Message, ...]:
    """The answer in order, one message as a rule; buttons on the last.

    `streamed`: what `stream_chunks` has said already is left out; the first message's blocks belong under the
    stream, its text is not needed there.
    """
    parts, notes = _content(turn)
    said, below = _streamable(parts)
    if streamed:
        parts = below
    pages = _Pages(f"frostline-{_name(turn.trace_id)}")
    pages.add_all(parts)
    pages.small(_small_print(turn, notes, parts))
    pages.buttons(_buttons(turn))
    headline = top_text(plain_of(said[:1] or below[:1]) or turn.status, _NOTIFICATION)
    if len(pages.done()) > MESSAGES_PER_ANSWER:
        return (_attached(turn, headline, parts, notes, streamed),)
    return tuple(Message(headline, tuple(page.blocks), tuple(page.files)) for page in pages.done())


def stream_chunks(turn: Turn) -> tuple[Block, ...]:
    """The answer's text as `markdown_text` chunks; tables, small print and buttons stand below the stream."""
    said, _ = _streamable(_content(turn)[0])
    text = neutral_markdown(said)
    return tuple({"type": "markdown_text", "text": piece} for piece in chunks_of(text, CHUNK_TEXT))


def step_chunk(step: StepLike) -> Block:
    """What is being done, as a line that changes its state."""
    status = {"started": "in_progress", "done": "complete", "failed": "error"}[step.state]
    title = inert(shortened(bare(step.title).strip(), TASK_TITLE)) or "Working"
    return {"type": "task_update", "id": f"step-{step.number}", "title": title, "status": status}


# --- what stands in an answer ------------------------------------------------------------------------------------


def _content(turn: Turn) -> tuple[tuple[Part, ...], tuple[str, ...]]:
    """Parts, and the notes at the answer's end that are small print."""
    parts = parse(turn.answer) or (Paragraph((Span(_without_answer(turn)),)),)
    last = parts[-1]
    is_notes = turn.status in ("ok", "no_data") and len(parts) > 1 and isinstance(last, Bullets) and last.apart
    if is_notes and isinstance(last, Bullets):
        return parts[:-1], tuple(f"{i.marker} {text_of(i.spans)}".strip() for i in last.items)
    return parts, ()


def _without_answer(turn: Turn) -> str:
    if turn.error is None:
        return "There is no answer to this."
    return " ".join(filter(None, (turn.error.message, turn.error.hint))) or turn.error.code


def _streamable(parts: tuple[Part, ...]) -> tuple[tuple[Part, ...], tuple[Part, ...]]:
    """Text that can be streamed, and what has to stand below it: from the first table on, or past a stream's length.

    The order stays: nothing that stands after a table is said before it.
    """
    room = STREAM_TEXT
    for number, part in enumerate(parts):
        room -= 0 if isinstance(part, Table) else len(neutral_markdown([part])) + 2
        if isinstance(part, Table) or room < 0:
            return parts[:number], parts[number:]
    return parts, ()


def _small_print(turn: Turn, notes: Sequence[str], parts: Sequence[Part]) -> list[str]:
    """Notes, then where the figures are from and how far they go."""
    fresh = [note for note in notes if _tells_source(note)]
    lines = ["\n".join(note for note in notes if note not in fresh), "\n".join(fresh)]
    covered = [s for s in turn.sources if s.covered_until is not None and s.latency_seconds]
    if covered and "covered until" not in turn.answer:
        tz = turn.window.tz if turn.window else "UTC"
        ends: dict[str, str] = {s.view: show_time(s.covered_until, tz) for s in covered if s.covered_until}
        lines[1] += ("\n" if lines[1] else "") + "; ".join(f"{v} covered until {end}" for v, end in ends.items())
    return [line for line in lines if line]


def _tells_source(note: str) -> bool:
    return "covered until" in note or "Source:" in note


def _buttons(turn: Turn) -> list[Block]:
    """Only what has something behind it; none for a question back or an error."""
    rows: list[Block] = []
    buttons = []
    if turn.facts or turn.sources:
        buttons.append(button("Show the evidence", Action.EVIDENCE, turn.trace_id))
    if not turn.charts and series_of([fact.model_dump(mode="json") for fact in turn.facts]) and not turn.plans:
        buttons.append(button("Chart", Action.CHART, turn.trace_id))
    if buttons:
        rows.append(actions(*buttons))
    if turn.status not in ("clarify", "error"):
        rows.append({"type": "context_actions", "elements": [_feedback(turn.trace_id)]})
    return rows


def _feedback(trace: str) -> Block:
    def choice(text: str, value: str, label: str) -> Block:
        return {"text": plain(text, 75), "value": f"{value}:{trace}", "accessibility_label": label}

    return {
        "type": "feedback_buttons",
        "action_id": Action.FEEDBACK.value,
        "positive_button": choice("Good answer", "good", "This answer is good"),
        "negative_button": choice("Bad answer", "bad", "This answer is bad"),
    }


# --- pages -------------------------------------------------------------------------------------------------------


@dataclass
class _Page:
    blocks: list[Block] = field(default_factory=list)
    files: list[Attachment] = field(default_factory=list)
    length: int = 0
    has_table: bool = False


class _Pages:
    """Fills messages one after another."""

    def __init__(self, name: str) -> None:
        self.pages = [_Page()]
        self.name = name
        self.tables = 0

    def done(self) -> list[_Page]:
        return [page for page in self.pages if page.blocks]

    def add_all(self, parts: Iterable[Part]) -> None:
        for run in _runs(parts):
            if isinstance(run[0], Table):
                self.table(run[0])
            else:
                for block in rich_parts(run):
                    self.block(block)

    def block(self, block: Block, *, kept: int = _KEPT_BLOCKS) -> None:
        page, size = self.pages[-1], text_length(block)
        is_table = block["type"] == "table"
        if (
            page.length + size > MESSAGE_FILL
            or len(page.blocks) >= MESSAGE_BLOCKS - kept
            or (is_table and page.has_table)
        ):
            page = _Page()
            self.pages.append(page)
        page.blocks.append(block)
        page.length += size
        page.has_table = page.has_table or is_table

    def table(self, table: Table) -> None:
        self.tables += 1
        drawn = draw(table)
        self.block(drawn.block)
        if drawn.whole:
            return
        file = csv_of(table, self.name + (f"-{self.tables}" if self.tables > 1 else ""))
        self.pages[-1].files.append(file)
        rows = f"{len(table.rows):,}"
        shown = "All" if drawn.shown == len(table.rows) else f"The first {drawn.shown:,} of {rows}"
        for block in context(f"{shown} rows, long cells shortened; everything is in the file {file.filename}."):
            self.block(block, kept=4)

    def small(self, lines: Iterable[str]) -> None:
        for line in lines:
            for block in context(line):
                self.block(block, kept=2)

    def buttons(self, rows: Iterable[Block]) -> None:
        """They count for nothing: no page is begun for them."""
        self.pages[-1].blocks.extend(rows)


def _runs(parts: Iterable[Part]) -> Iterator[list[Part]]:
    """Text parts together, each table alone."""
    run: list[Part] = []
    for part in parts:
        if isinstance(part, Table):
            if run:
                yield run
            yield [part]
            run = []
        else:
            run.append(part)
    if run:
        yield run


def _attached(turn: Turn, headline: str, parts: Sequence[Part], notes: Sequence[str], streamed: bool) -> Message:
    """An answer of very many pages: its beginning, and all of it as a file."""
    file = Attachment(f"frostline-{_name(turn.trace_id)}.md", "The whole answer", bare(turn.answer).encode())
    blocks: list[Block] = []
    if not streamed:
        beginning = plain_of(parts)[: RICH_TEXT - 500]
        blocks += rich_parts([Paragraph((Span(beginning + " …"),))])
    blocks += context(
        f"The answer is long ({len(turn.answer):,} characters): all of it is in the file {file.filename}."
    )
    for line in _small_print(turn, (), parts) if not notes else [notes[-1][:RICH_TEXT]]:
        blocks += context(line)
    return Message(headline, (*blocks, *_buttons(turn)), (file,))


def _name(trace: str) -> str:
    return "".join(c for c in trace if c.isalnum())[:32] or "answer"
