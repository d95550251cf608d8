"""`own_cost`: Frostline's own statements, their credits, and what its language models used today.

Credits: cloud services of the statements with Frostline's tag from QUERY_HISTORY, and compute attributed to them from
QUERY_ATTRIBUTION_HISTORY. Both are before the daily adjustment, and neither holds idle time: how much of a warehouse's
idle time is Frostline's fault no view tells, so the warehouses it ran on are named with what they metered in all.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from tools.context import Coverage, ModelUse, ToolContext, UsageQuery
from tools.coverage import classify
from tools.domain import Frozen
from tools.errors import NoPermission
from tools.facts import FactBook
from tools.quoting import code
from tools.result import Source, ToolResult, Window
from tools.tool import Tool
from tools.usage.metrics import METRICS
from tools.usage.span import AnsweredSpan, source_of, span_of, view_coverage
from tools.windows.calendars import localize, zone
from tools.windows.parse import describe

__all__ = ["OWN_COST", "OwnCostArgs", "OwnCostData", "OwnCostRow", "own_cost"]

_QUERIES, _ATTRIBUTED = "QUERY_HISTORY", "QUERY_ATTRIBUTION_HISTORY"
_METERED = "WAREHOUSE_METERING_HISTORY"
_PARTS = {
    "reader": "answers and scans",
    "writer": "approved changes",
    "doctor": "doctor's checks",
    "inventory": "look at the account",
}
_OTHER = "other"
Credits = defaultdict[str, float]
"""By part."""
_MOST_WAREHOUSES = 3
_WINDOW = "this month"
"""With today in it: who has just set Frostline up asks for that."""


class OwnCostArgs(BaseModel):
    """Arguments of `own_cost`."""

    model_config = ConfigDict(extra="forbid")

    window: Annotated[str, Field(max_length=200)] = Field(
        _WINDOW, description="A phrase: 'yesterday', 'last 7 days', 'this month', ..."
    )


class OwnCostRow(Frozen):
    part: str
    """What of Frostline it was: answers and scans, approved changes, ..."""
    statements: int
    credits: float
    figures: dict[str, str]
    """part, statements, credits, credits_compute, credits_cloud_services -> fact id."""


class OwnCostData(Frozen):
    rows: tuple[OwnCostRow, ...] = ()
    """Most credits first; parts without statements are left out."""
    label: str
    convention: str
    notes: tuple[str, ...] = ()
    figures: dict[str, str]
    """statements, credits, credits_compute, credits_cloud_services, usd; with a model: model_requests, model_tokens,
    model_usd; metered.0, metered.1, ... -> fact id."""


def own_cost(context: ToolContext, args: OwnCostArgs) -> ToolResult[OwnCostData]:
    """What Frostline itself used in a window.

    Raises:
        BadArgument: the window cannot be read.
        NoPermission: Frostline's role may not read QUERY_HISTORY (the hint is the GRANT).
    """
    reader = context.reader
    recipe = METRICS["queries"].recipes[0]
    span = span_of(args.window, view_coverage(reader, recipe), recipe, reader.account().timezone)
    book = FactBook(span.coverage.now)
    if span.window is None:
        return _absent(span, book)
    return _Own(context, span, span.window, book).result()


class _Own:
    """One answer while it is put together."""

    def __init__(self, context: ToolContext, span: AnsweredSpan, window: Window, book: FactBook) -> None:
        self._context, self._reader = context, context.reader
        self._span, self._window, self._book = span, window, book
        self._notes: list[str] = []
        self._ids: list[str] = []
        self._sources: list[Source] = [source_of(span.coverage)]
        self._complete = span.complete

    def result(self) -> ToolResult[OwnCostData]:
        services, counts = self._statements()
        compute, warehouses = self._compute()
        figures = self._totals(sum(counts.values()), sum(services.values()), sum(compute.values()))
        rows = self._rows(counts, services, compute)
        figures |= self._metered(warehouses) | self._models()
        data = OwnCostData(
            rows=rows,
            label=self._span.asked.label,
            convention="Statements that carry Frostline's query tag. Credits are compute attributed to them and their "
            "cloud services, before the cloud-services adjustment and without idle time.",
            notes=tuple(self._notes),
            figures=figures,
        )
        return ToolResult(
            status="ok",
            data=data,
            window=self._window,
            complete=self._complete,
            sources=tuple(self._sources),
            query_ids=tuple(self._ids),
            facts=self._book.facts,
            message=f"Frostline's own statements, {describe(self._window)} {self._window.tz}.",
        )

    def _statements(self) -> tuple[Credits, Counter[str]]:
        """Cloud-services credits and number of statements by part."""
        found = self._reader.sql("own_statements", {"start": self._window.start, "end": self._window.end})
        self._ids.append(found.query_id)
        services, counts = defaultdict[str, float](float), Counter[str]()
        for row in found.frame.to_dict("records"):
            part = _part(row["tag"])
            counts[part] += int(row["statements"])
            services[part] += float(row["credits_cloud_services"])
        return services, counts

    def _compute(self) -> tuple[Credits, list[str]]:
        """Attributed credits by part, and the warehouses they were used on; less where it is not loaded yet."""
        compute, warehouses = defaultdict[str, float](float), defaultdict[str, float](float)
        until = self._attributed_until()
        if until is None:
            return compute, []
        found = self._reader.sql("own_compute", {"start": self._window.start, "end": until})
        self._ids.append(found.query_id)
        for row in found.frame.to_dict("records"):
            compute[_part(row["tag"])] += float(row["credits_compute"])
            warehouses[str(row["warehouse"])] += float(row["credits_compute"])
        return compute, sorted(warehouses, key=lambda name: (-warehouses[name], name))[:_MOST_WAREHOUSES]

    def _attributed_until(self) -> datetime | None:
        try:
            coverage = self._reader.coverage(_ATTRIBUTED)
        except NoPermission as error:
            self._notes.append(f"Compute is not in it: {error.message}")
            self._complete = False
            return None
        self._sources.append(source_of(coverage))
        covered = classify(self._window.start, self._window.end, coverage)
        if covered.complete:
            return self._window.end
        self._complete = False
        until = covered.covered[1] if covered.covered is not None else None
        self._notes.append(_not_attributed(coverage, until, self._window))
        return until

    def _totals(self, statements: int, services: float, compute: float) -> dict[str, str]:
        add, window, price = self._book.add, self._window, self._reader.account().credit_price
        count = add("Frostline's own statements", statements, "count", _QUERIES, window=window)
        used = add("compute attributed to Frostline", compute, "credits", _ATTRIBUTED, window=window)
        cloud = add("cloud services of Frostline", services, "credits", _QUERIES, window=window)
        total = add("credits used by Frostline", compute + services, "credits", f"= {used} + {cloud}", window=window)
        cost = (compute + services) * price
        each = add("price of one credit", price, "USD", "account settings")
        usd = add("cost of Frostline's credits", cost, "USD", f"= {total} * {each}", window=window)
        return {
            "statements": count,
            "credits": total,
            "credits_compute": used,
            "credits_cloud_services": cloud,
            "usd": usd,
        }

    def _rows(self, counts: Counter[str], services: Credits, compute: Credits) -> tuple[OwnCostRow, ...]:
        parts = {part for part in (*counts, *compute)}
        ordered = sorted(parts, key=lambda part: (-(compute[part] + services[part]), part))
        return tuple(self._row(part, counts[part], services[part], compute[part]) for part in ordered)

    def _row(self, part: str, count: int, services: float, compute: float) -> OwnCostRow:
        def add(label: str, value: float | int | str, unit: str, source: str) -> str:
            return self._book.add(label, value, unit, source, entity=part, window=self._window)  # type: ignore[arg-type]

        figures = {
            "part": add("part of Frostline", part, "name", _QUERIES),
            "statements": add("statements", count, "count", _QUERIES),
            "credits_compute": add("compute", compute, "credits", _ATTRIBUTED),
            "credits_cloud_services": add("cloud services", services, "credits", _QUERIES),
        }
        formula = f"= {figures['credits_compute']} + {figures['credits_cloud_services']}"
        figures["credits"] = add("credits", compute + services, "credits", formula)
        return OwnCostRow(part=part, statements=count, credits=compute + services, figures=figures)

    def _metered(self, warehouses: list[str]) -> dict[str, str]:
        """What the warehouses it ran on metered in all: their idle time is somebody's, and may be Frostline's."""
        figures: dict[str, str] = {}
        for name in warehouses:
            query = UsageQuery(
                "metering", self._window.start, self._window.end, by="warehouse", filters={"warehouse": (name,)}
            )
            found = self._reader.usage(query)
            self._ids.append(found.query_id)
            used = float(found.frame["credits_used"].sum()) if len(found.frame) else 0.0
            fact = self._book.add("metered in all", used, "credits", _METERED, entity=name, window=self._window)
            figures[f"metered.{len(figures)}"] = fact
        if warehouses:
            self._sources.append(source_of(self._reader.coverage(_METERED)))
        return figures

    def _models(self) -> dict[str, str]:
        use = self._context.model_use() if self._context.model_use is not None else None
        if use is None:
            return {}
        return _model_facts(self._book, use)


def _model_facts(book: FactBook, use: ModelUse) -> dict[str, str]:
    window = Window(start=use.start, end=use.end, tz="UTC")
    where = "Frostline's own count"
    return {
        "model_requests": book.add("requests to language models", use.requests, "count", where, window=window),
        "model_tokens": book.add("tokens of language models", use.tokens, "count", where, window=window),
        "model_usd": book.add("cost of language models", use.usd, "USD", where, window=window),
    }


def _part(tag: object) -> str:
    """Anybody may set such a tag: only what is known of it is believed."""
    try:
        known = json.loads(str(tag))
    except (ValueError, RecursionError):  # 2,000 characters are enough to be nested too deep
        return _OTHER
    return _PARTS.get(str(known.get("component")), _OTHER) if isinstance(known, dict) else _OTHER


def _not_attributed(coverage: Coverage, until: datetime | None, window: Window) -> str:
    if until is None:
        return f"Compute is not in it: {coverage.view} has no figures for this window yet."
    moment = localize(until, zone(window.tz))
    return f"Compute is in it up to {moment:%Y-%m-%d %H:%M} {window.tz} only: {coverage.view} is loaded later."


def _absent(span: AnsweredSpan, book: FactBook) -> ToolResult[OwnCostData]:
    coverage = span.coverage
    until = localize(coverage.covered_until, zone(span.tz))
    figures = {"covered_until": book.add("loaded up to", until.isoformat(), "time", coverage.view)}
    what = f"Frostline's own cost for {span.asked.label} ({describe(span.asked.window)})"
    loaded = f"{coverage.view} is loaded up to {until:%Y-%m-%d %H:%M} {span.tz}"
    late = span.standing == "not_loaded"
    message = f"Not loaded yet: {what}. {loaded}; this is not a zero." if late else f"No data: {what}; no zero either."
    return ToolResult(
        status="not_loaded" if late else "no_data",
        data=OwnCostData(label=span.asked.label, convention="", figures=figures),
        window=span.asked.window,
        complete=False,
        sources=(source_of(coverage),),
        facts=book.facts,
        message=message,
        hint="Ask for a window that ends before that, or again later." if late else None,
    )


def _one_line(args: OwnCostArgs) -> str:
    return f"Frostline's own credits, {code(args.window)}"


OWN_COST: Tool[OwnCostArgs] = Tool(
    name="own_cost",
    summary=(
        "What Frostline (this assistant, you) itself costs the account: its own statements, their credits and USD, and "
        "today's language-model tokens. For 'what do you cost?', 'how many credits does Frostline use itself?'."
    ),
    args=OwnCostArgs,
    run=own_cost,
    one_line=_one_line,
)
