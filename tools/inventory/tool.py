"""`list_warehouses`: live state and settings, what the last week cost, and what is odd about them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from tools.context import ToolContext, UsageReader
from tools.domain import Frozen, Size, Warehouse
from tools.errors import NoPermission
from tools.facts import FactBook
from tools.inventory.oddities import Oddity, OddKind, odd_about
from tools.names import live_warehouse, usage_warehouse
from tools.quoting import code
from tools.result import Source, ToolResult, Window
from tools.tool import Tool
from tools.usage.fetch import Fetch
from tools.usage.metrics import METRICS
from tools.usage.span import source_of, span_of, view_coverage

__all__ = ["LIST_WAREHOUSES", "WarehouseRow", "WarehousesArgs", "WarehousesData", "list_warehouses"]

PSEUDO = "CLOUD_SERVICES_ONLY"
"""A row of the metering views that is no warehouse."""
_WEEK = "last 7 days"
_SHOW = "SHOW WAREHOUSES"
_LIVE = "INFORMATION_SCHEMA.QUERY_HISTORY"
_MOST_STATEMENTS = 50


class WarehousesArgs(BaseModel):
    """Arguments of `list_warehouses`."""

    model_config = ConfigDict(extra="forbid")

    names: list[Annotated[str, Field(max_length=256)]] = Field(
        default=[], max_length=20, description="Only these, as the person wrote them; empty for all."
    )
    state: Literal["any", "running", "suspended"] = Field("any", description="Only warehouses in this state.")
    odd_only: bool = Field(False, description="Only warehouses about which something is odd.")
    odd: list[OddKind] = Field(default=[], max_length=11, description="Only warehouses about which one of these is.")
    statements: bool = Field(False, description="Also the statements that run or wait now: id, user, since when.")


class WarehouseRow(Frozen):
    name: str
    visible: bool
    """False: it has usage, but SHOW WAREHOUSES does not show it to Frostline's role."""
    state: str | None = None
    type: str | None = None
    size: Size | None = None
    min_clusters: int | None = None
    max_clusters: int | None = None
    started_clusters: int | None = None
    running: int | None = None
    queued: int | None = None
    auto_suspend: int | None = None
    """Seconds; None means never (or not known where `visible` is False)."""
    auto_resume: bool | None = None
    scaling_policy: str | None = None
    resource_monitor: str | None = None
    owner: str | None = None
    comment: str | None = None
    credits_7d: float | None = None
    idle_share_7d: float | None = None
    """Percent of compute credits not attributed to queries; None where not known."""
    odd: tuple[Oddity, ...] = ()
    figures: dict[str, str]
    """name, credits_7d, idle_share_7d, auto_suspend, running, queued, ... -> fact id."""


class StatementRow(Frozen):
    """A statement that runs or waits now; its text is never shown."""

    query_id: str
    warehouse: str | None
    status: str
    started: AwareDatetime
    figures: dict[str, str]
    """query_id, warehouse, status, started, seconds and, where the role allows it, user -> fact id."""


class WarehousesData(Frozen):
    rows: tuple[WarehouseRow, ...]
    """Most credits first."""
    convention: str
    notes: tuple[str, ...] = ()
    figures: dict[str, str]
    """shown, started, odd -> fact id."""
    statements: tuple[StatementRow, ...] | None = None
    """The longest first; None where they were not asked for or may not be seen."""


class _Week(Frozen):
    """Figures of the last week by warehouse; empty where they could not be read."""

    credits: dict[str, float] = Field(default_factory=dict)
    idle: dict[str, float | None] = Field(default_factory=dict)
    window: Window | None = None
    complete: bool = True
    sources: tuple[Source, ...] = ()
    query_ids: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def list_warehouses(context: ToolContext, args: WarehousesArgs) -> ToolResult[WarehousesData]:
    """Warehouses as they are now, with their last week.

    Raises:
        UnknownName: a name that is in neither SHOW WAREHOUSES nor the usage of the last 90 days.
        NoPermission: every named warehouse has usage but is not shown (the hint is the GRANT).
    """
    reader = context.reader
    shown = {w.name: w for w in reader.warehouses()}
    hidden = [name for name in reader.known_warehouses() if name not in shown and name != PSEUDO]
    wanted = _wanted(reader, args.names, shown)
    week = _week(reader)
    now = reader.now()
    book = FactBook(now)
    rows = [_row(w, week, book) for w in shown.values() if wanted is None or w.name in wanted]
    rows += [_hidden_row(name, week, book) for name in hidden if wanted is None or name in wanted]
    notes = list(week.notes)
    unwatched = _unwatched(tuple(shown.values()))
    if unwatched is not None:
        notes.append(unwatched)
        rows = rows if args.odd else [_without(row, "no_monitor") for row in rows]
    kept = [_only(row, args.odd) for row in rows if _asked_for(row, args)]
    kept.sort(key=lambda row: (-(row.credits_7d or 0.0), row.name))
    figures = {
        "shown": book.add("warehouses", len(kept), "count", _SHOW),
        "started": book.add("warehouses started", sum(r.state == "STARTED" for r in kept), "count", _SHOW),
        "odd": book.add("warehouses with something odd", sum(bool(r.odd) for r in kept), "count", f"= {_SHOW}"),
    }
    statements = _statements(context, kept, book, notes) if args.statements else None
    if statements is not None:
        figures["statements"] = book.add("statements running or waiting now", len(statements), "count", _LIVE)
    data = WarehousesData(
        rows=tuple(kept),
        convention="State and settings are live; credits are of the full days before today, before adjustment.",
        notes=tuple(notes),
        figures=figures,
        statements=statements,
    )
    return ToolResult(
        status="ok",
        data=data,
        window=week.window,
        complete=week.complete,
        sources=(Source(view=_SHOW, as_of=now, covered_until=now), *week.sources),
        query_ids=week.query_ids,
        facts=book.facts,
        message=f"{len(kept)} warehouses",
    )


