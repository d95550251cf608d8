"""The chat graph's state, what a thinker sees and decides, and the turn that comes out.

State is checkpointed after every step, so it holds plain JSON values only. `Thinker` is the seam between the
deterministic planner of this version and a language model: either one reads a TurnView and decides; neither can
do more than name a tool.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol, runtime_checkable

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from agent.tracing import Tracer
from tools.charts import Chart
from tools.context import FilterColumn, ToolContext
from tools.domain import Effect, Frozen, Person
from tools.result import Fact, Source, Status, Window

__all__ = [
    "CallRecord",
    "CallResult",
    "ChatContext",
    "ChatState",
    "Clarify",
    "Decision",
    "Done",
    "ErrorBody",
    "Names",
    "PlanSummary",
    "Refuse",
    "Step",
    "Stopped",
    "Thinker",
    "ToolCall",
    "ToolCalls",
    "Traced",
    "Turn",
    "TurnStatus",
    "TurnView",
]

TurnStatus = Literal["refused", "clarify", "needs_approval", "ok", "error", "no_permission", "not_loaded", "no_data"]


# --- what comes out: the object of `ask --json` ----------------------------------------------------------------------


class ErrorBody(Frozen):
    code: str
    message: str
    hint: str | None = None


class CallRecord(Frozen):
    name: str
    args: dict[str, Any]
    status: Status


class PlanSummary(Frozen):
    """A plan that was stored in this turn and waits for approval."""

    id: str
    digest: str
    bundle: str | None
    action: str
    warehouse: str
    statement: str
    undo: str | None
    before: dict[str, Any]
    expected: Effect
    expires_at: str
    """ISO-8601."""


class Turn(BaseModel):
    """One answered message; `model_dump(mode="json")` is what `ask --json` prints."""

    model_config = ConfigDict(extra="forbid")

    status: TurnStatus
    answer: str
    """Markdown."""
    facts: list[Fact] = []
    tool_calls: list[CallRecord] = []
    plans: list[PlanSummary] = []
    sources: list[Source] = []
    window: Window | None = None
    thread: str
    model: str
    trace_id: str
    chart: str | None = None
    error: ErrorBody | None = None
    charts: list[Chart] = Field(default=[], exclude=True)
    """What the turn's results have to draw, for the channels; `ask --json` names the file that was drawn instead."""

    def kept(self) -> dict[str, Any]:
        """All of it as plain JSON, charts too: what a channel keeps so that it can draw it later."""
        charts = [chart.model_dump(mode="json") for chart in self.charts]
        return self.model_dump(mode="json") | ({"charts": charts} if charts else {})


# --- what a thinker sees -----------------------------------------------------------------------------------------


class Names(Protocol):
    """The account's names, read when they are first needed; empty where Frostline's role may not read them."""

    def warehouses(self) -> tuple[str, ...]:
        """Those that SHOW lists and those that only have usage."""
        ...

    def column(self, column: FilterColumn) -> tuple[str, ...]:
        """Names in use in the last 90 days. Users are empty for people who may not see figures by user."""
        ...


class CallResult(Frozen):
    """One finished call. `data` and facts carry fact ids that are unique within the turn."""

    name: str
    args: dict[str, Any]
    status: Status
    data: dict[str, Any] | None = None
    window: Window | None = None
    complete: bool = True
    sources: tuple[Source, ...] = ()
    query_ids: tuple[str, ...] = ()
    facts: tuple[Fact, ...] = ()
    message: str = ""
    hint: str | None = None
    error: str | None = None
    """The error's code, e.g. unknown_name, bad_argument, not_allowed; None for a result."""
    detail: dict[str, Any] = Field(default_factory=dict)
    """unknown_name: kind, name, nearest."""


@dataclass(frozen=True)
class TurnView:
    """Everything a thinker may base a decision on."""

    text: str
    """The person's words, cleaned."""
    memory: Mapping[str, Any]
    """What this conversation remembers: `last` (the last call), `pending` (an open question)."""
    results: tuple[CallResult, ...]
    """What this turn's calls have returned so far."""
    names: Names
    now: datetime
    """Account time."""
    timezone: str
    asked_for_change: bool
    """Whether the person's own words of this turn ask for a change; worked out before any thinker is asked."""
    note: str = ""
    """What the thinker said when it decided on the calls, e.g. how it read a name."""
    cards: bool = False
    """The channel shows each stored plan as a card of its own: the reply need not spell it out."""
    problems: tuple[str, ...] = ()
    """Why the reply that was written before may not be sent; empty when none was refused."""


# --- what is told while it works -----------------------------------------------------------------------------------


