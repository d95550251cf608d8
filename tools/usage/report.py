"""From measured figures to a ToolResult: every figure a fact, every caveat a note."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from typing import cast

from tools.context import FilterColumn, UsageQuery, UsageReader
from tools.errors import NoPermission
from tools.facts import FactBook
from tools.quoting import code
from tools.result import Status, ToolResult, Window
from tools.usage.buckets import bucket_of, label, next_bucket
from tools.usage.fetch import Fetch, Measured
from tools.usage.metrics import BY_TIME, METRICS, SOURCE_VIEW, Recipe, TimeBucket
from tools.usage.model import UsageArgs, UsageData, UsageRow
from tools.usage.span import AnsweredSpan, same_utc_days, source_of
from tools.windows.calendars import localize, zone
from tools.windows.parse import describe

__all__ = ["Report", "absent"]

_DEFAULT_TOP = 20
NONE = "(none)"
"""How a row without a name is called."""
_BILLED_COLUMNS = (
    ("billed", "credits_billed", "credits billed, UTC days"),
    ("used_utc", "credits_used", "credits used, the same UTC days"),
    ("adjustment", "credits_adjustment", "cloud-services adjustment, UTC days"),
)


def absent(
    args: UsageArgs, span: AnsweredSpan, filters: Mapping[FilterColumn, tuple[str, ...]]
) -> ToolResult[UsageData]:
    """`not_loaded` or `no_data`: two different answers, neither of them 0."""
    coverage, asked = span.coverage, span.asked
    tz = zone(asked.window.tz)
    what = f"{METRICS[args.metric].title} for {asked.label} ({describe(asked.window)})"
    book = FactBook(coverage.now)
    figures = {"covered_until": book.add("loaded up to", coverage.covered_until.isoformat(), "time", coverage.view)}
    if span.standing == "not_loaded":
        until = f"{localize(coverage.covered_until, tz):%Y-%m-%d %H:%M} {asked.window.tz}"
        message = f"Not loaded yet: {what}. {coverage.view} is loaded up to {until}; this is not a zero."
        hint = "Ask for a window that ends before that, or again later."
    elif coverage.first is None:
        message, hint = f"No data: {coverage.view} holds no rows at all, so there is no figure for {what}.", None
    else:
        first = f"{localize(coverage.first, tz):%Y-%m-%d %H:%M} {asked.window.tz}"
        figures["first"] = book.add("first row", coverage.first.isoformat(), "time", coverage.view)
        message = f"No data: {what}. {coverage.view} begins at {first}; this is not a zero."
        hint = "Ask for a later window."
    data = UsageData(
        metric=args.metric,
        title=METRICS[args.metric].title,
        unit=METRICS[args.metric].unit,
        by=args.by,
        filters={c: list(v) for c, v in filters.items()},
        label=asked.label,
        asked=asked.window,
        convention=asked.convention,
        total=None,
        figures=figures,
    )
    status: Status = "not_loaded" if span.standing == "not_loaded" else "no_data"
    return ToolResult(
        status=status,
        data=data,
        window=asked.window,
        complete=False,
        sources=(source_of(coverage),),
        facts=book.facts,
        message=message,
        hint=hint,
    )


class Report:
    """Builds the result of one answered question."""

    def __init__(
        self,
        reader: UsageReader,
        args: UsageArgs,
        recipe: Recipe,
        span: AnsweredSpan,
        fetch: Fetch,
        notes: list[str],
        said: Mapping[FilterColumn, tuple[str, ...]] | None = None,
    ) -> None:
        """`said`: the filters as the reply names them, where one word stands for many values."""
        assert span.window is not None
        self._reader, self._args, self._recipe, self._span, self._fetch = reader, args, recipe, span, fetch
        self._window: Window = span.window
        self._measure = METRICS[args.metric]
        self._price = reader.account().credit_price if self._measure.priced else 1.0
        self._view = SOURCE_VIEW[recipe.source]
        self._book = FactBook(span.coverage.now)
        self._notes = list(notes)
        self._sources = [source_of(span.coverage)]
        self._figures: dict[str, str] = {}
        self._said = {c: list(v) for c, v in (said or fetch.filters).items()}

    def result(self) -> ToolResult[UsageData]:
        now = self._fetch.measure(self._window)
        before = self._before()
        total = self._claim_total(now)
        previous = self._claim_previous(before)
        rows, rest = self._rows(now, before, total)
        self._account_lines(now)
        self._note_coverage()
        self._note_names(now)
        self._figures["covered_until"] = self._book.add(
            "loaded up to", self._span.coverage.covered_until.isoformat(), "time", self._view
        )
        data = UsageData(
            metric=self._args.metric,
            title=self._measure.title,
            unit=self._measure.unit,
            by=self._args.by,
            filters=self._said,
            label=self._span.asked.label,
            asked=self._span.asked.window,
            convention=" ".join(filter(None, (self._span.asked.convention, self._recipe.convention))),
            notes=tuple(self._notes),
            total=total,
            rows=rows,
            groups=len(now.groups) or len(now.buckets),
            all_groups=now.all_groups,
            rest=rest,
            previous=previous,
            previous_window=self._span.previous if before else None,
            change=_change(previous, total),
            figures=self._figures,
        )
        return ToolResult(
            status="ok",
            data=data,
            window=self._window,
            complete=self._span.complete,
            sources=tuple(self._sources),
            query_ids=tuple(self._fetch.query_ids),
            facts=self._book.facts,
            message=self._message(total),
        )

    def _message(self, total: float | None) -> str:
        shown = "not known" if total is None else f"{total:,.6g} {self._measure.unit}"
        return f"{self._measure.title}, {self._span.asked.label} ({describe(self._window)}): {shown}"

    # --- totals -----------------------------------------------------------------------------------------------

    def _priced(self, value: float | None) -> float | None:
        return None if value is None else value * self._price

    def _claim_total(self, now: Measured) -> float | None:
        total = self._priced(now.total)
        entity = self._entity()
        self._figures["total"] = self._claim(self._measure.title, total, self._window, entity)
        if self._measure.priced:
            self._claim_price(now.total, entity)
        return total

    def _claim_price(self, credits: float | None, entity: str | None) -> None:
        book = self._book
        self._figures["credits"] = book.add(
            "credits", credits, "credits", self._view, entity=entity, window=self._window
        )
        self._figures["price"] = book.add("price of one credit", self._price, "USD", "account settings")

    def _claim(self, title: str, value: float | None, window: Window, entity: str | None) -> str:
        source = f"{self._view}, times the price of a credit" if self._measure.priced else self._view
        return self._book.add(title, value, self._measure.unit, source, entity=entity, window=window)

    def _entity(self) -> str | None:
        """A total under one name belongs to that name."""
        names = [name for values in self._said.values() for name in values]
        return (names[0] or NONE) if len(names) == 1 else None

    def _before(self) -> Measured | None:
        if not self._args.compare:
            return None
        if self._span.previous is None:
            self._notes.append(self._span.previous_why)
            return None
        return self._fetch.measure(self._span.previous)

    def _claim_previous(self, before: Measured | None) -> float | None:
        if before is None or self._span.previous is None:
            return None
        value = self._priced(before.total)
        title = f"{self._measure.title}, the window before"
        self._figures["previous"] = self._claim(title, value, self._span.previous, self._entity())
        if not self._span.complete:
            self._notes.append("Both windows are cut to the same length: only the part that is loaded is compared.")
        return value

    # --- rows -------------------------------------------------------------------------------------------------

    def _rows(
        self, now: Measured, before: Measured | None, total: float | None
    ) -> tuple[tuple[UsageRow, ...], float | None]:
        if self._args.by in BY_TIME:
            return self._time_rows(now, total), None
        if self._args.by == "total":
            return (), None
        earlier = dict(before.groups) if before else {}
        groups = self._ordered(now.groups)
        shown = groups[: self._args.top or _DEFAULT_TOP]
        rows = tuple(self._row(key, value, total, earlier, before) for key, value in shown)
        return rows, self._rest(now, rows, total)

    def _ordered(self, groups: list[tuple[str | None, float | None]]) -> list[tuple[str | None, float | None]]:
        sign = 1 if self._args.ascending else -1
        return sorted(groups, key=lambda g: (g[1] is None, sign * (g[1] or 0.0), g[0] or ""))

    def _row(
        self,
        key: str | None,
        value: float | None,
        total: float | None,
        earlier: dict[str | None, float | None],
        before: Measured | None,
    ) -> UsageRow:
        value = self._priced(value)
        entity = key if key is not None else NONE
        fact = self._claim(self._measure.title, value, self._window, entity)
        previous, previous_fact = None, None
        if before is not None and self._span.previous is not None and before.all_groups:
            missing = None if self._recipe.over else 0.0
            previous = self._priced(earlier.get(key, missing))
            title = f"{self._measure.title}, the window before"
            previous_fact = self._claim(title, previous, self._span.previous, entity)
        return UsageRow(
            key=key,
            value=value,
            share=self._share(value, total),
            previous=previous,
            fact=fact,
            previous_fact=previous_fact,
        )

    def _share(self, value: float | None, total: float | None) -> float | None:
        if self._measure.is_ratio or value is None or not total:
            return None
        return 100.0 * value / total

    def _rest(self, now: Measured, rows: tuple[UsageRow, ...], total: float | None) -> float | None:
        count = len(now.groups)
        self._figures["groups"] = self._book.add(
            f"{self._args.by.replace('_', ' ')}s with a figure", count, "count", self._view, window=self._window
        )
        if count == len(rows) or self._measure.is_ratio or total is None:
            return None
        if not now.all_groups:
            self._notes.append("There are more rows than were read; the remainder is exact all the same.")
        rest = total - math.fsum(row.value or 0.0 for row in rows)
        formula = f"= {self._figures['total']} - the rows shown"
        self._figures["rest"] = self._book.add(
            f"{self._measure.title}, all others", rest, self._measure.unit, formula, window=self._window
        )
        return rest

    def _time_rows(self, now: Measured, total: float | None) -> tuple[UsageRow, ...]:
        first = self._span.coverage.first
        bucket, tz = cast("TimeBucket", self._args.by), zone(self._window.tz)
        # What ends before the view's first row is not kept, which is no zero.
        found = [b for b in now.buckets if first is None or next_bucket(b[0], bucket, tz) > first]
        if self._args.top is not None:
            found = sorted(found, key=lambda b: (b[1] is None, (1 if self._args.ascending else -1) * (b[1] or 0.0)))
            found = found[: self._args.top]
        return tuple(self._time_row(start, value, total) for start, value in found)

    def _time_row(self, start: datetime, value: float | None, total: float | None) -> UsageRow:
        bucket, tz = cast("TimeBucket", self._args.by), zone(self._window.tz)
        end = next_bucket(start, bucket, tz)
        window = Window(start=max(start, self._window.start), end=min(end, self._window.end), tz=self._window.tz)
        value = self._priced(value)
        key = label(start, bucket)
        fact = self._claim(self._measure.title, value, window, key)
        return UsageRow(key=key, start=start, value=value, share=self._share(value, total), fact=fact)

    # --- what an account total also says -------------------------------------------------------------------

    def _account_lines(self, now: Measured) -> None:
        if self._args.by != "total" or self._fetch.filters or self._args.metric not in ("credits", "cost"):
            return
        if now.warehouses is not None:
            self._figures["warehouses"] = self._book.add(
                "credits of warehouses", now.warehouses, "credits", self._view, window=self._window
            )
        try:
            self._billed()
        except NoPermission as error:
            self._notes.append(f"The billed figure is not shown: {error.message}")

    def _billed(self) -> None:
        days = same_utc_days(self._window)
        coverage = self._reader.coverage(SOURCE_VIEW["billed"])
        if days is None or coverage.first is None or days.start < coverage.first or days.end > coverage.complete_until:
            return
        rows = self._reader.usage(UsageQuery(source="billed", start=days.start, end=days.end))
        self._fetch.query_ids.append(rows.query_id)
        for role, column, title in _BILLED_COLUMNS:
            value = math.fsum(float(cell) for cell in rows.frame[column])
            self._figures[role] = self._book.add(title, value, "credits", coverage.view, window=days)
        self._sources.append(source_of(coverage))

    # --- caveats ----------------------------------------------------------------------------------------------

    def _note_coverage(self) -> None:
        span, tz = self._span, zone(self._span.tz)
        first = span.coverage.first
        if first is not None and first > self._window.start:
            begins = f"{localize(first, tz):%Y-%m-%d %H:%M}"
            share = 100.0 * (self._window.end - first) / (self._window.end - self._window.start)
            self._notes.append(
                f"{self._view} begins at {begins}; there is nothing before it: {share:.0f} % of the window is covered."
            )
        if not span.complete:
            loaded = f"{localize(self._window.end, tz):%Y-%m-%d %H:%M} {span.tz}"
            if self._window.end < span.asked.window.end:
                self._notes.append(f"Not the whole window: covered until {loaded}; later rows are not loaded yet.")
            else:
                self._notes.append(f"Covered until {loaded}; the last hours may still grow.")
        if self._args.by in BY_TIME:
            self._note_cut_buckets()

    def _note_cut_buckets(self) -> None:
        bucket, tz = cast("TimeBucket", self._args.by), zone(self._window.tz)
        first = bucket_of(self._window.start, bucket, tz) < self._window.start
        last = bucket_of(self._window.end, bucket, tz) != localize(self._window.end, tz)
        ends = " and ".join(name for name, cut in (("first", first), ("last", last)) if cut)
        if ends:
            self._notes.append(f"The {ends} {bucket} is cut by the window.")

    def _note_names(self, now: Measured) -> None:
        for name in now.two_ids:
            self._notes.append(f"{code(name)} stands for more than one warehouse (dropped and created again).")
        if now.unknown:
            names = ", ".join(code(name) for name in now.unknown)
            self._notes.append(f"Not known for {names}: no attributed credits are kept (adaptive warehouses).")


def _change(previous: float | None, value: float | None) -> float | None:
    return 100.0 * (value - previous) / previous if previous and value is not None else None
