"""`list_findings`: what scans have found and what is open, read from the store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from tools.context import ToolContext
from tools.domain import Frozen
from tools.facts import FactBook
from tools.finding import SEVERITIES, FindingKind, FindingRecord, FindingState, ScanStamp, Severity
from tools.findings.words import headline, kind_words
from tools.names import usage_warehouse
from tools.quoting import clean, code
from tools.result import Source, ToolResult
from tools.tool import Tool

__all__ = ["LIST_FINDINGS", "FindingRow", "FindingsArgs", "FindingsData", "list_findings"]

_SOURCE = "scan findings"
_ALL = 100_000
_STATES: dict[str, tuple[FindingState, ...] | None] = {
    "open": ("new", "open"),
    "snoozed": ("snoozed",),
    "resolved": ("resolved",),
    "all": None,
}


class FindingsArgs(BaseModel):
    """Arguments of `list_findings`."""

    model_config = ConfigDict(extra="forbid")

    state: Literal["open", "snoozed", "resolved", "all"] = Field("open", description="Only findings in this state.")
    warehouses: list[Annotated[str, Field(max_length=256)]] = Field(
        default=[], max_length=20, description="Only of these warehouses, as the person wrote them; empty for all."
    )
    severity: Severity = Field("info", description="The least severe to be listed.")
    top: int = Field(20, ge=1, le=50, description="At most so many, the weightiest first.")


class FindingRow(Frozen):
    id: str
    kind: FindingKind
    severity: Severity
    state: FindingState
    warehouse: str | None
    object: str | None
    started_at: AwareDatetime
    ended_at: AwareDatetime | None
    title: str
    """The headline as Markdown, names from the account in code spans."""
    what: str
    """The same, beside the name."""
    practice: str | None
    figures: dict[str, str]
    """name, id, severity, impact, started, ended, actual, expected -> fact id."""


class FindingsData(Frozen):
    state: str
    severity: Severity = "info"
    """The least severe that was asked for."""
    rows: tuple[FindingRow, ...]
    cut: bool = False
    """Whether there are more than are shown."""
    notes: tuple[str, ...] = ()
    convention: str
    figures: dict[str, str]
    """shown, found, scanned; of0, of1, ... for the warehouses asked about; snoozed where some are -> fact id."""


def list_findings(context: ToolContext, args: FindingsArgs) -> ToolResult[FindingsData]:
    """What the store holds; nothing of the account is read for it.

    Raises:
        UnknownName: a warehouse that the account does not have.
    """
    last = context.findings.last_scan() if context.findings is not None else None
    if last is None or context.findings is None:
        return ToolResult(
            status="no_data",
            message="No scan has run on this account yet, so nothing has been found and nothing has been missed.",
            hint="It runs by the command scan, or by the bot where scan.every is set.",
        )
    names = list(dict.fromkeys(usage_warehouse(context.reader, name) for name in args.warehouses))
    # All of them: what has been open for long is the last of a list that has the newest first.
    records = context.findings.list(None, now=context.reader.now(), limit=_ALL)
    asked = [r for r in records if _is_wanted(r, names, args.severity)]
    states = _STATES[args.state]
    wanted = [r for r in asked if states is None or r.finding.state in states]
    wanted.sort(key=_weight)
    quiet = sum(r.finding.state == "snoozed" for r in asked) if args.state == "open" else 0
    return _result(args, last, names, wanted, quiet)


def _is_wanted(record: FindingRecord, names: Sequence[str], least: Severity) -> bool:
    finding = record.finding
    return (not names or finding.warehouse in names) and SEVERITIES.index(finding.severity) >= SEVERITIES.index(least)


def _weight(record: FindingRecord) -> tuple[bool, int, float, float]:
    """What goes on first, then the most severe, the most credits, the newest."""
    finding = record.finding
    severity, impact = SEVERITIES.index(finding.severity), abs(finding.impact_credits_per_day)
    return record.is_over, -severity, -impact, -finding.started_at.timestamp()


def _result(
    args: FindingsArgs, last: ScanStamp, names: Sequence[str], wanted: Sequence[FindingRecord], quiet: int
) -> ToolResult[FindingsData]:
    shown = wanted[: args.top]
    book = FactBook(last.as_of)
    figures = {
        "found": book.add("findings", len(wanted), "count", _SOURCE),
        "shown": book.add("findings shown", len(shown), "count", _SOURCE),
        "scanned": book.add("last scan as of", last.as_of.isoformat(), "time", _SOURCE),
    }
    for place, name in enumerate(names):
        figures[f"of{place}"] = book.add("asked about", name, "name", _SOURCE)
    if quiet:
        figures["snoozed"] = book.add("findings snoozed", quiet, "count", _SOURCE)
    rows = tuple(_row(record, book) for record in shown)
    data = FindingsData(
        state=args.state,
        severity=args.severity,
        rows=rows,
        cut=len(shown) < len(wanted),
        notes=tuple(clean(note, 400) for note in last.notes),
        convention=(
            "Credits a day are those beyond what was expected, on average while it goes on. Billing views are hours "
            "behind, so spending of the last hours is not judged yet."
        ),
        figures=figures,
    )
    return ToolResult(
        status="ok",
        data=data,
        sources=(Source(view=_SOURCE, as_of=last.as_of, covered_until=last.as_of),),
        facts=book.facts,
        message=f"{len(wanted)} findings",
    )


def _row(record: FindingRecord, book: FactBook) -> FindingRow:
    finding = record.finding
    name = finding.warehouse or finding.object
    source, entity = f"{_SOURCE} ({finding.id})", name
    figures = {
        "id": book.add("finding", finding.id, "name", _SOURCE, entity=entity),
        "severity": book.add("severity", finding.severity, "name", source, entity=entity),
        "kind": book.add("kind", kind_words(finding.kind), "name", source, entity=entity),
        "started": book.add("began", finding.started_at.isoformat(), "time", source, entity=entity),
    }
    if name is not None:
        figures["name"] = book.add("about", name, "name", source, entity=entity)
    if finding.impact_credits_per_day:
        label = "credits a day beyond the expected"
        figures["impact"] = book.add(label, finding.impact_credits_per_day, "credits", source, entity=entity)
    if finding.ended_at is not None:
        figures["ended"] = book.add("ended", finding.ended_at.isoformat(), "time", source, entity=entity)
    for role, value in (("actual", finding.actual), ("expected", finding.expected)):
        if value is not None:
            figures[role] = book.add(role, value, finding.unit, source, entity=entity)
    return FindingRow(
        id=finding.id,
        kind=finding.kind,
        severity=finding.severity,
        state=finding.state,
        warehouse=finding.warehouse,
        object=finding.object,
        started_at=finding.started_at,
        ended_at=finding.ended_at,
        title=headline(record, name=code(name) if name is not None else None),
        what=headline(record, name="it" if name is not None else None),
        practice=finding.practice,
        figures=figures,
    )


def _one_line(args: FindingsArgs) -> str:
    of = f" of {', '.join(args.warehouses)}" if args.warehouses else ""
    least = f", {args.severity} or worse" if args.severity != "info" else ""
    return f"{args.state} findings of the scan{of}{least}"


LIST_FINDINGS: Tool[FindingsArgs] = Tool(
    name="list_findings",
    summary=(
        "What Frostline's own scans have found: what is open, snoozed or resolved, with severity, credits a day and "
        "since when. For 'what is open', 'show findings', 'what did the scan find'; it looks at nothing anew."
    ),
    args=FindingsArgs,
    run=list_findings,
    one_line=_one_line,
)