class Stopped(Exception):
    """Raised by a caller's `on_step` to end a turn; it comes out of Runtime.ask. The conversation goes on with the
    next question. Where the turn has stored a plan already, the turn is ended by an answer that shows it instead.
    """


@dataclass(frozen=True)
class Step:
    """One tool call, as it begins and as it ends."""

    number: int
    """From 1, within the turn; the same at the beginning and at the end."""
    tool: str
    title: str
    """For people, e.g. "Reading usage"; fixed words, nothing from the account."""
    state: Literal["started", "done", "failed"]


# --- what it decides -----------------------------------------------------------------------------------------------


class ToolCall(Frozen):
    name: str
    args: dict[str, Any]


class ToolCalls(Frozen):
    kind: Literal["tool_calls"] = "tool_calls"
    calls: tuple[ToolCall, ...]
    note: str = ""
    """A sentence for the reply (a template): how a typo was read, what was left out."""
    read_as: tuple[str, ...] = ()
    """Names for the note, cited as [[o1]], [[o2]], ..."""


class Clarify(Frozen):
    """A question back; the next message answers it."""

    kind: Literal["clarify"] = "clarify"
    template: str
    options: tuple[str, ...] = ()
    """Cited as [[o1]], [[o2]], ...; shown as a list under the question."""
    named: str | None = None
    """What the person wrote, cited as [[named]]."""
    pending: dict[str, Any] = Field(default_factory=dict)
    """The calls that wait, and which slot the answer fills."""


class Refuse(Frozen):
    """An honest no, with what is possible instead."""

    kind: Literal["refuse"] = "refuse"
    template: str
    code: str = "not_supported"


class Done(Frozen):
    """Nothing more to call; `template` is set where the answer needs no tool (help, thanks)."""

    kind: Literal["done"] = "done"
    template: str | None = None


Decision = ToolCalls | Clarify | Refuse | Done


class Thinker(Protocol):
    """A language model or the offline planner. What it writes is checked before it is sent."""

    @property
    def name(self) -> str:
        """Stands in the turn as `model`: who answered."""
        ...

    def decide(self, turn: TurnView) -> Decision:
        """What to do next; called again after the calls it decided on have returned."""
        ...

    def write(self, turn: TurnView) -> str:
        """The reply as a template (agent.replies.citations, agent.replies.blocks); at least one call has returned.

        Asked once more, with `turn.problems`, where the first cannot be proven.
        """
        ...


@runtime_checkable
class Traced(Protocol):
    """A thinker that asks language models: what it asked in this turn, for the trace."""

    def thinking(self) -> list[dict[str, Any]]:
        """Plain JSON, one entry a call (agent.models.thinker.ModelCall); no word of prompt or answer."""
        ...

    def aside(self) -> str:
        """The line, a template, that the reply ends with where another has answered than was asked; else empty."""
        ...


# --- the graph -----------------------------------------------------------------------------------------------------


class ChatState(TypedDict, total=False):
    """Plain JSON. `memory` outlives a turn; everything else is set anew by the turn's input."""

    text: str
    thread: str
    trace_id: str
    screened: str
    """What screen_input made of it: `ok`, `empty`, `too_long`, `approval`."""
    clean: str
    asked_for_change: bool
    decision: dict[str, Any]
    note: str
    note_names: list[str]
    results: list[dict[str, Any]]
    rounds: int
    template: str
    problems: list[str]
    """Why the last template was refused; set while it is written once more."""
    proof: dict[str, int]
    """How many written replies of this turn were `refused`, `mended` and `replaced` (by the composed reply)."""
    thinking: list[dict[str, Any]]
    """Calls of a language model in this turn, by `agent.models.thinker.ModelCall`."""
    fallback: bool
    answer: str
    output: dict[str, Any]
    memory: dict[str, Any]


@dataclass(frozen=True)
class ChatContext:
    """What the nodes may use; there is no writer in it."""

    make_tools: Callable[[str | None, bool], ToolContext]
    """(thread, asked_for_change) -> the tools' context for this turn."""
    person: Person
    thinker: Thinker
    names: Names
    audit: Callable[[str, Mapping[str, Any]], None]
    """(event, detail): appends to the audit chain in the person's name."""
    on_step: Callable[[Step], None] | None = None
    """Told of each call, in the thread that runs the turn; may raise Stopped."""
    cards: bool = False
    """See TurnView.cards."""
    tracer: Tracer = field(default_factory=Tracer)
    on_trace: Callable[[dict[str, Any]], None] | None = None
    """Given the turn's trace (agent.tracing) once its reply stands."""