def _unwatched(shown: tuple[Warehouse, ...]) -> str | None:
    """Where most warehouses have no monitor, that is one remark about the account and no oddity of each."""
    without = sum((w.resource_monitor or "null").casefold() == "null" for w in shown)
    if len(shown) < 2 or 2 * without <= len(shown):
        return None
    all_of_them = without == len(shown)
    return "No warehouse has a resource monitor." if all_of_them else "Most warehouses have no resource monitor."


def _without(row: WarehouseRow, kind: OddKind) -> WarehouseRow:
    return row.model_copy(update={"odd": tuple(odd for odd in row.odd if odd.kind != kind)})


def _only(row: WarehouseRow, kinds: list[OddKind]) -> WarehouseRow:
    return row.model_copy(update={"odd": tuple(o for o in row.odd if o.kind in kinds)}) if kinds else row


def _statements(
    context: ToolContext, kept: list[WarehouseRow], book: FactBook, notes: list[str]
) -> tuple[StatementRow, ...] | None:
    """What runs or waits on these warehouses; None where that may not be seen, which is no zero."""
    names = {row.name for row in kept}
    try:
        running = [q for q in context.reader.live_queries() if q.warehouse in names]
    except NoPermission as error:
        notes.append(f"Running statements are not known: {error.message}")
        return None
    people, now = context.policy.may_see_text(context.person), context.reader.now()
    found: list[StatementRow] = []
    for query in sorted(running, key=lambda q: q.started)[:_MOST_STATEMENTS]:
        entity, figures = query.query_id, {}
        figures["query_id"] = book.add("statement", query.query_id, "name", _LIVE, entity=entity)
        figures["warehouse"] = book.add("warehouse", query.warehouse, "name", _LIVE, entity=entity)
        figures["status"] = book.add("status", query.status, "name", _LIVE, entity=entity)
        figures["started"] = book.add("since", query.started.isoformat(), "time", _LIVE, entity=entity)
        seconds = max((now - query.started).total_seconds(), 0.0)
        figures["seconds"] = book.add("for", seconds, "s", f"= as_of - {figures['started']}", entity=entity)
        if people:
            figures["user"] = book.add("user", query.user, "name", _LIVE, entity=entity)
        found.append(
            StatementRow(
                query_id=query.query_id,
                warehouse=query.warehouse,
                status=query.status,
                started=query.started,
                figures=figures,
            )
        )
    if len(running) > len(found):
        notes.append(f"{len(running)} statements run or wait; the {len(found)} that have gone on longest are shown.")
    return tuple(found)


def _wanted(reader: UsageReader, names: list[str], shown: Mapping[str, Warehouse]) -> set[str] | None:
    if not names:
        return None
    exact = {usage_warehouse(reader, name) for name in names}
    if not exact & set(shown):
        live_warehouse(reader, next(iter(sorted(exact))))  # raises NoPermission with the GRANT
    return exact


def _asked_for(row: WarehouseRow, args: WarehousesArgs) -> bool:
    if args.odd_only and not row.odd:
        return False
    if args.odd and not any(odd.kind in args.odd for odd in row.odd):
        return False
    if args.state == "any":
        return True
    up = row.state in ("STARTED", "RESIZING", "RESUMING", "ENABLED")
    return row.state is not None and up == (args.state == "running")


# --- the last week ----------------------------------------------------------------------------------------------


def _week(reader: UsageReader) -> _Week:
    try:
        return _read_week(reader)
    except NoPermission as error:
        return _Week(notes=(f"Credits are not shown: {error.message}",))


def _read_week(reader: UsageReader) -> _Week:
    tz = reader.account().timezone
    used = next(r for r in METRICS["credits"].recipes if r.source == "metering")
    idle = METRICS["idle_share"].recipes[0]
    coverage = view_coverage(reader, used)
    span = span_of(_WEEK, coverage, used, tz)
    if span.window is None:
        return _Week(notes=("Credits of the last week are not loaded yet.",), sources=(source_of(coverage),))
    fetch = Fetch(reader, used, "warehouse", {})
    credits = {key: value or 0.0 for key, value in fetch.measure(span.window).groups if key is not None}
    quiet = span_of(_WEEK, view_coverage(reader, idle), idle, tz)
    shares: dict[str, float | None] = {}
    if quiet.window is not None:
        second = Fetch(reader, idle, "warehouse", {}, query_ids=fetch.query_ids)
        shares = {key: value for key, value in second.measure(quiet.window).groups if key is not None}
    return _Week(
        credits=credits,
        idle=shares,
        window=span.window,
        complete=span.complete,
        sources=(source_of(coverage),),
        query_ids=tuple(fetch.query_ids),
    )


# --- rows ----------------------------------------------------------------------------------------------------------


def _row(warehouse: Warehouse, week: _Week, book: FactBook) -> WarehouseRow:
    credits = week.credits.get(warehouse.name, 0.0) if week.window else None
    idle = week.idle.get(warehouse.name)
    figures = _usage_facts(warehouse.name, credits, idle, week, book)
    for field, unit, title in (
        ("auto_suspend", "s", "auto-suspend"),
        ("running", "count", "statements running"),
        ("queued", "count", "statements queued"),
        ("min_clusters", "count", "least clusters"),
        ("max_clusters", "count", "most clusters"),
        ("started_clusters", "count", "clusters started"),
    ):
        value = getattr(warehouse, field)
        if value is not None:
            figures[field] = book.add(title, value, unit, _SHOW, entity=warehouse.name)  # type: ignore[arg-type]
    figures["state"] = book.add("state", warehouse.state, "name", _SHOW, entity=warehouse.name)
    for field in ("owner", "resource_monitor", "scaling_policy"):
        if getattr(warehouse, field):
            title = field.replace("_", " ")
            figures[field] = book.add(title, getattr(warehouse, field), "name", _SHOW, entity=warehouse.name)
    if warehouse.size is not None:
        figures["size"] = book.add("size", warehouse.size.shown, "name", _SHOW, entity=warehouse.name)
    return WarehouseRow(
        name=warehouse.name,
        visible=True,
        state=warehouse.state,
        type=warehouse.type,
        size=warehouse.size,
        min_clusters=warehouse.min_clusters,
        max_clusters=warehouse.max_clusters,
        started_clusters=warehouse.started_clusters,
        running=warehouse.running,
        queued=warehouse.queued,
        auto_suspend=warehouse.auto_suspend,
        auto_resume=warehouse.auto_resume,
        scaling_policy=warehouse.scaling_policy,
        resource_monitor=warehouse.resource_monitor,
        owner=warehouse.owner,
        comment=warehouse.comment,
        credits_7d=credits,
        idle_share_7d=idle,
        odd=odd_about(warehouse, credits, idle),
        figures=figures,
    )


def _hidden_row(name: str, week: _Week, book: FactBook) -> WarehouseRow:
    credits, idle = week.credits.get(name), week.idle.get(name)
    quoted = '"' + name.replace('"', '""') + '"'
    grant = code(f"GRANT MONITOR ON WAREHOUSE {quoted} TO ROLE <reader role>;", 400)
    text = f"It has usage, but is not visible in SHOW WAREHOUSES: {grant}"
    return WarehouseRow(
        name=name,
        visible=False,
        credits_7d=credits,
        idle_share_7d=idle,
        odd=(Oddity(kind="not_visible", text=text),),
        figures=_usage_facts(name, credits, idle, week, book),
    )


def _usage_facts(name: str, credits: float | None, idle: float | None, week: _Week, book: FactBook) -> dict[str, str]:
    view = "WAREHOUSE_METERING_HISTORY"
    figures = {"name": book.add("warehouse", name, "name", _SHOW, entity=name)}
    if credits is not None:
        figures["credits_7d"] = book.add("credits", credits, "credits", view, entity=name, window=week.window)
    if idle is not None:
        figures["idle_share_7d"] = book.add("idle share", idle, "%", view, entity=name, window=week.window)
    return figures


def _one_line(args: WarehousesArgs) -> str:
    only = f" {', '.join(args.names)}" if args.names else "s"
    state = f", {args.state}" if args.state != "any" else ""
    odd = ", only what is odd" if args.odd_only else "".join(f", {kind.replace('_', ' ')}" for kind in args.odd)
    return f"warehouse{only}{state}{odd}" + (", with what runs now" if args.statements else "")


LIST_WAREHOUSES: Tool[WarehousesArgs] = Tool(
    name="list_warehouses",
    summary=(
        "Warehouses as they are now: state, size, clusters, auto-suspend, what runs and queues, resource monitor, "
        "credits of the last 7 days, and what is odd about each (never suspends, idle, too many clusters, ...)."
    ),
    args=WarehousesArgs,
    run=list_warehouses,
    one_line=_one_line,
)
